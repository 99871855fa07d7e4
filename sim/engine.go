package sim

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/dispatch"
	"github.com/skynet-ec2/skynet/policy/observe"
	"github.com/skynet-ec2/skynet/traces"
)

// engine is one run. Times are nanoseconds since the trace's start.
type engine struct {
	cfg        *Config
	pendingMax int // jobs that may wait; more end the run
	opt        Options
	policy     policy.Policy
	guard      policy.Guard

	now     int64
	end     int64 // no event after it; never without a duration
	nextAt  int64 // the next tick
	judge   int64
	src     traces.Source
	batch   traces.Batch
	cursor  int // next arrival in batch
	arrival int64
	arrived int64

	done  completions
	idle  idleList
	slots []slot
	line  dispatch.Line
	rare  eventHeap

	insts  []instance
	free   []int32   // records to reuse
	bases  [][]int32 // first slots to reuse, by slot count
	alive  []int32   // records of instances alive, in launch order
	parked []parked
	spare  []int32 // parked records to reuse

	relisted []int32 // slots to be listed as idle again

	service []ratio // by type
	kinds   []kind  // by the trace's kind
	rec     *observe.Recorder
	obs     policy.Observation
	faults  faults
	boot    []*bootSampler // by type
	prices  []policy.MicroUSD
	spot    *spotPrices

	failures []failure // by the trace's kind; nil when jobs never fail
	launch   launchStreams

	holding  bool // results cannot be delivered: finished jobs stay in their slots
	closed   bool // nothing is handed out
	sums     sums
	stats    *stats
	jobs     *jobLog
	digest   digest
	check    *invariants // asserted after every instant, when asked for
	launched int64
	numbered int32 // slots ever numbered at once
	ticks    int64
	settled  int64 // last instant a job was done or lost
	freed    int64 // last instant a slot came free without its job being done
	unheld   int   // jobs that no slot holds and whose leases have not ended
}

// slot is one core that runs one job.
type slot struct {
	job   dispatch.Job
	start int64
	inst  int32 // record of its instance
	// held: the job is finished but its result could not be delivered.
	// orphan: the job's lease was lost; its result will be refused.
	held, orphan bool
	prio         uint8
}

// kind is what the engine knows of a trace's kind.
type kind struct {
	counts   *observe.Kind
	class    int32
	priority uint8
}

// sums are counts of slots and, as accumulators, their integrals: the integral
// of a count up to t is count*t + acc, where every change by d at time t adds
// -d*t to acc. Sums wrap; differences over a tick are exact.
type sums struct {
	ready, readyAcc int64 // slots of ready instances, and busy slots of draining ones
	busy, busyAcc   int64
	boot, bootAcc   int64
	alive, aliveAcc int64 // instances
}

func (e *engine) addReady(d int64) { e.sums.ready += d; e.sums.readyAcc -= d * e.now }
func (e *engine) addBoot(d int64)  { e.sums.boot += d; e.sums.bootAcc -= d * e.now }
func (e *engine) addAlive(d int64) { e.sums.alive += d; e.sums.aliveAcc -= d * e.now }

func newEngine(cfg *Config, p policy.Policy, src traces.Source, opt Options) (*engine, error) {
	e := &engine{cfg: cfg, pendingMax: pendingMax, opt: opt, policy: p, src: src, end: never, judge: int64(cfg.JudgeFrom)}
	if cfg.Duration > 0 {
		e.end = int64(cfg.Duration)
	}
	if cfg.Guard != nil {
		e.guard = *cfg.Guard
	} else if cfg.MaxInstances > 0 {
		e.guard = policy.Open(cfg.MaxInstances)
	} else {
		e.guard = policy.Open(policy.Unlimited)
	}
	reference := cfg.ReferenceSpeed
	if reference == 0 {
		reference = 1
	}
	for i := range cfg.Catalog.Types {
		t := &cfg.Catalog.Types[i]
		e.service = append(e.service, newRatio(reference, t.Speed))
		e.prices = append(e.prices, t.PerHour)
		e.boot = append(e.boot, cfg.bootSampler(t.Name))
	}
	e.launch = newLaunchStreams(cfg.Seed)
	e.rec = observe.New(cfg.Env(), cfg.Start)
	e.stats = newStats(cfg, opt.Timeline)
	if opt.Check {
		e.check = &invariants{}
	}
	if opt.Jobs != nil {
		e.jobs = &jobLog{sink: opt.Jobs}
	}
	e.done.grow(64)
	e.idle.grow(64)
	e.slots = make([]slot, 64)
	e.bases = make([][]int32, 1)
	e.alive = make([]int32, 0, 64)
	e.startFaults()
	e.startSpot()
	return e, e.refill()
}

// Env returns what a policy for this world must be made with.
func (cfg *Config) Env() policy.Env {
	guess := time.Duration(0)
	if b, ok := cfg.Boot[""]; ok {
		guess = b.guess()
	}
	return policy.Env{
		Classes: cfg.Classes, Catalog: cfg.Catalog, Tick: cfg.Tick,
		UTCOffset: cfg.UTCOffset, BootGuess: guess,
	}
}

// pendingMax is how many jobs may wait at once: 40 bytes each, or 120 where
// their fates are written. A trace that brings more is not one that a fleet
// will ever work off.
const pendingMax = 1 << 24

// OverloadError is a trace that brings more jobs than a simulation holds.
type OverloadError struct {
	At      time.Duration // since the trace's start
	Pending int
	Max     int
}

func (e *OverloadError) Error() string {
	return fmt.Sprintf("%d jobs wait %v after the trace's start, more than a simulation holds (%d): check the trace, amplify less, or let the policy launch more", e.Pending, e.At, e.Max)
}

// BadInput marks the error as the user's.
func (e *OverloadError) BadInput() bool { return true }

// refill reads the next batch of arrivals.
func (e *engine) refill() error {
	if n := e.line.Len(); n > e.pendingMax {
		return &OverloadError{At: time.Duration(e.now), Pending: n, Max: e.pendingMax}
	}
	for {
		err := e.src.Next(&e.batch)
		if errors.Is(err, io.EOF) {
			e.arrival = never
			e.cursor = 0
			return nil
		}
		if err != nil {
			return err
		}
		if e.batch.Len() > 0 {
			break
		}
	}
	e.cursor = 0
	e.arrival = e.batch.Arrival[0]
	for i := len(e.kinds); i < len(e.batch.Kinds); i++ {
		k := &e.batch.Kinds[i]
		counts := e.rec.Kind(k.Type, int(k.Priority), k.Size)
		if counts.Class < 0 {
			return &UnclassedError{Type: k.Type, Priority: int(k.Priority)}
		}
		e.kinds = append(e.kinds, kind{counts: counts, class: int32(counts.Class), priority: k.Priority})
		if e.cfg.Failures != nil {
			e.failures = append(e.failures, e.cfg.failureOf(k.Type))
		}
	}
	if e.opt.Progress != nil {
		e.opt.Progress(time.Duration(e.now), e.arrived)
	}
	return nil
}

// UnclassedError is a job that no class of the scenario matches.
type UnclassedError struct {
	Type     string
	Priority int
}

func (e *UnclassedError) Error() string {
	return fmt.Sprintf("a job of type %q, priority %d belongs to no class: add a [[class]] that matches it (one without type and priority catches the rest)", e.Type, e.Priority)
}

// BadInput marks the error as the user's.
func (e *UnclassedError) BadInput() bool { return true }

// advance moves the cursor past the present arrival.
func (e *engine) advance() error {
	e.cursor++
	if e.cursor < len(e.batch.Arrival) {
		e.arrival = e.batch.Arrival[e.cursor]
		return nil
	}
	return e.refill()
}

// stuckAfter ends a run without a duration in which no job was done for this
// long although jobs are left: its policy has given up, no instance boots, no
// attempt succeeds.
const stuckAfter = int64(7 * 24 * time.Hour)

// run plays the events in order.
func (e *engine) run(ctx context.Context) error {
	for {
		rare := min(e.nextAt, e.rare.next())
		done := e.done.min()
		t := min(done, e.arrival, rare)
		if t > e.end || t == never {
			break
		}
		e.now = t
		switch {
		case t == rare:
			if e.end == never && e.over() {
				return e.finish()
			}
			if err := e.instant(); err != nil {
				return err
			}
			if err := ctx.Err(); err != nil {
				return err
			}
			if e.jobs != nil && e.jobs.err != nil {
				return e.jobs.err // nobody takes the rows any more
			}
		case done < e.arrival: // and before anything rare
			e.complete(e.done.first())
			if e.done.min() == t {
				if err := e.instant(); err != nil {
					return err
				}
			} else if e.line.Len() > 0 {
				e.dispatch()
			}
		case t == done: // a completion and an arrival
			if err := e.instant(); err != nil {
				return err
			}
		default: // an arrival
			if err := e.arrive(); err != nil {
				return err
			}
		}
		if e.check != nil {
			if err := e.check.check(e); err != nil {
				return &InvariantError{err}
			}
		}
	}
	return e.finish()
}

// arrive takes the arrival at now, when nothing else happens at now but
// perhaps more arrivals.
func (e *engine) arrive() error {
	for {
		b := &e.batch
		i := e.cursor
		job := dispatch.Job{ID: b.First + int64(i), Arrival: b.Arrival[i], Work: b.Service[i], Kind: b.Kind[i]}
		if b.Estimate != nil {
			job.Estimate = b.Estimate[i]
		}
		k := &e.kinds[job.Kind]
		k.counts.Arrived++
		e.arrived++
		e.stats.arrived(k.class, job.Arrival, job.Work)
		if job.Estimate > 0 {
			k.counts.EstimateArrived(e.refWork(job.Estimate))
		}
		if e.jobs != nil {
			e.jobs.arrived(&job, &b.Kinds[job.Kind])
		}
		if err := e.advance(); err != nil {
			return err
		}
		if e.arrival != e.now && e.idle.n > 0 && e.line.Len() == 0 && !e.closed {
			e.start(e.idle.take(), &job, k.priority, k)
			return nil
		}
		e.wait(&job, k)
		if e.arrival != e.now {
			break
		}
	}
	e.dispatch()
	return nil
}

// wait puts an arrived job into the line.
func (e *engine) wait(job *dispatch.Job, k *kind) {
	e.line.Push(k.priority, *job)
	k.counts.Ages.Add(job.Arrival)
}

// dispatch hands waiting jobs to idle slots.
func (e *engine) dispatch() {
	if e.closed {
		return
	}
	for e.idle.n > 0 {
		job, priority, ok := e.line.Pop()
		if !ok {
			return
		}
		k := &e.kinds[job.Kind]
		k.counts.Ages.Remove(job.Arrival)
		e.start(e.idle.take(), &job, priority, k)
	}
}

// start runs a job on an idle slot that was just taken from the list.
func (e *engine) start(s int32, job *dispatch.Job, priority uint8, k *kind) {
	sl := &e.slots[s]
	in := &e.insts[sl.inst]
	sl.job = *job
	sl.start = e.now
	sl.prio = priority
	in.busy++
	e.sums.busy++
	e.sums.busyAcc -= e.now
	k.counts.Started++
	if job.Estimate > 0 {
		k.counts.EstimateLeft(e.refWork(job.Estimate))
	}
	if e.now-job.Arrival > k.counts.LateAfter {
		k.counts.StartedLate++
	}
	service := e.service[in.typ].of(job.Work)
	if e.faults.slowWork {
		service = e.slowed(service, in)
	}
	e.done.set(s, e.now+service)
}

// complete ends the job of a slot that is due now.
func (e *engine) complete(s int32) {
	sl := &e.slots[s]
	in := &e.insts[sl.inst]
	e.done.clear(s)
	if e.holding || in.silent || sl.orphan {
		if !e.completeOddly(s, sl, in) {
			return
		}
	} else if e.failures != nil && e.fails(&sl.job) {
		e.fail(s, sl, in)
	} else {
		e.account(s, sl, in)
	}
	in.busy--
	e.sums.busy--
	e.sums.busyAcc += e.now
	if in.takesJobs() {
		e.idle.add(s, in.id, e.now)
		return
	}
	e.idle.node[s].since = e.now
	e.released(in)
}

// released follows up on a slot that came free on an instance that takes no
// new job.
func (e *engine) released(in *instance) {
	if in.phase == policy.Draining {
		e.addReady(-1)
		if in.busy == 0 && !in.dead {
			e.terminate(in)
		}
	}
}

// account books a job that is done.
func (e *engine) account(s int32, sl *slot, in *instance) {
	k := &e.kinds[sl.job.Kind]
	k.counts.Done(e.refWork(sl.job.Work))
	e.stats.completed(k.class, sl.job.Arrival, sl.start, e.now)
	e.settled = e.now
	e.digest.ran(sl, in, s, e.now)
	if e.jobs != nil {
		e.jobs.finished(sl, in.id, e.now)
	}
}

// refWork returns the work of a recorded service time in nanoseconds on the
// reference core.
func (e *engine) refWork(service int64) int64 {
	if e.cfg.ReferenceSpeed == 0 || e.cfg.ReferenceSpeed == 1 {
		return service
	}
	return int64(float64(service) * e.cfg.ReferenceSpeed)
}

// instant plays everything that happens at now, in the contract's order.
func (e *engine) instant() error {
	for e.done.min() == e.now {
		e.complete(e.done.first())
	}
	e.events()
	if e.arrival == e.now {
		if err := e.arrive(); err != nil {
			return err
		}
	}
	e.dispatch()
	if e.nextAt == e.now {
		if e.end == never && e.over() {
			return nil // the run ends here, before the tick
		}
		if e.now < e.end {
			e.tick()
		} else {
			e.nextAt = never
		}
		e.events() // an instance whose boot lag is zero
		e.dispatch()
	}
	return nil
}

// over reports whether the trace has ended and no job is left, or nothing will
// ever move again.
func (e *engine) over() bool {
	if e.arrival != never {
		return false
	}
	last := max(e.settled, e.stats.lastArrival)
	if e.line.Len() == 0 && e.sums.busy == 0 && e.unheld == 0 {
		e.now = max(last, e.freed)
		return true
	}
	return e.now-last > stuckAfter && e.now-last > stuckAfter+e.longestRunning()
}

// longestRunning returns the service time of the longest job that runs.
func (e *engine) longestRunning() (ns int64) {
	for s, due := range e.done.due {
		if due != never {
			ns = max(ns, due-e.slots[s].start)
		}
	}
	return ns
}

// finish closes the run: bills to the end, late jobs, figures.
func (e *engine) finish() error {
	if e.end != never {
		e.now = e.end
	}
	return e.close()
}
