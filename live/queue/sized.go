package queue

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy/dispatch"
	"github.com/skynet-ec2/skynet/traces"
)

// sized counts the jobs of one type and priority whose inputs are of one size: what
// a controller is told of them. A job of unknown size has size 0.
type sized struct {
	size            uint8 // traces' bucket of bytes_in
	waiting, leased int64
	estimate        int64           // ns, of the waiting jobs that have one
	unknown         int64           // waiting jobs without
	ages            map[int64]int64 // waiting jobs by the second in which they arrived
	seen            seen            // since this engine leads
}

// sizedOf returns the counters of a tally's jobs with so many bytes of input.
func (e *Engine) sizedOf(t *tally, bytesIn int64) *sized {
	size := traces.SizeBucket(bytesIn)
	s := t.sizes[size]
	if s == nil {
		s = &sized{size: size, ages: map[int64]int64{}, seen: newSeen(e.lateFrom(t.tallyKey, size))}
		t.sizes[size] = s
	}
	return s
}

// moved books a job's change of state, which is not booked yet.
func (s *sized) moved(j *job, to dispatch.State, now int64) {
	s.seen.moved(j, to, now)
	s.book(j, j.state, -1)
	s.book(j, to, 1)
}

func (s *sized) book(j *job, state dispatch.State, n int64) {
	switch state {
	case dispatch.Waiting:
		s.waiting += n
		second := j.arrival / int64(time.Second)
		if s.ages[second] += n; s.ages[second] == 0 {
			delete(s.ages, second)
		}
		if j.estimate == 0 {
			s.unknown += n
		} else {
			s.estimate += n * j.estimate
		}
	case dispatch.Leased:
		s.leased += n
	}
}

// lateKey is a type and priority with inputs of one size.
type lateKey struct {
	tallyKey
	size uint8
}

// lateFrom returns the wait from which a start is late: of a kind that nobody
// named, none is.
func (e *Engine) lateFrom(k tallyKey, size uint8) int64 {
	if after, some := e.lateAfter[lateKey{k, size}]; some {
		return after
	}
	return math.MaxInt64
}

// ranKey is a job type with inputs of one size on an instance type.
type ranKey struct {
	jobType, instanceType string
	size                  uint8
}

// ran counts how long jobs ran, by observe.WorkBucket.
type ran map[int]int64
