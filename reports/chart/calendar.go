package chart

import "time"

// period is a stretch of time with a name, in seconds since the axis's origin.
type period struct {
	from, to float64
	label    string
	short    string // where there is no room for label
}

// calendar is the marking of a clock axis.
type calendar struct {
	ticks []float64
	// labels are centred in their stretch, or at its start if points is set.
	labels []period
	points bool
	// above are the longer periods the labels lie in: days, months or years.
	above []period
}

// grain is a way to mark a clock axis: a tick every so often.
type grain struct {
	every  time.Duration // 0: months
	months int
	layout string
	points bool
	above  string // layout of the longer period; empty: none
	length span   // of the longer period
}

// span is a length of the calendar.
type span uint8

const (
	day span = iota
	month
	year
)

// grains from the finest on.
var grains = []grain{
	{every: 10 * time.Second, layout: "15:04:05", points: true, above: "Mon 2 January 2006"},
	{every: 30 * time.Second, layout: "15:04:05", points: true, above: "Mon 2 January 2006"},
	{every: time.Minute, layout: "15:04", points: true, above: "Mon 2 January 2006"},
	{every: 2 * time.Minute, layout: "15:04", points: true, above: "Mon 2 January 2006"},
	{every: 5 * time.Minute, layout: "15:04", points: true, above: "Mon 2 January 2006"},
	{every: 10 * time.Minute, layout: "15:04", points: true, above: "Mon 2 January 2006"},
	{every: 15 * time.Minute, layout: "15:04", points: true, above: "Mon 2 January 2006"},
	{every: 30 * time.Minute, layout: "15:04", points: true, above: "Mon 2 January 2006"},
	{every: time.Hour, layout: "15:04", points: true, above: "Mon 2 January 2006"},
	{every: 2 * time.Hour, layout: "15:04", points: true, above: "Mon 2 January 2006"},
	{every: 3 * time.Hour, layout: "15:04", points: true, above: "Mon 2 January 2006"},
	{every: 6 * time.Hour, layout: "15:04", points: true, above: "Mon 2 January 2006"},
	{every: 12 * time.Hour, layout: "15:04", points: true, above: "Mon 2 Jan 2006"},
	{every: 24 * time.Hour, layout: "Mon 2", above: "January 2006", length: month},
	{every: 24 * time.Hour, layout: "2", above: "January 2006", length: month},
	{every: 7 * 24 * time.Hour, layout: "2 Jan", points: true, above: "2006", length: year},
	{months: 1, layout: "Jan", above: "2006", length: year},
	{months: 3, layout: "Jan", points: true, above: "2006", length: year},
	{months: 12, layout: "2006"},
	{months: 12, layout: "2006", points: true},
	{months: 60, layout: "2006", points: true},
	{months: 120, layout: "2006", points: true},
}

// calendarFor returns the finest marking of low to high that fits approves of.
func (a *Axis) calendarFor(low, high float64, fits func(calendar) bool) calendar {
	const most = 120
	for _, g := range grains {
		length := g.every.Seconds()
		if g.every == 0 {
			length = float64(g.months) * 30 * 86400
		}
		if (high-low)/length > most {
			continue
		}
		if c := a.marked(g, low, high); len(c.labels) > 0 && fits(c) {
			return c
		}
	}
	return calendar{}
}

// marked returns the marking of low to high by g.
func (a *Axis) marked(g grain, low, high float64) calendar {
	c := calendar{points: g.points}
	for t := g.start(a.at(low)); ; {
		next := g.next(t)
		from, to := a.since(t), a.since(next)
		if from > high {
			break
		}
		if from >= low {
			c.ticks = append(c.ticks, from)
		}
		if g.points && from >= low || !g.points && from < high {
			c.labels = append(c.labels, period{max(from, low), min(to, high), t.Format(g.layout), ""})
		}
		t = next
	}
	if g.above == "" {
		return c
	}
	for t := g.length.start(a.at(low)); ; {
		next := g.length.next(t)
		from, to := a.since(t), a.since(next)
		if from >= high {
			break
		}
		c.above = append(c.above, period{max(from, low), min(to, high), t.Format(g.above), t.Format(g.length.short())})
		t = next
	}
	return c
}

// at returns the calendar time of x, and since the x of a calendar time.
func (a *Axis) at(x float64) time.Time {
	return a.Origin.UTC().Add(time.Duration(x * 1e9))
}

func (a *Axis) since(t time.Time) float64 {
	return float64(t.Sub(a.Origin)) * 1e-9
}

// start returns the last tick at or before t, and next the one after a tick.
func (g grain) start(t time.Time) time.Time {
	if g.every == 0 {
		months := t.Year()*12 + int(t.Month()) - 1
		months -= months % g.months
		return time.Date(months/12, time.Month(months%12+1), 1, 0, 0, 0, 0, t.Location())
	}
	return t.Truncate(g.every) // weeks begin on Monday: the calendar of package time did
}

func (g grain) next(t time.Time) time.Time {
	if g.every == 0 {
		return t.AddDate(0, g.months, 0)
	}
	return t.Add(g.every)
}

// short is the layout of a name for little room.
func (s span) short() string {
	return [...]string{day: "2 Jan", month: "Jan", year: "06"}[s]
}

func (s span) start(t time.Time) time.Time {
	y, m, d := t.Date()
	switch s {
	case month:
		d = 1
	case year:
		m, d = time.January, 1
	}
	return time.Date(y, m, d, 0, 0, 0, 0, t.Location())
}

func (s span) next(t time.Time) time.Time {
	switch s {
	case month:
		return t.AddDate(0, 1, 0)
	case year:
		return t.AddDate(1, 0, 0)
	}
	return t.AddDate(0, 0, 1)
}
