package queue

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// Engine is a queue that leads: the state machine in memory, and the store
// behind it. Open makes one. Its methods may be called by any number of
// goroutines. Their errors are *api.Error, with a code to branch on, or the
// context's. A call whose context ended, or that failed with CodeUnavailable or
// CodeNotLeader, may have been carried out or not; it can be repeated.
type Engine struct {
	opt   Options
	store Store
	epoch uint32

	mu        sync.Mutex // held for computing only, never while something is written or read
	clock     clock
	began     time.Time
	q         *dispatch.Queue
	jobs      jobTable      // that have not ended
	resting   jobTable      // of those, the dead and quarantined
	running   jobTable      // of those, that run
	held      slotTime      // slots, by leases
	ready     slotTime      // slots of workers that take jobs
	handOuts  map[int64]int // leases that are open, by the row that bears them
	groups    map[string]*group
	groupBy   map[string]string // id by tenant and idempotency key
	workers   map[string]*worker
	sessions  map[sessionHash]*worker
	takenBack map[string]time.Time  // by instance: when EC2 takes it back, as its worker said
	queues    map[string]*api.Queue // job types heard of
	tallies   map[tallyKey]*tally
	services  map[serviceKey]*service
	rans      map[ranKey]ran         // since this engine leads
	speeds    map[string]float64     // of a slot by instance type, as a controller says
	lateAfter map[lateKey]int64      // ns of waiting, as a controller says
	orders    []*api.PostedDirective // directives, the oldest first
	plans     map[string]*plan       // schedules
	requests  map[string]*request
	facts     map[string]map[string][]byte // of kinds that are not the engine's
	parked    parkedCalls
	watchers  map[int64][]chan struct{}
	recent    recentRecords
	cold      coldStore
	counter   int64 // of hand-outs, groups, workers, directives
	due       []int64
	grants    []dispatch.Grant
	effects   []dispatch.Effect
	wakeAt    int64      // when the keeper looks next
	loading   bool       // nothing that is booked is news
	slab      []job      // for jobs while loading
	before    api.Totals // under earlier leaders
	proof     *proof     // that it leads
	written   api.Totals // as the store knows them

	pending *batch // being gathered
	writing *batch // being written, nil if none is
	number  int64  // of the last batch cut

	kick   chan struct{} // there is something to write
	rouse  chan struct{} // the keeper must look earlier
	page   chan struct{} // cold jobs may come in
	closed chan struct{} // no more calls
	dead   chan struct{} // the engine does not lead any longer
	err    error         // why, once dead is closed or about to be
	done   sync.WaitGroup
	cancel context.CancelFunc // of the goroutines' work on the store
}

// Open waits until nobody else leads the queue in the store, takes the lead,
// loads what there is, and returns the engine. A store that does not answer, now
// or while it is loaded, is asked again and again; one whose content makes no
// queue is an error. Open returns early if ctx ends, which has no meaning for the
// engine afterwards: with the context's error, and with what it waited for
// (ErrHeld, or the store's error).
func Open(ctx context.Context, store Store, opt Options) (*Engine, error) {
	opt = opt.withDefaults()
	if err := opt.Dispatch.Validate(); err != nil {
		return nil, fmt.Errorf("queue options: %w", err)
	}
	wait := loadAgainMin
	var last error
	for {
		e, err := open(ctx, store, opt)
		var unfit *unfitError
		switch {
		case err == nil:
			return e, nil
		case ctx.Err() != nil && last != nil:
			return nil, fmt.Errorf("load the queue: %w: %w", context.Cause(ctx), last)
		case ctx.Err() != nil:
			return nil, err
		case errors.Is(err, ErrFenced):
			opt.Log.Warn("the lead was lost before the queue was loaded; it stands by again", "error", err)
			continue
		case errors.As(err, &unfit):
			return nil, err
		}
		last = err
		opt.Log.Warn("the queue was not loaded; it stands by and tries again", "in", wait, "error", err)
		select {
		case <-time.After(wait):
		case <-ctx.Done():
		}
		wait = min(2*wait, loadAgainMax)
	}
}

// Bounds of the time from a load that failed to the next one.
const (
	loadAgainMin = 250 * time.Millisecond
	loadAgainMax = 10 * time.Second
)

// unfitError says that nothing but another program or another store would help.
type unfitError struct{ error }

func (e *unfitError) Unwrap() error { return e.error }

// open is Open, once. It fails with ErrFenced where somebody else took the lead
// while it loaded: what it read may then be partly of the other's reign.
func open(ctx context.Context, store Store, opt Options) (*Engine, error) {
	epoch, err := lead(ctx, store, opt)
	if err != nil {
		return nil, err
	}
	o := opt.Dispatch
	o.Epoch = epoch
	q, err := dispatch.New(o)
	if err != nil {
		return nil, &unfitError{err}
	}
	q.WatchDue()
	work, cancel := context.WithCancel(context.WithoutCancel(ctx))
	e := &Engine{
		opt: opt, store: store, epoch: epoch, cancel: cancel,
		clock: newClock(opt.Now), q: q,
		handOuts: map[int64]int{},
		groups:   map[string]*group{}, groupBy: map[string]string{},
		workers: map[string]*worker{}, sessions: map[sessionHash]*worker{}, takenBack: map[string]time.Time{},
		queues: map[string]*api.Queue{}, tallies: map[tallyKey]*tally{}, services: map[serviceKey]*service{}, rans: map[ranKey]ran{},
		plans: map[string]*plan{}, requests: map[string]*request{}, facts: map[string]map[string][]byte{},
		watchers: map[int64][]chan struct{}{}, recent: newRecentRecords(), proof: newProof(),
		kick: make(chan struct{}, 1), rouse: make(chan struct{}, 1), page: make(chan struct{}, 1),
		closed: make(chan struct{}), dead: make(chan struct{}),
	}
	e.began = e.clock.read()
	e.done.Go(func() { e.keepLead(work) })
	began := time.Now()
	if err := e.load(ctx); err != nil {
		cancel()
		e.fail(err)
		e.done.Wait()
		try, cancel := context.WithTimeout(ctx, opt.CommitTimeout)
		switch lost := store.Resign(try, epoch); {
		case errors.Is(lost, ErrFenced):
			err = fmt.Errorf("%w: %w", lost, err)
		case lost != nil: // what was read may be partly of another reign: not known to be unfit
			err = fmt.Errorf("%v; resign: %w", err, lost)
		}
		cancel()
		return nil, fmt.Errorf("load the queue: %w", err)
	}
	opt.Log.Info("queue leads", "epoch", epoch, "holder", opt.Holder, "jobs", e.jobs.Len(), "cold", e.cold.jobs, "loaded_in", time.Since(began).Round(time.Millisecond))
	e.done.Go(func() { e.writer(work) })
	e.done.Go(func() { e.keeper() })
	e.done.Go(func() { e.pager(work) })
	e.done.Go(func() { e.tender(work) })
	return e, nil
}

// lead waits for the lead and returns the epoch.
func lead(ctx context.Context, store Store, opt Options) (uint32, error) {
	waiting := false
	var last error
	for {
		try, cancel := context.WithTimeout(ctx, opt.CommitTimeout)
		epoch, err := store.Lead(try, opt.Holder, opt.LeadFor)
		cancel()
		switch {
		case err == nil && epoch > epochMax:
			return 0, &unfitError{fmt.Errorf("epoch %d: must be at most %d, or tokens would not be exact in JSON", epoch, epochMax)}
		case err == nil:
			return epoch, nil
		case ctx.Err() != nil:
			if last == nil {
				last = err
			}
			return 0, fmt.Errorf("wait for the lead of the queue: %w: %w", context.Cause(ctx), last)
		case errors.Is(err, ErrHeld):
			if !waiting {
				opt.Log.Info("queue stands by", "holder", opt.Holder)
				waiting = true
			}
		default:
			opt.Log.Warn("take the lead of the queue", "error", err)
		}
		last = err
		select {
		case <-time.After(opt.LeadFor / 8):
		case <-ctx.Done():
		}
	}
}

// epochMax keeps tokens below 2^53.
const epochMax = 1<<21 - 1

// keepLead renews the lead until the engine ends.
func (e *Engine) keepLead(ctx context.Context) {
	every := time.NewTicker(e.opt.LeadFor / 4)
	defer every.Stop()
	for {
		select {
		case <-e.dead:
			return
		case <-ctx.Done():
			return
		case <-every.C:
		}
		err := e.renew(ctx)
		switch {
		case errors.Is(err, ErrFenced):
			e.fail(err)
			return
		case err != nil && ctx.Err() == nil:
			e.opt.Log.Warn("renew the lead of the queue", "error", err)
		}
	}
}

// fail ends the engine because of err. Whoever waits gets an error.
func (e *Engine) fail(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return
	}
	e.err = err
	close(e.dead)
	if !errors.Is(err, errClosed) {
		e.opt.Log.Error("queue leads no longer", "epoch", e.epoch, "error", err)
	}
}

var errClosed = errors.New("the queue is closed")

// Done returns a channel that is closed once the engine does not lead any
// longer: it was fenced, its store did not answer for too long, or it was
// closed.
func (e *Engine) Done() <-chan struct{} { return e.dead }

// Err returns why the engine does not lead any longer; nil while it does.
func (e *Engine) Err() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.err
}

// Epoch returns the number of the engine's reign.
func (e *Engine) Epoch() uint32 { return e.epoch }

// Ready returns nil if the engine leads and its store answers, and otherwise
// why not.
func (e *Engine) Ready() error {
	e.mu.Lock()
	defer e.mu.Unlock()
	switch b := e.writing; {
	case e.err != nil:
		return e.gone()
	case b != nil && e.clock.read().Sub(b.cutAt) > e.opt.CommitTimeout:
		return refuse(api.CodeUnavailable, "", "the store has not answered for %v", e.clock.read().Sub(b.cutAt).Round(time.Second))
	}
	return nil
}

// gone returns what a caller is told when the engine does not lead.
func (e *Engine) gone() error {
	switch {
	case errors.Is(e.err, ErrFenced):
		return refuse(api.CodeNotLeader, "", "another process leads the queue now")
	case errors.Is(e.err, errClosed):
		return refuse(api.CodeUnavailable, "", "the queue is stopping")
	}
	return refuse(api.CodeUnavailable, "", "the queue gave up its store: %v", e.err)
}

// Close writes what is pending, resigns, and ends the engine. Parked calls
// are answered with CodeUnavailable. The store is the caller's to close.
func (e *Engine) Close(ctx context.Context) error {
	e.mu.Lock()
	select {
	case <-e.closed:
	default:
		close(e.closed)
	}
	e.flushMinutes(e.clock.now())
	b := e.ticket()
	e.mu.Unlock()
	e.wake()
	err := e.settle(ctx, b)
	e.fail(errClosed)
	e.cancel()
	e.done.Wait()
	if resign := e.store.Resign(ctx, e.epoch); resign != nil && !errors.Is(resign, ErrFenced) {
		err = errors.Join(err, fmt.Errorf("resign the lead of the queue: %w", resign))
	}
	return err
}

// Kill ends the engine as a crash would: nothing pending is written, the lead
// is not given back. Tests use it.
func (e *Engine) Kill() {
	e.fail(errClosed)
	e.cancel()
	e.done.Wait()
}

// enter locks the engine for a call that changes something. It waits while too
// much is pending, and fails if the engine does not lead.
func (e *Engine) enter(ctx context.Context) error {
	for {
		e.mu.Lock()
		if e.err != nil {
			defer e.mu.Unlock()
			return e.gone()
		}
		select {
		case <-e.closed:
			e.mu.Unlock()
			return refuse(api.CodeUnavailable, "", "the queue is stopping")
		default:
		}
		if e.pending == nil || e.pending.weight < e.opt.PendingMax {
			return nil
		}
		b := e.pending
		if e.writing != nil {
			b = e.writing
		}
		e.mu.Unlock()
		if err := e.settle(ctx, b); err != nil {
			return err
		}
	}
}

// leave gives parked calls what there is for them, unlocks the engine, and
// returns what the caller must wait for before it may answer.
func (e *Engine) leave() *batch {
	e.serve()
	b := e.ticket()
	if b != nil {
		e.wake()
	}
	e.mindWake()
	e.mu.Unlock()
	return b
}

// ticket returns the batch after which everything so far is written; nil if
// everything is.
func (e *Engine) ticket() *batch {
	if e.pending != nil {
		return e.pending
	}
	return e.writing
}

// settle waits until a batch is written.
func (e *Engine) settle(ctx context.Context, b *batch) error {
	if b == nil {
		return nil
	}
	b.callers.Add(1)
	select {
	case <-b.done:
	case <-ctx.Done():
	case <-e.dead:
	}
	select {
	case <-b.done: // whatever else has happened meanwhile
		return b.err
	default:
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.gone()
}

func (e *Engine) wake() { poke(e.kick) }

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// log returns the engine's logger.
func (e *Engine) log() *slog.Logger { return e.opt.Log }
