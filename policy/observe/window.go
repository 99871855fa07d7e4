package observe

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// eventLog counts launches, terminations and interruptions by time.
type eventLog struct {
	entries []fleetEvent // ascending by time, trimmed to an hour
}

type fleetEvent struct {
	at                                 int64
	launched, terminated, interruption int
}

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

func (l *eventLog) fill(f *policy.FleetView, now int64) {
	keep := 0
	for keep < len(l.entries) && l.entries[keep].at <= now-int64(time.Hour) {
		keep++
	}
	if keep > 0 {
		l.entries = slices.Delete(l.entries, 0, keep)
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

// callLog counts EC2 calls over five minutes.
type callLog struct {
	entries []callEntry
}

// QueueRead notes an attempt to read the queue and whether it failed.
func (r *Recorder) QueueRead(now int64, failed bool) {
	e := callEntry{at: now, calls: 1}
	if failed {
		e.errors = 1
	}
	r.queueCalls.entries = append(r.queueCalls.entries, e)
}

type callEntry struct {
	at                       int64
	calls, errors, throttled int
}

// Called notes EC2 calls and how they ended.
func (r *Recorder) Called(now int64, calls, errors, throttled int) {
	if calls > 0 {
		r.calls.entries = append(r.calls.entries, callEntry{now, calls, errors, throttled})
	}
}

// sum returns the calls of the last 5 minutes and forgets the older ones.
func (l *callLog) sum(now int64) (s callEntry) {
	keep := 0
	for keep < len(l.entries) && l.entries[keep].at <= now-int64(5*time.Minute) {
		keep++
	}
	if keep > 0 {
		l.entries = slices.Delete(l.entries, 0, keep)
	}
	for _, e := range l.entries {
		s.calls += e.calls
		s.errors += e.errors
		s.throttled += e.throttled
	}
	return s
}

func (l *callLog) fill(v *policy.EC2View, now int64) {
	s := l.sum(now)
	v.Calls, v.Errors, v.Throttled = s.calls, s.errors, s.throttled
}

// Refused notes what EC2 would not sell.
func (r *Recorder) Refused(f policy.Refusal) { r.refusals = append(r.refusals, f) }

// ec2 fills o.EC2's memory; the caller says when EC2 last answered.
func (r *Recorder) ec2(o *policy.Observation) {
	keep := 0
	for keep < len(r.refusals) && o.Now.Sub(r.refusals[keep].At) > time.Hour {
		keep++
	}
	if keep > 0 {
		r.refusals = slices.Delete(r.refusals, 0, keep)
	}
	o.EC2.Refusals = r.refusals
}

// slackWindow is the slack of the last 24 hours, by tick.
type slackWindow struct {
	entries []slackEntry // a queue: entries[first:]
	first   int
	ready   runningSum
	busy    runningSum
}

// runningSum adds up the terms of a window that moves. What is left once every
// term that was more than 0 is gone is 0, not what rounding left of them: a
// fraction of such remainders could be any number.
type runningSum struct {
	sum   float64
	terms int // that are not 0
}

func (s *runningSum) enter(x float64) {
	if x != 0 {
		s.sum += x
		s.terms++
	}
}

func (s *runningSum) leave(x float64) {
	if x == 0 {
		return
	}
	s.sum -= x
	if s.terms--; s.terms == 0 {
		s.sum = 0
	}
}

type slackEntry struct {
	at          int64 // end of the step
	ready, busy float64
}

// addSlack adds the ready and busy slot-seconds of the step that ends at now
// and returns the mean slack of the last 24 hours with the ready slot-seconds
// it rests on. The mean is 0 without ready capacity.
func (r *Recorder) addSlack(now int64, ready, busy float64) (mean, readySlotSeconds float64) {
	s := &r.slack
	s.enter(slackEntry{now, ready, busy})
	for s.entries[s.first].at <= now-int64(24*time.Hour) {
		s.ready.leave(s.entries[s.first].ready)
		s.busy.leave(s.entries[s.first].busy)
		s.first++
	}
	if s.first > 4096 && s.first > len(s.entries)/2 {
		left := slices.Delete(s.entries, 0, s.first)
		*s = slackWindow{entries: left[:0]} // fresh sums: no drift over a year
		for _, e := range left {
			s.enter(e)
		}
	}
	if s.ready.sum <= 0 {
		return 0, 0
	}
	return 1 - s.busy.sum/s.ready.sum, s.ready.sum
}

func (s *slackWindow) enter(e slackEntry) {
	s.entries = append(s.entries, e)
	s.ready.enter(e.ready)
	s.busy.enter(e.busy)
}
