package scenarios

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// World is a scenario with its trace opened: what is needed to simulate it any
// number of times. Its methods may be called from several goroutines, Keep
// excepted.
type World struct {
	scenario *Scenario
	config   sim.Config
	jobs     int64

	kept  *traces.Packed // the recorded trace in memory, before it is amplified
	drawn []drawn        // generated traces in memory

	from, to time.Duration // the part of the trace that runs see; to 0: its end
}

// drawn is a generated trace in memory.
type drawn struct {
	seed  uint64
	trace *traces.Packed
}

// unknownStart is when a trace begins that does not say: a Monday.
var unknownStart = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)

// World opens the scenario's trace to learn when it begins and on what cores
// it was measured. The error is that of the trace.
func (s *Scenario) World() (*World, error) {
	w := &World{scenario: s}
	src, err := w.Source(s.Seed)
	if err != nil {
		return nil, err
	}
	meta := src.Meta()
	if err := src.Close(); err != nil {
		return nil, err
	}
	if err := s.readTwice(); err != nil {
		return nil, err
	}
	w.config, w.jobs = s.config(meta), meta.Jobs
	return w, nil
}

// readTwice returns an error if the scenario's trace, which has been read, cannot be
// read again: who opens a pipe anew waits for another writer, or for ever.
func (s *Scenario) readTwice() error {
	if s.Trace == nil {
		return nil
	}
	if info, err := os.Stat(s.tracePath()); err != nil || info.Mode()&fs.ModeNamedPipe == 0 {
		return nil
	}
	return &traces.InputError{
		File: s.tracePath(), Reason: "is a pipe: a simulation reads its trace more than once", Fix: "write it to a file first",
	}
}

// config returns the world that the scenario describes, for a trace of which
// meta is known.
func (s *Scenario) config(meta traces.Meta) sim.Config {
	c := sim.Config{
		Name:  s.Name,
		Start: s.Start, UTCOffset: s.UTCOffset,
		JudgeFrom: s.JudgeFrom, Duration: s.Duration, Tick: s.Tick, FastTicks: s.FastTicks,
		Seed:           s.Seed,
		ReferenceSpeed: meta.ReferenceSpeed,
		Classes:        s.classes(),
		Catalog:        s.catalog,
		Zones:          s.Cloud.Zones,
		Boot:           s.boots,
		MaxInstances:   s.Cloud.MaxInstances,
		Spot:           s.spot,
		Lease:          s.Queue.Lease, Beat: s.Queue.Beat, MaxAttempts: s.Queue.MaxAttempts,
		Guard: s.guard,
	}
	if c.Start.IsZero() {
		c.Start = meta.Start
	}
	if c.Start.IsZero() {
		c.Start = unknownStart
	}
	if s.Trace != nil && s.Trace.ReferenceSpeed > 0 {
		c.ReferenceSpeed = s.Trace.ReferenceSpeed
	}
	if c.ReferenceSpeed == 0 {
		c.ReferenceSpeed = 1
	}
	for _, f := range s.Faults {
		c.Faults = append(c.Faults, sim.Fault{
			Kind: sim.FaultKind(f.Kind), From: f.From, To: f.To,
			Types: f.Types, Zones: f.Zones, Signals: f.Signals,
			Probability: f.Probability, Factor: f.Factor, Rate: f.Rate, Delay: f.Delay,
		})
	}
	for _, f := range s.Failures {
		c.Failures = append(c.Failures, sim.Failure{Types: f.Types, Rate: f.Rate, Poison: f.Poison})
	}
	for _, x := range s.Cloud.Standing {
		market := policy.OnDemand
		if x.Market == policy.Spot.String() {
			market = policy.Spot
		}
		c.Standing = append(c.Standing, sim.Standing{Type: s.catalog.Index(x.Type), Market: market, Count: x.Count, Age: x.Age, ReadyIn: x.ReadyIn})
	}
	for _, x := range s.Window {
		c.Windows = append(c.Windows, sim.Window{Name: x.Name, Weekly: x.From.Weekly, From: x.From.At, To: x.To.At})
	}
	for _, b := range []struct {
		to   *policy.MicroUSD
		from float64
	}{{&c.BudgetHour, s.Budget.Hour}, {&c.BudgetDay, s.Budget.Day}, {&c.BudgetMonth, s.Budget.Month}} {
		*b.to, _ = policy.FromDollars(b.from) // the decoder keeps it within bounds
	}
	return c
}

// EC2 returns the world without its trace: what it takes to play EC2 by itself.
func (s *Scenario) EC2() *sim.Config {
	c := s.config(traces.Meta{})
	return &c
}

// env is what the scenario's policy is told about its world.
func (s *Scenario) env() policy.Env {
	c := s.config(traces.Meta{})
	return c.Env()
}

// Config returns the world with its weather drawn from seed.
func (w *World) Config(seed uint64) *sim.Config {
	c := w.config
	c.Seed = seed
	return &c
}

// Jobs returns the number of jobs in the trace, or -1 where it does not say.
func (w *World) Jobs() int64 { return w.jobs }

// Policy returns the scenario's policy, fresh.
func (w *World) Policy() (policy.Policy, error) { return w.make(w.scenario.policy) }

// Source returns the scenario's trace from its beginning. A recorded trace is
// the same for every seed but for how its clones are moved; a generated one
// differs. The caller closes it.
func (w *World) Source(seed uint64) (traces.Source, error) {
	s := w.scenario
	if s.Generate != nil {
		for i := range w.drawn {
			if w.drawn[i].seed == seed {
				return w.part(w.drawn[i].trace.Source()), nil
			}
		}
		src, err := s.generator(seed).Source()
		if err != nil {
			return nil, err
		}
		return w.part(src), nil
	}
	if w.kept != nil {
		return w.part(w.amplify(w.kept.Source(), seed)), nil
	}
	src, err := w.open()
	if err != nil {
		return nil, err
	}
	return w.part(w.amplify(src, seed)), nil
}

// open returns the recorded trace, cut and scaled.
func (w *World) open() (traces.Source, error) {
	t := w.scenario.Trace
	src, err := traces.Open(w.scenario.tracePath(), traces.Options{Format: t.Format, IgnoreColumns: t.IgnoreColumns, Context: w.scenario.ctx})
	if err != nil {
		return nil, err
	}
	if len(t.Cut) == 2 {
		src = traces.Cut(src, t.Cut[0], t.Cut[1])
	}
	return traces.Scale(&ownClock{Source: src, file: w.scenario.tracePath()}, t.ServiceScale), nil
}

func (w *World) amplify(src traces.Source, seed uint64) traces.Source {
	t := w.scenario.Trace
	return traces.Amplify(src, t.Amplify, t.Jitter, seed)
}

// keepMax is how many jobs Keep holds in memory at most: about a gigabyte.
const keepMax = 80_000_000

// errLong is why a trace is not kept.
var errLong = errors.New("trace too long to be kept in memory")

// Keep reads the trace into memory, at about 13 bytes a job, so that many runs
// share it: a recorded one whole, a generated one as each of the seeds draws it.
// What would make it more than 80 million jobs is not kept, and drawn or read
// anew by every run. Keep ends early, with the error of ctx, when that is done.
func (w *World) Keep(ctx context.Context, seeds ...uint64) error {
	if w.scenario.Trace != nil {
		if w.kept != nil {
			return nil
		}
		src, err := w.open()
		if err != nil {
			return err
		}
		w.kept, err = keep(ctx, src, keepMax)
		return err
	}
	left := int64(keepMax)
	for i := range w.drawn {
		left -= w.drawn[i].trace.Len()
	}
	for _, seed := range seeds {
		if slices.ContainsFunc(w.drawn, func(d drawn) bool { return d.seed == seed }) {
			continue
		}
		src, err := w.Source(seed)
		if err != nil {
			return err
		}
		trace, err := keep(ctx, src, left)
		if err != nil || trace == nil {
			return err
		}
		left -= trace.Len()
		w.drawn = append(w.drawn, drawn{seed, trace})
	}
	return nil
}

// Kept returns how many jobs the world holds in memory.
func (w *World) Kept() int64 {
	var n int64
	if w.kept != nil {
		n = w.kept.Len()
	}
	for i := range w.drawn {
		n += w.drawn[i].trace.Len()
	}
	return n
}

// keep returns src in memory, or nil if it holds more than most jobs. It closes
// src.
func keep(ctx context.Context, src traces.Source, most int64) (*traces.Packed, error) {
	defer src.Close()
	kept, err := traces.Load(&keeping{Source: src, ctx: ctx, max: most})
	if errors.Is(err, errLong) {
		return nil, nil
	}
	return kept, err
}

// keeping is a source that ends with ctx, or in errLong after more than max
// jobs.
type keeping struct {
	traces.Source
	ctx context.Context
	max int64
}

func (k *keeping) Next(b *traces.Batch) error {
	if err := k.ctx.Err(); err != nil {
		return err
	}
	err := k.Source.Next(b)
	if err == nil && b.First+int64(b.Len()) > k.max {
		return errLong
	}
	return err
}

// PolicyLabel returns the name of the scenario's policy with six digits that
// tell its parameters.
func (s *Scenario) PolicyLabel() string { return s.policy.Label() }

// TraceReplaced reports whether the trace was given from outside the scenario.
func (s *Scenario) TraceReplaced() bool { return s.replaced }

// SlackTarget returns the mean slack over 24 h that the scenario's policy steers
// to, or 0 if it does not.
func (s *Scenario) SlackTarget() float64 {
	p := s.policy
	if p.Spec == nil {
		return 0
	}
	reserve, target := p.Spec.Param("reserve"), p.Spec.Param("slack_target")
	if reserve == nil || target == nil || !strings.Contains(p.Values.Choice(reserve), "slack") {
		return 0
	}
	return p.Values.Number(target)
}
