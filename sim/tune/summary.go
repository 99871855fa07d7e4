package tune

import (
	"encoding/json"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat/distuv"
)

// Series is a figure of a candidate, week by week.
type Series struct {
	Values []float64

	// arrivals says of each value which week's arrivals it met; nil: each its own.
	arrivals []string
}

// add appends the value of a week that met certain arrivals.
func (s *Series) add(x float64, arrivals string) {
	s.Values, s.arrivals = append(s.Values, x), append(s.arrivals, arrivals)
}

// Independent returns the values that may be taken as independent draws: where
// weeks met the same arrivals in other weather, as those of one window of a
// recorded trace do, the mean of each window. Of a single window the values are
// returned as they are: how they differ is the weather alone.
//
// Properties:
//   - weeks that each met their own arrivals are returned as they are
//   - a window that was met twice as often counts no more
func (s *Series) Independent() []float64 {
	if s.Arrivals() < 2 || s.arrivals == nil {
		return s.Values
	}
	at, means, count := map[string]int{}, []float64{}, []float64{}
	for i, x := range s.Values {
		k, known := at[s.arrivals[i]]
		if !known {
			k = len(means)
			at[s.arrivals[i]] = k
			means, count = append(means, 0), append(count, 0)
		}
		means[k] += x
		count[k]++
	}
	for k := range means {
		means[k] /= count[k]
	}
	return means
}

// Arrivals returns how many different weeks' arrivals the values met.
func (s *Series) Arrivals() int {
	if s.arrivals == nil {
		return len(s.Values)
	}
	different := map[string]bool{}
	for _, a := range s.arrivals {
		different[a] = true
	}
	return len(different)
}

// MarshalJSON writes {"mean":…,"error":…,"values":[…]}. A mean without values and
// the standard error of fewer than two independent ones are null.
func (s Series) MarshalJSON() ([]byte, error) {
	v := struct {
		Mean   *float64  `json:"mean"`
		Error  *float64  `json:"error"`
		Values []float64 `json:"values"`
	}{Values: s.Values}
	if mean := s.Mean(); len(s.Values) > 0 {
		v.Mean = &mean
	}
	if x := (&Series{Values: s.Independent()}); len(x.Values) > 1 {
		e := x.Error()
		v.Error = &e
	}
	return json.Marshal(v)
}

// Mean returns the mean of the values; NaN without any.
func (s *Series) Mean() float64 {
	sum := 0.0
	for _, x := range s.Values {
		sum += x
	}
	return sum / float64(len(s.Values))
}

// Deviation returns the standard deviation of one value; 0 below two values.
func (s *Series) Deviation() float64 {
	n := len(s.Values)
	if n < 2 {
		return 0
	}
	mean, sum := s.Mean(), 0.0
	for _, x := range s.Values {
		sum += float64((x - mean) * (x - mean))
	}
	return math.Sqrt(sum / float64(n-1))
}

// Error returns the standard error of the mean, each week taken as independent; 0
// below two values.
func (s *Series) Error() float64 {
	if len(s.Values) == 0 {
		return 0
	}
	return s.Deviation() / math.Sqrt(float64(len(s.Values)))
}

// below reports whether the mean is below 0 by more than chance explains: the 95 %
// interval of the independent values, by Student's t, leaves 0 out.
func (s *Series) below() bool {
	x := Series{Values: s.Independent()}
	n := len(x.Values)
	return n > 1 && x.Mean()+float64(studentT(0.975, n-1)*x.Error()) < 0
}

// studentT returns a quantile of Student's t distribution.
func studentT(p float64, freedom int) float64 {
	return distuv.StudentsT{Mu: 0, Sigma: 1, Nu: float64(freedom)}.Quantile(p)
}

// Risk is how likely a week is to break a promise.
type Risk uint8

const (
	// RiskLow: every week kept every promise, and each by so much that fewer than
	// one week in twenty should break it. One week cannot tell.
	RiskLow Risk = iota
	// RiskTight: every week kept every promise, one of them by little.
	RiskTight
	// RiskBroken: a week broke a promise.
	RiskBroken
)

// String returns the word of the risk: low, tight or broken.
func (r Risk) String() string { return [...]string{"low", "tight", "broken"}[r] }

// MarshalText writes the risk as its word.
func (r Risk) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// Summary is what a candidate came to over several weeks.
type Summary struct {
	// N weeks, by index, of which Kept kept every promise.
	Weeks []int `json:"-"`
	N     int   `json:"weeks"`
	Kept  int   `json:"kept"`
	// Cost in dollars a week, summed over the scenarios; Ratio is cost ÷ floor and
	// Latency p95 ÷ target of the first class, both means over the scenarios.
	Cost    Series `json:"cost_usd"`
	Ratio   Series `json:"cost_over_floor"`
	Latency Series `json:"p95_over_target"`
	P95     Series `json:"p95_s"`
	Slack   Series `json:"slack"`
	Score   Series `json:"score"`
	// Attained by class of the first scenario.
	Attained []Series `json:"attained"`
	// Promises by scenario and name.
	Promises []PromiseSummary `json:"promises"`
	Risk     Risk             `json:"risk"`
}

// PromiseSummary is what became of one promise over several weeks.
type PromiseSummary struct {
	Scenario int    `json:"scenario"`
	Name     string `json:"name"`
	Want     string `json:"want"`
	Margin   Series `json:"margin"`
	// Value of the promise's figure; weeks without one are left out.
	Value Series `json:"value"`
	Kept  int    `json:"kept"`
}

// brokenShare returns the fraction of the weeks that broke a promise.
func (s *Summary) brokenShare() float64 { return 1 - float64(s.Kept)/float64(max(s.N, 1)) }

// Keeps reports whether every promise is kept by the mean of the weeks: no single
// week of bad luck condemns a candidate, and it says of the risk what it is.
func (s *Summary) Keeps() bool { return s.Worst() == nil }

// surely reports whether every promise is kept by the mean of the weeks less its
// standard error: who is chosen for having kept it by a hair will break it.
func (s *Summary) surely() bool {
	for i := range s.Promises {
		if m := &s.Promises[i].Margin; m.Mean() < m.Error() && m.Error() > 0 || m.Mean() < 0 {
			return false
		}
	}
	return true
}

// Worst returns the promise that is broken most by the mean of the weeks, nil if
// none is.
func (s *Summary) Worst() *PromiseSummary {
	var worst *PromiseSummary
	for i := range s.Promises {
		p := &s.Promises[i]
		if m := p.Margin.Mean(); m < 0 && (worst == nil || m < worst.Margin.Mean()) {
			worst = p
		}
	}
	return worst
}

// SavedAgainst returns 1 − cost ÷ that of another candidate by week, of weeks that
// both have met. Where the other's cost nothing there was nothing to save, and no
// share of it: such a week is left out.
func (s *Summary) SavedAgainst(other *Summary) Series {
	var saved Series
	for i, x := range s.Ratio.Values {
		if base := other.Ratio.Values[i]; base > 0 {
			saved.Values = append(saved.Values, 1-x/base)
			if s.Ratio.arrivals != nil {
				saved.arrivals = append(saved.arrivals, s.Ratio.arrivals[i])
			}
		}
	}
	return saved
}

// summarize returns what a candidate came to in those of the weeks that it has
// run.
func (a *archive) summarize(c int, weeks []int) Summary {
	e := a.entries[c]
	var s Summary
	for _, w := range weeks {
		runs := e.weeks[w]
		if runs == nil {
			continue
		}
		met := a.weeks[w].arrivals()
		s.Weeks = append(s.Weeks, w)
		s.N++
		s.Cost.add(float64(len(runs))*meanOf(runs, func(m *Metrics) float64 { return m.CostUSD }), met)
		s.Ratio.add(meanOf(runs, (*Metrics).Ratio), met)
		s.Latency.add(meanOf(runs, (*Metrics).latency), met)
		s.Score.add(meanOf(runs, (*Metrics).Score), met)
		for i, x := range runs[0].Attained {
			if i == len(s.Attained) {
				s.Attained = append(s.Attained, Series{})
			}
			if x != nil {
				s.Attained[i].add(*x, met)
			}
		}
		if p := runs[0].P95S; p != nil {
			s.P95.add(*p, met)
		}
		if runs[0].Slack != nil {
			s.Slack.add(meanOf(runs, func(m *Metrics) float64 {
				if m.Slack == nil {
					return 0
				}
				return *m.Slack
			}), met)
		}
		kept := true
		for f, m := range runs {
			kept = kept && m.Kept()
			s.addPromises(f, m)
		}
		if kept {
			s.Kept++
		}
	}
	s.Risk = s.risk()
	return s
}

// addPromises takes over the promises of a run. Those of several scenarios are
// told apart by the place of their fold in the week.
func (s *Summary) addPromises(scenario int, m *Metrics) {
	for i := range m.Promises {
		p := &m.Promises[i]
		at := slices.IndexFunc(s.Promises, func(x PromiseSummary) bool { return x.Scenario == scenario && x.Name == p.Name && x.Want == p.Want })
		if at < 0 {
			at = len(s.Promises)
			s.Promises = append(s.Promises, PromiseSummary{Scenario: scenario, Name: p.Name, Want: p.Want})
		}
		x := &s.Promises[at]
		x.Margin.Values = append(x.Margin.Values, max(p.Margin, -shortMax))
		if p.Value != nil {
			x.Value.Values = append(x.Value.Values, *p.Value)
		}
		if p.Kept {
			x.Kept++
		}
	}
}

func (s *Summary) risk() Risk {
	if s.Kept < s.N {
		return RiskBroken
	}
	for i := range s.Promises {
		m := &s.Promises[i].Margin
		n := len(m.Values)
		if n < 2 {
			return RiskTight
		}
		// The lower bound of one week more, whose mean and deviation are known of n
		// weeks only: Student's t has 95 % of them above it.
		if spread := m.Deviation(); spread > 0 && m.Mean() < float64(studentT(0.95, n-1)*math.Sqrt(1+1/float64(n))*spread) {
			return RiskTight
		}
	}
	return RiskLow
}
