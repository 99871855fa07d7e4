package sim

import (
	"math"
	"math/cmplx"
)

// Exact results of queueing theory for a station of c servers, rate mu each,
// Poisson arrivals at rate lambda, first come first served within a priority.

// erlangC returns the probability that an arrival to M/M/c waits, by the
// recursion of Erlang's loss formula.
func erlangC(c int, lambda, mu float64) float64 {
	a := lambda / mu
	b := 1.0
	for k := 1; k <= c; k++ {
		b = a * b / (float64(k) + a*b)
	}
	rho := a / float64(c)
	return b / (1 - rho*(1-b))
}

// mmcWait returns the mean wait in M/M/c.
func mmcWait(c int, lambda, mu float64) float64 {
	return erlangC(c, lambda, mu) / (float64(c)*mu - lambda)
}

// mmcWaitQuantile returns the t with P(W > t) = 1 - p, 0 when fewer wait.
func mmcWaitQuantile(c int, lambda, mu, p float64) float64 {
	return max(0, math.Log(erlangC(c, lambda, mu)/(1-p))/(float64(c)*mu-lambda))
}

// mmcSojournTail returns P(T > t) in M/M/c, where theta = c*mu - lambda is not
// mu.
func mmcSojournTail(c int, lambda, mu, t float64) float64 {
	wait := erlangC(c, lambda, mu)
	theta := float64(c)*mu - lambda
	return (1-wait)*math.Exp(-mu*t) + wait*(theta*math.Exp(-mu*t)-mu*math.Exp(-theta*t))/(theta-mu)
}

// mdc is M/D/c with service time 1, solved as the chain of the number present
// at times one service apart: who is in service at t is gone at t+1, so
// N(t+1) = max(N(t)-c, 0) + Poisson(lambda). PASTA makes its law the one that
// arrivals see.
type mdc struct {
	c      int
	lambda float64
	p      []float64 // of 0, 1, 2 … present
}

func newMDC(c int, lambda float64) *mdc {
	rho := lambda / float64(c)
	// the tail falls roughly like exp(-2(1-rho)) per customer
	n := c + 40 + int(20/(1-rho))
	arrive := []float64{math.Exp(-lambda)}
	for k := 1; k < n; k++ {
		arrive = append(arrive, arrive[k-1]*lambda/float64(k))
	}
	p, next := make([]float64, n), make([]float64, n)
	p[0] = 1
	for change := 1.0; change > 1e-15; {
		clear(next)
		for i, at := range p {
			left := max(i-c, 0)
			for k := 0; left+k < n && (k < 20 || arrive[k] > 1e-18); k++ {
				next[left+k] += at * arrive[k]
			}
		}
		sum := 0.0
		for _, x := range next {
			sum += x
		}
		change = 0
		for i := range next {
			next[i] /= sum
			change += math.Abs(next[i] - p[i])
		}
		p, next = next, p
	}
	return &mdc{c, lambda, p}
}

// wait returns the mean wait, by Little's law from the number waiting.
func (q *mdc) wait() float64 {
	waiting := 0.0
	for i := q.c + 1; i < len(q.p); i++ {
		waiting += float64(i-q.c) * q.p[i]
	}
	return waiting / q.lambda
}

// waitTail returns P(W > t), by Franx (2001): for k-1 <= t < k,
// P(W <= t) = e^{-lambda(k-t)} sum_{j<kc} Q_{kc-1-j} (lambda(k-t))^j / j!
// with Q_m the probability that at most m wait.
func (q *mdc) waitTail(t float64) float64 {
	below := make([]float64, len(q.p)) // at most i present
	sum := 0.0
	for i, p := range q.p {
		sum += p
		below[i] = sum
	}
	k := math.Floor(t) + 1
	n := int(k) * q.c
	x := q.lambda * (k - t)
	term, within := math.Exp(-x), 0.0
	for j := range n {
		if j > 0 {
			term *= x / float64(j)
		}
		within += term * below[min(n-1-j+q.c, len(below)-1)]
	}
	return 1 - within
}

// cobham returns the mean wait of each priority in M/M/c with a common mu and
// no preemption (Cobham 1954).
func cobham(c int, mu float64, lambda []float64) []float64 {
	total := 0.0
	for _, l := range lambda {
		total += l
	}
	wait := erlangC(c, total, mu)
	power := float64(c) * mu
	var means []float64
	below := 0.0
	for _, l := range lambda {
		sigma := below + l/power
		means = append(means, wait/(power*(1-below)*(1-sigma)))
		below = sigma
	}
	return means
}

// priorityWaitTail returns P(W > t) for priority k of the same station (Kella
// and Yechiali 1985). The wait of those who wait has the transform
// theta/(theta + s + L - L*B(s)), with theta = c*mu less the load up to k, L
// the load above k, and B the busy period of M/M/1(L, c*mu); its tail is
// inverted numerically.
func priorityWaitTail(c int, mu float64, lambda []float64, k int, t float64) float64 {
	total, upTo := 0.0, 0.0
	for i, l := range lambda {
		total += l
		if i <= k {
			upTo += l
		}
	}
	power := float64(c) * mu
	theta, above := power-upTo, complex(upTo-lambda[k], 0)
	busy := func(s complex128) complex128 {
		if above == 0 {
			return 1
		}
		m := complex(power, 0)
		x := s + above + m
		g := 2 * cmplx.Sqrt(above*m)
		return (x - cmplx.Sqrt(x-g)*cmplx.Sqrt(x+g)) / (2 * above) // roots apart keep the branch
	}
	wait := func(s complex128) complex128 {
		th := complex(theta, 0)
		return th / (th + s + above - above*busy(s))
	}
	tail := func(s complex128) complex128 { return (1 - wait(s)) / s }
	return erlangC(c, total, mu) * invert(tail, t)
}

// invert returns the value at t > 0 of the function with the Laplace transform
// f, by the Euler method of Abate and Whitt (1995): within 1e-8 for smooth
// functions bounded by 1.
func invert(f func(complex128) complex128, t float64) float64 {
	const a, n, m = 18.4, 38, 11
	sum := real(f(complex(a/(2*t), 0))) / 2
	partial := make([]float64, m+1)
	for k := 1; k <= n+m; k++ {
		term := real(f(complex(a, 2*math.Pi*float64(k)) / complex(2*t, 0)))
		if k%2 == 1 {
			term = -term
		}
		sum += term
		if k >= n {
			partial[k-n] = sum
		}
	}
	average, weight := 0.0, math.Pow(2, -m)
	for k, s := range partial {
		average += weight * s
		weight *= float64(m-k) / float64(k+1)
	}
	return math.Exp(a/2) / t * average
}
