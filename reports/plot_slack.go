package reports

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/sim"
)

// The slack rule allows a 24 h mean this far from its target.
const (
	slackBelow = 0.005
	slackAbove = 0.02
)

const dayLong = 24 * time.Hour

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
		name:    "2-slack",
		caption: "Slack is the idle fraction of ready capacity, 1 − busy ÷ ready, in slot-seconds.",
		figure:  chart.Figure{Title: "Slack", X: clock(res), Shades: shades(res)},
	}
	panel := chart.Panel{Y: chart.Axis{Label: "slack (share of ready capacity)", Unit: chart.Share}, Empty: "there was no ready capacity"}
	if width < dayLong {
		now := chart.Series{Name: "per " + per(width), Kind: chart.Step, Hue: chart.Sky, Thin: true}
		for _, b := range steps(res, width) {
			now.X, now.Y = append(now.X, b.start()), append(now.Y, b.use().slack())
		}
		hold(&now, length(res))
		panel.Series = append(panel.Series, now)
	}
	mean := chart.Series{Name: "mean of the 24 h before", Hue: chart.Blue}
	from := dayLong
	if length(res) < 2*dayLong {
		from = 0
		mean.Name += ", or since the start"
	}
	for i := range res.Ticks {
		if r := &res.Ticks[i]; r.At >= from {
			mean.X, mean.Y = append(mean.X, r.At.Seconds()), append(mean.Y, r.Slack24h)
		}
	}
	panel.Series = append(panel.Series, mean)
	if target > 0 {
		panel.Rules = []chart.Rule{
			{At: target - slackBelow, To: target + slackAbove, Hue: chart.Green},
			{Name: "target " + Percent(target, 0), At: target, Hue: chart.Green, Dash: chart.Dashed},
		}
		p.caption += " The band reaches from half a point below the target to two points above."
	}
	p.figure.Panels = []chart.Panel{panel}

	day := max(widthFor(res, rowsMax), dayLong)
	if length(res) < 2*day {
		day = widthFor(res, 60)
	}
	p.table = table{
		note:    "Each row is " + Duration(day) + ".",
		columns: []string{"from", "ready core-hours", "busy core-hours", "slack", "24 h mean at the end"},
	}
	for _, b := range steps(res, day) {
		u := b.use()
		p.table.rows = append(p.table.rows, []string{
			moment(res, b.from), Number((u.busy + u.idle) / 3600), Number(u.busy / 3600),
			percents(u.slack()), percents(b.ticks[len(b.ticks)-1].Slack24h),
		})
	}
	return p
}
