package dash

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/live/controller/server"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/reports/chart"
)

// charts are the page's, of the past day.
func (v *fleetView) charts() []*chart.Chart {
	c := course{origin: v.Now.Truncate(24 * time.Hour).Add(-24 * time.Hour), day: v.Day}
	c.to = v.Now.Sub(c.origin).Seconds()
	c.from = c.to - time.Hour.Seconds()
	if len(v.Day) > 0 {
		c.to = max(c.at(&v.Day[len(v.Day)-1]), c.from+60)
		c.from = min(c.at(&v.Day[0]), c.to-10*60)
	}
	for i := range v.Day {
		c.x = append(c.x, c.at(&v.Day[i]))
	}
	list := []*chart.Chart{c.capacity(), c.slack(v.SlackTarget), c.forecast(), c.money(v)}
	for _, x := range list {
		x.Still = "/fleet/chart/" + x.ID + ".svg"
	}
	return list
}

// course draws the past day.
type course struct {
	origin   time.Time
	from, to float64
	day      []server.Moment
	x        []float64
}

func (c *course) at(m *server.Moment) float64 { return m.At.Sub(c.origin).Seconds() }

func (c *course) figure(title string, panels ...chart.Panel) *chart.Figure {
	return &chart.Figure{Title: title, X: chart.Axis{Scale: chart.Clock, Origin: c.origin, Label: "UTC", Min: c.from, Max: c.to}, Panels: panels}
}

// series is one figure of every moment.
func (c *course) series(name string, kind chart.Kind, hue chart.Hue, of func(*server.Moment) float64) chart.Series {
	s := chart.Series{Name: name, Kind: kind, Hue: hue, X: c.x, Y: make([]float64, len(c.day))}
	for i := range c.day {
		s.Y[i] = of(&c.day[i])
	}
	return s
}

func (c *course) capacity() *chart.Chart {
	busy := c.series("busy", chart.Area, chart.Orange, func(m *server.Moment) float64 { return float64(m.Busy) })
	ready := c.series("ready", chart.Step, chart.Blue, func(m *server.Moment) float64 { return float64(m.Ready) })
	booting := c.series("booting", chart.Step, chart.Green, func(m *server.Moment) float64 { return float64(m.Booting) })
	booting.Dash = chart.Dashed
	waiting := c.series("waiting", chart.Step, chart.Vermillion, func(m *server.Moment) float64 { return float64(m.Waiting) })
	return &chart.Chart{
		ID: "capacity", Title: "Capacity and queue", Events: c.marks(),
		Caption: "Marks are decisions; where the crosshair meets one its reasons are told.",
		Figure: c.figure("Capacity and queue",
			chart.Panel{Y: chart.Axis{Label: "slots", Unit: chart.Count}, Series: []chart.Series{busy, ready, booting}, Height: 130, Empty: "nothing was decided yet"},
			chart.Panel{Y: chart.Axis{Label: "jobs", Unit: chart.Count}, Series: []chart.Series{waiting}, Height: 70, Empty: "nothing was decided yet"}),
	}
}

func (c *course) slack(target float64) *chart.Chart {
	now := c.series("now", chart.Step, chart.Sky, func(m *server.Moment) float64 { return m.Slack })
	now.Thin = true
	mean := c.series("mean of 24 h", chart.Line, chart.Blue, func(m *server.Moment) float64 { return m.Slack24h })
	p := chart.Panel{Y: chart.Axis{Label: "idle part of ready slots", Unit: chart.Share, Max: 1}, Series: []chart.Series{now, mean}, Height: 150, Empty: "no slot was ready yet"}
	if target > 0 {
		p.Rules = []chart.Rule{{Name: "target", At: target, Hue: chart.Green, Dash: chart.Dashed}}
	}
	return &chart.Chart{ID: "slack", Title: "Slack", Caption: "The idle part of ready capacity, 1 − busy ÷ ready.", Figure: c.figure("Slack", p)}
}

// forecast draws what was expected at the time that it was expected for.
func (c *course) forecast() *chart.Chart {
	came := c.series("came", chart.Line, chart.Vermillion, func(m *server.Moment) float64 { return m.Came })
	came.Thin = true
	mean, high := chart.Series{Name: "mean", Kind: chart.Step, Hue: chart.Green, Dash: chart.Dashed}, chart.Series{Name: "p90", Kind: chart.Step, Hue: chart.Blue}
	for i := range c.day {
		m := &c.day[i]
		x := c.x[i] + m.Ahead.Seconds()
		if math.IsNaN(m.Mean) || x > c.to || len(mean.X) > 0 && x <= mean.X[len(mean.X)-1] {
			continue
		}
		mean.X, mean.Y = append(mean.X, x), append(mean.Y, m.Mean)
		high.X, high.Y = append(high.X, x), append(high.Y, m.High)
	}
	return &chart.Chart{
		ID: "forecast", Title: "Forecast against actual",
		Caption: "Work that was expected for each moment when an instance launched in time could help it, and the work that came.",
		Figure: c.figure("Forecast against actual", chart.Panel{
			Y: chart.Axis{Label: "reference cores", Unit: chart.Number}, Series: []chart.Series{came, high, mean}, Height: 150, Empty: "nothing was forecast yet",
		}),
	}
}

func (c *course) money(v *fleetView) *chart.Chart {
	hour := c.series("spent this hour", chart.Area, chart.Purple, func(m *server.Moment) float64 { return m.SpentHour.Dollars() })
	rate := c.series("price of an hour", chart.Step, chart.Blue, func(m *server.Moment) float64 { return m.PerHour.Dollars() })
	p := chart.Panel{Y: chart.Axis{Label: "dollars", Prefix: "$ "}, Series: []chart.Series{hour, rate}, Height: 110, Empty: "nothing was decided yet"}
	most := 0.0
	for i := range c.day {
		most = max(most, rate.Y[i], hour.Y[i])
	}
	// a cap far above would flatten what is spent to a line
	const near = 4
	if limit := v.Caps.HourMax.Dollars(); limit > 0 && limit < near*most {
		p.Rules = []chart.Rule{{Name: "cap per hour", At: limit, Hue: chart.Vermillion, Dash: chart.Dashed}}
	}
	return &chart.Chart{ID: "money", Title: "Cost", Caption: "Windows or seconds that began in each clock hour, and what an hour of all that is alive costs.", Figure: c.figure("Cost", p)}
}

// Lanes of marks, and how many decisions have one.
const (
	laneLaunch = iota
	laneDrain
	laneGuard
	laneRefused
	marksMost = 400
)

// marks are the decisions that a reader would want to see.
func (c *course) marks() *chart.Events {
	e := &chart.Events{
		Noun: "decision", Marks: true,
		Lanes: []chart.Lane{{Name: "launch", Hue: chart.Blue}, {Name: "drain", Hue: chart.Orange}, {Name: "guard", Hue: chart.Vermillion}, {Name: "refused", Hue: chart.Purple}},
	}
	for i := len(c.day) - 1; i >= 0 && len(e.List) < marksMost; i-- {
		m := &c.day[i]
		x := chart.Event{At: c.x[i], Title: m.Action, Text: m.Because[:min(len(m.Because), 4)]}
		d := m.Outcome
		if d.Launched+d.Undrained > 0 || !m.Sleeps && d.Drained == 0 {
			x.Lanes = append(x.Lanes, laneLaunch)
		}
		if d.Drained > 0 {
			x.Lanes = append(x.Lanes, laneDrain)
		}
		if m.Removed != (journal.Removed{}) {
			x.Lanes = append(x.Lanes, laneGuard)
		}
		if d.Refused > 0 {
			x.Lanes = append(x.Lanes, laneRefused)
		}
		if len(x.Lanes) > 0 {
			e.List = append(e.List, x)
		}
	}
	return e
}
