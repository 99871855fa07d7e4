package observe

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// eventLog counts launches, terminations and interruptions of the last hour.
type eventLog struct {
	entries []fleetEvent // ascending by time, trimmed to an hour
}

// fleetEvent is what happened at one world time, in nanoseconds.
type fleetEvent struct {
	at                                 int64
	launched, terminated, interruption int
}

// add adds an event that is no earlier than the last.
func (l *eventLog) add(e fleetEvent) {
	if n := len(l.entries); n > 0 && l.entries[n-1].at == e.at {
		last := &l.entries[n-1]
		last.launched += e.launched
		last.terminated += e.terminated
		last.interruption += e.interruption
		return
	}
	l.entries = append(l.entries, e)
}

// fill forgets what is older than an hour, and counts the rest.
func (l *eventLog) fill(f *policy.FleetView, now int64) {
	old := 0
	for old < len(l.entries) && l.entries[old].at <= now-int64(time.Hour) {
		old++
	}
	if old > 0 {
		l.entries = slices.Delete(l.entries, 0, old)
	}
	f.Launched, f.Terminated, f.Interrupted = [2]int{}, [2]int{}, 0
	for i := range l.entries {
		e := &l.entries[i]
		f.Launched[1] += e.launched
		f.Terminated[1] += e.terminated
		f.Interrupted += e.interruption
		if e.at > now-int64(5*time.Minute) {
			f.Launched[0] += e.launched
			f.Terminated[0] += e.terminated
		}
	}
}

// Launched notes n launches sent at world time now.
func (r *Recorder) Launched(now int64, n int) { r.fleetLog.add(fleetEvent{at: now, launched: n}) }

// Terminated notes the end of an instance.
func (r *Recorder) Terminated(now int64) { r.fleetLog.add(fleetEvent{at: now, terminated: 1}) }

// Interrupted notes a spot instance taken back.
func (r *Recorder) Interrupted(now int64) { r.fleetLog.add(fleetEvent{at: now, interruption: 1}) }

// callLog counts calls of the last five minutes and how they ended.
type callLog struct {
	entries []callEntry
}

// QueueRead notes an attempt to read the queue at world time now, and whether it failed.
func (r *Recorder) QueueRead(now int64, failed bool) {
	e := callEntry{at: now, calls: 1}
	if failed {
		e.errors = 1
	}
	r.queueCalls.entries = append(r.queueCalls.entries, e)
}

// callEntry is a number of calls at one world time, or in all.
type callEntry struct {
	at                       int64
	calls, errors, throttled int
}

// Called notes calls of EC2 that ended at world time now: how many there were, and how many
// of them failed and were throttled.
func (r *Recorder) Called(now int64, calls, errors, throttled int) {
	if calls > 0 {
		r.calls.entries = append(r.calls.entries, callEntry{now, calls, errors, throttled})
	}
}

// sum forgets the calls that are older than five minutes, and returns the rest in all.
func (l *callLog) sum(now int64) (s callEntry) {
	old := 0
	for old < len(l.entries) && l.entries[old].at <= now-int64(5*time.Minute) {
		old++
	}
	if old > 0 {
		l.entries = slices.Delete(l.entries, 0, old)
	}
	for _, e := range l.entries {
		s.calls += e.calls
		s.errors += e.errors
		s.throttled += e.throttled
	}
	return s
}

// fill tells how the calls of the last five minutes ended.
func (l *callLog) fill(v *policy.EC2View, now int64) {
	s := l.sum(now)
	v.Calls, v.Errors, v.Throttled = s.calls, s.errors, s.throttled
}

// Refused notes what EC2 would not sell.
func (r *Recorder) Refused(f policy.Refusal) { r.refusals = append(r.refusals, f) }

// ec2 fills the refusals of the last hour into o.EC2. When EC2 last answered is for the
// caller to say.
func (r *Recorder) ec2(o *policy.Observation) {
	old := 0
	for old < len(r.refusals) && o.Now.Sub(r.refusals[old].At) > time.Hour {
		old++
	}
	if old > 0 {
		r.refusals = slices.Delete(r.refusals, 0, old)
	}
	o.EC2.Refusals = r.refusals
}

// slackWindow holds the ready and busy slot-seconds of the steps of the last 24 hours.
type slackWindow struct {
	entries []slackEntry // a queue, entries[first:]
	first   int
	ready   runningSum
	busy    runningSum
}

// slackEntry is one step.
type slackEntry struct {
	at          int64   // world time of its end
	ready, busy float64 // slot-seconds
}

// slackCompactAt is how many entries must have left the queue for its memory to be used
// again.
const slackCompactAt = 4096

// runningSum is the sum of the terms in a moving window. Once every term other than 0 has
// left, it is exactly 0, and not what rounding left of them: of two such remainders a
// quotient could be any number.
type runningSum struct {
	sum   float64
	terms int // that are not 0
}

// enter adds a term to the window.
func (s *runningSum) enter(x float64) {
	if x != 0 {
		s.sum += x
		s.terms++
	}
}

// leave takes a term that had entered out of it.
func (s *runningSum) leave(x float64) {
	if x == 0 {
		return
	}
	s.sum -= x
	if s.terms--; s.terms == 0 {
		s.sum = 0
	}
}

// addSlack adds the ready and busy slot-seconds of the step that ends at now. It returns the
// mean slack of the last 24 hours, 0 without ready capacity, and the ready slot-seconds
// it rests on.
func (r *Recorder) addSlack(now int64, ready, busy float64) (mean, readySlotSeconds float64) {
	s := &r.slack
	s.enter(slackEntry{now, ready, busy})
	for s.entries[s.first].at <= now-int64(24*time.Hour) {
		s.ready.leave(s.entries[s.first].ready)
		s.busy.leave(s.entries[s.first].busy)
		s.first++
	}
	if s.first > slackCompactAt && s.first > len(s.entries)/2 {
		left := slices.Delete(s.entries, 0, s.first)
		*s = slackWindow{entries: left[:0]} // the sums are made anew, so that rounding does not add up over a year
		for _, e := range left {
			s.enter(e)
		}
	}
	if s.ready.sum <= 0 {
		return 0, 0
	}
	return 1 - s.busy.sum/s.ready.sum, s.ready.sum
}

// enter adds a step at the end.
func (s *slackWindow) enter(e slackEntry) {
	s.entries = append(s.entries, e)
	s.ready.enter(e.ready)
	s.busy.enter(e.busy)
}
