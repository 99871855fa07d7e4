package tune

import (
	"encoding/json"
	"math"
	"slices"
)

// Series is a figure of a candidate, week by week.
type Series struct{ Values []float64 }

// MarshalJSON writes {"mean":…,"error":…,"values":[…]}, a mean without values
// as null.
func (s Series) MarshalJSON() ([]byte, error) {
	v := struct {
		Mean   *float64  `json:"mean"`
		Error  float64   `json:"error"`
		Values []float64 `json:"values"`
	}{Error: s.Error(), Values: s.Values}
	if mean := s.Mean(); len(s.Values) > 0 {
		v.Mean = &mean
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

// Error returns the standard error of the mean.
func (s *Series) Error() float64 {
	if len(s.Values) == 0 {
		return 0
	}
	return s.Deviation() / math.Sqrt(float64(len(s.Values)))
}

// Risk is how likely a week is to break a promise.
type Risk uint8

const (
	// RiskLow: every week kept every promise, and each by so much that fewer than
	// one week in twenty should break it.
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

// lowZ is how many standard deviations of its margin a promise must be kept by
// for one week in twenty to break it.
const lowZ = 1.645

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

// summarize returns what a candidate came to in those of the weeks that it has
// run.
func (e *entry) summarize(weeks []int) Summary {
	var s Summary
	for _, w := range weeks {
		runs := e.weeks[w]
		if runs == nil {
			continue
		}
		s.Weeks = append(s.Weeks, w)
		s.N++
		s.Cost.Values = append(s.Cost.Values, float64(len(runs))*meanOf(runs, func(m *Metrics) float64 { return m.CostUSD }))
		s.Ratio.Values = append(s.Ratio.Values, meanOf(runs, (*Metrics).Ratio))
		s.Latency.Values = append(s.Latency.Values, meanOf(runs, (*Metrics).latency))
		s.Score.Values = append(s.Score.Values, meanOf(runs, (*Metrics).Score))
		for i, x := range runs[0].Attained {
			if i == len(s.Attained) {
				s.Attained = append(s.Attained, Series{})
			}
			if x != nil {
				s.Attained[i].Values = append(s.Attained[i].Values, *x)
			}
		}
		if p := runs[0].P95S; p != nil {
			s.P95.Values = append(s.P95.Values, *p)
		}
		if runs[0].Slack != nil {
			s.Slack.Values = append(s.Slack.Values, meanOf(runs, func(m *Metrics) float64 {
				if m.Slack == nil {
					return 0
				}
				return *m.Slack
			}))
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
		if m.Mean() < float64(lowZ*m.Deviation()) {
			return RiskTight
		}
	}
	return RiskLow
}
