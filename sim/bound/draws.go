package bound

import (
	"math"

	"github.com/skynet-ec2/skynet/sim"
)

// draws is what is known of the boots that a fleet could draw. Lags are drawn
// by launch number; whoever wants the fast ones pays for every launch up to
// them, but launches before the judged time cost nothing.
type draws struct {
	least float64 // no boot is shorter, seconds
	// lags to bound with; the first is least. One above least overstates the
	// boots that are shorter, and certain takes that back.
	lags    []float64
	perBoot float64   // dollars per second of a boot, when lags has more than one
	drawn   []float32 // seconds, by launch number
}

// drawsMax is how many launches are looked at one by one.
const drawsMax = 20_000_000

func newDraws(w *world, g *grid) *draws {
	floor := g.floor(w)
	d := &draws{least: w.leastLag(3 * floor).Seconds()}
	d.lags = []float64{d.least}
	first := &w.types[0]
	for i := range w.types {
		if x := &w.types[i]; x.slots*x.perSlot != first.slots*first.perSlot {
			return d // a dear type could draw the fast boots, a cheap one the slow
		}
	}
	d.perBoot = first.slots * first.perSlot
	n := w.launches(3 * floor)
	if w.hourly || !(n < drawsMax) || d.perBoot == 0 {
		return d
	}
	faster := 1.0
	for i := range w.cfg.Faults {
		if f := &w.cfg.Faults[i]; f.Kind == sim.SlowBoot {
			faster = min(faster, f.Factor)
		}
	}
	d.drawn = make([]float32, int(n)+1)
	for id := range d.drawn {
		lag := w.lags.Of(0, int64(id))
		for typ := 1; typ < len(w.types); typ++ {
			lag = min(lag, w.lags.Of(typ, int64(id)))
		}
		d.drawn[id] = float32(lag.Seconds() * faster)
	}
	median := w.lags.Quantile(w.unit, 0.5).Seconds() * faster
	for _, lag := range []float64{0.6 * median, median} {
		if lag > d.least {
			d.lags = append(d.lags, lag)
		}
	}
	return d
}

// certain returns what is proved by a bound of usd that assumed every boot to
// take lag seconds at least. A fleet of n launches or more pays work and its
// boots; one of fewer pays usd, less what its shorter boots save. So the lesser
// of the two is proved, whatever n is: the best is where they meet.
func (d *draws) certain(work, usd, lag float64) float64 {
	if usd <= work {
		return usd
	}
	best := work
	lo, hi := 0, len(d.drawn)
	for hi-lo > 1 && hi-lo > lo/64 {
		n := (lo + hi) / 2
		boots, saved := d.window(n, lag)
		many, few := work+float64(d.perBoot*boots), usd-float64(d.perBoot*saved)
		best = max(best, min(many, few))
		if many < few {
			lo = n
		} else {
			hi = n
		}
	}
	return best
}

// window returns the least sum of n consecutive lags, and the most that n of
// them fall short of lag together.
func (d *draws) window(n int, lag float64) (boots, saved float64) {
	boots = math.Inf(1)
	var sum, short float64
	for i, x := range d.drawn {
		sum += float64(x)
		short += max(lag-float64(x), 0)
		if i >= n {
			y := float64(d.drawn[i-n])
			sum -= y
			short -= max(lag-y, 0)
		}
		if i >= n-1 {
			boots = min(boots, sum)
		}
		saved = max(saved, short)
	}
	return max(boots, 0), saved
}
