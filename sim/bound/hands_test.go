package bound

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// TestPartsAddUp: changes of two parts of the model, each played on its own,
// come to what playing everything again comes to; and a change that reaches
// over the cut is refused and leaves nothing behind.
func TestPartsAddUp(t *testing.T) {
	refused, made := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		m, steps := drawPlayed(t)
		if steps < 8 {
			return
		}
		cut := rapid.IntRange(2, steps-2).Draw(t, "cut")
		parts := []*model{m.part(0, cut), m.part(cut, steps)}
		for range 6 {
			p := parts[rapid.IntRange(0, 1).Draw(t, "part")]
			from := rapid.Float64Range(0, float64(steps)).Draw(t, "from")
			x := span{from, from + rapid.Float64Range(0, 20).Draw(t, "for"), float64(rapid.IntRange(0, 3).Draw(t, "more"))}
			if _, within := p.try([]span{x}, false, nil); !within {
				refused++
				continue
			}
			made++
			if _, within := p.try([]span{x}, true, nil); !within {
				t.Fatal("a change was within its part until it was made")
			}
		}
		before := slices.Clone(m.late)
		got := slices.Clone(before)
		for _, p := range parts {
			for k := range got {
				got[k] += p.late[k] - before[k]
			}
		}
		m.play()
		for k, want := range m.late {
			if d := got[k] - want; d > 1e-6*(1+want) || d < -1e-6*(1+want) {
				t.Fatalf("class %d: %v late, played again %v", k, got[k], want)
			}
		}
	})
	if refused < 10 || made < 10 {
		t.Errorf("%d changes refused, %d made: too few to tell", refused, made)
	}
}

// TestParallelChangesNothing: bound and plan of a trace long enough to be
// searched in parts are the same for any number of goroutines.
func TestParallelChangesNothing(t *testing.T) {
	s := &small{cfg: sim.Config{
		Name: "days", Start: time.Date(2008, 6, 2, 0, 0, 0, 0, time.UTC), Duration: 60 * time.Hour,
		Tick: 5 * time.Minute, ReferenceSpeed: 1, MaxInstances: 50, Lease: 30 * time.Second, Beat: 10 * time.Second, Seed: 1,
		Boot:    map[string]sim.BootModel{"": {Model: "fixed", Value: 95 * time.Second}},
		Classes: []policy.Class{{Name: "all", Priority: -1, Target: time.Hour, Attain: 0.9}},
		Catalog: policy.Catalog{Name: "one", Billing: policy.Hourly, Types: []policy.InstanceType{
			{Name: "two", Cores: 2, Slots: 2, Speed: 1, PerHour: 200_000},
		}},
	}}
	s.jobs.Kinds = []traces.Kind{{Type: "job"}}
	for i := range 3000 {
		at := int64(i) * 70 * int64(time.Second)
		if i/100%3 == 0 { // quiet hours
			continue
		}
		s.jobs.Arrival = append(s.jobs.Arrival, at)
		s.jobs.Service = append(s.jobs.Service, int64(40+i*37%400)*int64(time.Second))
		s.jobs.Kind = append(s.jobs.Kind, 0)
	}
	var results []*Result
	for _, parallel := range []int{1, 3} {
		r, err := Compute(t.Context(), &s.cfg, s.open, Options{Parallel: parallel})
		if err != nil {
			t.Fatal(err)
		}
		r.Replay = nil // tells how long it took
		results = append(results, r)
	}
	if diff := cmp.Diff(results[0], results[1]); diff != "" {
		t.Errorf("one goroutine against three:\n%s", diff)
	}
	if !results[0].Kept || len(results[0].Plan) < 10 {
		t.Errorf("kept %t with %d launches: too little to compare", results[0].Kept, len(results[0].Plan))
	}
}

// TestSweepEnds: a sweep whose context is done changes nothing, however long it
// was to be.
func TestSweepEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := searcher{from: 0, to: 100} // without a model: a change would be felt
	s.sweep(ctx, 0.5, 1<<60)
	if len(s.rents) > 0 || s.cost != 0 {
		t.Errorf("an interrupted sweep rented %v for %v", s.rents, s.cost)
	}
}
