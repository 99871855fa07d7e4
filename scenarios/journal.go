package scenarios

import "github.com/skynet-ec2/skynet/policy/journal"

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
