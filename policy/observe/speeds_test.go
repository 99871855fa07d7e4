package observe

import (
	"encoding/json"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// runs lets n jobs of a work in core-seconds run on a type whose slots are truly of
// a speed: lognormal times, with a spread of a third.
func runs(r *Recorder, random *rand.Rand, jobType string, size uint8, instanceType string, n int, work, speed float64) {
	counts := map[int]int64{}
	for range n {
		counts[WorkBucket(int64(1e9*work/speed*math.Exp(0.33*random.NormFloat64())))]++
	}
	var times []Bucket
	for b := range workBuckets {
		if counts[b] > 0 {
			times = append(times, Bucket{int64(b), counts[b]})
		}
	}
	r.Ran(jobType, size, instanceType, times)
}

// tick makes an observation, and returns its speeds.
func tick(r *Recorder, minute int) []float64 {
	var o policy.Observation
	now := int64(minute) * int64(time.Minute)
	r.Begin(&o, now)
	r.End(&o, now, Sample{})
	return append([]float64(nil), o.Fleet.Speeds...)
}

// In the catalog c1.xlarge is 2.5 and m1.large 2.0; in truth m1.large is 1.4. It
// is learned, although jobs of other types ran on one of them alone.
func TestSpeedsAreLearned(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	r := New(env(), origin)
	xlarge, large, medium := r.env.Catalog.Index("c1.xlarge"), r.env.Catalog.Index("m1.large"), r.env.Catalog.Index("c1.medium")
	runs(r, random, "photo", 4, "c1.xlarge", 21, 10, 2.5)
	runs(r, random, "photo", 4, "m1.large", 20, 10, 1.4)
	if got := tick(r, 1); len(got) != 0 {
		t.Errorf("after 20 jobs each the speeds are %v: too few to say", got)
	}
	for minute := 2; minute < 12; minute++ {
		runs(r, random, "photo", 4, "c1.xlarge", 300, 10, 2.5)
		runs(r, random, "photo", 4, "m1.large", 100, 10, 1.4)
		runs(r, random, "photo", 8, "m1.large", 100, 400, 1.4) // large ones: not one ran elsewhere
		runs(r, random, "video", 0, "c1.medium", 100, 60, 0.5)
		tick(r, minute)
	}
	got := tick(r, 12)
	if len(got) == 0 || math.Abs(got[large]-1.4) > 0.14 { // a tenth: the prior, the step and chance
		t.Errorf("m1.large is %v, want 1.4 and a little of the catalog's 2.0", got)
	}
	if got[xlarge] != 2.5 || got[medium] != 2.5 {
		t.Errorf("the reference is %v, and a type that shares no kind with it %v: want the catalog's", got[xlarge], got[medium])
	}
	if r.Speed(large) != got[large] {
		t.Error("Speed says otherwise")
	}
}

// Chance does not move a speed that the catalog has right; an impossible ratio is
// bounded.
func TestSpeedsAreSteadyAndBounded(t *testing.T) {
	for seed := range uint64(20) {
		random := rand.New(rand.NewPCG(seed, 3))
		r := New(env(), origin)
		moves, last := 0, math.NaN()
		for minute := 1; minute < 60; minute++ {
			runs(r, random, "photo", 0, "c1.xlarge", 60, 10, 2.5)
			runs(r, random, "photo", 0, "m1.large", 40, 10, 2.0)
			if got := tick(r, minute); len(got) > 0 && got[1] != last {
				moves, last = moves+1, got[1]
			}
		}
		if moves > 3 || !math.IsNaN(last) && math.Abs(last/2-1) > 0.1 {
			t.Errorf("seed %d: %d moves, at last %v, where 2.0 is right", seed, moves, last)
		}
	}
	random := rand.New(rand.NewPCG(1, 4))
	r := New(env(), origin)
	runs(r, random, "photo", 0, "c1.xlarge", 3500, 10, 2.5)
	runs(r, random, "photo", 0, "m1.large", 3000, 10, 0.01)
	if got := tick(r, 1); got[1] != 1 {
		t.Errorf("%v, want half the catalog's 2.0", got)
	}
}

// What was learned outlives a restart, and a type that is no longer sold.
func TestSpeedsAreRemembered(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	r := New(env(), origin)
	runs(r, random, "photo", 0, "c1.xlarge", 1000, 10, 2.5)
	runs(r, random, "photo", 0, "m1.large", 900, 10, 1.2)
	want := tick(r, 1)
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	again := New(env(), origin)
	if err := json.Unmarshal(text, again); err != nil {
		t.Fatal(err)
	}
	if got := tick(again, 2); len(got) == 0 || got[1] != want[1] {
		t.Errorf("after a restart %v, before it %v", got, want)
	}
	e := env()
	e.Catalog.Types = append([]policy.InstanceType(nil), e.Catalog.Types[2:]...)
	other := New(e, origin)
	if err := json.Unmarshal(text, other); err != nil {
		t.Fatal(err)
	}
	if got := tick(other, 2); len(got) != 0 {
		t.Errorf("without the types that were learned: %v", got)
	}
}
