package baseline

import "math"

// A curve is a polynomial of time fitted by least squares. Time is centred and
// scaled to [-1, 1] before the normal equations: raw epoch seconds squared
// leave them no digits.
type curve struct {
	centre, scale float64
	c             [3]float64 // of 1, u, u² with u = (t - centre) / scale
}

// at returns the curve's value at time t.
func (p *curve) at(t float64) float64 {
	u := (t - p.centre) / p.scale
	return p.c[0] + float64(u*(p.c[1]+float64(u*p.c[2])))
}

// fitCurve returns the polynomial of the given degree, at most 2, that is
// nearest to the points in the sense of least squares. Where the points cannot
// tell the degree, because they lie at too few times, it is lowered. Times
// ascend, and there is at least one point.
func fitCurve(times, values []float64, degree int) curve {
	first, last := times[0], times[len(times)-1]
	p := curve{centre: (first + last) / 2, scale: max((last-first)/2, 1e-9)}
	var power [5]float64 // sums of u^k
	var moment [3]float64
	distinct := 0
	for i, t := range times {
		if i == 0 || t != times[i-1] {
			distinct++
		}
		u := (t - p.centre) / p.scale
		v := values[i]
		x := 1.0
		for k := range power {
			power[k] += x
			if k < len(moment) {
				moment[k] += float64(x * v)
			}
			x = float64(x * u)
		}
	}
	n := min(degree, 2, distinct-1) + 1
	var m [3][4]float64
	for i := range n {
		for j := range n {
			m[i][j] = power[i+j]
		}
		m[i][n] = moment[i]
	}
	solve(&m, n)
	for i := range n {
		p.c[i] = m[i][n]
	}
	return p
}

// solve turns the n equations m[i][:n]·x = m[i][n] into x, left in m[i][n], by
// elimination with the largest pivot. The matrix must be regular.
func solve(m *[3][4]float64, n int) {
	for k := range n {
		pivot := k
		for i := k + 1; i < n; i++ {
			if math.Abs(m[i][k]) > math.Abs(m[pivot][k]) {
				pivot = i
			}
		}
		m[k], m[pivot] = m[pivot], m[k]
		for i := range n {
			if i == k {
				continue
			}
			f := m[i][k] / m[k][k]
			for j := k; j <= n; j++ {
				m[i][j] -= float64(f * m[k][j])
			}
		}
	}
	for k := range n {
		m[k][n] /= m[k][k]
	}
}
