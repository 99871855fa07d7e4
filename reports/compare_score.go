package reports

import (
	"math"

	"github.com/skynet-ec2/skynet/reports/stats"
	"github.com/skynet-ec2/skynet/sim/trial"
)

// values returns by policy what ranks are made of, the smaller the better:
// judged cost ÷ bound where all promises were kept. Behind all of these come,
// by the share of runs that broke one, those that did; with equal shares, by the
// miss budget used, and where that was enough, by cost.
func (b *board) values() []float64 {
	list := make([]float64, len(b.rows))
	for i, r := range b.rows {
		list[i] = float64(r.OverBound)
		if math.IsNaN(list[i]) {
			list[i] = float64(r.JudgedUSD.Mean)
		}
		if !r.Kept {
			const behind, exceeded = 1e14, 1e7 // above any cost ÷ bound times any budget used
			list[i] += behind*float64(1+r.Runs-r.KeptRuns)/float64(r.Runs) + exceeded*excess(float64(r.Budget))
		}
	}
	return list
}

// score fills in what only the whole field of policies tells.
func (b *board) score() {
	for i, rank := range stats.Ranks(b.values()) {
		b.rows[i].Rank = rank
	}
	var static *trial.Elasticity
	for _, r := range b.rows {
		if r.static() {
			static = r.Rigid
			break
		}
	}
	for _, r := range b.rows {
		r.Pairwise = Maybe(b.pairwise(r))
		if static != nil && r.Rigid != nil {
			r.SpeedUp = Maybe(speedUp(r.Rigid, static))
		}
	}
}

// static reports whether the policy keeps one number of instances.
func (r *CompareRow) static() bool {
	return r.Policy == "static" || len(r.Policy) > 7 && r.Policy[:7] == "static@"
}

// pairwise returns the share of comparisons with the others that r wins, ties
// counting half (SPEC-RG, "pairwise competition"). Compared are judged cost, the
// share of the miss budget used, θ_U, θ_O, τ_U, τ_O and υ.
//
// Properties:
//   - it is 1 for a policy better in everything, 0 for one worse in everything
//   - the scores of n policies that have all figures sum to n ÷ 2
func (b *board) pairwise(r *CompareRow) float64 {
	won, met := 0.0, 0.0
	mine := r.contested()
	for _, other := range b.rows {
		if other == r {
			continue
		}
		for m, theirs := range other.contested() {
			if math.IsNaN(mine[m]) || math.IsNaN(theirs) {
				continue
			}
			met++
			switch {
			case mine[m] < theirs:
				won++
			case mine[m] == theirs:
				won += 0.5
			}
		}
	}
	return won / met
}

// contested are the figures of pairwise.
func (r *CompareRow) contested() []float64 {
	list := []float64{float64(r.JudgedUSD.Mean), float64(r.Budget)}
	if r.Rigid == nil {
		return append(list, nan(5)...)
	}
	for _, x := range r.Rigid.Figures() {
		list = append(list, *x)
	}
	return list
}

// speedUp returns the elastic speed-up over a fleet that does not scale: the
// geometric mean of the baseline's θ_U, θ_O, τ_U, τ_O ÷ the policy's. A figure
// below 0.1 % counts as 0.1 %.
//
// Properties:
//   - it is 1 for the baseline itself
//   - a policy that halves all four has 2
//   - exchanging the two inverts it
func speedUp(e, baseline *trial.Elasticity) float64 {
	const least = 0.1
	product := 1.0
	mine, theirs := e.Figures(), baseline.Figures()
	for i := range 4 {
		product *= math.Max(*theirs[i], least) / math.Max(*mine[i], least)
	}
	return math.Pow(product, 0.25)
}

// excess is by how much more than the miss budget was used; 0 where nothing was
// promised.
func excess(used float64) float64 {
	if math.IsNaN(used) {
		return 0
	}
	return math.Max(0, used-1)
}

// best returns the first policy beside the cheapest other that kept all promises
// and is not clairvoyant. Of one that was tuned both count: with what tuning found,
// and with its own parameters.
func (b *board) best() CompareBest {
	first := b.rows[0]
	x := CompareBest{Scenario: b.Scenario, Kept: first.Kept, OverBound: first.OverBound, RivalOver: Maybe(math.NaN()), Ratio: Maybe(math.NaN())}
	least := math.Inf(1)
	offer := func(name string, own bool, cost, over Maybe) {
		if float64(cost) < least {
			least = float64(cost)
			x.Rival, x.Own, x.RivalOver, x.Ratio = name, own, over, Maybe(ratioOf(first.JudgedUSD.Mean, cost))
		}
	}
	for _, r := range b.rows[1:] {
		if r.Clairvoyant {
			continue
		}
		if r.Kept {
			offer(r.Name, false, r.JudgedUSD.Mean, r.OverBound)
		}
		if r.Own != nil && r.Own.Kept {
			offer(r.Name, true, r.Own.JudgedUSD, r.Own.OverBound)
		}
	}
	return x
}
