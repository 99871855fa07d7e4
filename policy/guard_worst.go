package policy

import (
	"math"
	"math/bits"
)

// quantity is what a limit counts.
type quantity int

const (
	ofInstances quantity = iota
	ofCores
	ofMoney // µUSD per hour
	quantities
)

// weigher tells how much of each quantity one instance of a type is.
type weigher struct {
	o *Observation
	c *Catalog
}

// weight returns the quantity of one instance of a known type.
func (w weigher) weight(m quantity, typ int, market Market) int64 {
	switch m {
	case ofCores:
		return max(int64(w.c.Types[typ].Cores), 0)
	case ofMoney:
		return max(int64(priceOf(w.o, w.c, typ, market)), 0)
	}
	return 1
}

// ratioMax bounds a Substitute's Num and Den.
const ratioMax = 1 << 20

// countable reports whether a substitute can be counted: it is of a type of the catalog,
// with a ratio of positive numbers up to ratioMax.
func (w weigher) countable(s *Substitute) bool {
	return inCatalog(w.c, s.Type) && s.Num > 0 && s.Den > 0 && s.Num <= ratioMax && s.Den <= ratioMax
}

// worstCase returns an upper bound of what a launch and its first k substitutes may come
// to, whatever EC2 refuses. It is exact for k = 0, and wherever every ratio is a whole
// number.
//
// EC2 may refuse any part of the count, then any part of what was asked for instead, and
// so on. One instance asked for at link i of the chain comes at worst to
//
//	v(i) = max(weight(i), ratio(i+1) × v(i+1))
//
// of the quantity. Rounding up at link i adds less than one instance of it: at most
// (den−1)/den × v(i), with the ratio in lowest terms.
func (w weigher) worstCase(m quantity, l *Launch, k int) int64 {
	first := w.weight(m, l.Type, l.Market)
	if k == 0 {
		return saturatingMul(int64(l.Count), first)
	}
	var v, rounding float64
	for i := k - 1; i >= 0; i-- {
		s := &l.Else[i]
		v = max(float64(w.weight(m, s.Type, s.Market)), v)
		den := s.Den / gcd(s.Num, s.Den)
		rounding += float64(v * float64(den-1) / float64(den))
		v = float64(v * float64(s.Num) / float64(s.Den))
	}
	v = max(float64(first), v)
	sum := float64(float64(l.Count)*v) + rounding
	sum += float64(sum*1e-12) + 1e-6 // more than the floating point may have lost
	if sum >= math.MaxInt64 {
		return Unlimited
	}
	return int64(sum)
}

// saturatingMul returns a×b for a and b that are not negative, at most Unlimited.
func saturatingMul(a, b int64) int64 {
	if hi, lo := bits.Mul64(uint64(a), uint64(b)); hi == 0 && lo <= math.MaxInt64 {
		return int64(lo)
	}
	return Unlimited
}

// gcd returns the greatest common divisor.
func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
