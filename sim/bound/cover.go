package bound

import "math"

// cover returns the least that having any instance at all adds to what the jobs
// pay, in dollars: at the prices, with theta the price of being late, the
// cheapest times for one instance such that every job of the class finds it
// within its window or is late. It is at least 0.
//
// Whoever serves a job in time has an instance ready in its window. Of all that
// are ready, one at least is in these times, and none earns more from the prices
// than it costs; so what the cheapest such times cost, over what they earn, is
// paid on top.
func (v *valuer) cover(c *claims, theta float64, prices []float64) float64 {
	g := v.g
	// what a step's jobs pay more when they find no instance
	missed := make([]float64, g.steps+1)
	c.missed(theta, missed)
	for t := range g.steps {
		missed[t+1] += missed[t]
	}
	// a job of step a is not served when nothing is ready in a … a+reach; one
	// step more on either side, for times that begin or end within a step
	reach := int(math.Ceil(c.room/g.seconds())) + 1
	d := coverage{v: v, missed: missed, reach: reach, never: -1}
	if v.w.judge == 0 {
		d.never = v.from
	}
	if v.w.hourly {
		return d.windows(prices)
	}
	return d.seconds(prices)
}

// coverage finds the cheapest times.
type coverage struct {
	v      *valuer
	missed []float64 // sums up to a step
	reach  int
	never  int // the step before which nothing was ready; -1: something may have been
}

// gap returns what the jobs pay more that find nothing ready in off … on−1.
func (d *coverage) gap(off, on int) float64 {
	if from, to := d.after(off), on-d.reach-1; to > from {
		return d.missed[to] - d.missed[from]
	}
	return 0
}

// after returns the first step whose jobs find nothing that was ready before off.
func (d *coverage) after(off int) int {
	if off == d.never {
		return off
	}
	return off + 1
}

// open keeps, while the step t at which the instance may come back rises, the
// least of best[off] + gap(off, t) over all off < t, or all off <= t.
type open struct {
	d     *coverage
	best  []float64 // the cheapest way to be off from a step on
	far   float64   // least of best[off] − missed[after(off)] of those far enough
	next  int       // the first that is not far enough
	queue slidingMin
}

// at returns that least for t; best must be known up to t−1 (or t).
func (o *open) at(t int) float64 {
	missed := o.d.missed
	least := o.queue.least()
	to := t - o.d.reach - 1
	for ; o.next < len(o.best) && o.d.after(o.next) < to; o.next++ {
		if !math.IsInf(o.best[o.next], 1) {
			o.far = min(o.far, o.best[o.next]-missed[o.d.after(o.next)])
		}
		o.queue.drop(o.next)
		least = o.queue.least()
	}
	if to > 0 && !math.IsInf(o.far, 1) {
		least = min(least, o.far+missed[to])
	}
	return least
}

// slidingMin is a queue of values whose least is at its head.
type slidingMin struct {
	at    []int
	value []float64
	head  int
}

func (q *slidingMin) push(at int, x float64) {
	for len(q.at) > q.head && q.value[len(q.value)-1] >= x {
		q.at, q.value = q.at[:len(q.at)-1], q.value[:len(q.value)-1]
	}
	q.at, q.value = append(q.at, at), append(q.value, x)
}

// drop forgets what was pushed at or before at.
func (q *slidingMin) drop(at int) {
	for q.head < len(q.at) && q.at[q.head] <= at {
		q.head++
	}
}

func (q *slidingMin) least() float64 {
	if q.head == len(q.at) {
		return math.Inf(1)
	}
	return q.value[q.head]
}

// seconds: an instance pays for every step it is on and for its boots.
func (d *coverage) seconds(prices []float64) float64 {
	v, g := d.v, d.v.g
	h := g.seconds()
	boot := math.Inf(1)
	for i := range v.w.types {
		t := &v.w.types[i]
		boot = min(boot, t.slots*t.perSlot*v.lag)
	}
	step := func(t int) float64 {
		least := math.Inf(1)
		for i := range v.w.types {
			o := &v.w.types[i]
			x := 0.0
			if t < len(prices) {
				x = prices[t]
			}
			cost := float64(o.slots * (o.perSlot - float64(o.rate*x)))
			if len(v.w.types) > 1 {
				cost = max(cost, 0) // times of two types may overlap
			}
			least = min(least, cost)
		}
		return float64(h * least)
	}
	// Who launches pays for a minute; so once on, it stays on for the rest of it: for
	// whole steps, and for what is left over if it leaves then.
	minute := max(0, v.w.cfg.Catalog.Billing.Minimum.Seconds()-v.lag)
	stay := int(math.Floor(minute / h))
	paid := make([]float64, g.steps+1)
	for t := range g.steps {
		paid[t+1] = paid[t] + step(t)
	}
	over := minute/h - float64(stay) // steps
	rest := func(t int) float64 {    // wherever in a step it came on
		return max(float64(over*min(step(max(t-1, 0)), step(t), step(t+1))), 0)
	}
	o := open{d: d, best: make([]float64, g.steps+1), far: math.Inf(1), next: v.from}
	for t := range o.best {
		o.best[t] = math.Inf(1)
	}
	back := make([]float64, g.steps) // the cheapest way to come on in a step
	on := 0.0                        // to be on until t and free to leave; boots before judging are free
	for t := v.from; t < g.steps; t++ {
		back[t] = o.at(t) + boot
		young := math.Inf(1) // as on, but for the rest of the minute
		if from := t - stay; from >= v.from {
			young = back[from] + (paid[t] - paid[from])
		}
		off := min(on, young+rest(t))
		o.best[t] = off // off from t on
		o.queue.push(t, off)
		if t == v.from && v.w.judge == 0 {
			on = math.Inf(1) // nothing was launched before
		}
		on = min(on, young) + step(t)
	}
	if from := g.steps - stay; stay > 0 && from >= v.from {
		on = min(on, back[from]+(paid[g.steps]-paid[from]))
	}
	end := min(on, o.at(g.steps)) // off at the end: whoever waits then is missed
	for t := max(v.from, g.steps-stay); t < g.steps; t++ {
		end = min(end, back[t]+(paid[g.steps]-paid[t]))
	}
	return max(end, 0)
}

// windows: an instance pays for whole windows. They may begin in any step and
// overlap.
func (d *coverage) windows(prices []float64) float64 {
	v, g := d.v, d.v.g
	h := g.seconds()
	n := v.n
	sum := make([]float64, g.steps+1)
	for t, x := range prices {
		sum[t+1] = sum[t] + float64(x*h)
	}
	cost := func(b int) float64 { // of a window that begins in step b
		least := math.Inf(1)
		for i := range v.w.types {
			o := &v.w.types[i]
			for _, from := range []int{b, b + 1} { // prices are linear within the step
				earned := sum[min(from+n, g.steps)] - sum[min(from, g.steps)]
				least = min(least, float64(o.slots*(float64(o.perSlot*v.w.window)-float64(o.rate*earned))))
			}
		}
		return max(least, 0)
	}
	// best[e]: the cheapest way to be off from step e on, having been on just
	// before. Up to v.from everything is free, if there is such a time.
	o := open{d: d, best: make([]float64, g.steps+1), far: math.Inf(1)}
	for t := range o.best {
		o.best[t] = math.Inf(1)
	}
	o.best[v.from] = 0
	o.next = v.from
	o.queue.push(v.from, 0)
	end := d.gap(v.from, g.steps)
	var live slidingMin // ways whose window ends after the next one begins
	live.push(v.from, 0)
	for b := v.from; b < g.steps; b++ {
		live.drop(b - 1)
		way := min(o.at(b), live.least()) + cost(b)
		e := min(b+n+1, g.steps)
		if way < o.best[e] {
			o.best[e] = way
			live.push(e, way)
		}
		if e == g.steps {
			end = min(end, way)
		}
		if x := o.best[b]; b > v.from && !math.IsInf(x, 1) {
			o.queue.push(b, x) // off from b on
			end = min(end, x+d.gap(b, g.steps))
		}
	}
	return max(end, 0)
}
