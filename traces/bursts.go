package traces

import "time"

// A burst is a run of jobs of one type and priority, each within burstGap of the
// one before.
const (
	burstGap  = 5 * time.Millisecond
	burstMin  = 10  // jobs; shorter runs are chance
	hillMin   = 100 // jobs of the bursts whose tail is measured
	hillCount = 10  // bursts needed to measure it
)

// BurstStats describes the bursts of 10 jobs or more: runs of jobs of one
// type and priority, each within 5 ms of the one before.
type BurstStats struct {
	N       int64   `json:"n"`
	Share   float64 `json:"share_of_jobs"`
	Largest int64   `json:"largest"`
	// Hill is the tail exponent of the bursts of at least 100 jobs (B. Hill,
	// Annals of Statistics 3, 1975); nil when there are fewer than ten.
	Hill *float64 `json:"hill_exponent"`
}

// run is the jobs of one type and priority that arrived close together so far.
type run struct{ last, n int64 }

// bursts finds runs of jobs of one type and priority.
type bursts struct {
	open    []run // by type and priority
	n, jobs int64
	largest int64
	tail    int64   // bursts of at least hillMin
	logs    float64 // sum of ln(size / hillMin) over them
}

func (b *bursts) add(group int, at int64) {
	o := &b.open[group]
	if at-o.last > int64(burstGap) {
		b.close(o.n)
		o.n = 0
	}
	o.last = at
	o.n++
}

func (b *bursts) close(n int64) {
	if n < burstMin {
		return
	}
	b.n++
	b.jobs += n
	b.largest = max(b.largest, n)
	if n >= hillMin {
		b.tail++
		b.logs += log(float64(n) / hillMin)
	}
}

func (b *bursts) stats(jobs int64) BurstStats {
	for _, o := range b.open {
		b.close(o.n)
	}
	s := BurstStats{N: b.n, Share: float64(b.jobs) / float64(jobs), Largest: b.largest}
	if b.tail >= hillCount && b.logs > 0 {
		s.Hill = some(float64(b.tail) / b.logs)
	}
	return s
}
