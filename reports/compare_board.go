package reports

import (
	"math"
	"slices"

	"github.com/skynet-ec2/skynet/reports/stats"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/trial"
)

// board is a contest with what it came to.
type board struct {
	Contest
	rows  []*CompareRow
	draws *stats.Draws
	cells []*cells
	// p95 of the draws, by policy and class
	p95 [][][]float64
	// alike: every seed is the same run. They are evidence of one.
	alike bool
}

func newBoard(c Contest) *board {
	b := &board{Contest: c}
	days := daysOf(&c)
	blockOf, blocks, name := blocksOf(c.Entries[0].Trials[0], days)
	seeds := len(c.Seeds)
	drawn := seeds
	if b.alike = seedsAlike(&c); b.alike {
		drawn = 1
	}
	if days > 0 {
		b.draws = stats.NewDraws(drawn, blocks, drawsMax, 1)
	} else {
		b.draws = &stats.Draws{Seeds: 1, Blocks: 1}
	}
	for i := range c.Entries {
		e := &c.Entries[i]
		x := newCells(e.Trials[:drawn], len(c.Classes), days, blockOf, blocks)
		b.cells = append(b.cells, x)
		var p95 [][]float64
		for k := range c.Classes {
			var list []float64
			for i := range b.draws.Len() {
				list = append(list, x.p95(b.draws, i, k))
			}
			p95 = append(p95, list)
		}
		b.p95 = append(b.p95, p95)
		b.rows = append(b.rows, b.row(i, seeds, blocks, name))
	}
	for i, row := range b.rows[1:] {
		row.Against = b.against(i + 1)
	}
	b.correct()
	return b
}

// seedsAlike reports whether there are several seeds and all runs of each policy are
// the same, as where boots are fixed, the trace is recorded and nothing fails.
func seedsAlike(c *Contest) bool {
	for i := range c.Entries {
		t := c.Entries[i].Trials
		for _, other := range t[1:] {
			if t[0].Figures.Digest == "" || other.Figures.Digest != t[0].Figures.Digest {
				return false
			}
		}
	}
	return len(c.Seeds) > 1
}

// mean of a figure over trials; those without a value are left out.
func mean(trials []*trial.Trial, of func(*trial.Trial) float64) float64 {
	var v []float64
	for _, t := range trials {
		v = append(v, of(t))
	}
	return IntervalOf(v).Mean
}

func valueOf(x *float64) float64 {
	if x == nil {
		return math.NaN()
	}
	return *x
}

// row returns what policy i came to by itself.
func (b *board) row(i, seeds, blocks int, block string) *CompareRow {
	e, x := &b.Entries[i], b.cells[i]
	t := e.Trials
	r := &CompareRow{
		Scenario: b.Scenario, Policy: e.Label, Name: e.Name, File: e.File, Clairvoyant: e.Clairvoyant, Tuning: e.Tuning,
		Runs: seeds, Seed: b.Seeds[0], Blocks: blocks, BlockIs: block,
		Kept: true, Broken: []string{}, Bound: "certified", Classes: map[string]*CompareClass{},
		SpeedUp: Maybe(math.NaN()),
	}
	for _, x := range append(slices.Clone(b.Settings), e.Settings...) {
		if r.Settings == nil {
			r.Settings = map[string]string{}
		}
		r.Settings[x.Key] = x.Value
	}
	relative := b.costError(x.cost, x).Times(1 / sum(x.cost))
	cost := func(of func(*trial.Trial) float64) Range {
		value := mean(t, of)
		return rangeOf(stats.NewEstimate(value, relative.Times(value)))
	}
	r.CostUSD = cost(func(t *trial.Trial) float64 { return t.Figures.CostUSD })
	r.JudgedUSD = cost(func(t *trial.Trial) float64 { return t.Figures.Judged.CostUSD })
	over := cost(overBound)
	r.Own = ownOf(e.Own)
	r.OverBound, r.OverBoundLo, r.OverBoundHi = over.Mean, over.Lo, over.Hi
	r.LowerUSD = Maybe(mean(t, func(t *trial.Trial) float64 { return t.LowerUSD }))
	r.PlanUSD = mean(t, func(t *trial.Trial) float64 { return t.PlanUSD })
	for _, t := range t {
		if !t.Certified {
			r.Bound = "floor"
		}
		if t.Kept {
			r.KeptRuns++
		}
		for _, name := range t.Broken {
			if !slices.Contains(r.Broken, name) {
				r.Broken = append(r.Broken, name)
			}
		}
	}
	r.Kept = r.KeptRuns == seeds
	r.SlackMean = Maybe(mean(t, func(t *trial.Trial) float64 { return valueOf(t.Figures.Slack.Mean) }))
	r.SlackP5 = Maybe(mean(t, func(t *trial.Trial) float64 { return valueOf(t.SlackP5) }))
	r.SlackP95 = Maybe(mean(t, func(t *trial.Trial) float64 { return valueOf(t.SlackP95) }))
	b.fleet(r, t)
	b.classes(r, i)
	return r
}

func overBound(t *trial.Trial) float64 {
	if t.LowerUSD <= 0 {
		return math.NaN()
	}
	return t.Figures.Judged.CostUSD / t.LowerUSD
}

// ownOf returns what trials of a policy with its own parameters came to; nil
// without any.
func ownOf(trials []*trial.Trial) *CompareOwn {
	if trials == nil {
		return nil
	}
	o := &CompareOwn{
		JudgedUSD: Maybe(mean(trials, func(t *trial.Trial) float64 { return t.Figures.Judged.CostUSD })),
		OverBound: Maybe(mean(trials, overBound)),
	}
	for _, t := range trials {
		if t.Kept {
			o.KeptRuns++
		}
	}
	o.Kept = o.KeptRuns == len(trials)
	return o
}

// costError returns the standard error of the sum of a table of costs, given
// the load of its cells. The load of a trace is what it is, Sundays and all;
// what could have been otherwise is how dearly it was served. So what length and
// work of a cell explain of its cost, by least squares, does not count.
func (b *board) costError(cost [][]float64, of *cells) stats.Error {
	return b.draws.SumError(stats.Unexplained(cost, of.length, of.work))
}

// minus returns a − factor × b.
func minus(a, b [][]float64, factor float64) [][]float64 {
	list := make([][]float64, len(a))
	for s := range a {
		for k := range a[s] {
			list[s] = append(list[s], a[s][k]-factor*b[s][k])
		}
	}
	return list
}

func sum(table [][]float64) float64 {
	total := 0.0
	for _, row := range table {
		for _, x := range row {
			total += x
		}
	}
	return total
}

// fleet fills in how the fleet moved.
func (b *board) fleet(r *CompareRow, trials []*trial.Trial) {
	perDay := func(of func(*trial.Trial) float64) Maybe {
		return Maybe(mean(trials, func(t *trial.Trial) float64 { return of(t) / (t.Judged.Hours() / 24) }))
	}
	r.LaunchesPerDay = perDay(func(t *trial.Trial) float64 { return float64(t.Launches) })
	r.ChurnPerDay = perDay(func(t *trial.Trial) float64 { return t.Churn })
	r.WastedPerDay = perDay(func(t *trial.Trial) float64 { return t.WastedS / 60 })
	r.Clamps = Maybe(mean(trials, func(t *trial.Trial) float64 { return float64(t.GuardClamps) }))
	r.Rigid = meanElasticity(trials, func(t *trial.Trial) *trial.Elasticity { return t.Rigid })
	r.Planned = meanElasticity(trials, func(t *trial.Trial) *trial.Elasticity { return t.Planned })
	r.Deviation = Maybe(math.NaN())
	if r.Rigid != nil {
		r.Deviation = Maybe(r.Rigid.Deviation())
	}
}

// meanElasticity is the mean over trials; nil where one has none.
func meanElasticity(trials []*trial.Trial, of func(*trial.Trial) *trial.Elasticity) *trial.Elasticity {
	var m trial.Elasticity
	n := float64(len(trials))
	for _, t := range trials {
		e := of(t)
		if e == nil {
			return nil
		}
		to := m.Figures()
		for i, x := range e.Figures() {
			*to[i] += *x / n
		}
	}
	return &m
}

// classes fills in what each class got, and whose miss budget suffered most.
func (b *board) classes(r *CompareRow, i int) {
	t, x, d := b.Entries[i].Trials, b.cells[i], b.draws
	r.Budget = Maybe(math.NaN())
	for k, name := range b.Classes {
		figures := func(t *trial.Trial) *sim.ClassFigures { return t.Figures.Classes[name] }
		first := figures(t[0])
		if first == nil {
			continue
		}
		c := &CompareClass{On: first.On, TargetS: first.TargetS, Attain: first.Attain}
		r.Classes[name] = c
		attained := stats.NewEstimate(mean(t, func(t *trial.Trial) float64 { return valueOf(figures(t).Attained) }),
			d.Error(func(i int) float64 { return quotient(d, i, x.inTime[k], x.judged[k]) }))
		// a fraction cannot leave 0 to 1
		c.Attained, c.AttainedLo, c.AttainedHi = Maybe(attained.Value), Maybe(math.Max(0, attained.Lo)), Maybe(math.Min(1, attained.Hi))
		p95 := stats.NewEstimate(mean(t, func(t *trial.Trial) float64 { return valueOf(took(figures(t)).P95) }),
			d.Error(func(draw int) float64 { return b.p95[i][k][draw] }))
		c.P95S, c.P95Lo, c.P95Hi = Maybe(p95.Value), Maybe(math.Max(0, p95.Lo)), Maybe(p95.Hi)
		c.MissPerDay = Maybe(mean(t, func(t *trial.Trial) float64 { return t.MissJobS[k].JobS / (t.Judged.Hours() / 24) }))
		if c.Attain == 0 {
			continue
		}
		used := (1 - float64(c.Attained)) / math.Max(1-c.Attain, 1e-6)
		if used > float64(r.Budget) || math.IsNaN(float64(r.Budget)) && !math.IsNaN(used) {
			r.Budget, r.BudgetOf = Maybe(used), name
		}
	}
}

// took returns the times that a class is judged on.
func took(f *sim.ClassFigures) *sim.TimeFigures {
	if f.On == "wait" {
		return &f.Wait
	}
	return &f.Sojourn
}

// against returns the paired differences of policy i to the first.
func (b *board) against(i int) *CompareAgainst {
	x, y, d := b.cells[0], b.cells[i], b.draws
	first, row := b.rows[0], b.rows[i]
	change := func(value float64, err stats.Error) Change {
		e := stats.NewEstimate(value, err)
		return Change{Range: rangeOf(e), P: Maybe(e.P), PHolm: Maybe(e.P)}
	}
	a := &CompareAgainst{Policy: first.Policy, Classes: map[string]*ClassAgainst{}}
	a.Cost = change(ratioOf(row.JudgedUSD.Mean, first.JudgedUSD.Mean)-1,
		b.costError(minus(y.cost, x.cost, sum(y.cost)/sum(x.cost)), x).Times(1/sum(x.cost)))
	a.Slack = change(float64(row.SlackMean-first.SlackMean), d.Error(func(i int) float64 {
		return quotient(d, i, x.busy, x.ready) - quotient(d, i, y.busy, y.ready)
	}))
	a.Reduction = Maybe(stats.Reduction(x.cost, y.cost))
	for k, name := range b.Classes {
		mine, theirs := row.Classes[name], first.Classes[name]
		if mine == nil || theirs == nil {
			continue
		}
		a.Classes[name] = &ClassAgainst{
			Attained: change(float64(mine.Attained-theirs.Attained), d.Error(func(i int) float64 {
				return quotient(d, i, y.inTime[k], y.judged[k]) - quotient(d, i, x.inTime[k], x.judged[k])
			})),
			P95S: change(float64(mine.P95S-theirs.P95S), d.Error(func(draw int) float64 { return b.p95[i][k][draw] - b.p95[0][k][draw] })),
		}
	}
	return a
}

// ratioOf returns x ÷ y, NaN where y is nothing.
func ratioOf(x, y Maybe) float64 {
	if y == 0 {
		return math.NaN()
	}
	return float64(x / y)
}

// correct raises the p of each figure for the number of policies compared.
func (b *board) correct() {
	figures := []func(*CompareAgainst) *Change{
		func(a *CompareAgainst) *Change { return &a.Cost },
		func(a *CompareAgainst) *Change { return &a.Slack },
	}
	for _, name := range b.Classes {
		if b.rows[0].Classes[name] == nil {
			continue
		}
		figures = append(figures,
			func(a *CompareAgainst) *Change { return &a.Classes[name].Attained },
			func(a *CompareAgainst) *Change { return &a.Classes[name].P95S })
	}
	for _, of := range figures {
		var p []float64
		for _, row := range b.rows[1:] {
			p = append(p, float64(of(row.Against).P))
		}
		for i, raised := range stats.Holm(p) {
			of(b.rows[i+1].Against).PHolm = Maybe(raised)
		}
	}
}
