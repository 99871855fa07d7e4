package observe

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// promise plays n minutes in which ten jobs of two core-seconds come and are done,
// of which so many carry the given estimate; then one waits that carries it. It
// returns what that one is expected to take.
func promise(r *Recorder, from, n int, carry int, estimate time.Duration) float64 {
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
		got := promise(r, 0, 600, 10, time.Duration(c.estimate*1e9))
		if math.Abs(got-c.want) > c.within {
			t.Errorf("an estimate of %v s for jobs of 2 s counts for %v s, want %v", c.estimate, got, c.want)
		}
	}
}

// At first an estimate is believed, and it comes to what is measured step by step.
func TestEstimatesAreBelievedAtFirst(t *testing.T) {
	r := New(env(), origin)
	was := promise(r, 0, 0, 10, 6*time.Second)
	if was != 6 {
		t.Errorf("before any job completed 6 s counts for %v s", was)
	}
	for i := range 10 {
		got := promise(r, 2+10*i, 4, 10, 6*time.Second)
		if !(got < was && got > 2) {
			t.Errorf("after %d jobs more 6 s counts for %v s, before for %v", 40, got, was)
		}
		was = got
	}
}

// The mean of all jobs says nothing of estimates that only some of them carry.
func TestSomeEstimatesAreNotCalibrated(t *testing.T) {
	r := New(env(), origin)
	if got := promise(r, 0, 600, 9, 6*time.Second); got != 6 {
		t.Errorf("where nine of ten carry one, 6 s counts for %v s", got)
	}
}

// What estimates are worth is remembered over a restart.
func TestCalibrationIsRemembered(t *testing.T) {
	before := New(env(), origin)
	was := promise(before, 0, 600, 10, 6*time.Second)
	text, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	after := New(env(), origin)
	if err := json.Unmarshal(text, after); err != nil {
		t.Fatal(err)
	}
	if got := promise(after, 700, 0, 10, 6*time.Second); math.Abs(got-was) > 0.01 {
		t.Errorf("after a restart 6 s counts for %v s, before for %v", got, was)
	}
}
