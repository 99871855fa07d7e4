package reports

import (
	"fmt"
	"io"
	"time"

	"github.com/skynet-ec2/skynet/policy/journal"
)

// ReplayOptions say how a replay is shown.
type ReplayOptions struct {
	// Wall is how long it took; 0: not shown.
	Wall time.Duration
	// Other is the label of the policy that was asked what it would have done;
	// empty: the recorded one decided again.
	Other string
	// UTCOffset of the users' clock, on which times are shown.
	UTCOffset time.Duration
	Color     bool
	Width     int
}

// instantText shows an instant on the users' clock, to the second or finer:
// Thu 2008-06-05 18:19:00 -07:00.
func instantText(at time.Time, offset time.Duration, layout string) string {
	if offset == 0 {
		return at.UTC().Format("Mon 2006-01-02 " + layout + " UTC")
	}
	return at.In(time.FixedZone("", int(offset/time.Second))).Format("Mon 2006-01-02 " + layout + " -07:00")
}

const (
	toMinute = "15:04"
	toSecond = "15:04:05"
	toMilli  = "15:04:05.000"
)

// Replayed writes what a replay came to, for people.
func Replayed(w io.Writer, r *journal.Report, o ReplayOptions) error {
	s := Options{Color: o.Color, Width: o.Width}.sheet()
	span := r.Last.Sub(r.First)
	left := part{
		{oneLine(r.Policy), bold},
		{fmt.Sprintf(": %s, %s to %s (%s)", times(r.Decisions, "decision"), instantText(r.First, o.UTCOffset, toMinute), instantText(r.Last, o.UTCOffset, toMinute), Duration(span)), plain},
	}
	var took part
	if wall := o.Wall.Seconds(); wall > 0 {
		text := Seconds(&wall)
		if r.Decisions >= 1000 { // of fewer, the rate tells how long it took to find them
			text += fmt.Sprintf(" (%s)", Rate(float64(r.Decisions)/wall, "decisions"))
		}
		took = part{{text, faint}}
	}
	s.line(left, 0, max(3, s.width-left.width()-took.width()), took)
	switch {
	case o.Other != "" && r.Differing == 0:
		s.line(part{{"· ", faint}, {fmt.Sprintf("%s would have done the same every time", oneLine(o.Other)), plain}}, 2, 2)
	case o.Other != "":
		s.line(part{{"· ", faint}, {fmt.Sprintf("%s would have done otherwise in %s of %s (%s)",
			oneLine(o.Other), Count(r.Differing), times(r.Decisions, "decision"), Percent(float64(r.Differing)/float64(r.Decisions), 1)), plain}}, 2, 2)
	case r.Same():
		s.line(part{{"✓ ", green}, {fmt.Sprintf("identical: decisions, reasons, and the state after each; %s compared in full", times(r.States, "state")), plain}}, 2, 2)
	default:
		s.line(part{{"✗ ", red}, {fmt.Sprintf("different: %s of %s, %s of %s", Count(r.Differing), times(r.Decisions, "decision"), Count(r.DifferingStates), times(r.States, "state")), red}}, 2, 2)
	}
	for i := range r.Differences {
		d := &r.Differences[i]
		s.line(part{{fmt.Sprintf("  #%d ", d.ID), bold}, {instantText(d.At, o.UTCOffset, toSecond) + "  " + d.Field, plain}}, 4, 3, part{{fmt.Sprintf("%s:%d", d.File, d.Line), faint}})
		s.line(say("    recorded "+oneLine(d.Recorded)), 4, 2)
		s.line(say("    now      "+oneLine(d.Now)), 4, 2)
	}
	if more := r.Differing + r.DifferingStates - int64(len(r.Differences)); more > 0 && len(r.Differences) > 0 {
		s.line(say(fmt.Sprintf("  and %s more", Count(more))), 4, 2)
	}
	for _, b := range r.Breaks {
		s.line(say(fmt.Sprintf("note: at #%d (%s:%d) the policy began with another state than it had: it was restarted without, or changed", b.ID, b.File, b.Line)), 6, 2)
	}
	for _, t := range r.Torn {
		what := "passed over"
		if t.Kept {
			what = "read, without what became of it"
		}
		s.line(say(fmt.Sprintf("note: %s:%d is cut off: %s", t.File, t.Line, what)), 6, 2)
	}
	_, err := io.WriteString(w, s.b.String())
	return err
}
