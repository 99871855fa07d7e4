// Package draw gives random numbers that are keyed by what they are for, never
// by the order in which they are asked for: two policies with one seed meet the
// same weather, and a trace begins the same however long it is.
//
// It is SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): a counter, hashed.
package draw

import (
	"math/bits"

	"github.com/skynet-ec2/skynet/policy/detmath"
)

// A Stream is a sequence of random numbers for one purpose. Its value is where
// it stands: copying it forks it. The zero Stream is a stream as good as any.
type Stream uint64

const golden = 0x9e3779b97f4a7c15 // 2^64 divided by the golden ratio

// New returns the stream of seed for a purpose, a short name that is not empty.
func New(seed uint64, purpose string) Stream {
	h := Mix(seed + golden)
	for i := range len(purpose) {
		h = Mix(h ^ uint64(purpose[i]) + golden)
	}
	return Stream(h)
}

// Of returns the stream of the n-th thing that s is about.
func (s Stream) Of(n int64) Stream { return Stream(Mix(uint64(s) ^ Mix(uint64(n)+golden))) }

// At returns the n-th 64 random bits from here, for any n; those of 1, 2, 3 …
// are what Next would return.
func (s Stream) At(n int64) uint64 { return Mix(uint64(s) + uint64(n)*golden) }

// UnitAt returns the n-th number uniform in (0, 1); see At.
func (s Stream) UnitAt(n int64) float64 { return Unit(s.At(n)) }

// Next returns 64 random bits.
func (s *Stream) Next() uint64 {
	*s += golden
	return Mix(uint64(*s))
}

// Unit returns a number uniform in (0, 1), never 0 or 1.
func (s *Stream) Unit() float64 { return Unit(s.Next()) }

// Below returns an integer uniform in [0, n), biased by less than n/2^64.
func (s *Stream) Below(n uint64) uint64 {
	hi, _ := bits.Mul64(s.Next(), n)
	return hi
}

// Normal returns a standard normal number.
func (s *Stream) Normal() float64 { return detmath.NormalQuantile(s.Unit()) }

// Exponential returns an exponential number of mean 1.
func (s *Stream) Exponential() float64 { return -detmath.Log(s.Unit()) }

// Unit returns the number in (0, 1) that 64 random bits stand for: the middle
// of one of 2^52 equal parts, so that it never rounds to 0 or 1.
func Unit(bits uint64) float64 {
	// signed integers convert faster
	return float64((float64(int64(bits>>12)) + 0.5) * (1.0 / (1 << 52)))
}

// Mix is the finaliser of SplitMix64: a bijection whose every output bit
// depends on every input bit.
func Mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
