package baseline

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// mpcPlan is the work of a time to come by steps, and the slots that it needs.
type mpcPlan struct {
	step    float64 // seconds
	classes []mpcClass
	order   []int     // of the classes, as jobs are handed out
	slots   []float64 // that hold jobs, by step
	ready   []float64 // slots there are, by step, as long as nothing can be added
	rates   []float64
	due     []float64
	arrived []float64
}

// mpcClass is the work of a class in slot-seconds, cumulative by step: what must
// have begun, and what can have.
type mpcClass struct {
	priority     int
	target       time.Duration
	sojourn      bool
	jobs, work   float64
	due, arrived []float64
	begun        float64
}

// reset makes the plan one of n steps without work.
func (p *mpcPlan) reset(env []policy.Class, n int) {
	clean := func(x []float64) []float64 {
		x = slices.Grow(x[:0], n)[:n]
		clear(x)
		return x
	}
	if p.classes == nil {
		p.classes = make([]mpcClass, len(env))
	}
	for i := range p.classes {
		c := &p.classes[i]
		*c = mpcClass{
			priority: math.MaxInt, target: env[i].Target, sojourn: env[i].On == policy.Sojourn,
			due: clean(c.due), arrived: clean(c.arrived),
		}
	}
	p.slots, p.ready = clean(p.slots), clean(p.ready)
}

// mean returns the seconds of a job of the class.
func (c *mpcClass) mean() float64 {
	if c.jobs <= 0 {
		return 0
	}
	return c.work / c.jobs
}

// patience returns for how many seconds a job of the class may wait: its service is
// taken off where the promise includes it.
func (c *mpcClass) patience() float64 {
	wait := c.target.Seconds()
	if c.sojourn {
		wait -= c.mean()
	}
	return max(0, wait)
}

// comes puts work into the plan that arrives in a step, of so many jobs.
func (p *mpcPlan) comes(class, step int, work, jobs float64) {
	if class >= len(p.classes) || step >= len(p.slots) {
		return
	}
	c := &p.classes[class]
	c.arrived[step] += work
	c.work += work
	c.jobs += jobs
}

// comesLike puts in work that is shared by classes as that of like is.
func (p *mpcPlan) comesLike(step int, work float64, like []policy.Flow) {
	total := policy.CoreSeconds(0)
	for i := range like {
		total += like[i].Work
	}
	for i := range like {
		if like[i].Work > 0 {
			p.comes(i, step, float64(work*float64(like[i].Work/total)), float64(work*float64(like[i].Jobs))/float64(total))
		}
	}
}

// must makes work due so many seconds after a step, as far as the plan reaches.
func (p *mpcPlan) must(c *mpcClass, step int, within, work float64) {
	if at := float64(step) + within/p.step; at < float64(len(c.due)) {
		c.due[int(at)] += work
	}
}

// hold occupies slots by work that begins in a step, of jobs of so many seconds
// each: a job holds its slot to its end. What counts is the end of a step.
func (p *mpcPlan) hold(step int, work, mean float64) {
	if work <= 0 {
		return
	}
	seconds := max(mean, p.step)
	slots, left := work/seconds, seconds/p.step
	for k := step; k < len(p.slots) && left > 0; k++ {
		p.slots[k] += float64(slots * min(left, 1))
		left--
	}
}

// run occupies slots by jobs that run, with so many seconds left in the mean. They
// end one after the other, as if their ends were spread evenly over twice that.
func (p *mpcPlan) run(jobs, left float64) {
	for k := range p.slots {
		part := 1 - float64(float64(k+1)*p.step)/float64(2*left)
		if !(part > 0) {
			return
		}
		p.slots[k] += float64(jobs * part)
	}
}

// pendingWork returns what a kind's waiting jobs are, in slot-seconds; a job of a
// kind that never completed is taken for one of the given seconds.
func pendingWork(k *policy.KindView, speed, unknown float64) float64 {
	if k.Service.Samples == 0 {
		return float64(float64(k.Pending.Jobs) * unknown)
	}
	return float64(k.Pending.Work) / speed
}

// observe takes in what runs, waits and boots, after what comes is in the plan.
// unknown is the seconds of a job of which nothing is known.
func (p *mpcPlan) observe(s *signals, unknown float64) {
	for i := range s.kinds {
		k := &s.kinds[i]
		if k.Class < 0 || k.Class >= len(p.classes) {
			continue
		}
		c := &p.classes[k.Class]
		c.priority = min(c.priority, k.Priority)
		c.jobs += float64(k.Pending.Jobs)
		c.work += pendingWork(k, s.speed, unknown)
		if n := k.InFlight.Jobs; n > 0 {
			p.run(float64(n), float64(k.InFlight.Work)/float64(n)/s.speed)
		}
	}
	for i := range p.classes {
		c := &p.classes[i]
		for k, work := range c.arrived {
			p.must(c, k, c.patience(), work)
		}
	}
	for i := range s.kinds {
		if k := &s.kinds[i]; k.Class >= 0 && k.Class < len(p.classes) && k.Pending.Jobs > 0 {
			p.backlog(&p.classes[k.Class], k, pendingWork(k, s.speed, unknown))
		}
	}
	free := max(0, s.readySlots)
	for k := range p.ready {
		p.ready[k] = float64(free)
	}
	for i := range s.instances {
		in := &s.instances[i]
		if in.Phase != policy.Requested && in.Phase != policy.Booting || gone(in, s.now) {
			continue
		}
		left := max(0, (s.bootP50 - s.now.Sub(in.LaunchedAt)).Seconds())
		for k := int(min(left/p.step, float64(len(p.ready)))); k < len(p.ready); k++ {
			p.ready[k] += float64(in.Slots)
		}
	}
	p.order = p.order[:0]
	for i := range p.classes {
		p.order = append(p.order, i)
	}
	slices.SortStableFunc(p.order, func(a, b int) int {
		x, y := &p.classes[a], &p.classes[b]
		return cmp.Or(cmp.Compare(x.priority, y.priority), cmp.Compare(x.target, y.target))
	})
}

// backlog takes in the jobs of a kind that wait, by how long they have.
func (p *mpcPlan) backlog(c *mpcClass, k *policy.KindView, work float64) {
	each := work / float64(k.Pending.Jobs)
	c.arrived[0] += work
	left := k.Pending.Jobs
	for _, a := range k.PendingByAge {
		n := min(a.Jobs, left)
		left -= n
		p.must(c, 0, max(0, c.patience()-a.Age.Seconds()), float64(float64(n)*each))
	}
	p.must(c, 0, max(0, c.patience()-k.OldestWait.Seconds()), float64(float64(left)*each))
}

// solve fills in the slots that all work needs: up to lead from what is there, in
// the order in which jobs are handed out, and from then on each class as evenly as
// its promise allows. What will be late is done within workoff steps of lead.
func (p *mpcPlan) solve(lead, workoff int) {
	for i := range p.classes {
		c := &p.classes[i]
		for k := 1; k < len(c.due); k++ {
			c.due[k] += c.due[k-1]
			c.arrived[k] += c.arrived[k-1]
		}
	}
	n := len(p.slots)
	lead = min(lead, n)
	for k := range lead {
		for _, i := range p.order {
			c := &p.classes[i]
			seconds := max(c.mean(), p.step)
			give := min(c.arrived[k]-c.begun, float64(max(0, p.ready[k]-p.slots[k])*seconds))
			p.hold(k, give, c.mean())
			c.begun += max(0, give)
		}
	}
	for i := range p.classes {
		c := &p.classes[i]
		late := 0.0
		if lead > 0 && lead < n {
			late = max(0, c.due[lead-1]-c.begun)
		}
		p.due, p.arrived = p.due[:0], p.arrived[:0]
		for k := lead; k < n; k++ {
			due := max(0, c.due[k]-c.begun)
			if k < lead+workoff-1 && k < n-1 {
				due -= late
			}
			p.due = append(p.due, due)
			p.arrived = append(p.arrived, max(due, c.arrived[k]-c.begun))
		}
		p.rates = tautString(p.rates, p.due, p.arrived)
		for k, work := range p.rates {
			p.hold(lead+k, work, c.mean())
		}
	}
}

// most returns the most slots held in any step of a span.
func (p *mpcPlan) most(from, to int) float64 {
	most := 0.0
	for k := from; k < min(to, len(p.slots)); k++ {
		most = max(most, p.slots[k])
	}
	return most
}
