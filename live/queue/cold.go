package queue

import (
	"context"
	"slices"
	"sync"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// coldStore is what the engine knows of the jobs that are in the store alone.
// Once there are some of a priority, all that follow at this priority or a
// later one join them, so that the order is kept; they come in, the first
// first, when memory is three quarters full.
type coldStore struct {
	reading  sync.Mutex // held while cold jobs are read and until their rows say that they came in
	jobs     int64
	admitted int64 // ever
	counts   map[tallyKey]*ColdCount
	keys     map[string]int64 // job by idempotency key
	after    [256]Place       // by priority: what came in last, behind which the others stand
}

// mayHave reports whether a job may be cold.
func (c *coldStore) mayHave(int64) bool { return c.jobs > 0 }

func (c *coldStore) countOf(k tallyKey) *ColdCount {
	n := c.counts[k]
	if n == nil {
		n = &ColdCount{Type: k.jobType, Priority: k.priority}
		if c.counts == nil {
			c.counts = map[tallyKey]*ColdCount{}
		}
		c.counts[k] = n
	}
	return n
}

// add counts n cold jobs.
func (c *coldStore) add(k tallyKey, n, estimate, unknown, oldest int64) {
	count := c.countOf(k)
	if count.Jobs == 0 || oldest < count.Oldest {
		count.Oldest = oldest
	}
	c.jobs += n
	count.Jobs += n
	count.Estimate += estimate
	count.Unknown += unknown
}

// first returns the first priority that has cold jobs; ok is false if none has.
func (c *coldStore) first() (p uint8, ok bool) {
	for k, n := range c.counts {
		if n.Jobs > 0 && (!ok || k.priority < p) {
			p, ok = k.priority, true
		}
	}
	return p, ok
}

// goesCold reports whether a new job must stay in the store: memory is full, and
// the job would stand at the end of it.
func (e *Engine) goesCold(s *dispatch.Spec, now int64) bool {
	if e.cold.jobs == 0 && e.jobs.Len() < e.opt.JobsMax || s.RunAt > now {
		return false
	}
	if id, taken := e.q.Keyed(s.IdempotencyKey); taken && id != 0 {
		return false // it is not a new one
	}
	if first, ok := e.cold.first(); ok && s.Priority >= first {
		return true
	}
	if e.jobs.Len() >= e.opt.JobsMax+e.opt.JobsMax/4 {
		return true
	}
	if e.cold.jobs > 0 {
		return false // it goes before all that is cold
	}
	for k, t := range e.tallies {
		if t.waiting > 0 && k.priority > s.Priority {
			return false
		}
	}
	return true
}

// admitCold adds a job to the store alone.
func (e *Engine) admitCold(s *submission, spec dispatch.Spec, now int64) (id int64, added bool, err error) {
	if id, taken := e.cold.keys[spec.IdempotencyKey]; taken && spec.IdempotencyKey != "" {
		return id, false, nil
	}
	id = e.q.NextID()
	e.q.StartIDs(id + 1)
	spec.RunAt = now
	if spec.AttemptsMax == 0 {
		spec.AttemptsMax = e.q.Options().AttemptsMax
	}
	j := Job{
		Stored: dispatch.Stored{Spec: spec, ID: id, State: dispatch.Waiting}, Created: now, Promise: s.from.DueMS * 1e6,
		BytesIn: s.from.BytesIn, Args: append([]byte(nil), s.from.Args...), Cold: true,
	}
	if s.group != nil {
		j.Group = s.group.ID
		s.group.Jobs++
		s.group.count(dispatch.Waiting, 1)
		e.noteGroup(s.group)
	}
	if spec.IdempotencyKey != "" {
		if e.cold.keys == nil {
			e.cold.keys = map[string]int64{}
		}
		e.cold.keys[spec.IdempotencyKey] = id
	}
	b := e.open()
	b.coldOnes = append(b.coldOnes, j)
	t := e.tallyOf(spec.Type, spec.Priority)
	e.cold.admitted++
	e.cold.add(t.tallyKey, 1, int64(spec.Estimate), unknown(spec.Estimate), now)
	e.note(t, now, MinuteCounts{Arrived: 1, ArrivedWork: int64(spec.Estimate)})
	return id, true, nil
}

func unknown[T ~int64](estimate T) int64 {
	if estimate == 0 {
		return 1
	}
	return 0
}

// wantPage asks for cold jobs, if there are some and room for them.
func (e *Engine) wantPage() {
	if e.cold.jobs > 0 && e.jobs.Len() < e.opt.JobsMax*3/4 {
		poke(e.page)
	}
}

// pager lets cold jobs in, until the engine ends.
func (e *Engine) pager(ctx context.Context) {
	for {
		select {
		case <-e.page:
		case <-e.dead:
			return
		}
		if err := e.pageIn(ctx); err != nil && ctx.Err() == nil {
			e.log().Warn("let jobs in from the store", "error", err)
		}
	}
}

// pageIn lets the first cold jobs in, as many as there is room for.
func (e *Engine) pageIn(ctx context.Context) error {
	e.cold.reading.Lock()
	defer e.cold.reading.Unlock()
	if err := e.enter(ctx); err != nil {
		return err
	}
	p, some := e.cold.first()
	room := min(max(1, e.opt.JobsMax/8), e.opt.JobsMax-e.jobs.Len(), 50_000)
	after := e.cold.after[p]
	b := e.leave()
	if !some || room <= 0 {
		return nil
	}
	// What came in before must be written, or it would be read again.
	if err := e.settle(ctx, b); err != nil {
		return err
	}
	after.Priority = p
	try, cancel := context.WithTimeout(ctx, e.opt.CommitTimeout)
	defer cancel()
	jobs, err := e.store.Cold(try, after, room)
	if err != nil {
		return err
	}
	if err := e.enter(ctx); err != nil {
		return err
	}
	for i := range jobs {
		if jobs[i].Priority != p {
			jobs = jobs[:i]
			break
		}
		e.cold.after[p] = jobs[i].place()
		e.letIn(&jobs[i])
	}
	if len(jobs) == 0 { // the books say that there are some
		e.log().Error("cold jobs are counted that the store does not have", "priority", p)
		for k, n := range e.cold.counts {
			if k.priority == p {
				e.cold.jobs -= n.Jobs
				delete(e.cold.counts, k)
			}
		}
	}
	e.wantPage()
	return e.settle(ctx, e.leave())
}

// letIn makes a cold job one in memory.
func (e *Engine) letIn(row *Job) {
	k := tallyKey{row.Type, row.Priority}
	e.cold.jobs--
	n := e.cold.countOf(k)
	n.Jobs--
	n.Estimate -= int64(row.Estimate)
	n.Unknown -= unknown(row.Estimate)
	n.Oldest = row.RunAt // or later
	delete(e.cold.keys, row.IdempotencyKey)
	if g := e.groups[row.Group]; g != nil {
		g.count(dispatch.Waiting, -1)
	}
	now := e.clock.now()
	if err := e.take(row, nil, now); err != nil {
		e.log().Error("let a job in from the store", "job", row.ID, "error", err)
		return
	}
	e.noteChanged(row.ID)
	e.arrive(now)
}

// warm lets one job in, if it is cold.
func (e *Engine) warm(ctx context.Context, id int64) error {
	e.mu.Lock()
	cold := e.cold.jobs > 0 && e.jobs.At(id) == nil && e.recent.by[id] == nil
	e.mu.Unlock()
	if !cold {
		return nil
	}
	e.cold.reading.Lock()
	defer e.cold.reading.Unlock()
	try, cancel := context.WithTimeout(ctx, e.opt.CommitTimeout)
	defer cancel()
	j, ok, err := e.store.ColdJob(try, id)
	if err != nil {
		return storeError(err)
	}
	if !ok {
		return nil
	}
	if err := e.enter(ctx); err != nil {
		return err
	}
	e.letIn(&j)
	return e.settle(ctx, e.leave())
}

// warmSelected lets in all cold jobs that a selector names.
func (e *Engine) warmSelected(ctx context.Context, s *api.Selector) error {
	for _, id := range s.Jobs {
		if err := e.warm(ctx, id); err != nil {
			return err
		}
	}
	e.mu.Lock()
	cold := e.cold.jobs > 0
	e.mu.Unlock()
	if !cold || len(s.Jobs) > 0 || s.State != "" && s.State != api.StateWaiting {
		return nil
	}
	e.cold.reading.Lock()
	defer e.cold.reading.Unlock()
	for after := (Place{}); ; {
		try, cancel := context.WithTimeout(ctx, e.opt.CommitTimeout)
		jobs, err := e.store.Cold(try, after, selectStep)
		cancel()
		if err != nil {
			return storeError(err)
		}
		if len(jobs) == 0 {
			return nil
		}
		after = jobs[len(jobs)-1].place()
		if err := e.enter(ctx); err != nil {
			return err
		}
		jobs = slices.DeleteFunc(jobs, func(row Job) bool {
			j := job{tally: &tally{tallyKey: tallyKey{row.Type, row.Priority}}, group: e.groups[row.Group], tenant: row.Tenant, arrival: row.RunAt, state: dispatch.Waiting}
			return !e.matches(s, &j)
		})
		for i := range jobs {
			e.letIn(&jobs[i])
		}
		if err := e.settle(ctx, e.leave()); err != nil {
			return err
		}
	}
}
