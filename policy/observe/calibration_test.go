package observe

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// expectedWork plays n minutes in which ten jobs of two core-seconds come and are done,
// of which so many carry the given estimate; then one waits that carries it. It
// returns what that one is expected to take.
func expectedWork(r *Recorder, from, n int, carry int, estimate time.Duration) float64 {
	var o policy.Observation
	k := r.Kind("photo", 1, 0)
	for i := range n {
		for j := range 10 {
			k.Arrived++
			k.Started++
			if j < carry {
				k.EstimateArrived(int64(estimate))
				k.EstimateLeft(int64(estimate))
			}
			k.Done(int64(2 * time.Second))
		}
		now := int64(from+i+1) * int64(time.Minute)
		r.Begin(&o, now)
		r.End(&o, now, Sample{})
	}
	k.Arrived++
	k.EstimateArrived(int64(estimate))
	now := int64(from+n+1) * int64(time.Minute)
	r.Begin(&o, now)
	r.End(&o, now, Sample{})
	k.Started++
	k.EstimateLeft(int64(estimate))
	k.Done(int64(2 * time.Second))
	return float64(o.Queue.Kinds[0].Pending.Work)
}

// Estimates that are wrong by a factor are right on average once enough jobs have
// completed, and those that are right stay what they are.
func TestEstimatesAreCalibrated(t *testing.T) {
	for _, c := range []struct{ estimate, want, within float64 }{
		{2, 2, 1e-9},
		{6, 2, 0.2},
		{0.5, 2, 0.1},
		{0.001, 0.1, 0.01}, // a hundred times, and no more
	} {
		r := New(env(), origin)
		got := expectedWork(r, 0, 600, 10, time.Duration(c.estimate*1e9))
		if running := r.expected(r.Kind("photo", 1, 0), int64(c.estimate*1e9)); math.Abs(running-got) > 1e-3*got {
			t.Errorf("an estimate of %v s counts for %v s of a job that waits and %v of one that runs", c.estimate, got, running)
		}
		if math.Abs(got-c.want) > c.within {
			t.Errorf("an estimate of %v s for jobs of 2 s counts for %v s, want %v", c.estimate, got, c.want)
		}
	}
}

// At first an estimate is believed, and it comes to what is measured step by step.
func TestEstimatesAreBelievedAtFirst(t *testing.T) {
	r := New(env(), origin)
	was := expectedWork(r, 0, 0, 10, 6*time.Second)
	if was != 6 {
		t.Errorf("before any job completed 6 s counts for %v s", was)
	}
	for i := range 10 {
		got := expectedWork(r, 2+10*i, 4, 10, 6*time.Second)
		if !(got < was && got > 2) {
			t.Errorf("after %d jobs more 6 s counts for %v s, before for %v", 40, got, was)
		}
		was = got
	}
}

// The mean of all jobs says nothing of estimates that only some of them carry.
func TestSomeEstimatesAreNotCalibrated(t *testing.T) {
	r := New(env(), origin)
	if got := expectedWork(r, 0, 600, 9, 6*time.Second); got != 6 {
		t.Errorf("where nine of ten carry one, 6 s counts for %v s", got)
	}
}

// Jobs of which nothing is known but that they took no time do not make work that is
// no number, and one estimate beside thousands of jobs of unknown ones proves nothing.
func TestCalibrationOfNothing(t *testing.T) {
	none := service{jobs: 1000, samples: 1000, started: 1000, estimated: 1000, estimate: 2000}
	none.update(1)
	if got := none.calibration(); got != 1 {
		t.Errorf("jobs that took no time correct estimates by %v", got)
	}
	one := service{jobs: 50_000, work: 100_000, workSquared: 400_000, samples: 50_000, started: 1, estimated: 1, estimate: 60}
	one.update(1)
	if got := one.calibration(); got < 0.95 || got > 1 {
		t.Errorf("the first estimate corrects all others by %v", got)
	}
}

// What waits and runs at the first look of a controller was not seen to come or go:
// its memory is restored, and estimates are believed as before.
func TestEstimatesOfABacklogThatWasThere(t *testing.T) {
	r := New(env(), origin)
	k := r.Kind("photo", 1, 0)
	first := &Counters{Arrived: 5000, Started: 4000, Completed: 3990, Waiting: 1000, Running: 10, WaitingEstimated: 1000, WaitingEstimate: 2000 * 1e9}
	k.Follow(first, nil)
	var o policy.Observation
	r.Begin(&o, int64(time.Minute))
	r.End(&o, int64(time.Minute), Sample{})
	if got := float64(o.Queue.Kinds[0].Pending.Work); math.Abs(got-2000) > 1e-6 {
		t.Errorf("pending work %v, want 2000", got)
	}
	s := r.types[k.workType]
	if s.started != 0 || s.estimated != 0 || s.estimate != 0 {
		t.Errorf("%v started, %v of them with estimates of %v: nothing was seen to start", s.started, s.estimated, s.estimate)
	}
	next := *first
	next.Started, next.Waiting, next.Running = 4010, 990, 20
	next.WaitingEstimated, next.WaitingEstimate = 990, 1980*1e9
	k.Follow(&next, first)
	r.Begin(&o, int64(2*time.Minute))
	r.End(&o, int64(2*time.Minute), Sample{})
	if s.started != 10 || s.estimated != 10 || s.estimate != 20 {
		t.Errorf("%v started, %v of them with estimates of %v, want 10, 10 and 20", s.started, s.estimated, s.estimate)
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, New(env(), origin)); err != nil {
		t.Errorf("what was learned beside a backlog is refused: %v", err)
	}
}

// What estimates are worth is remembered over a restart.
func TestCalibrationIsRemembered(t *testing.T) {
	before := New(env(), origin)
	was := expectedWork(before, 0, 600, 10, 6*time.Second)
	text, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	after := New(env(), origin)
	if err := json.Unmarshal(text, after); err != nil {
		t.Fatal(err)
	}
	if got := expectedWork(after, 700, 0, 10, 6*time.Second); math.Abs(got-was) > 0.01 {
		t.Errorf("after a restart 6 s counts for %v s, before for %v", got, was)
	}
}
