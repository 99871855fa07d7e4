package bound

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// planner searches a plan and proves it in the simulator.
type planner struct {
	*searcher
	g    *grid
	open func() (traces.Source, error)
	opt  Options

	warm     int // instances that serve what comes before the model begins
	warmOff  int32
	expected float64 // dollars that the plan's cost holds for jobs that run on
}

// attempt is a plan that was replayed.
type attempt struct {
	leases  []Lease
	figures *sim.Figures
	late    []float64
	kept    bool
}

// rounds of search and replay: every replay tells how far the model errs.
const rounds = 4

// plan searches the best plan and replays it.
func (r *Result) plan(ctx context.Context, w *world, g *grid, open func() (traces.Source, error), opt Options) error {
	// a sixth of a tick is as fine as a plan can be
	for g.step < int64(w.cfg.Tick)/12 {
		g.double()
		g.steps = (g.steps + 1) / 2
	}
	p := &planner{searcher: newSearcher(w, g, newModel(w, g), w.cfg.Seed), g: g, open: open, opt: opt}
	p.lag = w.lags.Quantile(w.unit, 0.5).Seconds()
	if p.kinds == nil {
		return errors.New("no type to plan with")
	}
	p.begin()
	steps := int64(30_000_000) + 300*int64(g.steps)
	hot, cold := 0.5, 0.02 // of what the smallest rent costs
	unit := p.kinds[len(p.kinds)-1].tick * float64(max(p.window, 5))
	var best *attempt
	for round := range rounds {
		p.m.play()
		sweeps := 30
		p.anneal(ctx, hot*unit, cold*unit, steps, sweeps, func(share float64) {
			if opt.Progress != nil {
				opt.Progress("plan", int64(100*(float64(round)+0.8*share)), 100*rounds)
			}
		})
		if err := ctx.Err(); err != nil {
			return err
		}
		p.m.play()
		p.expected = p.cost
		was := p.ends.scale
		p.ends.scale = 0
		for _, r := range p.rents {
			p.expected -= p.bill(r)
		}
		p.ends.scale = was
		a, err := p.replay(ctx)
		if err != nil {
			return err
		}
		if debug != nil {
			debug(p, a)
		}
		if best == nil || a.better(best) {
			best = a
		}
		p.learn(a)
		hot, steps = 0.1, int64(10_000_000)+100*int64(g.steps)
	}
	r.Plan, r.Replay, r.Kept = best.leases, best.figures, best.kept
	r.PlanUSD = best.figures.Judged.CostUSD
	return nil
}

var debug func(p *planner, a *attempt)

// better reports whether a is the better plan: kept before cheap.
func (a *attempt) better(b *attempt) bool {
	if a.kept != b.kept {
		return a.kept
	}
	return a.figures.Judged.CostUSD < b.figures.Judged.CostUSD
}

// begin makes the first plan: what the work needs when it is spread over half of
// the time it may wait.
func (p *planner) begin() {
	g, m, w := p.g, p.m, p.w
	need := make([]float64, g.steps+2) // as differences, then slots by step
	for i := range m.lines {
		l := &m.lines[i]
		for j := range l.cells {
			c := &l.cells[j]
			over := max(c.q, float64(len(l.lates[c.lates]))/2, 60/m.h)
			k := float64(c.n) * c.q / over
			end := min(int(c.step)+int(math.Ceil(over)), g.steps)
			need[c.step] += k
			need[end] -= k
		}
	}
	mean, peak := 0.0, 0.0
	for t := 1; t < len(need); t++ {
		need[t] += need[t-1]
	}
	for t := range g.steps {
		peak = max(peak, need[t])
		if t < g.judge {
			mean += need[t] / float64(g.judge)
		}
	}
	slots := p.kinds[0].slots
	if w.judge > 0 {
		p.warm = min(int(math.Ceil(2*mean/slots))+2, max(w.cfg.MaxInstances/2, 1))
		p.warmOff = int32(max(0, w.cfg.JudgeFrom-5*time.Minute).Seconds() / p.tick)
		p.addWarm()
	}
	for t := range g.steps {
		for m.cap[t] < need[t]-0.4*slots {
			on := int32(math.Floor((float64(float64(t)*m.h) + p.grid - p.lag) / p.tick))
			r := rent{0, max(on, 0), 0, 2}
			if r.on >= p.last {
				break
			}
			if p.window > 0 {
				r.off = r.on + p.window
			} else {
				u := t // as long as it is needed without a pause longer than a boot
				for v := t; v < g.steps && v <= u+int(2*p.lag/m.h)+1; v++ {
					if need[v] > m.cap[v]+0.4*slots {
						u = v
					}
				}
				r.off = min(max(int32(math.Ceil((float64(float64(u+1)*m.h)+p.grid)/p.tick)), r.on+2), p.last+1)
			}
			before := m.cap[t]
			if p.window > 0 && p.renew(r.on) {
				continue
			}
			p.add(r)
			if m.cap[t] <= before {
				break // nothing helps that early
			}
		}
	}
	for k := range p.price {
		if c := &w.cfg.Classes[k]; c.Attain > 0 && g.arrived[k] > 0 {
			p.may[k] = max(0.97*float64(g.budget[k]), 0.5)
			p.price[k] = 0.3 * p.cost / p.may[k]
		}
	}
}

// renew keeps a rent for another window that ends about then, if there is one.
func (p *planner) renew(on int32) bool {
	for i := len(p.rents) - 1; i >= 0 && p.rents[i].on > on-48*p.window; i-- {
		r := p.rents[i]
		if r.off < on-1 || r.off > on+4 {
			continue
		}
		from, to := p.ready(r)
		p.cost -= p.bill(r)
		r.off += p.window
		_, later := p.ready(r)
		p.cost += p.bill(r)
		span{max(to, from), later, p.kinds[r.typ].slots}.add(p.m.cap, p.m.steps)
		p.rents[i] = r
		return true
	}
	return false
}

// learn corrects what may be late on the model, and how long drained instances
// work on, by what came of the replay.
func (p *planner) learn(a *attempt) {
	if p.expected > 0 {
		real := a.figures.Judged.CostUSD - (p.cost - p.expected)
		p.ends.scale *= min(max(math.Sqrt(max(real, 0)/p.expected), 0.5), 2)
	}
	p.recount()
	for k := range p.may {
		if p.may[k] == 0 {
			continue
		}
		budget := float64(p.g.budget[k])
		model := p.m.late[k]
		real := a.late[k]
		aim := 0.985 * budget
		// the model's error is partly a factor and partly a sum
		want := model * (aim + 20) / (real + 20)
		p.may[k] = max(min(want, 4*budget+10), 0.2*p.may[k], 0.5)
	}
}

// recount plays the plan again after its parameters changed.
func (p *planner) recount() {
	clear(p.m.cap)
	p.addWarm()
	rents := p.rents
	p.rents, p.cost = nil, 0
	for _, r := range rents {
		p.add(r)
	}
}

// addWarm adds the slots that serve what comes before the model begins.
func (p *planner) addWarm() {
	span{-p.grid / p.m.h, (float64(p.warmOff)*p.tick - p.grid) / p.m.h, float64(p.warm) * p.kinds[0].slots}.add(p.m.cap, p.m.steps)
}

// leases returns the plan as instances to launch: every one ready when the model
// wants it, with the lag its number draws.
func (p *planner) leases() []Lease {
	list := slices.Clone(p.rents)
	slices.SortFunc(list, func(a, b rent) int {
		if a.on != b.on {
			return int(a.on - b.on)
		}
		if a.off != b.off {
			return int(a.off - b.off)
		}
		return int(a.typ - b.typ)
	})
	tick := p.w.cfg.Tick
	var leases []Lease
	for range p.warm {
		leases = append(leases, Lease{Type: p.name(0), Launch: 0, Drain: time.Duration(p.warmOff) * tick})
	}
	on := make([]int32, len(list))
	for i := range list {
		on[i] = list[i].on
		if p.window > 0 {
			lag := p.w.lags.Of(p.kinds[list[i].typ].typ, int64(p.warm+i)).Seconds()
			on[i] = max(0, list[i].on+int32(math.Floor((p.lag-lag)/p.tick+0.5)))
		}
	}
	for i := len(on) - 2; i >= 0; i-- { // whoever needs long must not wait for others
		on[i] = min(on[i], on[i+1])
	}
	for i, r := range list {
		l := Lease{Type: p.name(int(r.typ)), Launch: time.Duration(on[i]) * tick}
		if p.window > 0 {
			l.Drain = time.Duration(on[i]+r.off-r.on-r.lead) * tick
		} else {
			l.Drain = time.Duration(r.off) * tick
		}
		leases = append(leases, l)
	}
	return leases
}

func (p *planner) name(k int) string { return p.w.cfg.Catalog.Types[p.kinds[k].typ].Name }

// replay runs the plan in the simulator.
func (p *planner) replay(ctx context.Context) (*attempt, error) {
	src, err := p.open()
	if err != nil {
		return nil, err
	}
	defer src.Close()
	cfg := *p.w.cfg
	cfg.Guard = nil // the plan is its own
	a := &attempt{leases: p.leases()}
	res, err := sim.Run(ctx, &cfg, newFollower(p.w, a.leases), src, sim.Options{})
	if err != nil {
		return nil, err
	}
	res.Figures.Policy = "clairvoyant"
	a.figures = &res.Figures
	a.late = make([]float64, len(cfg.Classes))
	a.kept = true
	for i := range cfg.Classes {
		c := &cfg.Classes[i]
		f := res.Figures.Classes[c.Name]
		a.late[i] = float64(f.Late)
		if c.Attain > 0 && f.Attained != nil && *f.Attained < c.Attain {
			a.kept = false
		}
	}
	return a, nil
}

var _ policy.Policy = (*follower)(nil)
