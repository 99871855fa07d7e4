package reports

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/bound"
)

// Yardstick is what `skynet bound --json` writes. The plan's figures are null
// without a plan.
type Yardstick struct {
	Scenario string   `json:"scenario"`
	Seed     uint64   `json:"seed"`
	LowerUSD float64  `json:"lower_usd"`
	PlanUSD  *float64 `json:"plan_usd"`
	Gap      *float64 `json:"gap"`
	Kept     *bool    `json:"kept"`
	Effort   *int     `json:"effort"` // of the plan's search
	FloorUSD float64  `json:"floor_usd"`
	// Bounds are what LowerUSD is the largest of.
	Bounds []NamedUSD `json:"bounds"`
	// PerHour is the mean shadow price of a slot, in dollars an hour, by clock
	// hour of the judged time.
	PerHour []HourPrice                  `json:"price_by_hour"`
	Classes map[string]*sim.ClassFigures `json:"classes,omitempty"`
	Plan    []PlannedLease               `json:"plan,omitempty"`
}

// NamedUSD is one bound.
type NamedUSD struct {
	Name string  `json:"name"`
	USD  float64 `json:"usd"`
}

// HourPrice is what a slot-hour is worth in one clock hour.
type HourPrice struct {
	At  string  `json:"at"`
	USD float64 `json:"usd"`
}

// PlannedLease is one instance of the plan.
type PlannedLease struct {
	Type    string  `json:"type"`
	LaunchS float64 `json:"launch_s"`
	DrainS  float64 `json:"drain_s"`
}

// YardstickOf returns the result of a bound as JSON has it.
func YardstickOf(r *bound.Result, cfg *sim.Config) *Yardstick {
	y := &Yardstick{Scenario: r.Scenario, Seed: r.Seed, LowerUSD: r.LowerUSD, FloorUSD: r.FloorUSD}
	for _, b := range r.Bounds {
		y.Bounds = append(y.Bounds, NamedUSD{b.Name, b.USD})
	}
	for _, h := range priceByHour(r, cfg) {
		y.PerHour = append(y.PerHour, HourPrice{h.at.Format(time.RFC3339), h.usd})
	}
	if r.Replay == nil {
		return y
	}
	y.PlanUSD, y.Gap, y.Kept, y.Effort, y.Classes = &r.PlanUSD, &r.Gap, &r.Kept, &r.Effort, r.Replay.Classes
	for _, l := range r.Plan {
		y.Plan = append(y.Plan, PlannedLease{l.Type, l.Launch.Seconds(), l.Drain.Seconds()})
	}
	return y
}

// hourPrice is the mean price within a clock hour, on the users' clock.
type hourPrice struct {
	at  time.Time
	usd float64
}

// priceByHour returns the mean price of each clock hour of the judged time.
func priceByHour(r *bound.Result, cfg *sim.Config) []hourPrice {
	var hours []hourPrice
	zero := cfg.Start.Add(cfg.UTCOffset)
	var sum float64
	var n int
	flush := func() {
		if n > 0 {
			hours[len(hours)-1].usd = sum / float64(n)
		}
		sum, n = 0, 0
	}
	for i, x := range r.Price {
		at := r.From + time.Duration(i)*r.Step
		if at < cfg.JudgeFrom {
			continue
		}
		hour := zero.Add(at).Truncate(time.Hour)
		if len(hours) == 0 || hour.After(hours[len(hours)-1].at) {
			flush()
			hours = append(hours, hourPrice{at: hour})
		}
		sum += x
		n++
	}
	flush()
	return hours
}

// Bound writes a yardstick for people: what nobody could go below, the best plan
// found, and when a slot is dearest.
func Bound(w io.Writer, r *bound.Result, cfg *sim.Config, verdicts []sim.Verdict, wall time.Duration, o Options) error {
	s := o.sheet()
	s.line(part{{oneLine(r.Scenario), bold}, {fmt.Sprintf(": seed %d", r.Seed), plain}}, 0, 3, part{{Duration(wall), faint}})
	s.line(title("BOUND"), indent, 3, say(Money(r.LowerUSD)), say(over(r.LowerUSD, r.FloorUSD)+"the floor of work, "+Money(r.FloorUSD)), say("no policy that keeps the promises pays less"))
	var parts []part
	for _, b := range r.Bounds {
		parts = append(parts, say(fmt.Sprintf("%s %s", b.Name, Money(b.USD))))
	}
	s.line(title("LARGEST"), indent, 3, parts...)
	if f := r.Replay; f != nil {
		state := part{{"replayed: promises kept", green}}
		if !r.Kept {
			state = part{{"replayed: not all promises kept, so this is no plan yet", red}}
		}
		s.line(title("PLAN"), indent, 3, say(Money(r.PlanUSD)), say(over(r.PlanUSD, r.LowerUSD)+"the bound"), say(over(r.PlanUSD, r.FloorUSD)+"the floor"), state)
		s.promises(f, classesOf(verdicts, cfg))
		s.fleet(f)
	}
	s.line(title("DEAREST"), indent, 3, dearest(priceByHour(r, cfg))...)
	s.footer(o)
	_, err := io.WriteString(w, s.b.String())
	return err
}

// over returns "1.11× ", or nothing where there is nothing to compare with.
func over(usd, base float64) string {
	if base <= 0 {
		return "against "
	}
	return fixed(usd/base, 3) + "× "
}

// classesOf returns the verdicts about classes and their worst hours: a plan
// knows of no others.
func classesOf(verdicts []sim.Verdict, cfg *sim.Config) []sim.Verdict {
	return slices.DeleteFunc(slices.Clone(verdicts), func(v sim.Verdict) bool {
		return !v.Class && !slices.ContainsFunc(cfg.Classes, func(c policy.Class) bool {
			return c.WorstHour > 0 && v.Name == "worst hour of "+c.Name
		})
	})
}

// dearest names the hours in which a slot is worth most.
func dearest(hours []hourPrice) []part {
	sorted := slices.Clone(hours)
	slices.SortStableFunc(sorted, func(a, b hourPrice) int {
		switch {
		case a.usd > b.usd:
			return -1
		case a.usd < b.usd:
			return 1
		}
		return 0
	})
	if len(sorted) < 2 || sorted[0].usd <= 1.001*sorted[len(sorted)/2].usd {
		return []part{say("no hour above the others")}
	}
	const shown = 5
	var parts []part
	for _, h := range sorted[:min(shown, len(sorted))] {
		parts = append(parts, say(strings.TrimSpace(h.at.Format("Mon 2006-01-02 15:04"))+" "+Money(h.usd)))
	}
	return append(parts, say("a slot-hour"))
}
