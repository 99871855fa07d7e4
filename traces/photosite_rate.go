package traces

import (
	"math"

	"github.com/skynet-ec2/skynet/policy/detmath"
)

// dayLevel returns the factor of a local day: its own level times that of an
// event that covers it.
func (g *photoGenerator) dayLevel(day int64) float64 {
	r := g.c.Rate
	level := 1.0
	if r.DaySpread > 0 {
		draw := g.days.Of(day)
		sigma := lognormalSigma(r.DaySpread)
		level = exp(float64(sigma*draw.Normal()) - float64(sigma*sigma/2))
	}
	event := 1.0
	if r.EventsPerYear > 0 {
		const longest = 3
		for ago := range int64(longest) {
			draw := g.events.Of(day - ago)
			if draw.Unit() < r.EventsPerYear/365 && int64(draw.Below(longest)) >= ago {
				event = max(event, 1.5+draw.Unit())
			}
		}
	}
	return level * event
}

// surge returns the mean factor of the surges between from and to.
func (g *photoGenerator) surge(from, to int64) float64 {
	factor := 1.0
	for _, s := range g.c.Rate.Surges {
		inside := min(to, int64(s.At)+int64(s.For)) - max(from, int64(s.At))
		if inside > 0 {
			factor *= 1 + float64((s.Factor-1)*(float64(inside)/float64(to-from)))
		}
	}
	return factor
}

// mood is the level of the hour: a lognormal process of mean 1 that moves
// every five minutes and forgets slowly (autoregressive of order one).
type mood struct {
	draw    stream
	x       float64
	sigma   float64
	keep    float64 // correlation over five minutes
	novelty float64
}

func newMood(r RateModel, draw stream) mood {
	m := mood{draw: draw, sigma: lognormalSigma(r.HourSpread), keep: detmath.Pow(r.HourPersistence, 1.0/12)}
	m.novelty = float64(m.sigma * math.Sqrt(1-float64(m.keep*m.keep)))
	m.x = float64(m.sigma * m.draw.Normal())
	return m
}

// next returns the level of the next five minutes.
func (m *mood) next() float64 {
	if m.sigma == 0 {
		return 1
	}
	level := exp(m.x - float64(m.sigma*m.sigma/2))
	m.x = float64(m.keep*m.x) + float64(m.novelty*m.draw.Normal())
	return level
}

// poisson is a Poisson process whose rate may change from call to call.
type poisson struct {
	draw  stream
	ahead float64 // what the rate must add up to until the next event
	n     int64   // events so far
}

func newPoisson(draw stream) poisson {
	p := poisson{draw: draw}
	p.ahead = p.draw.Exponential()
	return p
}

// events calls f with the time and the number of every event from from until
// to, at a rate in events per ns.
func (p *poisson) events(from, to int64, rate float64, f func(at, n int64)) {
	at := float64(from)
	for rate > 0 {
		next := at + p.ahead/rate
		if next >= float64(to) {
			p.ahead -= float64(rate * (float64(to) - at))
			return
		}
		f(int64(next), p.n)
		p.n++
		at = next
		p.ahead = p.draw.Exponential()
	}
}
