package bound

import "math"

// market finds prices: it solves the fluid problem, in which work may be split
// at will within its window and capacity is a real number, by primal-dual
// hybrid gradient steps. Prices are the dual of "no more is done in a step than
// there are slots". They need not be right: whatever they are, feasible makes
// them prove something, so the iteration may stop at any time.
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
}

// flow is the work of one class, on time or late: how much has been done by the
// end of each step lies between what had to be and what has arrived.
type flow struct {
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

// load sets the flows: cells whose saving is above the price of being late ride
// to the end of the time they may be late in.
func (m *market) load(p proof, late bool) {
	v, g := m.v, m.v.g
	classes := len(v.w.cfg.Classes)
	arrive := make([][]float64, 2*classes)
	due := make([][]float64, 2*classes)
	h := g.seconds()
	total := 0.0
	for i := range v.sort {
		s := &g.sorts[i]
		room := v.room(s)
		for _, k := range v.sort[i] {
			c := &g.cells[k]
			at := s.class
			end := int(c.step) + int(math.Ceil((room+c.work/float64(c.n))/h))
			if late && v.gain(k, c.work/float64(c.n)) > p.theta[s.class] {
				until := v.until[s.priority]
				if until == nil || v.free[s.priority][c.step] {
					continue
				}
				at += classes
				end = int(until[c.step])
			}
			if arrive[at] == nil {
				arrive[at], due[at] = make([]float64, m.steps+1), make([]float64, m.steps+1)
			}
			from := (int(c.step) - g.judge) / m.every
			to := min(max((end-g.judge)/m.every, from), m.steps-1)
			arrive[at][from] += c.work
			due[at][to] += c.work
			total += c.work
		}
	}
	m.scale = max(total/float64(m.steps), 1e-12)
	m.flows = m.flows[:0]
	for i := range arrive {
		if arrive[i] == nil {
			continue
		}
		f := flow{least: make([]float64, m.steps), most: make([]float64, m.steps), back: make([]float64, m.steps+1)}
		a, d := 0.0, 0.0
		for t := range m.steps {
			a += arrive[i][t] / m.scale
			d += due[i][t] / m.scale
			f.most[t], f.least[t] = a, min(d, a)
		}
		f.done = append([]float64(nil), f.most...)
		f.last = append([]float64(nil), f.most...)
		m.flows = append(m.flows, f)
	}
}

// forget begins a new mean.
func (m *market) forget() {
	clear(m.mean)
	m.count = 0
}

// iterate makes so many steps towards the prices.
func (m *market) iterate(rounds int) {
	for range rounds {
		m.primal()
		m.dual()
		m.count++
		for t, x := range m.price {
			m.mean[t] += x
		}
	}
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
	for t := range m.steps {
		x := m.slots[t]
		m.last[t] = x
		m.slots[t] = max(0, x-float64((float64(n)-earned)/float64(n)*windowWeight))
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
