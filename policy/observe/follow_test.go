package observe

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/policy"
)

// counting is what another process would count: a list of jobs by what became
// of them.
type counting struct {
	waiting, running []waitingJob
	n                Counters
}

type waitingJob struct{ arrival, estimate int64 }

// count returns what it has counted, as it would send it.
func (c *counting) count(works map[int]int64) *Counters {
	n := c.n
	n.Waiting, n.Running = int64(len(c.waiting)), int64(len(c.running))
	ages := map[int64]int64{}
	for _, j := range c.waiting {
		ages[j.arrival-j.arrival%int64(policy.AgeStep)]++
		if j.estimate > 0 {
			n.WaitingEstimated++
			n.WaitingEstimate += j.estimate
		}
	}
	for at, jobs := range ages {
		n.Ages = append(n.Ages, Bucket{at, jobs})
	}
	for of, jobs := range works {
		n.Works = append(n.Works, Bucket{int64(of), jobs})
	}
	for _, b := range [][]Bucket{n.Ages, n.Works} {
		slices.SortFunc(b, func(a, b Bucket) int { return int(a.Of - b.Of) })
	}
	return &n
}

// A recorder that follows the counters of another process once a tick sees what
// one that counts every event itself sees.
func TestFollowingSeesWhatCountingSees(t *testing.T) {
	for seed := range uint64(20) {
		r := rand.New(rand.NewPCG(seed, 2))
		direct, follower := New(env(), origin), New(env(), origin)
		own, mirror := direct.Kind("photo", 1, 0), follower.Kind("photo", 1, 0)
		c := &counting{}
		works := map[int]int64{}
		last := c.count(works)
		mirror.Follow(last, nil)
		for minute := range 120 {
			for second := range int64(60) {
				now := int64(minute)*int64(time.Minute) + second*int64(time.Second)
				for range r.IntN(3) {
					j := waitingJob{arrival: now}
					if r.IntN(3) == 0 {
						j.estimate = 1 + r.Int64N(int64(time.Minute))
						own.EstimateArrived(j.estimate)
						c.n.Estimated++
						c.n.Estimate += j.estimate
					}
					c.waiting = append(c.waiting, j)
					own.Arrived++
					own.Ages.Add(now)
					c.n.Arrived++
				}
				for range min(r.IntN(3), len(c.waiting)) {
					j := c.waiting[0]
					c.waiting = c.waiting[1:]
					own.Ages.Remove(j.arrival)
					if j.estimate > 0 {
						own.EstimateLeft(j.estimate)
					}
					if r.IntN(10) == 0 { // cancelled
						own.Dropped++
						continue
					}
					c.running = append(c.running, j)
					own.Started++
					c.n.Started++
					if now-j.arrival > own.LateAfter {
						own.StartedLate++
						c.n.StartedLate++
					}
				}
				for range min(r.IntN(3), len(c.running)) {
					j := c.running[0]
					c.running = c.running[1:]
					if r.IntN(8) == 0 {
						own.Failed++
						own.Retried++
						c.n.Failed++
						c.n.Returned++
						own.Ages.Add(j.arrival)
						if j.estimate > 0 {
							own.EstimateReturned(j.estimate)
						}
						c.waiting = append(c.waiting, j)
						continue
					}
					work := r.Int64N(int64(20 * time.Second))
					own.Done(work)
					w := float64(float64(work) * 1e-9)
					c.n.Completed++
					c.n.Work += w
					c.n.WorkSquared += float64(w * w)
					works[WorkBucket(work)]++
				}
			}
			next := c.count(works)
			mirror.Follow(next, last)
			last = next
			now := int64(minute+1) * int64(time.Minute)
			var a, b policy.Observation
			direct.Begin(&a, now)
			direct.End(&a, now, Sample{})
			follower.Begin(&b, now)
			follower.End(&b, now, Sample{})
			if diff := cmp.Diff(a, b); diff != "" {
				t.Fatalf("seed %d, minute %d: counted (-) and followed (+):\n%s", seed, minute, diff)
			}
		}
	}
}

// When the other process began anew, what is there is taken over, and nothing
// is taken to have happened.
func TestFollowingAfterANewBeginning(t *testing.T) {
	r := New(env(), origin)
	k := r.Kind("photo", 1, 0)
	k.Follow(&Counters{Arrived: 10, Started: 6, Completed: 4, Waiting: 4, Running: 2}, nil)
	if k.Waiting() != 4 || k.Running() != 2 || k.Arrived != 0 || k.Completed != 0 {
		t.Fatalf("at first: %d wait, %d run, %d arrived, %d done", k.Waiting(), k.Running(), k.Arrived, k.Completed)
	}
	k.Follow(&Counters{Arrived: 1, Started: 3, Waiting: 3, Running: 3}, nil)
	if k.Waiting() != 3 || k.Running() != 3 || k.Arrived != 0 || k.Completed != 0 {
		t.Fatalf("anew: %d wait, %d run, %d arrived, %d done", k.Waiting(), k.Running(), k.Arrived, k.Completed)
	}
}
