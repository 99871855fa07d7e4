package reports

import (
	"fmt"
	"math"
	"strings"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/sim"
)

// distributionPoints is how many points of a distribution are drawn: about one
// for each pixel of the figure's width.
const distributionPoints = 800

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
		within.X, within.Y = chart.Thin(within.X, within.Y, distributionPoints)
		longer.X, longer.Y = chart.Thin(longer.X, longer.Y, distributionPoints)
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
