package baseline

import (
	"math"

	"github.com/skynet-ec2/skynet/policy/detmath"
)

// nextErlangB returns Erlang's B, the share of arrivals that k servers with no
// waiting room turn away at an offered load of a, from b, that of k-1; with none
// it is 1. The recursion neither overflows nor cancels.
func nextErlangB(a, b float64, k int) float64 {
	ab := float64(a * b)
	return ab / (float64(k) + ab)
}

// waitingShare returns Erlang's C, the probability that an arrival has to wait
// for one of c servers in M/M/c, from his B at the same load; 1 where the queue
// grows for ever. Source: A. K. Erlang, 1917.
func waitingShare(a, b float64, c int) float64 {
	if a >= float64(c) {
		return 1
	}
	rho := a / float64(c)
	return b / (1 - float64(rho*(1-b)))
}

// waitingJobs returns the mean number of jobs that wait in M/M/c, c > a, from
// b, Erlang's B.
func waitingJobs(a, b float64, c int) float64 {
	return float64(waitingShare(a, b, c)*a) / (float64(c) - a)
}

// halfinWhitt returns the probability of waiting in a large system with
// R + β√R servers for a load of R, β > 0: [1 + βΦ(β)/φ(β)]⁻¹.
// Source: Halfin and Whitt, Operations Research 29(3), 1981.
func halfinWhitt(beta float64) float64 {
	density := normalDensity(beta)
	return density / (density + float64(beta*normalCDF(beta)))
}

// squareRootBeta returns the β at which halfinWhitt is p, 0 < p < 1.
func squareRootBeta(p float64) float64 {
	low, high := 0.0, 8.0 // halfinWhitt(8) is below 1e-15
	for range 60 {
		if mid := (low + high) / 2; halfinWhitt(mid) > p {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}

// normalDensity returns the standard normal density at x.
func normalDensity(x float64) float64 {
	return detmath.Exp(float64(-0.5*x)*x) / math.Sqrt(2*math.Pi)
}

// normalCDF returns the standard normal distribution at x, by the series
// Φ(x) = 1/2 + φ(x)(x + x³/3 + x⁵/(3·5) + …). For |x| <= 8 the absolute error
// is some 1e-16; the far left tail loses its relative precision.
// Source: G. Marsaglia, Journal of Statistical Software 11(4), 2004.
func normalCDF(x float64) float64 {
	switch {
	case x > 8:
		return 1
	case x < -8:
		return 0
	}
	sum, term := x, x
	for k := 3.0; ; k += 2 {
		term = float64(float64(term*x)*x) / k
		next := sum + term
		if next == sum {
			break
		}
		sum = next
	}
	return 0.5 + float64(sum*normalDensity(x))
}
