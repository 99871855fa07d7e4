package baseline

import (
	"math"
	"testing"
)

func erlangB(a float64, c int) float64 {
	b := 1.0
	for k := 1; k <= c; k++ {
		b = nextErlangB(a, b, k)
	}
	return b
}

func erlangC(a float64, c int) float64 { return waitingShare(a, erlangB(a, c), c) }

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s: %.10g, want %.10g ± %g", what, got, want, tolerance)
	}
}

// The table of closed forms every M/M/c simulator has to reproduce, μ = 1.
func TestErlangC(t *testing.T) {
	for _, row := range []struct {
		c              int
		rho, share, wq float64
	}{
		{1, 0.5, 0.50000000, 1.00000000},
		{1, 0.8, 0.80000000, 4.00000000},
		{1, 0.9, 0.90000000, 9.00000000},
		{2, 0.8, 0.71111111, 1.77777778},
		{4, 0.7, 0.42865432, 0.35721193},
		{4, 0.9, 0.78775326, 1.96938316},
		{8, 0.8, 0.45764493, 0.28602808},
		{8, 0.95, 0.84416863, 2.11042158},
		{16, 0.75, 0.20457386, 0.05114346},
		{16, 0.9, 0.59134339, 0.36958962},
		{50, 0.8, 0.08695255, 0.00869525},
		{50, 0.95, 0.62909473, 0.25163789},
		{100, 0.9, 0.21694048, 0.02169405},
		{200, 0.95, 0.36526386, 0.03652639},
	} {
		a := row.rho * float64(row.c)
		near(t, "C", erlangC(a, row.c), row.share, 5e-9)
		// Little: jobs waiting = λ Wq, and λ = a at μ = 1
		near(t, "Wq", waitingJobs(a, erlangB(a, row.c), row.c)/a, row.wq, 5e-9)
	}
	if got := erlangC(3, 3); got != 1 {
		t.Errorf("a queue that grows for ever: C = %v, want 1", got)
	}
	if got := erlangC(0, 5); got != 0 {
		t.Errorf("no load: C = %v, want 0", got)
	}
}

// Halfin and Whitt's limit, and that staffing by it hits Erlang's C.
func TestHalfinWhitt(t *testing.T) {
	for _, row := range []struct{ beta, alpha, at10, at100 float64 }{
		{0.1, 0.88028708, 0.682118, 0.883315},
		{0.25, 0.72093211, 0.682118, 0.680797},
		{0.5, 0.50453864, 0.449388, 0.515707},
		{0.75, 0.34174845, 0.285270, 0.328330},
		{1, 0.22336127, 0.174132, 0.237008},
		{1.25, 0.14043590, 0.174132, 0.139658},
		{1.5, 0.08469039, 0.102042, 0.095441},
		{2, 0.02688136, 0.030876, 0.033196},
		{2.5, 0.00700570, 0.015928, 0.009869},
		{3, 0.00147709, 0.003731, 0.002492},
	} {
		near(t, "α", halfinWhitt(row.beta), row.alpha, 5e-9)
		near(t, "β of α", squareRootBeta(row.alpha), row.beta, 1e-5)
		for _, at := range []struct{ load, want float64 }{{10, row.at10}, {100, row.at100}} {
			c := int(math.Ceil(at.load + row.beta*math.Sqrt(at.load)))
			near(t, "C at R + β√R", erlangC(at.load, c), at.want, 5e-7)
		}
	}
}

func TestNormalCDF(t *testing.T) {
	for _, x := range []float64{-9, -8, -3, -1, -0.1, 0, 0.1, 1, 2.5, 5, 8, 9} {
		near(t, "Φ", normalCDF(x), 0.5*math.Erfc(-x/math.Sqrt2), 4e-16)
	}
}
