package chart

import "math"

// scale maps numbers from min to max onto pixels from a to b.
type scale struct {
	log      bool
	min, max float64 // min < max, both finite; positive if log
	a, b     float64
}

// place returns where v is drawn. What lies beyond the scale is drawn at its
// end, NaN at its start.
func (s scale) place(v float64) float64 {
	if math.IsNaN(v) {
		return s.a
	}
	v = min(max(v, s.min), s.max)
	share := (v - s.min) / (s.max - s.min)
	if s.log {
		share = math.Log(v/s.min) / math.Log(s.max/s.min)
	}
	return s.a + share*(s.b-s.a)
}

// extent is the range of numbers seen so far. The zero extent has seen none.
type extent struct {
	min, max float64
	seen     bool
	positive bool // look at positive numbers only
}

func (e *extent) see(v float64) {
	if math.IsNaN(v) || math.IsInf(v, 0) || e.positive && v <= 0 {
		return
	}
	if !e.seen {
		e.min, e.max, e.seen = v, v, true
	}
	e.min, e.max = min(e.min, v), max(e.max, v)
}

// clockMax is the longest time in seconds that a clock axis can tell: what a
// time.Duration holds.
const clockMax = 9e9

// fixed returns the bounds the axis itself gives, if it gives any that can be
// drawn.
func (a *Axis) fixed() (low, high float64, ok bool) {
	low, high = a.Min, a.Max
	// a difference that overflows, or vanishes, cannot be drawn
	span := high - low
	ok = (a.Scale != Clock || max(-low, high) <= clockMax) && span > 0 && !math.IsInf(span, 0) && span > max(math.Abs(low), math.Abs(high))*1e-12 && (a.Scale != Log || low > 0)
	return low, high, ok
}

// bounds returns what the axis shows of data of the given extent, low < high.
func (a *Axis) bounds(e extent, zero bool) (low, high float64) {
	if low, high, ok := a.fixed(); ok {
		return low, high
	}
	largest := 1e300 // so that spans do not overflow
	if a.Scale == Clock {
		largest = clockMax
	}
	if !e.seen {
		e.min, e.max = 0, 1
		if a.Scale == Log {
			e.min, e.max = 1, 10
		}
	}
	low, high = max(e.min, -largest), min(e.max, largest)
	if a.Scale == Log {
		low, high = max(low, 1e-300), max(high, 1e-300)
		if high < low*10 { // at least a decade
			low, high = low/3, high*3
		}
		return low, high
	}
	if zero {
		low, high = min(low, 0), max(high, 0)
	}
	if high-low <= max(math.Abs(low), math.Abs(high))*1e-12 {
		high = low + max(1, math.Abs(low))
	}
	return low, high
}
