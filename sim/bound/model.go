package bound

import (
	"math"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// model plays the grid against a number of slots by step: strict priority, in
// order of arrival within a line, jobs that hold their slot to their end. It is
// what the plan is searched with; the simulator has the last word.
//
// It keeps the state at the start of every step, so that a change of the slots
// is played from where it begins to where nothing is left of it.
type model struct {
	h        float64
	steps    int
	lines    []modelLine // by priority, most urgent first
	cap      []float64   // slots by step
	held     []float64   // of those, held by jobs started before
	late     []float64   // jobs by class, then by clock hour of those with a worst hour
	base     []place     // by step and line
	fresh    []place     // by step and line: what arrives from the step on
	needs    []float64   // slots that what arrives in a step takes of it
	from, to int         // changes begin in from … to−1, and end there
	hour     []int32     // by step: the clock hour; nil if no class has a worst hour
	hourly   []int       // by class: where in late its first hour is; 0: it has none

	// scratch of a change
	dcap     []float64 // change of cap
	dheld    []float64 // change of held, as differences between steps
	now, was []place
	change   []float64 // of late
	far      int       // the last step that dheld was touched in
	lo, hi   int32     // the hours that were touched
}

// place is how far a line has been served: up to job used of cell.
type place struct{ cell, used int32 }

// modelLine is the jobs of one priority in order of arrival.
type modelLine struct {
	cells []modelCell
	lates [][]float32 // by sort of the line: the share late by steps waited
}

type modelCell struct {
	step, n int32
	class   int32   // -1: cannot be late
	lates   int32   // index into lates
	q       float64 // steps of a slot a job takes
}

func newModel(w *world, g *grid) *model {
	m := &model{
		h: g.seconds(), steps: g.steps,
		cap: make([]float64, g.steps), held: make([]float64, g.steps),
		dcap: make([]float64, g.steps+1), dheld: make([]float64, g.steps+3),
		to: g.steps,
	}
	var priorities []int
	for i := range g.sorts {
		if p := int(g.sorts[i].priority); !slices.Contains(priorities, p) {
			priorities = append(priorities, p)
		}
	}
	slices.Sort(priorities)
	size := m.clock(w, g)
	m.late, m.change = make([]float64, size), make([]float64, size)
	m.lines = make([]modelLine, len(priorities))
	m.now, m.was = make([]place, len(priorities)), make([]place, len(priorities))
	m.gather(w, g, priorities)
	n := len(priorities)
	m.base = make([]place, n*(g.steps+1))
	m.fresh = make([]place, n*(g.steps+1))
	m.needs = make([]float64, g.steps)
	for i := range m.lines {
		next := 0
		cells := m.lines[i].cells
		for t := range g.steps + 1 {
			for next < len(cells) && int(cells[next].step) < t {
				next++
			}
			m.fresh[t*n+i] = place{int32(next), 0}
		}
		for j := range cells {
			m.needs[cells[j].step] += float64(float64(cells[j].n) * min(cells[j].q, 1))
		}
	}
	return m
}

// clock sets hour and hourly, and returns how many late jobs are told apart.
func (m *model) clock(w *world, g *grid) (size int) {
	size = len(w.cfg.Classes)
	hours := 0
	for k := range w.cfg.Classes {
		if w.cfg.Classes[k].WorstHour == 0 {
			continue
		}
		if m.hour == nil {
			m.hourly = make([]int, len(w.cfg.Classes))
			m.hour = make([]int32, g.steps)
			local := w.cfg.Start.Add(w.cfg.UTCOffset)
			first := int64(local.Sub(local.Truncate(24 * time.Hour)))
			for t := range m.hour {
				m.hour[t] = int32((first + g.from + int64(t)*g.step) / int64(time.Hour))
			}
			hours = int(m.hour[g.steps-1]) + 1
		}
		m.hourly[k] = size
		size += hours
	}
	return size
}

// tardy counts x late jobs of a cell.
func (m *model) tardy(c *modelCell, x float64, late []float64) {
	late[c.class] += x
	if m.hour == nil {
		return
	}
	if at := m.hourly[c.class]; at > 0 {
		h := m.hour[c.step]
		late[at+int(h)] += x
		m.lo, m.hi = min(m.lo, h), max(m.hi, h)
	}
}

// unchanged forgets the change before.
func (m *model) unchanged() {
	if m.hour == nil {
		clear(m.change)
		return
	}
	clear(m.change[:len(m.hourly)])
	for _, at := range m.hourly {
		if at > 0 && m.lo <= m.hi {
			clear(m.change[at+int(m.lo) : at+int(m.hi)+1])
		}
	}
	m.lo, m.hi = math.MaxInt32, -1
}

// flavor is what jobs have in common that the model takes for equal: its sorts
// are fewer than the grid's, because it plays them over and over.
type flavor struct {
	line, class int
	free        bool
	size        int // 0: done within a step; else the power of two of the steps
}

// gather makes cells of the grid's: the jobs of one flavor in one step.
func (m *model) gather(w *world, g *grid, priorities []int) {
	type sum struct {
		n, work float64
		table   int32 // of its line
		at      int32 // its cell of the present step, plus one
		step    int32
	}
	ids := map[flavor]int{}
	var list []flavor
	var sums []sum
	flavorOf := make([]int, len(g.sorts))
	for i := range g.sorts {
		s := &g.sorts[i]
		f := flavor{line: slices.Index(priorities, int(s.priority)), class: s.class, free: s.free}
		for x := s.lo / m.h; x >= 1; x /= 2 {
			f.size++
		}
		id, known := ids[f]
		if !known {
			id = len(list)
			ids[f] = id
			list, sums = append(list, f), append(sums, sum{step: -1})
		}
		flavorOf[i] = id
	}
	for i := range g.cells {
		c := &g.cells[i]
		x := &sums[flavorOf[c.sort]]
		x.n += float64(c.n)
		x.work += c.work
	}
	for i, f := range list {
		l := &m.lines[f.line]
		sums[i].table = int32(len(l.lates))
		l.lates = append(l.lates, m.lateTable(&w.cfg.Classes[f.class], sums[i].work/max(sums[i].n, 1)))
	}
	for i := range g.cells {
		c := &g.cells[i]
		id := flavorOf[c.sort]
		x, f := &sums[id], &list[id]
		l := &m.lines[f.line]
		if x.step == c.step { // q holds work until all of it is there
			l.cells[x.at].n += int32(c.n)
			l.cells[x.at].q += c.work
			continue
		}
		x.step, x.at = c.step, int32(len(l.cells))
		y := modelCell{step: c.step, n: int32(c.n), class: int32(f.class), lates: x.table, q: c.work}
		if f.free {
			y.class = -1
		}
		l.cells = append(l.cells, y)
	}
	for i := range m.lines {
		for j := range m.lines[i].cells {
			c := &m.lines[i].cells[j]
			c.q /= float64(float64(c.n) * m.h)
		}
	}
}

// lateTable returns the share of a class's jobs of the given mean service that
// are late when they start so many steps after the one they arrive in. Both
// times lie anywhere in their steps.
func (m *model) lateTable(c *policy.Class, service float64) []float32 {
	room := c.Target.Seconds()
	if c.On == policy.Sojourn {
		room -= service
	}
	x := room / m.h
	if x < 0 {
		return []float32{1}
	}
	table := []float32{0} // whoever starts in its own step did not wait
	for d := 1.0; ; d++ {
		z := x - d // late unless the difference of two uniform times is below z
		share := 0.0
		switch {
		case z >= 1:
		case z <= -1:
			return append(table, 1)
		case z >= 0:
			share = float64((1-z)*(1-z)) / 2
		default:
			share = 1 - float64(float64((1+z)*(1+z))/2)
		}
		table = append(table, float32(share))
	}
}

// play plays everything with the slots as they are.
func (m *model) play() {
	clear(m.late)
	clear(m.held)
	clear(m.dheld)
	for i := range m.now {
		m.now[i] = place{}
	}
	held := 0.0
	for t := range m.steps {
		held += m.dheld[t]
		m.held[t] = held
		copy(m.base[t*len(m.lines):], m.now)
		m.step(t, m.now, m.cap[t]-held, 1, m.late)
	}
	copy(m.base[m.steps*len(m.lines):], m.now)
	clear(m.dheld)
	for i := range m.lines { // who still waits is late if that is long enough
		m.waiting(i, m.now[i], 1, m.late)
	}
}

// waiting counts who waits at the end.
func (m *model) waiting(line int, at place, sign float64, late []float64) {
	l := &m.lines[line]
	for i := int(at.cell); i < len(l.cells); i++ {
		c := &l.cells[i]
		if c.class >= 0 {
			n := c.n
			if i == int(at.cell) {
				n -= at.used
			}
			m.tardy(c, float64(sign*float64(n)), late)
		}
	}
}

// deepLate is after how many seconds more a late job counts as another.
const deepLate = 3600

// step serves the lines in step t with free slots, from where they are, which
// it moves. It adds sign times what happens to late and, as differences, to
// dheld.
func (m *model) step(t int, at []place, free, sign float64, late []float64) {
	const little = 1e-6
	for i := range m.lines {
		l := &m.lines[i]
		p := at[i]
		for free > little && int(p.cell) < len(l.cells) {
			c := &l.cells[p.cell]
			if int(c.step) > t {
				break
			}
			head := min(c.q, 1)
			k := c.n - p.used
			if float64(float64(k)*head) > free {
				k = min(k, int32(free/head)+1)
			}
			n := float64(k)
			free -= float64(n * head)
			if c.class >= 0 {
				m.tardy(c, float64(sign*n*m.tardiness(l, c, t)), late)
			}
			if c.q > 1 {
				m.hold(t, n*sign, c.q-1)
			}
			p.used += k
			if p.used == c.n {
				p = place{p.cell + 1, 0}
			}
		}
		at[i] = p
		if free <= little {
			break
		}
	}
	if free < 0 && t+2 <= m.steps { // the last to start run into the next step
		m.dheld[t+1] -= float64(free * sign)
		m.dheld[t+2] += float64(free * sign)
		m.far = max(m.far, t+2)
	}
}

// tardiness returns the share of a cell's jobs that are late when they start in
// step t.
func (m *model) tardiness(l *modelLine, c *modelCell, t int) float64 {
	table := l.lates[c.lates]
	d := t - int(c.step)
	share := float64(table[min(d, len(table)-1)])
	if d >= len(table) { // a backlog that grows must never look free
		share += float64(float64(d-len(table)) * m.h / deepLate)
	}
	return share
}

// hold keeps n slots for so many steps from t+1 on.
func (m *model) hold(t int, n, steps float64) {
	whole := math.Floor(steps)
	rest := steps - whole
	if t+1 > m.steps {
		return
	}
	m.dheld[t+1] += n
	end := t + 1 + int(whole)
	if end <= m.steps {
		m.dheld[end] -= float64(n * (1 - rest))
	}
	if end+1 <= m.steps {
		m.dheld[end+1] -= float64(n * rest)
	}
	m.far = max(m.far, min(end+1, m.steps))
}

// span is a change of slots from one time to another, in steps.
type span struct{ from, to, slots float64 }

// add adds a span to a vector of slots, and returns the steps it touches.
func (x span) add(v []float64, steps int) (from, to int) {
	a, b := max(x.from, 0), min(x.to, float64(steps))
	if a >= b {
		return steps, 0
	}
	from, to = int(a), min(int(math.Ceil(b)), steps)
	for t := from; t < to; t++ {
		part := min(b, float64(t+1)) - max(a, float64(t))
		v[t] += float64(x.slots * part)
	}
	return from, to
}

// part returns the model with changes bound to the steps from … to−1. Parts that
// do not overlap may be changed at the same time.
func (m *model) part(from, to int) *model {
	p := *m
	p.from, p.to = from, to
	p.late = slices.Clone(m.late)
	p.change = make([]float64, len(m.change))
	p.dcap, p.dheld = make([]float64, len(m.dcap)), make([]float64, len(m.dheld))
	p.now, p.was = make([]place, len(m.now)), make([]place, len(m.was))
	return &p
}

// try plays a change of slots and leaves in m.change how many more jobs of each
// class are late. With commit the change stays. Without, it ends early once
// enough says so of the change so far. It returns the steps played, and whether
// all that follows from the change lies within the model's part.
func (m *model) try(spans []span, commit bool, enough func() bool) (steps int, within bool) {
	m.unchanged()
	first, last := m.steps, 0
	for _, x := range spans {
		from, to := x.add(m.dcap, m.steps)
		first, last = min(first, from), max(last, to)
	}
	if first >= last {
		return 0, true
	}
	within = first >= m.from && last <= m.to && (first > m.from || m.from == 0)
	if !within {
		m.forget(first, last, first)
		return 0, false
	}
	n := len(m.lines)
	set(m.was, m.base[first*n:])
	set(m.now, m.was)
	run, played := 0.0, 0
	t := first
	m.far = first
	for ; t < m.steps; t++ {
		if t == m.to-1 && m.to < m.steps {
			within = false
			break
		}
		run += m.dheld[t]
		m.dheld[t] = 0
		held := m.held[t]
		same := math.Abs(run) < 1e-7 && m.dcap[t] == 0 && equal(m.now, m.was)
		if commit {
			copy(m.base[t*n:], m.now)
			m.held[t] += run
		}
		if same {
			run = 0
			if t >= last && t > m.far {
				break
			}
			// both go on alike
			set(m.was, m.base[(t+1)*n:])
			set(m.now, m.was)
			continue
		}
		if need := m.needs[t]; m.cap[t]-held >= need && m.cap[t]+m.dcap[t]-held-run >= need &&
			equal(m.now, m.was) && equal(m.was, m.fresh[t*n:]) {
			// both serve at once whatever arrives
			set(m.was, m.fresh[(t+1)*n:])
			set(m.now, m.was)
			continue
		}
		if played++; enough != nil && played&15 == 0 && enough() {
			break
		}
		m.step(t, m.was, m.cap[t]-held, -1, m.change)
		m.step(t, m.now, m.cap[t]+m.dcap[t]-held-run, 1, m.change)
	}
	if t >= m.steps {
		for i := range m.lines {
			m.waiting(i, m.was[i], -1, m.change)
			m.waiting(i, m.now[i], 1, m.change)
		}
		if commit {
			copy(m.base[t*n:], m.now)
		}
	}
	if commit {
		for u := first; u < last; u++ {
			m.cap[u] += m.dcap[u]
		}
		for i, x := range m.change {
			m.late[i] += x
		}
	}
	m.forget(first, last, t)
	return 2*played + (t-first)/4, within
}

// set makes a what b begins with. A line or a few are less than a call of copy
// is worth.
func set(a, b []place) {
	b = b[:len(a)]
	for i := range a {
		a[i] = b[i]
	}
}

// equal reports whether b begins with a.
func equal(a, b []place) bool {
	b = b[:len(a)]
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// forget clears what a change of the steps first … last−1 left behind that was
// played up to step t: differences of slots, and those of held slots that are
// too small to matter.
func (m *model) forget(first, last, t int) {
	if first < last {
		clear(m.dcap[first:last])
	}
	for u := t; u <= m.far && u < len(m.dheld); u++ {
		m.dheld[u] = 0
	}
}
