package scenarios

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/sim"
)

// counted are the words of Expect.What that are counted over a time: how many
// there were at a tick.
var counted = map[string]func(*sim.TickRow) int{
	"launches": func(t *sim.TickRow) int { return t.Launches },
	"drains":   func(t *sim.TickRow) int { return t.Drains },
	"undrains": func(t *sim.TickRow) int { return t.Undrains },
	"refused":  func(t *sim.TickRow) int { return t.Refused },
	"clamped":  func(t *sim.TickRow) int { return t.Clamped },
}

// lookedAt are those that are looked at, at every tick. "terminations" is the
// one word of neither map: instances end between ticks.
var lookedAt = map[string]func(*sim.TickRow) float64{
	"instances": func(t *sim.TickRow) float64 { return float64(t.Instances) },
	"ready":     func(t *sim.TickRow) float64 { return float64(t.Ready) },
	"booting":   func(t *sim.TickRow) float64 { return float64(t.Booting) },
	"busy":      func(t *sim.TickRow) float64 { return float64(t.Busy) },
	"draining":  func(t *sim.TickRow) float64 { return float64(t.Draining) },
	"pending":   func(t *sim.TickRow) float64 { return float64(t.Pending) },
}

func (s *Scenario) checkExpects(d *document) {
	for i := range s.Expects {
		e := &s.Expects[i]
		at := element("expect", i+1)
		if !d.clean(at) {
			continue
		}
		d.instanceTypes(at+".type", e.Types, &s.catalog)
		switch {
		case e.By != nil && e.To != nil:
			d.wrong(at+".by", "to is given as well: the time ends by one of them")
		case e.Min == nil && e.Max == nil:
			d.wrong(at, "neither min nor max: it expects nothing")
		case e.Min != nil && e.Max != nil && *e.Min > *e.Max:
			d.bad(at+".min", *e.Min, "at most max ("+tomlFloat(*e.Max)+")")
		case e.Min != nil && e.Max != nil && e.By != nil && lookedAt[e.What] != nil:
			d.wrong(at+".by", e.What+" comes within one bound by a moment, min or max: to asks for both at every tick")
		}
		for _, end := range []struct {
			key string
			at  *weekTime
		}{{"from", e.From}, {"to", e.To}, {"by", e.By}} {
			if end.at == nil || end.at.Weekly {
				continue
			}
			if s.Duration > 0 && end.at.At > s.Duration {
				d.bad(at+"."+end.key, end.at.String(), "within the run ("+FormatDuration(s.Duration)+")")
			} else if end.key != "from" && e.From != nil && !e.From.Weekly && end.at.At <= e.From.At {
				d.bad(at+"."+end.key, end.at.String(), "after from ("+e.From.String()+")")
			}
		}
	}
}

// span returns the time that e is about, since the trace's start, its end left
// out.
func (e *Expect) span(c *sim.Config) (from, to time.Duration) {
	const week = 7 * 24 * time.Hour
	local := c.Start.UTC().Add(c.UTCOffset)
	midnight := time.Date(local.Year(), local.Month(), local.Day(), 0, 0, 0, 0, time.UTC)
	ofWeek := local.Sub(midnight) + time.Duration((int(local.Weekday())+6)%7)*24*time.Hour
	since := func(t *weekTime, after time.Duration) time.Duration {
		if !t.Weekly {
			return t.At
		}
		at := (t.At - ofWeek + 2*week) % week
		for at < after {
			at += week
		}
		return at
	}
	to = math.MaxInt64
	if e.From != nil {
		from = since(e.From, 0)
	}
	switch {
	case e.To != nil:
		to = since(e.To, from+1)
	case e.By != nil:
		to = since(e.By, from) + 1 // the moment itself counts
	}
	return from, to
}

// judge returns whether the run, which has its history, was as expected.
func (e *Expect) judge(r *sim.Result) sim.Verdict {
	v := sim.Verdict{Name: e.name(), Want: e.want(), Got: "no tick", Margin: -1}
	from, to := e.span(r.Config)
	x, ok := e.observed(r, from, to)
	if !ok {
		return v
	}
	v.Value, v.Got = &x, short(x)
	p := Promise{Min: e.Min, Max: e.Max}
	v.Kept, v.Margin = p.holds(x), p.margin(x)
	return v
}

// observed returns what is judged of the time: a count or, of what is looked
// at, the value that is farthest from what is expected, with by the nearest;
// false where no tick is in the time.
func (e *Expect) observed(r *sim.Result, from, to time.Duration) (float64, bool) {
	in := func(at time.Duration) bool { return at >= from && at < to }
	n, ticks := 0, 0
	for i := range r.Ticks {
		if in(r.Ticks[i].At) {
			ticks++
			if count := counted[e.What]; count != nil {
				n += count(&r.Ticks[i])
			}
		}
	}
	if value := lookedAt[e.What]; value != nil {
		return e.level(r, in, value)
	}
	switch {
	case e.What == "terminations":
		n = 0
		for _, x := range r.Ended {
			if in(x.At) && e.counts(r, x.Type) {
				n++
			}
		}
	case e.What == "launches" && len(e.Types) > 0:
		n = 0
		for _, x := range r.Launched {
			if in(x.At) && e.counts(r, x.Type) {
				n++
			}
		}
	}
	return float64(n), ticks > 0
}

// counts reports whether instances of a type, by its index, count.
func (e *Expect) counts(r *sim.Result, t int) bool {
	return len(e.Types) == 0 || slices.Contains(e.Types, r.Config.Catalog.Types[t].Name)
}

// level returns the value at a tick that decides.
func (e *Expect) level(r *sim.Result, in func(time.Duration) bool, value func(*sim.TickRow) float64) (float64, bool) {
	p := Promise{Min: e.Min, Max: e.Max}
	found, worst, best := false, 0.0, 0.0
	for i := range r.Ticks {
		if !in(r.Ticks[i].At) {
			continue
		}
		x := value(&r.Ticks[i])
		if !found || p.margin(x) < p.margin(worst) {
			worst = x
		}
		if !found || p.margin(x) > p.margin(best) {
			best = x
		}
		found = true
	}
	if e.By != nil {
		return best, found
	}
	return worst, found
}

// name returns what results call it: "launches from 14h by 14h10m".
func (e *Expect) name() string {
	if e.Name != "" {
		return e.Name
	}
	text := e.What
	if len(e.Types) > 0 {
		text += " of " + strings.Join(e.Types, ", ")
	}
	for _, end := range []struct {
		word string
		at   *weekTime
	}{{"from", e.From}, {"to", e.To}, {"by", e.By}} {
		if end.at != nil {
			text += fmt.Sprintf(" %s %s", end.word, end.at)
		}
	}
	return text
}

// want returns the bounds as people write them.
func (e *Expect) want() string {
	p := Promise{Min: e.Min, Max: e.Max}
	return p.want()
}
