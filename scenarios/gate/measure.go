package gate

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/trial"
)

// Measure is how scenarios are run.
type Measure struct {
	// Parallel is how many runs at once.
	Parallel int
	// Timeout of a run; 0: none.
	Timeout time.Duration
	// Done is told of every run that was finished, from several goroutines; may be
	// nil.
	Done func()
}

// Measured is what a scenario came to.
type Measured struct {
	Scenario *scenarios.Scenario
	Policy   *scenarios.Policy
	Seeds    []uint64
	Digests  []string       // by seed
	Figures  []trial.Series // the watched ones
	// Verdicts of the run with the scenario's own seed: its promises, then its
	// expectations.
	Verdicts []sim.Verdict
	// Promises tell on which seeds each of those was kept, in their order, as far
	// as it is a promise.
	Promises []KeptOn
}

// Seeds returns n seeds from the scenario's own on.
func Seeds(s *scenarios.Scenario, n int) []uint64 {
	seeds := make([]uint64, n)
	for i := range seeds {
		seeds[i] = s.Seed + uint64(i)
	}
	return seeds
}

// Run runs a scenario under p with every seed, and with its own if that is none
// of them. The error is that of the trace, of the policy, or of ctx; a
// TimeoutError where a run did not end in time.
func (m *Measure) Run(ctx context.Context, s *scenarios.Scenario, p *scenarios.Policy, seeds []uint64) (*Measured, error) {
	w, err := s.World()
	if err != nil {
		return nil, err
	}
	if s.Trace != nil {
		if err := w.Keep(ctx); err != nil {
			return nil, err
		}
	}
	return m.runs(ctx, s, p, seeds, func(ctx context.Context, seed uint64, opt sim.Options) (*sim.Result, error) {
		return w.Run(ctx, p, seed, opt)
	})
}

// runs runs every seed by play and condenses what they came to.
func (m *Measure) runs(ctx context.Context, s *scenarios.Scenario, p *scenarios.Policy, seeds []uint64,
	play func(context.Context, uint64, sim.Options) (*sim.Result, error),
) (*Measured, error) {
	all := seeds
	if !slices.Contains(seeds, s.Seed) {
		all = append(slices.Clone(seeds), s.Seed)
	}
	own := slices.Index(all, s.Seed)
	figures := make([]*sim.Figures, len(all))
	var verdicts []sim.Verdict
	err := sim.Each(ctx, m.Parallel, len(all), func(ctx context.Context, i int) error {
		if m.Timeout > 0 {
			var stop context.CancelFunc
			ctx, stop = context.WithTimeoutCause(ctx, m.Timeout, &TimeoutError{s.Path, all[i], m.Timeout})
			defer stop()
		}
		r, err := play(ctx, all[i], sim.Options{Timeline: i == own && len(s.Expects) > 0})
		var late *TimeoutError
		switch {
		case err != nil && errors.As(context.Cause(ctx), &late):
			return late
		case err != nil:
			return err
		case r.Figures.Jobs.Arrived == 0:
			return scenarios.NoJobs(s, all[i])
		}
		figures[i] = &r.Figures
		if i == own {
			verdicts = s.JudgeRun(r)
		}
		if m.Done != nil {
			m.Done()
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	figures = figures[:len(seeds)]
	r := &Measured{Scenario: s, Policy: p, Seeds: seeds, Verdicts: verdicts, Figures: seriesOf(s, figures)}
	for _, f := range figures {
		r.Digests = append(r.Digests, f.Digest)
	}
	r.Promises = keptOn(s, verdicts, seeds, figures)
	return r, nil
}

// keptOn tells on which seeds each promise was kept, in the order in which they
// are first judged: a class that a seed has no job of is not judged there.
func keptOn(s *scenarios.Scenario, own []sim.Verdict, seeds []uint64, figures []*sim.Figures) []KeptOn {
	list := []KeptOn{}
	at := func(v *sim.Verdict) int {
		return slices.IndexFunc(list, func(k KeptOn) bool { return k.Promise == v.Name && k.Want == v.Want })
	}
	for i, seed := range seeds {
		for _, v := range s.Judge(figures[i]) {
			k := at(&v)
			if k < 0 {
				k = len(list)
				list = append(list, KeptOn{Promise: v.Name, Want: v.Want, KeptOn: []uint64{}})
			}
			if v.Kept && !slices.Contains(list[k].KeptOn, seed) {
				list[k].KeptOn = append(list[k].KeptOn, seed)
			}
		}
	}
	for i := range own {
		if k := at(&own[i]); k >= 0 {
			list[k].Got = own[i].Got
		}
	}
	return list
}

// TimeoutError is a run that did not end in time.
type TimeoutError struct {
	Scenario string // its path
	Seed     uint64
	After    time.Duration
}

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("%s, seed %d: not done after %v: shorten its duration or its trace, or allow more with --timeout", e.Scenario, e.Seed, e.After)
}

// BadInput marks the error as the user's.
func (e *TimeoutError) BadInput() bool { return true }

// Baseline returns m as a baseline. Tolerances that an earlier one had stay,
// whoever chose them.
func (m *Measured) Baseline(before *Baseline, writtenBy, reason string) (*Baseline, error) {
	trace, err := m.Scenario.TraceHash()
	if err != nil {
		return nil, err
	}
	b := &Baseline{
		Schema: Schema, Scenario: m.Scenario.Name, WrittenBy: writtenBy, Reason: reason,
		Policy: m.Policy.Label(), PolicySHA256: m.Policy.Hash(), WorldSHA256: m.Scenario.WorldHash(), TraceSHA256: trace,
		Seeds: m.Seeds, Digests: m.Digests, Promises: m.Promises, Figures: slices.Clone(m.Figures),
	}
	if before != nil {
		for i := range b.Figures {
			if old := before.Figure(b.Figures[i].Metric); old != nil {
				b.Figures[i].Tolerance = old.Tolerance
			}
		}
	}
	return b, nil
}

// Same reports whether two baselines say the same, whoever wrote them and why.
func (b *Baseline) Same(other *Baseline) bool {
	if other == nil {
		return false
	}
	x, y := *b, *other
	x.WrittenBy, x.Reason, y.WrittenBy, y.Reason = "", "", "", ""
	return string(x.Text()) == string(y.Text())
}
