package baseline

import (
	"testing"

	"pgregory.net/rapid"
)

// listed schedules job by job: each on the first slot that is not full.
func listed(running, pending []batch, horizon float64) (used int64) {
	var busy []float64
	for _, b := range running {
		for range b.jobs {
			busy = append(busy, b.seconds)
		}
	}
	for _, b := range pending {
	next:
		for range b.jobs {
			for i := range busy {
				if busy[i] < horizon {
					busy[i] += b.seconds
					continue next
				}
			}
			busy = append(busy, b.seconds)
		}
	}
	return int64(len(busy))
}

// Counting by the batch gives what listing job by job does.
func TestSlotsUsedMatchesTheList(t *testing.T) {
	batches := rapid.Custom(func(t *rapid.T) batch {
		return batch{
			jobs:    int64(rapid.IntRange(1, 40).Draw(t, "jobs")),
			seconds: float64(rapid.IntRange(1, 400).Draw(t, "seconds")),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		running := rapid.SliceOfN(batches, 0, 4).Draw(t, "running")
		pending := rapid.SliceOfN(batches, 0, 5).Draw(t, "pending")
		horizon := float64(rapid.IntRange(1, 300).Draw(t, "horizon"))
		got, _ := slotsUsed(running, pending, horizon, nil)
		if want := listed(running, pending, horizon); got != want {
			t.Fatalf("%v then %v over %v s: %d slots, want %d", running, pending, horizon, got, want)
		}
	})
}

// By hand, over three minutes: 100 jobs of a minute need 34 slots; behind ten
// running jobs with two minutes left, each of which takes one more, 30.
func TestSlotsUsedByHand(t *testing.T) {
	jobs := []batch{{jobs: 100, seconds: 60}}
	if got, _ := slotsUsed(nil, jobs, 180, nil); got != 34 {
		t.Errorf("%d slots, want 34", got)
	}
	if got, _ := slotsUsed([]batch{{jobs: 10, seconds: 120}}, jobs, 180, nil); got != 40 {
		t.Errorf("%d slots, want 40: 10 that run, and 90 jobs on 30 more", got)
	}
	if got, _ := slotsUsed(nil, []batch{{jobs: 7, seconds: 1000}}, 180, nil); got != 7 {
		t.Errorf("long jobs: %d slots, want 7", got)
	}
}

// A million jobs take no longer than one.
func BenchmarkSlotsUsed(b *testing.B) {
	running := []batch{{jobs: 300, seconds: 20}, {jobs: 50, seconds: 200}}
	pending := []batch{{jobs: 1_000_000, seconds: 7}, {jobs: 10_000, seconds: 40}, {jobs: 17, seconds: 600}}
	var rooms []room
	for b.Loop() {
		_, rooms = slotsUsed(running, pending, 155, rooms[:0])
	}
}
