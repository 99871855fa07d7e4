package stats

import (
	"math"
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
	// Mean rank of each policy, 1 being the best.
	Mean []float64
	// P of Friedman's test in the form of Iman and Davenport: how often ranks as
	// uneven or more so would be met if all policies were alike.
	P float64
	// Critical is the least difference of two mean ranks that Nemenyi's test
	// calls significant at 5 %.
	Critical float64
}

// Rank ranks policies by a table of values, by trace and policy, the smaller
// the better. With fewer than three traces or two policies P and Critical are
// NaN: there is nothing to test.
//
// Properties:
//   - the mean ranks sum to k(k+1)/2
//   - a policy that is best everywhere has rank 1
//   - the order of traces does not matter; permuted policies are permuted ranks
func Rank(values [][]float64) Ranking {
	if len(values) == 0 {
		return Ranking{P: math.NaN(), Critical: math.NaN()}
	}
	n, k := float64(len(values)), float64(len(values[0]))
	r := Ranking{Mean: make([]float64, len(values[0])), P: math.NaN(), Critical: math.NaN()}
	for _, row := range values {
		for j, rank := range Ranks(row) {
			r.Mean[j] += rank / n
		}
	}
	if n < 3 || k < 2 {
		return r
	}
	sum := 0.0
	for _, mean := range r.Mean {
		sum += mean * mean
	}
	friedman := 12 * n / (k * (k + 1)) * (sum - k*(k+1)*(k+1)/4)
	if rest := n*(k-1) - friedman; rest > 1e-9 {
		f := (n - 1) * friedman / rest
		r.P = distuv.F{D1: k - 1, D2: (k - 1) * (n - 1)}.Survival(f)
	} else {
		r.P = 0 // every trace ranks them alike
	}
	r.Critical = studentizedRange(0.95, len(values[0])) / math.Sqrt2 * math.Sqrt(k*(k+1)/(6*n))
	return r
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
