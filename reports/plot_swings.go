package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/sim/tune"
)

// swingsPlot is plot 10: what each parameter of the advised candidate, a fifth
// smaller or larger, does to the cost.
func swingsPlot(t *Tuning) plot {
	const percent = tune.SwingShare * 100
	down, up := fmt.Sprintf("−%g %%", percent), fmt.Sprintf("+%g %%", percent)
	p := plot{
		name: "10-tornado",
		caption: fmt.Sprintf("What changes when one parameter of the advised candidate is %g %% smaller or larger and all others stay: its cost ÷ floor, as a share of the advised one's. "+
			"Beside each bar, the value and what it costs; a frame marks a promise broken in one of the weeks. Right of the middle is dearer. A short row is a parameter that needs no care.", percent),
		heading: "Which parameters matter",
		table: table{
			note:    "Each row is one parameter; choices and parameters at 0 are not moved.",
			columns: []string{"parameter", "advised", down, "cost", "p95", "kept", up, "cost", "p95", "kept"},
		},
	}
	list := slices.Clone(t.Outcome.Swings)
	reach := func(s *tune.Swing) float64 { return max(math.Abs(s.Down.Cost.Mean()), math.Abs(s.Up.Cost.Mean())) }
	slices.SortStableFunc(list, func(a, b tune.Swing) int { return cmp.Compare(reach(&b), reach(&a)) })
	d := &chart.Tornado{Title: p.heading, XLabel: "change in cost ÷ floor", X: chart.Share, Down: down, Up: up}
	for i := range list {
		s := &list[i]
		if i < swingsMax {
			d.Rows = append(d.Rows, chart.TornadoRow{Name: s.Param, Note: fmt.Sprint(s.Value), Down: endOf(&s.Down), Up: endOf(&s.Up)})
		}
		row := []string{s.Param, fmt.Sprint(s.Value)}
		for _, m := range []*tune.Moved{&s.Down, &s.Up} {
			p95 := noValue
			if len(m.P95.Values) > 0 {
				p95 = seconds(m.P95.Mean())
			}
			row = append(row, fmt.Sprint(m.Value), relative(m.Cost.Mean()), p95, fmt.Sprintf("%d of %d", m.Kept, m.N))
		}
		p.table.rows = append(p.table.rows, row)
	}
	if n := len(list); n > swingsMax {
		p.caption += fmt.Sprintf(" The %d of %d that matter most.", swingsMax, n)
	}
	p.other = d
	return p
}

// swingsMax is how many parameters are drawn; the table holds all.
const swingsMax = 20

func endOf(m *tune.Moved) chart.End {
	return chart.End{By: m.Cost.Mean(), Text: fmt.Sprintf("%v: %s", m.Value, relative(m.Cost.Mean())), Marked: m.Kept < m.N}
}
