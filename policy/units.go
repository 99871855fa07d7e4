package policy

import (
	"fmt"
	"math"
	"math/bits"
	"strconv"
	"time"
)

// MicroUSD is an amount of money in millionths of a US dollar. Prices are
// MicroUSD per hour. Money is an integer so that sums are exact and do not
// depend on their order.
type MicroUSD int64

// USD is one dollar.
const USD MicroUSD = 1_000_000

// Dollars returns the amount as a floating-point number of dollars, for
// display and JSON only.
func (m MicroUSD) Dollars() float64 { return float64(m) / float64(USD) }

// String returns the amount with two decimals, as in "$ 12.34".
func (m MicroUSD) String() string {
	return "$ " + strconv.FormatFloat(m.Dollars(), 'f', 2, 64)
}

// FromDollars returns the amount nearest to d dollars. It fails when d is not
// finite, negative, or has no exact place below 9.2e12 dollars.
func FromDollars(d float64) (MicroUSD, error) {
	if math.IsNaN(d) || d < 0 || d > 9e12 {
		return 0, fmt.Errorf("%v dollars: must be a number from 0 to 9e12", d)
	}
	return MicroUSD(math.Round(d * float64(USD))), nil
}

// MulDiv returns a*b/c rounded to the nearest integer, halves up, without
// overflow in the product. All three must be non-negative and c positive;
// a quotient beyond 2^63-1 saturates there.
func MulDiv(a, b, c int64) int64 {
	hi, lo := bits.Mul64(uint64(a), uint64(b))
	lo, carry := bits.Add64(lo, uint64(c)/2, 0)
	hi += carry
	if hi >= uint64(c) {
		return math.MaxInt64
	}
	q, _ := bits.Div64(hi, lo, uint64(c))
	if q > math.MaxInt64 {
		return math.MaxInt64
	}
	return int64(q)
}

// CoreSeconds is an amount of work: what one reference core does in one
// second. A job of w CoreSeconds holds a slot of speed v for w/v seconds.
type CoreSeconds float64

// On returns the time the work takes on a slot of the given speed.
func (w CoreSeconds) On(speed float64) time.Duration {
	return Seconds(float64(w) / speed)
}

// Seconds returns s seconds as a Duration, saturating at about 292 years.
func Seconds(s float64) time.Duration {
	switch ns := s * 1e9; {
	case ns >= math.MaxInt64:
		return math.MaxInt64
	case ns <= math.MinInt64:
		return math.MinInt64
	default:
		return time.Duration(ns)
	}
}
