package reports

import (
	"fmt"

	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/sim"
)

func demandOf(r *sim.TickRow) int  { return r.Demand }
func readyOf(r *sim.TickRow) int   { return r.Ready + r.Draining }
func bootingOf(r *sim.TickRow) int { return r.Booting }

// rawTicksMax is how many ticks are still drawn one by one: about two weeks of
// minutes. Beyond, day and night blur, and means with their range say more.
const rawTicksMax = 21_000

// demandPlot is plot 1: what was asked of the fleet and what it had.
func demandPlot(res *sim.Result) plot {
	p := plot{
		name: "1-demand",
		caption: "Demand is the jobs that run or wait, one core each. Ready cores are those of instances that work, the draining ones among them; " +
			"booting cores are paid for already. Where demand is above ready, jobs wait.",
		figure: chart.Figure{Title: "Demand, ready and booting cores", X: clock(res), Shades: shades(res)},
	}
	panel := chart.Panel{Y: chart.Axis{Label: "cores"}, Height: 300}
	step := widthFor(res, 500)
	averaged := len(res.Ticks) > rawTicksMax
	parts := buckets(res, step)
	if averaged {
		p.caption += " Lines are means over " + Duration(step) + "; what is shaded around them reaches from the least to the most."
	}
	highest := map[string]float64{}
	add := func(name string, of func(*sim.TickRow) int, hue chart.Hue, thin, filled bool) {
		s := chart.Series{Name: name, Kind: chart.Step, Hue: hue, Thin: thin}
		if averaged {
			s.Kind = chart.Line
			around := chart.Series{Kind: chart.Area, Hue: hue}
			for _, b := range parts {
				mean, least, most := b.spread(of)
				s.X, s.Y = append(s.X, b.start()), append(s.Y, mean)
				around.X, around.Y = append(around.X, b.start()), append(around.Y, float64(most))
				around.Low = append(around.Low, float64(least))
				highest[name] = max(highest[name], float64(most))
			}
			panel.Series = append(panel.Series, around)
		} else {
			for i := range res.Ticks {
				v := float64(of(&res.Ticks[i]))
				s.X, s.Y = append(s.X, res.Ticks[i].At.Seconds()), append(s.Y, v)
				highest[name] = max(highest[name], v)
			}
			if filled {
				panel.Series = append(panel.Series, chart.Series{X: s.X, Y: s.Y, Kind: chart.Area, Hue: hue})
			}
		}
		panel.Series = append(panel.Series, s)
	}
	add("booting", bootingOf, chart.Green, true, true)
	add("demand", demandOf, chart.Vermillion, true, false)
	add("ready", readyOf, chart.Blue, false, false)

	// a backlog of thousands must not flatten the fleet to a line
	const crowded = 3
	if fleet := max(highest["ready"], highest["booting"]); fleet > 0 && highest["demand"] > crowded*fleet {
		panel.Y.Max = fleet * 1.6
		for i := range panel.Series {
			if panel.Series[i].Name == "demand" {
				panel.Series[i].Name = fmt.Sprintf("demand, up to %s (off the scale)", Count(int64(highest["demand"])))
			}
		}
	}
	p.figure.Panels = []chart.Panel{panel}

	width := widthFor(res, rowsMax)
	p.table = table{
		note:    "Each row is " + Duration(width) + ".",
		columns: []string{"from", "demand mean", "demand max", "ready min", "ready mean", "ready max", "booting max", "waiting jobs max"},
	}
	for _, b := range buckets(res, width) {
		demand, _, demandMax := b.spread(demandOf)
		ready, readyMin, readyMax := b.spread(readyOf)
		_, _, booting := b.spread(bootingOf)
		_, _, pending := b.spread(func(r *sim.TickRow) int { return int(r.Pending) })
		p.table.rows = append(p.table.rows, []string{
			moment(res, b.from), Number(demand), Count(demandMax),
			Count(readyMin), Number(ready), Count(readyMax), Count(booting), Count(pending),
		})
	}
	return p
}
