package scenarios

import (
	"context"
	"fmt"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
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
	if err != nil {
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
	return made, nil
}

// JournalHeader returns the header of the journal of a run under p, or under the
// scenario's own policy if p is nil, with weather drawn from seed. program is who
// writes it, with its version.
func (w *World) JournalHeader(p *Policy, seed uint64, program string) journal.Header {
	if p == nil {
		p = w.scenario.policy
	}
	c := w.Config(seed)
	env := c.Env()
	h := journal.Header{
		Program: program, World: journal.Simulated, Scenario: c.Name, Seed: seed, Start: c.Start.UTC(), JudgeFrom: c.JudgeFrom,
		Classes: env.Classes, Tick: env.Tick, UTCOffset: env.UTCOffset, BootGuess: env.BootGuess,
		Guard: c.Limits(), Catalog: env.Catalog,
	}
	if p.Spec == nil {
		h.Policy = journal.ScriptOf(p.Steps, p.Label())
	} else {
		h.Policy = journal.PolicyOf(p.Spec, p.Values, p.Label())
	}
	return h
}
