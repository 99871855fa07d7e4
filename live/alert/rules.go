package alert

import (
	"fmt"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
)

// condition is something that is wrong at a tick.
type condition struct {
	name     string
	of       string // of what, where there can be several
	severity Severity
	after    time.Duration // that it must hold before it fires
	// lasts is how long it counts as going on after it was last seen: for things
	// that are seen at single ticks.
	lasts   time.Duration
	summary string
}

// key tells conditions apart.
func (c *condition) key() string {
	if c.of == "" {
		return c.name
	}
	return c.name + "/" + c.of
}

// conditions returns what is wrong at a tick.
func conditions(env *policy.Env, caps policy.Guard, o *policy.Observation, r *controller.Result) []condition {
	var all []condition
	add := func(name, of string, severity Severity, after, lasts time.Duration, format string, args ...any) {
		all = append(all, condition{name, of, severity, after, lasts, fmt.Sprintf(format, args...)})
	}
	late(env, o, add)
	readings(env, o, add)
	money(caps, o, add)
	f := &o.Fleet
	if f.ReadySlots > 0 && float64(f.BusySlots) > 0.9*float64(f.ReadySlots) {
		add("SkynetSlackLow", "", Warn, 10*time.Minute, 0, "%d of %d slots are busy", f.BusySlots, f.ReadySlots)
	}
	if n := r.Removed.Launches; n > 0 {
		add("SkynetGuardClamps", "launches", Warn, 5*time.Minute, 0, "the guard removed %d launches", n)
	}
	if n := r.Removed.Drains; n > 0 {
		add("SkynetGuardClamps", "drains", Warn, 5*time.Minute, 0, "the guard removed %d drains", n)
	}
	if f.Boot.Overdue > 0 {
		add("SkynetLaunchedNotRegistered", "", Page, 5*time.Minute, 0, "%d instances run, are paid, and have not asked for work", f.Boot.Overdue)
	}
	if r.Outcome.Short > 0 {
		add("SkynetCapacityShort", "", Warn, 0, 10*time.Minute, "EC2 refused %d instances, and nothing stood in for %d of them", r.Outcome.Refused, r.Outcome.Short)
	}
	if r.Hold == controller.ByStop {
		add("SkynetStopped", "", Warn, time.Hour, 0, "%s", r.Outcome.Held)
	}
	if r.Hold == controller.Unsaved {
		add("SkynetNothingSaved", "", Page, 0, 5*time.Minute, "the controller's store cannot be written, so nothing is launched")
	}
	for _, x := range r.Found {
		if x.Kind.Alarms() {
			add("SkynetFleetDoubtful", x.Kind.String(), Page, 0, 10*time.Minute, "%s: %s", x.Kind, x.Text)
		}
		if x.Kind == fleet.NeverWorked {
			add("SkynetLaunchedNotRegistered", "given up", Page, 0, 30*time.Minute, "an instance was given up: no word of its worker ever came")
		}
	}
	if r.Outcome.Provider != "" {
		add("SkynetProviderTrouble", "", Warn, 0, 0, "the provider says: %s", r.Outcome.Provider)
	}
	return all
}

// adding takes a condition down.
type adding func(name, of string, severity Severity, after, lasts time.Duration, format string, args ...any)

// late looks at the promises to classes.
func late(env *policy.Env, o *policy.Observation, add adding) {
	oldest := make([]time.Duration, len(env.Classes))
	for i := range o.Queue.Kinds {
		if k := &o.Queue.Kinds[i]; k.Class >= 0 && k.Class < len(oldest) {
			oldest[k.Class] = max(oldest[k.Class], k.OldestWait)
		}
	}
	for i, wait := range oldest {
		if c := &env.Classes[i]; c.Attain > 0 && wait > c.Target {
			add("SkynetLatencyOverTarget", c.Name, Page, 5*time.Minute, 0, "class %s: its first job has waited %s, promised within %s", c.Name, wait.Round(time.Second), c.Target)
		}
	}
}

// unreadAfter is how many ticks a reading may be missing.
const unreadAfter = 3

// readings looks at how old what is known is.
func readings(env *policy.Env, o *policy.Observation, add adding) {
	for _, x := range []struct {
		name, what string
		at         policy.Reading
	}{{"SkynetQueueUnreadable", "the queue", o.Queue.Reading}, {"SkynetEC2Unreadable", "EC2's list", o.Fleet.Reading}} {
		if x.at.Complete {
			continue
		}
		ago := "never"
		if !x.at.At.IsZero() {
			ago = o.Now.Sub(x.at.At).Round(time.Second).String() + " ago"
		}
		add(x.name, "", Page, unreadAfter*env.Tick, 0, "%s was last read whole %s", x.what, ago)
	}
}

// money looks at what was spent.
func money(caps policy.Guard, o *policy.Observation, add adding) {
	m := &o.Money
	for _, x := range []struct {
		window             string
		spent, budget, cap policy.MicroUSD
	}{
		{"hour", m.SpentHour, m.BudgetHour, caps.HourMax},
		{"day", m.SpentDay, m.BudgetDay, caps.DayMax},
		{"month", m.SpentMonth, m.BudgetMonth, caps.MonthMax},
	} {
		if x.spent > x.cap {
			add("SkynetSpendOverCap", x.window, Page, 0, 0, "$ %.2f spent this %s, above the cap of $ %.2f", x.spent.Dollars(), x.window, x.cap.Dollars())
		}
		if x.budget > 0 && x.spent > x.budget {
			add("SkynetSpendOverBudget", x.window, Warn, 0, 0, "$ %.2f spent this %s, above the budget of $ %.2f", x.spent.Dollars(), x.window, x.budget.Dollars())
		}
	}
}

// runbook returns where docs tell of an alert.
func runbook(name string) string { return "docs/operate.md#" + strings.ToLower(name) }
