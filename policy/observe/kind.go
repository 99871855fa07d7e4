package observe

import (
	"math/bits"

	"github.com/skynet-ec2/skynet/policy"
)

// Kind counts the jobs of one type, priority and size. The world increments the
// exported counters, which are cumulative since it began; the recorder does the rest
// once per tick. It is made by Recorder.Kind.
type Kind struct {
	Type     string
	Priority int
	Size     uint8 // bucket of the input's size; 0: unknown
	Class    int   // index of the class it belongs to; -1: none

	Arrived     int64
	Started     int64
	StartedLate int64 // had missed their target, or were bound to, at their start
	Completed   int64
	Failed      int64 // attempts that ended in an error
	Retried     int64 // came back to wait again, for whatever reason
	Expired     int64 // came back because their lease was lost
	Dropped     int64 // left the queue unstarted: cancelled, or out of attempts
	// Work of completed jobs in core-seconds, and its square.
	Work, WorkSquared float64
	// LateAfter is the wait in nanoseconds from which a start counts as late. The
	// recorder keeps it current; the world reads it.
	LateAfter int64

	arrivedEst      estimates        // of all jobs that arrived
	leftEst         estimates        // of those of them that no longer wait
	seen            cumulativeCounts // at the last tick
	unlearned       int64            // completions in WorkHist that the type has not fetched
	estimated       float64          // estimated work of all arrivals, core-seconds
	recentEstimated float64          // the same, by what such jobs took in about the last ten minutes
	workType        int              // index into Recorder.types
	view            int              // index into Recorder.views

	// The large fields stand last, so that what every tick reads of every kind stands
	// together: a trace may have tens of thousands.

	Ages AgeRing // of waiting jobs
	// WorkHist is the histogram of the work of completed jobs that was not learned
	// from yet. The world adds to it.
	WorkHist [workBuckets]uint32
}

// Waiting returns how many jobs wait for a slot now.
func (k *Kind) Waiting() int64 { return k.Arrived + k.Retried - k.Started - k.Dropped }

// Running returns how many jobs run now. A job that comes back (Retried) has stopped
// running, whether its attempt failed or its lease was lost.
func (k *Kind) Running() int64 { return k.Started - k.Completed - k.Retried }

// Done counts a completion of the given work in nanoseconds on the reference
// core.
func (k *Kind) Done(work int64) {
	k.Completed++
	w := float64(float64(work) * 1e-9)
	k.Work += w
	k.WorkSquared += float64(w * w)
	k.WorkHist[workBucket(uint64(work))]++
}

// estimates count jobs that carry an estimate, and sum the estimates in nanoseconds on
// the reference core. The sum overflows and wraps within a day of a large fleet; only
// differences over less than that are used, and these are exact.
type estimates struct{ jobs, work int64 }

// coreSeconds returns the estimated work of n jobs, in core-seconds. Jobs among them that
// carry an estimate, e, count for that times factor, the others for mean.
func (e estimates) coreSeconds(n int64, mean, factor float64) float64 {
	return float64(float64(n-e.jobs)*mean) + float64(float64(e.work)*1e-9*factor)
}

// minus returns the jobs and estimates of e that are not in o.
func (e estimates) minus(o estimates) estimates { return estimates{e.jobs - o.jobs, e.work - o.work} }

// EstimateArrived counts the estimate, in nanoseconds on the reference core,
// that an arrived job carries. The job itself is counted in Arrived.
func (k *Kind) EstimateArrived(work int64) {
	k.arrivedEst.jobs++
	k.arrivedEst.work += work
}

// EstimateLeft counts the estimate of a job that no longer waits: it was started or
// dropped.
func (k *Kind) EstimateLeft(work int64) {
	k.leftEst.jobs++
	k.leftEst.work += work
}

// EstimateReturned counts the estimate of a job that waits again.
func (k *Kind) EstimateReturned(work int64) {
	k.leftEst.jobs--
	k.leftEst.work -= work
}

// cumulativeCounts are all counters of a kind at one time.
type cumulativeCounts struct {
	arrived, started, startedLate, completed, failed, retried, expired int64
	arrivedEst, leftEst                                                estimates
	work, workSquared, estimated, recentEstimated                      float64
}

// cumulative returns the counters as they are now.
func (k *Kind) cumulative() cumulativeCounts {
	return cumulativeCounts{
		k.Arrived, k.Started, k.StartedLate, k.Completed, k.Failed, k.Retried, k.Expired,
		k.arrivedEst, k.leftEst, k.Work, k.WorkSquared, k.estimated, k.recentEstimated,
	}
}

// windowedCounts are the counters that windows look back at.
type windowedCounts struct {
	arrived, completed, failed, retried, expired int64
	estimated                                    float64
}

// windowed returns these counters as they are now.
func (k *Kind) windowed() windowedCounts {
	return windowedCounts{k.Arrived, k.Completed, k.Failed, k.Retried, k.Expired, k.estimated}
}

// Work is histogrammed in 16 buckets per octave, from 1.05 ms (2^20 ns) to 13 days: a
// quantile is off by less than 1/16.
const (
	bucketBits       = 4 // bits of the work, below the highest one, that tell the bucket
	bucketsPerOctave = 1 << bucketBits
	lowestOctave     = 20
	octaves          = 30
	workBuckets      = bucketsPerOctave * octaves
)

// workBucket returns the bucket of so many nanoseconds of work.
func workBucket(ns uint64) int {
	if ns < 1<<lowestOctave {
		return 0
	}
	octave := bits.Len64(ns) - 1
	b := (octave-lowestOctave)*bucketsPerOctave + int(ns>>(uint(octave)-bucketBits)&(bucketsPerOctave-1))
	return min(b, workBuckets-1)
}

// workUpper returns the upper edge of a bucket in core-seconds.
func workUpper(b int) policy.CoreSeconds {
	octave, sub := b/bucketsPerOctave+lowestOctave, b%bucketsPerOctave
	return policy.CoreSeconds(float64(uint64(bucketsPerOctave+sub+1)<<uint(octave-bucketBits)) * 1e-9)
}
