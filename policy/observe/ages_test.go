package observe

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// The ring counts every waiting job in a bucket no younger than its age, and no
// more than a step older, as long as the job is younger than AgeMax; however long
// nobody looks.
func TestAgesAgainstAList(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 1))
		var ring AgeRing
		var waiting []int64
		now := int64(0)
		pause := []time.Duration{3 * time.Minute, 20 * time.Minute, 4 * time.Hour}[seed%3]
		for range 400 {
			now += r.Int64N(int64(pause))
			for range r.IntN(4) {
				ring.Add(now)
				waiting = append(waiting, now)
			}
			for range min(r.IntN(4), len(waiting)) {
				i := r.IntN(len(waiting))
				ring.Remove(waiting[i])
				waiting = slices.Delete(waiting, i, i+1)
			}
			got, oldest := ring.appendTo(nil, now)
			check(t, got, oldest, waiting, now)
		}
	}
}

func check(t *testing.T, got []policy.AgeCount, oldest time.Duration, waiting []int64, now int64) {
	t.Helper()
	total := int64(0)
	for i, b := range got {
		total += b.Jobs
		if i > 0 && got[i-1].Age >= b.Age {
			t.Fatalf("ages are not ascending: %v", got)
		}
	}
	if total != int64(len(waiting)) {
		t.Fatalf("counted %d of %d jobs", total, len(waiting))
	}
	for _, b := range got {
		if b.Age > policy.AgeMax {
			continue
		}
		// everybody counted up to here is at most this old: at least as many
		// jobs are that young
		upTo, young := int64(0), int64(0)
		for _, c := range got {
			if c.Age <= b.Age {
				upTo += c.Jobs
			}
		}
		for _, a := range waiting {
			if time.Duration(now-a) <= b.Age {
				young++
			}
		}
		if young < upTo {
			t.Fatalf("%d jobs counted up to %v, only %d are that young", upTo, b.Age, young)
		}
	}
	if len(waiting) > 0 {
		age := time.Duration(now - slices.Min(waiting))
		step := policy.AgeStep
		if age > policy.AgeCoarse {
			step = policy.AgeStepLong
		}
		if age <= policy.AgeMax && (oldest < age || oldest > age+step) {
			t.Fatalf("oldest %v, is %v", oldest, age)
		}
		if last := got[len(got)-1].Age; last < min(age, policy.AgeMax) || age <= policy.AgeMax && last > age+step+policy.AgeStepCoarse {
			t.Fatalf("oldest %v is counted as %v", age, last)
		}
	}
}

// A kind that is first seen hours after the start counts its first job once.
func TestAgesOfALateKind(t *testing.T) {
	var ring AgeRing
	at := int64(12 * time.Hour)
	ring.Add(at)
	now := at + int64(30*time.Second)
	got, oldest := ring.appendTo(nil, now)
	check(t, got, oldest, []int64{at}, now)
	ring.Remove(at)
	ring.Add(now)
	got, oldest = ring.appendTo(nil, now)
	check(t, got, oldest, []int64{now}, now)
}
