package trial

import (
	"github.com/skynet-ec2/skynet/sim"
)

// Tuning is how a policy's parameters were found for a scenario before they were
// judged there.
type Tuning struct {
	// Sets is how many sets of parameters were tried, the policy's own the first,
	// and KeptSets how many of them kept every promise.
	Sets     int `json:"sets"`
	KeptSets int `json:"kept_sets"`
	// They were judged from FromS to ToS, seconds since the trace's start; a ToS
	// of 0 is the end. Hindsight says that this is what the policy is judged by
	// in the end, for want of anything before it.
	FromS     float64 `json:"from_s"`
	ToS       float64 `json:"to_s"`
	Hindsight bool    `json:"hindsight"`
	// Own is what the policy's own parameters came to there, Chosen what the best
	// set did.
	Own    Attempt `json:"own"`
	Chosen Attempt `json:"chosen"`
	// Params are the chosen values that are not the policy's own, by name, as a
	// policy file writes them.
	Params map[string]string `json:"params"`
}

// Attempt is what a set of parameters came to where it was tried.
type Attempt struct {
	// Kept reports whether every promise was, and Margin how much was left of
	// what the promise allows that had least left, as a fraction of it; negative
	// where that was broken, 1 where nothing was promised.
	Kept    bool    `json:"kept"`
	Margin  float64 `json:"margin"`
	CostUSD float64 `json:"cost_usd"` // judged
	// Budget is the share of its miss budget that the class that used most of it
	// used, 1 being all; null without a class that promises something.
	Budget *float64 `json:"budget_used"`
	Class  string   `json:"budget_class"`
}

// AttemptOf condenses a run of a set of parameters.
func AttemptOf(f *sim.Figures, verdicts []sim.Verdict) Attempt {
	a := Attempt{Kept: true, Margin: 1, CostUSD: f.Judged.CostUSD}
	for i := range verdicts {
		v := &verdicts[i]
		a.Kept = a.Kept && v.Kept
		a.Margin = min(a.Margin, v.Margin)
		if used := 1 - v.Margin; v.Class && (a.Budget == nil || used > *a.Budget) {
			a.Budget, a.Class = &used, v.Name
		}
	}
	return a
}

// careful is the share of a miss budget that a set of parameters may use where it
// is tried and still be chosen for its cost: what uses all of it there breaks its
// promise elsewhere as often as not. It is what the policy skynet aims at too.
const careful = 0.75

// Better reports whether a is a better attempt than b: one that keeps every
// promise and leaves a quarter of every miss budget before one that keeps every
// promise, and that before one that does not; of two that keep as much, the
// cheaper; of two that do not, the one that is nearer to it, and of equals the
// cheaper.
//
// Properties:
//   - no attempt is better than itself
//   - of two that differ in cost, or in how well they kept, one is better
func (a *Attempt) Better(b *Attempt) bool {
	x, y := a.standing(), b.standing()
	switch {
	case x != y:
		return x > y
	case x == broke && a.Margin != b.Margin:
		return a.Margin > b.Margin
	}
	return a.CostUSD < b.CostUSD
}

// The standings of an attempt, the worst first.
const (
	broke = iota
	kept
	keptCarefully
)

func (a *Attempt) standing() int {
	switch {
	case !a.Kept:
		return broke
	case a.Budget != nil && *a.Budget > careful:
		return kept
	}
	return keptCarefully
}
