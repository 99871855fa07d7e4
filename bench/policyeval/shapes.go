package main

import (
	"math"
	"sort"

	"github.com/skynet-ec2/skynet/policy/draw"
)

// A shape is the rate at a time in seconds, in any unit: only its ratios count.
type shape func(t float64) float64

// flat is the same at all times.
func flat(float64) float64 { return 1 }

// daily swings once a day around 1, beginning so many turns after its mean.
func daily(swing, turns float64) shape {
	return func(t float64) float64 { return 1 + float64(swing*math.Sin(2*math.Pi*(t/86400+turns))) }
}

// weekly is 1, and weekend on the sixth and seventh day of each week.
func weekly(weekend float64) shape {
	return func(t float64) float64 {
		if math.Mod(t/86400, 7) >= 5 {
			return weekend
		}
		return 1
	}
}

// times is the product of two shapes.
func times(a, b shape) shape { return func(t float64) float64 { return a(t) * b(t) } }

// from is nothing before a time.
func from(begin float64, s shape) shape {
	return func(t float64) float64 {
		if t < begin {
			return 0
		}
		return s(t)
	}
}

// dumps is 1 for so long once a period, from offset on, and else nothing.
func dumps(period, offset, long float64) shape {
	return func(t float64) float64 {
		if at := math.Mod(t, period) - offset; at >= 0 && at < long {
			return 1
		}
		return 0
	}
}

// onOff is 1, and high for times of mean length on, fixed or exponential, that
// are exponential times of mean off apart.
func onOff(d *draw.Stream, days int, on, off, high float64, fixed bool) shape {
	var edges []float64
	for t := 0.0; t < float64(days)*86400; {
		t += off * d.Exponential()
		edges = append(edges, t)
		if fixed {
			t += on
		} else {
			t += on * d.Exponential()
		}
		edges = append(edges, t)
	}
	return func(t float64) float64 {
		if sort.SearchFloat64s(edges, t)%2 == 1 {
			return high
		}
		return 1
	}
}

// crowds is 1, and high for so long once a day at a random time of it.
func crowds(d *draw.Stream, days int, long, high float64) shape {
	begin := make([]float64, days)
	for i := range begin {
		begin[i] = float64(i)*86400 + d.Unit()*(86400-long)
	}
	return func(t float64) float64 {
		if at := t - begin[min(int(t/86400), days-1)]; at >= 0 && at < long {
			return high
		}
		return 1
	}
}
