package reports

import (
	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/sim"
)

func demandOf(r *sim.TickRow) int  { return r.Demand }
func readyOf(r *sim.TickRow) int   { return r.Ready + r.Draining }
func busyOf(r *sim.TickRow) int    { return r.Busy }
func bootingOf(r *sim.TickRow) int { return r.Booting }

// demandPlot is plot 1: what was asked of the fleet and what it had.
func demandPlot(res *sim.Result, on medium) plot {
	p := plot{
		name: "1-demand",
		caption: "Demand is the jobs that run or wait, one core each. Ready cores are those of instances that work, the draining ones among them; " +
			"booting cores are paid for already. Where demand is above ready, jobs wait." + averagedNote(res, on),
		figure: chart.Figure{Title: "Demand, ready and booting cores", X: clock(res), Shades: shades(res)},
	}
	booting := courseOf(res, on, "booting", chart.Green, bootingOf)
	busy := courseOf(res, on, "busy", chart.Orange, busyOf)
	demand := courseOf(res, on, "demand", chart.Vermillion, demandOf)
	ready := courseOf(res, on, "ready", chart.Blue, readyOf)
	booting.line.Thin, demand.line.Thin = true, true
	cores := chart.Axis{Label: "cores", Unit: chart.Count}

	// a backlog of thousands would flatten the fleet to a line
	const crowdedBy = 3
	crowded := demand.most > crowdedBy*max(ready.most, booting.most, 1)
	asked := chart.Panel{Y: chart.Axis{Label: "cores or jobs", Unit: chart.Count}, Height: 190}
	if crowded {
		asked.Y.Label += ", logarithmic"
		asked.Y.Scale, asked.Y.Min, asked.Y.Max = chart.Log, 1, demand.most*1.5
		if averaged(res) {
			asked.Y.Min = 0.1 // means may be less than one job
		}
		p.caption += " Demand reaches " + Count(int64(demand.most)) + ", so it has a panel and a scale of its own, beside the ready cores."
	}
	behind := ready.line // beside demand, for comparison
	had := chart.Panel{Y: cores, Height: 190}
	switch {
	case averaged(res):
		asked.Series = append(demand.series(), behind)
		had.Series = append(ready.series(), booting.line)
		p.figure.Panels = []chart.Panel{asked, had}
	case crowded:
		asked.Series = []chart.Series{demand.line, behind}
		had.Series = []chart.Series{filled(busy.line, "busy"), filled(booting.line, ""), booting.line, ready.line}
		p.figure.Panels = []chart.Panel{had, asked}
	default:
		had.Height = 300
		had.Series = []chart.Series{filled(booting.line, ""), booting.line, demand.line, ready.line}
		p.figure.Panels = []chart.Panel{had}
	}

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

// filled returns the area below a series.
func filled(s chart.Series, name string) chart.Series {
	s.Name, s.Kind = name, chart.Area
	return s
}
