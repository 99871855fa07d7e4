package observe

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// bootLearner keeps the boot lags seen last.
type bootLearner struct {
	guess    time.Duration
	recent   []time.Duration // in order of arrival, a ring
	next     int             // where the oldest of a full ring is
	sorted   []time.Duration
	failedAt []int64 // world times of launches given up, ascending
}

const (
	// bootsRemembered is how many boots the quantiles rest on: some days of a small
	// fleet, some hours of a large one.
	bootsRemembered = 200
	// bootsForTail is how many boots say something of their p99. With fewer it is at
	// least tailGuess times the median, as it is before any boot.
	bootsForTail = 20
	tailGuess    = 3
)

// add takes the lag of a boot. The newest takes the place of the oldest.
func (b *bootLearner) add(lag time.Duration) {
	if len(b.recent) < bootsRemembered {
		b.recent = append(b.recent, lag)
	} else {
		old := b.recent[b.next]
		b.recent[b.next] = lag
		b.next = (b.next + 1) % bootsRemembered
		i, _ := slices.BinarySearch(b.sorted, old)
		b.sorted = slices.Delete(b.sorted, i, i+1)
	}
	i, _ := slices.BinarySearch(b.sorted, lag)
	b.sorted = slices.Insert(b.sorted, i, lag)
}

// quantile returns the least lag that is above a share p of them, at most one above the
// nearest rank; before any boot it is the guess.
func (b *bootLearner) quantile(p float64) time.Duration {
	n := len(b.sorted)
	if n == 0 {
		return b.guess
	}
	return b.sorted[min(int(p*float64(n)), n-1)]
}

// fill tells what is known at world time now. Failures count for an hour.
func (b *bootLearner) fill(v *policy.BootView, now int64) {
	for len(b.failedAt) > 0 && b.failedAt[0] <= now-int64(time.Hour) {
		b.failedAt = b.failedAt[1:]
	}
	v.Samples = len(b.sorted)
	v.P50 = b.quantile(0.50)
	v.P99 = b.quantile(0.99)
	if n := len(b.sorted); n > 0 && n < bootsForTail {
		v.P99 = max(v.P99, tailGuess*v.P50)
	} else if n == 0 {
		v.P99 = tailGuess * b.guess
	}
	v.Failed = len(b.failedAt)
}

// Booted notes that an instance asked for work for the first time, lag after
// its launch.
func (r *Recorder) Booted(lag time.Duration) {
	r.boots.add(lag)
	if n := len(r.boots.failedAt); n > 0 {
		// workers do register: earlier failures had causes of their own
		r.boots.failedAt = r.boots.failedAt[:0]
	}
}

// BootFailed notes a launch that is given up: it never became a worker.
func (r *Recorder) BootFailed(now int64) { r.boots.failedAt = append(r.boots.failedAt, now) }

// Boot returns what boots have taught.
func (r *Recorder) Boot(now int64) policy.BootView {
	var v policy.BootView
	r.boots.fill(&v, now)
	return v
}
