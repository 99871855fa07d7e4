package torture

import (
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// Record is what producers and workers saw. Instants are since its start, by
// the monotonic clock, and no two are the same: what was seen first has the
// earlier one even where the clock stands still.
type Record struct {
	Lease     time.Duration // how long a lease lasts after its worker was last heard of
	Dying     bool          // leaders died and never stalled, so that one knows every lease of the one before
	Submitted []Submission
	Attempts  []*Attempt
	Words     []Word
	History   []api.Finished // at the end

	mu    sync.Mutex
	began time.Time
	last  time.Duration // the latest instant given
	calls int
}

// Submission is a job that the queue said it has taken.
type Submission struct {
	Key string
	ID  int64
}

// Attempt is a job as it was handed to a worker.
type Attempt struct {
	Job         int64
	Token       uint64
	Worker      string
	Sent, Heard time.Duration // of the call that brought it
	LetGo       time.Duration // when the worker first said anything that may end the lease; never: not at all
	Named       []Naming
}

const never time.Duration = 1<<63 - 1

// Naming is a worker's word that it runs a job, and the answer.
type Naming struct {
	Sent time.Duration
	Lost bool // told that the job is no longer its own
}

// Word is a worker's word that an attempt ended, and the answer.
type Word struct {
	Job         int64
	Token       uint64
	Outcome     api.Outcome
	Sent, Heard time.Duration
	Status      api.AckStatus // "": no answer came
}

// now returns the instant.
func (r *Record) now() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.tick()
}

func (r *Record) tick() time.Duration {
	r.last = max(r.last+1, time.Since(r.began))
	return r.last
}

// call counts an operation and returns the instant.
func (r *Record) call() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.calls++
	return r.tick()
}

// Calls returns how many operations have begun. The repetitions of one, because
// no answer came, are one operation.
func (r *Record) Calls() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.calls
}

func (r *Record) submitted(key string, id int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Submitted = append(r.Submitted, Submission{key, id})
}

func (r *Record) handed(a *Attempt) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Attempts = append(r.Attempts, a)
}

func (r *Record) said(w Word) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Words = append(r.Words, w)
}

// Figures sums up a record.
type Figures struct {
	Calls, Jobs, Attempts, Words int
	Accepted, Duplicate, Stale   int // words, by their answers
	Unheard                      int // words without one
	TakenOver                    int // attempts of a job after a leader changed
	Leaders                      int // that handed out jobs
	NamingsLost                  int
}

// Figures returns the record's.
func (r *Record) Figures() Figures {
	f := Figures{Calls: r.calls, Jobs: len(r.Submitted), Attempts: len(r.Attempts), Words: len(r.Words)}
	for _, w := range r.Words {
		switch w.Status {
		case api.AckAccepted:
			f.Accepted++
		case api.AckDuplicate:
			f.Duplicate++
		case api.AckStale:
			f.Stale++
		case "":
			f.Unheard++
		}
	}
	first, leaders := map[int64]uint64{}, map[uint64]bool{}
	for _, a := range r.Attempts {
		epoch := a.Token >> 32
		leaders[epoch] = true
		if e, ok := first[a.Job]; ok && e != epoch {
			f.TakenOver++
		} else if !ok {
			first[a.Job] = epoch
		}
		for _, n := range a.Named {
			if n.Lost {
				f.NamingsLost++
			}
		}
	}
	f.Leaders = len(leaders)
	return f
}
