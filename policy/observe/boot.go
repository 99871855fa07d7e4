package observe

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// bootLearner keeps the boot lags seen lately.
type bootLearner struct {
	guess  time.Duration
	recent []time.Duration // in order of arrival, a ring
	next   int
	sorted []time.Duration
	failed []int64 // world times of launches given up, ascending
}

const bootMemory = 200

func (b *bootLearner) add(lag time.Duration) {
	if len(b.recent) < bootMemory {
		b.recent = append(b.recent, lag)
	} else {
		old := b.recent[b.next]
		b.recent[b.next] = lag
		b.next = (b.next + 1) % bootMemory
		i, _ := slices.BinarySearch(b.sorted, old)
		b.sorted = slices.Delete(b.sorted, i, i+1)
	}
	i, _ := slices.BinarySearch(b.sorted, lag)
	b.sorted = slices.Insert(b.sorted, i, lag)
}

// quantile returns the least sample above a fraction p of them, at most one
// above the nearest rank; the guess before any boot.
func (b *bootLearner) quantile(p float64) time.Duration {
	n := len(b.sorted)
	if n == 0 {
		return b.guess
	}
	return b.sorted[min(int(p*float64(n)), n-1)]
}

func (b *bootLearner) fill(v *policy.BootView, now int64) {
	for len(b.failed) > 0 && b.failed[0] <= now-int64(time.Hour) {
		b.failed = b.failed[1:]
	}
	v.Samples = len(b.sorted)
	v.P50 = b.quantile(0.50)
	v.P99 = b.quantile(0.99)
	if n := len(b.sorted); n > 0 && n < 20 {
		// few samples say little of the tail: never below three medians
		v.P99 = max(v.P99, 3*v.P50)
	} else if n == 0 {
		v.P99 = 3 * b.guess
	}
	v.Failed = len(b.failed)
}

// Booted notes that an instance asked for work for the first time, lag after
// its launch.
func (r *Recorder) Booted(lag time.Duration) {
	r.boots.add(lag)
	if n := len(r.boots.failed); n > 0 {
		// workers do register: earlier failures were theirs alone
		r.boots.failed = r.boots.failed[:0]
	}
}

// BootFailed notes a launch that is given up: it never became a worker.
func (r *Recorder) BootFailed(now int64) { r.boots.failed = append(r.boots.failed, now) }

// Boot returns what boots have taught.
func (r *Recorder) Boot(now int64) policy.BootView {
	var v policy.BootView
	r.boots.fill(&v, now)
	return v
}
