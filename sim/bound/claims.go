package bound

// claims are the jobs of one class with what being late would save them at the
// prices last charged: all that its bound depends on while the price of being
// late moves. That is tried often, so they lie in one piece of memory.
type claims struct {
	list   []claim
	base   float64 // what all pay in time
	budget float64 // jobs that may be late
	room   float64 // the most seconds after its arrival that one may start and be in time
}

// claim is a cell of claims.
type claim struct {
	step   int32
	n      float64 // jobs
	mean   float64 // what being late saves a job of the mean service
	lo, hi float64 // and one of the least and the most service of its sort
	share  float64 // where the mean lies between them
}

// claimsOf returns the claims of a class at the prices last charged.
func (v *valuer) claimsOf(class int) *claims {
	c := &claims{budget: float64(v.g.budget[class])}
	cells := 0
	v.sortsOf(class, func(_ *sort, keys []int32) { cells += len(keys) })
	c.list = make([]claim, 0, cells)
	v.sortsOf(class, func(s *sort, keys []int32) {
		c.room = max(c.room, v.room(s))
		for _, k := range keys {
			x := &v.g.cells[k]
			n := float64(x.n)
			mean := x.work / n
			c.base += float64(n*v.short[k]) + float64(x.work*v.rate[k])
			c.list = append(c.list, claim{
				step: x.step, n: n, mean: v.gain(k, mean), lo: v.gain(k, s.lo), hi: v.gain(k, s.hi),
				share: min(max((mean-s.lo)/(s.hi-s.lo), 0), 1),
			})
		}
	})
	return c
}

// sortsOf calls f for every sort of a class that is promised something, with
// its cells.
func (v *valuer) sortsOf(class int, f func(s *sort, keys []int32)) {
	for i, keys := range v.sort {
		if s := &v.g.sorts[i]; s.class == class && keys != nil {
			f(s, keys)
		}
	}
}

// pay returns what the jobs pay at least if being late costs theta a job: the
// sum of what each pays in time, or late with theta, less theta for those that
// may be late. Services within a cell are known by their sum only, so the
// saving is bounded by its secant between the sort's limits.
func (c *claims) pay(theta float64) float64 {
	total := c.base - float64(theta*c.budget)
	for i := range c.list {
		x := &c.list[i]
		a, b := max(x.lo-theta, 0), max(x.hi-theta, 0)
		if a == 0 && b == 0 {
			continue
		}
		total -= float64(x.n * (a + float64(x.share*(b-a))))
	}
	return total
}

// missed adds to what, by step plus one, what jobs pay more at theta when they
// are late.
func (c *claims) missed(theta float64, what []float64) {
	for i := range c.list {
		x := &c.list[i]
		if pay := theta - x.mean; pay > 0 {
			what[x.step+1] += float64(x.n * pay)
		}
	}
}
