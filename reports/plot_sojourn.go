package reports

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/sim"
)

// classesMax is how many classes are drawn; a table holds all.
const classesMax = 8

// distribution of the measure that class i is judged by.
func distribution(res *sim.Result, i int) sim.CDF {
	list := res.Sojourn
	if res.Config.Classes[i].On == policy.Wait {
		list = res.Wait
	}
	if i < len(list) {
		return list[i]
	}
	return sim.CDF{}
}

// sojournPlot is plot 3: how long jobs took, in a row, and the latest of them
// enlarged.
func sojournPlot(res *sim.Result) plot {
	p := plot{
		name: "3-sojourn",
		caption: "Above, the share of jobs done within a time; below, the share that took longer, on a logarithmic scale that shows the latest. " +
			"A cross is a promise: it is kept when the line of its colour passes below and left of it. Jobs that arrived in the judged time.",
		figure: chart.Figure{
			Title: "How long jobs took",
			X:     chart.Axis{Scale: chart.Log, Unit: chart.Seconds, Label: "time from arrival to done, or to start where that is promised"},
		},
	}
	done := chart.Panel{Y: chart.Axis{Label: "done within", Unit: chart.Share, Max: 1}, Height: 190, Empty: "no jobs were done"}
	late := chart.Panel{Y: chart.Axis{Label: "took longer", Unit: chart.Share, Scale: chart.Log}, Height: 190, Empty: "no jobs were done"}
	least, shortest, longest := 0.1, math.Inf(1), 0.0
	drawn, omitted := drawnClasses(res, func(i int) bool { return len(distribution(res, i).Value) > 0 })
	promise := "promised at most"
	for n, i := range drawn {
		class := &res.Config.Classes[i]
		d := distribution(res, i)
		hue, dash := chart.Distinct(n)
		name := class.Name + ", target " + Target(class.Target)
		if class.On == policy.Wait {
			name += " of wait"
		}
		within := chart.Series{Name: name, Kind: chart.Step, Hue: hue, Dash: dash}
		longer := chart.Series{Kind: chart.Step, Hue: hue, Dash: dash}
		for k, v := range d.Value {
			x, rest := v.Seconds(), 1-d.Share[k]
			within.X, within.Y = append(within.X, x), append(within.Y, d.Share[k])
			longer.X, longer.Y = append(longer.X, x), append(longer.Y, rest)
			if rest > 1e-9 {
				least = min(least, rest)
			}
			if x > 0 {
				shortest = min(shortest, x)
			}
			longest = max(longest, x)
		}
		done.Series, late.Series = append(done.Series, within), append(late.Series, longer)
		target := class.Target.Seconds()
		rule := chart.Rule{At: target, Vertical: true, Hue: hue, Dash: chart.Dotted}
		late.Rules = append(late.Rules, rule)
		done.Rules = append(done.Rules, rule)
		shortest, longest = min(shortest, target), max(longest, target)
		if class.Attain > 0 && class.Attain < 1 {
			late.Series = append(late.Series, chart.Series{
				Name: promise, Kind: chart.Points, Hue: hue, X: []float64{target}, Y: []float64{1 - class.Attain},
			})
			promise = "" // named once
			least = min(least, 1-class.Attain)
		}
	}
	late.Y.Min, late.Y.Max = math.Pow(10, math.Floor(math.Log10(max(least, 1e-5)))), 1
	const shortestShown = 1e-3 // most waits are 0: what is shorter stands at the axis
	if shortest = max(shortest, shortestShown); longest > shortest {
		p.figure.X.Min, p.figure.X.Max = shortest/1.1, longest*1.1
	}
	p.figure.Panels = []chart.Panel{done, late}
	p.table = quantileTable(res)
	p.caption += omitted
	return p
}

// drawnClasses returns the classes that have something to draw, at most
// classesMax, and a sentence about the others.
func drawnClasses(res *sim.Result, has func(i int) bool) (drawn []int, omitted string) {
	var idle []string
	some := 0
	for i := range res.Config.Classes {
		switch {
		case !has(i):
			idle = append(idle, res.Config.Classes[i].Name)
		case len(drawn) < classesMax:
			drawn = append(drawn, i)
			some++
		default:
			some++
		}
	}
	if some > len(drawn) {
		omitted = fmt.Sprintf(" The first %d of %d classes are drawn.", len(drawn), some)
	}
	if len(idle) > 0 && len(idle) <= classesMax {
		omitted += " No jobs of " + strings.Join(idle, ", ") + " were done."
	}
	return drawn, omitted
}

// quantileTable has a row for every class.
func quantileTable(res *sim.Result) table {
	t := table{columns: []string{"class", "measured", "jobs", "promised", "attained", "late", "p50", "p95", "p99", "max", "worst hour", "worst day"}}
	for i := range res.Config.Classes {
		class := &res.Config.Classes[i]
		c := res.Figures.Classes[class.Name]
		if c == nil {
			continue
		}
		q := &c.Sojourn
		if class.On == policy.Wait {
			q = &c.Wait
		}
		promised := "within " + Target(class.Target)
		if class.Attain > 0 {
			promised = "≥ " + exactPercent(class.Attain) + " " + promised
		}
		t.rows = append(t.rows, []string{
			class.Name, class.On.String(), Count(c.Jobs), promised, share(c.Attained), Count(c.Late),
			Seconds(q.P50), Seconds(q.P95), Seconds(q.P99), Seconds(q.Max),
			dated(c.WorstHour, c.WorstHourAt), dated(c.WorstDay, c.WorstDayAt),
		})
	}
	return t
}

func share(s *float64) string {
	if s == nil || math.IsNaN(*s) {
		return noValue
	}
	return attainment(*s)
}

func dated(s *float64, at string) string {
	if s == nil || at == "" {
		return share(s)
	}
	return share(s) + " (" + at + ")"
}

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
		last := time.Duration(math.MinInt64)
		for _, r := range res.Latency {
			if r.Class != i || r.Jobs == 0 {
				continue
			}
			if last != math.MinInt64 && r.Hour > last { // an hour without jobs
				for k := range series {
					series[k].X, series[k].Y = append(series[k].X, last.Seconds(), last.Seconds()), append(series[k].Y, series[k].Y[len(series[k].Y)-1], math.NaN())
				}
			}
			for k, q := range []time.Duration{r.P99, r.P95, r.P50} {
				series[k].X, series[k].Y = append(series[k].X, max(r.Hour, 0).Seconds()), append(series[k].Y, q.Seconds())
				longest = max(longest, q.Seconds())
				if q > 0 {
					shortest = min(shortest, q.Seconds())
				}
			}
			last = r.Hour + latencyWidth(res)
		}
		if last != math.MinInt64 { // hold the last hour to its end
			for k := range series {
				series[k].X, series[k].Y = append(series[k].X, min(last, length(res)).Seconds()), append(series[k].Y, series[k].Y[len(series[k].Y)-1])
			}
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

// latencyWidth is the period of Result.Latency: an hour, or a day in runs that
// are longer than two months.
func latencyWidth(res *sim.Result) time.Duration {
	if res.Config.Duration > 62*dayLong {
		return dayLong
	}
	return time.Hour
}

func latencyPeriod(res *sim.Result) string {
	if latencyWidth(res) == dayLong {
		return "day"
	}
	return "hour"
}
