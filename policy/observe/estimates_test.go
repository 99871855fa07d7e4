package observe

import (
	"math"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Jobs that carry no estimate count by the mean beside those that carry one.
func TestSomeJobsCarryEstimates(t *testing.T) {
	r := New(env(), origin)
	var o policy.Observation
	play(r, &o, 0, 30, 1000)
	k := r.Kind("photo", 1, 0)
	k.Arrived += 3
	k.EstimateArrived(int64(10 * time.Second))
	now := int64(31 * time.Minute)
	r.Begin(&o, now)
	v := &o.Queue.Kinds[0]
	if got := float64(v.Pending.Work); math.Abs(got-14) > 0.1 {
		t.Errorf("pending work %v, want 10 + 2 × 2", got)
	}
	if got := float64(v.LastTick.Work); math.Abs(got-14) > 0.1 {
		t.Errorf("arrived work %v, want 10 + 2 × 2", got)
	}
	r.End(&o, now, Sample{})
}

// A day of 100 000 slots is more nanoseconds of work than an int64 holds.
func TestEstimatesWrap(t *testing.T) {
	r := New(env(), origin)
	var o policy.Observation
	k := r.Kind("photo", 1, 0)
	for i := range 40 {
		const each = int64(1e9) * 3600 * 24 * 30
		k.Arrived += 100
		k.Started += 100
		for range 100 {
			k.EstimateArrived(each)
			k.EstimateLeft(each)
		}
		k.Arrived++
		k.EstimateArrived(int64(7 * time.Second))
		now := int64(i+1) * int64(time.Minute)
		r.Begin(&o, now)
		v := &o.Queue.Kinds[0]
		if want := float64(7 * (i + 1)); math.Abs(float64(v.Pending.Work)-want) > 1e-9 {
			t.Fatalf("tick %d: pending work %v, want %v", i, v.Pending.Work, want)
		}
		if want := 100*float64(each)*1e-9 + 7; math.Abs(float64(v.LastTick.Work)-want) > 1 {
			t.Fatalf("tick %d: arrived work %v, want %v", i, v.LastTick.Work, want)
		}
		r.End(&o, now, Sample{})
	}
}
