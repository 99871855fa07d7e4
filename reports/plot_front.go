package reports

import (
	"cmp"
	"io"
	"path/filepath"
	"slices"

	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/sim/tune"
)

// WriteFront draws plot 5, cost against p95 of a tuning's finalists, into a
// folder, as SVG and PNG, and returns the path of the first.
func WriteFront(dir string, t *Tuning) (string, error) {
	f := frontPlot(t)
	name := filepath.Join(dir, "5-front.svg")
	if err := WriteFile(name, func(w io.Writer) error { return f.SVG(w) }); err != nil {
		return "", err
	}
	return name, WriteFile(filepath.Join(dir, "5-front.png"), func(w io.Writer) error { return f.PNG(w) })
}

// frontPlot shows the finalists on the weeks that chose between them: those on
// the front, those behind it, and those that break a promise.
func frontPlot(t *Tuning) *chart.Figure {
	series := []chart.Series{
		{Name: "on the front", Kind: chart.Points, Hue: chart.Blue},
		{Name: "dominated", Kind: chart.Points, Hue: chart.Orange},
		{Name: "breaks a promise", Kind: chart.Points, Hue: chart.Vermillion},
	}
	points := slices.Clone(t.Outcome.Points)
	slices.SortStableFunc(points, func(a, b tune.Point) int { return cmp.Compare(a.P95, b.P95) })
	for i := range points {
		at := 1
		switch {
		case !points[i].Keeps:
			at = 2
		case points[i].Front:
			at = 0
		}
		series[at].X, series[at].Y = append(series[at].X, points[i].P95), append(series[at].Y, points[i].Ratio)
	}
	panel := chart.Panel{Y: chart.Axis{Label: "cost ÷ floor"}, Height: 320, Empty: "no finalists"}
	low, high := 0.0, 0.0
	for i := range points {
		if y := points[i].Ratio; i == 0 {
			low, high = y, y
		} else {
			low, high = min(low, y), max(high, y)
		}
	}
	if margin := max(0.1*(high-low), 0.005); high > 0 {
		panel.Y.Min, panel.Y.Max = low-margin, high+margin
	}
	for i := range series {
		if len(series[i].X) > 0 {
			panel.Series = append(panel.Series, series[i])
		}
	}
	return &chart.Figure{
		Title:  "Cost and p95 of the finalists",
		X:      chart.Axis{Label: "p95 of " + t.Class, Unit: chart.Seconds},
		Panels: []chart.Panel{panel},
	}
}
