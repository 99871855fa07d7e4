package observe

import "math"

// Counters are what another process counted of a kind: events since it began, and how
// many jobs wait and run now.
type Counters struct {
	Arrived, Started, StartedLate int64
	Completed, Failed, Expired    int64
	Returned                      int64 // jobs that stopped running without being completed
	// Estimated is how many arrivals carried an estimate, and Estimate the sum of these
	// in nanoseconds on the reference core.
	Estimated, Estimate int64
	Work, WorkSquared   float64  // of completed jobs, in core-seconds, and its square
	Works               []Bucket // completed jobs by WorkBucket, ascending

	Waiting, Running int64
	// WaitingEstimated is how many waiting jobs carry an estimate, and WaitingEstimate
	// the sum of these in nanoseconds on the reference core.
	WaitingEstimated, WaitingEstimate int64
	// Ages are the waiting jobs by arrival: ascending, in nanoseconds since the
	// recorder's origin, at least 0.
	Ages []Bucket
}

// Bucket counts the jobs that have one value.
type Bucket struct{ Of, Jobs int64 }

// WorkBucket returns the bucket, of Counters.Works, of so many nanoseconds of work.
func WorkBucket(ns int64) int { return workBucket(uint64(max(ns, 0))) }

// Follow makes the kind count what another process counted: the events between last, which
// was followed before, and now; and what waits and runs now. Where there is no last, or
// the other process began anew, no event is counted, only what is there.
func (k *Kind) Follow(now, last *Counters) {
	began := last == nil
	if began {
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
	for _, b := range Grown(now.Works, last.Works) {
		if b.Of >= 0 && b.Of < workBuckets {
			k.WorkHist[b.Of] += uint32(min(b.Jobs, math.MaxUint32))
		}
	}
	// What waits and runs now is certain, so the counters that it is the difference of
	// are made to agree with it.
	k.Retried = k.Started - k.Completed - now.Running
	k.Dropped = k.Arrived + k.Retried - k.Started - now.Waiting
	k.leftEst = k.arrivedEst.minus(estimates{now.WaitingEstimated, now.WaitingEstimate})
	if began { // nobody saw what waits and runs come or go
		k.seen.retried, k.seen.leftEst = k.Retried, k.leftEst
	}
	k.Ages = AgeRing{}
	for _, a := range now.Ages {
		k.Ages.addMany(a.Of, a.Jobs)
	}
}

// Grown returns by how much the counts of now are above those of last, where they are. All
// lists are ascending.
func Grown(now, last []Bucket) (by []Bucket) {
	for _, b := range now {
		for len(last) > 0 && last[0].Of < b.Of {
			last = last[1:]
		}
		if len(last) > 0 && last[0].Of == b.Of {
			b.Jobs -= last[0].Jobs
		}
		if b.Jobs > 0 {
			by = append(by, b)
		}
	}
	return by
}
