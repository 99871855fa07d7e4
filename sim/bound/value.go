package bound

import (
	"math"
	"slices"
	"sync"

	"github.com/skynet-ec2/skynet/policy"
)

// valuer computes what prices prove: the Lagrangian bound of a vector of prices
// per slot-second and step. Make it with newValuer.
//
// With prices that no instance can earn more from than it costs (feasible makes
// them so), every fleet costs at least what its jobs pay. A job pays the least
// that any start in its window would cost it; a late one the least over the
// time in which it could start without making more of its line late than may
// be; and those that may be late are the ones that save most.
type valuer struct {
	w     *world
	g     *grid
	reach []reach
	sort  [][]int32 // cells by sort; nil for those that are free
	until [][]int32 // by priority: the last step in which a late job can run, by arrival; nil: nobody knows
	free  [][]bool  // by priority: a late job that arrives then need not run
	lag   float64   // the shortest boot, seconds
	from  int       // the first step that prices may charge in
	n     int       // steps of a paid window (hourly)

	parallel int
	short    []float64 // by cell: what it costs on time, less what lies above its least service
	rate     []float64 // by cell: dollars a unit second above that
	late     []float64 // by cell: dollars a unit second if late

	gains  []float64 // scratch of marginal
	counts []int64
}

func newValuer(w *world, g *grid, lag float64, parallel int) *valuer {
	v := &valuer{w: w, g: g, lag: lag, from: min(g.judge+1, g.steps), parallel: max(parallel, 1)}
	if w.hourly {
		v.n = int(math.Ceil(w.window/g.seconds() - 1e-9))
		if float64(v.n)*g.seconds() > w.window+1e-9 {
			v.n++ // a window may begin anywhere in a step
		}
		v.from = min(g.judge+v.n, g.steps)
	}
	if w.judge == 0 { // nothing is launched before
		v.from = g.judge
	}
	// per second, the second that judging begins in is free too
	v.sort = make([][]int32, len(g.sorts))
	for i := range g.cells {
		if c := &g.cells[i]; !g.sorts[c.sort].free {
			v.sort[c.sort] = append(v.sort[c.sort], int32(i))
		}
	}
	v.short = make([]float64, len(g.cells))
	v.rate = make([]float64, len(g.cells))
	v.late = make([]float64, len(g.cells))
	v.lines()
	v.reaches()
	return v
}

// room returns how long after its arrival a job of the sort may start and be in
// time on the fastest type, in seconds, rounded up.
func (v *valuer) room(s *sort) float64 {
	c := &v.w.cfg.Classes[s.class]
	room := c.Target.Seconds()
	if c.On == policy.Sojourn {
		room -= s.lo / v.w.fastest()
	}
	return max(room, 0)
}

// lines computes until and free. Jobs of a line start in order, so a late one
// makes late all that arrive after it and a target before its start; no more of
// them may be late than the classes of the line allow together.
func (v *valuer) lines() {
	g, w := v.g, v.w
	v.until, v.free = make([][]int32, 256), make([][]bool, 256)
	if !w.ordered {
		return
	}
	h := g.seconds()
	for p := range 256 {
		var may int64
		var target, service float64
		seen, loose := map[int]bool{}, false
		for i := range g.sorts {
			s := &g.sorts[i]
			if int(s.priority) != p {
				continue
			}
			c := &w.cfg.Classes[s.class]
			loose = loose || c.Attain == 0
			if !seen[s.class] {
				seen[s.class] = true
				may += g.budget[s.class]
			}
			target, service = max(target, c.Target.Seconds()), max(service, s.hi)
		}
		if len(seen) == 0 || loose {
			continue
		}
		arrived := make([]int64, g.steps) // judged jobs up to the end of a step
		var ends int                      // from here on jobs need not be in time
		ends = g.steps
		for i := range g.cells {
			c := &g.cells[i]
			s := &g.sorts[c.sort]
			if int(s.priority) != p || int(c.step) < g.judge {
				continue
			}
			if s.free {
				ends = min(ends, int(c.step))
			}
			arrived[c.step] += c.n
		}
		for t := 1; t < g.steps; t++ {
			arrived[t] += arrived[t-1]
		}
		extra := int(math.Ceil((target+service/w.slowest())/h)) + 1
		until, free := make([]int32, g.steps), make([]bool, g.steps)
		last := 0
		for t := range g.steps {
			for last < g.steps && arrived[last] <= arrived[t]+may {
				last++
			}
			until[t] = int32(max(min(last+extra, g.steps-1), t))
			// nobody after it is left to be made late; but where the run goes on
			// until the last job is done, it must be done to its end; and what runs when the run ends is paid up to then
			free[t] = w.end != never && (last >= ends || last+extra >= g.steps-1)
		}
		v.until[p], v.free[p] = until, free
	}
}

// each calls work for 0 … n−1, in parallel.
func (v *valuer) each(n int, work func(i int)) {
	if v.parallel == 1 {
		for i := range n {
			work(i)
		}
		return
	}
	var wait sync.WaitGroup
	for k := range v.parallel {
		wait.Go(func() {
			for i := k; i < n; i += v.parallel {
				work(i)
			}
		})
	}
	wait.Wait()
}

// charge computes what every cell pays at the prices.
func (v *valuer) charge(prices []float64) {
	g := v.g
	if !slices.ContainsFunc(prices, func(x float64) bool { return x != 0 }) {
		clear(v.short)
		clear(v.rate)
		clear(v.late)
		return
	}
	h := g.seconds()
	sum := make([]float64, g.steps+1)
	for t, x := range prices {
		sum[t+1] = sum[t] + float64(x*h)
	}
	late := make([][]float64, 256)
	v.each(256, func(p int) {
		if v.until[p] == nil {
			return
		}
		late[p] = make([]float64, g.steps)
		var s slider
		s.until(prices, v.until[p], late[p])
		for t := range late[p] {
			if v.free[p][t] {
				late[p][t] = 0
			}
		}
	})
	v.each(len(v.reach), func(i int) {
		r := &v.reach[i]
		x := charging{v: v, prices: prices, sum: sum, cheapest: make([]float64, g.steps)}
		x.slide.fixed(prices, r.within, x.cheapest)
		if v.w.end != never { // what runs when the run ends is paid up to then
			clear(x.cheapest[max(0, g.steps-1-r.within):])
		}
		for _, s := range r.sorts {
			x.sort(s, late[g.sorts[s].priority])
		}
	})
}

// reach is the sorts that may run within as many steps of their arrival.
type reach struct {
	within int
	sorts  []int
}

// reaches groups the sorts that are promised something.
func (v *valuer) reaches() {
	h := v.g.seconds()
	for i, keys := range v.sort {
		if keys == nil {
			continue
		}
		s := &v.g.sorts[i]
		within := int(math.Ceil((v.room(s) + s.hi/v.w.slowest()) / h))
		at := slices.IndexFunc(v.reach, func(r reach) bool { return r.within == within })
		if at < 0 {
			at = len(v.reach)
			v.reach = append(v.reach, reach{within: within})
		}
		v.reach[at].sorts = append(v.reach[at].sorts, i)
	}
}

// charging charges the sorts of one reach.
type charging struct {
	v           *valuer
	prices, sum []float64
	cheapest    []float64 // the least price that a job of a step can run at
	slide       slider
	least       []float64 // what the least service of a sort costs at least
	whole       []float64
	starts      []float64
}

func (x *charging) sort(i int, late []float64) {
	v, g, w := x.v, x.v.g, x.v.w
	s := &g.sorts[i]
	h := g.seconds()
	var least []float64
	if s.lo > 0 {
		if x.least == nil {
			x.least, x.whole, x.starts = make([]float64, g.steps), make([]float64, g.steps), make([]float64, g.steps)
		}
		starts := 1 + int(math.Ceil(v.room(s)/h))
		least = x.least
		for i, l := range w.lanes {
			wholeJob(x.sum, s.lo/l.speed, h, l.speed, x.whole)
			if i == 0 {
				x.slide.fixed(x.whole, starts, least)
				continue
			}
			x.slide.fixed(x.whole, starts, x.starts)
			for t := range least {
				least[t] = min(least[t], x.starts[t])
			}
		}
	}
	cheapest := x.cheapest
	for _, k := range v.sort[i] {
		t := g.cells[k].step
		v.rate[k] = cheapest[t]
		v.short[k] = float64(-s.lo * cheapest[t])
		if least != nil {
			v.short[k] += least[t]
		}
		v.late[k] = 0
		if late != nil {
			v.late[k] = late[t]
		}
	}
}

// wholeJob sets cost[t] to the least that a job of d seconds costs that starts
// within step t, at the speed given. sum are the prices summed up to each step.
// Prices are constant within a step, so the least is where the start or the end
// meets a step's edge.
func wholeJob(sum []float64, d, h, speed float64, cost []float64) {
	n := len(sum) - 1
	at := func(x float64) float64 { // the sum up to x steps
		if x >= float64(n) {
			return sum[n]
		}
		i := int(x)
		f := x - float64(i)
		return sum[i] + float64(f*(sum[i+1]-sum[i]))
	}
	steps := d / h
	m := math.Floor(steps)
	r := steps - m
	for t := range cost {
		x := float64(t)
		a := at(x+steps) - sum[t]
		b := at(x+1+m) - at(x+1-r)
		cost[t] = float64(speed * min(a, b))
	}
}

// gain returns what it saves to serve late a job of cell k with service s.
func (v *valuer) gain(k int32, s float64) float64 {
	return v.short[k] + float64(s*(v.rate[k]-v.late[k]))
}

// proof is what prices prove.
type proof struct {
	jobs  []float64 // by class: what its jobs pay, the late ones left out
	theta []float64 // by class: the price of being late
	sum   float64
}

// prove returns what the jobs pay at prices, which must be feasible.
func (v *valuer) prove(prices []float64) proof {
	v.charge(prices)
	n := len(v.w.cfg.Classes)
	p := proof{jobs: make([]float64, n), theta: make([]float64, n)}
	for class := range n {
		if v.w.cfg.Classes[class].Attain == 0 {
			continue
		}
		theta := v.marginal(class)
		p.theta[class], p.jobs[class] = theta, v.claimsOf(class).pay(theta)
		p.sum += p.jobs[class]
	}
	return p
}

// marginal returns the saving of the last job of a class that may be late.
func (v *valuer) marginal(class int) float64 {
	gains, counts := v.gains[:0], v.counts[:0]
	most, n := 0.0, int64(0)
	v.sortsOf(class, func(_ *sort, keys []int32) {
		for _, k := range keys {
			c := &v.g.cells[k]
			if x := v.gain(k, c.work/float64(c.n)); x > 0 {
				gains, counts = append(gains, x), append(counts, c.n)
				most = max(most, x)
				n += c.n
			}
		}
	})
	v.gains, v.counts = gains, counts
	if n <= v.g.budget[class] {
		return 0
	}
	lo, hi, over := 0.0, most, int64(0) // over: the jobs whose saving is above hi
	for range 40 {
		mid := (lo + hi) / 2
		above := over
		for i, x := range gains {
			if x > mid {
				above += counts[i]
			}
		}
		if above > v.g.budget[class] {
			lo = mid
		} else {
			hi, over = mid, above
		}
		left := 0 // what lies outside of lo … hi is decided
		for i, x := range gains {
			if x > lo && x <= hi {
				gains[left], counts[left] = x, counts[i]
				left++
			}
		}
		gains, counts = gains[:left], counts[:left]
	}
	return hi
}

// feasible lowers prices until no instance can earn more than it costs, and to
// nothing where capacity may be free.
func (v *valuer) feasible(prices []float64) {
	p, h := v.w.price, v.g.seconds()
	for t := range prices {
		if t < v.from || !(prices[t] > 0) || t == len(prices)-1 && v.w.end != never {
			prices[t] = 0 // the run ends within its last step
		}
	}
	if v.w.hourly { // any window's prices sum to at most what it costs
		most, sum := float64(p*v.w.window/h), 0.0
		for t := v.from; t < len(prices); t++ {
			if t-v.n >= v.from {
				sum -= prices[t-v.n]
			}
			prices[t] = min(prices[t], max(0, most-sum))
			sum += prices[t]
		}
		return
	}
	boot := float64(p * v.lag)
	best := 0.0 // of an instance that is on: its boot may lie before judging
	if v.w.judge == 0 {
		best = -boot
	}
	for t := v.from; t < len(prices); t++ {
		best = max(best, -boot)
		prices[t] = min(prices[t], max(0, p-best/h))
		best += float64(h * (prices[t] - p))
	}
}
