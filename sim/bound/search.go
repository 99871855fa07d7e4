package bound

import (
	"context"
	"math"
	"math/rand/v2"
	"slices"
)

// rent is an instance of a plan that is being searched. Times are in ticks since
// the run's start; under hourly billing off is a whole number of windows after
// on.
type rent struct {
	typ     int32 // index into searcher.kinds
	on, off int32
	lead    int32 // under hourly billing, the ticks before off at which it is drained
}

// searcher looks for the cheapest rents whose late jobs stay within what may be
// late: simulated annealing on the model. Being late has a price by class, which
// rises while more are late than may be and falls while fewer are.
type searcher struct {
	w     *world
	m     *model
	rng   *rand.Rand
	tick  float64 // seconds
	grid  float64 // seconds since the run's start at which the model begins
	lag   float64 // seconds from launch to ready that the plan counts on
	kinds []kind
	ends  *endings

	rents  []rent
	cost   float64   // dollars, judged
	price  []float64 // dollars for a late job, as model.late has them
	may    []float64 // late jobs that are allowed
	least  float64   // dollars for a late job of an hour with a promise of its own, at least
	kink   float64   // by how much of its price a late job is dearer beyond what may be late
	window int32     // ticks that are paid at once; 0: seconds
	minute int32     // ticks that are paid at least
	last   int32     // the last tick at which the run still goes on

	from, to int32 // the ticks in which new rents are looked for
	parts    int   // of the time that are searched beside each other
	parallel bool  // they may use a second goroutine

	spans []span
	hot   []int32 // ticks at which jobs are late
	// lateness is what late jobs cost that start before a step, in dollars, as things
	// were when the sweep began; one entry beyond the last step counts the jobs that
	// never start too.
	lateness []float64
	// idle is, by step, the first step from then on in which nothing waits, or one
	// beyond the last; as things were when the sweep began.
	idle []int32
}

// kind is an instance type the plan may use.
type kind struct {
	typ   int
	slots float64 // of the unit type
	tick  float64 // dollars for a tick
}

// newSearcher returns a searcher without rents.
func newSearcher(w *world, g *grid, m *model, seed uint64) *searcher {
	tick := w.cfg.Tick
	s := &searcher{
		w: w, m: m, rng: rand.New(rand.NewPCG(seed, 0x626f756e64)),
		tick: tick.Seconds(), grid: seconds(g.from),
		price: make([]float64, len(m.late)), may: make([]float64, len(m.late)),
	}
	s.kinds = planKinds(w, s.tick)
	s.ends = newEndings(w, g, s.kinds)
	if w.hourly {
		s.window = int32(math.Round(w.window / s.tick))
	}
	s.minute = int32(math.Ceil(w.cfg.Catalog.Billing.Minimum.Seconds()/s.tick - 1e-9))
	end := seconds(g.from + g.step*int64(g.steps))
	if w.end == never {
		end = seconds(g.last) + 600
	}
	s.last = int32(end / s.tick)
	s.from, s.to = int32(s.grid/s.tick), s.last
	s.parts = 1
	if float64(m.steps)*m.h >= handsMin {
		s.parts = 2
	}
	return s
}

// planKinds returns the types a plan is made of: those that sell the unit type's
// slots at its price, the largest first.
func planKinds(w *world, tick float64) []kind {
	var all []kind
	for _, i := range w.cfg.Catalog.ByUnitPrice() {
		t, u := &w.types[i], &w.types[w.unit]
		if math.Abs(t.speed-u.speed) < 1e-9 && t.perSlot <= u.perSlot*(1+1e-9) {
			all = append(all, kind{i, t.slots, float64(t.slots * t.perSlot * tick)})
		}
	}
	slices.SortStableFunc(all, func(a, b kind) int { return int(b.slots - a.slots) })
	return all
}

// bill returns what a rent costs in the judged time.
func (s *searcher) bill(r rent) float64 {
	judge := int32(math.Ceil(s.w.cfg.JudgeFrom.Seconds()/s.tick - 1e-9))
	k := &s.kinds[r.typ]
	if s.window == 0 {
		off := max(r.off, r.on+s.minute)
		if off <= judge {
			return 0
		}
		return float64((float64(off-max(r.on, judge)) + s.ends.linger(r.typ, off)/s.tick) * k.tick)
	}
	windows := (r.off - r.on) / s.window
	if r.on < judge {
		windows -= (judge - r.on + s.window - 1) / s.window
	}
	if windows <= 0 {
		return 0
	}
	// a job that does not end in time begins another window
	return float64((float64(windows) + s.ends.overrun(r.typ, r.lead, r.off)) * float64(s.window) * k.tick)
}

// ready returns when a rent takes jobs, in steps of the model.
func (s *searcher) ready(r rent) (from, to float64) {
	off := r.off
	if s.window > 0 {
		off -= r.lead // it must be idle when its window ends
	}
	from = (float64(float64(r.on)*s.tick) + s.lag - s.grid) / s.m.h
	to = (float64(float64(off)*s.tick) - s.grid) / s.m.h
	return from, max(from, to)
}

// add puts a rent into the plan without looking at what comes of it.
func (s *searcher) add(r rent) {
	s.rents = append(s.rents, r)
	s.cost += s.bill(r)
	from, to := s.ready(r)
	span{from, to, s.kinds[r.typ].slots}.add(s.m.cap, s.m.steps)
}

// swap is a change of the plan: rents to be replaced by others.
type swap struct {
	at  [2]int // of rents; -1: a new one
	to  [2]rent
	n   int
	del [2]bool
}

// spansOf lists how slots change.
func (s *searcher) spansOf(c *swap) []span {
	list := s.spans[:0]
	for i := range c.n {
		var f0, t0, f1, t1, k0, k1 float64
		if c.at[i] >= 0 {
			old := s.rents[c.at[i]]
			f0, t0 = s.ready(old)
			k0 = s.kinds[old.typ].slots
		}
		if !c.del[i] {
			f1, t1 = s.ready(c.to[i])
			k1 = s.kinds[c.to[i].typ].slots
		}
		if k0 == k1 && min(t0, t1) > max(f0, f1) { // only the edges move
			if f0 != f1 {
				list = append(list, edge(f1, f0, k1))
			}
			if t0 != t1 {
				list = append(list, edge(t0, t1, k1))
			}
			continue
		}
		if k0 > 0 && t0 > f0 {
			list = append(list, span{f0, t0, -k0})
		}
		if k1 > 0 && t1 > f1 {
			list = append(list, span{f1, t1, k1})
		}
	}
	s.spans = list
	return list
}

// edge returns slots more from a to b, or slots less from b to a.
func edge(a, b, slots float64) span {
	if a <= b {
		return span{a, b, slots}
	}
	return span{b, a, -slots}
}

// added returns the dollars that a change adds to the bill.
func (s *searcher) added(c *swap) (dollars float64) {
	for i := range c.n {
		if c.at[i] >= 0 {
			dollars -= s.bill(s.rents[c.at[i]])
		}
		if !c.del[i] {
			dollars += s.bill(c.to[i])
		}
	}
	return dollars
}

// penalty is the price of the late jobs of a change, higher by kink beyond what
// may be late.
func (s *searcher) penalty() float64 {
	sum := 0.0
	for k := range s.w.cfg.Classes {
		x := s.m.change[k]
		over := s.m.late[k] - s.may[k]
		sum += float64((x + float64(s.kink*(max(over+x, 0)-max(over, 0)))) * s.price[k])
	}
	for _, at := range s.m.hourly {
		for h := s.m.lo; at > 0 && h <= s.m.hi; h++ { // an hour costs only beyond what may be
			k := at + int(h)
			over := s.m.late[k] - s.may[k]
			sum += float64((max(over+s.m.change[k], 0) - max(over, 0)) * s.price[k])
		}
	}
	return sum
}

// apply makes a change.
func (s *searcher) apply(c *swap, dollars float64) {
	s.m.try(s.spansOf(c), true, nil)
	s.cost += dollars
	for i := range c.n {
		switch {
		case c.at[i] < 0:
			s.rents = append(s.rents, c.to[i])
		case !c.del[i]:
			s.rents[c.at[i]] = c.to[i]
		}
	}
	for i := c.n - 1; i >= 0; i-- { // the later place first
		j := i
		if c.n == 2 && c.at[0] > c.at[1] {
			j = 1 - i
		}
		if c.at[j] >= 0 && c.del[j] {
			last := len(s.rents) - 1
			s.rents[c.at[j]] = s.rents[last]
			s.rents = s.rents[:last]
		}
	}
}

// anneal makes changes until steps of the model have been played: worse ones
// too, the less the cooler. It returns early when ctx is done.
func (s *searcher) anneal(ctx context.Context, hot, cold float64, steps int64, sweeps int, progress func(share float64)) {
	for sweep := range sweeps {
		if ctx.Err() != nil {
			return
		}
		progress(float64(sweep) / float64(sweeps))
		share := float64(sweep) / float64(max(sweeps-1, 1))
		heat := hot + float64(share*(cold-hot))
		s.kink = max(0, float64(6*(share-0.5)))
		s.locate()
		if s.divided(sweep) {
			s.divide(ctx, heat, steps/int64(sweeps))
		} else {
			s.sweep(ctx, heat, steps/int64(sweeps))
		}
		s.reprice(0.3)
	}
}

// sweep makes changes at one heat until so many steps have been played, or ctx is
// done: in a long trace one sweep takes seconds.
func (s *searcher) sweep(ctx context.Context, heat float64, steps int64) {
	var c swap
	for left := steps; left > 0 && ctx.Err() == nil; {
		left -= 20
		if !s.propose(&c) {
			continue
		}
		dollars := s.added(&c)
		may := float64(s.rng.Float64() * heat)
		spans := s.spansOf(&c)
		// with more slots late jobs become fewer by those that there are, as things
		// were when the sweep began; with fewer they only become more
		least := dollars - s.savings(spans)
		if least > may+1e-9 {
			continue
		}
		enough := func() bool { return least+s.penalty() > may+1e-9 }
		played, within := s.m.try(spans, false, enough)
		left -= int64(played)
		if within && dollars+s.penalty() <= may {
			s.apply(&c, dollars)
		}
	}
}

// reprice moves the prices of being late towards what keeps late jobs at what
// may be.
func (s *searcher) reprice(gain float64) {
	for k, may := range s.may {
		if k >= len(s.w.cfg.Classes) {
			if s.m.late[k] > may {
				s.price[k] = min(s.price[k]*1.5, 100*s.least)
			} else {
				s.price[k] = max(s.price[k]*0.9, s.least)
			}
			continue
		}
		if may <= 0 {
			continue
		}
		off := min(max(s.m.late[k]/may-1, -0.5), 1)
		s.price[k] *= 1 + float64(gain*off)
	}
}

// locate notes where jobs are late: for changes that help them, and for what
// such changes can save.
func (s *searcher) locate() {
	m, n := s.m, len(s.m.lines)
	s.hot = s.hot[:0]
	s.lateness = append(s.lateness[:0], 0)
	s.idle = slices.Grow(s.idle[:0], m.steps+1)[:m.steps+1]
	prices := s.marginal()
	for t := range m.steps {
		sum := s.lateness[t]
		for i := range m.lines {
			l := &m.lines[i]
			p, end := m.base[t*n+i], m.base[(t+1)*n+i]
			if int(p.cell) >= len(l.cells) {
				continue
			}
			if c := &l.cells[p.cell]; c.class >= 0 && t-int(c.step) >= len(l.lates[c.lates])-1 {
				s.hot = append(s.hot, int32((float64(float64(t)*m.h)+s.grid)/s.tick))
			}
			for ; p.cell < end.cell; p = (place{p.cell + 1, 0}) {
				c := &l.cells[p.cell]
				sum += m.worth(l, c, t, c.n-p.used, prices)
			}
			if p.used < end.used {
				sum += m.worth(l, &l.cells[p.cell], t, end.used-p.used, prices)
			}
		}
		s.lateness = append(s.lateness, sum)
	}
	s.lateness = append(s.lateness, s.lateness[m.steps]+m.unserved(prices))
	next := int32(m.steps + 1)
	for t := m.steps; t >= 0; t-- {
		if equal(m.base[t*n:(t+1)*n], m.fresh[t*n:]) {
			next = int32(t)
		}
		s.idle[t] = next
	}
}

// worth returns what it would save if none of the jobs of a cell that start in step
// t were late, given the prices of a late job.
func (m *model) worth(l *modelLine, c *modelCell, t int, jobs int32, prices []float64) float64 {
	if c.class < 0 || t == int(c.step) {
		return 0
	}
	return float64(float64(jobs) * m.tardiness(l, c, t) * m.priceOf(c, prices))
}

// unserved is worth of the jobs that wait at the end.
func (m *model) unserved(prices []float64) float64 {
	sum := 0.0
	for i := range m.lines {
		cells := m.lines[i].cells
		at := m.base[m.steps*len(m.lines)+i]
		for j := int(at.cell); j < len(cells); j++ {
			if c := &cells[j]; c.class >= 0 {
				sum += float64(float64(c.n) * m.priceOf(c, prices))
			}
		}
	}
	return sum
}

// priceOf returns the price of a late job of a cell: of its class, and of its hour.
func (m *model) priceOf(c *modelCell, prices []float64) float64 {
	price := prices[c.class]
	if m.hour != nil && m.hourly[c.class] > 0 {
		price += prices[m.hourly[c.class]+int(m.hour[c.step])]
	}
	return price
}

// nearlyAll is the share of what may be late in an hour from which on a change may
// well bring it beyond.
const nearlyAll = 0.8

// marginal returns what one late job less saves at most, as penalty has it: by class,
// then by hour.
func (s *searcher) marginal() []float64 {
	prices := slices.Clone(s.price)
	for k := range prices {
		switch late, may := s.m.late[k], s.may[k]; {
		case k >= len(s.w.cfg.Classes) && late < nearlyAll*may:
			prices[k] = 0
		case k < len(s.w.cfg.Classes) && late > may:
			prices[k] *= 1 + s.kink
		}
	}
	return prices
}

// savings returns what a change of slots saves at most of the price of being late, as
// things were when the sweep began: whoever is late where slots are added, or after
// it until nothing waits.
func (s *searcher) savings(spans []span) float64 {
	sum := 0.0
	last := s.m.steps
	for _, x := range spans {
		if x.slots > 0 {
			from := min(max(int(x.from), 0), last)
			to := min(max(int(math.Ceil(x.to)), from), last)
			sum += s.lateness[s.idle[to]] - s.lateness[from]
		}
	}
	return sum
}
