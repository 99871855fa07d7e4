package bound

import (
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// planner searches a plan and proves it in the simulator.
type planner struct {
	*searcher
	g    *grid
	open func() (traces.Source, error)
	opt  Options

	first    int // of the kinds: what the first plan is made of
	warm     int // instances that serve what comes before the model begins
	warmOff  int32
	budgets  [][]float64 // by class and clock hour: the jobs that may be late; infinite where nothing is promised
	expected float64     // dollars that the plan's cost holds for jobs that run on
}

// attempt is a plan that was replayed.
type attempt struct {
	leases  []Lease
	figures *sim.Figures
	late    []float64
	over    float64   // late jobs beyond what may be, as a multiple of it, summed over the classes
	hours   []float64 // late jobs by hour, placed as model.late has them; nil: not known
	kept    bool
}

// rounds returns how often a plan is searched and replayed: every replay tells
// how far the model errs, but a long trace takes long to replay.
func (g *grid) rounds() int {
	var jobs int64
	for _, n := range g.arrived {
		jobs += n
	}
	return int(min(max(40_000_000/max(jobs, 1), 3), 6))
}

// plan searches the best plan and replays it.
func (r *Result) plan(ctx context.Context, w *world, g *grid, open func() (traces.Source, error), opt Options) error {
	// a sixth of a tick is as fine as a plan can be
	for g.step < int64(w.cfg.Tick)/12 {
		g.double()
		g.steps = (g.steps + 1) / 2
	}
	p := &planner{searcher: newSearcher(w, g, newModel(w, g), w.cfg.Seed), g: g, open: open, opt: opt}
	// hourly, a launch may come earlier for nothing where its boot is long; per
	// second it is counted on as a little longer than usual
	p.lag = w.lags.Quantile(w.unit, 0.5).Seconds()
	if !w.hourly {
		p.lag = w.lags.Quantile(w.unit, 0.7).Seconds()
	}
	p.parallel = opt.Parallel > 1
	if p.kinds == nil {
		return errors.New("no type to plan with")
	}
	p.begin()
	// effort makes the cooling slower and the sweeps more, none of them longer
	steps := min(int64(38_000_000)+170*int64(g.steps), 4000*int64(g.steps)) * int64(opt.Effort)
	sweeps := 30 * opt.Effort
	hot, cold := 0.5, 0.02 // of what the smallest rent costs
	unit := p.smallest()
	var best *attempt
	rounds := g.rounds()
	told := progress{rounds: rounds, search: 6 * replayParts * opt.Effort, to: opt.Progress}
	for round := range rounds {
		p.m.play()
		p.anneal(ctx, hot*unit, cold*unit, steps, sweeps, func(share float64) { told.tell(round, share) })
		if err := ctx.Err(); err != nil {
			return err
		}
		p.m.play()
		p.expected = p.lingering()
		a, err := p.replay(ctx)
		if err != nil {
			return err
		}
		if best == nil || a.better(best) {
			best = a
		}
		p.learn(a)
		hot = 0.1
		if round == 0 {
			steps /= firstRound
		}
	}
	r.Plan, r.Replay, r.Kept = best.leases, best.figures, best.kept
	r.PlanUSD = best.figures.Judged.CostUSD
	return nil
}

// lingering returns the dollars that the plan's cost holds for jobs that run on after
// their instances were drained.
func (p *planner) lingering() float64 {
	was := p.ends.scale
	defer func() { p.ends.scale = was }()
	p.ends.scale = 0
	rest := p.cost
	for _, r := range p.rents {
		rest -= p.bill(r)
	}
	return rest
}

// firstRound is how many times as long the first round searches as any other.
const firstRound = 3

// replayParts are the parts of the work that a replay counts as.
const replayParts = 10

// progress tells how far a plan has come, in parts that take about as long.
type progress struct {
	rounds int
	search int // parts of a round's search
	to     func(stage string, done, total int64)
}

// tell tells that a share of a round's search is done.
func (p *progress) tell(round int, share float64) {
	if p.to == nil {
		return
	}
	rounds := float64(round) // in searches
	if round == 0 {
		share = float64(share * firstRound)
	} else {
		rounds += firstRound - 1
	}
	done := float64((rounds+share)*float64(p.search)) + float64(replayParts*round)
	p.to("plan", int64(done), int64((p.rounds+firstRound-1)*p.search+replayParts*p.rounds))
}

// smallest returns what the smallest rent costs, in dollars.
func (p *planner) smallest() float64 {
	return p.kinds[len(p.kinds)-1].tick * float64(max(p.window, 5))
}

// better reports whether a is the better plan: kept before cheap, and of two that
// broke a promise the one that broke it by less, or an empty plan would be best.
func (a *attempt) better(b *attempt) bool {
	if a.kept != b.kept {
		return a.kept
	}
	if a.over != b.over {
		return a.over < b.over
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
	mean := 0.0
	for t := 1; t < len(need); t++ {
		need[t] += need[t-1]
	}
	for t := range g.steps {
		if t < g.judge {
			mean += need[t] / float64(g.judge)
		}
	}
	p.first = p.firstKind(need)
	slots := p.kinds[p.first].slots
	if w.judge > 0 {
		p.warm = min(int(math.Ceil(2*mean/slots))+2, max(w.cfg.MaxInstances/2, 1))
		p.warmOff = int32(max(0, w.cfg.JudgeFrom-5*time.Minute).Seconds() / p.tick)
		p.addWarm()
	}
	p.staff(need)
	for k := range w.cfg.Classes {
		if c := &w.cfg.Classes[k]; c.Attain > 0 && g.arrived[k] > 0 {
			p.may[k] = max(0.97*float64(g.budget[k]), 0.5)
			p.price[k] = 0.3 * max(p.cost, p.smallest()) / p.may[k]
			p.beginHours(k)
		}
	}
}

// firstKind returns the smallest kind of which at most startMost are busy on average,
// given the slots that are needed by step. Small ones fit the load closer, and a change
// of type makes large ones of them where those do as well; the other way a large one
// that is half needed has to become four at once.
func (p *planner) firstKind(need []float64) int {
	mean := 0.0
	for t := range p.g.steps {
		mean += need[t] / float64(p.g.steps)
	}
	for k := len(p.kinds) - 1; k > 0; k-- {
		if mean <= startMost*p.kinds[k].slots {
			return k
		}
	}
	return 0
}

// startMost is how many instances the first plan has at most on average, if it can:
// with more of them the search has too few changes for each.
const startMost = 40

// hourMin is from how many jobs on an hour counts, as the simulator has it.
const hourMin = 100

// hourAim is how many late jobs to plan with in an hour that allows budget: of
// hundreds of hours the replay must not break one.
func hourAim(budget float64) float64 {
	if math.IsInf(budget, 1) {
		return budget
	}
	return max(float64(0.6*budget)-float64(2.0*math.Sqrt(budget)), 0.3*budget)
}

// beginHours sets how many jobs of a class may be late by clock hour.
func (p *planner) beginHours(class int) {
	m, g := p.m, p.g
	at := p.hoursOf(class)
	if at == 0 {
		return
	}
	p.least = p.price[class]
	n := make([]int64, m.hour[g.steps-1]+1)
	for i := range g.cells {
		if c := &g.cells[i]; g.sorts[c.sort].class == class && int(c.step) >= g.judge {
			n[m.hour[c.step]] += c.n
		}
	}
	if p.budgets == nil {
		p.budgets = make([][]float64, len(p.w.cfg.Classes))
	}
	for h, n := range n {
		may := math.Inf(1)
		if n >= hourMin {
			may = float64(budget(n, p.w.cfg.Classes[class].WorstHour))
		}
		p.budgets[class] = append(p.budgets[class], may)
		p.may[at+h], p.price[at+h] = hourAim(may), p.least
	}
}

// staff rents what gives the needed slots, by step of the model, to all but a
// part of an instance.
func (p *planner) staff(need []float64) {
	slots := p.kinds[p.first].slots
	first := int32(p.grid / p.tick)
	n := make([]int, max(0, p.last-first))
	per := p.tick / p.m.h
	for k := range n {
		from := int(float64(k) * per)
		to := min(max(int(float64(float64(k+1)*per)), from+1), p.m.steps)
		sum := 0.0
		for t := from; t < to; t++ {
			sum += need[t] - p.m.cap[t] // the warm ones are there already
		}
		n[k] = max(0, int(math.Ceil(sum/float64(max(to-from, 1))/slots-0.4)))
	}
	boot := int32(math.Ceil(p.lag / p.tick))
	var list []stretch
	if p.window > 0 {
		list = windows(n, int(p.window))
	} else {
		list = fill(n, int(boot))
	}
	for _, x := range list {
		if x.to > x.from {
			on := max(0, first+int32(x.from)-boot)
			off := on + int32(x.to-x.from)
			if p.window == 0 {
				off = first + int32(x.to)
			}
			p.add(rent{int32(p.first), on, off, 2})
		}
	}
}

// learn corrects what may be late on the model, and how long drained instances
// work on, by what came of the replay.
func (p *planner) learn(a *attempt) {
	if p.expected > 0 {
		real := a.figures.Judged.CostUSD - (p.cost - p.expected)
		p.ends.scale *= min(max(math.Sqrt(max(real, 0)/p.expected), 0.5), 2)
	}
	p.recount()
	for k := range p.w.cfg.Classes {
		if a.hours != nil && p.hoursOf(k) > 0 {
			p.learnHours(k, a)
		}
		if p.may[k] == 0 {
			continue
		}
		budget := float64(p.g.budget[k])
		p.may[k] = p.allow(p.m.late[k], a.late[k], float64(0.985*budget), budget)
	}
}

// learnHours corrects what may be late in the hours of a class, as learn does for
// all of them.
func (p *planner) learnHours(class int, a *attempt) {
	at := p.hoursOf(class)
	for h, budget := range p.budgets[class] {
		if math.IsInf(budget, 1) {
			continue
		}
		k := at + h
		model, real := p.m.late[k], a.hours[k]
		aim := hourAim(budget)
		p.may[k] = min(p.allow(model, real, aim, budget), aim)
		if real > budget {
			p.price[k] = max(p.price[k], 2*p.least)
		}
	}
}

// allow returns how many may be late on the model where it said model and the
// replay came to real, so that the next one comes to aim.
func (p *planner) allow(model, real, aim, budget float64) float64 {
	some := float64(0.1*budget) + 5
	// the model's error is partly a factor and partly a sum
	want := aim * (model + some) / (real + some)
	if real > budget {
		want = min(want, model-(real-aim))
	}
	return max(want, 0.1*budget, 0.5)
}

// hoursOf returns where the hours of a class begin among what may be late; 0:
// none are promised anything.
func (p *planner) hoursOf(class int) int {
	if p.m.hour == nil {
		return 0
	}
	return p.m.hourly[class]
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
	span{-p.grid / p.m.h, (float64(float64(p.warmOff)*p.tick) - p.grid) / p.m.h, float64(p.warm) * p.kinds[p.first].slots}.add(p.m.cap, p.m.steps)
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
		leases = append(leases, Lease{Type: p.name(p.first), Launch: 0, Drain: time.Duration(p.warmOff) * tick})
	}
	on := make([]int32, len(list))
	for i := range list {
		on[i] = list[i].on
		lag := p.w.lags.Of(p.kinds[list[i].typ].typ, int64(p.warm+i)).Seconds()
		early := math.Floor((p.lag-lag)/p.tick + 0.5)
		if p.window == 0 { // up to a quarter of a tick late is cheaper than a tick early
			early = min(0, math.Floor((p.lag-lag)/p.tick+0.25))
		}
		on[i] = max(0, list[i].on+int32(early))
	}
	for i := len(on) - 2; p.window > 0 && i >= 0; i-- { // whoever needs long must not wait for others
		on[i] = min(on[i], on[i+1])
	}
	order := make([]int, len(list)) // per second, a launch moved forward takes another's number: close enough
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return int(on[a] - on[b]) })
	for _, i := range order {
		r := list[i]
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
	res, err := sim.Run(ctx, &cfg, newFollower(p.w, a.leases), src, sim.Options{Timeline: p.m.hour != nil})
	if err != nil {
		return nil, err
	}
	if len(res.Latency) > 0 && res.LatencyEach == time.Hour {
		a.hours = p.hours(res.Latency)
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
			budget := float64(p.g.budget[i])
			a.over += max(a.late[i]-budget, 1) / max(budget, 1)
		}
		if c.WorstHour > 0 && f.WorstHour != nil && *f.WorstHour < c.WorstHour {
			a.kept = false
			a.over += (c.WorstHour - *f.WorstHour) / max(1-c.WorstHour, 1e-3)
		}
	}
	if cfg.Duration == 0 && res.Figures.Jobs.Pending > 0 {
		a.kept = false // the bound asks for every job too
	}
	return a, nil
}

// hours sorts the late jobs of a replay by class and hour.
func (p *planner) hours(rows []sim.LatencyRow) []float64 {
	late := make([]float64, len(p.may))
	step := p.g.step
	for i := range rows {
		r := &rows[i]
		at := p.hoursOf(r.Class)
		if at == 0 {
			continue
		}
		middle := int64(r.Hour + 30*time.Minute)
		if t := (middle - p.g.from) / step; t >= 0 && t < int64(p.g.steps) && int(t) >= p.g.judge {
			late[at+int(p.m.hour[t])] += float64(r.Late)
		}
	}
	return late
}
