package chart

import (
	"math"
	"strconv"
	"strings"
)

// tick is a number marked on an axis.
type tick struct {
	at    float64
	label string
}

// ticks returns the densest marks from low to high that fits approves of, or
// none.
func (a *Axis) ticks(low, high float64, fits func([]tick) bool) []tick {
	try := func(at []float64) ([]tick, bool) {
		marks := make([]tick, len(at))
		for i, v := range at {
			marks[i] = tick{v, a.write(v)}
		}
		return marks, len(marks) > 0 && fits(marks)
	}
	if a.Scale == Log {
		for _, family := range a.Unit.decades() {
			if marks, ok := try(within(family(low, high), low, high)); ok {
				return marks
			}
		}
		return nil
	}
	for step := a.Unit.step((high - low) / 60); step < 2*(high-low); step = a.Unit.step(step * 1.01) {
		if marks, ok := try(multiples(step, low, high)); ok {
			return marks
		}
	}
	return nil
}

// step returns the least comfortable step that is at least the given one.
func (u Unit) step(least float64) float64 {
	if u == Seconds && least > 0.5 {
		for _, s := range []float64{1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 2 * 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86400} {
			if s >= least {
				return s
			}
		}
		return Number.step(least/86400) * 86400
	}
	if u == Count {
		least = max(least, 1)
	}
	power := math.Pow(10, math.Floor(math.Log10(least)))
	for _, m := range []float64{1, 2, 5} {
		if m*power >= least*(1-1e-9) {
			return m * power
		}
	}
	return 10 * power
}

// multiples returns the multiples of step from low to high, at most 100.
func multiples(step, low, high float64) []float64 {
	var at []float64
	first := math.Ceil(low/step - 1e-9)
	for i := range 100 {
		v := (first + float64(i)) * step
		if v > high+step*1e-9 {
			break
		}
		at = append(at, v)
	}
	return at
}

// decades returns ways to mark a logarithmic axis, densest first.
func (u Unit) decades() []func(low, high float64) []float64 {
	powers := func(every int, of ...float64) func(low, high float64) []float64 {
		return func(low, high float64) []float64 {
			var at []float64
			for e := int(math.Floor(math.Log10(low))); e <= int(math.Ceil(math.Log10(high))); e++ {
				if e%every != 0 {
					continue
				}
				for _, m := range of {
					if v, err := strconv.ParseFloat(strconv.FormatFloat(m, 'f', -1, 64)+"e"+strconv.Itoa(e), 64); err == nil {
						at = append(at, v)
					}
				}
			}
			return at
		}
	}
	if u != Seconds {
		return []func(low, high float64) []float64{
			powers(1, 1, 2, 5), powers(1, 1), powers(2, 1), powers(3, 1), powers(10, 1), powers(100, 1),
		}
	}
	clock := func(marks ...float64) func(low, high float64) []float64 {
		return func(low, high float64) []float64 { return marks }
	}
	const minute, hour, day = 60, 3600, 86400
	return []func(low, high float64) []float64{
		clock(1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, minute, 2*minute, 5*minute, 10*minute, 20*minute, 30*minute,
			hour, 2*hour, 5*hour, 10*hour, day, 2*day, 5*day, 10*day, 20*day, 50*day, 100*day, 200*day, 365*day),
		clock(1e-3, 3e-3, 1e-2, 3e-2, 0.1, 0.3, 1, 3, 10, 30, minute, 3*minute, 10*minute, 30*minute, hour, 3*hour, 10*hour, day, 3*day, 10*day, 30*day, 100*day, 365*day),
		clock(1e-3, 1e-2, 0.1, 1, 10, minute, 10*minute, hour, 10*hour, day, 10*day, 100*day),
		clock(1e-3, 0.1, 1, minute, hour, day, 10*day, 100*day),
		clock(1e-3, 1, hour, 10*day),
		powers(3, 1), powers(10, 1), powers(100, 1),
	}
}

func within(at []float64, low, high float64) []float64 {
	var in []float64
	for _, v := range at {
		if v >= low*(1-1e-9) && v <= high*(1+1e-9) {
			in = append(in, v)
		}
	}
	return in
}

// write returns a tick's number as the axis says it.
func (a *Axis) write(v float64) string { return a.Prefix + a.unprefixed(v) }

func (a *Axis) unprefixed(v float64) string {
	switch a.Unit {
	case Share:
		return plain(v*100) + " %"
	case Seconds:
		return writeSeconds(v)
	}
	for _, k := range []struct {
		at   float64
		name string
	}{{1e12, " T"}, {1e9, " G"}, {1e6, " M"}} {
		if math.Abs(v) >= k.at && math.Abs(v) < 1e15 {
			return plain(v/k.at) + k.name
		}
	}
	return plain(v)
}

// writeSeconds returns a time in its largest unit.
func writeSeconds(v float64) string {
	units := []struct {
		seconds float64
		name    string
	}{{86400, " d"}, {3600, " h"}, {60, " m"}, {1, " s"}, {1e-3, " ms"}}
	for i, u := range units {
		if math.Abs(v) < u.seconds*(1-1e-9) {
			continue
		}
		whole := math.Trunc(v/u.seconds + math.Copysign(1e-9, v))
		rest := math.Abs(v - whole*u.seconds)
		if u.seconds < 60 || rest < 1e-6*u.seconds {
			return plain(v/u.seconds) + u.name
		}
		return plain(whole) + u.name + " " + plain(rest/units[i+1].seconds) + units[i+1].name
	}
	if v == 0 {
		return "0 s"
	}
	return plain(v*1e6) + " µs"
}

// plain returns v with up to six significant digits, in groups of three from
// five digits on.
func plain(v float64) string {
	if v != 0 && (math.Abs(v) < 1e-6 || math.Abs(v) >= 1e15) {
		return strconv.FormatFloat(v, 'g', 3, 64)
	}
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 6, 64), 64)
	whole, fraction, _ := strings.Cut(strconv.FormatFloat(rounded, 'f', -1, 64), ".")
	digits := strings.TrimPrefix(whole, "-")
	if len(digits) > 4 {
		var b strings.Builder
		for i, d := range digits {
			if i > 0 && (len(digits)-i)%3 == 0 {
				b.WriteString(groupSpace)
			}
			b.WriteRune(d)
		}
		digits = b.String()
	}
	if whole[0] == '-' && (rounded != 0) {
		digits = "−" + digits
	}
	if fraction != "" {
		digits += "." + fraction
	}
	return digits
}

// groupSpace parts groups of digits: a thin space that keeps them on one line.
const groupSpace = "\u202f"
