package reports

import (
	"fmt"
	"io"
	"math"
	"sort"

	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/sim"
)

// RunsReport is the report of several runs: how many kept each promise, the
// figures with their intervals, cost against p95 by seed, and the plots of one
// run, shown, which must have been made with sim.Options.Timeline.
func RunsReport(runs Runs, verdicts [][]sim.Verdict, shown *sim.Result, o Options) *Report {
	all := about(fmt.Sprintf("%s, %s", runs.Runs[0].Scenario, runs.Runs[0].Policy), []plot{seedsPlot(runs, verdicts)})
	list := append(all, about(subjectOf(shown), plots(shown, o, onPaper))...)
	return &Report{list, func(w io.Writer) error { return runsPageTo(w, runs, verdicts, shown, o) }}
}

// Median returns the index of the run whose cost is in the middle.
func (r *Runs) Median() int {
	order := make([]int, len(r.Runs))
	for i := range order {
		order[i] = i
	}
	sort.SliceStable(order, func(a, b int) bool { return r.Runs[order[a]].CostUSD < r.Runs[order[b]].CostUSD })
	return order[(len(order)-1)/2]
}

// runsPageTo writes the page of several runs.
func runsPageTo(w io.Writer, runs Runs, verdicts [][]sim.Verdict, shown *sim.Result, o Options) error {
	first, last := runs.Runs[0], runs.Runs[len(runs.Runs)-1]
	c := pageContent{
		Title: first.Scenario,
		Subtitle: fmt.Sprintf("%s from %s (%s), policy %s, %s, seeds %d to %d",
			Seconds(&first.DurationS), moment(shown, 0), zone(shown.Config.UTCOffset), first.Policy, numbered(len(runs.Runs), "run"), first.Seed, last.Seed),
		Lead: fmt.Sprintf("The run of seed %d, whose cost is the median", shown.Figures.Seed),
	}
	list, good := tallies(runs, verdicts)
	c.Verdict, c.Class = fmt.Sprintf("All promises were kept in %d of %d runs", good, len(runs.Runs)), classKept
	switch {
	case len(list) == 0:
		c.Verdict = "Nothing was promised"
	case good < len(runs.Runs):
		c.Class = classBroken
	}
	var months []float64
	for _, f := range runs.Runs {
		usd, _ := monthUSD(f)
		months = append(months, usd)
	}
	if cost, ok := runs.Summary.Figure("cost_usd"); ok {
		c.Figures = append(c.Figures, labelled{"cost", plusMinus(cost, Money)})
	}
	if month := IntervalOf(months); month.N > 0 {
		_, of := monthUSD(first)
		c.Figures = append(c.Figures, labelled{"cost of a month", monthText(plusMinus(month, Money), of)})
	}
	promises := matrix{{"promise", "promised", "kept in", "attained", "broken with seeds"}}
	for _, t := range list {
		mark := markKept
		if t.kept < t.n {
			mark = markBroken
		}
		attained := ""
		if a, ok := runs.Summary.Figure("classes", t.verdict.Name, "attained"); ok && t.verdict.Class {
			attained = plusMinus(a, percents)
		}
		promises = append(promises, []string{mark + " " + t.verdict.Name, t.verdict.Want, fmt.Sprintf("%d of %d", t.kept, t.n), attained, seeds(t.broken)})
	}
	if len(list) > 0 {
		c.Tables = append(c.Tables, promises.titled("Promises", "± is half of the 95 % interval of the mean over seeds (Student's t)."))
	}
	var order []sim.Verdict
	if len(verdicts) > 0 {
		order = verdicts[0]
	}
	c.Tables = append(c.Tables, matrix(runs.Summary.rows(promiseRows(first, order))).titled("Figures", ""))
	if err := c.add([]plot{seedsPlot(runs, verdicts)}); err != nil {
		return err
	}
	c.Before, c.Charts = c.Charts, nil
	if err := c.add(plots(shown, o, onScreen)); err != nil {
		return err
	}
	c.footed("reproduce", o.Reproduce)
	return c.writeTo(w)
}

// seedsPlot is plot 5 of several runs: what each seed cost and how long 95 % of
// the jobs of the first class took.
func seedsPlot(runs Runs, verdicts [][]sim.Verdict) plot {
	class := plottedClass(runs.Runs[0], verdicts)
	p := plot{
		name: "5-cost-p95",
		caption: "Each cross is a run: what the judged time cost and how long 95 % of the jobs took at most. The long cross is the mean with its 95 % intervals. " +
			"The floor is the work on the cheapest type at full load.",
		figure: chart.Figure{Title: "Cost against p95, by seed"},
		table:  table{note: "Each row is one run.", columns: []string{"seed", "cost", "judged cost", "cost of a month", "p95 of " + class, "promises"}},
	}
	kept := chart.Series{Name: "kept every promise", Kind: chart.Points, Hue: chart.Blue}
	broken := chart.Series{Name: "broke a promise", Kind: chart.Points, Hue: chart.Vermillion}
	var xs, ys, floors []float64
	on := "sojourn"
	target := math.NaN()
	for i, f := range runs.Runs {
		x := math.NaN()
		if k := f.Classes[class]; k != nil {
			times := &k.Sojourn
			if on, target = k.On, k.TargetS; k.On == "wait" {
				times = &k.Wait
			}
			if times.P95 != nil {
				x = *times.P95
			}
		}
		word, good := "kept", true
		if i < len(verdicts) {
			_, good = summaryOf(verdicts[i])
		}
		s := &kept
		if !good {
			s, word = &broken, "broken"
		}
		s.X, s.Y = append(s.X, x), append(s.Y, f.Judged.CostUSD)
		xs, ys, floors = append(xs, x), append(ys, f.Judged.CostUSD), append(floors, f.Floor.CostUSD)
		month, _ := monthUSD(f)
		if len(p.table.rows) < rowsMax {
			p.table.rows = append(p.table.rows, []string{fmt.Sprint(f.Seed), Money(f.CostUSD), Money(f.Judged.CostUSD), Money(month), seconds(x), word})
		}
	}
	panel := chart.Panel{Y: chart.Axis{Label: "judged cost, USD", Prefix: "$ "}, Height: 320, Empty: "no jobs"}
	for _, s := range []chart.Series{kept, broken} {
		if len(s.X) > 0 {
			sort.Sort(byX(s))
			panel.Series = append(panel.Series, s)
		}
	}
	x, y := IntervalOf(xs), IntervalOf(ys)
	if x.N > 1 && y.N > 1 {
		panel.Series = append(panel.Series,
			chart.Series{Name: "mean with intervals", Hue: chart.Ink, X: []float64{x.Lo, x.Hi}, Y: []float64{y.Mean, y.Mean}},
			chart.Series{Hue: chart.Ink, X: []float64{x.Mean, x.Mean}, Y: []float64{y.Lo, y.Hi}})
	}
	panel.Rules = []chart.Rule{
		{Name: "target of " + class, At: target, Vertical: true, Hue: chart.Grey, Dash: chart.Dotted},
		{Name: "floor of work, mean", At: IntervalOf(floors).Mean, Hue: chart.Ink, Dash: chart.DashDot},
	}
	p.figure.X = chart.Axis{Unit: chart.Seconds, Label: "p95 of " + class + ", " + on}
	frameAround(&p.figure.X, append(xs, target), 20)
	frameAround(&panel.Y, append(ys, floors...), 6)
	if x.N > 1 && y.N > 1 {
		pastX, pastY := widen(&p.figure.X, []span{{x.Lo, x.Hi}}), widen(&panel.Y, []span{{y.Lo, y.Hi}})
		if pastX || pastY {
			p.caption += pastTheEdge
		}
	}
	p.figure.Panels = []chart.Panel{panel}
	return p
}

// plottedClass is the first class that is promised something and has jobs.
func plottedClass(f *sim.Figures, verdicts [][]sim.Verdict) string {
	if len(verdicts) == 0 {
		return ""
	}
	for _, v := range verdicts[0] {
		if c := f.Classes[v.Name]; v.Class && c != nil && c.Jobs > 0 {
			return v.Name
		}
	}
	return ""
}
