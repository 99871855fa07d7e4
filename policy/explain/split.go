package explain

import (
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy/journal"
)

// Split is a time by what it was lost to. Its parts sum to the time.
//
// Every instant t of a job's wait has one cause. Let k be the last decision at
// or before t, and let the asking decision be the last one up to k, but not
// earlier than a boot lag (the learned p99) before the job arrived, that asked
// for a launch, before the guard, or that could not decide because it did not
// know enough. Then the cause is the first of these that holds:
//
//   - Guard: the guard took away a part of what the asking decision asked for,
//     or it was held (a reason hold.*, guard.stale, guard.unread or guard.clash);
//   - Refusal: EC2 refused a part of it, and nothing stood in;
//   - Boot: at k, instances were asked for or booting, or k launched some;
//   - Forecast: a later decision, before the job started, launched or took
//     instances back: capacity was missing that nobody had asked for yet;
//   - Queueing: none of these. The policy meant the job to wait, for the slots
//     there were, behind the jobs before it.
//
// The resolution of the causes is a tick; the sum is exact. A job that was
// started more than once counts the time of its earlier attempts as waiting.
type Split struct {
	Guard    time.Duration
	Refusal  time.Duration
	Boot     time.Duration
	Forecast time.Duration
	Queueing time.Duration
}

// Sum returns the time that was split.
func (s *Split) Sum() time.Duration { return s.Guard + s.Refusal + s.Boot + s.Forecast + s.Queueing }

// Moment is what a decision means for the jobs that wait after it.
type Moment struct {
	At time.Time
	// Lag is the learned boot lag's p99.
	Lag time.Duration
	// Coming instances: booting, or launched by the decision.
	Coming bool
	// Asked for a launch, or held; and then what of it was lost.
	Asked, Guarded, Refused bool
	// Grew: it launched or took back instances.
	Grew bool
}

// MomentOf returns what a decision means. It fails on a decision that cannot be
// read.
func MomentOf(rec *journal.Record) (Moment, error) {
	o := &rec.Observation
	m := Moment{At: rec.At, Lag: o.Fleet.Boot.P99, Coming: o.Fleet.BootingSlots > 0}
	if held(rec.Decision) {
		m.Asked, m.Guarded = true, true
	}
	if rec.Removed.Launches > 0 {
		m.Asked, m.Guarded = true, true
	}
	d, err := rec.Decode()
	if err != nil {
		return m, err
	}
	launched := len(d.Launches)
	if out := rec.Outcome; out != nil {
		launched = out.Launched
		m.Refused = out.Short > 0
	}
	if len(d.Launches) > 0 {
		m.Asked = true
	}
	m.Coming = m.Coming || launched > 0
	m.Grew = launched > 0 || len(d.Undrains) > 0
	return m, nil
}

// held reports whether a decision was not made for want of knowledge.
func held(decision string) bool {
	for _, rule := range []string{`"rule":"hold.`, `"rule":"guard.stale"`, `"rule":"guard.unread"`, `"rule":"guard.clash"`} {
		if strings.Contains(decision, rule) {
			return true
		}
	}
	return false
}

// Wait splits the time from a job's arrival to its start. moments are all
// decisions, in order; what lies before the first of them is queueing.
func Wait(moments []Moment, arrival, start time.Time) Split {
	return part(moments, arrival, arrival, start)
}

// part splits the part [from, start) of a wait.
func part(moments []Moment, arrival, from, start time.Time) Split {
	var s Split
	if !from.Before(start) {
		return s
	}
	first, at := slices.BinarySearchFunc(moments, from, atTime)
	if !at {
		first-- // the last one before
	}
	if first < 0 {
		until := start
		if len(moments) > 0 && moments[0].At.Before(start) {
			until = moments[0].At
		}
		s.Queueing += until.Sub(from)
		from, first = until, 0
	}
	end := first // the first decision at or after the start
	for end < len(moments) && moments[end].At.Before(start) {
		end++
	}
	grows := last(moments, first, end, func(m *Moment) bool { return m.Grew })
	since := arrival // what was asked for earlier has had its boot lag
	if k := max(lastBefore(moments, arrival), 0); k < len(moments) {
		since = arrival.Add(-moments[k].Lag)
	}
	earliest, _ := slices.BinarySearchFunc(moments, since, atTime)
	asking := last(moments, earliest, first, func(m *Moment) bool { return m.Asked })
	for k := first; k < end; k++ {
		m := &moments[k]
		if m.Asked && !m.At.Before(since) {
			asking = k
		}
		until := start
		if k+1 < len(moments) && moments[k+1].At.Before(start) {
			until = moments[k+1].At
		}
		took := until.Sub(from)
		from = until
		switch {
		case asking >= 0 && moments[asking].Guarded:
			s.Guard += took
		case asking >= 0 && moments[asking].Refused:
			s.Refusal += took
		case m.Coming:
			s.Boot += took
		case grows > k:
			s.Forecast += took
		default:
			s.Queueing += took
		}
	}
	return s
}

// atTime orders moments by their time.
func atTime(m Moment, t time.Time) int { return m.At.Compare(t) }

// last returns the place of the last of moments[from:to] that is wanted, or -1.
func last(moments []Moment, from, to int, wanted func(*Moment) bool) int {
	for k := to - 1; k >= from; k-- {
		if wanted(&moments[k]) {
			return k
		}
	}
	return -1
}

// lastBefore returns the place of the last decision at or before t, or -1.
func lastBefore(moments []Moment, t time.Time) int {
	at, found := slices.BinarySearchFunc(moments, t, atTime)
	if found {
		return at
	}
	return at - 1
}

// Lateness is how late a job was, and why.
type Lateness struct {
	// Wait from arrival to start, and what it was lost to.
	Wait  time.Duration
	Split Split
	// Late is by how much the job missed its target; 0: it did not. It is the
	// end of the wait, from the last instant at which the job could have started
	// and been in time: Of splits it. Service is what is left: the job's own time
	// in a slot, where that alone is longer than the target.
	Late    time.Duration
	Of      Split
	Service time.Duration
}

// LatenessOf returns how late a job was that started at start and took so long
// in its slot, under a target for its sojourn, or, if onWait, for its wait.
// moments are all decisions, in order.
//
// Properties:
//   - Split.Sum() == Wait
//   - Of.Sum() + Service == Late
//   - no part of Of is more than that of Split
func LatenessOf(moments []Moment, arrival, start time.Time, service, target time.Duration, onWait bool) Lateness {
	l := Lateness{Wait: start.Sub(arrival), Split: Wait(moments, arrival, start)}
	good := arrival.Add(target) // the last good start
	if !onWait {
		good = good.Add(-service)
	}
	if !start.After(good) {
		return l
	}
	l.Late = start.Sub(good)
	if good.Before(arrival) {
		l.Service = arrival.Sub(good)
		good = arrival
	}
	l.Of = part(moments, arrival, good, start)
	return l
}
