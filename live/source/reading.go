package source

import (
	"context"
	"fmt"
	"math"
	"time"
)

// Figure is a number that may be unknown. The zero Figure is.
type Figure struct {
	Value float64
	Known bool
}

// Known returns a figure that is known.
func Known(value float64) Figure { return Figure{value, true} }

// Events is how many things of one kind have happened: in total, since whenever
// the count began, or a rate. The zero Events is not counted.
type Events struct {
	// Total so far. A total that falls has begun anew.
	Total Figure
	// PerS is the rate now, where there is no total.
	PerS Figure
}

// Count is what a queue holds of one kind of job.
type Count struct {
	Waiting  int64 // that a worker could take now
	InFlight int64 // that workers have taken and not finished
	Delayed  int64 // that nobody can take yet; they do not count as waiting
	// NoInFlight: the source does not tell what is in flight; InFlight is 0, and
	// what the workers say stands in.
	NoInFlight bool

	OldestS            Figure // age of the oldest waiting job, seconds
	Arrived, Completed Events // jobs
	ServiceS           Figure // mean seconds that a slot of the fleet works on a job
}

// Worker is what runs on an instance.
type Worker struct {
	Instance string // EC2's id
	Busy     int    // jobs
}

// Reading is what a source showed at a time.
type Reading struct {
	At    time.Time
	Kinds []Count // as configured, in that order
	// Workers are those that report. WithWorkers: the source tells; else the list
	// says nothing.
	Workers     []Worker
	WithWorkers bool
}

// Reader reads a queue.
type Reader interface {
	// Read returns what the queue holds now. It fails if any figure that must be
	// known is not: it was not answered, is no number, is below zero, or too old.
	Read(ctx context.Context) (Reading, error)
}

// Whole returns a figure as a count of jobs.
func Whole(value float64) (int64, error) {
	switch {
	case math.IsNaN(value):
		return 0, fmt.Errorf("is no number (NaN): unknown")
	case value < 0 || value > 1e15:
		return 0, fmt.Errorf("is %v: must be from 0 to 1e15", value)
	}
	return int64(math.Ceil(value)), nil // a part of a job is a job: a mean of 0.3 is not none
}
