// Package worker is what an instance runs: it asks the queue for work, does it,
// and puts the results where they belong.
//
// # What it promises
//
//   - A job is done as often as the queue leases it, and reported under the
//     lease's token until the queue has said that it heard. A finished result is
//     not lost because the queue or the store of results is away: it waits on
//     the disk, its lease is renewed, and no new work is taken until the store
//     is back. A worker that starts where another was killed delivers what that
//     one had finished.
//   - A lease that is lost ends the job: nothing of it is reported.
//   - A worker that has to end finishes what it can in the time it has, and gives
//     the rest back, which spends no attempt.
//   - Nothing is decided here. What runs, where, and how long an instance lives,
//     the queue and the controller say.
//
// # How it is built
//
// One goroutine, Run's, owns all state. Calls, jobs and deliveries run in
// goroutines of their own and hand back what they came to as functions that
// Run's goroutine calls.
package worker

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/handler"
	"github.com/skynet-ec2/skynet/live/results"
)

// A Config is all that a worker is told.
type Config struct {
	Queue Queue
	// Self is what the worker says of itself. Slots must be set.
	Self api.RegisterRequest
	// Do does a job and leaves its files in dir; see handler.Set.Run.
	Do func(ctx context.Context, job handler.Job, dir, scratch string) (handler.Result, error)
	// Store is where results go, unless the queue signed an address for a job.
	Store results.Store
	// Presigned returns the store that is one signed address.
	Presigned func(url string) results.Store
	Outbox    *results.Outbox
	// Left is what the outbox held when it was opened.
	Left    []results.Entry
	Scratch string // folder for what a job needs while it runs
	Log     *slog.Logger

	// Authenticate gets a new token when the queue takes the old one no more; nil:
	// there is no other.
	Authenticate func(context.Context) error
	// Reload reads the configuration again and returns the job types that there are
	// handlers for now; nil: there is nothing to read.
	Reload func() (types []string, err error)
	// Update is called when the queue says that there is another release; nil:
	// nobody could bring it.
	Update func()
	// Healthy is called once, when the worker has proved that it works; nil: nobody
	// wants to know.
	Healthy func()
	// Away is called with every call that found no queue; nil: nobody wants to know.
	Away func()
	// OrphanAfter is how long a worker lives without a word from the queue, 0:
	// forever. Then Orphan is called.
	OrphanAfter time.Duration
	Orphan      func(reason string)
	Load        func() float64 // load average over a minute; nil: not known

	// Chance returns a number from 0 to 1 (exclusive), for pauses; nil: one of its
	// own.
	Chance func() float64
}

// An Order is a demand that a worker end.
type Order struct {
	Within time.Duration // how long it has; 0: as long as its jobs take
	Reason string        // for people, such as "spot interruption"
	// Stay is that a successor on this instance takes over: the leases of results
	// that are not delivered yet are not given back.
	Stay bool
	// TakenBackAt is when EC2 takes the instance back; zero: it does not. The queue
	// is told, so that another can be launched in time.
	TakenBackAt time.Time
}

// A Worker is a running worker.
type Worker struct {
	Config
	events chan func()
	orders chan Order
	log    *slog.Logger

	session   string
	id        string
	beatEvery time.Duration
	types     []string

	tasks map[int64]*task // every job that is leased to this worker and not acknowledged

	polling, beating, reporting, registering bool // calls that are open
	needToken                                bool

	poll *api.WorkRequest // that was not answered: it is repeated as it is

	nextBeat    time.Time
	lastHeard   time.Time // of the queue
	firstHeard  time.Time
	trouble     backoff       // of the queue
	own         backoff       // of this machine: a full disk, say
	directive   api.Directive // the latest
	napUntil    time.Time
	draining    bool // the queue said so
	shutdown    bool // the queue said so
	ending      *Order
	endBy       time.Time // zero: no hurry
	takenBackAt time.Time // when EC2 takes the instance back; zero: it does not
	orphaned    time.Time // when Orphan was called last; zero: not since the queue was heard
	healthy     bool
	doneJobs    int       // accepted by the queue
	updateAsked time.Time // when Update was called last
	failure     error     // that ends the worker
	nonce       string    // with the number of a call, its name
	calls       int64
}

// New returns a worker. Run makes it work.
func New(c Config) *Worker {
	if c.Chance == nil {
		c.Chance = rand.Float64
	}
	return &Worker{
		Config: c, log: c.Log, events: make(chan func(), 64), orders: make(chan Order, 4),
		nonce: crand.Text(), tasks: map[int64]*task{}, beatEvery: 10 * time.Second, types: c.Self.Types,
	}
}

// End orders the worker to end. A later order can only shorten the time.
func (w *Worker) End(o Order) {
	select {
	case w.orders <- o:
	default: // several orders wait already
	}
}

// ToldToShutDown reports, once Run has returned, whether the queue has told the
// worker to end.
func (w *Worker) ToldToShutDown() bool { return w.shutdown }

// Run works until the worker is ordered to end, or is told to by the queue.
// Once ctx ends nothing is waited for: the order to end comes first, for a
// worker that is to end well.
//
// It returns nil after an order or a shutdown, and an error where the queue
// will never take this worker.
func (w *Worker) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	w.lastHeard = time.Now() // the time without a word begins now
	w.adoptLeft()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		w.pump(ctx)
		if w.failure != nil || w.over() {
			break
		}
		timer.Reset(time.Until(w.next()))
		select {
		case event := <-w.events:
			event()
			for more := true; more; {
				select {
				case event := <-w.events:
					event()
				default:
					more = false
				}
			}
		case <-timer.C:
		case o := <-w.orders:
			w.order(o)
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	w.goodbye(ctx)
	return w.failure
}

// do calls f in Run's goroutine, unless Run has ended.
func (w *Worker) do(ctx context.Context, f func()) {
	select {
	case w.events <- f:
	case <-ctx.Done():
	}
}

// pump begins whatever is due.
func (w *Worker) pump(ctx context.Context) {
	now := time.Now()
	w.hurryUp(now)
	w.deadMan(now)
	w.prove(now)
	for _, t := range w.tasks {
		w.deliver(ctx, t, now)
	}
	if w.trouble.waits(now) || w.registering {
		return
	}
	if w.session == "" || w.needToken {
		w.register(ctx)
		return
	}
	leases := w.mayLease(now)
	asks := leases || w.mayListen(now)
	if w.poll != nil && !w.polling && !(asks && leases == (w.poll.SlotsFree > 0)) {
		w.untell(w.poll.Done) // it is not repeated: what it was handed goes back by itself
		w.poll = nil
	}
	if !w.polling && asks {
		w.ask(ctx, leases)
	}
	if w.finished(true) > 0 && !w.reporting {
		w.report(ctx)
	}
	// an open call for work keeps no lease but those it names
	if !now.Before(w.nextBeat) && !w.beating && (!w.polling || len(w.tasks) > 0) {
		w.beat(ctx)
	}
}

// mayLease reports whether the worker wants work now.
func (w *Worker) mayLease(now time.Time) bool {
	return w.ending == nil && !w.draining && !w.shutdown && w.orphaned.IsZero() &&
		!now.Before(w.napUntil) && !w.own.waits(now) && w.free() > 0 && w.stuck() == 0
}

// mayListen reports whether the worker, which wants no work because it was told to
// drain, waits for word that it is wanted again: a beat later than it would be to
// work once more.
func (w *Worker) mayListen(now time.Time) bool {
	return w.draining && w.ending == nil && !w.shutdown && w.orphaned.IsZero() && !now.Before(w.napUntil)
}

// free returns how many slots have no job.
func (w *Worker) free() int {
	free := w.Self.Slots
	for _, t := range w.tasks {
		if t.stage == running || t.stage == finished && !t.delayed {
			free--
		}
	}
	return max(0, free)
}

// stuck returns how many results the store has refused to take so far.
func (w *Worker) stuck() (n int) {
	for _, t := range w.tasks {
		if t.stage == finished && t.delayed {
			n++
		}
	}
	return n
}

// finished returns how many jobs have an end that the queue does not know,
// unheard: those that no open call carries.
func (w *Worker) finished(unheard bool) (n int) {
	for _, t := range w.tasks {
		if t.stage == delivered && !(unheard && t.told) {
			n++
		}
	}
	return n
}

// next returns when something is due at the latest, if nothing happens before.
func (w *Worker) next() time.Time {
	now := time.Now()
	at := now.Add(time.Minute)
	sooner := func(t time.Time) {
		if !t.IsZero() && t.Before(at) {
			at = t
		}
	}
	if w.session != "" && !w.beating && !w.registering && (!w.polling || len(w.tasks) > 0) {
		sooner(later(w.nextBeat, w.trouble.until))
	}
	if w.trouble.waits(now) {
		sooner(w.trouble.until)
	}
	for _, until := range []time.Time{w.napUntil, w.own.until} {
		if now.Before(until) {
			sooner(until)
		}
	}
	for _, t := range w.tasks {
		if t.stage == finished && !t.delivering {
			sooner(t.trouble.until)
		}
	}
	if !w.endBy.IsZero() {
		for _, past := range []time.Duration{0, patience / 2, patience} {
			if t := w.endBy.Add(past + time.Millisecond); t.After(now) {
				sooner(t)
			}
		}
	}
	if w.OrphanAfter > 0 && w.count(running) == 0 {
		sooner(w.orphanAt())
	}
	if !w.healthy && !w.firstHeard.IsZero() {
		sooner(w.firstHeard.Add(healthyAfter))
	}
	return later(at, now.Add(time.Millisecond))
}

// later returns the later of two instants.
func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// healthyAfter is how long a worker that got no job to prove itself with has to
// have been served by the queue.
const healthyAfter = time.Minute

// prove tells who wants to know that the worker works.
func (w *Worker) prove(now time.Time) {
	if w.healthy || w.firstHeard.IsZero() {
		return
	}
	if w.doneJobs > 0 || now.Sub(w.firstHeard) >= healthyAfter {
		w.healthy = true
		if w.Healthy != nil {
			w.Healthy()
		}
	}
}

// heard notes that the queue answered.
func (w *Worker) heard(now time.Time) {
	if w.trouble.tries > 0 {
		w.log.Info("the queue answers again", "after", now.Sub(w.lastHeard).Round(time.Second))
	}
	w.lastHeard, w.trouble, w.orphaned = now, backoff{}, time.Time{}
}

// missed notes a call that the queue did not answer well, and decides when to
// call again.
func (w *Worker) missed(ctx context.Context, call string, err error) {
	if ctx.Err() != nil {
		return
	}
	var answer *api.Error
	pause := time.Duration(0)
	if errors.As(err, &answer) {
		switch answer.Code {
		case api.CodeUnknownSession:
			w.log.Info("the queue does not know this session: registering again", "call", call)
			w.session = ""
			return
		case api.CodeWrongCluster, api.CodeForbidden, api.CodeInvalid, api.CodeRequired:
			if call == "register" { // it would be refused forever
				w.failure = fmt.Errorf("%s: %w", call, err)
				return
			}
		case api.CodeUnauthorized:
			w.needToken = w.Authenticate != nil
		}
		pause = answer.RetryAfter()
		if d := answer.Directive; d != nil && d.Op == api.OpNap {
			pause = max(pause, time.Duration(d.AfterMS)*time.Millisecond)
		}
	} else if w.Away != nil {
		w.Away()
	}
	last := pauseLast
	if len(w.tasks) > 0 {
		last = pauseEager
	}
	w.trouble.again(time.Now(), last, pause, w.Chance)
	level := slog.LevelWarn
	if w.trouble.tries > 1 {
		level = slog.LevelDebug // once is enough until it answers again
	}
	w.log.Log(ctx, level, "the queue does not serve", "call", call, "error", err, "again_in", time.Until(w.trouble.until).Round(time.Millisecond))
}
