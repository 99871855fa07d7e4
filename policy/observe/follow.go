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
	// what waits and runs is as it is, whatever led there
	k.Retried = k.Started - k.Completed - now.Running
	k.Dropped = k.Arrived + k.Retried - k.Started - now.Waiting
	k.leftEst = k.arrivedEst.minus(estimates{now.WaitingEstimated, now.WaitingEstimate})
	if began { // what waits and runs was not seen to come or go
		k.seen.retried, k.seen.leftEst = k.Retried, k.leftEst
	}
	k.Ages = AgeRing{}
	for _, a := range now.Ages {
		k.Ages.addMany(a.Of, a.Jobs)
	}
}

// Grown returns by how much the counts of now exceed those of last, where they do.
// Both are ascending.
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
