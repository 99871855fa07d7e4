package journal

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/skynet-ec2/skynet/policy"
)

// Player steps a policy through the observations of a journal. It is given what
// a Reader returns, in that order.
type Player struct {
	// New makes the policy of a header, before its first step.
	New func(*Header) (policy.Policy, error)
	// Other: the policy is not the one that the journal is of. It begins without
	// a state and keeps its own; headers do not interrupt it.
	Other bool

	header  *Header
	policy  policy.Policy
	restore bool // the next state is taken over
	known   bool // the policy has a state to go on from
}

// Policy returns the policy as it is after the last step, nil before the first
// header.
func (p *Player) Policy() policy.Policy { return p.policy }

// Header takes the header that holds from here on.
func (p *Player) Header(h *Header) error {
	if p.Other && p.policy != nil {
		p.header = h
		return nil
	}
	made, err := p.New(h)
	if err != nil {
		return err
	}
	p.header, p.policy, p.restore = h, made, true
	p.known = p.Other
	return nil
}

// State takes a state over where one is due, and otherwise returns where the
// policy's own differs from it first.
func (p *Player) State(s *State) (at difference, differs bool, err error) {
	switch {
	case p.Other:
		return at, false, nil
	case p.restore:
		if err := p.policy.UnmarshalJSON(s.State); err != nil {
			return at, false, err
		}
		p.restore, p.known = false, true
	}
	own, err := p.policy.MarshalJSON()
	if err != nil {
		return at, false, err
	}
	if !bytes.Equal(own, s.State) {
		if at, differs, err = firstDifference(s.State, own); err != nil || differs {
			return at, differs, err
		}
	}
	if hash := hashOf(p.policy, own).String(); hash != s.Hash {
		return difference{"hash", s.Hash, hash}, true, nil
	}
	return at, false, nil
}

// Step returns what the policy wants about the observation of a record, as
// operators' wishes change it, and what of it the guard allows. Both are valid until the next step. A policy that
// panics is an error.
func (p *Player) Step(rec *Record) (wanted, allowed policy.Decision, err error) {
	if !p.known {
		return wanted, allowed, errors.New("no state stands before it: it cannot be replayed")
	}
	defer func() {
		if failed := recover(); failed != nil {
			err = fmt.Errorf("the policy panicked: %v", failed)
		}
	}()
	guard := p.header.Guard
	if rec.Guard != nil {
		guard = *rec.Guard
	}
	o := &rec.Observation
	wanted = policy.Obey(o, &p.header.Catalog, p.policy.Step(o))
	return wanted, guard.Clamp(o, &p.header.Catalog, wanted), nil
}
