package stats

import (
	"math"

	"gonum.org/v1/gonum/stat"
)

// Paired returns the mean of after − before over the pairs, with the interval of
// Student's t: both were measured on the same weather.
//
// Properties:
//   - of equal pairs it is 0, and P is 1
//   - adding a number to both of a pair changes nothing
//   - exchanged, it has the other sign and the same P
//   - of one pair there is no interval
func Paired(before, after []float64) Estimate {
	difference := make([]float64, len(before))
	for i := range before {
		difference[i] = after[i] - before[i]
	}
	n := len(difference)
	switch n {
	case 0:
		return NewEstimate(math.NaN(), Error{})
	case 1:
		return NewEstimate(difference[0], Error{})
	}
	mean, deviation := stat.MeanStdDev(difference, nil)
	return NewEstimate(mean, Error{Size: deviation / math.Sqrt(float64(n)), Freedom: float64(n - 1)})
}
