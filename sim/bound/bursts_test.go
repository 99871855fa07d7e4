package bound

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// drawBursts draws a world billed by the hour in which the first instance matters:
// a few bursts with pauses, of classes that share priorities and may be late in
// part, on up to three types.
func drawBursts(t *rapid.T) *small {
	boot := time.Duration(rapid.SampledFrom([]int{0, 30, 100}).Draw(t, "boot")) * time.Second
	s := &small{cfg: sim.Config{
		Name: "bursts", Start: time.Date(2008, 6, 2, 0, 0, 0, 0, time.UTC),
		Tick: time.Minute, ReferenceSpeed: 1, MaxInstances: 50, Lease: 30 * time.Second, Beat: 10 * time.Second,
		Seed: rapid.Uint64Range(0, 1000).Draw(t, "seed"),
		Boot: map[string]sim.BootModel{"": {Model: "fixed", Value: boot}},
		Catalog: policy.Catalog{Name: "small", Billing: policy.Hourly, Types: []policy.InstanceType{
			{Name: "two", Cores: 2, Slots: 2, Speed: 1, PerHour: 200_000},
		}},
	}}
	types := &s.cfg.Catalog.Types
	if rapid.Bool().Draw(t, "a fast type") {
		*types = append(*types, policy.InstanceType{Name: "fast", Cores: 1, Slots: 1, Speed: 2, PerHour: policy.MicroUSD(rapid.IntRange(150_000, 400_000).Draw(t, "fast price"))})
	}
	if rapid.Bool().Draw(t, "a slow type") {
		*types = append(*types, policy.InstanceType{Name: "slow", Cores: 1, Slots: 1, Speed: 0.5, PerHour: policy.MicroUSD(rapid.IntRange(40_000, 120_000).Draw(t, "slow price"))})
	}
	classes := rapid.IntRange(1, 3).Draw(t, "classes")
	priorities := rapid.IntRange(1, 2).Draw(t, "priorities")
	for k := range classes {
		c := policy.Class{
			Name: fmt.Sprint("c", k), Priority: -1, Types: []string{fmt.Sprint("t", k)},
			Target: time.Duration(rapid.SampledFrom([]int{30, 60, 120, 600}).Draw(t, "target")) * time.Second,
			Attain: rapid.SampledFrom([]float64{0.5, 0.8, 0.9, 0.95}).Draw(t, "attain"),
		}
		if rapid.Bool().Draw(t, "on wait") {
			c.On = policy.Wait
		}
		s.cfg.Classes = append(s.cfg.Classes, c)
		s.jobs.Kinds = append(s.jobs.Kinds, traces.Kind{Type: c.Types[0], Priority: uint8(k % priorities)})
	}
	at := int64(0)
	for range rapid.IntRange(2, 14).Draw(t, "bursts") {
		at += int64(rapid.IntRange(30, 5000).Draw(t, "pause")) * int64(time.Second)
		kind := uint16(rapid.IntRange(0, classes-1).Draw(t, "kind"))
		service := rapid.SampledFrom([]int64{1, 5, 20, 200}).Draw(t, "service")
		for range rapid.SampledFrom([]int{1, 1, 3, 10, 25}).Draw(t, "jobs") {
			at += rapid.Int64Range(0, 4e9).Draw(t, "gap")
			s.jobs.Arrival = append(s.jobs.Arrival, at)
			s.jobs.Service = append(s.jobs.Service, service*int64(time.Second)+rapid.Int64Range(1, 1e9).Draw(t, "ns"))
			s.jobs.Kind = append(s.jobs.Kind, kind)
		}
	}
	s.cfg.JudgeFrom = time.Duration(rapid.SampledFrom([]int{0, 0, 300, 4000}).Draw(t, "judge from")) * time.Second
	if rapid.Bool().Draw(t, "duration") {
		s.cfg.Duration = s.cfg.JudgeFrom + time.Duration(rapid.IntRange(600, 6*3600).Draw(t, "for"))*time.Second
	}
	return s
}

// windowsFor returns launches that have an instance paid in every hour in which
// jobs arrive.
func (s *small) windowsFor() (steps []policy.Step) {
	const stay = 59 * time.Minute // a launch a tick later would be paid twice
	for at := time.Duration(0); at <= time.Duration(s.jobs.Arrival[len(s.jobs.Arrival)-1])+time.Hour; at += stay {
		if slices.ContainsFunc(s.jobs.Arrival, func(a int64) bool {
			return time.Duration(a) >= at-200*time.Second && time.Duration(a) < at+stay
		}) {
			steps = append(steps, policy.Step{At: at, Launch: 2, Type: s.cfg.Catalog.Types[0].Name, Keep: stay})
		}
	}
	return steps
}

// changed returns launches with one of them left out, smaller, of another type, or
// at another time.
func changed(steps []policy.Step, types []policy.InstanceType, rng *rand.Rand) []policy.Step {
	c := slices.Clone(steps)
	i := rng.IntN(len(c))
	typ := types[rng.IntN(len(types))].Name
	switch rng.IntN(6) {
	case 0:
		c = slices.Delete(c, i, i+1)
	case 1:
		c[i].Launch = max(1, c[i].Launch-1)
	case 2:
		c[i].Type = typ
	case 3: // one of them of another type
		one := c[i]
		one.Type, one.Launch = typ, 1
		c[i].Launch = max(1, c[i].Launch-1)
		c = append(c, one)
	case 4:
		c[i].At = max(0, c[i].At+time.Duration(rng.IntN(61)-30)*time.Minute)
	case 5:
		c[i].At = max(0, c[i].At+time.Duration(rng.IntN(7)-3)*time.Minute)
	}
	slices.SortStableFunc(c, func(a, b policy.Step) int { return int(a.At - b.At) })
	return c
}

// TestNobodyPaysLessForBursts is TestNobodyPaysLess where prices, late jobs and the
// first instance decide together, against fleets that are found by hindsight: from
// an hour for every hour with jobs, whatever change costs less and keeps the
// promises.
func TestNobodyPaysLessForBursts(t *testing.T) {
	decided, nearest := 0, math.Inf(1)
	rapid.Check(t, func(t *rapid.T) {
		s := drawBursts(t)
		r, err := Compute(context.Background(), &s.cfg, s.open, Options{LowerOnly: true})
		if isNothing(err) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(r.Bounds, func(b Bound) bool { return b.Name == "first instance and prices" })
		if at < 0 {
			return
		}
		least := math.Inf(1)
		try := func(steps []policy.Step) bool {
			if len(steps) == 0 {
				return false
			}
			p, err := policy.NewScripted(s.cfg.Env(), steps)
			if err != nil {
				t.Fatal(err)
			}
			src, _ := s.open()
			res, err := sim.Run(context.Background(), &s.cfg, p, src, sim.Options{})
			if err != nil {
				t.Fatal(err)
			}
			cost := res.Figures.Judged.CostUSD
			if !kept(&s.cfg, &res.Figures) || cost > least {
				return false
			}
			if least = cost; cost < r.LowerUSD-1e-9 {
				t.Fatalf("%v keeps the promises for %v, the bound is %v (%v)", steps, cost, r.LowerUSD, r.Bounds)
			}
			return true
		}
		steps := s.windowsFor()
		for n := 2; n <= 16 && !try(steps); n *= 2 {
			for i := range steps {
				steps[i].Launch = 2 * n
			}
		}
		if math.IsInf(least, 1) {
			return
		}
		rng := rand.New(rand.NewPCG(s.cfg.Seed, 0))
		for range 100 {
			if c := changed(steps, s.cfg.Catalog.Types, rng); try(c) {
				steps = c
			}
		}
		if r.LowerUSD > 0 && r.Bounds[at].USD >= r.LowerUSD {
			decided++
			nearest = min(nearest, least/r.LowerUSD)
		}
	})
	if decided < 10 || nearest > 1.1 {
		t.Errorf("prices and the first instance decided %d times, at best %.2f times below the cheapest fleet: this test proves little", decided, nearest)
	}
}
