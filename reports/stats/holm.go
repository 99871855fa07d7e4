package stats

import (
	"math"
	"sort"
)

// Holm returns the p-values of several comparisons, raised so that the chance
// of even one false finding among them stays what it says (Holm, "A simple
// sequentially rejective multiple test procedure", 1979). NaN stays NaN and
// counts as no comparison.
//
// Properties:
//   - one comparison keeps its p
//   - no p falls, none exceeds 1, and their order stays
//   - the smallest of m is raised m-fold, unless that exceeds 1
func Holm(p []float64) []float64 {
	order := make([]int, 0, len(p))
	for i, x := range p {
		if !math.IsNaN(x) {
			order = append(order, i)
		}
	}
	sort.SliceStable(order, func(i, j int) bool { return p[order[i]] < p[order[j]] })
	raised := append([]float64(nil), p...)
	least := 0.0
	for k, i := range order {
		least = math.Max(least, math.Min(1, p[i]*float64(len(order)-k)))
		raised[i] = least
	}
	return raised
}
