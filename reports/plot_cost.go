package reports

import (
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/sim"
)

// costPlot is plot 6: what each day cost, and what for.
func costPlot(res *sim.Result) plot {
	width, each := costWidth(length(res))
	p := plot{
		name: "6-cost",
		caption: "What was paid in each " + each + ", split as its slot-time was used: busy, idle (slack), booting, and paid for but gone, " +
			"which is what is left of an instance's last paid window when it ends.",
		figure: chart.Figure{Title: "Cost per " + each, X: clock(res), Shades: shades(res)},
	}
	kinds := []struct {
		name string
		hue  chart.Hue
		of   func(use) float64
	}{
		{"busy", chart.Blue, func(u use) float64 { return u.busy }},
		{"slack", chart.Sky, func(u use) float64 { return u.idle }},
		{"boot", chart.Orange, func(u use) float64 { return u.boot }},
		{"paid but gone", chart.Vermillion, func(u use) float64 { return u.gone }},
	}
	series := make([]chart.Series, len(kinds))
	for k := range series {
		series[k] = chart.Series{Name: kinds[k].name, Kind: chart.Bars, Hue: kinds[k].hue, Width: width.Seconds()}
	}
	p.table = table{
		note:    "Each row is one " + each + ".",
		columns: []string{"from", "cost", "busy", "slack", "boot", "paid but gone", "instances mean", "instances max"},
	}
	before := 0.0
	for _, b := range steps(res, width) {
		paid := b.ticks[len(b.ticks)-1].Cost.Dollars()
		cost := paid - before
		before = paid
		u := b.use()
		total := u.busy + u.idle + u.boot + u.gone
		mean, _, most := b.spread(func(r *sim.TickRow) int { return r.Instances })
		row := []string{moment(res, b.from), Money(cost)}
		low := 0.0
		for k := range kinds {
			part := 0.0
			if total > 0 {
				part = kinds[k].of(u) / total
			} else if k == len(kinds)-1 {
				part = 1 // paid for, and no slot-time to show for it yet
			}
			s := &series[k]
			s.X, s.Low, s.Y = append(s.X, b.from.Seconds()), append(s.Low, low), append(s.Y, low+part*cost)
			low += part * cost
			row = append(row, percents(part))
		}
		p.table.rows = append(p.table.rows, append(row, Number(mean), Count(most)))
	}
	p.figure.Panels = []chart.Panel{{
		Y:      chart.Axis{Label: "USD per " + each, Prefix: "$ "},
		Series: series, Empty: "nothing was paid", Height: 260,
	}}
	if over := res.Figures.Floor.Over; over != nil {
		p.caption += fmt.Sprintf(" In all %s; the judged time cost %s times the floor of work, %s.",
			Money(res.Figures.CostUSD), fixed(*over, 2), Money(res.Figures.Floor.CostUSD))
	}
	return p
}

// costWidth returns the time a bar stands for, so that there are neither few
// nor many.
func costWidth(d time.Duration) (width time.Duration, name string) {
	switch {
	case d <= 3*time.Hour:
		return 10 * time.Minute, "10 minutes"
	case d <= 3*dayLong:
		return time.Hour, "hour"
	case d <= 120*dayLong:
		return dayLong, "day"
	case d <= 3*365*dayLong:
		return 7 * dayLong, "week"
	}
	return 28 * dayLong, "four weeks"
}
