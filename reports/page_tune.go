package reports

import (
	"fmt"
	"io"
	"unicode"
	"unicode/utf8"

	"github.com/skynet-ec2/skynet/reports/chart"
)

// TuningReport is the report of a tuning.
func TuningReport(t *Tuning) *Report {
	list := t.plots()
	about(fmt.Sprintf("%s on %s", t.Outcome.Policy, t.Scenario), list)
	return &Report{list, func(w io.Writer) error { return t.pageTo(w, list) }}
}

// plots returns plot 5, plot 10 where parameters were moved, and of a sweep what
// each value costs and attains.
func (t *Tuning) plots() []plot {
	list := []plot{frontPlot(t)}
	if t.Sweep != nil {
		list = append(list, sweepPlot(t))
	}
	if len(t.Outcome.Swings) > 0 {
		list = append(list, swingsPlot(t))
	}
	return list
}

// pageTo writes the page of a tuning.
func (t *Tuning) pageTo(w io.Writer, list []plot) error {
	out := t.Outcome
	c := pageContent{
		Title:    "Tuning of " + out.Policy + " on " + t.Scenario,
		Subtitle: fmt.Sprintf("%s tried in %s of %s runs; %s", numbered(out.Tried, "candidate"), Count(out.Runs), Count(out.Budget), judgedOn(out)),
		Verdict:  capitalized(TuningVerdict(out)),
		Class:    classBroken,
	}
	if out.Rows[out.Advice].Held.Keeps() {
		c.Class = classKept
	}
	rows := t.rows()
	rows[0][0] = "candidate"
	c.Tables = append(c.Tables, matrix(rows).titled("What to choose from", "A star marks what should be used; ± is half of the 95 % interval of the mean."))
	if m := t.parameters(); len(m) > 1 {
		c.Tables = append(c.Tables, m.titled("Parameters", "The parameters in which the candidates differ, the most telling first."))
	}
	if t.Sweep != nil {
		c.Tables = append(c.Tables, matrix(sweepRows(t.Swept, t.Sweep, t.Classes)).titled("Sweep of "+t.Swept, ""))
	}
	c.Figures = append(c.Figures, labelled{"gap", gap(out)})
	c.Figures = append(c.Figures, t.carries()...)
	if err := c.add(list); err != nil {
		return err
	}
	c.footed("wrote", t.Wrote)
	c.footed("next", t.Next)
	return c.writeTo(w)
}

// parameters is a table of what the candidates differ in.
func (t *Tuning) parameters() matrix {
	out := t.Outcome
	head := []string{"parameter"}
	for i := range out.Rows {
		head = append(head, rowName(out, i))
	}
	m := matrix{head}
	for _, name := range out.Telling {
		row := []string{name}
		for i := range out.Rows {
			value := noValue
			if x, given := out.Rows[i].Params[name]; given {
				value = fmt.Sprint(x)
			}
			row = append(row, value)
		}
		m = append(m, row)
	}
	return m
}

// sweepPlot shows what each value of the swept parameter costs, and what its
// classes attain.
func sweepPlot(t *Tuning) plot {
	p := plot{
		name:    "5-sweep",
		caption: "What each value of " + t.Swept + " costs, and the share of each class that was in time.",
		figure:  chart.Figure{Title: "Cost and attainment by " + t.Swept, X: chart.Axis{Label: t.Swept, Unit: chart.Share}},
	}
	cost := chart.Series{Name: "cost ÷ floor", Hue: chart.Blue}
	attained := chart.Panel{Y: chart.Axis{Label: "in time", Unit: chart.Share, Max: 1}, Height: 190}
	for k, class := range t.Classes {
		if k == classesMax {
			break
		}
		hue, dash := chart.Distinct(k)
		s := chart.Series{Name: class, Hue: hue, Dash: dash}
		for i := range t.Sweep {
			if a := t.Sweep[i].Summary.Attained; k < len(a) && len(a[k].Values) > 0 {
				s.X, s.Y = append(s.X, t.Sweep[i].Value), append(s.Y, a[k].Mean())
				attained.Y.Min = min(attained.Y.Min, s.Y[len(s.Y)-1])
			}
		}
		if len(s.X) > 0 {
			attained.Series = append(attained.Series, s)
		}
	}
	for i := range t.Sweep {
		cost.X, cost.Y = append(cost.X, t.Sweep[i].Value), append(cost.Y, t.Sweep[i].Summary.Ratio.Mean())
	}
	p.figure.Panels = []chart.Panel{{Y: chart.Axis{Label: "cost ÷ floor"}, Series: []chart.Series{cost}, Height: 190}, attained}
	rows := sweepRows(t.Swept, t.Sweep, t.Classes)
	p.table = table{columns: rows[0], rows: rows[1:]}
	return p
}

// capitalized returns a sentence that begins as sentences do.
func capitalized(text string) string {
	first, size := utf8.DecodeRuneInString(text)
	return string(unicode.ToUpper(first)) + text[size:]
}

// carries says what tuning came to week by week, and on scenarios it did not
// see.
func (t *Tuning) carries() []labelled {
	var list []labelled
	if r := &t.Outcome.Rolling; r.Weeks > 1 {
		list = append(list, labelled{"rolling", fmt.Sprintf("chosen anew before each week: %s, promises kept in %d of %d weeks", saving(&r.Saved), r.Kept, r.Weeks)})
	}
	names := t.scenarios()
	for i := range t.LeftOut {
		x := &t.LeftOut[i]
		list = append(list, labelled{"left out", fmt.Sprintf("%s, tuned on the others: %s, promises kept in %d of %d weeks", names[x.Scenario], saving(&x.Saved), x.Held.Kept, x.Held.N)})
	}
	return list
}
