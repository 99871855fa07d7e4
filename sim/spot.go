package sim

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
	"github.com/skynet-ec2/skynet/policy/draw"
)

// spotPrices are the prices of the spot market: step functions by type, as they
// were recorded, or drawn by the hour. Drawn log prices return to their mean like
// an Ornstein-Uhlenbeck process; the step of hour h depends on the seed, the type
// and h alone.
type spotPrices struct {
	cfg   *Config
	noise []draw.Stream
	log   []float64 // deviation of the log price by type
	hour  int64     // of log
	past  []int     // by type: points of its record that are past
	now   []policy.MicroUSD
}

// newSpotPrices returns the market of the world cfg, which has one, at time 0.
func newSpotPrices(cfg *Config) *spotPrices {
	p := &spotPrices{cfg: cfg, hour: -1}
	for i := range cfg.Catalog.Types {
		p.noise = append(p.noise, newStream(cfg.Seed, "spot-price "+cfg.Catalog.Types[i].Name))
		p.log = append(p.log, 0)
		p.past = append(p.past, 0)
		p.now = append(p.now, 0)
	}
	p.advance(0)
	return p
}

func (e *engine) startSpot() {
	if e.cfg.Spot == nil {
		return
	}
	e.spot = newSpotPrices(e.cfg)
	e.rare.push(0, pricesMove, 0)
}

// next returns when after t prices move: at the hour, and where one is recorded.
func (p *spotPrices) next(t int64) int64 {
	next := (t/int64(time.Hour) + 1) * int64(time.Hour)
	for i := range p.past {
		series := p.cfg.Spot.Series[p.cfg.Catalog.Types[i].Name]
		if k := p.past[i]; k < len(series) {
			next = min(next, max(int64(series[k].At), t+1))
		}
	}
	return next
}

// advance makes now the prices at time t.
func (p *spotPrices) advance(t int64) {
	m := p.cfg.Spot
	hour := t / int64(time.Hour)
	keep := 0.0
	if m.Revert > 0 {
		keep = detmath.Exp(-1 / m.Revert.Hours())
	}
	spread := math.Sqrt(1 - float64(keep*keep)) // so that the variance stays Volatility squared
	for p.hour < hour {
		p.hour++
		for i := range p.log {
			shock := float64(m.Volatility * spread * detmath.NormalQuantile(p.noise[i].UnitAt(p.hour)))
			p.log[i] = float64(keep*p.log[i]) + shock
		}
	}
	for i := range p.now {
		t0 := &p.cfg.Catalog.Types[i]
		if series, ok := m.Series[t0.Name]; ok {
			for p.past[i] < len(series) && int64(series[p.past[i]].At) <= t {
				p.now[i] = series[p.past[i]].Price
				p.past[i]++
			}
			continue
		}
		mean := t0.PerHour.Dollars() * m.Discount
		if price, err := policy.FromDollars(mean * detmath.Exp(p.log[i])); err == nil {
			p.now[i] = price
		}
	}
}

func (p *spotPrices) price(typ int) policy.MicroUSD { return p.now[typ] }

// spotMoves takes the market to its present prices.
func (e *engine) spotMoves() {
	e.spot.advance(e.now)
	e.movePrices()
	e.rare.push(e.spot.next(e.now), pricesMove, 0)
}

// scheduleInterruption draws when a spot instance is taken back for reasons
// other than its price.
func (e *engine) scheduleInterruption(in *instance) {
	if at := e.interruptedAt(in.id, in.market, e.now); at != never {
		e.pushLater(at, noticed, in.id)
	}
}
