package queue

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// openLease is what a hand-out says of a job.
type openLease struct {
	Lease
	handOut int64
}

// ownFacts are the kinds of facts that the engine keeps itself.
var ownFacts = map[string]bool{
	"worker": true, "group": true, "queue": true, "key-limit": true, "weight": true,
	"schedule": true, "directive": true, "request": true, "totals": true,
}

// load fills a new engine from its store.
func (e *Engine) load(ctx context.Context) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.loading = true
	defer func() { e.loading, e.slab = false, nil }()
	defer easeCollector()()
	now := e.clock.now()
	e.q.Expire(now, nil) // tells it the time
	leases := map[int64]openLease{}
	found := map[int64]int{} // open leases by hand-out
	// An error of a taker is one of what is stored, not of the store.
	fit := func(err error) error {
		if err != nil {
			return &unfitError{err}
		}
		return nil
	}
	taking := newTaking(func(j *Job) error {
		l, leased := leases[j.ID]
		if !leased || l.Token <= j.Token {
			return fit(e.take(j, nil, now))
		}
		found[l.handOut]++
		return fit(e.take(j, &l, now))
	})
	next, err := e.store.Load(ctx, Loaded{
		Fact: func(f Fact) error { return fit(e.loadFact(f)) },
		Key: func(k Key) error {
			if k.Until <= now {
				return nil
			}
			return fit(e.q.LoadKey(k.Key, k.Job, k.Until))
		},
		HandOut: func(h HandOut) error {
			found[h.ID] = 0
			for _, l := range h.Leases {
				if l.Token > leases[l.Job].Token {
					leases[l.Job] = openLease{l, h.ID}
				}
			}
			return nil
		},
		Job: taking.add,
	})
	if failed := taking.end(); failed != nil {
		err = failed
	}
	if err != nil {
		return err
	}
	for _, w := range e.workers {
		w.countIdle(now)
		e.recount(w, now)
	}
	e.q.StartIDs(next)
	e.q.Ready(nil, now) // delayed jobs whose time came while nobody led wait now
	e.arrive(now)
	for id, open := range found {
		if open > 0 {
			e.handOuts[id] = open
		} else {
			b := e.open()
			b.Returned = append(b.Returned, id)
		}
	}
	if err := e.loadCold(ctx); err != nil {
		return err
	}
	for _, g := range e.groups {
		g.Ended = g.over()
	}
	return e.loadMinutes(ctx, now)
}

// loadCold counts the jobs that stay in the store until there is room.
func (e *Engine) loadCold(ctx context.Context) error {
	colds, err := e.store.Colds(ctx)
	if err != nil {
		return err
	}
	for _, c := range colds {
		e.cold.add(tallyKey{c.Type, c.Priority}, c.Jobs, c.Estimate, c.Unknown, c.Oldest)
		if g := e.groups[c.Group]; g != nil {
			g.count(dispatch.Waiting, c.Jobs)
		}
	}
	if e.cold.jobs > 0 {
		if err := e.loadColdKeys(ctx); err != nil {
			return err
		}
		poke(e.page)
	}
	return nil
}

// loadMinutes takes over what the last hour's minutes came to.
func (e *Engine) loadMinutes(ctx context.Context, now int64) error {
	return e.store.Minutes(ctx, now-int64(time.Hour), now+1, func(m Minute) error {
		t := e.tallyOf(m.Type, m.Priority)
		s := &t.flow[(m.At/flowStepLong)%flowSteps]
		if at := m.At / flowStepLong; s.at != at {
			*s = flowStep{at: at}
		}
		s.Add(m.MinuteCounts)
		return nil
	})
}

// loadColdKeys finds the idempotency keys of the cold jobs.
func (e *Engine) loadColdKeys(ctx context.Context) error {
	for after := (Place{}); ; {
		jobs, err := e.store.Cold(ctx, after, 10_000)
		if err != nil || len(jobs) == 0 {
			return err
		}
		for i := range jobs {
			if key := jobs[i].IdempotencyKey; key != "" {
				if e.cold.keys == nil {
					e.cold.keys = map[string]int64{}
				}
				e.cold.keys[key] = jobs[i].ID
			}
		}
		after = jobs[len(jobs)-1].place()
	}
}

// newJob returns room for a job. While a queue is loaded it is cut from a
// slab: slabs never hold more than lived then.
func (e *Engine) newJob() *job {
	if !e.loading {
		return new(job)
	}
	if len(e.slab) == 0 {
		e.slab = make([]job, slabJobs)
	}
	j := &e.slab[0]
	e.slab = e.slab[1:]
	return j
}

const slabJobs = 64

// take puts a job from the store into memory: leased, if l is not nil.
func (e *Engine) take(row *Job, l *openLease, now int64) error {
	j := e.newJob()
	*j = job{
		tally: e.tallyOf(row.Type, row.Priority), group: e.groups[row.Group], tenant: row.Tenant, key: row.IdempotencyKey,
		args: row.Args, err: row.Error, created: row.Created, arrival: row.RunAt, promise: row.Promise,
		estimate: int64(row.Estimate), bytesIn: row.BytesIn,
		arrived: row.State != dispatch.Delayed || row.Failures > 0 || row.Attempts > 0,
	}
	s := row.Stored
	if l != nil {
		s.State, s.Token, s.Attempts, s.Worker, s.Started, s.Seen = dispatch.Leased, l.Token, s.Attempts+1, l.Worker, l.Started, now
		s.EndedBy = dispatch.CauseNone
		s.Due = 0
		w := e.workers[l.Worker]
		if w == nil {
			w = newWorker()
			w.ID, w.seen = l.Worker, now
			e.workers[w.ID] = w
		}
		w.busy++
		j.worker, j.handOut, j.started = w, l.handOut, l.Started
	}
	if err := e.q.Load(s); err != nil {
		return err
	}
	e.heardOf(row.Type)
	e.jobs.Put(row.ID, j)
	e.move(row.ID, j, s.State, now)
	return nil
}

// loadFact takes over a fact.
func (e *Engine) loadFact(f Fact) error {
	if err := e.loadOwn(f); err != nil {
		return fmt.Errorf("%s %q: %w", f.Kind, f.Key, err)
	}
	return nil
}

func (e *Engine) loadOwn(f Fact) error {
	switch f.Kind {
	case "worker":
		w := newWorker()
		w.seen = e.clock.now()
		if err := json.Unmarshal(f.Value, &w.storedWorker); err != nil {
			return err
		}
		e.workers[w.ID] = w
		e.sessions[w.SessionHash] = w
	case "group":
		g := &group{}
		if err := json.Unmarshal(f.Value, g); err != nil {
			return err
		}
		e.addGroup(g)
	case "queue":
		k := &api.Queue{}
		if err := json.Unmarshal(f.Value, k); err != nil {
			return err
		}
		e.queues[k.Type] = k
		return e.apply(k)
	case "key-limit":
		var l api.KeyLimit
		if err := json.Unmarshal(f.Value, &l); err != nil {
			return err
		}
		return e.q.SetKeyLimit(f.Key, l.RunningMax)
	case "weight":
		var w api.Weight
		if err := json.Unmarshal(f.Value, &w); err != nil {
			return err
		}
		return e.q.SetWeight(f.Key, w.Weight)
	case "schedule":
		return e.loadPlan(f)
	case "directive":
		d := &api.PostedDirective{}
		if err := json.Unmarshal(f.Value, d); err != nil {
			return err
		}
		e.orders = append(e.orders, d)
		e.sortOrders()
	case "request":
		r := &request{}
		if err := json.Unmarshal(f.Value, r); err != nil {
			return err
		}
		e.requests[f.Key] = r
	case "totals":
		return json.Unmarshal(f.Value, &e.before)
	default:
		if e.facts[f.Kind] == nil {
			e.facts[f.Kind] = map[string][]byte{}
		}
		e.facts[f.Kind][f.Key] = f.Value
	}
	return nil
}
