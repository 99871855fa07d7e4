package reports

import (
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/skynet-ec2/skynet/sim/tune"
)

// Tuning is what a tuning came to, with what its report needs besides. Its JSON
// has neither times nor paths: the same tuning gives the same bytes.
type Tuning struct {
	// Scenario names what was tuned on.
	Scenario string        `json:"scenario"`
	Outcome  *tune.Outcome `json:"outcome"`
	// LeftOut are the scenarios judged by what was tuned on the others.
	LeftOut []tune.LeftOut `json:"left_out,omitempty"`
	// Sweep of the parameter Swept, where that was all that was asked.
	Sweep []tune.SweepRow `json:"sweep,omitempty"`
	Swept string          `json:"swept,omitempty"`

	// Single says that there is one scenario, so that dollars mean something.
	Single bool `json:"-"`
	// Class is the first class, whose p95 is shown; Classes are all of them.
	Class   string   `json:"-"`
	Classes []string `json:"-"`
	// Seeds say which weeks chose.
	Seeds string `json:"-"`
	// Wrote is the policy file and Report the page; empty: none. Next is
	// the command that suggests itself.
	Wrote, Report, Next string `json:"-"`
}

// scenarios returns the names of what was tuned on.
func (t *Tuning) scenarios() []string { return strings.Split(t.Scenario, ", ") }

// telling is how many parameters a table of candidates shows.
const telling = 2

// WriteTuning writes what a tuning came to, for people.
func WriteTuning(w io.Writer, t *Tuning, wall float64, o Options) error {
	s := o.sheet()
	out := t.Outcome
	left := part{{oneLine(t.Scenario), bold}, {fmt.Sprintf(": policy %s, %s tried in %s of %s runs",
		out.Policy, numbered(out.Tried, "candidate"), Count(out.Runs), Count(out.Budget)), plain}}
	took := part{{Seconds(&wall), faint}}
	s.line(left, 0, max(3, s.width-left.width()-took.width()), took)
	if t.Sweep != nil {
		s.line(title(fmt.Sprintf("SWEEP of %s over %s", t.Swept, numbered(t.Sweep[0].Summary.N, "week"))), 0, 0)
		s.table(sweepRows(t.Swept, t.Sweep, t.Classes))
	}
	s.line(title("PARETO"), 0, 1, say(judgedOn(out)))
	s.table(t.rows())
	s.line(title("HELD OUT"), indent, 1, say(TuningVerdict(out)))
	s.line(title("GAP"), indent, 1, say(gap(out)))
	for _, x := range t.carries() {
		s.line(title(strings.ToUpper(x.Name)), indent, 1, say(oneLine(x.Text)))
	}
	if t.Wrote != "" {
		what := "B"
		switch row := &out.Rows[out.Advice]; {
		case row.Has(tune.Recommended):
		case row.Has(tune.Defaults):
			what = "the defaults"
		case row.Has(tune.Cheapest):
			what = "A"
		default:
			what = "C"
		}
		s.line(say(fmt.Sprintf("wrote %s (%s), with the scenario's hash, seeds and the figures above", t.Wrote, what)), 0, 3, say("next: "+t.Next))
	}
	if t.Report != "" {
		s.line(say("report: "+t.Report), 0, 0)
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}

// numbered returns a count with its noun.
func numbered(n int, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return Count(n) + " " + noun
}

// rows returns the table of candidates.
func (t *Tuning) rows() [][]string {
	out := t.Outcome
	shown := out.Telling[:min(telling, len(out.Telling))]
	cost, class := "cost ÷ floor", t.Class
	if t.Single {
		cost = "cost/week"
	}
	rows := [][]string{append(append([]string{"", "slack"}, shown...), cost, "p95 "+oneLine(class), "kept", "risk")}
	for i := range out.Rows {
		r := &out.Rows[i]
		cells := []string{rowName(out, i), percentOf(&r.Held.Slack)}
		for _, name := range shown {
			cells = append(cells, fmt.Sprint(r.Params[name]))
		}
		price := plusMinus(IntervalOfSeries(&r.Held.Ratio), factor)
		if t.Single {
			price = plusMinus(IntervalOfSeries(&r.Held.Cost), Money)
		}
		p95 := noValue
		if len(r.Held.P95.Values) > 0 {
			p95 = plusMinus(IntervalOfSeries(&r.Held.P95), seconds)
		}
		rows = append(rows, append(cells, price, p95, fmt.Sprintf("%d of %d", r.Held.Kept, r.Held.N), r.Held.Risk.String()))
	}
	return rows
}

func percentOf(s *tune.Series) string {
	if len(s.Values) == 0 {
		return noValue
	}
	return fixed(100*s.Mean(), 1) + " %"
}

// rowName returns the letters and names of a row, with a star before what should
// be used.
func rowName(o *tune.Outcome, i int) string {
	r := &o.Rows[i]
	var letters, names []string
	for _, x := range []struct{ name, letter, says string }{
		{tune.Cheapest, "A", "cheapest that keeps its promises"},
		{tune.Recommended, "B", "recommended"},
		{tune.Fastest, "C", "fastest"},
		{tune.Defaults, "", "defaults"},
	} {
		if !r.Has(x.name) {
			continue
		}
		if x.letter != "" {
			letters = append(letters, x.letter)
		}
		switch {
		case x.name == tune.Cheapest && !o.Feasible:
			x.says = "least broken"
		case x.name == tune.Recommended && i != o.Advice:
			x.says = "least aggressive"
		}
		names = append(names, x.says)
	}
	mark := "  "
	if i == o.Advice {
		mark = "* "
	}
	head := strings.Join(letters, "")
	if head != "" {
		head += " "
	}
	return mark + head + strings.Join(names, ", ")
}

// TuningVerdict says in a sentence whether the recommendation beats the defaults
// on weeks that nothing was tuned on.
func TuningVerdict(o *tune.Outcome) string {
	b, d := o.Find(tune.Recommended), o.Find(tune.Defaults)
	kept := fmt.Sprintf("promises kept in %d of %d weeks", b.Held.Kept, b.Held.N)
	switch {
	case !o.Feasible:
		text := "no candidate keeps its promises: B is the least broken"
		if p := b.Held.Worst(); p != nil {
			text += fmt.Sprintf(", %q comes to %s", p.Name, p.Got())
		}
		return text
	case b == d:
		return "the defaults are the best that was found: " + kept
	}
	saved := b.Held.SavedAgainst(&d.Held)
	against := fmt.Sprintf("%s, %s (defaults: %d)", saving(&saved), kept, d.Held.Kept)
	switch p := d.Held.Worst(); {
	case o.Better && p != nil:
		return fmt.Sprintf("the defaults break %q (%s, promised %s), B does not. Against them, paired: %s", p.Name, p.Got(), p.Want, against)
	case o.Better:
		return "B against the defaults, paired: " + against
	case !b.Held.Keeps() && !d.Held.Keeps():
		use := "B, which breaks them by less"
		switch advised := &o.Rows[o.Advice]; {
		case advised == d:
			use = "these: B is not shown to break them by less"
		case advised != b:
			use = "what does, marked *"
		}
		return fmt.Sprintf("neither B nor the defaults keep their promises: use %s. Against the defaults, paired: %s", use, against)
	case !b.Held.Keeps():
		return "B does not keep its promises: use the defaults. Against them, paired: " + against
	}
	if b.Held.Kept < d.Held.Kept {
		return "B breaks a promise in more weeks than the defaults: use these. Against them, paired: " + against
	}
	return "B is not shown to beat the defaults: use these. Against them, paired: " + against
}

// judgedOn says what judged the candidates. Weeks that met the same arrivals are one
// part of a trace in several weathers, and are not called weeks.
func judgedOn(o *tune.Outcome) string {
	held := &o.Rows[0].Held
	text := numbered(held.N, "week")
	switch parts := held.Cost.Arrivals(); {
	case parts == held.N:
	case parts == 1:
		text = fmt.Sprintf("one part of the trace in %d weathers", held.N)
	default:
		text = fmt.Sprintf("%d windows of the trace in %s of weather", parts, numbered(held.N, "run"))
	}
	text = "judged on " + text + " that nothing was tuned on"
	if held.N > 1 && held.Cost.Arrivals() == 1 {
		text += "; ± is of the weather alone"
	}
	return text
}

// IntervalOfSeries returns the mean of a figure over weeks with the interval that
// those of them give which are independent.
func IntervalOfSeries(s *tune.Series) Interval {
	i := IntervalOf(s.Independent())
	half := i.Half()
	i.N, i.Mean = len(s.Values), s.Mean()
	i.Lo, i.Hi = i.Mean-half, i.Mean+half
	return i
}

// saving says how much cheaper than the defaults something was.
func saving(saved *tune.Series) string {
	if len(saved.Values) == 0 {
		return "nothing to save"
	}
	i := IntervalOfSeries(saved)
	word := "cheaper"
	mean := i.Mean
	if mean < 0 {
		word, mean = "dearer", -mean
	}
	text := fixed(100*mean, 1) + " %"
	if h := i.Half(); !math.IsNaN(h) {
		text += " ±" + fixed(100*h, 1)
	}
	return text + " " + word
}

// gap says how much of what was won on the weeks that chose is lost on those that
// judge.
func gap(o *tune.Outcome) string {
	b, d := o.Find(tune.Recommended), o.Find(tune.Defaults)
	if b == d {
		return "none: nothing was tuned"
	}
	tuned, held := b.Tuned.Ratio.Mean(), b.Held.Ratio.Mean()
	return fmt.Sprintf("cost ÷ floor %s where it was tuned, %s held out; the defaults' %s and %s",
		fixed(tuned, 3), fixed(held, 3), fixed(d.Tuned.Ratio.Mean(), 3), fixed(d.Held.Ratio.Mean(), 3))
}

// WriteSweep writes the table of a sweep.
func WriteSweep(w io.Writer, name string, rows []tune.SweepRow, classes []string) error {
	var s sheet
	s.table(sweepRows(name, rows, classes))
	_, err := io.WriteString(w, s.b.String())
	return err
}

// sweepRows returns what each value of a swept parameter costs and attains.
func sweepRows(name string, rows []tune.SweepRow, classes []string) [][]string {
	head := []string{name, "slack", "cost/week", "÷ floor"}
	var shown []int // classes that have jobs
	for i, class := range classes {
		if len(rows) > 0 && i < len(rows[0].Summary.Attained) && len(rows[0].Summary.Attained[i].Values) > 0 {
			shown = append(shown, i)
			head = append(head, oneLine(class))
		}
	}
	table := [][]string{append(head, "kept")}
	for i := range rows {
		s := &rows[i].Summary
		cells := []string{
			fixed(100*rows[i].Value, 0) + " %", percentOf(&s.Slack),
			plusMinus(IntervalOfSeries(&s.Cost), Money), fixed(s.Ratio.Mean(), 3),
		}
		for _, c := range shown {
			text := noValue
			if len(s.Attained[c].Values) > 0 {
				text = Percent(s.Attained[c].Mean(), 2)
			}
			cells = append(cells, text)
		}
		table = append(table, append(cells, fmt.Sprintf("%d of %d", s.Kept, s.N)))
	}
	return table
}
