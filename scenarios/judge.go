package scenarios

import (
	"math"
	"strconv"
	"strings"

	"github.com/skynet-ec2/skynet/sim"
)

// Judge returns whether each promise of the scenario was kept: first the
// classes that promise something, then the [[promise]] tables, both in the
// order of the file. A figure that is missing or has no value breaks its promise.
//
// Left out are classes without jobs that need not have any: one that catches the
// rest, and all of them on a trace given from outside the scenario; and on such a
// trace promises about windows, which are not about its hours.
func (s *Scenario) Judge(f *sim.Figures) []sim.Verdict { return s.judge(f, false) }

// JudgeRun is Judge for a run with its history (sim.Options.Timeline): after the
// promises come the [[expect]] tables.
func (s *Scenario) JudgeRun(r *sim.Result) []sim.Verdict {
	list := s.Judge(&r.Figures)
	if s.replaced {
		return list // what was expected of another trace
	}
	for i := range s.Expects {
		v := s.Expects[i].judge(r)
		v.Line = s.lines.of(element("expect", i+1))
		list = append(list, v)
	}
	return list
}

// ClassLine returns the line of a class in the scenario's file; 0: unknown.
func (s *Scenario) ClassLine(name string) int {
	for i := range s.Classes {
		if s.Classes[i].Name == name {
			return s.lines.of(element("class", i+1))
		}
	}
	return 0
}

// JudgePart is Judge for a run of a part of the trace: of the [[promise]] tables
// it leaves out those about figures of the whole run, such as its cost, and a
// class of which the part has no job is not judged.
func (s *Scenario) JudgePart(f *sim.Figures) []sim.Verdict { return s.judge(f, true) }

func (s *Scenario) judge(f *sim.Figures, part bool) []sim.Verdict {
	list := []sim.Verdict{} // of none JSON says [], not null
	for i := range s.Classes {
		c := &s.Classes[i]
		got := f.Classes[c.Name]
		mayBeEmpty := s.replaced || part || len(c.Types) == 0 && c.Priority == nil
		if c.Attain == 0 || mayBeEmpty && got != nil && got.Jobs == 0 {
			continue
		}
		v := sim.Verdict{
			Name: c.Name, Class: true,
			Want: "≥ " + percent(c.Attain) + " within " + c.span(),
			Got:  "no jobs", Margin: -1,
			Line: s.lines.of(element("class", i+1) + ".attain"),
		}
		if got != nil && got.Jobs > 0 {
			v.Got = "no job done" // nor late: what it attains is not known
		}
		if got != nil && got.Attained != nil && !math.IsNaN(*got.Attained) {
			v.Value = got.Attained
			v.Got = percent(*got.Attained)
			v.Kept = *got.Attained >= c.Attain
			v.Margin = missesLeft(*got.Attained, c.Attain)
		}
		list = append(list, v)
		if c.WorstHour > 0 {
			hours := c.judgeHours(got)
			hours.Line = s.lines.of(element("class", i+1) + ".worst_hour")
			list = append(list, hours)
		}
	}
	for i := range s.Promises {
		p := &s.Promises[i]
		if s.replaced && (isWindow(p.Metric) || isWindow(p.Per)) {
			continue // the hours of another trace's week
		}
		if part && !(isJudged(p.Metric) && (p.Per == "" || isJudged(p.Per))) {
			continue
		}
		v := p.judge(f)
		v.Line = s.lines.of(element("promise", i+1))
		list = append(list, v)
	}
	return list
}

// judgeHours judges what the class promises in every hour. Where no hour had
// jobs enough to count, nothing was broken.
func (c *Class) judgeHours(got *sim.ClassFigures) sim.Verdict {
	v := sim.Verdict{Name: "worst hour of " + c.Name, Want: "≥ " + percent(c.WorstHour), Got: "no hour of 100 jobs", Kept: got != nil}
	if !v.Kept {
		v.Margin = -1
	}
	if got != nil && got.WorstHour != nil {
		v.Value, v.Got = got.WorstHour, percent(*got.WorstHour)
		v.Kept = *got.WorstHour >= c.WorstHour
		v.Margin = missesLeft(*got.WorstHour, c.WorstHour)
	}
	return v
}

// isWindow reports whether a metric is about a [[window]].
func isWindow(metric string) bool { return strings.HasPrefix(metric, "windows.") }

// isJudged reports whether a metric means the same in a part of a run as in the
// whole: a fraction or time over the judged time, or a count that must be 0.
func isJudged(metric string) bool {
	return strings.HasPrefix(metric, "classes.") || metric == "slack.mean" || metric == "floor.over" || metric == "jobs.lost"
}

func (p *Promise) judge(f *sim.Figures) sim.Verdict {
	v := sim.Verdict{Name: p.Name, Want: p.want(), Got: "no value", Margin: -1}
	if v.Name == "" {
		v.Name = p.Metric
		if p.Per != "" {
			v.Name += " ÷ " + p.Per
		}
	}
	x, ok := figure(f, p.Metric)
	if p.Per != "" {
		y, there := figure(f, p.Per)
		x, ok = x/y, ok && there
	}
	if !ok || math.IsNaN(x) || math.IsInf(x, 0) {
		return v
	}
	v.Value, v.Got = &x, short(x)
	v.Kept = p.holds(x)
	v.Margin = p.margin(x)
	return v
}

// holds reports whether x is within the bounds.
func (p *Promise) holds(x float64) bool {
	return (p.Min == nil || x >= *p.Min) && (p.Max == nil || x <= *p.Max)
}

// missesLeft returns which fraction of the late jobs that a promise allows is
// left. Where it allows none, a late job in a thousand counts as all of them.
func missesLeft(attained, promised float64) float64 {
	return (attained - promised) / max(1-promised, 0.001)
}

// margin returns how far x is from the nearer bound, as a fraction of that bound.
func (p *Promise) margin(x float64) float64 {
	margin := math.Inf(1)
	if p.Min != nil {
		margin = (x - *p.Min) / max(math.Abs(*p.Min), tinyBound)
	}
	if p.Max != nil {
		margin = min(margin, (*p.Max-x)/max(math.Abs(*p.Max), tinyBound))
	}
	return margin
}

// tinyBound is the least a margin is a fraction of: a bound of 0 has no fraction.
const tinyBound = 0.01

// want returns the bounds as people write them.
func (p *Promise) want() string {
	switch {
	case p.Min != nil && p.Max != nil:
		return short(*p.Min) + " to " + short(*p.Max)
	case p.Min != nil:
		return "≥ " + short(*p.Min)
	case p.Max != nil:
		return "≤ " + short(*p.Max)
	}
	return ""
}

// span returns the class's target as people write it: "1 h 30 m".
func (c *Class) span() string {
	var s string
	for i, r := range FormatDuration(c.Target) {
		digit := r >= '0' && r <= '9'
		if i > 0 && r != '.' {
			if last := s[len(s)-1]; digit != (last >= '0' && last <= '9') && last != '.' {
				s += " "
			}
		}
		s += string(r)
	}
	if c.On == "wait" {
		s += " of wait"
	}
	return s
}

// percent returns a fraction as a percentage of up to two decimals, never
// rounded up to 100.
func percent(x float64) string {
	return strconv.FormatFloat(math.Floor(x*1e4+1e-9)/100, 'f', -1, 64) + " %"
}

// short returns x with up to five significant digits, or as a whole number
// where it has more.
func short(x float64) string {
	if math.Abs(x) >= 1e5 && math.Abs(x) < 1e15 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 5, 64)
}
