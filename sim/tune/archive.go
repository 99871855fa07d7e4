package tune

import (
	"cmp"
	"context"
	"slices"

	"github.com/skynet-ec2/skynet/policy"
)

// entry is a candidate and what it came to, by week.
type entry struct {
	values policy.Values
	raw    Raw
	point  []float64 // where it lies in the cube
	weeks  map[int][]*Metrics
}

// archive is every candidate of a search. Candidate 0 are the defaults.
type archive struct {
	space   *Space
	weeks   []Week
	runner  Runner
	memory  *Memory
	inputs  *Inputs
	tell    func(runs int)
	entries []*entry
	index   map[string]int
	spent   int // runs, known ones included
}

// add returns the index of a candidate, which is new unless it has the values of
// an earlier one.
func (a *archive) add(v policy.Values) int {
	raw := a.space.RawOf(v)
	key := raw.Key()
	if i, known := a.index[key]; known {
		return i
	}
	i := len(a.entries)
	a.entries = append(a.entries, &entry{values: v, raw: raw, point: a.space.Point(v), weeks: map[int][]*Metrics{}})
	a.index[key] = i
	return i
}

// ask is a candidate's run of a week.
type ask struct{ candidate, week int }

// once returns asks without those asked before: two points of a generation may
// round to the same candidate.
func once(asks []ask) []ask {
	seen := map[ask]bool{}
	var list []ask
	for _, x := range asks {
		if !seen[x] {
			seen[x] = true
			list = append(list, x)
		}
	}
	return list
}

// missing returns how many runs it takes to know what is asked.
func (a *archive) missing(asks []ask) int {
	runs := 0
	for _, x := range once(asks) {
		if a.entries[x.candidate].weeks[x.week] == nil {
			runs += len(a.weeks[x.week])
		}
	}
	return runs
}

// evaluate runs what is asked and not known. Runs of one fold follow each other,
// so that they can share its trace.
func (a *archive) evaluate(ctx context.Context, asks []ask) error {
	asks = once(asks)
	slices.SortStableFunc(asks, func(x, y ask) int { return x.week - y.week })
	a.spent += a.missing(asks)
	e := errand{plan: &Plan{Inputs: *a.inputs, Shards: 1}, at: map[string]int{}}
	for from := 0; from < len(asks); {
		week, to := asks[from].week, from
		for to < len(asks) && asks[to].week == week {
			to++
		}
		for fold := range a.weeks[week] {
			a.enlist(&e, asks[from:to], week, fold)
		}
		from = to
	}
	if len(e.plan.Tasks) == 0 {
		return ctx.Err()
	}
	e.plan.Seal()
	return a.runner.Run(ctx, e.plan, func(task int, m *Metrics) error {
		x := e.places[task]
		x.entry.weeks[x.week][x.fold] = m
		a.tell(1)
		return a.memory.add(x.entry.raw, &a.weeks[x.week][x.fold], m)
	})
}

// errand is a plan that is being made, and where what its tasks come to belongs.
type errand struct {
	plan   *Plan
	at     map[string]int // the plan's candidates by their keys
	places []place        // by task
}

// place is a run of a candidate: that of one fold of a week.
type place struct {
	entry      *entry
	week, fold int
}

// enlist adds the runs of a fold of a week that nobody knows yet to an errand, and
// takes in those that the memory knows. A fold and a candidate stand in the plan
// only if a task needs them.
func (a *archive) enlist(e *errand, asks []ask, week, fold int) {
	used := -1 // the fold's place in the plan
	for _, x := range asks {
		entry := a.entries[x.candidate]
		if entry.weeks[week] == nil {
			entry.weeks[week] = make([]*Metrics, len(a.weeks[week]))
		}
		if entry.weeks[week][fold] != nil {
			continue
		}
		if known := a.memory.of(entry.raw, &a.weeks[week][fold]); known != nil {
			entry.weeks[week][fold] = known
			a.tell(1)
			continue
		}
		if used < 0 {
			used = len(e.plan.Folds)
			e.plan.Folds = append(e.plan.Folds, a.weeks[week][fold])
		}
		e.plan.Tasks = append(e.plan.Tasks, Task{e.candidate(entry), used})
		e.places = append(e.places, place{entry, week, fold})
	}
}

// candidate returns the place of a candidate in the plan.
func (e *errand) candidate(x *entry) int {
	key := x.raw.Key()
	c, there := e.at[key]
	if !there {
		c = len(e.plan.Candidates)
		e.plan.Candidates = append(e.plan.Candidates, x.raw)
		e.at[key] = c
	}
	return c
}

// scores returns a candidate's score in those of the weeks that it has run, and
// which these are.
func (e *entry) scores(weeks []int) (scores []float64, of []int) {
	for _, w := range weeks {
		if runs := e.weeks[w]; runs != nil {
			scores = append(scores, meanOf(runs, (*Metrics).Score))
			of = append(of, w)
		}
	}
	return scores, of
}

// meanOf returns the mean of a figure over the runs of a week.
func meanOf(runs []*Metrics, figure func(*Metrics) float64) float64 {
	sum := 0.0
	for _, m := range runs {
		sum += figure(m)
	}
	return sum / float64(len(runs))
}

// against returns the mean difference of a candidate's score to the defaults',
// over the weeks that both have run; what it has run tells how sure that is.
func (a *archive) against(c int, weeks []int) (mean float64, of int) {
	base := a.entries[0]
	sum := 0.0
	scores, at := a.entries[c].scores(weeks)
	for i, w := range at {
		if runs := base.weeks[w]; runs != nil {
			sum += scores[i] - meanOf(runs, (*Metrics).Score)
			of++
		}
	}
	if of == 0 {
		return 0, 0
	}
	return sum / float64(of), of
}

// ranked returns candidates by their score against the defaults', the best
// first.
func (a *archive) ranked(candidates, weeks []int) []int {
	score := map[int]float64{}
	for _, c := range candidates {
		score[c], _ = a.against(c, weeks)
	}
	list := slices.Clone(candidates)
	slices.SortStableFunc(list, func(x, y int) int {
		return cmp.Or(cmp.Compare(score[x], score[y]), cmp.Compare(x, y))
	})
	return list
}
