package reports

import (
	"cmp"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/sim/tune"
)

// frontPlot is plot 5 of a tuning: cost against p95 of the finalists on the weeks
// that chose between them: those of the table by its names, of the others those on
// the front, those behind it, and those that break a promise.
func frontPlot(t *Tuning) plot {
	points := slices.Clone(t.Outcome.Points)
	slices.SortStableFunc(points, func(a, b tune.Point) int { return cmp.Compare(a.P95, b.P95) })
	series, intervals := frontSeries(t, points)
	panel := chart.Panel{Y: chart.Axis{Label: "cost ÷ floor"}, Height: 320, Empty: "no finalists"}
	x := chart.Axis{Label: "p95 of " + t.Class, Unit: chart.Seconds}
	around(&x, points, 0.1, func(p *tune.Point) float64 { return p.P95 })
	around(&panel.Y, points, 0.005, func(p *tune.Point) float64 { return p.Ratio })
	var acrosses, ups []span
	for _, s := range intervals {
		acrosses, ups = append(acrosses, span{s.X[0], s.X[1]}), append(ups, span{s.Y[0], s.Y[1]})
	}
	pastX, pastY := widen(&x, acrosses), widen(&panel.Y, ups)
	for _, of := range series {
		if len(of.X) > 0 {
			panel.Series = append(panel.Series, of)
		}
	}
	panel.Series = append(panel.Series, intervals...)
	if panel.Y.Max > 0 {
		const floor = 1 // what cost is measured in
		panel.Rules = []chart.Rule{{Name: "floor of work", At: floor, Hue: chart.Ink, Dash: chart.DashDot}}
		panel.Y.Min = min(panel.Y.Min, floor-0.02)
	}
	p := plot{
		name: "5-front",
		caption: "Each cross is a finalist on the weeks that chose between them, those of the table with 95 % intervals. Lower and further left is better. On the front are those that no other beats in cost, p95 and slack at once. " +
			"The floor is the work on the cheapest type at full load, a yardstick that needs no search: the least that anybody could pay may be below it, and is several times it where the fleet is small.",
		figure: chart.Figure{Title: "Cost and p95 of the finalists", X: x, Panels: []chart.Panel{panel}},
		table:  table{note: "Each row is one finalist.", columns: []string{"cost ÷ floor", "p95 of " + t.Class, "slack", "promises", "on the front"}},
	}
	if pastX || pastY {
		p.caption += pastTheEdge
	}
	word := func(yes bool, text, otherwise string) string {
		if yes {
			return text
		}
		return otherwise
	}
	for i := range points {
		x := &points[i]
		p.table.rows = append(p.table.rows, []string{fixed(x.Ratio, 3), seconds(x.P95), percents(x.Slack), word(x.Keeps, "kept", "broken"), word(x.Front, "yes", "no")})
	}
	return p
}

// frontSeries returns a finalist's cross in the series that it belongs to, and the
// intervals of those that the table has.
func frontSeries(t *Tuning, points []tune.Point) (series, intervals []chart.Series) {
	const onFront, dominated, breaks, named = 0, 1, 2, 3
	series = []chart.Series{
		onFront:   {Name: "on the front", Kind: chart.Points, Hue: chart.Grey},
		dominated: {Name: "dominated", Kind: chart.Points, Hue: chart.Orange},
		breaks:    {Name: "breaks a promise", Kind: chart.Points, Hue: chart.Vermillion},
	}
	for i, hue := range []chart.Hue{chart.Blue, chart.Green, chart.Purple, chart.Ink}[:min(4, len(t.Outcome.Rows))] {
		series = append(series, chart.Series{Name: strings.TrimLeft(rowName(t.Outcome, i), "* "), Kind: chart.Points, Hue: hue})
	}
	for i := range points {
		at := dominated
		row := slices.IndexFunc(t.Outcome.Rows, func(r tune.Row) bool {
			return r.Params != nil && reflect.DeepEqual(r.Params, points[i].Params)
		})
		switch {
		case row >= 0 && named+row < len(series):
			at = named + row
			if !points[i].Keeps {
				series[at].Name += " (promise broken)"
			}
			intervals = append(intervals, intervalsAround(&points[i], &t.Outcome.Rows[row].Tuned, series[at].Hue)...)
		case !points[i].Keeps:
			at = breaks
		case points[i].Front:
			at = onFront
		}
		series[at].X, series[at].Y = append(series[at].X, points[i].P95), append(series[at].Y, points[i].Ratio)
	}
	return series, intervals
}

// intervalsAround are fine lines through a finalist: the intervals of its means.
func intervalsAround(p *tune.Point, s *tune.Summary, hue chart.Hue) []chart.Series {
	var list []chart.Series
	line := func(x, y []float64) { list = append(list, chart.Series{Thin: true, Hue: hue, X: x, Y: y}) }
	if half := IntervalOfSeries(&s.P95).Half(); half > 0 {
		line([]float64{max(0, p.P95-half), p.P95 + half}, []float64{p.Ratio, p.Ratio})
	}
	if half := IntervalOfSeries(&s.Ratio).Half(); half > 0 {
		line([]float64{p.P95, p.P95}, []float64{p.Ratio - half, p.Ratio + half})
	}
	return list
}

// around bounds an axis by what of lies in the points, with a tenth of their
// range, or least, on either side.
func around(a *chart.Axis, points []tune.Point, least float64, of func(*tune.Point) float64) {
	low, high := math.Inf(1), math.Inf(-1)
	for i := range points {
		low, high = min(low, of(&points[i])), max(high, of(&points[i]))
	}
	if margin := max(0.1*(high-low), least); high > 0 {
		a.Min, a.Max = max(0, low-margin), high+margin
	}
}
