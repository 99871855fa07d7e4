package sim

import (
	"math"
	"math/bits"
)

// ratio turns a recorded service time into one on another core: times num over
// den, rounded up to a whole nanosecond.
type ratio struct{ num, den uint64 }

// newRatio returns from/to in lowest terms, each the decimal number of up to
// twelve places that it stands for. The readers of scenarios and traces let
// neither exceed a thousand: from 18 million on they would not fit.
func newRatio(from, to float64) ratio {
	const places = 1e12
	num, den := max(uint64(math.Round(from*places)), 1), max(uint64(math.Round(to*places)), 1)
	a, b := num, den
	for b != 0 {
		a, b = b, a%b
	}
	return ratio{num / a, den / a}
}

// of returns ns times the ratio, rounded up: at least 1 for what is at least 1. A
// result beyond longest is cut there, except on the core that was recorded: there
// a time is what it is, up to the 146 years that a trace may hold.
func (r ratio) of(ns int64) int64 {
	if r.num == r.den {
		return ns
	}
	hi, lo := bits.Mul64(uint64(ns), r.num)
	if hi == 0 && lo < 1<<63 {
		return min(int64((lo+r.den-1)/r.den), longest)
	}
	lo, carry := bits.Add64(lo, r.den-1, 0)
	hi += carry
	if hi >= r.den {
		return longest
	}
	q, _ := bits.Div64(hi, lo, r.den)
	return int64(min(q, longest))
}

// longest is the cap on a service time that was converted: 73 years, so that sums
// stay in range.
const longest = 1 << 61
