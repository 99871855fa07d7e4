package observe

import (
	"math"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// lately plays n minutes, in each of which so many jobs complete that took each
// core-seconds, and returns what is known of their type then.
func lately(r *Recorder, minute *int, n, jobs int, each float64) policy.ServiceView {
	var o policy.Observation
	k := r.Kind("photo", 1, 0)
	for range n {
		for range jobs {
			k.Arrived++
			k.Started++
			k.Done(int64(each * 1e9))
		}
		*minute++
		now := int64(*minute) * int64(time.Minute)
		r.Begin(&o, now)
		r.End(&o, now, Sample{})
	}
	return o.Queue.Kinds[0].Service
}

// The recent mean follows a change within minutes, is believed the less the fewer jobs
// speak for it and the more they scatter, and is forgotten when no more come.
func TestTheRecentMeanFollowsAChange(t *testing.T) {
	r, minute := New(env(), origin), 0
	if v := lately(r, &minute, 600, 100, 2); math.Abs(float64(v.Recent-v.Mean)) > 1e-6 {
		t.Errorf("of jobs that all took 2 s the recent mean is %v, the long one %v", v.Recent, v.Mean)
	}
	few := lately(r, &minute, 1, 5, 20)
	if few.Recent < few.Mean || few.Recent > 2.3 {
		t.Errorf("after five jobs of 20 s among a thousand of 2 s the recent mean is %v", few.Recent)
	}
	changed := lately(r, &minute, 20, 100, 20)
	if changed.Recent < 15 || changed.Mean > 3 {
		t.Errorf("after 20 minutes of jobs of 20 s the recent mean is %v, the long one %v", changed.Recent, changed.Mean)
	}
	gone := lately(r, &minute, 240, 0, 0)
	if gone.Mean != changed.Mean || math.Abs(float64(gone.Recent-gone.Mean)) > 1e-3 {
		t.Errorf("four hours later the recent mean is %v, the long one %v", gone.Recent, gone.Mean)
	}
}

// (R + t m) / (r + t), with t = 30 (1 + SCV), of the jobs of one tick.
func TestTheRecentMeanIsDrawnToTheLongOne(t *testing.T) {
	s := service{n: 1000, sum: 2000, squares: 12000}
	s.learn(10, 100, 1000, &Kind{})
	s.update(0)
	own := 2100.0 / 1010
	scv := (13000.0/1010 - own*own) / (own * own)
	mean := (2100 + 5*0.7*own) / 1015
	trust := 30 * (1 + scv)
	want := (100 + trust*mean) / (10 + trust)
	if got := float64(s.view.Recent); math.Abs(got-want) > 1e-9 {
		t.Errorf("recent mean %v, want %v", got, want)
	}
}
