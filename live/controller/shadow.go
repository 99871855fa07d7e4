package controller

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
)

// Shadow describes a policy that decides beside the active one, on the same
// observations and behind the same guard, and of whose decisions nothing comes.
type Shadow struct {
	Policy    func() (policy.Policy, error)
	Described journal.Policy
	// Journal opens the shadow's own journal; nil: none is kept.
	Journal func() (io.WriteCloser, error)
}

// Apart tells how the shadow's decision differs from the active one's.
type Apart struct {
	// Launches and Drains are how many instances more than the active policy the
	// shadow would have launched and drained; below 0: fewer.
	Launches int `json:"launches"`
	Drains   int `json:"drains"`
}

// Is reports whether they differ.
func (a Apart) Is() bool { return a != Apart{} }

// shadowing is a shadow at work.
type shadowing struct {
	described journal.Policy
	policy    policy.Policy
	journal   *journal.Writer
	closer    io.Closer
}

// openShadow makes the shadow, with the state it had if it is the one that was
// saved.
func (c *Controller) openShadow(saved *Saved) error {
	s := c.c.Shadow
	if s == nil {
		return nil
	}
	p, err := s.Policy()
	if err != nil {
		return fmt.Errorf("shadow: %w", err)
	}
	if saved != nil && saved.Shadow == s.Described.Label {
		if err := json.Unmarshal(saved.ShadowState, p); err != nil {
			return fmt.Errorf("saved state: shadow %s: %w", saved.Shadow, err)
		}
	}
	c.shadow = &shadowing{described: s.Described, policy: p}
	if s.Journal == nil {
		return nil
	}
	w, err := s.Journal()
	if err != nil {
		return fmt.Errorf("shadow: journal: %w", err)
	}
	h := c.header()
	h.Policy = s.Described
	c.shadow.closer, c.shadow.journal = w, journal.NewWriter(w, h, c.decision)
	return nil
}

// step lets the shadow decide on o, and returns how it differs from what was
// decided.
func (s *shadowing) step(o *policy.Observation, guard policy.Guard, catalog *policy.Catalog, decided *policy.Decision) (Apart, error) {
	var err error
	if s.journal != nil {
		err = s.journal.Before(o, s.policy)
	}
	wanted := s.policy.Step(o)
	asked, drains := wanted.Instances(), len(wanted.Drains)
	d := guard.Clamp(o, catalog, wanted)
	if s.journal != nil {
		removed := journal.Removed{Launches: asked - d.Instances(), Drains: drains - len(d.Drains)}
		err = errors.Join(err, s.journal.Decided(o, &d, removed, s.policy), s.journal.Became(journal.Outcome{Held: "shadow"}))
	}
	return Apart{d.Instances() - decided.Instances(), len(d.Drains) - len(decided.Drains)}, err
}

func (s *shadowing) close() error {
	if s == nil || s.journal == nil {
		return nil
	}
	return errors.Join(s.journal.Close(), s.closer.Close())
}
