package tune

import "fmt"

// Metrics are what a run of a candidate on a fold came to, as far as a tuning
// cares.
type Metrics struct {
	// CostUSD is the judged cost and FloorUSD the floor of work below it.
	CostUSD  float64 `json:"cost_usd"`
	FloorUSD float64 `json:"floor_usd"`
	// Slack is the mean slack; null without ready capacity.
	Slack *float64 `json:"slack"`
	// P95S is the 95th percentile of what the first class's promise is about, in
	// seconds, and TargetS its target; null without jobs.
	P95S    *float64 `json:"p95_s"`
	TargetS float64  `json:"target_s"`
	// Promises in the scenario's order.
	Promises []Promise `json:"promises"`
	// Attained by class, in the scenario's order; null without jobs.
	Attained []*float64 `json:"attained"`
}

// Promise is what became of a promise in a run.
type Promise struct {
	Name string `json:"name"`
	Want string `json:"want"`
	// Value is what the run came to; null where the figure has no value.
	Value *float64 `json:"value"`
	// Margin is how much of what the promise allows was left, as a fraction of
	// it; negative when it was broken.
	Margin float64 `json:"margin"`
	Kept   bool    `json:"kept"`
}

// Ratio returns cost ÷ floor, or the cost itself where there was no work.
func (m *Metrics) Ratio() float64 {
	if m.FloorUSD > 0 {
		return m.CostUSD / m.FloorUSD
	}
	return m.CostUSD
}

// Kept reports whether every promise was.
func (m *Metrics) Kept() bool {
	for i := range m.Promises {
		if !m.Promises[i].Kept {
			return false
		}
	}
	return true
}

// latency returns p95 ÷ target of the first class, 0 where it has none.
func (m *Metrics) latency() float64 {
	if m.P95S == nil || !(m.TargetS > 0) {
		return 0
	}
	return *m.P95S / m.TargetS
}

const (
	// penalty is what the objective pays for a promise broken by the whole of
	// what it allows: ten floors of work. Nothing is paid back for a promise kept
	// by more: doubt buys more. With 3 in its place, the search of photo-week
	// ended a hair below a promise that 10 keeps.
	penalty = 10
	// shortMax bounds how far a promise counts as broken.
	shortMax = 10
)

// Score returns the objective: cost ÷ floor, and a penalty for every broken
// promise that grows with how far it was broken.
func (m *Metrics) Score() float64 {
	score := m.Ratio()
	for i := range m.Promises {
		if short := -m.Promises[i].Margin; short > 0 {
			score += float64(penalty * min(short, shortMax))
		}
	}
	return score
}

// Fold is what a candidate runs on: a scenario with its weather drawn from a
// seed, or a part of it.
type Fold struct {
	// Scenario is an index into the inputs.
	Scenario int    `json:"scenario"`
	Seed     uint64 `json:"seed"`
	// Part of a recorded trace; null: the whole.
	Part *Part `json:"part,omitempty"`
}

// Part is a part of a recorded trace, in nanoseconds since its start: it runs
// from From to To and is judged from Judge on. To 0 is the trace's end.
type Part struct {
	From  int64 `json:"from_ns"`
	Judge int64 `json:"judge_ns"`
	To    int64 `json:"to_ns"`
}

func (f *Fold) valid(inputs int) bool {
	if f.Scenario < 0 || f.Scenario >= inputs || f.Seed > seedMax {
		return false
	}
	p := f.Part
	return p == nil || p.From >= 0 && p.Judge >= p.From && (p.To == 0 || p.To > p.Judge)
}

// seedMax is the largest seed that JSON keeps exactly.
const seedMax = 1<<53 - 1

// key tells folds apart.
func (f *Fold) key() string {
	if f.Part == nil {
		return fmt.Sprintf("%d/%d", f.Scenario, f.Seed)
	}
	return fmt.Sprintf("%d/%d/%d-%d-%d", f.Scenario, f.Seed, f.Part.From, f.Part.Judge, f.Part.To)
}

// Week is one fold of each scenario that counts.
type Week []Fold

// arrivals tells the jobs that a week meets from those of others. Of a part of a
// recorded trace they are the same with every seed, of another trace its seed says
// which they are.
func (w Week) arrivals() string {
	text := ""
	for i := range w {
		f := w[i]
		if f.Part != nil {
			f.Seed = 0
		}
		text += f.key() + " "
	}
	return text
}

// follows reports whether a week begins to be judged when another has ended, so
// that all of that can be known by then; of weeks that are no parts of a trace,
// always.
func (w Week) follows(other Week) bool {
	for i := range w {
		p, q := w[i].Part, other[i].Part
		if p != nil && q != nil && (q.To == 0 || q.To > p.Judge) {
			return false
		}
	}
	return true
}
