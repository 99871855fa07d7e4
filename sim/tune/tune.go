package tune

import (
	"context"
	"fmt"
	"math"
	"slices"
)

// Config is a tuning.
type Config struct {
	Space  *Space
	Inputs Inputs
	// Weeks that the search may see, that only the finalists meet, and that
	// judge the outcome.
	Search, Select, Judge []Week
	// Budget is how many runs there may be.
	Budget int
	// Seed of the search's own draws.
	Seed   uint64
	Runner Runner
	// Memory of what earlier runs came to; nil: none.
	Memory *Memory
	// Tell is called when runs are done and when a part begins; nil: nobody
	// listens.
	Tell func(Status)
	// EvenBroken makes the least broken candidate the outcome where none keeps
	// its promises.
	EvenBroken bool
	// Swing also moves each number of the advised candidate down and up, beyond the
	// budget: SwingRuns says how many runs that takes.
	Swing bool
}

// Status is how far a tuning has come.
type Status struct {
	// Part is what is being done; Runs of the budget are done.
	Part string
	Runs int
	// Tried is how many candidates there are.
	Tried int
}

const (
	// judgeShare and selectShare are what judging and the choice between the
	// finalists take of the budget.
	judgeShare, selectShare = 0.2, 0.2
	// finalistsMax go on from the search to the choice, with firstWeeks each.
	finalistsMax = 8
	firstWeeks   = 3
	// judged is how many candidates are judged: the cheapest, the recommended,
	// the fastest and the defaults.
	judged = 4
	// rounds is how often OCBA hands out weeks, at least roundWeeks at a time: it
	// learns between them, and an engine would rather have few.
	rounds, roundWeeks = 6, 4
)

// Shares are how a budget is spent, in runs of a week of every scenario.
type Shares struct{ Search, Select, Judge int }

// SharesOf returns how a budget of runs is spent on weeks of so many scenarios.
func SharesOf(budget, scenarios int) Shares {
	all := budget / scenarios
	s := Shares{Select: max(int(selectShare*float64(all)), 2*firstWeeks), Judge: max(int(judgeShare*float64(all)), judged*judgeMin)}
	s.Search = all - s.Select - s.Judge
	return s
}

const (
	judgeMin = 2
	// weeksMax is how many weeks each part uses at most.
	searchWeeksMax, selectWeeksMax, judgeWeeksMax = 8, 24, 40
)

// simplifyRuns is what an ablation takes in so many dimensions, with the way to
// what it leaves.
func simplifyRuns(dim int) int { return (dim + 2 + len(steps)) * ablateWeeks }

// simplifies reports whether the search can afford an ablation: a sixth of it.
func (s Shares) simplifies(dim int) bool { return 6*simplifyRuns(dim) <= s.Search }

// BudgetMin returns the least budget that makes sense with so many scenarios.
func BudgetMin(scenarios int) int { return 30 * scenarios }

// WeeksOf returns how many weeks the search, the choice and the judging want.
func (s Shares) WeeksOf() (search, choice, judge int) {
	search = min(max(s.Search/40, 2), searchWeeksMax)
	choice = min(max(s.Select/2, firstWeeks), selectWeeksMax)
	judge = min(max(s.Judge/judged, judgeMin), judgeWeeksMax)
	return search, choice, judge
}

// Row is a candidate of the outcome.
type Row struct {
	// Name is "defaults", "A cheapest", "B recommended" or "C fastest"; one
	// candidate may have several.
	Names  []string `json:"names"`
	Params Raw      `json:"params"`
	// Tuned is what it came to on those weeks that chose between the rows and that
	// all of them met, Held on those that judged them.
	Tuned Summary `json:"tuned"`
	Held  Summary `json:"held_out"`

	candidate int
}

// Has reports whether the row has a name.
func (r *Row) Has(name string) bool { return slices.Contains(r.Names, name) }

// The names of rows.
const (
	Defaults    = "defaults"
	Cheapest    = "cheapest"
	Recommended = "recommended"
	Fastest     = "fastest"
)

// Outcome is what a tuning came to.
type Outcome struct {
	Policy   string   `json:"policy"`
	Searched []string `json:"searched"`
	// Telling are the searched parameters in which the rows differ, those that are
	// worth most first.
	Telling []string `json:"telling"`
	// Worth is by how much putting a parameter of the best candidate back to its
	// default raised the score; empty where the budget did not allow to ask.
	Worth  map[string]float64 `json:"worth,omitempty"`
	Budget int                `json:"budget"`
	Runs   int                `json:"runs"`
	Tried  int                `json:"tried"`
	// Rows: cheapest, recommended, fastest, defaults; each candidate once.
	Rows []Row `json:"rows"`
	// Front is how many of the finalists no other dominates.
	Front int `json:"front"`
	// Feasible says that a candidate kept the promises on the weeks that chose;
	// otherwise the rows are the least broken and the defaults.
	Feasible bool `json:"feasible"`
	// Better says that the recommendation beat the defaults on the weeks that
	// judged it. Where it did not, Advice are the defaults.
	Better bool `json:"better"`
	// Advice is the row whose parameters should be used.
	Advice int `json:"advice"`
	// Rolling is the choice made anew before each judging week from what was
	// known by then, against the defaults.
	Rolling Rolling `json:"rolling_origin"`
	// Points are the finalists, for a plot.
	Points []Point `json:"finalists"`
	// Swings of the advised row's parameters, where they were asked for: a report
	// shows them, and what is tuned is the same with and without one.
	Swings []Swing `json:"-"`
}

// Point is a finalist on the weeks that chose between them.
type Point struct {
	Params Raw     `json:"params"`
	Ratio  float64 `json:"cost_over_floor"`
	P95    float64 `json:"p95_s"`
	Slack  float64 `json:"slack"`
	Keeps  bool    `json:"keeps"`
	Front  bool    `json:"front"`
}

// Rolling is the course of a rule that chooses before each week from the weeks
// before it.
type Rolling struct {
	Weeks int `json:"weeks"`
	Kept  int `json:"kept"`
	// Saved is 1 − cost ÷ the defaults' cost, by week.
	Saved Series `json:"saved"`
}

// Find returns the row of a name; nil if there is none.
func (o *Outcome) Find(name string) *Row {
	for i := range o.Rows {
		if o.Rows[i].Has(name) {
			return &o.Rows[i]
		}
	}
	return nil
}

// tuning is one search with its weeks: those of search, choice and judge follow
// each other.
type tuning struct {
	*archive
	cfg                   *Config
	search, choice, judge []int
	shares                Shares
	// What the ablation came to: its simpler candidate, 0 without one, and what
	// each parameter is worth.
	simpler int
	worth   map[string]float64
}

func newTuning(cfg *Config) *tuning {
	t := &tuning{cfg: cfg}
	memory := cfg.Memory
	if memory == nil {
		memory = &Memory{}
	}
	t.archive = &archive{space: cfg.Space, runner: cfg.Runner, memory: memory, inputs: &cfg.Inputs, index: map[string]int{}}
	done := 0
	t.archive.tell = func(runs int) {
		done += runs
		t.report(Status{Runs: done})
	}
	for _, part := range []struct {
		weeks []Week
		to    *[]int
	}{{cfg.Search, &t.search}, {cfg.Select, &t.choice}, {cfg.Judge, &t.judge}} {
		for _, w := range part.weeks {
			*part.to = append(*part.to, len(t.weeks))
			t.weeks = append(t.weeks, w)
		}
	}
	t.add(cfg.Space.Defaults())
	t.shares = SharesOf(cfg.Budget, len(t.weeks[0]))
	return t
}

func (t *tuning) report(s Status) {
	if t.cfg.Tell != nil {
		s.Tried = len(t.entries)
		t.cfg.Tell(s)
	}
}

// Run searches, chooses and judges.
func Run(ctx context.Context, cfg *Config) (*Outcome, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	t := newTuning(cfg)
	tried, err := t.try(ctx)
	if err != nil {
		return nil, err
	}
	finalists, err := t.decide(ctx, tried)
	if err != nil {
		return nil, err
	}
	seen := slices.Concat(t.search, t.choice)
	sums := make([]Summary, len(finalists))
	for i, c := range finalists {
		sums[i] = t.summarize(c, seen)
	}
	pick, ok := t.choose(finalists, sums, t.deciding(finalists))
	if !ok {
		least := t.lowest(finalists, t.deciding(finalists))
		if !cfg.EvenBroken {
			return nil, &InfeasibleError{Promise: *sums[least].Worst(), Least: t.entries[finalists[least]].raw, Tried: len(tried)}
		}
		pick = chosen{finalists[least], finalists[least], finalists[least]}
	}
	t.report(Status{Part: "judging"})
	return t.judgeAll(ctx, finalists, sums, pick, seen, len(tried))
}

// check refuses what cannot be tuned.
func (cfg *Config) check() error {
	if len(cfg.Search) == 0 || len(cfg.Judge) == 0 {
		return &InputError{"a tuning needs weeks to search on and others to judge by"}
	}
	if least := BudgetMin(len(cfg.Search[0])); cfg.Budget < least {
		return &InputError{fmt.Sprintf("budget = %d: must be at least %d runs", cfg.Budget, least)}
	}
	return nil
}

// try searches, and takes back from the best candidate what is worth nothing, if
// the search can afford to ask. It returns every candidate that it tried.
func (t *tuning) try(ctx context.Context) ([]int, error) {
	unit, dim := len(t.weeks[0]), t.cfg.Space.Dim()
	simplify := t.shares.simplifies(dim)
	budget := t.shares.Search * unit
	if simplify {
		budget -= simplifyRuns(dim) * unit
	}
	tried, err := t.archive.search(ctx, t.search, budget, t.cfg.Seed, func(part string) { t.report(Status{Part: part}) })
	if err != nil {
		return nil, err
	}
	best := t.ranked(tried, t.search)[0]
	if !simplify || best == 0 {
		return tried, nil
	}
	t.report(Status{Part: "ablation"})
	if t.simpler, t.worth, err = t.ablate(ctx, best, t.search); err != nil {
		return nil, err
	}
	on, err := t.between(ctx, t.simpler, t.search)
	if err != nil {
		return nil, err
	}
	return append(append(tried, t.simpler), on...), nil
}

// deciding returns the weeks that finalists are compared on: those of the choice,
// which the search has not seen. What won on the weeks of the search won on their
// luck too. Those count as well where the budget leaves less than two others.
func (t *tuning) deciding(finalists []int) []int {
	for _, c := range finalists {
		if scores, _ := t.entries[c].scores(t.choice); len(scores) < 2 {
			return slices.Concat(t.search, t.choice)
		}
	}
	return t.choice
}

// decide has the best candidates meet weeks that the search has not seen, as
// OCBA says, and returns them.
func (t *tuning) decide(ctx context.Context, tried []int) ([]int, error) {
	t.report(Status{Part: "finalists"})
	finalists := t.finalists(tried)
	unit := len(t.weeks[0])
	limit := t.spent + t.shares.Select*unit
	met := make([]int, len(finalists)) // weeks of the choice that each has met
	first := min(firstWeeks, len(t.choice))
	for first > 1 && len(finalists)*first > t.shares.Select {
		first--
	}
	if err := t.evaluate(ctx, grid(finalists, t.choice[:first])); err != nil {
		return nil, err
	}
	for i := range met {
		met[i] = first
	}
	for {
		left := (limit - t.spent) / unit
		if left <= 0 || slices.Min(met) >= len(t.choice) {
			return finalists, nil
		}
		means, deviations := t.paired(finalists)
		next := allocate(means, deviations, met, min(left, max(t.shares.Select/rounds, roundWeeks)))
		// The best must have met every week that a rival is compared on.
		best := 0
		for i := range means {
			if means[i] < means[best] {
				best = i
			}
		}
		next[best] = max(next[best], slices.Max(next))
		var asks []ask
		for i, c := range finalists {
			next[i] = min(next[i], len(t.choice))
			for w := met[i]; w < next[i]; w++ {
				asks = append(asks, ask{c, t.choice[w]})
			}
		}
		if len(asks) == 0 { // who should meet more has met all
			at := slices.Index(met, slices.Min(met))
			asks, next[at] = []ask{{finalists[at], t.choice[met[at]]}}, met[at]+1
		}
		met = next
		if err := t.evaluate(ctx, asks); err != nil {
			return nil, err
		}
	}
}

// finalists returns the defaults, those with the best scores, the fastest of those
// that come near, and the safest.
func (t *tuning) finalists(tried []int) []int {
	ranked := t.ranked(tried, t.search)
	list := []int{0}
	add := func(c int) {
		if !slices.Contains(list, c) {
			list = append(list, c)
		}
	}
	if t.simpler != 0 {
		add(t.simpler)
	}
	for _, c := range ranked {
		if len(list) < finalistsMax-1 {
			add(c)
		}
	}
	fastest, latency := -1, 0.0
	for _, c := range ranked {
		s := t.summarize(c, t.search)
		base := t.summarize(0, s.Weeks)
		if s.N == 0 || !s.Keeps() || s.Ratio.Mean() > float64(costSlack*base.Ratio.Mean()) {
			continue
		}
		if l := s.Latency.Mean() / max(base.Latency.Mean(), 1e-9); fastest < 0 || l < latency {
			fastest, latency = c, l
		}
	}
	if fastest >= 0 {
		add(fastest)
	}
	if safest := t.safest(ranked); safest >= 0 {
		add(safest)
	}
	return list
}

// safest returns, of the half with the better scores, the candidate whose worst
// promise has the most left; -1 without promises.
func (t *tuning) safest(ranked []int) int {
	safest, most := -1, 0.0
	for _, c := range ranked[:(len(ranked)+1)/2] {
		s := t.summarize(c, t.search)
		least := math.Inf(1)
		for i := range s.Promises {
			m := &s.Promises[i].Margin
			least = min(least, m.Mean()-m.Error())
		}
		if s.N > 1 && len(s.Promises) > 0 && (safest < 0 || least > most) {
			safest, most = c, least
		}
	}
	return safest
}

// paired returns the mean score of each candidate against the best one's on the
// weeks that both have met, and the standard deviation of one such difference:
// common random numbers make it far smaller than that of a score.
func (t *tuning) paired(candidates []int) (means, deviations []float64) {
	seen := slices.Concat(t.search, t.choice)
	best := t.ranked(candidates, seen)[0]
	means, deviations = make([]float64, len(candidates)), make([]float64, len(candidates))
	count, total := 0, 0.0
	at := 0
	for i, c := range candidates {
		if c == best {
			at = i
			continue
		}
		d := t.difference(c, best, seen, (*Metrics).Score)
		means[i], deviations[i] = d.Mean(), d.Deviation()
		total += deviations[i]
		count++
	}
	if count > 0 {
		deviations[at] = total / float64(count)
	}
	return means, deviations
}
