package chart

import "math"

// Thin returns at most n of the points of a series, chosen so that the drawing
// looks the same.
//
// Properties:
//   - a series of at most n points is returned as it is
//   - the points returned are points of the series, in their order
//   - the first and the last point, and the least and the greatest value, are
//     among them
//   - where the series is broken by NaN, the result is broken too
//   - at most max(n, 8) points are returned
//
// x and y must be of one length, x ascending.
func Thin(x, y []float64, n int) (thinX, thinY []float64) {
	n = max(n, 8)
	if len(y) <= n {
		return x, y
	}
	// every bucket yields its least, its greatest and a break
	buckets := (n - 2) / 3
	if !broken(y) {
		buckets = (n - 2) / 2
	}
	last := len(y) - 1
	keep := func(i int) {
		thinX = append(thinX, x[i])
		thinY = append(thinY, y[i])
	}
	keep(0)
	for b := range buckets {
		from, to := 1+b*(last-1)/buckets, 1+(b+1)*(last-1)/buckets
		low, high, gap := -1, -1, -1
		for i := from; i < to; i++ {
			switch v := y[i]; {
			case math.IsNaN(v):
				gap = i
			case low < 0:
				low, high = i, i
			case v < y[low]:
				low = i
			case v > y[high]:
				high = i
			}
		}
		for _, i := range ascending(low, high, gap) {
			if i >= 0 {
				keep(i)
			}
		}
	}
	keep(last)
	return thinX, thinY
}

func broken(y []float64) bool {
	for _, v := range y {
		if math.IsNaN(v) {
			return true
		}
	}
	return false
}

// ascending returns three indices in order, equal ones replaced by -1.
func ascending(a, b, c int) [3]int {
	if a > b {
		a, b = b, a
	}
	if b > c {
		b, c = c, b
	}
	if a > b {
		a, b = b, a
	}
	if a == b {
		a = -1
	}
	if b == c {
		b = -1
	}
	return [3]int{a, b, c}
}
