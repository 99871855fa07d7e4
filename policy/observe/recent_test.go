package observe

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// lately plays n minutes, in each of which so many photos of a size complete that took
// each core-seconds, and returns what is known then.
func lately(r *Recorder, minute *int, size uint8, n, jobs int, each float64) policy.KindView {
	var o policy.Observation
	k := r.Kind("photo", 1, size)
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
	return o.Queue.Kinds[0]
}

// each returns what a job that waits, or has just arrived, is taken to need by the
// recent mean and by the long one, in core-seconds.
func each(r *Recorder, minute *int, size uint8) (recent, long float64) {
	k := r.Kind("photo", 1, size)
	k.Arrived++
	v := lately(r, minute, size, 1, 0, 0)
	k.Started++
	k.Done(int64(float64(v.Pending.Work) * 1e9)) // leaves no trace in what others take
	return float64(v.PendingLately), float64(v.Pending.Work)
}

// The recent mean follows a change within minutes, is believed the less the fewer jobs
// speak for it and the more they scatter, and is forgotten when no more come.
func TestTheRecentMeanFollowsAChange(t *testing.T) {
	r, minute := New(env(), origin), 0
	lately(r, &minute, 0, 600, 100, 2)
	if recent, long := each(r, &minute, 0); math.Abs(recent-long) > 1e-3 {
		t.Errorf("where all jobs took 2 s one is taken to need %v s lately, %v s over a long time", recent, long)
	}
	lately(r, &minute, 0, 1, 5, 20)
	if recent, long := each(r, &minute, 0); recent < long || recent > 2.3 {
		t.Errorf("after five jobs of 20 s among a thousand of 2 s one is taken to need %v s", recent)
	}
	lately(r, &minute, 0, 20, 100, 20)
	recent, long := each(r, &minute, 0)
	if recent < 15 || long > 3 {
		t.Errorf("after 20 minutes of jobs of 20 s one is taken to need %v s lately, %v s over a long time", recent, long)
	}
	lately(r, &minute, 0, 240, 0, 0)
	if recent, now := each(r, &minute, 0); math.Abs(now-long) > 0.01 || math.Abs(recent-now) > 1e-3 {
		t.Errorf("four hours later one is taken to need %v s lately, %v s over a long time", recent, now)
	}
}

// Jobs of each size go by what those of their size took, and jobs with an estimate by
// that.
func TestTheRecentMeanIsOfASize(t *testing.T) {
	r, minute := New(env(), origin), 0
	lately(r, &minute, 1, 100, 50, 2)
	lately(r, &minute, 2, 100, 50, 10)
	lately(r, &minute, 1, 30, 100, 4) // the small ones have doubled
	small, large := r.Kind("photo", 1, 1), r.Kind("photo", 1, 2)
	small.Arrived += 10
	large.Arrived += 10
	v := lately(r, &minute, 1, 1, 0, 0)
	if got := float64(v.PendingLately); math.Abs(got-(10*4+10*10)) > 5 {
		t.Errorf("ten jobs of 4 s lately and ten of 10 s are taken to need %v s", got)
	}
	if math.Abs(float64(v.LastTickLately-v.PendingLately)) > 1e-6 {
		t.Errorf("what arrived is taken to need %v s, and waiting %v s", v.LastTickLately, v.PendingLately)
	}
	small.Arrived++
	small.EstimateArrived(int64(7 * time.Second))
	more := lately(r, &minute, 1, 1, 0, 0)
	if got, want := float64(more.LastTickLately), float64(more.LastTick.Work); math.Abs(got-want) > 1e-6 || got < 1 {
		t.Errorf("a job with an estimate is taken to need %v s lately, %v s in any case", got, want)
	}
}

// (R + t m) / (r + t), with t = 30 (1 + SCV), of the jobs of one tick.
func TestTheRecentMeanIsDrawnToTheLongOne(t *testing.T) {
	s := service{jobs: 1000, work: 2000, workSquared: 12000}
	s.learn(10, 100, 1000, &Kind{})
	s.update(0)
	own := 2100.0 / 1010
	scv := (13000.0/1010 - own*own) / (own * own)
	mean := (2100 + 5*0.7*own) / 1015
	trust := 30 * (1 + scv)
	if got, want := s.recentMean(), (100+trust*mean)/(10+trust); math.Abs(got-want) > 1e-9 {
		t.Errorf("recent mean %v, want %v", got, want)
	}
}

// What such jobs took lately outlives a restart, and fades while nobody looks.
func TestTheRecentMeanOutlivesARestart(t *testing.T) {
	r, minute := New(env(), origin), 0
	lately(r, &minute, 0, 600, 100, 2)
	lately(r, &minute, 0, 20, 100, 20)
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, away := range []int{1, 240} {
		again, at := New(env(), origin), minute+away
		if err := json.Unmarshal(text, again); err != nil {
			t.Fatal(err)
		}
		switch recent, long := each(again, &at, 0); {
		case away == 1 && recent < 12:
			t.Errorf("after a restart of a minute a job is taken to need %v s lately", recent)
		case away > 1 && math.Abs(recent-long) > 1e-3:
			t.Errorf("after a restart of hours a job is taken to need %v s lately, %v s over a long time", recent, long)
		}
	}
}
