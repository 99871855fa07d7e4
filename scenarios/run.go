package scenarios

import (
	"context"
	"errors"
	"fmt"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// Run simulates the world once under p, or under the scenario's own policy if p
// is nil, with trace and weather drawn from seed. Two policies with one seed
// meet the same of both.
func (w *World) Run(ctx context.Context, p *Policy, seed uint64, opt sim.Options) (*sim.Result, error) {
	src, err := w.Source(seed)
	if err != nil {
		return nil, err
	}
	defer src.Close()
	return w.RunFrom(ctx, src, p, seed, opt)
}

// RunFrom is Run on a source that the caller has opened, and closes.
func (w *World) RunFrom(ctx context.Context, src traces.Source, p *Policy, seed uint64, opt sim.Options) (*sim.Result, error) {
	if p == nil {
		p = w.scenario.policy
	}
	decides, err := w.make(p)
	if err != nil {
		return nil, err
	}
	result, err := sim.Run(ctx, w.Config(seed), decides, src, opt)
	var stray *sim.UnclassedError
	if errors.As(err, &stray) { // of several scenarios, this one
		return nil, fmt.Errorf("%s: %w", w.scenario.Path, err)
	} else if err != nil {
		return nil, err
	}
	result.Figures.Policy = p.Label()
	return result, nil
}

// make returns p, fresh.
func (w *World) make(p *Policy) (policy.Policy, error) {
	made, err := p.New(w.config.Env())
	if err != nil {
		return nil, fmt.Errorf("policy %s: %w", p.Name, err)
	}
	if state := w.scenario.state; state != nil && p == w.scenario.policy {
		if err := made.UnmarshalJSON(state); err != nil {
			return nil, fmt.Errorf("policy.state: %s: %w", w.scenario.Policy.State, err)
		}
	}
	return made, nil
}

// NoJobs returns the error of a run in which no job arrived.
func NoJobs(s *Scenario, seed uint64) error {
	what := fmt.Sprintf("%s, seed %d: holds no job", s.Path, seed)
	if t := s.Trace; t != nil {
		what = s.tracePath() + ": holds no job"
		if len(t.Cut) > 0 {
			what += fmt.Sprintf(" from %s to %s (trace.cut)", FormatDuration(t.Cut[0]), FormatDuration(t.Cut[1]))
		}
	}
	return noJobs{errors.New(what + ": there is nothing to judge a policy by")}
}

// noJobs is a trace without jobs.
type noJobs struct{ error }

// BadInput marks the error as the user's.
func (noJobs) BadInput() bool { return true }
