package reports

import (
	"math"

	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/sim"
)

// The slack rule allows a 24 h mean this far from its target.
const (
	slackBelow = 0.005
	slackAbove = 0.02
)

// use is how slot-seconds were used.
type use struct{ busy, idle, boot, gone float64 }

func (b bucket) use() use {
	var u use
	for i := range b.ticks {
		u.busy += b.ticks[i].BusySlotS
		u.idle += b.ticks[i].IdleSlotS
		u.boot += b.ticks[i].BootSlotS
		u.gone += b.ticks[i].GoneSlotS
	}
	return u
}

// slack is NaN without ready capacity.
func (u use) slack() float64 {
	if ready := u.busy + u.idle; ready > 0 {
		return u.idle / ready
	}
	return math.NaN()
}

// slackPlot is plot 2: the idle fraction of ready capacity.
func slackPlot(res *sim.Result, target float64) plot {
	width := widthFor(res, 400)
	p := plot{
		name: "2-slack",
		caption: "Slack is the idle fraction of ready capacity, 1 − busy ÷ ready, in slot-seconds. The thin line is the slack over " + Duration(width) +
			"; the bold one the mean over the 24 hours before, or since the start.",
		figure: chart.Figure{Title: "Slack", X: clock(res), Shades: shades(res)},
	}
	panel := chart.Panel{Y: chart.Axis{Label: "slack (share of ready capacity)", Unit: chart.Share}, Empty: "there was no ready capacity"}
	now := chart.Series{Name: "over " + Duration(width), Kind: chart.Step, Hue: chart.Sky, Thin: true}
	for _, b := range buckets(res, width) {
		now.X, now.Y = append(now.X, b.start()), append(now.Y, b.use().slack())
	}
	mean := chart.Series{Name: "24 h mean", Kind: chart.Line, Hue: chart.Blue}
	for i := range res.Ticks {
		mean.X, mean.Y = append(mean.X, res.Ticks[i].At.Seconds()), append(mean.Y, res.Ticks[i].Slack24h)
	}
	panel.Series = []chart.Series{now, mean}
	if target > 0 {
		panel.Rules = []chart.Rule{
			{At: target - slackBelow, To: target + slackAbove, Hue: chart.Green},
			{Name: "target " + Percent(target, 0), At: target, Hue: chart.Green, Dash: chart.Dashed},
		}
		p.caption += " The band reaches from half a point below the target to two points above."
	}
	p.figure.Panels = []chart.Panel{panel}

	day := max(widthFor(res, rowsMax), comfortable[len(comfortable)-4])
	if length(res) < 2*day {
		day = widthFor(res, 60)
	}
	p.table = table{
		note:    "Each row is " + Duration(day) + ".",
		columns: []string{"from", "ready core-hours", "busy core-hours", "slack", "24 h mean at the end"},
	}
	for _, b := range buckets(res, day) {
		u := b.use()
		p.table.rows = append(p.table.rows, []string{
			moment(res, b.from), Number((u.busy + u.idle) / 3600), Number(u.busy / 3600),
			percents(u.slack()), percents(b.ticks[len(b.ticks)-1].Slack24h),
		})
	}
	return p
}
