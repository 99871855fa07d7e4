package sim

import (
	"math"
	"math/bits"
)

// ratio turns a recorded service time into one on another core: times num over
// den, rounded up to a whole nanosecond.
type ratio struct{ num, den uint64 }

// newRatio returns from/to exact to a millionth in each, in lowest terms.
func newRatio(from, to float64) ratio {
	num, den := uint64(math.Round(from*1e6)), uint64(math.Round(to*1e6))
	a, b := num, den
	for b != 0 {
		a, b = b, a%b
	}
	return ratio{num / a, den / a}
}

// of returns ns times the ratio, rounded up: at least 1 for what is at least 1. A result beyond the
// longest time a trace may hold is cut there.
func (r ratio) of(ns int64) int64 {
	if r.num == r.den {
		return ns
	}
	hi, lo := bits.Mul64(uint64(ns), r.num)
	if hi == 0 && lo < 1<<63 {
		return int64((lo + r.den - 1) / r.den)
	}
	lo, carry := bits.Add64(lo, r.den-1, 0)
	hi += carry
	if hi >= r.den {
		return longest
	}
	q, _ := bits.Div64(hi, lo, r.den)
	return min(int64(q&math.MaxInt64), longest)
}

// longest is the cap on a service time: 73 years, so that sums stay in range.
const longest = 1 << 61
