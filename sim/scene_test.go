package sim

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// The worlds and fleets of tests that can be worked out by hand.

// s is a second.
const s = time.Second

// tiny returns a world of two types alike, "a" and "b", of one slot at
// reference speed, at 100 µ$ a second; no boot lag, a tick each minute, paid by
// the hour, one class with a target of a minute.
func tiny() *Config {
	one := policy.InstanceType{Name: "a", Cores: 1, Slots: 1, Speed: 1, PerHour: 360_000}
	two := one
	two.Name = "b"
	return &Config{
		Name: "tiny", Start: time.Date(2008, 6, 1, 0, 0, 0, 0, time.UTC), Tick: time.Minute,
		Classes: []policy.Class{{Name: "all", Priority: -1, Target: time.Minute, Attain: 0.5}},
		Catalog: policy.Catalog{Billing: policy.Hourly, Types: []policy.InstanceType{one, two}},
		Boot:    map[string]BootModel{"": {Model: "fixed"}}, MaxInstances: 100,
		Lease: 30 * s, Beat: 10 * s,
	}
}

// acts is a policy made of a function.
type acts func(o *policy.Observation) policy.Decision

func (f acts) Step(o *policy.Observation) policy.Decision { return f(o) }

func (f acts) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }

func (f acts) UnmarshalJSON([]byte) error { return nil }

// plan is a policy that decides at given ticks, by their time.
type plan map[time.Duration]policy.Decision

func (p plan) policy(cfg *Config) policy.Policy {
	return acts(func(o *policy.Observation) policy.Decision { return p[o.Now.Sub(cfg.Start)] })
}

// launch returns the decision to launch the given number of each type.
func launch(counts ...int) policy.Decision {
	var d policy.Decision
	for typ, n := range counts {
		if n > 0 {
			d.Launches = append(d.Launches, policy.Launch{Type: typ, Count: n})
		}
	}
	return d
}

func drain(ids ...policy.InstanceID) policy.Decision { return policy.Decision{Drains: ids} }

func undrain(ids ...policy.InstanceID) policy.Decision { return policy.Decision{Undrains: ids} }

// do returns a job of type photo.
func do(arrival, service time.Duration, priority ...uint8) job {
	j := job{arrival: int64(arrival), service: int64(service), typ: "photo"}
	if len(priority) > 0 {
		j.priority = priority[0]
	}
	return j
}

// play runs a policy with every invariant checked.
func play(t *testing.T, cfg *Config, p policy.Policy, list ...job) (*Figures, jobRows) {
	t.Helper()
	var rows jobRows
	res, err := Run(context.Background(), cfg, p, newJobs(list), Options{Jobs: &rows, Check: true})
	if err != nil {
		t.Fatal(err)
	}
	return &res.Figures, rows
}

// follow runs a plan.
func follow(t *testing.T, cfg *Config, p plan, list ...job) (*Figures, jobRows) {
	t.Helper()
	return play(t, cfg, p.policy(cfg), list...)
}

// ran is a job's start and finish, -1 where it never happened.
type ran struct{ start, finish time.Duration }

// wantRuns compares the jobs' starts and finishes.
func wantRuns(t *testing.T, rows jobRows, want ...ran) {
	t.Helper()
	var got []ran
	for i := range rows {
		got = append(got, ran{rows[i].Start, rows[i].Finish})
	}
	if !slices.Equal(got, want) {
		t.Errorf("jobs ran %v, want %v", got, want)
	}
}

func wantInstances(t *testing.T, rows jobRows, want ...int64) {
	t.Helper()
	var got []int64
	for i := range rows {
		got = append(got, rows[i].Instance)
	}
	if !slices.Equal(got, want) {
		t.Errorf("jobs ran on instances %v, want %v", got, want)
	}
}

func wantFigure(t *testing.T, what string, got *float64, want float64) {
	t.Helper()
	switch {
	case got == nil:
		t.Errorf("%s is null, want %v", what, want)
	case !same(*got, want):
		t.Errorf("%s = %v, want %v", what, *got, want)
	}
}

// same reports whether two figures differ by rounding alone.
func same(got, want float64) bool { return math.Abs(got-want) <= 1e-12*max(1, want) }

func wantCost(t *testing.T, f *Figures, hours float64) {
	t.Helper()
	if f.HoursPaid != hours || f.CostUSD != hours*0.36 {
		t.Errorf("paid %v instance hours for $ %v, want %v hours", f.HoursPaid, f.CostUSD, hours)
	}
}
