package reports

import (
	"encoding/json"
	"fmt"
	"math"

	"github.com/skynet-ec2/skynet/reports/stats"
	"github.com/skynet-ec2/skynet/sim/trial"
)

// Contest is one scenario under several policies, each with the same seeds.
type Contest struct {
	Scenario string // its name
	// Trace tells its trace from others: scenarios of one count as one in ranks.
	// Empty: it is of its own.
	Trace string
	// Base is the name without what was set, and Settings what was.
	Base     string
	Settings []Setting
	Seeds    []uint64
	// Classes are the scenario's, in its order.
	Classes []string
	Entries []Entry
}

// Entry is a policy in a contest.
type Entry struct {
	Name  string // for people, the same in every contest
	Label string // with the digits that tell its parameters
	File  string // of the policy; empty: its defaults, or the scenario's own
	// Base is the name without what was set, and Settings what was.
	Base     string
	Settings []Setting
	// Clairvoyant policies are yardsticks: none of them is the best of the others.
	Clairvoyant bool
	// Tuning says how the parameters were found; nil where they were not searched
	// for.
	Tuning *trial.Tuning
	// Trials by seed.
	Trials []*trial.Trial
	// Own are the trials with the parameters it has untuned; nil without Tuning.
	Own []*trial.Trial
}

// Setting is a value that a sweep put into a scenario or a policy.
type Setting struct{ Key, Value string }

// Comparison is what contests came to, as `compare --json` writes it.
type Comparison struct {
	Version string `json:"version,omitempty"`
	Command string `json:"command,omitempty"`
	// Inputs is a digest of scenarios, traces, policies and seeds.
	Inputs string        `json:"inputs,omitempty"`
	Rows   []*CompareRow `json:"rows"`
	// Ranking over scenarios; null for one scenario or one policy.
	Ranking *CompareRanking `json:"ranking"`

	boards []*board
}

// A Maybe is a figure that may have no value: NaN is written as null.
type Maybe float64

// MarshalJSON writes the number, or null.
func (m Maybe) MarshalJSON() ([]byte, error) {
	if x := float64(m); !math.IsNaN(x) && !math.IsInf(x, 0) {
		return json.Marshal(x)
	}
	return []byte("null"), nil
}

// Range is a mean with its 95 % interval; Lo and Hi are null where one run of
// one day is all there is.
type Range struct {
	Mean Maybe `json:"mean"`
	Lo   Maybe `json:"lo"`
	Hi   Maybe `json:"hi"`
}

func rangeOf(e stats.Estimate) Range { return Range{Maybe(e.Value), Maybe(e.Lo), Maybe(e.Hi)} }

// interval returns the range as the tables of runs have it.
func (r Range) interval() Interval {
	return Interval{Mean: float64(r.Mean), Lo: float64(r.Lo), Hi: float64(r.Hi)}
}

// Change is a difference to the first policy of the scenario, on the same
// weather. P is two-sided; PHolm the same, corrected for all policies of the
// scenario that are compared with the first.
type Change struct {
	Range
	P     Maybe `json:"p"`
	PHolm Maybe `json:"p_holm"`
}

// CompareRow is a scenario under one policy.
type CompareRow struct {
	Scenario string `json:"scenario"`
	Policy   string `json:"policy"`
	Name     string `json:"name"`
	File     string `json:"policy_file,omitempty"`
	// Settings are what a sweep set, by key.
	Settings map[string]string `json:"settings,omitempty"`
	// Clairvoyant policies are told what will arrive.
	Clairvoyant bool `json:"clairvoyant,omitempty"`
	// Tuning says how the policy's parameters were found for this scenario.
	Tuning *trial.Tuning `json:"tuning,omitempty"`
	// Own is what a policy that was tuned came to with its own parameters.
	Own     *CompareOwn `json:"own,omitempty"`
	Runs    int         `json:"runs"`
	Seed    uint64      `json:"seed"` // the first
	Blocks  int         `json:"blocks"`
	BlockIs string      `json:"block"` // "day" or "week"

	// CostUSD is the bill of the whole run, JudgedUSD what began in the judged
	// time.
	CostUSD   Range `json:"cost_usd"`
	JudgedUSD Range `json:"judged_cost_usd"`
	// LowerUSD is the mean of the seeds' bounds on the judged cost, by Bound:
	// "certified" or "floor". OverBound is judged cost ÷ bound.
	LowerUSD    Maybe   `json:"lower_usd"`
	Bound       string  `json:"bound"`
	OverBound   Maybe   `json:"over_bound"`
	OverBoundLo Maybe   `json:"over_bound_lo"`
	OverBoundHi Maybe   `json:"over_bound_hi"`
	PlanUSD     float64 `json:"plan_usd,omitempty"`

	// Kept: every promise in every run.
	Kept     bool     `json:"kept"`
	KeptRuns int      `json:"kept_runs"`
	Broken   []string `json:"broken"` // in any run, in the order of the promises

	SlackMean Maybe `json:"slack_mean"`
	SlackP5   Maybe `json:"slack_p5"`
	SlackP95  Maybe `json:"slack_p95"`

	Classes map[string]*CompareClass `json:"classes"`
	// Budget is the share of its miss budget that the class that used most of it
	// used, 1 being all; BudgetOf that class.
	Budget   Maybe  `json:"budget_used"`
	BudgetOf string `json:"budget_class"`

	LaunchesPerDay Maybe             `json:"launches_per_day"`
	ChurnPerDay    Maybe             `json:"churn_per_day"`
	WastedPerDay   Maybe             `json:"wasted_minutes_per_day"`
	Clamps         Maybe             `json:"guard_clamps"`
	Rigid          *trial.Elasticity `json:"elasticity"`
	Planned        *trial.Elasticity `json:"elasticity_planned"`
	Deviation      Maybe             `json:"deviation"`
	Pairwise       Maybe             `json:"pairwise"`
	SpeedUp        Maybe             `json:"elastic_speedup"`
	Rank           float64           `json:"rank"`

	// Against the first policy of the scenario; null for that.
	Against *CompareAgainst `json:"against"`
}

// CompareOwn is what a tuned policy came to untuned: means over the same runs.
type CompareOwn struct {
	JudgedUSD Maybe `json:"judged_cost_usd"`
	OverBound Maybe `json:"over_bound"`
	Kept      bool  `json:"kept"` // every promise in every run
	KeptRuns  int   `json:"kept_runs"`
}

// CompareClass is a class of jobs under a policy: means over the runs.
type CompareClass struct {
	Attained   Maybe   `json:"attained"`
	AttainedLo Maybe   `json:"attained_lo"`
	AttainedHi Maybe   `json:"attained_hi"`
	P95S       Maybe   `json:"p95_s"`
	P95Lo      Maybe   `json:"p95_s_lo"`
	P95Hi      Maybe   `json:"p95_s_hi"`
	On         string  `json:"on"`
	TargetS    float64 `json:"target_s"`
	Attain     float64 `json:"attain"`
	MissPerDay Maybe   `json:"miss_job_s_per_day"`
}

func (c *CompareClass) attained() Range { return Range{c.Attained, c.AttainedLo, c.AttainedHi} }
func (c *CompareClass) p95() Range      { return Range{c.P95S, c.P95Lo, c.P95Hi} }

// CompareAgainst are paired differences to the first policy of the scenario.
type CompareAgainst struct {
	Policy string `json:"policy"`
	// Cost is the judged cost ÷ the first policy's − 1; Slack a difference.
	Cost  Change `json:"cost"`
	Slack Change `json:"slack"`
	// Reduction is the factor by which pairing shrinks the variance of the
	// difference in cost: (Var A + Var B) ÷ Var(A − B) over the seeds, by block.
	Reduction Maybe                    `json:"variance_reduction"`
	Classes   map[string]*ClassAgainst `json:"classes"`
}

// ClassAgainst are a class's differences: of fractions, and of seconds.
type ClassAgainst struct {
	Attained Change `json:"attained"`
	P95S     Change `json:"p95_s"`
}

// CompareRanking ranks policies over scenarios: by judged cost ÷ bound where
// all promises were kept, behind these by how far the miss budget was exceeded.
type CompareRanking struct {
	Policies []CompareRank `json:"policies"`
	// Traces that the scenarios are of: those of one trace count as one.
	Traces int `json:"traces"`
	// FriedmanP and Critical are null below three traces: the chance of ranks
	// this uneven among equals, and the least significant difference of two mean
	// ranks by Nemenyi's test at 5 %.
	FriedmanP Maybe `json:"friedman_p"`
	Critical  Maybe `json:"critical_difference"`
	// Best compares the first policy, by scenario, with the cheapest other that
	// kept all promises; BestRatio is the geometric mean of the first's judged
	// cost ÷ that one's, over the scenarios where both kept them.
	Best      []CompareBest `json:"best_rival"`
	BestRatio Maybe         `json:"best_rival_ratio"`
	// BestLo and BestHi bound its 95 % interval over the traces, by Student's t of the
	// logarithms, each trace weighing as much as it has scenarios; null below three.
	BestLo Maybe `json:"best_rival_ratio_lo"`
	BestHi Maybe `json:"best_rival_ratio_hi"`

	bestTraces int // that BestRatio is of
}

// CompareBest is a scenario's first policy beside the best of the others.
type CompareBest struct {
	Scenario string `json:"scenario"`
	// Rival is empty, and Ratio null, where no other policy kept all promises.
	Rival string `json:"rival"`
	// Own says that it is the rival with its own parameters, in the place of those
	// that tuning found.
	Own       bool  `json:"rival_untuned,omitempty"`
	Kept      bool  `json:"kept"` // by the first policy
	OverBound Maybe `json:"over_bound"`
	RivalOver Maybe `json:"rival_over_bound"`
	Ratio     Maybe `json:"ratio"`
}

// CompareRank is a policy over all scenarios.
type CompareRank struct {
	Name     string `json:"name"`
	MeanRank Maybe  `json:"mean_rank"`
	// Kept scenarios of all of them, and OverBound the geometric mean of cost ÷
	// bound over all of them, whether kept or not.
	Kept      int   `json:"kept"`
	OverBound Maybe `json:"over_bound"`
}

// Add appends a contest's rows to the comparison.
func (c *Comparison) Add(contest Contest) {
	b := newBoard(contest)
	b.score()
	c.boards = append(c.boards, b)
	c.Rows = append(c.Rows, b.rows...)
	c.rank()
}

// rank ranks the policies over the contests so far.
func (c *Comparison) rank() {
	c.Ranking = nil
	if len(c.boards) < 2 || len(c.boards[0].rows) < 2 {
		return
	}
	k := len(c.boards[0].rows)
	values, traces := make([][]float64, len(c.boards)), make([]string, len(c.boards))
	r := &CompareRanking{Policies: make([]CompareRank, k)}
	logs := make([]float64, k)
	for i, b := range c.boards {
		values[i], traces[i] = b.values(), b.Trace
		if traces[i] == "" {
			traces[i] = fmt.Sprint("of contest ", i)
		}
		for j, row := range b.rows {
			p := &r.Policies[j]
			p.Name = row.Name
			if row.Kept {
				p.Kept++
			}
			logs[j] += math.Log(float64(row.OverBound)) / float64(len(c.boards))
		}
	}
	var ratios []float64
	var of []string
	for i, b := range c.boards {
		best := b.best()
		r.Best = append(r.Best, best)
		if x := float64(best.Ratio); best.Kept && x > 0 {
			ratios, of = append(ratios, x), append(of, traces[i])
		}
	}
	r.ratio(ratios, of)
	ranking := stats.Rank(values, traces)
	r.Traces, r.FriedmanP, r.Critical = ranking.Traces, Maybe(ranking.P), Maybe(ranking.Critical)
	for j := range r.Policies {
		r.Policies[j].MeanRank = Maybe(ranking.Mean[j])
		r.Policies[j].OverBound = Maybe(math.Exp(logs[j]))
	}
	c.Ranking = r
}

// ratio fills in the geometric mean of ratios, with its interval over the traces
// that they are of: scenarios of one trace say little more than one of them.
func (r *CompareRanking) ratio(ratios []float64, traces []string) {
	mean := 0.0
	var order []string
	sums, counts := map[string]float64{}, map[string]float64{}
	for i, x := range ratios {
		mean += math.Log(x) / float64(len(ratios))
		if counts[traces[i]] == 0 {
			order = append(order, traces[i])
		}
		sums[traces[i]] += math.Log(x)
		counts[traces[i]]++
	}
	r.BestRatio, r.BestLo, r.BestHi = Maybe(math.NaN()), Maybe(math.NaN()), Maybe(math.NaN())
	if len(ratios) == 0 {
		return
	}
	r.BestRatio, r.bestTraces = Maybe(math.Exp(mean)), len(order)
	var byTrace []float64
	squares := 0.0
	for _, t := range order {
		byTrace = append(byTrace, sums[t]/counts[t])
		squares += counts[t] * counts[t]
	}
	if len(order) >= 3 {
		// The mean gives each trace a weight by its scenarios. The more uneven these
		// are, the less sure it is than one of equal weights.
		uneven := math.Sqrt(float64(len(order))*squares) / float64(len(ratios))
		half := uneven * IntervalOf(byTrace).Half()
		r.BestLo, r.BestHi = Maybe(math.Exp(mean-half)), Maybe(math.Exp(mean+half))
	}
}
