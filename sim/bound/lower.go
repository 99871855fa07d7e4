package bound

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy/detmath"
)

// lower computes the lower bound and what led to it.
func (r *Result) lower(ctx context.Context, w *world, g *grid, opt Options) error {
	d := newDraws(w, g)
	b := &bounder{w: w, g: g, draws: d, valuer: newValuer(w, g, d.least, opt.Parallel)}
	b.work = b.try("work", b.flat(1), false)
	for _, stage := range []func(context.Context, Options) error{b.first, b.market} {
		if err := stage(ctx, opt); err != nil {
			return err
		}
	}
	r.Bounds = b.bounds
	r.LowerUSD = down(b.best.usd)
	r.Step, r.From = time.Duration(g.step), time.Duration(g.from)
	r.Price = make([]float64, g.steps)
	for t, x := range b.shadow {
		r.Price[t] = x * 3600
	}
	return nil
}

// flat returns the same price for every step: a share of what a slot costs.
func (b *bounder) flat(share float64) []float64 {
	prices := make([]float64, b.g.steps)
	for t := range prices {
		prices[t] = float64(share * b.w.price)
	}
	return prices
}

// first tries flat prices with the first instance whole. At no price at all that
// is the cheapest cover of the jobs by one instance. The bound is concave in the
// price, so it falls away on both sides of its best.
func (b *bounder) first(ctx context.Context, opt Options) error {
	for i, lag := range b.draws.lags {
		b.lag = lag
		alone := b.try("first instance", b.flat(0), true)
		if alone < 0.1*b.work {
			continue // too cheap to matter
		}
		b.matters = true
		for _, share := range []float64{0.25, 0.5, 0.75} {
			if err := ctx.Err(); err != nil {
				return err
			}
			if usd := b.try("first instance and work", b.flat(share), true); usd < alone {
				break
			} else {
				alone = usd
			}
		}
		if opt.Progress != nil {
			opt.Progress("first instance", int64(i+1), int64(len(b.draws.lags)))
		}
	}
	return nil
}

const (
	marketIterations = 200 // a round, at least
	// marketWork is how many steps times sorts may be charged altogether.
	marketWork = 30_000_000
	marketMost = 24
	// hopeful is what share of the plain work's bound prices must prove early
	// on to be worth more rounds, where rounds are dear.
	hopeful = 0.9
)

// charges returns how often all sorts may be charged in every step.
func (g *grid) charges() int { return marketWork / (g.steps * len(g.sorts)) }

// marketRounds returns how many rounds the market is given: each charges once.
func (g *grid) marketRounds() int { return min(max(g.charges(), 2), marketMost) }

// iterations returns how many steps towards the prices a round makes: few where
// they are dear.
func (g *grid) iterations() int {
	return min(max(g.charges(), marketIterations), 2*marketIterations)
}

// market tries the prices of the fluid problem, in which who is late is free as
// well. Which class asks for the first instance is told apart by flat prices; where
// rounds cost little, every class is tried.
func (b *bounder) market(ctx context.Context, opt Options) error {
	b.lag = b.draws.lags[len(b.draws.lags)-1]
	asks := []int{-1}
	if b.w.hourly && b.matters {
		asks = []int{b.class}
		if list := b.promised(); len(list) > 0 && b.g.marketRounds() == marketMost {
			asks = list
		}
	}
	rounds := b.g.marketRounds()
	spare := b.g.charges()/len(asks) - rounds
	best := 0.0
	for i, class := range asks {
		progress := func(round int) {
			if opt.Progress != nil {
				opt.Progress("prices", int64(i*rounds+round), int64(len(asks)*rounds))
			}
		}
		usd, shadow, err := b.trade(ctx, class, rounds, spare, progress)
		if err != nil {
			return err
		}
		if usd > best || i == 0 {
			best, b.shadow = usd, shadow
		}
	}
	return nil
}

// promised lists the classes that are promised something and have jobs.
func (b *bounder) promised() []int {
	var list []int
	for i, c := range b.w.cfg.Classes {
		if c.Attain > 0 && b.g.arrived[i] > 0 {
			list = append(list, i)
		}
	}
	return list
}

// trade goes so many rounds between prices and who is late. The class asks for an
// instance, unless it is negative. spare charges are left for what lies between the
// prices. It returns what the best prices prove, and the prices of a core. The bound is concave between flat prices and those of the
// rounds: where a step towards them gains nothing, a longer one may still, but
// not by much.
func (b *bounder) trade(ctx context.Context, class, rounds, spare int, progress func(round int)) (best float64, shadow []float64, err error) {
	m := newMarket(b.valuer)
	q := newGuess(b.valuer, m, class)
	name, cover := "prices", m.rows != nil
	if cover {
		name, b.class = "first instance and prices", class
	}
	mean, means := make([]float64, b.g.steps), 0 // of the later rounds
	var tried []trial
	steps := b.g.iterations()
	for round := range rounds {
		m.load(q.late, q.absent)
		if err := m.iterate(ctx, steps/2); err != nil {
			return 0, nil, err
		}
		m.forget()
		if err := m.iterate(ctx, steps/2); err != nil {
			return 0, nil, err
		}
		prices := m.prices(1)
		usd, p := b.attempt(name, prices, cover)
		progress(round + 1)
		if usd > best || round == 0 {
			best, shadow = usd, prices
		}
		if usd < hopeful*b.work && rounds < marketMost && round >= max(1, rounds/4) {
			break
		}
		if 2*round >= rounds {
			means++
			mix(mean, prices, 1/float64(means))
			shadow = mean
		}
		tried = append(tried, trial{prices, usd})
		q.learn(p, m.rows, m.charges())
	}
	if means > 0 && best > 0.97*b.work {
		best = max(best, b.try(name, mean, cover), b.try(name, b.toFlat(mean, 0.9), cover))
	}
	if spare > 0 {
		for _, share := range []float64{0, 0.5, 1} {
			flat := b.flat(share)
			tried = append(tried, trial{flat, b.try(name, flat, cover)})
		}
		best = max(best, b.between(ctx, name, tried, cover, spare))
	}
	return best, shadow, ctx.Err()
}

// trial is prices that were tried, and what they proved.
type trial struct {
	prices []float64
	usd    float64
}

// between looks for prices that prove more between those that were tried, with so
// many charges: the bound is concave in them. It returns what it found.
func (b *bounder) between(ctx context.Context, name string, tried []trial, cover bool, charges int) float64 {
	best := slices.MaxFunc(tried, func(x, y trial) int { return cmp.Compare(x.usd, y.usd) })
	const looks = 8 // on the way from the best to another
	for before := 0.0; best.usd > before*1.001; {
		before = best.usd
		for _, x := range tried {
			if charges -= looks; charges < 0 || ctx.Err() != nil {
				return best.usd
			}
			at := best.prices
			golden(0, 1, looks-2, func(share float64) float64 {
				y := slices.Clone(at)
				mix(y, x.prices, share)
				usd := b.try(name, y, cover)
				if usd > best.usd {
					best = trial{y, usd}
				}
				return usd
			})
		}
	}
	return best.usd
}

// golden looks for the greatest value of a concave f between lo and hi, by golden
// section: so many times and twice. Of equals it goes on with the lower half.
func golden(lo, hi float64, rounds int, f func(x float64) float64) float64 {
	const golden = 0.6180339887498949
	x, y := hi-float64(golden*(hi-lo)), lo+float64(golden*(hi-lo))
	fx, fy := f(x), f(y)
	best := max(fx, fy)
	for range rounds {
		if fx >= fy {
			hi, y, fy = y, x, fx
			x = hi - float64(golden*(hi-lo))
			fx = f(x)
		} else {
			lo, x, fx = x, y, fy
			y = lo + float64(golden*(hi-lo))
			fy = f(y)
		}
		best = max(best, fx, fy)
	}
	return best
}

// toFlat returns a share of prices and the rest of the flat price.
func (b *bounder) toFlat(prices []float64, share float64) []float64 {
	out := b.flat(1 - share)
	for t, x := range prices {
		out[t] += float64(share * x)
	}
	return out
}

// bounder tries prices and keeps what proves most.
type bounder struct {
	*valuer
	w      *world
	g      *grid
	draws  *draws
	work   float64
	best   candidate
	shadow []float64 // prices of the fluid problem
	bounds []Bound
	class  int // that asks for the first instance; valid when asked
	asked  bool
	// matters: the first instance alone is a good part of the work's cost.
	matters bool
}

// try returns what prices prove once they are feasible, with the first instance
// whole if cover says so, and notes it.
func (b *bounder) try(name string, prices []float64, cover bool) float64 {
	usd, _ := b.attempt(name, prices, cover)
	return usd
}

// attempt is try, with the proof.
func (b *bounder) attempt(name string, prices []float64, cover bool) (float64, proof) {
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
	if usd > b.best.usd || b.best.name == "" {
		b.best = candidate{usd, name}
	}
	return usd, p
}

// candidate is what some prices prove.
type candidate struct {
	usd  float64
	name string
}

// covered returns the bound of prices with the first instance whole: the best
// over the classes that may ask for it, and over the price of being late.
func (b *bounder) covered(prices []float64, p proof) float64 {
	const rounds = 14
	if b.asked {
		return b.coveredFor(b.class, prices, p, rounds)
	}
	usd := make([]float64, len(b.w.cfg.Classes))
	b.each(len(usd), func(class int) {
		if b.w.cfg.Classes[class].Attain > 0 && b.g.arrived[class] > 0 {
			usd[class] = b.coveredFor(class, prices, p, rounds)
		}
	})
	best := p.sum
	for class, x := range usd {
		if x > best {
			best, b.class = x, class
		}
	}
	b.asked = true
	return best
}

// coveredFor is covered for one class.
func (b *bounder) coveredFor(class int, prices []float64, p proof, rounds int) float64 {
	c := b.claimsOf(class)
	at := func(theta float64) float64 {
		theta = float64(b.w.price * tenTo(theta))
		return p.sum - p.jobs[class] + c.pay(theta) + b.cover(c, theta, prices)
	}
	// concave in theta: over its power of ten, in slot-seconds a job; the least
	// price of those that do the same
	return max(p.sum, golden(-4, 6, rounds, at))
}

// down returns usd lowered by more than its rounding errors, and those of
// bills, and to the millionth.
func down(usd float64) float64 {
	return math.Floor(usd*(1-1e-6)*1e6) / 1e6
}

// tenTo returns 10^x.
func tenTo(x float64) float64 { return detmath.Exp(x * 2.302585092994046) }
