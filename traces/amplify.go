package traces

import (
	"fmt"
	"io"
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy/draw"
)

// clonesMax is how many jobs an amplifier holds at most, at 24 bytes and two
// copies: they are those of two jitters, or of one instant.
const clonesMax = 1 << 24

// Amplify returns src with every job k times: the original where it was, and
// k-1 clones moved by up to jitter earlier or later (uniform, in whole
// nanoseconds, never before 0). A clone's move is keyed by seed, the job's
// position and the clone's number. Jobs that arrive at one instant stand in
// the order of their originals. Memory grows with the jobs of two jitters,
// not with the trace; more than 16 million are an *InputError. A k below 2
// returns src itself.
//
// It takes ownership of src: closing the result closes src.
func Amplify(src Source, k int, jitter time.Duration, seed uint64) Source {
	if k < 2 {
		return src
	}
	return &amplifier{src: src, k: k, max: clonesMax, jitter: max(int64(jitter), 0), moves: draw.New(seed, "amplify")}
}

type amplifier struct {
	src    Source
	k      int
	max    int // of waiting
	jitter int64
	moves  stream

	in    Batch
	taken int // jobs of in already cloned
	eof   bool

	waiting []timedJob // clones made and not sent, in order of their originals
	left    int        // how many of them the last sending left behind
	settled int64      // everything before this instant has been sent
	store   Batch      // originals of waiting, if they have optional columns
	base    int64      // position of the first of store

	due    []timedJob
	ready  []timedJob // sorted, to be handed over
	sorter timeSorter
	out    Batch
}

func (a *amplifier) Next(b *Batch) error {
	for len(a.ready) == 0 {
		if a.eof && len(a.waiting) == 0 {
			return io.EOF
		}
		if err := a.take(); err != nil {
			return err
		}
	}
	n := min(len(a.ready), batchLen)
	first := a.out.First + int64(a.out.Len())
	a.out.reset()
	a.out.First = first
	for _, job := range a.ready[:n] {
		a.out.Arrival = append(a.out.Arrival, job.at)
		a.out.Service = append(a.out.Service, job.service)
		a.out.Kind = append(a.out.Kind, job.kind)
	}
	a.copyOptional(a.ready[:n])
	a.ready = a.ready[n:]
	a.out.Kinds, a.out.Tenants = a.in.Kinds, a.in.Tenants
	*b = a.out
	return nil
}

// take clones some more jobs and settles the order of what no later clone can
// precede.
func (a *amplifier) take() error {
	if a.taken == a.in.Len() && !a.eof {
		switch err := a.src.Next(&a.in); err {
		case nil:
			a.taken = 0
		case io.EOF:
			a.eof = true
		default:
			return err
		}
	}
	settled := int64(math.MaxInt64)
	if !a.eof {
		// as many as the processor's cache can hold with their clones
		n := min(max(1<<14/a.k, 16), a.in.Len()-a.taken)
		a.clone(a.taken, a.taken+n)
		a.taken += n
		if len(a.waiting) > a.max {
			return &InputError{
				File: a.src.Meta().Name,
				Reason: fmt.Sprintf("amplified %d times, it has more than %d jobs around %v after its start",
					a.k, a.max, time.Duration(a.in.Arrival[a.taken-1]).Round(time.Second)),
				Fix: "amplify less, or move the clones by less",
			}
		}
		settled = a.in.Arrival[a.taken-1] - a.jitter
		if len(a.waiting) < 2*a.left || settled <= a.settled {
			return nil // too few to be worth a pass over all
		}
	}
	a.settle(settled)
	return nil
}

// clone adds the jobs i to j of in to waiting, k times each.
func (a *amplifier) clone(i, j int) {
	if a.in.hasOptional() {
		if a.store.Len() == 0 {
			a.base = a.in.First + int64(i)
		}
		part := a.in.slice(i, j)
		a.store.append(&part)
	}
	width := uint64(2*a.jitter) + 1
	for ; i < j; i++ {
		position := a.in.First + int64(i)
		job := timedJob{at: a.in.Arrival[i], service: a.in.Service[i], kind: a.in.Kind[i], from: uint32(position)}
		a.waiting = append(a.waiting, job)
		moves := a.moves.Of(position)
		at := job.at - a.jitter
		for range a.k - 1 {
			job.at = min(max(at+int64(moves.Below(width)), 0), TimeMax)
			a.waiting = append(a.waiting, job)
		}
	}
}

// settle sorts what arrives before an instant and makes it ready.
func (a *amplifier) settle(before int64) {
	a.due = a.due[:0]
	kept := a.waiting[:0]
	last := a.settled
	for _, job := range a.waiting {
		if job.at < before {
			a.due = append(a.due, job)
			last = max(last, job.at)
		} else {
			kept = append(kept, job)
		}
	}
	a.waiting, a.left = kept, len(kept)
	a.ready = a.sorter.sort(a.due, a.settled, last+1)
	a.settled = min(before, last+1)
}

// copyOptional fills the optional columns of out for jobs, and forgets
// originals that nothing waits for.
func (a *amplifier) copyOptional(jobs []timedJob) {
	if a.store.Len() == 0 {
		return
	}
	out, store := a.out.optional(), a.store.optional()
	for c := range out {
		if len(*store[c]) == 0 {
			continue
		}
		for _, job := range jobs {
			*out[c] = append(*out[c], (*store[c])[job.from-uint32(a.base)])
		}
	}
	if len(a.store.Tenant) > 0 {
		for _, job := range jobs {
			a.out.Tenant = append(a.out.Tenant, a.store.Tenant[job.from-uint32(a.base)])
		}
	}
	if len(a.ready) > len(jobs) {
		return
	}
	// waiting is in the order of its originals
	oldest := a.store.Len()
	if len(a.waiting) > 0 {
		oldest = int(a.waiting[0].from - uint32(a.base))
	}
	if oldest > a.store.Len()/2 {
		rest := a.store.slice(oldest, a.store.Len())
		a.base += int64(oldest)
		moved := a.store
		moved.reset()
		moved.append(&rest)
		a.store = moved
	}
}

// hasOptional reports whether b has any optional column.
func (b *Batch) hasOptional() bool {
	for _, c := range b.optional() {
		if *c != nil {
			return true
		}
	}
	return b.Tenant != nil
}

func (a *amplifier) Meta() Meta {
	m := a.src.Meta()
	if m.Jobs >= 0 {
		m.Jobs *= int64(a.k)
	}
	m.Span = 0 // a clone may follow the last original
	return m
}

func (a *amplifier) Close() error { return a.src.Close() }
