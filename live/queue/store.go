package queue

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// Store is where a queue survives its process. One engine leads and writes; the
// store refuses whoever led before. Every method is done when ctx is, with an
// error that wraps ctx's. Instants are ns since 1970.
//
// Properties, which storetest checks of every store:
//   - of a Batch, all is written or nothing, and it is on disk before Commit
//     returns
//   - a Batch that was written already, by epoch and number, is not written
//     twice: Commit returns nil and changes nothing
//   - after Lead returned an epoch, Commit with an earlier one fails with
//     ErrFenced and changes nothing
//   - Load yields what was written and not removed since
type Store interface {
	// Lead makes holder the leader for ttl and returns the number of its reign,
	// greater than any before. While another one leads it fails with ErrHeld.
	Lead(ctx context.Context, holder string, ttl time.Duration) (epoch uint32, err error)
	// Renew lets the leader of epoch lead for ttl from now. It fails with
	// ErrFenced if there is a later one.
	Renew(ctx context.Context, epoch uint32, ttl time.Duration) error
	// Resign lets another one lead at once.
	Resign(ctx context.Context, epoch uint32) error

	// Commit writes a batch.
	Commit(ctx context.Context, b *Batch) error

	// Load yields all that a new leader must know, see Loaded. Of jobs that are
	// Cold it yields none.
	Load(ctx context.Context, into Loaded) (nextID int64, err error)
	// Cold returns up to n cold jobs that come after the given place, in the
	// order of (Priority, RunAt, ID).
	Cold(ctx context.Context, after Place, n int) ([]Job, error)
	// ColdJob returns a cold job by its id; ok is false if there is none.
	ColdJob(ctx context.Context, id int64) (j Job, ok bool, err error)
	// Colds counts the cold jobs by type, priority and group.
	Colds(ctx context.Context) ([]ColdCount, error)

	// Ended returns the record of a job that ended; ok is false if there is none.
	Ended(ctx context.Context, id int64) (r Record, ok bool, err error)
	// Completed returns, of those of the jobs that are done, the token of the
	// attempt that counted.
	Completed(ctx context.Context, ids []int64) (map[int64]dispatch.Token, error)
	// History yields the records of jobs that ended at from or later and before
	// to, in the order of (Finished, ID). It stops at the first error of yield,
	// and returns it. The record is valid until yield returns.
	History(ctx context.Context, from, to int64, yield func(*Record) error) error
	// Minutes yields the roll-ups of minutes that began at from or later and
	// before to, by minute.
	Minutes(ctx context.Context, from, to int64, yield func(Minute) error) error

	// Tend prepares room for the history of the days to come, drops that of
	// days that ended before keepFrom, roll-ups from before minutesFrom, and
	// idempotency keys that are free again at now.
	Tend(ctx context.Context, now, keepFrom, minutesFrom int64) error
	// Close lets go of the store. It does not resign.
	Close() error
}

// Errors that an engine branches on.
var (
	ErrHeld   = errors.New("another process leads the queue")
	ErrFenced = errors.New("another process has taken the lead of the queue")
)

// Job is a job that has not ended, as a store keeps it. While a worker has it,
// its row stays as it was before that lease, and a HandOut bears the lease: a
// lease is open as long as its token is newer than Token.
type Job struct {
	dispatch.Stored
	Created int64  // ns: when it was submitted
	Promise int64  // ns after its arrival by which it was promised; 0: not at all
	Group   string // id of the group it counts in
	BytesIn int64
	Args    []byte // JSON
	Error   string // of the latest attempt that failed
	Cold    bool   // beyond the bound of memory: it is in the store alone until there is room
}

// Place is where a job stands among the cold ones.
type Place struct {
	Priority uint8
	RunAt    int64
	ID       int64
}

// Before reports whether p comes before o.
func (p Place) Before(o Place) bool {
	switch {
	case p.Priority != o.Priority:
		return p.Priority < o.Priority
	case p.RunAt != o.RunAt:
		return p.RunAt < o.RunAt
	}
	return p.ID < o.ID
}

// ColdCount counts cold jobs.
type ColdCount struct {
	Type     string
	Priority uint8
	Group    string
	Jobs     int64
	Estimate int64 // ns, of those with one
	Unknown  int64 // jobs without an estimate
	Oldest   int64 // ns: the first arrival
}

// Count adds a job to c.
func (c *ColdCount) Count(j *Job) {
	c.Jobs++
	c.Estimate += int64(j.Estimate)
	c.Unknown += unknown(j.Estimate)
	c.Oldest = min(c.Oldest, j.RunAt)
}

// HandOut is a row of leases that were given about the same time.
type HandOut struct {
	ID     int64
	Leases []Lease
}

// Lease is one job of a HandOut.
type Lease struct {
	Worker  string // without a space
	Job     int64
	Token   dispatch.Token
	Started int64 // ns
}

// Key is an idempotency key whose job has ended.
type Key struct {
	Key   string
	Job   int64
	Until int64 // ns: free again
}

// Fact is something small that the queue must not forget: a group, a limit, a
// worker. A nil Value forgets it.
type Fact struct {
	Kind  string
	Key   string
	Value []byte
}

// Record is a job that ended: what history keeps of it.
type Record struct {
	ID           int64
	Type         string
	Priority     uint8
	Tenant       string
	Group        string
	State        dispatch.State // Done or Cancelled
	Attempts     int
	Failures     int
	Losses       int
	Token        dispatch.Token // of the last lease
	Created      int64          // ns, as are those below
	Arrival      int64
	Started      int64 // of the last attempt; 0: it never ran
	Finished     int64
	Run          int64 // the attempt's time in the handler, as the worker measured it; 0: not known
	CPU          int64
	Estimate     int64
	Promise      int64
	BytesIn      int64
	BytesOut     int64
	PeakMemory   int64
	Worker       string
	Instance     string
	InstanceType string
	Boot         string
	Error        string
	Result       string // URI
}

// Minute rolls up what happened to one type and priority in one minute. A
// store adds those of the same minute up.
type Minute struct {
	At       int64 // ns: when it began
	Type     string
	Priority uint8
	MinuteCounts
}

// MinuteCounts are the sums of a Minute.
type MinuteCounts struct {
	Arrived       int64
	ArrivedWork   int64 // ns expected of them
	Completed     int64
	Failed        int64 // attempts
	Retried       int64 // leases after the first
	Lost          int64 // leases
	Cancelled     int64
	Wait          int64 // ns from arrival to the start of the attempt that completed, summed
	Service       int64 // ns that attempt ran, summed
	ServiceSquare float64
}

// Add adds o to m.
func (m *MinuteCounts) Add(o MinuteCounts) {
	m.Arrived += o.Arrived
	m.ArrivedWork += o.ArrivedWork
	m.Completed += o.Completed
	m.Failed += o.Failed
	m.Retried += o.Retried
	m.Lost += o.Lost
	m.Cancelled += o.Cancelled
	m.Wait += o.Wait
	m.Service += o.Service
	m.ServiceSquare += o.ServiceSquare
}

// Batch is what one commit writes: all of it or nothing. The lists do not
// overlap: a job is added, changed or removed.
type Batch struct {
	Epoch  uint32
	Number int64 // counts the batches of an epoch from 1
	NextID int64 // no job has this id or a greater one

	Added    []Job
	Changed  []Job     // replace the rows of these jobs
	Removed  []int64   // jobs that ended
	Ended    []Record  // of those, and of jobs that were added and ended within the batch
	Handed   []HandOut // leases given
	Returned []int64   // hand-outs none of whose leases is open
	Keys     []Key     // of jobs that ended
	Facts    []Fact
	Minutes  []Minute
}

// After reports whether the batch is in a store whose leader is of an epoch and
// whose latest batch has a number: written before, though nobody heard. It fails
// with ErrFenced where another one leads, and where batches between are missing.
func (b *Batch) After(epoch, number int64) (written bool, err error) {
	switch {
	case epoch != int64(b.Epoch):
		return false, ErrFenced
	case number == b.Number:
		return true, nil
	case number != b.Number-1:
		return false, fmt.Errorf("batch %d after batch %d", b.Number, number)
	}
	return false, nil
}

// Empty reports whether there is nothing to write.
func (b *Batch) Empty() bool {
	return len(b.Added)+len(b.Changed)+len(b.Removed)+len(b.Ended)+len(b.Handed)+len(b.Returned)+len(b.Keys)+len(b.Facts)+len(b.Minutes) == 0
}

// Loaded is who takes what Load yields: facts first, then keys, then hand-outs,
// then jobs, each in any order. What is passed belongs to the taker.
type Loaded struct {
	Fact    func(Fact) error
	Key     func(Key) error
	HandOut func(HandOut) error
	Job     func(*Job) error
}
