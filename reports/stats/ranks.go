package stats

import (
	"math"
	"slices"
	"sort"

	"gonum.org/v1/gonum/stat/distuv"
)

// Ranks returns the rank of each value, 1 for the smallest; equal values share
// the mean of their ranks. NaN ranks last.
func Ranks(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	key := func(i int) float64 {
		if math.IsNaN(values[i]) {
			return math.Inf(1)
		}
		return values[i]
	}
	sort.SliceStable(order, func(i, j int) bool { return key(order[i]) < key(order[j]) })
	ranks := make([]float64, len(values))
	for from := 0; from < len(order); {
		to := from
		for to < len(order) && key(order[to]) == key(order[from]) {
			to++
		}
		for _, i := range order[from:to] {
			ranks[i] = float64(from+to+1) / 2
		}
		from = to
	}
	return ranks
}

// Ranking is how policies rank over several traces (Demšar, "Statistical
// comparisons of classifiers over multiple data sets", 2006).
type Ranking struct {
	// Traces that count.
	Traces int
	// Mean rank of each policy, 1 being the best: over the traces, of its means
	// within them.
	Mean []float64
	// P of Friedman's test: how often ranks as uneven or more so would be met if
	// all policies were alike. Of few traces and policies every order that the
	// ranks of a trace could have is counted; otherwise it is the form of Iman and
	// Davenport.
	P float64
	// Critical is the least difference of two mean ranks that Nemenyi's test
	// calls significant at 5 %.
	Critical float64
}

// Rank ranks policies by a table of values, by scenario and policy, the smaller
// the better. traces says of each scenario which trace it is of: scenarios of one
// are not independent, and count as one, by the mean of their ranks. Nil: each is
// of its own. With fewer than three traces or two policies P and Critical are
// NaN: there is nothing to test.
//
// Properties:
//   - the mean ranks sum to k(k+1)/2
//   - a policy that is best everywhere has rank 1
//   - the order of scenarios does not matter; permuted policies are permuted ranks
//   - a scenario that stands there twice counts once
func Rank(values [][]float64, traces []string) Ranking {
	r := Ranking{P: math.NaN(), Critical: math.NaN()}
	if len(values) == 0 {
		return r
	}
	means := rankMeans(values, traces)
	k := len(values[0])
	r.Traces, r.Mean = len(means), make([]float64, k)
	for _, row := range means {
		for j, mean := range row {
			r.Mean[j] += mean / float64(len(means))
		}
	}
	if r.Traces < 3 || k < 2 {
		return r
	}
	for i, row := range means {
		means[i] = Ranks(row) // of equal weight, whatever the means
	}
	r.P = friedman(means)
	n := float64(r.Traces)
	r.Critical = studentizedRange(0.95, k) / math.Sqrt2 * math.Sqrt(float64(k*(k+1))/(6*n))
	return r
}

// rankMeans returns by trace the mean rank of every policy over its scenarios.
func rankMeans(values [][]float64, traces []string) [][]float64 {
	var means [][]float64
	at, count := map[string]int{}, []float64{}
	for i, row := range values {
		t := len(means)
		if traces != nil {
			if known, there := at[traces[i]]; there {
				t = known
			}
			at[traces[i]] = t
		}
		if t == len(means) {
			means, count = append(means, make([]float64, len(row))), append(count, 0)
		}
		count[t]++
		for j, rank := range Ranks(row) {
			means[t][j] += rank
		}
	}
	for t, row := range means {
		for j := range row {
			row[j] /= count[t]
		}
	}
	return means
}

// friedman returns the p-value of a table of ranks by trace and policy.
func friedman(ranks [][]float64) float64 {
	if p, few := friedmanExact(ranks); few {
		return p
	}
	n, k := float64(len(ranks)), float64(len(ranks[0]))
	sums, squares := make([]float64, len(ranks[0])), 0.0
	for _, row := range ranks {
		for j, rank := range row {
			sums[j] += rank
			squares += rank * rank
		}
	}
	between := 0.0
	for _, sum := range sums {
		between += (sum - n*(k+1)/2) * (sum - n*(k+1)/2)
	}
	within := squares - n*k*(k+1)*(k+1)/4 // less by ties
	if within <= 0 {
		return 1 // all are alike in every trace
	}
	statistic := (k - 1) * between / within
	rest := n*(k-1) - statistic
	if rest <= 1e-9 {
		return 0 // every one of many traces ranks them alike
	}
	return distuv.F{D1: k - 1, D2: (k - 1) * (n - 1)}.Survival((n - 1) * statistic / rest)
}

// policiesMax and stepsMax bound what friedmanExact counts: the policies, and the
// sums of ranks times the orders that one more trace may add to each.
const policiesMax, stepsMax = 6, 20_000

// friedmanExact returns the p-value of a table of ranks by counting: each trace's
// ranks might stand in every order with the same chance. few is false where that
// is too much to count; F's distribution is near enough there.
func friedmanExact(ranks [][]float64) (p float64, few bool) {
	k := len(ranks[0])
	if k > policiesMax {
		return 0, false
	}
	// Ranks are halves: in integers sums are exact. Only how often sums come about
	// matters, not whose they are, so they are kept in order.
	type sums = [policiesMax]int
	square := func(x sums) (total int) {
		for _, v := range x[:k] {
			total += v * v
		}
		return total
	}
	var met sums
	rows := make([]sums, len(ranks))
	for i, row := range ranks {
		for j, rank := range row {
			rows[i][j] = int(math.Round(2 * rank))
			met[j] += rows[i][j]
		}
		slices.Sort(rows[i][:k])
	}
	// In one order, so that it is not the order of traces that decides whether they
	// are few.
	slices.SortFunc(rows, func(a, b sums) int { return slices.Compare(a[:], b[:]) })
	chances := map[sums]float64{{}: 1}
	for _, of := range rows {
		orders := permutations(of[:k])
		if len(chances)*len(orders) > stepsMax {
			return 0, false
		}
		next := map[sums]float64{}
		for _, from := range sortedKeys(chances) {
			for _, order := range orders {
				to := from
				for j, x := range order {
					to[j] += x
				}
				slices.Sort(to[:k])
				next[to] += chances[from] / float64(len(orders))
			}
		}
		chances = next
	}
	least := square(met)
	for _, x := range sortedKeys(chances) {
		if square(x) >= least {
			p += chances[x]
		}
	}
	return math.Min(p, 1), true
}

// sortedKeys returns the keys in one order, so that sums are the same every time.
func sortedKeys(m map[[policiesMax]int]float64) [][policiesMax]int {
	keys := make([][policiesMax]int, 0, len(m))
	for k := range m { // map order: sorted below
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b [policiesMax]int) int { return slices.Compare(a[:], b[:]) })
	return keys
}

// permutations returns every order of a list.
func permutations(list []int) [][]int {
	if len(list) <= 1 {
		return [][]int{slices.Clone(list)}
	}
	var all [][]int
	for i := range list {
		rest := slices.Delete(slices.Clone(list), i, i+1)
		for _, p := range permutations(rest) {
			all = append(all, append(p, list[i]))
		}
	}
	return all
}

// studentizedRange returns the quantile of the range of k standard normal
// variables: the studentized range with infinitely many degrees of freedom.
func studentizedRange(p float64, k int) float64 {
	low, high := 0.0, 20.0
	for range 60 {
		middle := (low + high) / 2
		if rangeCDF(middle, k) < p {
			low = middle
		} else {
			high = middle
		}
	}
	return (low + high) / 2
}

// rangeCDF is the probability that k standard normal variables lie within w of
// each other: k ∫ φ(x) (Φ(x) − Φ(x−w))^(k−1) dx, by Simpson's rule.
func rangeCDF(w float64, k int) float64 {
	const from, to, steps = -8.0, 8.0, 800
	h := (to - from) / steps
	total := 0.0
	for i := range steps + 1 {
		x := from + float64(i)*h
		weight := 2.0
		switch {
		case i == 0 || i == steps:
			weight = 1
		case i%2 == 1:
			weight = 4
		}
		inside := distuv.UnitNormal.CDF(x) - distuv.UnitNormal.CDF(x-w)
		total += weight * distuv.UnitNormal.Prob(x) * math.Pow(inside, float64(k-1))
	}
	return float64(k) * total * h / 3
}
