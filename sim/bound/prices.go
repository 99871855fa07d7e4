package bound

import (
	"context"
	"math"
	"slices"
)

// market finds prices: it solves the fluid problem, in which work may be split
// at will within its window and capacity is a real number, by primal-dual
// hybrid gradient steps. Prices are the dual of "no more is done in a step than
// there are slots". They need not be right: whatever they are, feasible makes
// them prove something, so the iteration may stop at any time.
//
// Under hourly billing it may be asked for whole instances as well: where a class
// has jobs, one instance at least must be there, but for the share of them that
// is late. The duals of that are tolls, which a window pays once for every such
// time that it touches.
//
// Work and price are scaled to a mean of 1; without that it stalls. Its grid may
// be coarser than the valuer's.
type market struct {
	v     *valuer
	every int // steps of the valuer's grid in one of the market
	steps int
	n     int     // steps of a window (hourly)
	boot  float64 // in steps
	scale float64 // unit slot-steps per unit of work
	flows []flow

	price, mean []float64
	slots       []float64 // per second: by step; hourly: windows that begin in it
	last        []float64
	rise        []float64 // dual of a rise in slots
	count       int

	rows  []row
	meet  int       // rows that a window touches at most
	tolls []float64 // of the rows, as differences between the steps that windows begin in
	begun []float64 // windows that began before a step
}

// row asks for an instance where jobs of a class arrive: one window at least
// begins in first … last, which are all that touch the time in which the jobs
// may start.
type row struct {
	first, last int32
	from, to    int32   // of the cells that ask was given
	need        float64 // slots, scaled
	toll, mean  float64
}

// flow is the work of one class, on time or late: how much has been done by the
// end of each step lies between what had to be and what has arrived.
type flow struct {
	id          int // the class; of late work the class plus their number
	least, most []float64
	done, last  []float64
	back        []float64 // dual: done work is not undone
}

// marketSteps is how many steps a market has at most.
const marketSteps = 50_000

func newMarket(v *valuer) *market {
	g := v.g
	m := &market{v: v, every: max(1, (g.steps-g.judge+marketSteps-1)/marketSteps)}
	if least := int(math.Ceil(10 / g.seconds())); m.every < least {
		m.every = least
	}
	m.steps = (g.steps - g.judge + m.every - 1) / m.every
	h := g.seconds() * float64(m.every)
	if v.w.hourly {
		m.n = max(1, int(math.Round(v.w.window/h)))
	}
	m.boot = v.lag / h
	m.price, m.mean = make([]float64, m.steps), make([]float64, m.steps)
	m.slots, m.last = make([]float64, m.steps), make([]float64, m.steps)
	m.rise = make([]float64, m.steps+1)
	for t := range m.price {
		m.price[t] = 1
	}
	return m
}

// slotStep returns how many unit seconds a slot of the unit type gives in a step.
func (m *market) slotStep() float64 { return m.v.g.seconds() * float64(m.every) }

// ask adds the rows of a class of which these are the cells, by step.
func (m *market) ask(cells []int32, room float64) {
	g := m.v.g
	wait := int(math.Ceil(room/g.seconds())) + 2 // as cover counts it
	meet := make([]int, m.steps+1)
	for at := 0; at < len(cells); {
		first := int(g.cells[cells[at]].step)
		group := (first - g.judge) / m.every
		r := row{from: int32(at)}
		last := first
		for ; at < len(cells) && (int(g.cells[cells[at]].step)-g.judge)/m.every == group; at++ {
			last = int(g.cells[cells[at]].step)
		}
		r.to = int32(at)
		if first < m.v.from || group >= m.steps {
			continue // what is ready there may be free
		}
		r.first = int32(max(0, group-m.n-1))
		r.last = int32(min((last+wait-g.judge)/m.every, m.steps-1))
		meet[r.first]++
		meet[r.last+1]--
		m.rows = append(m.rows, r)
	}
	for t, n := 0, 0; t < m.steps; t++ {
		n += meet[t]
		m.meet = max(m.meet, n)
	}
	m.tolls = make([]float64, m.steps+1)
}

// load sets the flows: of every cell the share that is late rides to the end of
// the time it may be late in. absent is the share of every row whose jobs are
// all late. The iteration goes on from where it was.
func (m *market) load(late, absent []float64) {
	v, g := m.v, m.v.g
	classes := len(v.w.cfg.Classes)
	arrive := make([][]float64, 2*classes)
	due := make([][]float64, 2*classes)
	ride := func(id, from, to int, work float64) {
		if arrive[id] == nil {
			arrive[id], due[id] = make([]float64, m.steps), make([]float64, m.steps)
		}
		from = max(from-g.judge, 0) / m.every
		arrive[id][from] += work
		due[id][min(max((to-g.judge)/m.every, from), m.steps-1)] += work
	}
	h := g.seconds()
	total := 0.0
	for i := range v.sort {
		s := &g.sorts[i]
		room := v.room(s)
		until := v.until[s.priority]
		for _, k := range v.sort[i] {
			c := &g.cells[k]
			total += c.work
			at := int(c.step)
			if work := float64((1 - late[k]) * c.work); work > 0 {
				ride(s.class, at, at+int(math.Ceil((room+c.work/float64(c.n)/v.w.slowest())/h)), work)
			}
			if late[k] > 0 && until != nil && !v.free[s.priority][at] {
				ride(classes+s.class, at, int(until[at]), float64(late[k]*c.work))
			}
		}
	}
	m.scale = max(total/float64(m.steps), 1e-12)
	was := m.flows
	m.flows = nil
	for id := range arrive {
		if arrive[id] == nil {
			continue
		}
		var f flow
		if i := slices.IndexFunc(was, func(f flow) bool { return f.id == id }); i >= 0 {
			f = was[i]
		} else {
			f = flow{id: id, least: make([]float64, m.steps), most: make([]float64, m.steps), back: make([]float64, m.steps+1)}
			f.last = make([]float64, m.steps)
		}
		a, d := 0.0, 0.0
		for t := range m.steps {
			a += arrive[id][t] / m.scale
			d += due[id][t] / m.scale
			f.most[t], f.least[t] = a, min(d, a)
		}
		if f.done == nil {
			f.done = slices.Clone(f.most)
		}
		for t, x := range f.done {
			f.done[t] = min(max(x, f.least[t]), f.most[t])
		}
		copy(f.last, f.done)
		m.flows = append(m.flows, f)
	}
	for i := range m.rows {
		m.rows[i].need = float64((1 - absent[i]) * v.w.smallest() * m.slotStep() / m.scale)
	}
}

// forget begins a new mean.
func (m *market) forget() {
	clear(m.mean)
	m.count = 0
	for i := range m.rows {
		m.rows[i].mean = 0
	}
}

// iterate makes so many steps towards the prices. It fails when ctx is done.
func (m *market) iterate(ctx context.Context, rounds int) error {
	for range rounds {
		if err := ctx.Err(); err != nil {
			return err
		}
		m.primal()
		m.dual()
		m.count++
		for t, x := range m.price {
			m.mean[t] += x
		}
		for i := range m.rows {
			m.rows[i].mean += m.rows[i].toll
		}
	}
	return nil
}

// primal moves work to where it is cheap and slots to where they are dear.
func (m *market) primal() {
	last := m.steps - 1
	m.v.each(len(m.flows)+1, func(i int) {
		if i < len(m.flows) {
			f := &m.flows[i]
			for t := range m.steps {
				slope := m.price[t] - f.back[t]
				if t < last {
					slope -= m.price[t+1] - f.back[t+1]
				}
				x := f.done[t]
				f.last[t] = x
				f.done[t] = min(max(x-float64(0.25*slope), f.least[t]), f.most[t])
			}
			return
		}
		if m.n > 0 {
			m.primalWindows()
			return
		}
		for t := range m.steps {
			slope := 1 - m.price[t] + m.rise[t] - m.rise[t+1]
			x := m.slots[t]
			m.last[t] = x
			m.slots[t] = max(0, x-slope/3)
		}
	})
}

func (m *market) primalWindows() {
	n := m.n
	earned := 0.0
	for t := 0; t < min(n, m.steps); t++ {
		earned += m.price[t]
	}
	clear(m.tolls)
	for i := range m.rows {
		r := &m.rows[i]
		m.tolls[r.first] += r.toll
		m.tolls[r.last+1] -= r.toll
	}
	tolls := 0.0
	step := windowWeight / float64(n+m.meet)
	for t := range m.steps {
		if m.rows != nil {
			tolls += m.tolls[t]
		}
		x := m.slots[t]
		m.last[t] = x
		m.slots[t] = max(0, x-float64((float64(n)-earned-tolls)*step))
		earned -= m.price[t]
		if t+n < m.steps {
			earned += m.price[t+n]
		}
	}
}

// windowWeight is how much longer the steps of windows are than those of prices.
const windowWeight = 0.05

// dual raises prices where more is done than there are slots.
func (m *market) dual() {
	flows := float64(len(m.flows))
	step := 1 / (float64(2*flows) + 1)
	if m.n > 0 {
		step = 1 / (float64(2*flows) + float64(float64(m.n)*windowWeight))
	}
	m.v.each(len(m.flows)+1, func(i int) {
		if i == len(m.flows) {
			return
		}
		f := &m.flows[i]
		prev := 0.0
		for t := range m.steps {
			x := float64(2*f.done[t]) - f.last[t]
			f.back[t] = max(0, f.back[t]-float64(0.5*(x-prev)))
			prev = x
		}
	})
	live, before := 0.0, 0.0
	for t := range m.steps {
		c := float64(2*m.slots[t]) - m.last[t]
		if m.n > 0 {
			live += c
			if t >= m.n {
				live -= float64(2*m.slots[t-m.n]) - m.last[t-m.n]
			}
			c = live
		} else {
			m.rise[t] = min(max(0, m.rise[t]+float64(0.5*(c-before))), m.boot)
			if t == 0 {
				m.rise[t] = 0 // the boots before judging are free
			}
			before = c
		}
		done := 0.0
		for i := range m.flows {
			f := &m.flows[i]
			x := float64(2*f.done[t]) - f.last[t]
			if t > 0 {
				x -= float64(2*f.done[t-1]) - f.last[t-1]
			}
			done += x
		}
		m.price[t] = max(0, m.price[t]+float64(step*(done-c)))
	}
	if m.rows != nil {
		m.dualRows()
	}
}

// dualRows raises the tolls of rows that too few windows touch.
func (m *market) dualRows() {
	m.begun = append(m.begun[:0], 0)
	sum := 0.0
	for t := range m.steps {
		sum += float64(2*m.slots[t]) - m.last[t]
		m.begun = append(m.begun, sum)
	}
	for i := range m.rows {
		r := &m.rows[i]
		short := r.need - (m.begun[r.last+1] - m.begun[r.first])
		r.toll = max(0, r.toll+float64(short/float64(float64(r.last+1-r.first)*windowWeight)))
	}
}

// charges returns the mean tolls since forget, in dollars an instance pays.
func (m *market) charges() []float64 {
	out := make([]float64, len(m.rows))
	dollars := m.v.w.price * m.slotStep() * m.v.w.smallest()
	for i := range out {
		out[i] = float64(m.rows[i].mean / float64(max(m.count, 1)) * dollars)
	}
	return out
}

// prices returns the mean prices since forget, in dollars per slot-second, mixed
// with the flat price: share of them.
func (m *market) prices(share float64) []float64 {
	g := m.v.g
	out := make([]float64, g.steps)
	for t := g.judge; t < g.steps; t++ {
		i := (t - g.judge) / m.every
		out[t] = float64(m.v.w.price * (1 - share + float64(share*m.mean[i]/float64(max(m.count, 1)))))
	}
	return out
}
