// Package detmath holds the elementary functions whose last bit decides what
// a policy does. The standard library's Exp and Log differ between
// architectures, and a compiler may fuse x*y+z into one rounding; here every
// product is rounded explicitly, so the same input gives the same bits on
// amd64, arm64 and everywhere else. Results are within two units in the last
// place of the true value.
package detmath

import "math"

const (
	ln2Hi = 0x1.62e42fefa3800p-1  // ln 2, its last 11 bits zero: k*ln2Hi is exact for |k| < 2048
	ln2Lo = 0x1.ef35793c76730p-45 // ln 2 - ln2Hi
)

// reciprocals of factorials, from 1/13! down to 1/2!: the Taylor series of
// e^r - 1 - r over r² converges to 1e-17 for |r| <= ln2/2.
var expTerms = [...]float64{
	1.0 / 6227020800, 1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880,
	1.0 / 40320, 1.0 / 5040, 1.0 / 720, 1.0 / 120, 1.0 / 24, 1.0 / 6, 1.0 / 2,
}

// Exp returns e to the power x. It is 0 below -745.2 and +Inf above 709.8.
func Exp(x float64) float64 {
	switch {
	case x != x:
		return x
	case x > 709.782712893384:
		return math.Inf(1)
	case x < -745.1332191019412:
		return 0
	}
	k := math.Floor(float64(x*(1/math.Ln2)) + 0.5)
	r := x - float64(k*ln2Hi)
	lo := float64(k * ln2Lo)
	r -= lo
	p := 0.0
	for _, c := range expTerms {
		p = float64(p*r) + c
	}
	y := float64(float64(r*r)*p) + r
	return math.Ldexp(1+y, int(k))
}

// Log returns the natural logarithm of x: -Inf at 0, NaN below.
func Log(x float64) float64 {
	switch {
	case x != x || x < 0:
		return math.NaN()
	case x == 0:
		return math.Inf(-1)
	case math.IsInf(x, 1):
		return x
	}
	m, e := math.Frexp(x) // m in [1/2, 1)
	if m < math.Sqrt2/2 {
		m *= 2
		e--
	}
	// ln m = 2 artanh s, |s| <= 0.1716
	s := (m - 1) / (m + 1)
	s2 := float64(s * s)
	p := 0.0
	for n := 23; n >= 3; n -= 2 {
		p = float64(p*s2) + 1/float64(n)
	}
	k := float64(e)
	tail := float64(2*float64(float64(s*s2)*p)) + float64(k*ln2Lo)
	return float64(k*ln2Hi) + (2*s + tail)
}

// Pow returns x to the power y for x >= 0, as Exp(y Log x).
func Pow(x, y float64) float64 {
	switch {
	case y == 0:
		return 1
	case x == 0:
		return 0
	}
	return Exp(float64(y * Log(x)))
}

// NormalQuantile returns the p-quantile of the standard normal distribution,
// p in (0, 1); -Inf at 0 and +Inf at 1. Source: M. Wichura, algorithm AS 241
// (PPND16), Applied Statistics 37 (1988), relative error about 1e-16.
func NormalQuantile(p float64) float64 {
	switch {
	case p != p || p < 0 || p > 1:
		return math.NaN()
	case p == 0:
		return math.Inf(-1)
	case p == 1:
		return math.Inf(1)
	}
	q := p - 0.5
	if math.Abs(q) <= 0.425 {
		r := 0.180625 - float64(q*q)
		return q * horner(&centreNum, r) / horner(&centreDen, r)
	}
	r := p
	if q > 0 {
		r = 1 - p
	}
	r = math.Sqrt(-Log(r))
	var z float64
	if r <= 5 {
		r -= 1.6
		z = horner(&middleNum, r) / horner(&middleDen, r)
	} else {
		r -= 5
		z = horner(&tailNum, r) / horner(&tailDen, r)
	}
	if q < 0 {
		return -z
	}
	return z
}

// horner evaluates the polynomial whose coefficients run from the highest
// power down.
func horner(c *[8]float64, x float64) float64 {
	p := c[0]
	for _, k := range c[1:] {
		p = float64(p*x) + k
	}
	return p
}

var (
	centreNum = [8]float64{2.5090809287301226727e+3, 3.3430575583588128105e+4, 6.7265770927008700853e+4, 4.5921953931549871457e+4, 1.3731693765509461125e+4, 1.9715909503065514427e+3, 1.3314166789178437745e+2, 3.3871328727963666080}
	centreDen = [8]float64{5.2264952788528545610e+3, 2.8729085735721942674e+4, 3.9307895800092710610e+4, 2.1213794301586595867e+4, 5.3941960214247511077e+3, 6.8718700749205790830e+2, 4.2313330701600911252e+1, 1}
	middleNum = [8]float64{7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258, 3.64784832476320460504, 5.76949722146069140550, 4.63033784615654529590, 1.42343711074968357734}
	middleDen = [8]float64{1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940, 2.05319162663775882187, 1}
	tailNum   = [8]float64{2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2, 2.96560571828504891230e-1, 1.78482653991729133580, 5.46378491116411436990, 6.65790464350110377720}
	tailDen   = [8]float64{2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4, 1.48753612908506148525e-2, 1.36929880922735805310e-1, 5.99832206555887937690e-1, 1}
)
