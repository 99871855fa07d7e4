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

// openShadow makes the shadow that is ordered, or the configuration's, with the
// state it had if it is the one that was saved.
func (c *Controller) openShadow(saved *Saved) error {
	number := c.deployed.orders.Shadow
	if number == 0 {
		return c.beginShadow(0, saved)
	}
	if err := c.beginShadow(number, saved); err != nil {
		c.refuse(number, err)
		return c.beginShadow(0, saved)
	}
	return nil
}

// redeployShadow follows the orders about the shadow.
func (c *Controller) redeployShadow() {
	d := &c.deployed
	number := d.orders.Shadow
	if number == d.beside || d.refused[number] != "" {
		return
	}
	was := c.shadow
	if err := c.beginShadow(number, nil); err != nil {
		c.refuse(number, err)
		d.serving.Problem = c.problem()
		return
	}
	c.note(was.close())
	c.c.Log.Info("another shadow decides beside", "fleet", c.c.Fleet, "version", number, "is", d.serving.Shadow)
	c.note(c.noted(fmt.Sprintf("version %d decides beside it as shadow (%s)", number, d.serving.Shadow)))
}

// beginShadow lets a version decide beside the active policy; 0: the
// configuration's shadow, if it has one.
func (c *Controller) beginShadow(number int, saved *Saved) error {
	s := c.c.Shadow
	if number != 0 {
		from, err := c.candidate(number)
		if err != nil {
			return err
		}
		s = &Shadow{from.Policy, from.Described, c.c.ShadowJournal}
	}
	var begun *shadowing
	if s != nil {
		label, state := "", json.RawMessage(nil)
		if saved != nil {
			label, state = saved.Shadow, saved.ShadowState
		}
		p, _, err := c.make(number, Candidate{s.Policy, s.Described}, label, state)
		if err != nil {
			return fmt.Errorf("shadow: %w", err)
		}
		begun = &shadowing{described: s.Described, policy: p}
		if s.Journal != nil {
			w, err := s.Journal()
			if err != nil {
				return fmt.Errorf("shadow: journal: %w", err)
			}
			h := c.header()
			h.Policy = s.Described
			begun.closer, begun.journal = w, journal.NewWriter(w, h, c.decision)
		}
	}
	c.shadow, c.deployed.beside = begun, number
	c.deployed.serving.ShadowVersion, c.deployed.serving.Shadow = number, ""
	if begun != nil {
		c.deployed.serving.Shadow = begun.described.Label
	}
	return nil
}

// stepShadow lets the shadow decide beside what was decided. One that panics is
// dropped: nothing comes of it, and it must not take the loop down.
func (c *Controller) stepShadow(decided *policy.Decision) (apart Apart) {
	if c.shadow == nil {
		return Apart{}
	}
	defer func() {
		failed := recover()
		if failed == nil {
			return
		}
		c.note(c.shadow.close())
		c.shadow, apart = nil, Apart{}
		c.deployed.serving.Shadow = ""
		err := fmt.Errorf("the shadow panicked: %v", failed)
		if number := c.deployed.beside; number != 0 {
			c.refuse(number, err)
			c.deployed.serving.Problem = c.problem()
			return
		}
		c.c.Log.Error("the shadow is dropped", "fleet", c.c.Fleet, "error", err)
	}()
	apart, err := c.shadow.step(&c.obs, c.c.Guard, &c.c.Env.Catalog, decided)
	c.note(err)
	return apart
}

// step lets the shadow decide on o, and returns how it differs from what was
// decided.
func (s *shadowing) step(o *policy.Observation, guard policy.Guard, catalog *policy.Catalog, decided *policy.Decision) (Apart, error) {
	var err error
	if s.journal != nil {
		err = s.journal.Before(o, s.policy)
	}
	wanted := policy.Obey(o, catalog, s.policy.Step(o))
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
