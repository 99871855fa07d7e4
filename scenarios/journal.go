package scenarios

import (
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/sim"
)

// JournalHeader returns the header of the journal of a run under p, or under the
// scenario's own policy if p is nil, with weather drawn from seed. program is who
// writes it, with its version.
func (w *World) JournalHeader(p *Policy, seed uint64, program string) journal.Header {
	c := w.Config(seed)
	h := w.scenario.header(c, p, program)
	h.World, h.Scenario, h.Seed, h.Start, h.JudgeFrom = journal.Simulated, c.Name, seed, c.Start.UTC(), c.JudgeFrom
	return h
}

// LiveHeader returns what a controller needs of the scenario, as the header of
// its journal: the classes, the catalog, the guard and the policy, p or the
// scenario's own if p is nil. The scenario's trace is not opened.
func (s *Scenario) LiveHeader(p *Policy, program string) journal.Header {
	h := s.header(s.EC2(), p, program)
	h.World = journal.Live
	return h
}

// header describes the world c under p.
func (s *Scenario) header(c *sim.Config, p *Policy, program string) journal.Header {
	if p == nil {
		p = s.policy
	}
	env := c.Env()
	h := journal.Header{
		Program: program,
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
