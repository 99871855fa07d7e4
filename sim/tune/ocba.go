package tune

import "math"

// allocate returns how many runs each of several candidates should have had
// after n more, in total, so that the chance of choosing the true best is
// greatest (optimal computing budget allocation, Chen and Lin 2000). means are
// what is minimised, deviations those of one run, spent the runs so far.
//
// Properties, with b the lowest mean and δ_i = mean_i − mean_b:
//   - N_i ÷ N_j = ((σ_i/δ_i) ÷ (σ_j/δ_j))² for i, j ≠ b
//   - N_b = σ_b √Σ N_i²/σ_i²
//   - no candidate is given fewer runs than it had, and the sum is that of spent
//     and n
func allocate(means, deviations []float64, spent []int, n int) []int {
	k := len(means)
	shares := ocbaShares(means, deviations)
	total := n
	for _, s := range spent {
		total += s
	}
	// One by one to who is furthest below its share: exact, and n is small.
	give := append([]int(nil), spent...)
	for range n {
		neediest, need := 0, math.Inf(-1)
		for i := range k {
			if lacks := float64(shares[i]*float64(total)) - float64(give[i]); lacks > need {
				neediest, need = i, lacks
			}
		}
		give[neediest]++
	}
	return give
}

// ocbaShares returns the fractions of all runs that candidates should have.
func ocbaShares(means, deviations []float64) []float64 {
	k := len(means)
	shares := make([]float64, k)
	if k == 1 {
		shares[0] = 1
		return shares
	}
	b := 0
	for i := range means {
		if means[i] < means[b] {
			b = i
		}
	}
	// Ties and candidates without spread would ask for endless runs, or none.
	const least = 1e-9
	scale := math.Abs(means[b]) + least
	sum, squares := 0.0, 0.0
	for i := range means {
		if i == b {
			continue
		}
		sigma := max(deviations[i], least*scale)
		delta := max(means[i]-means[b], 1e-4*scale)
		ratio := sigma / delta
		shares[i] = float64(ratio * ratio)
		sum += shares[i]
		squares += float64(shares[i] / sigma * (shares[i] / sigma))
	}
	shares[b] = float64(max(deviations[b], least*scale) * math.Sqrt(squares))
	sum += shares[b]
	for i := range shares {
		shares[i] /= sum
	}
	return shares
}
