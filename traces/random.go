package traces

import (
	"math/bits"

	"github.com/skynet-ec2/skynet/policy/detmath"
)

func exp(x float64) float64 { return detmath.Exp(x) }
func log(x float64) float64 { return detmath.Log(x) }

// A stream is a sequence of random numbers keyed by what it is for: the same
// key gives the same numbers, whatever else was drawn before. It is
// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a counter, hashed.
type stream uint64

const golden = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio

// mix is the finaliser of SplitMix64: a bijection whose every output bit
// depends on every input bit.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// streamOf returns the stream of seed for a purpose, a short name.
func streamOf(seed uint64, purpose string) stream {
	h := mix(seed + golden)
	for i := range len(purpose) {
		h = mix(h ^ uint64(purpose[i]) + golden)
	}
	return stream(h)
}

// of returns the stream of the n-th thing that s is about.
func (s stream) of(n int64) stream { return stream(mix(uint64(s) ^ mix(uint64(n)+golden))) }

// next returns 64 random bits.
func (s *stream) next() uint64 {
	*s += golden
	return mix(uint64(*s))
}

// unit returns a number uniform in (0, 1), never 0 or 1.
func (s *stream) unit() float64 { return unit(s.next()) }

func unit(bits uint64) float64 { return float64((float64(int64(bits>>12)) + 0.5) * (1.0 / (1 << 52))) }

// below returns an integer uniform in [0, n), biased by less than n/2^64.
func (s *stream) below(n uint64) uint64 {
	hi, _ := bits.Mul64(s.next(), n)
	return hi
}

// normal returns a standard normal number.
func (s *stream) normal() float64 { return detmath.NormalQuantile(s.unit()) }

// exponential returns an exponential number of mean 1.
func (s *stream) exponential() float64 { return -log(s.unit()) }

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
		return q.exact(unit(bits))
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
