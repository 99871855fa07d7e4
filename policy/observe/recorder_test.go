package observe

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

var origin = time.Date(2008, 6, 2, 0, 0, 0, 0, time.UTC) // a Monday

func env() policy.Env {
	return policy.Env{
		Classes: []policy.Class{
			{Name: "upload", Types: []string{"photo"}, Priority: -1, Target: 30 * time.Second, Attain: 0.99},
			{Name: "rest", Priority: -1, Target: time.Hour, On: policy.Wait},
		},
		Catalog: policy.EC2in2008(), Tick: time.Minute, BootGuess: 95 * time.Second,
	}
}

// play runs n ticks of a minute; each brings arrivals jobs of two core-seconds,
// and completes them at once.
func play(r *Recorder, o *policy.Observation, from, n int, arrivals int64) {
	k := r.Kind("photo", 1, 0)
	for i := range n {
		k.Arrived += arrivals
		k.Started += arrivals
		for range arrivals {
			k.Done(int64(2 * time.Second))
		}
		now := int64(from+i+1) * int64(time.Minute)
		r.Begin(o, now)
		r.End(o, now, Sample{ReadySlotS: 100, BusySlotS: 75})
	}
}

func TestWindowsCountWhatTheySay(t *testing.T) {
	r := New(env(), origin)
	var o policy.Observation
	play(r, &o, 0, 90, 10)
	v := &o.Queue.Kinds[0]
	for w, want := range [4]int64{10, 50, 150, 600} {
		if v.Arrived[w].Jobs != want {
			t.Errorf("%v: %d arrivals, want %d", windows[w], v.Arrived[w].Jobs, want)
		}
		if w < 3 && v.Completed[w] != want {
			t.Errorf("%v: %d completions, want %d", windows[w], v.Completed[w], want)
		}
	}
	if got := float64(v.Arrived[3].Work); math.Abs(got-1200) > 1 {
		t.Errorf("an hour's work is %v core-seconds, want 1200", got)
	}
	if v.LastTick.Jobs != 10 || v.Started != 10 || v.StartedLate != 0 {
		t.Errorf("last tick %+v, started %d, late %d", v.LastTick, v.Started, v.StartedLate)
	}
	if math.Abs(float64(v.Service.Mean)-2) > 0.01 || v.Service.SCV > 0.01 || v.Service.P95 < 2 || v.Service.P95 > 2.2 {
		t.Errorf("service %+v, want two core-seconds each", v.Service)
	}
	if got := o.History.Slack24h; math.Abs(got-0.25) > 1e-12 {
		t.Errorf("slack %v, want 0.25", got)
	}
	if o.Health.Progress != o.Now {
		t.Errorf("progress at %v, want now", o.Health.Progress)
	}
}

// A world younger than a window has seen everything in it.
func TestWindowsOfAYoungWorld(t *testing.T) {
	r := New(env(), origin)
	var o policy.Observation
	play(r, &o, 0, 3, 10)
	for w, want := range [4]int64{10, 30, 30, 30} {
		if got := o.Queue.Kinds[0].Arrived[w].Jobs; got != want {
			t.Errorf("%v: %d arrivals, want %d", windows[w], got, want)
		}
	}
}

// TestWindowsOfLateKinds: the windows of every kind look back to the youngest tick
// at or before their start, however long ticks are and whenever the kind was first
// seen; and what no window looks back to is not kept.
func TestWindowsOfLateKinds(t *testing.T) {
	type tick struct {
		at      int64
		arrived []int64 // by kind, those known then
	}
	draw := rand.New(rand.NewPCG(1, 2))
	r := New(env(), origin)
	var o policy.Observation
	history := []tick{}
	for now := int64(0); len(history) < 3000; now += (10 + draw.Int64N(51)) * int64(time.Second) {
		if draw.IntN(30) == 0 {
			r.Kind(fmt.Sprint(len(r.kinds)), 0, 0)
		}
		seen := tick{at: now}
		for _, k := range r.kinds {
			k.Arrived += draw.Int64N(5)
			seen.arrived = append(seen.arrived, k.Arrived)
		}
		history = append(history, seen)
		r.Begin(&o, now)
		r.End(&o, now, Sample{})
		kept := len(r.spareRows)
		for _, row := range r.rows {
			if row != nil {
				kept++
			}
		}
		if kept > 362 {
			t.Fatalf("after %d ticks of 10 s and more, %d are kept, more than an hour's", len(history), kept)
		}
		for w, length := range windows {
			var was tick
			for _, h := range history {
				if h.at <= now-int64(length) {
					was = h
				}
			}
			for i := range o.Queue.Kinds {
				want := seen.arrived[i]
				if i < len(was.arrived) {
					want -= was.arrived[i]
				}
				if got := o.Queue.Kinds[i].Arrived[w].Jobs; got != want {
					t.Fatalf("tick %d, %v, kind %d: %d arrivals, want %d", len(history), length, i, got, want)
				}
			}
		}
	}
}

// TestKindsAreToldApart: a kind is found again by its type, priority and size; one
// of another is another, which shares what is learned of work with those of its
// type and size, and its view with those of its type and priority.
func TestKindsAreToldApart(t *testing.T) {
	r := New(env(), origin)
	type id struct {
		jobType        string
		priority, size int
	}
	kinds := map[id]*Kind{}
	for range 2 {
		for n := range 500 {
			x := id{fmt.Sprint(n % 50), n / 50 % 5, n / 250}
			k := r.Kind(x.jobType, x.priority, uint8(x.size))
			if was := kinds[x]; was != nil && was != k || k.Type != x.jobType || k.Priority != x.priority || int(k.Size) != x.size {
				t.Fatalf("%v is %v, was %v", x, k, was)
			}
			kinds[x] = k
		}
	}
	if len(r.kinds) != 500 || len(r.types) != 100 || len(r.views) != 250 {
		t.Errorf("%d kinds, %d types, %d views; want 500, 100, 250", len(r.kinds), len(r.types), len(r.views))
	}
	for x, k := range kinds {
		if s := r.types[k.workType]; s.jobType != x.jobType || int(s.size) != x.size {
			t.Errorf("%v learns from %s of size %d", x, s.jobType, s.size)
		}
		if v := &r.views[k.view]; v.Type != x.jobType || v.Priority != x.priority {
			t.Errorf("%v is seen as %s of priority %d", x, v.Type, v.Priority)
		}
	}
}

func TestSlackForgetsAfterADay(t *testing.T) {
	r := New(env(), origin)
	var mean float64
	for i := 1; i <= 3*1440; i++ {
		busy := 50.0
		if i > 2*1440 {
			busy = 90
		}
		mean, _ = r.addSlack(int64(i)*int64(time.Minute), 100, busy)
		if i == 2*1440 && math.Abs(mean-0.5) > 1e-12 {
			t.Fatalf("slack %v after two days, want 0.5", mean)
		}
	}
	if math.Abs(mean-0.1) > 1e-9 {
		t.Errorf("slack %v after a day of 0.1", mean)
	}
}

// What rounding leaves of sums whose terms have all left the day would be taken
// for a fleet, and its slack be any number.
func TestSlackOfNothingIsNone(t *testing.T) {
	r := New(env(), origin)
	for i := 1; i <= 4*1440; i++ {
		ready, busy := 0.0, 0.0
		if i <= 1440 {
			ready, busy = 119.999+0.1*float64(i%7), 3.3*float64(i%3)
		}
		if i > 2*1440 && i <= 3*1440 {
			ready = 60.1
		}
		mean, over := r.addSlack(int64(i)*int64(time.Minute), ready, busy)
		switch {
		case i == 2*1440 || i == 4*1440:
			if mean != 0 || over != 0 {
				t.Errorf("a day after the fleet's end: slack %v over %v slot-seconds, want none", mean, over)
			}
		case i > 2*1440 && mean != 1:
			t.Fatalf("slack %v of a fleet that did nothing for a day", mean)
		}
	}
}

func TestPendingWorkIsEstimated(t *testing.T) {
	r := New(env(), origin)
	var o policy.Observation
	play(r, &o, 0, 60, 10)
	k := r.Kind("photo", 1, 0)
	for i := range int64(5) {
		at := int64(60*time.Minute) + i*int64(time.Second)
		k.Arrived++
		k.Ages.Add(at)
	}
	now := int64(61 * time.Minute)
	r.Begin(&o, now)
	r.End(&o, now, Sample{})
	v := &o.Queue.Kinds[0]
	if v.Pending.Jobs != 5 || math.Abs(float64(v.Pending.Work)-10) > 0.1 {
		t.Errorf("pending %+v, want 5 jobs of 2 core-seconds", v.Pending)
	}
	if v.OldestWait != time.Minute {
		t.Errorf("oldest wait %v, want a minute", v.OldestWait)
	}
	if v.WillMiss != [3]int64{5, 5, 5} {
		t.Errorf("will miss %v: all are over 30 s old", v.WillMiss)
	}
}

func TestEstimatesTheJobsCarry(t *testing.T) {
	r := New(env(), origin)
	k := r.Kind("video", 2, 7)
	k.Arrived = 3
	for _, work := range []time.Duration{20 * time.Second, 30 * time.Second, 40 * time.Second} {
		k.EstimateArrived(int64(work))
	}
	k.Started = 1
	k.EstimateLeft(int64(20 * time.Second))
	k.Ages.Add(0)
	k.Ages.Add(0)
	var o policy.Observation
	r.Begin(&o, int64(time.Minute))
	r.End(&o, int64(time.Minute), Sample{})
	v := &o.Queue.Kinds[0]
	if v.Pending.Jobs != 2 || v.Pending.Work != 70 {
		t.Errorf("pending %+v, want 2 jobs and 70 core-seconds", v.Pending)
	}
	if len(v.PendingBySize) != 1 || v.PendingBySize[0] != (policy.SizeCount{Size: 7, Jobs: 2, Work: 70}) {
		t.Errorf("by size %+v", v.PendingBySize)
	}
}

func TestSizeBucketsOfOneKindAreMerged(t *testing.T) {
	r := New(env(), origin)
	for i, size := range []uint8{1, 4, 9} {
		k := r.Kind("photo", 0, size)
		k.Arrived = int64(i + 1)
		for range i + 1 {
			k.Ages.Add(int64(i) * int64(20*time.Second))
		}
	}
	var o policy.Observation
	r.Begin(&o, int64(time.Minute))
	if len(o.Queue.Kinds) != 1 {
		t.Fatalf("%d views of one type and priority", len(o.Queue.Kinds))
	}
	v := &o.Queue.Kinds[0]
	if v.Pending.Jobs != 6 || len(v.PendingBySize) != 3 || len(v.PendingByAge) != 3 {
		t.Errorf("merged view %+v", v)
	}
}

func TestBootsAreLearned(t *testing.T) {
	r := New(env(), origin)
	if b := r.Boot(0); b.P50 != 95*time.Second || b.Samples != 0 {
		t.Errorf("before any boot: %+v, want the guess", b)
	}
	for i := 1; i <= 300; i++ {
		r.Booted(time.Duration(i%100+1) * time.Second)
	}
	if b := r.Boot(0); b.Samples != 200 || b.P50 != 51*time.Second || b.P99 != 100*time.Second {
		t.Errorf("after 300 boots of 1 to 100 s: %+v", b)
	}
	r.BootFailed(int64(time.Minute))
	r.BootFailed(int64(2 * time.Minute))
	if b := r.Boot(int64(3 * time.Minute)); b.Failed != 2 {
		t.Errorf("%d failed boots, want 2", b.Failed)
	}
	if b := r.Boot(int64(63 * time.Minute)); b.Failed != 0 {
		t.Errorf("%d failed boots after an hour", b.Failed)
	}
}

func TestProfileByHourOfTheWeek(t *testing.T) {
	p := profile{offset: -7 * time.Hour}
	start := time.Date(2008, 6, 2, 7, 0, 0, 0, time.UTC) // Monday midnight for the users
	for h := range 3 * 168 {
		for m := range 60 {
			p.add(start.Add(time.Duration(h)*time.Hour+time.Duration(m+1)*time.Minute), float64(60*(1+h%168)))
		}
	}
	mean, p90, seen := p.at(start.Add(5*time.Hour + 30*time.Minute))
	if !seen || mean != 6 || p90 != 6 {
		t.Errorf("Monday 05 h: mean %v, p90 %v, want 6 cores", mean, p90)
	}
}

func TestResidual(t *testing.T) {
	for _, c := range []struct{ mean, elapsed, want float64 }{
		{10, 0, 10},   // just started
		{10, 5, 5},    // half done
		{10, 10, 5},   // at its mean: 3 + 2
		{10, 100, 23}, // a long one goes on
	} {
		if got := residual(c.mean, c.elapsed); math.Abs(got-c.want) > 1e-12 {
			t.Errorf("residual(%v, %v) = %v, want %v", c.mean, c.elapsed, got, c.want)
		}
	}
}

// Jobs whose work rounds to nothing have a mean of nothing, and no quotient of it.
func TestJobsOfNoWork(t *testing.T) {
	r := New(env(), origin)
	var o policy.Observation
	k := r.Kind("photo", 1, 0)
	k.Arrived, k.Started = 1, 1
	k.Done(0)
	r.Begin(&o, int64(time.Minute))
	r.End(&o, int64(time.Minute), Sample{ReadySlotS: 100})
	if s := o.Queue.Kinds[0].Service; s.SCV != 0 || math.IsNaN(float64(s.Mean)) {
		t.Errorf("service %+v", s)
	}
}
