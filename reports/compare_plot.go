package reports

import (
	"fmt"
	"math"
	"sort"
	"strings"

	"github.com/skynet-ec2/skynet/reports/chart"
)

// plots returns plot 5 of every scenario, and plot 11 of every sweep over two
// keys.
func (c *Comparison) plots() []plot {
	var list []plot
	for i, b := range c.boards {
		p := b.costAgainstP95()
		if len(c.boards) > 1 {
			p.name = fmt.Sprintf("%s-%02d-%s", p.name, i+1, fileName(b.Scenario))
		}
		list = append(list, p)
	}
	return append(list, c.heats()...)
}

// plotted is the class whose p95 is drawn: the first that is promised something
// and has jobs.
func (b *board) plotted() string {
	for _, name := range b.Classes {
		if c := b.rows[0].Classes[name]; c != nil && c.Attain > 0 && b.hasJobs(name) {
			return name
		}
	}
	return ""
}

// costAgainstP95 is plot 5: what each policy costs and how long jobs take, with
// intervals, the bound, and those that nobody beats in both.
func (b *board) costAgainstP95() plot {
	class := b.plotted()
	p := plot{
		name: "5-cost-p95",
		caption: "Each cross is a policy: what the judged time cost and how long 95 % of the jobs took at most, with 95 % intervals. " +
			"Lower and further left is better. The dashed line joins those that kept every promise and that none which did beats in both.",
		figure: chart.Figure{Title: "Cost against p95, " + b.Scenario},
	}
	p.table = table{note: "Each row is one policy.", columns: []string{"policy", "judged cost", "p95 of " + class, "promises"}}
	panel := chart.Panel{Y: chart.Axis{Label: "judged cost, USD"}, Height: 380, Empty: "no jobs"}
	var first *CompareClass
	least, most := math.Inf(1), 0.0
	for i, r := range b.rows {
		c := r.Classes[class]
		if c == nil {
			continue
		}
		if first == nil {
			first = c
		}
		hue, dash := chart.Distinct(i)
		x, y := float64(c.P95S), float64(r.JudgedUSD.Mean)
		name := r.Name
		if !r.Kept {
			name += " (promise broken)"
		}
		panel.Series = append(panel.Series, chart.Series{Name: name, Kind: chart.Points, Hue: hue, Dash: dash, X: []float64{x}, Y: []float64{y}})
		if lo, hi := float64(c.P95Lo), float64(c.P95Hi); !math.IsNaN(lo) {
			panel.Series = append(panel.Series, chart.Series{Thin: true, Hue: hue, X: []float64{lo, hi}, Y: []float64{y, y}})
		}
		if lo, hi := float64(r.JudgedUSD.Lo), float64(r.JudgedUSD.Hi); !math.IsNaN(lo) {
			panel.Series = append(panel.Series, chart.Series{Thin: true, Hue: hue, X: []float64{x, x}, Y: []float64{lo, hi}})
		}
		if x > 0 {
			least, most = min(least, x), max(most, x)
		}
		p.table.rows = append(p.table.rows, []string{r.Name, plusMinus(r.JudgedUSD.interval(), Money), plusMinus(c.p95().interval(), seconds), keptText(r)})
	}
	if first == nil {
		p.figure.Panels = []chart.Panel{panel}
		return p
	}
	panel.Series = append(panel.Series, b.front(class))
	panel.Rules = []chart.Rule{
		{Name: "target of " + class, At: first.TargetS, Vertical: true, Hue: chart.Grey, Dash: chart.Dotted},
	}
	if lower := float64(b.rows[0].LowerUSD); lower > 0 {
		what := "the least that anybody could pay"
		if b.rows[0].Bound == "floor" {
			what = "floor of work"
		}
		panel.Rules = append(panel.Rules, chart.Rule{Name: what, At: lower, Hue: chart.Ink, Dash: chart.DashDot})
	}
	p.figure.X = chart.Axis{Unit: chart.Seconds, Label: "p95 of " + class + ", " + first.On}
	if least <= most { // room beside the first and the last cross
		low, high := min(least, first.TargetS), max(most, first.TargetS)
		p.figure.X.Min, p.figure.X.Max = low-0.05*(high-low), high+0.05*(high-low)
		if most > 20*least {
			p.figure.X.Scale = chart.Log
			p.figure.X.Min, p.figure.X.Max = low/1.2, high*1.2
		}
	}
	p.figure.Panels = []chart.Panel{panel}
	return p
}

// front joins the policies that kept every promise and that no other which did
// beats in cost and p95.
func (b *board) front(class string) chart.Series {
	type place struct{ p95, cost float64 }
	var list []place
	for _, r := range b.rows {
		if c := r.Classes[class]; c != nil && r.Kept && !math.IsNaN(float64(c.P95S)) {
			list = append(list, place{float64(c.P95S), float64(r.JudgedUSD.Mean)})
		}
	}
	sort.Slice(list, func(i, j int) bool {
		if list[i].p95 != list[j].p95 {
			return list[i].p95 < list[j].p95
		}
		return list[i].cost < list[j].cost
	})
	s := chart.Series{Name: "kept, and not beaten", Hue: chart.Grey, Dash: chart.Dashed}
	best := math.Inf(1)
	for _, x := range list {
		if x.cost < best {
			best = x.cost
			s.X, s.Y = append(s.X, x.p95), append(s.Y, x.cost)
		}
	}
	return s
}

// fileName returns a name with nothing in it that a file's name should not have.
func fileName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '.' || r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			return r
		}
		return '-'
	}, name)
}
