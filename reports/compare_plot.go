package reports

import (
	"fmt"
	"math"
	"slices"
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

// namedMax is how many policies a plot names: as many as there are hues.
const namedMax = 6

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
	if class == "" {
		p.figure.Panels = []chart.Panel{{Empty: "no jobs"}}
		return p
	}
	panel := chart.Panel{Y: chart.Axis{Label: "judged cost, USD"}, Height: 380, Empty: "no jobs"}
	named := b.named(class)
	others := chart.Series{Kind: chart.Points, Hue: chart.Grey}
	for _, r := range b.rows {
		c := r.Classes[class]
		x, y := float64(c.P95S), float64(r.JudgedUSD.Mean)
		p.table.rows = append(p.table.rows, []string{r.Name, plusMinus(r.JudgedUSD.interval(), Money), plusMinus(c.p95().interval(), seconds), keptText(r)})
		n := slices.Index(named, r)
		if n < 0 {
			others.X, others.Y = append(others.X, x), append(others.Y, y)
			continue
		}
		hue, _ := chart.Distinct(n)
		name := r.Name
		if !r.Kept {
			name += " (promise broken)"
		}
		panel.Series = append(panel.Series,
			chart.Series{Name: name, Kind: chart.Points, Hue: hue, X: []float64{x}, Y: []float64{y}},
			chart.Series{Thin: true, Hue: hue, X: []float64{float64(c.P95Lo), float64(c.P95Hi)}, Y: []float64{y, y}},
			chart.Series{Thin: true, Hue: hue, X: []float64{x, x}, Y: []float64{max(0, float64(r.JudgedUSD.Lo)), float64(r.JudgedUSD.Hi)}})
	}
	if n := len(others.X); n > 0 {
		others.Name = times(int64(n), "other")
		sort.Sort(byX(others))
		panel.Series = append([]chart.Series{others}, panel.Series...)
	}
	if front := b.front(class); len(front.X) > 1 {
		panel.Series = append(panel.Series, front)
	}
	first := b.rows[0].Classes[class]
	panel.Rules = []chart.Rule{{Name: "target of " + class, At: first.TargetS, Vertical: true, Hue: chart.Grey, Dash: chart.Dotted}}
	if lower := float64(b.rows[0].LowerUSD); lower > 0 {
		what := "the least that anybody could pay"
		if b.rows[0].Bound == "floor" {
			what = "floor of work"
		}
		panel.Rules = append(panel.Rules, chart.Rule{Name: what, At: lower, Hue: chart.Ink, Dash: chart.DashDot})
	}
	p.figure.X = chart.Axis{Unit: chart.Seconds, Label: "p95 of " + class + ", " + first.On}
	if b.frame(class, named, &p.figure.X, &panel.Y) {
		p.caption += pastTheEdge
	}
	p.figure.Panels = []chart.Panel{panel}
	return p
}

// byX sorts the points of a series.
type byX chart.Series

func (s byX) Len() int           { return len(s.X) }
func (s byX) Less(i, j int) bool { return s.X[i] < s.X[j] }
func (s byX) Swap(i, j int) {
	s.X[i], s.X[j] = s.X[j], s.X[i]
	s.Y[i], s.Y[j] = s.Y[j], s.Y[i]
}

// named returns the policies that are worth a name in the plot: the first, those
// on the front, then the cheapest, those that kept every promise before others.
func (b *board) named(class string) []*CompareRow {
	front := b.front(class)
	place := func(r *CompareRow) int {
		switch {
		case r == b.rows[0]:
			return 0
		case r.Kept && slices.Contains(front.Y, float64(r.JudgedUSD.Mean)):
			return 1
		case r.Kept:
			return 2
		}
		return 3
	}
	list := slices.Clone(b.rows)
	sort.SliceStable(list, func(i, j int) bool {
		if p, q := place(list[i]), place(list[j]); p != q {
			return p < q
		}
		return list[i].JudgedUSD.Mean < list[j].JudgedUSD.Mean
	})
	return list[:min(len(list), namedMax)]
}

// frame bounds the axes by the crosses, the target, the bound and the intervals
// of the named, and reports whether one of these goes on beyond them. What differs
// by far is drawn on a logarithmic scale.
func (b *board) frame(class string, named []*CompareRow, x, y *chart.Axis) (beyond bool) {
	xs, ys := []float64{b.rows[0].Classes[class].TargetS}, []float64{float64(b.rows[0].LowerUSD)}
	for _, r := range b.rows {
		xs, ys = append(xs, float64(r.Classes[class].P95S)), append(ys, float64(r.JudgedUSD.Mean))
	}
	frameAround(x, xs, 20)
	frameAround(y, ys, 6)
	var acrosses, ups []span
	for _, r := range named {
		c := r.Classes[class]
		acrosses = append(acrosses, span{float64(c.P95Lo), float64(c.P95Hi)})
		ups = append(ups, span{float64(r.JudgedUSD.Lo), float64(r.JudgedUSD.Hi)})
	}
	pastX, pastY := widen(x, acrosses), widen(y, ups)
	return pastX || pastY
}

// pastTheEdge is said of a plot that does not show the whole of its intervals.
const pastTheEdge = " An interval that meets the edge goes on beyond it."

// span is from the low to the high end of an interval.
type span struct{ low, high float64 }

// widen moves the ends of an axis out to those of intervals, each by at most a
// half of what the axis shows, and reports whether an interval goes on beyond. On
// a linear axis nothing goes on below 0: there is no lower cost or time.
func widen(a *chart.Axis, intervals []span) (beyond bool) {
	if a.Max <= a.Min {
		return false
	}
	scale, back := func(v float64) float64 { return v }, func(v float64) float64 { return v }
	if a.Scale == chart.Log {
		scale, back = math.Log, math.Exp
	}
	from, to := scale(a.Min), scale(a.Max)
	room, rim := (to-from)/2, (to-from)/50
	low, high := from, to
	for _, x := range intervals {
		if a.Scale != chart.Log {
			x.low = max(0, x.low)
		}
		if l := scale(max(x.low, 0)) - rim; x.low < a.Min && l >= from-room { // of 0 a logarithm has no end
			low = min(low, l)
		} else if x.low < a.Min {
			beyond = true
		}
		if h := scale(x.high) + rim; x.high > a.Max && h <= to+room {
			high = max(high, h)
		} else if x.high > a.Max {
			beyond = true
		}
	}
	if low < from {
		a.Min = back(low)
	}
	if high > to {
		a.Max = back(high)
	}
	if a.Scale != chart.Log {
		a.Min = max(0, a.Min)
	}
	return beyond
}

// frameAround bounds an axis by values; where the largest is far times the
// least, on a logarithmic scale.
func frameAround(a *chart.Axis, values []float64, far float64) {
	low, high := math.Inf(1), 0.0
	for _, v := range values {
		if v > 0 {
			low, high = min(low, v), max(high, v)
		}
	}
	if high > far*low {
		a.Scale, a.Min, a.Max = chart.Log, low/1.2, high*1.2
		return
	}
	a.Max = 1.08 * high
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
