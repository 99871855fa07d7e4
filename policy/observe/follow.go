package observe

import "math"

// Counters are what another process counted of a kind: events since it began,
// and how many jobs wait and run now.
type Counters struct {
	Arrived, Started, StartedLate int64
	Completed, Failed, Expired    int64
	Returned                      int64 // that stopped running without being completed
	// Estimated are the arrivals that carried an estimate, and its sum in
	// nanoseconds on the reference core.
	Estimated, Estimate int64
	Work, WorkSquared   float64 // of completed jobs, core-seconds
	Works               []Bucket

	Waiting, Running int64
	// WaitingEstimated are the waiting jobs that carry an estimate, and
	// WaitingEstimate its sum in nanoseconds.
	WaitingEstimated, WaitingEstimate int64
	// Ages are the waiting jobs by arrival: ascending, in nanoseconds since the
	// recorder's origin, at least 0.
	Ages []Bucket
}

// Bucket counts jobs that have a value.
type Bucket struct{ Of, Jobs int64 }

// WorkBucket returns the bucket of Works for so many nanoseconds of work.
func WorkBucket(ns int64) int { return workBucket(uint64(max(ns, 0))) }

// Follow makes the kind count what another process counted: events since last,
// which was followed before it, and what waits and runs now. Without a last, or
// when the other began anew, no event is counted, only what is there.
func (k *Kind) Follow(now, last *Counters) {
	if last == nil {
		last = now
	}
	k.Arrived += now.Arrived - last.Arrived
	k.Started += now.Started - last.Started
	k.StartedLate += now.StartedLate - last.StartedLate
	k.Completed += now.Completed - last.Completed
	k.Failed += now.Failed - last.Failed
	k.Expired += now.Expired - last.Expired
	k.Retried += now.Returned - last.Returned
	k.arrivedEst.jobs += now.Estimated - last.Estimated
	k.arrivedEst.work += now.Estimate - last.Estimate
	k.Work += now.Work - last.Work
	k.WorkSquared += now.WorkSquared - last.WorkSquared
	before := last.Works
	for _, b := range now.Works {
		for len(before) > 0 && before[0].Of < b.Of {
			before = before[1:]
		}
		n := b.Jobs
		if len(before) > 0 && before[0].Of == b.Of {
			n -= before[0].Jobs
		}
		if b.Of >= 0 && b.Of < workBuckets && n > 0 {
			k.WorkHist[b.Of] += uint32(min(n, math.MaxUint32))
		}
	}
	// what waits and runs is as it is, whatever led there
	k.Retried = k.Started - k.Completed - now.Running
	k.Dropped = k.Arrived + k.Retried - k.Started - now.Waiting
	k.leftEst = k.arrivedEst.minus(estimates{now.WaitingEstimated, now.WaitingEstimate})
	k.Ages = AgeRing{}
	for _, a := range now.Ages {
		k.Ages.addMany(a.Of, a.Jobs)
	}
}
