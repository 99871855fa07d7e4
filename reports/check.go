package reports

import (
	"fmt"
	"math"
	"strings"

	"gonum.org/v1/gonum/stat"

	"github.com/skynet-ec2/skynet/reports/stats"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/trial"
)

// Check is what scenarios came to beside what they came to before, as
// `check --json` writes it.
type Check struct {
	Version string `json:"version,omitempty"`
	Command string `json:"command,omitempty"`
	// Against names what was compared with: "baseline", or a commit.
	Against string `json:"against"`
	// Own says that scenarios run their own policies and are compared with their
	// baselines: what is better then makes those stale.
	Own bool `json:"own"`
	// Strict says that a stale baseline fails.
	Strict bool `json:"strict"`
	// Reason that new baselines were given, and how many were written. With a reason,
	// what regressed is accepted.
	Reason  string `json:"reason,omitempty"`
	Written int    `json:"written,omitempty"`
	// Good: no promise broken, nothing regressed and, if strict, nothing stale.
	Good bool `json:"good"`
	// Broken counts promises and expectations, Regressions and Improvements
	// figures, Skipped scenarios that could not be run.
	Broken       int          `json:"broken"`
	Regressions  int          `json:"regressions"`
	Improvements int          `json:"improvements"`
	Skipped      int          `json:"skipped"`
	Runs         int          `json:"runs"`
	Scenarios    []*CheckCase `json:"scenarios"`
	// WallS is how long it took; 0: it does not matter.
	WallS float64 `json:"wall_s,omitempty"`
}

// CheckCase is one scenario.
type CheckCase struct {
	Scenario string `json:"scenario"`
	File     string `json:"file"`
	// Policy by its label, and the one before.
	Policy string `json:"policy"`
	Before string `json:"policy_before,omitempty"`
	// Skipped says why the scenario was not run.
	Skipped string `json:"skipped,omitempty"`
	// Seed that promises are judged on, and those that figures are compared on.
	Seed  uint64   `json:"seed"`
	Seeds []uint64 `json:"seeds"`
	// Identical: every run was the same as before, event by event.
	Identical bool           `json:"identical"`
	Promises  []CheckPromise `json:"promises"`
	Figures   []*CheckFigure `json:"figures"`
	// Notes are sentences about what was not compared, and why.
	Notes []string `json:"notes,omitempty"`

	fails map[Outcome]bool // outcomes that fail
	own   bool             // as in Check
}

// CheckPromise is a promise or an expectation with its verdict.
type CheckPromise struct {
	sim.Verdict
	Line int `json:"line,omitempty"` // in the scenario's file
	// KeptOn of how many Seeds; both 0 for an expectation, which is about one.
	KeptOn int `json:"kept_on,omitempty"`
	Seeds  int `json:"seeds,omitempty"`
}

// Outcome is what became of a figure. The zero Outcome is nothing to tell.
type Outcome string

const (
	// Same: within tolerance.
	Same Outcome = "same"
	// Unproven: beyond tolerance, but it may be chance.
	Unproven Outcome = "unproven"
	// Improvement beyond tolerance, and no chance.
	Improvement Outcome = "improvement"
	// Regression beyond tolerance, and no chance.
	Regression Outcome = "regression"
)

// CheckFigure is a figure before and after, on the same seeds.
type CheckFigure struct {
	Metric string `json:"metric"`
	Class  string `json:"class,omitempty"`
	Line   int    `json:"line,omitempty"` // of the class in the scenario's file
	Before Maybe  `json:"before"`
	After  Maybe  `json:"after"`
	// Change of the mean over the pairs, in the figure's unit. PHolm is corrected
	// for all figures of the scenario: it decides.
	Change Change `json:"change"`
	// Tolerance in the figure's unit.
	Tolerance float64 `json:"tolerance"`
	Pairs     int     `json:"pairs"`
	// Lost says on how many seeds the figure has no value where it had one.
	Lost    int     `json:"lost,omitempty"`
	Outcome Outcome `json:"outcome"`

	stale bool // an improvement that makes the baseline stale
}

// significant is the p from which on a difference may be chance.
const significant = 0.05

// Compare fills in the figures: what each was before and is after, by the same
// seeds. A figure that was not there before is shown, and nothing is said of it.
//
// Properties:
//   - equal series are the same
//   - what is within tolerance is the same, however sure
//   - before and after exchanged, a regression is an improvement
func (c *CheckCase) Compare(before, after []trial.Series, line func(class string) int) {
	var p []float64
	for i := range after {
		was := &trial.Series{} // nothing to compare with
		for k := range before {
			if before[k].Metric == after[i].Metric {
				was = &before[k]
			}
		}
		f := compared(was, &after[i])
		if f.Class != "" {
			f.Line = line(f.Class)
		}
		c.Figures = append(c.Figures, f)
		p = append(p, float64(f.Change.P))
	}
	for i, x := range stats.Holm(p) {
		c.Figures[i].Change.PHolm = Maybe(x)
		c.Figures[i].judge()
	}
}

// compared returns a figure without its outcome.
func compared(before, after *trial.Series) *CheckFigure {
	f := &CheckFigure{Metric: after.Metric, Class: after.Class, Before: Maybe(math.NaN()), After: Maybe(math.NaN())}
	var was, is []float64
	for i := range min(len(before.Values), len(after.Values)) {
		b, a := before.Values[i], after.Values[i]
		switch {
		case b != nil && a != nil:
			was, is = append(was, *b), append(is, *a)
		case b != nil:
			f.Lost++
		}
	}
	f.Pairs = len(was)
	e := stats.Paired(was, is)
	f.Change = Change{Range: rangeOf(e), P: Maybe(e.P)}
	switch {
	case f.Pairs > 0:
		f.Before, f.After = Maybe(stat.Mean(was, nil)), Maybe(stat.Mean(is, nil))
		f.Tolerance = before.Of(float64(f.Before))
	case after.Mean != nil:
		f.After = Maybe(*after.Mean)
	}
	return f
}

// judge decides on the outcome.
func (f *CheckFigure) judge() {
	worse := float64(f.Change.Mean)
	if f.isShare() {
		worse = -worse // the more jobs in time the better
	}
	switch {
	case f.Lost > 0:
		f.Outcome = Regression
	case !(math.Abs(worse) > f.Tolerance*(1+1e-9)): // 1e-9: what is exactly the tolerance is within it
		f.Outcome = Same
	case !(float64(f.Change.PHolm) < significant):
		f.Outcome = Unproven
	case worse > 0:
		f.Outcome = Regression
	default:
		f.Outcome = Improvement
	}
}

// isShare reports whether the figure is a fraction of jobs.
func (f *CheckFigure) isShare() bool {
	return strings.HasSuffix(f.Metric, ".attained") || strings.HasSuffix(f.Metric, ".worst_hour")
}

// Name returns what people call the figure: "cost", "upload p95".
func (f *CheckFigure) Name() string {
	if f.Class == "" {
		return "cost"
	}
	last := f.Metric[strings.LastIndexByte(f.Metric, '.')+1:]
	return f.Class + " " + strings.ReplaceAll(last, "_", " ")
}

// show returns a value as people write it.
func (f *CheckFigure) show(x Maybe) string {
	switch v := float64(x); {
	case math.IsNaN(v):
		return noValue
	case f.isShare():
		return percents(v)
	case f.Class == "":
		return Money(v)
	default:
		return seconds(v)
	}
}

// showChange returns the change with its interval, and how sure it is.
func (f *CheckFigure) showChange() string {
	c := f.Change
	if float64(c.Mean) == 0 && f.Lost == 0 {
		return "="
	}
	how := points
	if !f.isShare() {
		how = relative
		if b := Maybe(math.Abs(float64(f.Before))); b > 0 {
			c.Mean, c.Lo, c.Hi = c.Mean/b, c.Lo/b, c.Hi/b
		} else {
			how = func(x float64) string { return signed(x, func(x float64) string { return f.show(Maybe(x)) }) }
		}
	}
	if math.IsNaN(float64(c.Mean)) {
		return noValue
	}
	text := plusMinus(c.interval(), how)
	if math.IsNaN(float64(c.PHolm)) {
		return text
	}
	return text + " " + pText(float64(c.PHolm))
}

// showTolerance returns the tolerance as people write it.
func (f *CheckFigure) showTolerance() string {
	switch b := float64(f.Before); {
	case f.isShare():
		return fixed(f.Tolerance*100, 2) + " pp"
	case b > 0:
		return fixed(f.Tolerance/b*100, 1) + " %"
	}
	return f.show(Maybe(f.Tolerance))
}

// says tells in a sentence what became of the figure.
func (f *CheckFigure) says() string {
	text := fmt.Sprintf("%s %s → %s, %s", f.Name(), f.show(f.Before), f.show(f.After), f.showChange())
	switch {
	case f.Lost > 0:
		return fmt.Sprintf("%s has no value on %s where it had one", f.Name(), times(int64(f.Lost), "seed"))
	case f.Outcome == Regression:
		return fmt.Sprintf("%s: a regression, the tolerance is %s", text, f.showTolerance())
	case f.stale:
		return fmt.Sprintf("%s: better by more than the tolerance of %s: baseline stale", text, f.showTolerance())
	case f.Outcome == Improvement:
		return fmt.Sprintf("%s: better by more than the tolerance of %s", text, f.showTolerance())
	case f.Outcome == Unproven:
		return fmt.Sprintf("%s: beyond the tolerance of %s, but it may be chance", text, f.showTolerance())
	}
	return text
}

// says tells in a sentence how a promise was judged.
func (p *CheckPromise) says() string {
	text := fmt.Sprintf("%s: %s (%s)", oneLine(p.Name), oneLine(p.Got), oneLine(p.Want))
	if p.Seeds > 1 {
		text += fmt.Sprintf(", kept on %d of %d seeds", p.KeptOn, p.Seeds)
	}
	return text
}

// Conclude counts what was found, and decides.
func (c *Check) Conclude() {
	accepted := c.Reason != ""
	for _, s := range c.Scenarios {
		s.own = c.Own
		s.fails = map[Outcome]bool{Regression: !accepted, Improvement: c.Own && c.Strict && !accepted}
		for _, f := range s.Figures {
			f.stale = c.Own && f.Outcome == Improvement
		}
		if s.Skipped != "" {
			c.Skipped++
			continue
		}
		for i := range s.Promises {
			if !s.Promises[i].Kept {
				c.Broken++
			}
		}
		c.Regressions += s.count(Regression)
		c.Improvements += s.count(Improvement)
	}
	c.Good = c.Broken == 0 && (accepted || c.Regressions == 0 && !(c.Own && c.Strict && c.Improvements > 0))
}

// count returns how many figures have an outcome.
func (c *CheckCase) count(o Outcome) int {
	n := 0
	for _, f := range c.Figures {
		if f.Outcome == o {
			n++
		}
	}
	return n
}

func (c *CheckCase) broken() int {
	n := 0
	for i := range c.Promises {
		if !c.Promises[i].Kept {
			n++
		}
	}
	return n
}

// mark of the scenario.
func (c *CheckCase) mark() mark {
	switch {
	case c.Skipped != "":
		return markShown
	case c.broken() > 0:
		return markBroken
	}
	for o, fails := range c.fails {
		if fails && c.count(o) > 0 {
			return markBroken
		}
	}
	return markKept
}

// promised says how many promises were kept.
func (c *CheckCase) promised() string {
	n, broken := len(c.Promises), c.broken()
	if broken > 0 {
		return fmt.Sprintf("%d of %d broken", broken, n)
	}
	return fmt.Sprintf("%d kept", n)
}

// verdict says in a few words what became of the scenario.
func (c *CheckCase) verdict() string {
	var parts []string
	add := func(n int, what string) {
		if n > 0 {
			parts = append(parts, times(int64(n), what))
		}
	}
	switch {
	case c.Skipped != "":
		return "not run"
	case c.broken() > 0:
		parts = append(parts, "broken")
	}
	add(c.count(Regression), "regression")
	switch better := c.count(Improvement); {
	case better > 0 && c.own:
		parts = append(parts, "baseline stale")
	default:
		add(better, "improvement")
	}
	add(c.count(Unproven), "unproven change")
	switch {
	case len(parts) > 0:
	case c.Identical:
		return "identical"
	case !c.compared():
		return "not compared"
	default:
		return "within tolerance"
	}
	return strings.Join(parts, ", ")
}

// compared reports whether there was anything to compare with.
func (c *CheckCase) compared() bool {
	for _, f := range c.Figures {
		if f.Pairs+f.Lost > 0 {
			return true
		}
	}
	return false
}

// cost returns the figure of the cost, nil where it was not compared.
func (c *CheckCase) cost() *CheckFigure {
	for _, f := range c.Figures {
		if f.Class == "" {
			return f
		}
	}
	return nil
}

// says tells in a line what all of it came to.
func (c *Check) says() string {
	promises := 0
	for _, s := range c.Scenarios {
		promises += len(s.Promises)
	}
	var found []string
	for _, x := range []struct {
		n    int
		what string
	}{
		{c.Broken, "broken promise"},
		{c.Regressions, "regression"},
		{c.Improvements, "improvement"},
	} {
		if x.n > 0 {
			found = append(found, times(int64(x.n), x.what))
		}
	}
	if c.Skipped > 0 {
		found = append(found, countOf(c.Skipped, "scenario", "scenarios")+" not run")
	}
	text := fmt.Sprintf("%s, %s, %s: ", times(int64(len(c.Scenarios)), "scenario"), times(int64(promises), "promise"), times(int64(c.Runs), "run"))
	if len(found) == 0 {
		return text + "all kept, nothing regressed"
	}
	return text + strings.Join(found, ", ")
}

// seedRange writes the seeds of a case.
func (c *CheckCase) seedRange() string {
	n := len(c.Seeds)
	for i, s := range c.Seeds {
		if s != c.Seeds[0]+uint64(i) {
			return fmt.Sprintf("%d seeds", n)
		}
	}
	switch n {
	case 0:
		return "no seeds"
	case 1:
		return fmt.Sprintf("seed %d", c.Seeds[0])
	}
	return fmt.Sprintf("seeds %d–%d", c.Seeds[0], c.Seeds[n-1])
}

// policies says which policy was run and, where that is another, which before.
func (c *CheckCase) policies() string {
	text := "policy " + oneLine(c.Policy)
	if c.Before != "" && c.Before != c.Policy {
		text += " (before: " + oneLine(c.Before) + ")"
	}
	return text
}
