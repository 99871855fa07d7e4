package traces

import (

	"github.com/skynet-ec2/skynet/policy/detmath"
	"github.com/skynet-ec2/skynet/policy/draw"
)

func exp(x float64) float64 { return detmath.Exp(x) }
func log(x float64) float64 { return detmath.Log(x) }

// A stream is keyed by what it is for, so that a part of a trace is the same
// whatever else was drawn before.
type stream = draw.Stream

// quantiles draws from a continuous distribution given by its quantile
// function. Between the 1024-quantiles it interpolates on a straight line,
// except in the outer 8 of either end, where it asks the function itself: the
// mean and the variance of the distributions used here stay within 2e-4 of
// the exact ones.
type quantiles struct {
	table [1025]float64
	exact func(p float64) float64
}

const quantilesTail = 8

func newQuantiles(exact func(p float64) float64) *quantiles {
	q := &quantiles{exact: exact}
	for i := quantilesTail; i <= 1024-quantilesTail; i++ {
		q.table[i] = exact(float64(i) / 1024)
	}
	return q
}

// at returns the quantile that 64 uniform bits stand for.
func (q *quantiles) at(bits uint64) float64 {
	i := bits >> 54
	if i-quantilesTail >= 1024-2*quantilesTail {
		return q.exact(draw.Unit(bits))
	}
	frac := float64(int64(bits>>2&(1<<52-1))) * (1.0 / (1 << 52)) // signed integers convert faster
	lo, hi := q.table[i], q.table[i+1]
	return lo + float64(frac*(hi-lo))
}

// lognormal returns the quantile function of a lognormal distribution, in ns,
// cut at most: what lies beyond becomes most.
func lognormal(median, sigma, most float64) func(p float64) float64 {
	return func(p float64) float64 {
		return min(float64(median*exp(float64(sigma*detmath.NormalQuantile(p)))), most)
	}
}

// roundPositive returns x as a whole number, halves up, of at least 1 and at
// most TimeMax.
func roundPositive(x float64) int64 {
	switch v := float64(x) + 0.5; { // the conversion keeps x's own rounding
	case !(v >= 1):
		return 1
	case v >= TimeMax:
		return TimeMax
	default:
		return int64(v) // which cuts off the fraction
	}
}
