package observe

import (
	"math/bits"

	"github.com/skynet-ec2/skynet/policy"
)

// Kind counts the jobs of one type, priority and size bucket. The first group
// of fields is cumulative since the world began and is incremented by the
// world; everything else is derived at ticks.
type Kind struct {
	Type     string
	Priority int
	Size     uint8 // bucket of the input's size; 0: unknown
	Class    int   // index of the class it belongs to

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
	// LateAfter is the wait in nanoseconds from which a start counts as late.
	// The recorder keeps it current; the world reads it.
	LateAfter int64

	arrivedEst estimates  // of all jobs that arrived
	leftEst    estimates  // of those that left the line again
	seen       cumulative // at the last tick
	unlearned  int64      // completions in WorkHist that the type has not fetched
	estimated  float64    // cumulative estimated work of arrivals, core-seconds
	lately     float64    // the same as such jobs took lately
	workType   int        // index into Recorder.types
	view       int        // index into Recorder.views

	// What every tick reads of every kind stands together above; a trace may have
	// tens of thousands.

	// Ages of waiting jobs.
	Ages AgeRing
	// WorkHist is the histogram of the work of completed jobs that was not learned
	// from yet. The world adds to it.
	WorkHist [workBuckets]uint32
}

// Waiting returns how many jobs wait for a slot now.
func (k *Kind) Waiting() int64 { return k.Arrived + k.Retried - k.Started - k.Dropped }

// Running returns how many jobs run now. A job that comes back has stopped
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

// estimates count jobs that carry an estimate and sum their work in nanoseconds
// on the reference core. The sum wraps within a day of a large fleet;
// differences over less are exact.
type estimates struct{ jobs, work int64 }

// core returns the estimated work in core-seconds of n jobs, e among them, of
// which those without an estimate count for mean, and the others for times theirs.
func (e estimates) core(n int64, mean, times float64) float64 {
	return float64(float64(n-e.jobs)*mean) + float64(float64(e.work)*1e-9*times)
}

func (e estimates) minus(o estimates) estimates { return estimates{e.jobs - o.jobs, e.work - o.work} }

// EstimateArrived counts the estimate, in nanoseconds on the reference core,
// that an arrived job carries. The job itself is counted in Arrived.
func (k *Kind) EstimateArrived(work int64) {
	k.arrivedEst.jobs++
	k.arrivedEst.work += work
}

// EstimateLeft counts the estimate of a job that left the line: it was started
// or dropped.
func (k *Kind) EstimateLeft(work int64) {
	k.leftEst.jobs++
	k.leftEst.work += work
}

// EstimateReturned counts the estimate of a job that waits again.
func (k *Kind) EstimateReturned(work int64) {
	k.leftEst.jobs--
	k.leftEst.work -= work
}

type cumulative struct {
	arrived, started, startedLate, completed, failed, retried, expired int64
	arrivedEst, leftEst                                                estimates
	work, workSquared, estimated, lately                               float64
}

func (k *Kind) now() cumulative {
	return cumulative{
		k.Arrived, k.Started, k.StartedLate, k.Completed, k.Failed, k.Retried, k.Expired,
		k.arrivedEst, k.leftEst, k.Work, k.WorkSquared, k.estimated, k.lately,
	}
}

// counted are the counters that windows look back at.
type counted struct {
	arrived, completed, failed, retried, expired int64
	estimated                                    float64
}

func (k *Kind) counted() counted {
	return counted{k.Arrived, k.Completed, k.Failed, k.Retried, k.Expired, k.estimated}
}

// Work is histogrammed in 16 buckets per octave from 1.05 ms (2^20 ns) on.
const (
	workSub     = 16
	workLow     = 20
	workOctaves = 30 // up to 13 days
	workBuckets = workSub * workOctaves
)

func workBucket(ns uint64) int {
	if ns < 1<<workLow {
		return 0
	}
	octave := bits.Len64(ns) - 1
	b := (octave-workLow)*workSub + int(ns>>(uint(octave)-4)&(workSub-1))
	return min(b, workBuckets-1)
}

// workUpper returns the upper edge of a bucket in core-seconds.
func workUpper(b int) policy.CoreSeconds {
	octave, sub := b/workSub+workLow, b%workSub
	return policy.CoreSeconds(float64(uint64(workSub+sub+1)<<uint(octave-4)) * 1e-9)
}
