package bound

import (
	"context"
	"math"
	"slices"
	"time"
)

// lower computes the lower bound and what led to it.
func (r *Result) lower(ctx context.Context, w *world, g *grid, opt Options) error {
	d := newDraws(w, g)
	b := &bounder{w: w, g: g, draws: d, valuer: newValuer(w, g, d.least, opt.Parallel)}
	flat := make([]float64, g.steps)
	for t := range flat {
		flat[t] = w.price
	}
	b.work = b.try("work", flat, false)
	for _, lag := range d.lags {
		b.valuer.lag = lag
		for t := range flat {
			flat[t] = 0
		}
		alone := b.try("first instance", flat, true)
		if alone < 0.1*b.work {
			continue
		}
		for t := range flat {
			flat[t] = float64(0.5 * w.price)
		}
		b.try("half the work and the first instance", flat, true)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	r.Bounds = b.bounds
	r.LowerUSD = down(b.best.usd)
	r.Step, r.From = time.Duration(g.step), time.Duration(g.from)
	r.Price = make([]float64, g.steps)
	for t, x := range b.best.prices {
		r.Price[t] = x * 3600
	}
	return nil
}

// bounder tries prices and keeps what proves most.
type bounder struct {
	*valuer
	w      *world
	g      *grid
	draws  *draws
	work   float64
	best   candidate
	bounds []Bound
	class  int // that asks for the first instance; valid when asked
	asked  bool
}

// try returns what prices prove once they are feasible, with the first instance
// whole if cover says so, and notes it.
func (b *bounder) try(name string, prices []float64, cover bool) float64 {
	prices = slices.Clone(prices)
	b.feasible(prices)
	p := b.prove(prices)
	usd := p.sum
	if cover {
		usd = b.covered(prices, p)
	}
	if b.lag > b.draws.least {
		usd = b.draws.certain(b.work, usd, b.lag)
	}
	i := slices.IndexFunc(b.bounds, func(x Bound) bool { return x.Name == name })
	if i < 0 {
		i = len(b.bounds)
		b.bounds = append(b.bounds, Bound{name, usd})
	}
	b.bounds[i].USD = max(b.bounds[i].USD, usd)
	if usd > b.best.usd || b.best.prices == nil {
		b.best = candidate{usd, prices}
	}
	return usd
}

// candidate is what a vector of prices proves.
type candidate struct {
	usd    float64
	prices []float64
}

// covered returns the bound of prices with the first instance whole: the best
// over the classes that may ask for it, and over the price of being late.
func (b *bounder) covered(prices []float64, p proof) float64 {
	if b.asked {
		return b.coveredFor(b.class, prices, p, 14)
	}
	best := p.sum
	for class := range b.w.cfg.Classes {
		if b.w.cfg.Classes[class].Attain == 0 || b.g.arrived[class] == 0 {
			continue
		}
		if usd := b.coveredFor(class, prices, p, 14); usd > best {
			best, b.class = usd, class
		}
	}
	b.asked = true
	return best
}

// coveredFor is covered for one class.
func (b *bounder) coveredFor(class int, prices []float64, p proof, rounds int) float64 {
	at := func(theta float64) float64 {
		return p.sum - p.jobs[class] + b.pay(class, theta) + b.cover(class, theta, prices)
	}
	// concave in theta: golden section over its power of ten, dollars a job
	lo, hi := -9.0, 1.0
	const golden = 0.6180339887498949
	x, y := hi-golden*(hi-lo), lo+golden*(hi-lo)
	fx, fy := at(tenTo(x)), at(tenTo(y))
	best := max(p.sum, fx, fy)
	for range rounds {
		if fx >= fy { // the least price of those that do the same
			hi, y, fy = y, x, fx
			x = hi - golden*(hi-lo)
			fx = at(tenTo(x))
		} else {
			lo, x, fx = x, y, fy
			y = lo + golden*(hi-lo)
			fy = at(tenTo(y))
		}
		best = max(best, fx, fy)
	}
	return best
}

// down returns usd lowered by more than its rounding errors, and those of
// bills, and to the millionth.
func down(usd float64) float64 {
	return math.Floor(usd*(1-1e-6)*1e6) / 1e6
}
