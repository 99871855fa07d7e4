package trial

import (
	"testing"

	"github.com/skynet-ec2/skynet/sim"
)

// AttemptOf takes the promise that has least left, and the class that used most
// of its miss budget.
func TestAttemptOf(t *testing.T) {
	f := &sim.Figures{}
	f.Judged.CostUSD = 7
	a := AttemptOf(f, []sim.Verdict{
		{Name: "fast", Class: true, Kept: true, Margin: 0.5},
		{Name: "slow", Class: true, Kept: true, Margin: 0.2},
		{Name: "jobs.lost", Kept: false, Margin: -3},
	})
	if a.Kept || a.Margin != -3 || a.CostUSD != 7 || a.Budget == nil || *a.Budget != 0.8 || a.Class != "slow" {
		t.Errorf("got %+v, budget %v", a, a.Budget)
	}
	if a := AttemptOf(f, nil); !a.Kept || a.Margin != 1 || a.Budget != nil {
		t.Errorf("nothing promised: %+v", a)
	}
}

// The attempts stand from the best to the worst: each is better than all behind
// it, and no one than itself or one before it.
func TestBetter(t *testing.T) {
	used := func(x float64) *float64 { return &x }
	list := []Attempt{
		{Kept: true, Margin: 1, CostUSD: 3}, // nothing promised
		{Kept: true, Margin: 0.3, CostUSD: 4, Budget: used(0.7)},
		{Kept: true, Margin: 0.9, CostUSD: 5, Budget: used(0.1)},
		{Kept: true, Margin: 0.1, CostUSD: 1, Budget: used(0.9)},
		{Kept: true, Margin: 0.2, CostUSD: 2, Budget: used(0.8)},
		{Margin: -0.1, CostUSD: 9, Budget: used(1.1)},
		{Margin: -0.2, CostUSD: 1, Budget: used(1.2)},
		{Margin: -0.2, CostUSD: 2, Budget: used(1.2)},
	}
	for i := range list {
		for k := range list {
			if got := list[i].Better(&list[k]); got != (i < k) {
				t.Errorf("%d better than %d: %v", i, k, got)
			}
		}
	}
}
