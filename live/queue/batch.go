package queue

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// batch is what the engine has done and not written yet. Callers join it and
// wait for done together: one commit for all of them.
type batch struct {
	Batch
	firstNew int64 // jobs from this id on are new in it
	added    []int64
	coldOnes []Job // added, but not to memory
	changed  map[int64]bool
	groups   map[*group]bool
	facts    map[[2]string]int // their place in Facts
	watching []chan struct{}   // to be closed once it is written
	weight   int               // jobs, reports and the like in it
	callers  atomic.Int32      // calls that wait for it
	cutAt    time.Time
	done     chan struct{} // closed once it is written, or given up
	err      error         // why it was not written; valid once done is closed
}

// open returns the batch being gathered, making one if there is none.
func (e *Engine) open() *batch {
	if e.pending == nil {
		e.pending = &batch{firstNew: e.q.NextID(), done: make(chan struct{})}
	}
	return e.pending
}

// noteChanged remembers that a job's row has to be written again.
func (e *Engine) noteChanged(id int64) {
	b := e.open()
	if id >= b.firstNew {
		return // its row will be new anyway
	}
	if b.changed == nil {
		b.changed = map[int64]bool{}
	}
	b.changed[id] = true
	b.weight++
}

// noteFact remembers a fact, in place of what it was before in this batch.
func (e *Engine) noteFact(kind, key string, value []byte) {
	b := e.open()
	b.weight++
	at := [2]string{kind, key}
	if i, ok := b.facts[at]; ok {
		b.Facts[i].Value = value
		return
	}
	if b.facts == nil {
		b.facts = map[[2]string]int{}
	}
	b.facts[at] = len(b.Facts)
	b.Facts = append(b.Facts, Fact{kind, key, value})
}

// cut closes the batch being gathered and returns it, with the rows as they
// are now.
func (e *Engine) cut() *batch {
	b := e.pending
	if b == nil {
		return nil
	}
	e.pending = nil
	for _, id := range b.added {
		if j := e.jobs.At(id); j != nil {
			b.Added = append(b.Added, e.row(id, j))
		}
	}
	b.Added = append(b.Added, b.coldOnes...)
	for id := range b.changed {
		if j := e.jobs.At(id); j != nil {
			b.Changed = append(b.Changed, e.row(id, j))
		}
	}
	b.Handed = slices.DeleteFunc(b.Handed, func(h HandOut) bool {
		over := e.handOuts[h.ID] == 0 // all of its leases have ended already
		if over {
			delete(e.handOuts, h.ID)
		}
		return over
	})
	for g := range b.groups {
		e.factOf(b, "group", g.ID, g.stored())
	}
	e.number++
	b.Epoch, b.Number, b.NextID = e.epoch, e.number, e.q.NextID()
	b.cutAt = e.clock.read()
	e.writing = b
	return b
}

// factOf appends a fact to a batch that is being cut.
func (e *Engine) factOf(b *batch, kind, key string, value []byte) {
	b.Facts = append(b.Facts, Fact{kind, key, value})
}

// row returns what the store is to keep of a job: while it is leased, as it
// was before the lease.
func (e *Engine) row(id int64, j *job) Job {
	s, _ := e.q.Job(id)
	s.IdempotencyKey = j.key
	if s.State == dispatch.Leased {
		s.State = dispatch.Waiting
		s.Token--
		s.Attempts--
		s.Worker, s.Started, s.Seen = "", 0, 0
	}
	return Job{
		Stored: s, Created: j.created, Promise: j.promise, Group: j.groupID(), BytesIn: j.bytesIn,
		Args: j.args, Error: j.err,
	}
}

// writer writes one batch after the other until the engine ends.
func (e *Engine) writer(ctx context.Context) {
	crowded := false
	for {
		select {
		case <-e.kick:
		case <-e.dead:
			e.drop(nil)
			return
		}
		if crowded && e.opt.Gather > 0 {
			time.Sleep(e.opt.Gather)
		}
		e.mu.Lock()
		b := e.cut()
		e.mu.Unlock()
		if b == nil {
			continue
		}
		crowded = b.callers.Load() > 1
		if err := e.commit(ctx, b); err != nil {
			e.fail(err)
			e.drop(b)
			return
		}
		e.mu.Lock()
		e.writing = nil
		e.mu.Unlock()
		close(b.done)
		for _, c := range b.watching {
			close(c)
		}
	}
}

// drop tells whoever waits for a batch that it was not, or perhaps not,
// written.
func (e *Engine) drop(b *batch) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, b := range []*batch{b, e.pending} {
		if b != nil {
			b.err = e.gone()
			close(b.done)
			for _, c := range b.watching {
				close(c)
			}
		}
	}
	e.pending, e.writing = nil, nil
	e.parked.dismiss()
}

// commit writes a batch, again and again until the store says that it is
// written, or that somebody else leads, or patience ends.
func (e *Engine) commit(ctx context.Context, b *batch) error {
	began := time.Now()
	wait := 20 * time.Millisecond
	for {
		try, cancel := context.WithTimeout(ctx, e.opt.CommitTimeout)
		err := e.store.Commit(try, &b.Batch)
		cancel()
		switch {
		case err == nil:
			return nil
		case errors.Is(err, ErrFenced):
			return err
		case ctx.Err() != nil:
			return errClosed
		case time.Since(began) > e.opt.CommitPatience:
			return fmt.Errorf("write batch %d for %v: %w", b.Number, e.opt.CommitPatience, err)
		}
		e.log().Warn("write a batch", "number", b.Number, "error", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		case <-e.dead:
			return e.Err()
		}
		wait = min(2*wait, time.Second)
	}
}

// SetFact makes the queue remember a value under a kind and key of the caller's
// choosing, across restarts and leaders; nil forgets it. Kinds that the engine
// uses itself are refused.
func (e *Engine) SetFact(ctx context.Context, kind, key string, value []byte) error {
	if ownFacts[kind] || kind == "" || len(kind) > api.NameMax || len(key) > api.NameMax {
		return refuse(api.CodeInvalid, "kind", "facts of kind %q are not to be set", kind)
	}
	if err := e.enter(ctx); err != nil {
		return err
	}
	if e.facts[kind] == nil {
		e.facts[kind] = map[string][]byte{}
	}
	if value == nil {
		delete(e.facts[kind], key)
	} else {
		e.facts[kind][key] = value
	}
	e.noteFact(kind, key, value)
	return e.settle(ctx, e.leave())
}

// Facts returns what SetFact set, by key. The values must not be changed.
func (e *Engine) Facts(kind string) map[string][]byte {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make(map[string][]byte, len(e.facts[kind]))
	for k, v := range e.facts[kind] {
		all[k] = v
	}
	return all
}
