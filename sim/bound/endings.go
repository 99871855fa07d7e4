package bound

import (
	"math"
	"slices"

	"github.com/skynet-ec2/skynet/policy/detmath"
)

// endings tell what it costs that a drained instance works on until its last
// job is done. They are expectations: which jobs it will run, nobody plans.
type endings struct {
	ticks int
	tick  float64
	kinds int
	scale float64 // learned from replays
	// over is, by kind and lead, and by tick, the chance that a job runs that
	// takes longer than the lead.
	over [][]float32
	// on is, by kind and by tick, how long the instance works on, seconds.
	on [][]float32
}

// leads are the ticks before a window's end at which an instance may be drained.
var leads = []int32{1, 2, 3, 5, 8, 12}

// newEndings counts, for every tick, the jobs that would run then if every job
// started when it arrives, by how much is left of them. An instance has its
// share of them.
func newEndings(w *world, g *grid, kinds []kind) *endings {
	tick := w.cfg.Tick.Seconds()
	end := seconds(g.from + g.step*int64(g.steps))
	e := &endings{ticks: int(end/tick) + 2, tick: tick, kinds: len(kinds), scale: 1}
	beyond := []float64{0, 5, 15, 30, 60, 120, 300, 600} // seconds left
	if w.hourly {
		beyond = beyond[:1]
		for _, l := range leads {
			beyond = append(beyond, float64(float64(l)*tick))
		}
	}
	counts := e.running(g, beyond)
	for _, k := range kinds {
		chance := make([][]float32, len(beyond))
		for j := range beyond {
			chance[j] = make([]float32, e.ticks)
			for t := range e.ticks {
				busy := max(counts[0][t], 1e-9)
				share := k.slots / max(1.25*busy, k.slots)
				chance[j][t] = float32(1 - detmath.Exp(-min(float64(counts[j][t]*share), 50)))
			}
		}
		if w.hourly {
			e.over = append(e.over, chance[1:]...)
			continue
		}
		on := make([]float32, e.ticks)
		for t := range on {
			for j := range beyond {
				width := beyond[j]
				if j+1 < len(beyond) {
					width = beyond[j+1] - beyond[j]
				}
				on[t] += float32(width * float64(chance[j][t]))
			}
		}
		e.on = append(e.on, on)
	}
	return e
}

// running returns, for each of the times left and by tick, how many jobs would run
// then with more than that left.
func (e *endings) running(g *grid, beyond []float64) [][]float64 {
	counts := make([][]float64, len(beyond))
	for i := range counts {
		counts[i] = make([]float64, e.ticks+1)
	}
	from, h := seconds(g.from), g.seconds()
	for i := range g.cells {
		c := &g.cells[i]
		n := float64(c.n)
		start, service := from+float64((float64(c.step)+0.5)*h), c.work/n
		for j, x := range beyond {
			if service <= x {
				break
			}
			// between two ticks: its share of the tick it begins and ends in
			spread(counts[j], start/e.tick, (start+service-x)/e.tick, n)
		}
	}
	for _, v := range counts {
		for t := 1; t < len(v); t++ {
			v[t] += v[t-1]
		}
	}
	return counts
}

// spread adds n from a to b, in places, as differences of what is on average
// there.
func spread(v []float64, a, b, n float64) {
	last := float64(len(v) - 2)
	a, b = min(a, last), min(b, last)
	i, j := math.Floor(a), math.Floor(b)
	fa, fb := a-i, b-j
	v[int(i)] += float64(n * (1 - fa))
	v[int(i)+1] += float64(n * fa)
	v[int(j)] -= float64(n * (1 - fb))
	v[int(j)+1] -= float64(n * fb)
}

// overrun returns the chance that an instance drained lead ticks before off is
// busy at off.
func (e *endings) overrun(kind, lead, off int32) float64 {
	t := off - lead
	if t < 0 || int(t) >= e.ticks {
		return 0
	}
	i := slices.Index(leads, lead)
	return e.scale * float64(e.over[int(kind)*len(leads)+i][t])
}

// linger returns how long an instance drained at off works on, in seconds.
func (e *endings) linger(kind, off int32) float64 {
	if off < 0 || int(off) >= e.ticks {
		return 0
	}
	return e.scale * float64(e.on[kind][off])
}
