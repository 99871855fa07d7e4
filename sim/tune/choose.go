package tune

import (
	"fmt"
	"math"
	"strings"
)

// chosen are the candidates that a choice comes to; -1 where there is none.
type chosen struct{ cheapest, recommended, fastest int }

// costSlack is how much dearer than the cheapest the fastest may be: beyond it
// speed is bought by the fleet, not found by the search.
const costSlack = 1.25

// choose returns the cheapest candidate that keeps its promises by the mean of
// its weeks less its standard error, the recommended and the fastest. If none
// does, the mean is enough; ok is false when none keeps them by that.
// The cheapest is that of the lowest score: a week that breaks a promise counts.
//
// The recommended is the least aggressive within one standard error of the
// cheapest: the one of the lowest risk, and of those the nearest to the defaults.
//
// sums say who keeps the promises, in all that each has met. Candidates are
// compared on those of the weeks that both have met (common random numbers): who
// has met easy weeks only is not the cheaper for it, and the error is that of a
// difference, not of the weather.
func (a *archive) choose(candidates []int, sums []Summary, weeks []int) (c chosen, ok bool) {
	c = chosen{-1, -1, -1}
	keeps := (*Summary).Keeps
	for i := range sums {
		if sums[i].surely() {
			keeps = (*Summary).surely
		}
	}
	var keepers []int // indices of sums
	for i := range candidates {
		if keeps(&sums[i]) {
			keepers = append(keepers, i)
		}
	}
	if len(keepers) == 0 {
		return c, false
	}
	best := keepers[a.lowest(pick(candidates, keepers), weeks)]
	least, fast, quickest := best, best, 0.0
	for _, i := range keepers {
		s := &sums[i]
		dearer := a.difference(candidates[i], candidates[best], weeks, (*Metrics).Score)
		if i != best && len(dearer.Values) == 0 {
			continue // nothing tells them apart
		}
		if i == best || dearer.Mean() <= dearer.Error() {
			if a.lessAggressive(candidates[i], candidates[least], s, &sums[least]) {
				least = i
			}
		}
		mine, others := a.bothMet(candidates[i], candidates[best], weeks, (*Metrics).Ratio)
		slower := a.difference(candidates[i], candidates[best], weeks, (*Metrics).latency)
		if mine <= float64(costSlack*others) && slower.Mean() < quickest {
			fast, quickest = i, slower.Mean()
		}
	}
	return chosen{candidates[best], candidates[least], candidates[fast]}, true
}

// pick returns those elements of a list that stand at indices.
func pick(list, indices []int) []int {
	picked := make([]int, len(indices))
	for i, at := range indices {
		picked[i] = list[at]
	}
	return picked
}

// lowest returns the index of the candidate with the lowest score, by the weeks
// that it and its rival have both met. It begins with who has met most, and takes
// whoever beats the best by now until nobody does.
func (a *archive) lowest(candidates, weeks []int) int {
	best, most := 0, -1
	for i, c := range candidates {
		if scores, _ := a.entries[c].scores(weeks); len(scores) > most {
			best, most = i, len(scores)
		}
	}
	for range candidates { // three may beat each other in a circle, on different weeks
		next, least := best, 0.0
		for i, c := range candidates {
			d := a.difference(c, candidates[best], weeks, (*Metrics).Score)
			if len(d.Values) > 0 && d.Mean() < least {
				next, least = i, d.Mean()
			}
		}
		if next == best {
			break
		}
		best = next
	}
	return best
}

// difference returns a figure of a candidate less that of another, by week that
// both have met.
func (a *archive) difference(c, other int, weeks []int, figure func(*Metrics) float64) Series {
	var d Series
	for _, w := range weeks {
		x, y := a.entries[c].weeks[w], a.entries[other].weeks[w]
		if x != nil && y != nil {
			d.add(meanOf(x, figure)-meanOf(y, figure), a.weeks[w].arrivals())
		}
	}
	return d
}

// bothMet returns the mean of a figure of two candidates over the weeks that both
// have met.
func (a *archive) bothMet(c, other int, weeks []int, figure func(*Metrics) float64) (mine, others float64) {
	common := a.metByAll([]int{c, other}, weeks)
	for _, w := range common {
		mine += meanOf(a.entries[c].weeks[w], figure)
		others += meanOf(a.entries[other].weeks[w], figure)
	}
	n := float64(max(len(common), 1))
	return mine / n, others / n
}

// lessAggressive reports whether a candidate is of lower risk than another, or of
// the same and nearer to the defaults.
func (a *archive) lessAggressive(c, other int, s, o *Summary) bool {
	if s.Risk != o.Risk {
		return s.Risk < o.Risk
	}
	// One broken week more or less in twenty tells nothing.
	const tie = 0.05
	broken, others := s.brokenShare(), o.brokenShare()
	if d := broken - others; d < -tie || d > tie {
		return d < 0
	}
	return a.distance(c) < a.distance(other)
}

// distance returns how far a candidate is from the defaults: the root of the mean
// square over the parameters.
func (a *archive) distance(c int) float64 {
	sum := 0.0
	for j, x := range a.entries[c].point {
		d := x - a.entries[0].point[j]
		sum += float64(d * d)
	}
	return math.Sqrt(sum / float64(a.space.Dim()))
}

// Dominates reports whether a candidate is nowhere worse than another and
// somewhere better: cheaper, faster, or with more slack in reserve at that.
func (s *Summary) Dominates(other *Summary) bool {
	a := [3]float64{s.Ratio.Mean(), s.Latency.Mean(), -slackOf(s)}
	b := [3]float64{other.Ratio.Mean(), other.Latency.Mean(), -slackOf(other)}
	better := false
	for i := range a {
		if a[i] > b[i] {
			return false
		}
		better = better || a[i] < b[i]
	}
	return better
}

func slackOf(s *Summary) float64 {
	if len(s.Slack.Values) == 0 {
		return 0
	}
	return s.Slack.Mean()
}

// front returns the indices of the summaries that keep their promises and that
// no other of those dominates.
func front(sums []Summary) []int {
	var list []int
	for i := range sums {
		on := sums[i].Keeps()
		for j := range sums {
			on = on && (i == j || !sums[j].Keeps() || !sums[j].Dominates(&sums[i]))
		}
		if on {
			list = append(list, i)
		}
	}
	return list
}

// InfeasibleError is a tuning none of whose candidates keeps the promises.
type InfeasibleError struct {
	// Promise that the least broken candidate breaks most, and that candidate.
	Promise PromiseSummary
	Least   Raw
	Tried   int
}

func (e *InfeasibleError) Error() string {
	p := &e.Promise
	return fmt.Sprintf("none of %d candidates keeps the promises: the least broken comes to %s for %q, promised %s, and keeps it in %d of %d weeks",
		e.Tried, p.Got(), p.Name, p.Want, p.Kept, len(p.Margin.Values))
}

// Got returns the mean of what was promised, written as the promise is.
func (p *PromiseSummary) Got() string {
	if len(p.Value.Values) == 0 {
		return "no value"
	}
	if mean := p.Value.Mean(); strings.Contains(p.Want, "%") {
		return fmt.Sprintf("%.4g %%", 100*mean)
	}
	return fmt.Sprintf("%.5g", p.Value.Mean())
}

// BadInput marks the error as the user's: the policy cannot keep what the
// scenario promises.
func (e *InfeasibleError) BadInput() bool { return true }
