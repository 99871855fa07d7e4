package traces

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/skynet-ec2/skynet/policy/draw"
)

// Poisson describes independent Poisson streams of jobs, as the closed forms
// of queueing theory assume: M/M/c, M/D/c, and both with priorities.
type Poisson struct {
	Start    time.Time     // UTC instant of arrival 0; may be zero
	Duration time.Duration // 0: no bound
	Jobs     int64         // the trace ends after so many; 0: no bound. One of the two must be set
	Seed     uint64
	Classes  []PoissonClass // at least one, at most 256
}

// PoissonClass is one stream of jobs.
type PoissonClass struct {
	Type      string
	Priority  uint8
	PerSecond float64 // above 0, at most 1e6
	Service   ServiceTime
}

// Validate returns everything that is wrong with c; nil when Source will
// accept it.
func (c *Poisson) Validate() error {
	var errs []error
	if c.Duration < 0 || c.Jobs < 0 || c.Duration == 0 && c.Jobs == 0 {
		errs = append(errs, fmt.Errorf("duration = %v, jobs = %d: must not be negative, and one must be more than 0", c.Duration, c.Jobs))
	}
	if n := len(c.Classes); n == 0 || n > 256 {
		errs = append(errs, fmt.Errorf("%d classes: must be from 1 to 256", n))
	}
	for i, k := range c.Classes {
		if k.Type == "" || checkName([]byte(k.Type)) != nil {
			errs = append(errs, fmt.Errorf("class[%d].type = %s: must be a name of at most %d bytes", i, shown(k.Type), NameMax))
		}
		if !(k.PerSecond > 0 && k.PerSecond <= 1e6) {
			errs = append(errs, fmt.Errorf("class[%d].per_second = %v: must be above 0, at most 1e6", i, k.PerSecond))
		}
		errs = append(errs, k.Service.validate(fmt.Sprintf("class[%d].service", i)))
	}
	return errors.Join(errs...)
}

// Source returns the jobs in order of arrival. It fails if c does not
// validate. The same c gives the same jobs, always.
func (c *Poisson) Source() (Source, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	g := &arrivals{
		meta:    Meta{Name: "poisson", Start: c.Start, Jobs: -1, Origin: fmt.Sprintf("poisson seed %d", c.Seed)},
		end:     int64(c.Duration),
		jobs:    c.Jobs,
		arrive:  draw.New(c.Seed, "arrival"),
		class:   draw.New(c.Seed, "class"),
		service: draw.New(c.Seed, "service"),
	}
	for _, k := range c.Classes {
		g.rate += k.PerSecond / 1e9
	}
	share := 0.0
	for _, k := range c.Classes {
		kind, err := g.kinds.named(k.Type, k.Priority, 0)
		if err != nil {
			return nil, err
		}
		share += k.PerSecond / 1e9 / g.rate
		g.classes = append(g.classes, arrivalClass{kind: kind, upTo: share, draw: k.Service.drawer()})
	}
	return g, nil
}

// Sinusoid describes a Poisson stream whose rate swings around its mean,
// lambda(t) = Mean + Amplitude sin(2 pi t / Period), as in the Mt/M/infinity
// model of Eick, Massey and Whitt (Management Science 39, 1993).
type Sinusoid struct {
	Start     time.Time     // UTC instant of arrival 0; may be zero
	Duration  time.Duration // more than 0
	Seed      uint64
	Type      string
	Priority  uint8
	PerHour   float64       // mean rate; above 0, at most 1e9
	Amplitude float64       // of the rate, per hour; 0 to PerHour
	Period    time.Duration // 1 s to 1 year
	Service   ServiceTime
}

// Validate returns everything that is wrong with c; nil when Source will
// accept it.
func (c *Sinusoid) Validate() error {
	var errs []error
	if c.Duration <= 0 {
		errs = append(errs, fmt.Errorf("duration = %v: must be more than 0", c.Duration))
	}
	if c.Type == "" || checkName([]byte(c.Type)) != nil {
		errs = append(errs, fmt.Errorf("type = %s: must be a name of at most %d bytes", shown(c.Type), NameMax))
	}
	if !(c.PerHour > 0 && c.PerHour <= 1e9) {
		errs = append(errs, fmt.Errorf("per_hour = %v: must be above 0, at most 1e9", c.PerHour))
	}
	if !(c.Amplitude >= 0 && c.Amplitude <= c.PerHour) {
		errs = append(errs, fmt.Errorf("amplitude = %v: must be from 0 to per_hour (%v)", c.Amplitude, c.PerHour))
	}
	if c.Period < time.Second || c.Period > 365*24*time.Hour {
		errs = append(errs, fmt.Errorf("period = %v: must be from 1s to 8760h", c.Period))
	}
	return errors.Join(append(errs, c.Service.validate("service"))...)
}

// Source returns the jobs in order of arrival, by thinning a stream of the
// greatest rate. It fails if c does not validate. The same c gives the same
// jobs, always.
func (c *Sinusoid) Source() (Source, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	g := &arrivals{
		meta:    Meta{Name: "sinusoid", Start: c.Start, Jobs: -1, Origin: fmt.Sprintf("sinusoid seed %d", c.Seed)},
		end:     int64(c.Duration),
		rate:    (c.PerHour + c.Amplitude) / 3600e9,
		arrive:  draw.New(c.Seed, "arrival"),
		class:   draw.New(c.Seed, "thinning"),
		service: draw.New(c.Seed, "service"),
	}
	kind, err := g.kinds.named(c.Type, c.Priority, 0)
	if err != nil {
		return nil, err
	}
	g.classes = []arrivalClass{{kind: kind, draw: c.Service.drawer()}}
	period, mean, swing := int64(c.Period), c.PerHour/(c.PerHour+c.Amplitude), c.Amplitude/(c.PerHour+c.Amplitude)
	g.keep = func(at int64) float64 {
		return mean + float64(swing*sinTurn(float64(at%period)/float64(period)))
	}
	return g, nil
}

// arrivals makes Poisson arrivals of several classes, or thinned ones of one.
type arrivals struct {
	meta    Meta
	end     int64   // 0: none
	jobs    int64   // 0: no bound
	rate    float64 // per ns, of all classes
	classes []arrivalClass
	keep    func(at int64) float64 // probability that an arrival stays; nil: 1

	arrive, class, service stream

	at    int64
	n     int64
	kinds kindSet
	out   Batch
	done  bool
}

type arrivalClass struct {
	kind uint16
	upTo float64 // share of all arrivals, with those of the classes ahead
	draw func(*stream) int64
}

func (g *arrivals) Next(b *Batch) error {
	g.out.reset()
	g.out.First = g.n
	for g.out.Len() < batchLen && !g.done {
		g.at += int64(g.arrive.Exponential()/g.rate + 0.5)
		if g.end > 0 && g.at >= g.end || g.at > TimeMax {
			g.done = true
			break
		}
		k := &g.classes[0]
		switch {
		case g.keep != nil:
			if g.class.Unit() >= g.keep(g.at) {
				continue
			}
		case len(g.classes) > 1:
			u := g.class.Unit()
			for i := range g.classes {
				if k = &g.classes[i]; u < k.upTo {
					break
				}
			}
		}
		g.out.Arrival = append(g.out.Arrival, g.at)
		g.out.Service = append(g.out.Service, k.draw(&g.service))
		g.out.Kind = append(g.out.Kind, k.kind)
		if g.n++; g.n == g.jobs {
			g.done = true
		}
	}
	if g.out.Len() == 0 {
		g.meta.Jobs, g.meta.Span = g.n, 0
		return io.EOF
	}
	g.out.Kinds = g.kinds.kinds
	*b = g.out
	return nil
}

func (g *arrivals) Meta() Meta   { return g.meta }
func (g *arrivals) Close() error { return nil }

// sinTurn returns the sine of x turns, x in [0, 1), the same bits on every
// machine, within 1e-14.
func sinTurn(x float64) float64 {
	sign := 1.0
	if x >= 0.5 {
		x, sign = x-0.5, -1
	}
	if x > 0.25 {
		x = 0.5 - x
	}
	const tau = 6.283185307179586
	r := float64(tau * x) // 0 to pi/2
	r2 := float64(r * r)
	sum, term := r, r
	for n := 3.0; n <= 23; n += 2 {
		term = float64(term*r2) / float64(-n*(n-1))
		sum += term
	}
	return sign * sum
}
