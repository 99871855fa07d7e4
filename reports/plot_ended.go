package reports

import (
	"fmt"
	"math"
	"time"

	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/sim"
)

// endedPlot is plot 9: how old instances were when they ended. Where time is
// paid in windows, that is how far into the last one they were.
func endedPlot(res *sim.Result) plot {
	if res.Config.Catalog.Billing.Windows() {
		return endedInWindow(res)
	}
	return endedByAge(res)
}

// endedInWindow counts by the place in the last paid window.
func endedInWindow(res *sim.Result) plot {
	window := res.Config.Catalog.Billing.Quantum
	const bins = 60
	bin := window / bins
	var usual, interrupted [bins]int
	late := 0
	for _, r := range res.Ended {
		into := min(max(window-r.Unused, 0), window) // an end just at the window's end is late, not early
		i := min(max(int((into-1)/bin), 0), bins-1)
		if r.Interrupted {
			interrupted[i]++
		} else {
			usual[i]++
		}
		if window-into <= window/12 {
			late++
		}
	}
	p := plot{
		name: "9-ended",
		caption: fmt.Sprintf("How far into its last paid %s an instance was when it ended. What was left is paid for but gone, so good ends stand at the right. ",
			windowName(window)),
		figure: chart.Figure{
			Title: "Age at termination, modulo the paid " + windowName(window),
			X:     chart.Axis{Unit: chart.Seconds, Max: window.Seconds(), Label: "time since the last paid " + windowName(window) + " began"},
		},
	}
	ended := chart.Series{Name: "terminated", Kind: chart.Bars, Hue: chart.Blue, Width: bin.Seconds()}
	lost := chart.Series{Name: "interrupted", Kind: chart.Bars, Hue: chart.Purple, Width: bin.Seconds()}
	lostAny := false
	for i := range bins {
		x := (time.Duration(i) * bin).Seconds()
		base := float64(usual[i])
		ended.X, ended.Y = append(ended.X, x), append(ended.Y, base)
		lost.X, lost.Low, lost.Y = append(lost.X, x), append(lost.Low, base), append(lost.Y, base+float64(interrupted[i]))
		lostAny = lostAny || interrupted[i] > 0
	}
	panel := chart.Panel{Y: chart.Axis{Label: "instances per " + per(bin), Unit: chart.Count}, Height: 200, Empty: "no instance ended during the run"}
	if n := len(res.Ended); n > 0 {
		panel.Series = append(panel.Series, ended)
		if lostAny {
			panel.Series = append(panel.Series, lost)
		}
		p.caption += fmt.Sprintf("%s of %s ended in the last %s.", Count(late), Count(n), Duration(window/12))
	} else {
		p.caption += "None ended during the run."
	}
	p.figure.Panels = []chart.Panel{panel}

	const perRow = 5
	p.table = table{columns: []string{"from", "to", "terminated", "interrupted"}}
	for i := 0; i < bins; i += perRow {
		t, n := 0, 0
		for k := i; k < i+perRow; k++ {
			t += usual[k]
			n += interrupted[k]
		}
		p.table.rows = append(p.table.rows, []string{
			Duration(time.Duration(i) * bin), Duration(time.Duration(i+perRow) * bin), Count(t), Count(n),
		})
	}
	return p
}

func windowName(d time.Duration) string {
	if d == time.Hour {
		return "hour"
	}
	return "window of " + Duration(d)
}

// endedByAge counts by age, in bins of equal ratio: seconds are paid one by one
// and no moment is better than another.
func endedByAge(res *sim.Result) plot {
	p := plot{
		name:    "9-ended",
		caption: "How old instances were when they ended. Time is paid by the second, so nothing is gained by waiting for a full hour.",
		figure: chart.Figure{
			Title: "Age at termination",
			X:     chart.Axis{Scale: chart.Log, Unit: chart.Seconds, Label: "age", Min: 60, Max: 24 * 3600},
		},
	}
	const perDecade = 10
	bins := map[int]int{}
	first, last := math.MaxInt, math.MinInt
	for _, r := range res.Ended {
		i := int(math.Floor(math.Log10(max(r.Age.Seconds(), 1)) * perDecade))
		bins[i]++
		first, last = min(first, i), max(last, i)
	}
	edge := func(i int) float64 { return math.Pow(10, float64(i)/perDecade) }
	s := chart.Series{Name: "ended", Kind: chart.Area, Hue: chart.Blue}
	p.table = table{columns: []string{"from", "to", "instances"}}
	for i := first; i <= last; i++ {
		s.X, s.Y = append(s.X, edge(i)), append(s.Y, float64(bins[i]))
		p.table.rows = append(p.table.rows, []string{
			Duration(time.Duration(edge(i) * 1e9)), Duration(time.Duration(edge(i+1) * 1e9)), Count(bins[i]),
		})
	}
	panel := chart.Panel{Y: chart.Axis{Label: "instances per tenth of a decade", Unit: chart.Count}, Height: 200, Empty: "no instance ended during the run"}
	if len(s.X) > 0 {
		s.X, s.Y = append(s.X, edge(last+1)), append(s.Y, 0)
		panel.Series = []chart.Series{s}
		p.figure.X.Min, p.figure.X.Max = min(60, edge(first)), max(24*3600, edge(last+1))
	}
	p.figure.Panels = []chart.Panel{panel}
	return p
}
