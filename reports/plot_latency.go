package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/sim"
)

// latencyPlot is plot 4: quantiles by hour of arrival, a panel for each class.
func latencyPlot(res *sim.Result) plot {
	period := latencyPeriod(res)
	p := plot{
		name:    "4-latency",
		caption: "Quantiles of the jobs that arrived in each " + period + ", by the measure their class is judged by.",
		figure:  chart.Figure{Title: "How long jobs took, over time", X: clock(res), Shades: shades(res)},
	}
	jobs := make([]int64, len(res.Config.Classes))
	for _, r := range res.Latency {
		if r.Class >= 0 && r.Class < len(jobs) {
			jobs[r.Class] += r.Jobs
		}
	}
	drawn, omitted := drawnClasses(res, func(i int) bool { return jobs[i] > 0 })
	for _, i := range drawn {
		class := &res.Config.Classes[i]
		panel := chart.Panel{
			Name: class.Name, Y: chart.Axis{Label: class.On.String(), Unit: chart.Seconds, Scale: chart.Log}, Empty: "no jobs were done", Height: 170,
			Rules: []chart.Rule{{Name: "target " + Target(class.Target), At: class.Target.Seconds(), Hue: chart.Ink, Dash: chart.Dotted}},
		}
		series := []chart.Series{
			{Name: "p99", Kind: chart.Step, Hue: chart.Vermillion, Dash: chart.Solid},
			{Name: "p95", Kind: chart.Step, Hue: chart.Purple, Dash: chart.Dashed},
			{Name: "p50", Kind: chart.Step, Hue: chart.Blue, Dash: chart.Solid},
		}
		shortest, longest := class.Target.Seconds(), class.Target.Seconds()
		var until time.Duration // where the period before ends
		for _, r := range res.Latency {
			if r.Class != i || r.Jobs == 0 {
				continue
			}
			for k, q := range []time.Duration{r.P99, r.P95, r.P50} {
				s := &series[k]
				if len(s.X) > 0 && r.Hour > until { // hours without jobs
					hold(s, until)
					s.X, s.Y = append(s.X, until.Seconds()), append(s.Y, math.NaN())
				}
				s.X, s.Y = append(s.X, max(r.Hour, 0).Seconds()), append(s.Y, q.Seconds())
				longest = max(longest, q.Seconds())
				if q > 0 {
					shortest = min(shortest, q.Seconds())
				}
			}
			until = r.Hour + res.LatencyEach
		}
		for k := range series {
			hold(&series[k], min(until, length(res)))
		}
		panel.Series = series
		panel.Y.Min, panel.Y.Max = max(shortest, 1e-3)/1.5, longest*1.5
		p.figure.Panels = append(p.figure.Panels, panel)
	}
	if len(drawn) == 0 {
		p.figure.Panels = []chart.Panel{{Empty: "no jobs were done"}}
	}
	p.caption += omitted
	p.table = latencyTable(res, period)
	return p
}

// hold keeps the last value of a series until a time of the run.
func hold(s *chart.Series, until time.Duration) {
	if n := len(s.X); n > 0 && s.X[n-1] < until.Seconds() {
		s.X, s.Y = append(s.X, until.Seconds()), append(s.Y, s.Y[n-1])
	}
}

// latencyPeriod names the period of Result.Latency.
func latencyPeriod(res *sim.Result) string {
	if res.LatencyEach == dayLong {
		return "day"
	}
	return "hour"
}

// latencyTable has the periods that were worst for their class.
func latencyTable(res *sim.Result, period string) table {
	const rows = 60
	t := table{columns: []string{"from", "class", "jobs", "late", "p50", "p95", "p99", "target"}}
	worst := slices.Clone(res.Latency)
	lateShare := func(r *sim.LatencyRow) float64 { return float64(r.Late) / float64(max(r.Jobs, 1)) }
	slices.SortStableFunc(worst, func(a, b sim.LatencyRow) int {
		return cmp.Or(cmp.Compare(lateShare(&b), lateShare(&a)), cmp.Compare(b.Late, a.Late), cmp.Compare(b.P99, a.P99))
	})
	if len(worst) > rows {
		t.note = fmt.Sprintf("The %d worst of %s rows, one for each class and %s.", rows, Count(len(worst)), period)
		worst = worst[:rows]
	} else {
		t.note = fmt.Sprintf("One row for each class and %s, the worst first.", period)
	}
	for _, r := range worst {
		if r.Class < 0 || r.Class >= len(res.Config.Classes) {
			continue
		}
		class := &res.Config.Classes[r.Class]
		t.rows = append(t.rows, []string{
			moment(res, r.Hour), class.Name, Count(r.Jobs), Count(r.Late),
			Duration(r.P50), Duration(r.P95), Duration(r.P99), Target(class.Target),
		})
	}
	return t
}
