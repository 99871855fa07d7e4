package policy_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/baseline"
)

// TestStories plays the scripts in testdata/story. A script is a small world: a
// queue that is what the script says it is, a fleet that boots after a fixed
// lag, a policy and a guard. `go test ./policy -rewrite` rewrites what a script
// expects; read the difference before you believe it.
func TestStories(t *testing.T) {
	datadriven.Walk(t, "testdata/story", func(t *testing.T, path string) {
		w := newWorld(t)
		datadriven.RunTest(t, path, w.run)
	})
}

// world is what a story plays in.
type world struct {
	t       *testing.T
	catalog policy.Catalog
	guard   policy.Guard
	policy  policy.Policy
	remake  func() policy.Policy
	o       policy.Observation
	boot    time.Duration
	nextID  policy.InstanceID
	refuse  int
}

func newWorld(t *testing.T) *world {
	w := &world{t: t, catalog: policy.EC2in2008(), guard: policy.Open(policy.Unlimited), boot: 2 * time.Minute}
	w.o.Now = time.Date(2008, 6, 1, 0, 0, 0, 0, time.UTC)
	w.o.Tick = time.Minute
	w.o.Queue.Kinds = []policy.KindView{{Type: "photo"}}
	w.o.Fleet.Boot.P99 = 5 * time.Minute
	w.read("queue fleet money")
	return w
}

// run plays one command of a script.
func (w *world) run(t *testing.T, d *datadriven.TestData) string {
	w.t = t
	args := arguments{t: t, d: d}
	switch d.Cmd {
	case "guard":
		return w.setGuard(args)
	case "policy":
		return w.setPolicy(args)
	case "fleet":
		return w.setFleet(args)
	case "queue":
		return w.setQueue(args)
	case "spent":
		w.o.Money.SpentDay, w.o.Money.SpentMonth = args.usd("day"), args.usd("month")
		return "ok"
	case "refuse":
		w.refuse = args.int("n", 0)
		return "ok"
	case "lose":
		w.o.Fleet.Instances = w.o.Fleet.Instances[args.int("n", 0):]
		return w.fleetLine()
	case "pass":
		w.pass(args.duration("time", time.Minute))
		if args.has("blind") {
			w.o.Queue.Complete = false
		} else if stale := args.string("stale", ""); stale != "" {
			w.read(strings.ReplaceAll("queue fleet money", stale, ""))
		} else if !args.has("stale") {
			w.read("queue fleet money")
		}
		return w.fleetLine()
	case "clamp":
		return w.clamp(parseDecision(t, &w.catalog, d.Input))
	case "step":
		return w.steps(args.int("n", 1))
	case "bill":
		return w.bill(args)
	case "validate":
		return validate(w.guard)
	}
	d.Fatalf(t, "unknown command %q", d.Cmd)
	return ""
}

// read refreshes the readings of the sections named.
func (w *world) read(sections string) {
	for _, s := range strings.Fields(sections) {
		r := policy.Reading{At: w.o.Now, Complete: true}
		switch s {
		case "queue":
			w.o.Queue.Reading = r
		case "fleet":
			w.o.Fleet.Reading = r
		case "money":
			w.o.Money.Reading = r
		}
	}
}

// setGuard sets limits by the keys of a [guard] table; those left out stay
// unlimited, and "bounded" starts from Bounded.
func (w *world) setGuard(a arguments) string {
	w.guard = policy.Open(policy.Unlimited)
	if a.has("zero") {
		w.guard = policy.Guard{}
	}
	if a.has("bounded") {
		w.guard = policy.Bounded(a.int("bounded", 0))
	}
	g := &w.guard
	for key, field := range map[string]*int{ // map order: each key sets its own field
		"launch_max": &g.LaunchMax, "in_flight_max": &g.InFlightMax, "fleet_max": &g.FleetMax,
		"cores_max": &g.CoresMax, "drain_max": &g.DrainMax, "breaker_boots": &g.BreakerBoots,
	} {
		*field = a.int(key, *field)
	}
	for key, field := range map[string]*policy.MicroUSD{ // map order: as above
		"hour_max_usd": &g.HourMax, "day_max_usd": &g.DayMax, "month_max_usd": &g.MonthMax,
	} {
		if a.has(key) {
			*field = a.usd(key)
		}
	}
	g.StaleAfter = a.duration("stale_after", g.StaleAfter)
	g.BreakerStall = a.duration("breaker_stall", g.BreakerStall)
	g.BeyondBounds = a.has("beyond_bounds")
	return "ok"
}

func validate(g policy.Guard) string {
	var b strings.Builder
	for _, err := range g.Validate() {
		fmt.Fprintln(&b, err)
	}
	if b.Len() == 0 {
		return "ok"
	}
	return b.String()
}

// setPolicy makes a policy from its specification, or a script from the lines
// of the input.
func (w *world) setPolicy(a arguments) string {
	env := policy.Env{Catalog: w.catalog, Tick: w.o.Tick, BootGuess: w.boot}
	name := a.d.CmdArgs[0].Key
	given, script := slices.Clone(a.d.CmdArgs[1:]), a.d.Input
	w.remake = func() policy.Policy {
		var p policy.Policy
		var err error
		if name == "scripted" {
			p, err = policy.NewScripted(env, parseSteps(a.t, script))
		} else {
			spec, ok := baseline.Lookup(name)
			if !ok {
				a.d.Fatalf(a.t, "unknown policy %q", name)
			}
			raw := map[string]any{}
			for _, arg := range given {
				raw[arg.Key] = parseValue(spec.Param(arg.Key), arg.Vals[0])
			}
			values, problems := spec.Check(raw)
			if len(problems) > 0 {
				a.d.Fatalf(a.t, "%v", problems)
			}
			p, err = spec.New(env, values)
		}
		if err != nil {
			a.d.Fatalf(a.t, "%v", err)
		}
		return p
	}
	w.policy = w.remake()
	return "ok"
}

// setFleet replaces the fleet by n instances, or adds to it with "add".
func (w *world) setFleet(a arguments) string {
	f := &w.o.Fleet
	if !a.has("add") {
		f.Instances, w.nextID = nil, 0
	}
	typ := w.catalog.Index(a.string("type", "c1.xlarge"))
	n, busy := a.int("n", 0), a.int("busy", 0)
	var phase policy.Phase
	if err := phase.UnmarshalText([]byte(a.string("phase", "ready"))); err != nil {
		a.d.Fatalf(a.t, "%v", err)
	}
	for range n {
		in := policy.Instance{
			ID: w.nextID, Type: typ, Phase: phase, Slots: w.catalog.Types[typ].Slots,
			LaunchedAt: w.o.Now.Add(-a.duration("age", 10*time.Minute)),
			LastSeen:   w.o.Now.Add(-a.duration("seen", 0)),
			IdleIn:     a.duration("idle_in", 0),
		}
		in.Busy = min(busy, in.Slots)
		busy -= in.Busy
		in.PaidUntil = w.catalog.Billing.PaidUntil(in.LaunchedAt, w.o.Now)
		w.nextID++
		f.Instances = append(f.Instances, in)
	}
	f.Boot.Failed = a.int("failed", f.Boot.Failed)
	f.Complete = !a.has("partial")
	return w.fleetLine()
}

func (w *world) setQueue(a arguments) string {
	k := &w.o.Queue.Kinds[0]
	if a.has("backlog") {
		k.Pending.Jobs = int64(a.int("backlog", 0))
		k.Pending.Work = policy.CoreSeconds(float64(k.Pending.Jobs) * a.float("work", 1))
	}
	k.InFlight.Jobs = int64(a.int("running", int(k.InFlight.Jobs)))
	k.OldestWait = a.duration("oldest", k.OldestWait)
	if a.has("completed") {
		w.o.Health.Progress = w.o.Now.Add(-a.duration("completed", 0))
	}
	return "ok"
}

// pass moves the clock: what booted long enough becomes ready, and idle
// draining instances end.
func (w *world) pass(d time.Duration) {
	w.o.Now = w.o.Now.Add(d)
	f := &w.o.Fleet
	f.Instances = slices.DeleteFunc(slices.Clone(f.Instances), func(in policy.Instance) bool {
		return in.Phase == policy.Draining && in.Busy == 0
	})
	for i := range f.Instances {
		in := &f.Instances[i]
		if in.Phase == policy.Booting && w.o.Now.Sub(in.LaunchedAt) >= w.boot {
			in.Phase = policy.Ready
		}
		in.PaidUntil = w.catalog.Billing.PaidUntil(in.LaunchedAt, w.o.Now)
	}
}

// clamp prints what the guard leaves of a decision.
func (w *world) clamp(d policy.Decision) string {
	before := clone(d)
	got := w.guard.Clamp(&w.o, &w.catalog, d)
	if !reflect.DeepEqual(before, d) {
		w.t.Errorf("Clamp changed its argument: %+v, was %+v", d, before)
	}
	return w.show(&got)
}

// steps lets the policy decide n times, a tick apart, and prints what it did.
// The policy is saved and restored in a fresh value before every step, so a
// story also shows that its state is whole.
func (w *world) steps(n int) string {
	var b strings.Builder
	for i := range n {
		state, err := w.policy.MarshalJSON()
		if err != nil {
			w.t.Fatal(err)
		}
		w.policy = w.remake()
		if err := json.Unmarshal(state, w.policy); err != nil {
			w.t.Fatal(err)
		}
		d := w.guard.Clamp(&w.o, &w.catalog, policy.Obey(&w.o, &w.catalog, w.policy.Step(&w.o)))
		if n > 1 {
			if !d.IsZero() || len(d.Because) > 0 {
				fmt.Fprintf(&b, "%s  ", w.o.Now.Format("15:04"))
				b.WriteString(strings.ReplaceAll(strings.TrimRight(w.show(&d), "\n"), "\n", "\n       ") + "\n")
			}
		} else {
			b.WriteString(w.show(&d))
		}
		w.apply(&d)
		if i+1 < n {
			w.pass(w.o.Tick)
			w.read("queue fleet money")
		}
	}
	if b.Len() == 0 {
		return "sleep\n"
	}
	return b.String()
}

// apply does what a decision asks, less what EC2 refuses: the last of each
// launch.
func (w *world) apply(d *policy.Decision) {
	f := &w.o.Fleet
	for i := range f.Instances {
		if in := &f.Instances[i]; slices.Contains(d.Drains, in.ID) {
			in.Phase = policy.Draining
		} else if slices.Contains(d.Undrains, in.ID) {
			in.Phase = policy.Ready
		}
	}
	for _, l := range d.Launches {
		n := l.Count - min(w.refuse, l.Count)
		w.refuse -= l.Count - n
		for range n {
			f.Instances = append(f.Instances, policy.Instance{
				ID: w.nextID, Type: l.Type, Phase: policy.Booting, Slots: w.catalog.Types[l.Type].Slots,
				LaunchedAt: w.o.Now, PaidUntil: w.catalog.Billing.PaidUntil(w.o.Now, w.o.Now),
			})
			w.nextID++
		}
	}
}

// fleetLine counts the fleet by type and phase.
func (w *world) fleetLine() string {
	counts := map[string]int{}
	var order []string
	for i := range w.o.Fleet.Instances {
		in := &w.o.Fleet.Instances[i]
		key := w.catalog.Types[in.Type].Name + " " + in.Phase.String()
		if counts[key]++; counts[key] == 1 {
			order = append(order, key)
		}
	}
	for i, key := range order {
		order[i] = fmt.Sprintf("%d×%s", counts[key], key)
	}
	if len(order) == 0 {
		order = []string{"no instances"}
	}
	return fmt.Sprintf("%s: %s\n", w.o.Now.Format("15:04"), strings.Join(order, ", "))
}

// show prints a decision as the stories read it.
func (w *world) show(d *policy.Decision) string {
	var b strings.Builder
	for i := range d.Launches {
		l := &d.Launches[i]
		fmt.Fprintf(&b, "launch %d×%s", l.Count, w.catalog.Types[l.Type].Name)
		for _, s := range l.Else {
			fmt.Fprintf(&b, " else %d/%d %s", s.Num, s.Den, w.catalog.Types[s.Type].Name)
		}
		b.WriteByte('\n')
	}
	ids := func(verb string, list []policy.InstanceID) {
		if len(list) > 0 {
			fmt.Fprintf(&b, "%s %s\n", verb, strings.Trim(fmt.Sprint(list), "[]"))
		}
	}
	ids("drain", d.Drains)
	ids("undrain", d.Undrains)
	if d.IsZero() {
		b.WriteString("sleep\n")
	}
	for i := range d.Because {
		fmt.Fprintf(&b, "  %s\n", d.Because[i].String())
	}
	return b.String()
}

// clone returns a deep copy of d.
func clone(d policy.Decision) policy.Decision {
	d.Launches = slices.Clone(d.Launches)
	for i := range d.Launches {
		d.Launches[i].Else = slices.Clone(d.Launches[i].Else)
	}
	d.Drains, d.Undrains, d.Because = slices.Clone(d.Drains), slices.Clone(d.Undrains), slices.Clone(d.Because)
	return d
}

// bill prints what a life of the given length costs.
func (w *world) bill(a arguments) string {
	rule, ok := policy.BillingByName(a.string("rule", "hourly"))
	if !ok {
		a.d.Fatalf(a.t, "unknown billing rule")
	}
	var b strings.Builder
	launch := time.Date(2008, 6, 1, 18, 30, 0, 0, time.UTC)
	price := a.usd("price")
	for _, word := range strings.Fields(a.d.Input) {
		life := mustDuration(a.t, word)
		fmt.Fprintf(&b, "%-16s paid %-7v until %s  $ %.6f\n", life, rule.Paid(life),
			rule.PaidUntil(launch, launch.Add(life)).Format("15:04:05"), rule.Bill(life, price).Dollars())
	}
	return b.String()
}
