package sim

import (
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
	weather
	cfg        *Config
	pendingMax int // jobs that may wait; more end the run
	opt        Options
	policy     policy.Policy
	guard      policy.Guard

	// Time.
	now    int64
	end    int64 // no event after it; never without a duration
	nextAt int64 // the next tick
	judge  int64 // judging begins

	// Arrivals: a cursor over the trace's present batch.
	src     traces.Source
	ahead   *lookahead // the source, for a clairvoyant policy; nil for all others
	batch   traces.Batch
	cursor  int   // next arrival in batch
	counted int   // arrivals before it in batch are counted
	arrival int64 // time of the next arrival, never after the last
	arrived int64 // arrivals that are counted

	// Jobs: those that wait, those that run, and the slots they run in.
	done  completions // by slot: when its job is done
	idle  idleList    // slots that take jobs, the one idle longest first
	slots []slot
	line  dispatch.Line
	rare  eventHeap // everything but completions, arrivals and ticks

	// Instances. Records and slots are reused.
	insts  []*instance
	free   []int32   // records to reuse
	bases  [][]int32 // first slots to reuse, by slot count
	alive  []int32   // records of instances alive, in launch order
	parked []parked  // jobs whose workers are not heard of
	spare  []int32   // parked records to reuse

	relisted []int32 // slots to be listed as idle again

	// What the policy is shown.
	ratios    []ratio // by type: service time from recorded work
	reference float64 // speed of the core that work was recorded on
	kinds     []kind  // by the trace's kind
	rec       *observe.Recorder
	obs       policy.Observation
	faults    faults
	prices    []policy.MicroUSD // on demand, by type
	spot      *spotPrices       // nil: no spot market

	failures []failure // by the trace's kind; nil when jobs never fail

	// What faults do to jobs.
	took    []int64 // how long the job of each slot runs, ns; nil where no fault makes work slow
	holding bool    // results cannot be delivered: finished jobs stay in their slots
	closed  bool    // nothing is handed out

	// What is counted.
	sums     sums
	stats    *stats
	jobs     *jobLog // nil: nobody wants the jobs' fates
	digest   digest
	check    *invariants // asserted after every instant, when asked for
	launched int64       // instances so far: the next one's ordinal
	numbered int32       // slots ever numbered at once
	ticks    int64
	settled  int64 // last instant a job was done or lost
	freed    int64 // last instant a slot came free without its job being done
	unheld   int   // jobs that no slot holds and whose leases have not ended
}

// slot is one core that runs one job.
type slot struct {
	job   dispatch.Job
	start int64
	in    *instance
	// held: the job is finished but its result could not be delivered.
	// orphan: the job's lease was lost; its result will be refused.
	held, orphan bool

	_ [4]byte // one cache line
}

// kind is what the engine knows of a trace's kind.
type kind struct {
	counts   *observe.Kind
	stats    *classStats
	class    int32
	priority uint8
	_        [8]byte // 32 bytes: found by a shift
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
	e := &engine{weather: newWeather(cfg), cfg: cfg, pendingMax: pendingMax, opt: opt, policy: p, src: src, end: never, judge: int64(cfg.JudgeFrom)}
	if cfg.Duration > 0 {
		e.end = int64(cfg.Duration)
	}
	e.guard = cfg.Limits()
	e.reference = cfg.ReferenceSpeed
	if e.reference == 0 {
		e.reference = 1
	}
	for i := range cfg.Catalog.Types {
		t := &cfg.Catalog.Types[i]
		e.ratios = append(e.ratios, newRatio(e.reference, t.Speed))
		e.prices = append(e.prices, t.PerHour)
	}
	e.rec = observe.New(cfg.Env(), cfg.Start)
	e.stats = newStats(cfg, opt.Timeline)
	if opt.Check {
		e.check = &invariants{}
	}
	if opt.Jobs != nil {
		e.jobs = &jobLog{sink: opt.Jobs}
	}
	if _, ok := p.(clairvoyant); ok {
		e.ahead = &lookahead{src: src}
		e.src = e.ahead
	}
	e.rare.first = never
	e.done.grow(64)
	e.idle.grow(64)
	e.slots = make([]slot, 64)
	e.bases = make([][]int32, 1)
	e.alive = make([]int32, 0, 64)
	e.startFaults()
	e.startSpot()
	e.stand()
	return e, e.refill()
}

// Limits returns the guard that decisions pass.
func (cfg *Config) Limits() policy.Guard {
	switch {
	case cfg.Guard != nil:
		return *cfg.Guard
	case cfg.MaxInstances > 0:
		return policy.Open(cfg.MaxInstances)
	}
	return policy.Open(policy.Unlimited)
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
	e.countArrivals()
	e.counted = 0
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
		e.kinds = append(e.kinds, kind{
			counts: counts, stats: &e.stats.classes[counts.Class], class: int32(counts.Class), priority: k.Priority,
		})
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

// stuckAfter ends a run without a duration in which no job was done for this
// long although jobs are left: its policy has given up, no instance boots, no
// attempt succeeds.
const stuckAfter = int64(7 * 24 * time.Hour)

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
	e.stats.jobs.GaveUp = e.now-last > stuckAfter && e.now-last > stuckAfter+e.longestRunning()
	return e.stats.jobs.GaveUp
}

// longestRunning returns the service time of the longest job that runs.
func (e *engine) longestRunning() (ns int64) {
	for s := range e.numbered {
		if e.done.runs(s) {
			ns = max(ns, e.done.due(s)-e.slots[s].start)
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
