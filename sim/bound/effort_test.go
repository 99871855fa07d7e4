package bound

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// evening returns a world of six hours with a burst in the middle.
func evening() *small {
	s := &small{cfg: sim.Config{
		Name: "evening", Start: time.Date(2008, 6, 2, 18, 0, 0, 0, time.UTC), Duration: 6 * time.Hour,
		Tick: time.Minute, ReferenceSpeed: 1, MaxInstances: 50, Lease: 30 * time.Second, Beat: 10 * time.Second, Seed: 1,
		Boot:    map[string]sim.BootModel{"": {Model: "fixed", Value: 95 * time.Second}},
		Classes: []policy.Class{{Name: "all", Priority: -1, Target: 2 * time.Minute, Attain: 0.95}},
		Catalog: policy.Catalog{Name: "one", Billing: policy.Hourly, Types: []policy.InstanceType{
			{Name: "two", Cores: 2, Slots: 2, Speed: 1, PerHour: 200_000},
		}},
	}}
	s.jobs.Kinds = []traces.Kind{{Type: "job"}}
	at := time.Duration(0)
	for i := 0; at < 6*time.Hour; i++ {
		s.jobs.Arrival = append(s.jobs.Arrival, int64(at))
		s.jobs.Service = append(s.jobs.Service, int64(5+i*37%60)*int64(time.Second))
		s.jobs.Kind = append(s.jobs.Kind, 0)
		gap := 20 * time.Second
		if at > 2*time.Hour && at < 4*time.Hour {
			gap = 4 * time.Second
		}
		at += gap
	}
	return s
}

// TestEffort: the usual effort is what nobody asks for, and more of it tries as many
// times as many changes, whose best is kept as any plan is.
func TestEffort(t *testing.T) {
	s := evening()
	var plans []*Result
	for _, effort := range []int{0, 1, 3} {
		r, err := Compute(t.Context(), &s.cfg, s.open, Options{Effort: effort})
		if err != nil {
			t.Fatal(err)
		}
		if !r.Kept || len(r.Plan) == 0 {
			t.Errorf("effort %d: kept %t with %d launches", effort, r.Kept, len(r.Plan))
		}
		if want := max(effort, 1); r.Effort != want {
			t.Errorf("effort %d is told as %d", effort, r.Effort)
		}
		plans = append(plans, r)
	}
	if diff := cmp.Diff(plans[0].Plan, plans[1].Plan); diff != "" {
		t.Errorf("effort 1 against none:\n%s", diff)
	}
	if cmp.Equal(plans[1].Plan, plans[2].Plan) {
		t.Error("effort 3 found the plan of effort 1 to the tick: it tried no other changes")
	}
	if plans[2].PlanUSD > 1.05*plans[1].PlanUSD {
		t.Errorf("effort 3 costs $ %v, effort 1 $ %v", plans[2].PlanUSD, plans[1].PlanUSD)
	}
	if plans[0].LowerUSD != plans[2].LowerUSD {
		t.Errorf("the bound is $ %v and $ %v: it knows no effort", plans[0].LowerUSD, plans[2].LowerUSD)
	}
	lower, err := Compute(t.Context(), &s.cfg, s.open, Options{Effort: 3, LowerOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	if lower.Effort != 0 {
		t.Errorf("without a plan its effort is %d", lower.Effort)
	}
}

// TestPlanInterrupted: a plan of the greatest effort ends where its context does,
// without a result, and until then tells how far it has come.
func TestPlanInterrupted(t *testing.T) {
	s := evening()
	for _, parallel := range []int{1, 2} {
		ctx, cancel := context.WithCancel(t.Context())
		told, last := 0, int64(-1)
		r, err := Compute(ctx, &s.cfg, s.open, Options{Effort: EffortMax, Parallel: parallel, Progress: func(stage string, done, total int64) {
			if stage != "plan" {
				return
			}
			if done < last || done > total {
				t.Errorf("%d of %d done after %d", done, total, last)
			}
			if told++; told == 5 {
				cancel()
			}
			last = done
		}})
		if r != nil || !errors.Is(err, context.Canceled) {
			t.Errorf("%d goroutines: %v, %v; want no result, and that it was cancelled", parallel, r, err)
		}
		if told != 5 {
			t.Errorf("%d goroutines: told %d times how far it is, cancelled at the fifth", parallel, told)
		}
		cancel()
	}
}

// TestPlanProgress: what is told of a plan ascends, in steps that are small where the
// effort is great, and ends near its total.
func TestPlanProgress(t *testing.T) {
	for _, effort := range []int{1, 10} {
		var done, total int64
		step := int64(0)
		p := progress{rounds: 6, search: 6 * replayParts * effort, to: func(_ string, d, all int64) {
			step = max(step, d-done)
			done, total = d, all
		}}
		for round := range 6 {
			for share := range 30 * effort {
				p.tell(round, float64(share)/float64(30*effort))
			}
		}
		if float64(done) < 0.95*float64(total) || done > total {
			t.Errorf("effort %d: %d of %d in the end", effort, done, total)
		}
		if step > replayParts+6 {
			t.Errorf("effort %d: a step of %d of %d", effort, step, total)
		}
	}
}
