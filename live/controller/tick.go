package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
)

// Result is what a tick came to.
type Result struct {
	// Decision is its number, At its time.
	Decision int64
	At       time.Time
	// Decided is what the guard left. It is valid until the next tick.
	Decided policy.Decision
	Removed journal.Removed
	Outcome journal.Outcome
	// Hold says in a word why nothing was carried out; Outcome.Held says it whole.
	Hold Hold
	// Found is what the sweep found.
	Found []fleet.Finding
	// Terminated are EC2's ids of instances that were ended.
	Terminated []string
	// Reaped are those that Reap ended since the tick before.
	Reaped   []string
	NextTick time.Duration
	// Apart is how the shadow's decision differs.
	Apart Apart
}

// Tick gathers, decides, saves, acts and settles once. It fails only when another
// controller has taken over, with ErrFenced; everything else that goes wrong is
// part of the result, and the next tick goes on from there.
func (c *Controller) Tick(ctx context.Context) (*Result, error) {
	if err := c.Renew(ctx); err != nil {
		return nil, err
	}
	c.gather(ctx)
	now, why := c.tickTime()
	if why != "" {
		c.c.Log.Error("nothing is decided: the clocks are apart", "fleet", c.c.Fleet, "what", why)
		r := &Result{Decision: c.decision - 1, At: now, Hold: ByClock, Reaped: c.reaped}
		r.Outcome.Held, c.reaped = why, nil
		if c.c.Seen != nil {
			c.c.Seen(c, r)
		}
		return r, nil
	}
	c.redeploy()
	if c.c.Actuator == nil {
		c.adopt(now)
	}
	c.hear(now)
	c.boots(now)
	c.rule()
	found, ends := c.ledger.Sweep(now, c.sight.view, c.sight.queueSince)
	for _, f := range found {
		c.report(f)
	}
	c.forgetDrains(now)
	c.observe(now, found)
	r := &Result{Decision: c.decision, At: now, Found: found, Reaped: c.reaped}
	c.reaped = nil
	c.turnPages(now)
	wanted := c.step()
	asked, drains := wanted.Instances(), len(wanted.Drains)
	r.Decided = c.c.Guard.Clamp(&c.obs, &c.c.Env.Catalog, wanted)
	r.NextTick = r.Decided.NextTick
	r.Removed = journal.Removed{Launches: asked - r.Decided.Instances(), Drains: drains - len(r.Decided.Drains)}
	if c.journal != nil {
		c.note(c.journal.Decided(&c.obs, &r.Decided, r.Removed, c.policy))
	}
	r.Apart = c.stepShadow(&r.Decided)
	c.decision++
	err := c.carryOut(ctx, now, r, ends)
	if c.journal != nil {
		c.note(c.journal.Became(r.Outcome))
	}
	if r.Decided.Instances() > 0 || len(r.Decided.Drains) > 0 {
		c.recorder.Decided(policy.Outcome{
			At: now, Asked: r.Decided.Instances(), Launched: r.Outcome.Launched, Refused: r.Outcome.Refused, Drained: r.Outcome.Drained,
		})
	}
	c.log(r)
	if c.c.Seen != nil {
		c.c.Seen(c, r)
	}
	return r, err
}

// tickTime returns the time of this tick, or why it cannot be told. A policy's
// time only goes forward: a clock that went back a little stands still, and one
// that went back further holds until it has caught up, or the controller is
// started anew.
func (c *Controller) tickTime() (now time.Time, why string) {
	now = c.c.Now().UTC()
	last := c.sight.at
	switch back := last.Sub(now); {
	case c.sight.apart != "":
		return now, c.sight.apart
	case back > clockApart:
		return now, fmt.Sprintf("the clock says %s, %s earlier than at the last tick", now.Format(time.RFC3339), back.Round(time.Second))
	case back >= 0 && !last.IsZero():
		return last.Add(time.Millisecond), ""
	}
	return now, ""
}

// rule gives the ledger the boot lag that has been learned.
func (c *Controller) rule() {
	b := &c.obs.Fleet.Boot
	if b.Samples > 0 {
		c.ledger.SetRules(fleet.DefaultRules(2 * b.P99))
	}
}

// note logs an error of the journal, which is kept as well as it can be: a full
// disk must not stop the fleet.
func (c *Controller) note(err error) {
	if err != nil {
		c.c.Log.Error("the journal cannot be written", "fleet", c.c.Fleet, "error", err)
	}
}

// report logs a finding.
func (c *Controller) report(f fleet.Finding) {
	level := c.c.Log.Info
	if f.Kind.Alarms() {
		level = c.c.Log.Error
	}
	level(f.Kind.String(), "fleet", c.c.Fleet, "instance", f.Instance, "intent", f.Intent, "what", f.Text)
}

// log says what a tick came to, if it came to anything.
func (c *Controller) log(r *Result) {
	if r.Apart.Is() {
		c.c.Log.Info("the shadow decides otherwise", "fleet", c.c.Fleet, "decision", r.Decision, "launches", r.Apart.Launches, "drains", r.Apart.Drains)
	}
	if r.Decided.IsZero() && len(r.Terminated) == 0 && len(r.Outcome.Errors) == 0 {
		return
	}
	args := []any{"fleet", c.c.Fleet, "decision", r.Decision}
	for i := range r.Decided.Launches {
		l := &r.Decided.Launches[i]
		args = append(args, "launch", fmt.Sprintf("%d×%s", l.Count, c.c.Env.Catalog.Types[l.Type].Name))
	}
	if n := len(r.Decided.Drains); n > 0 {
		args = append(args, "drain", n)
	}
	if n := len(r.Decided.Undrains); n > 0 {
		args = append(args, "undrain", n)
	}
	if n := len(r.Terminated); n > 0 {
		args = append(args, "terminated", n)
	}
	if r.Outcome.Held != "" {
		args = append(args, "held", r.Outcome.Held)
	}
	if r.Outcome.Provider != "" {
		args = append(args, "provider", r.Outcome.Provider)
	}
	for _, e := range r.Outcome.Errors {
		args = append(args, "error", e)
	}
	c.c.Log.Info("decided", args...)
}

// save writes down everything that the next leader needs.
func (c *Controller) save(ctx context.Context, now time.Time) error {
	s := Saved{Format: savedFormat, Decision: c.decision - 1, At: now, Policy: c.deployed.described.Label, Drains: c.drains, Back: c.back, Spent: c.spent}
	var err error
	if s.State, err = c.state(); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	if s.Learned, err = c.recorder.MarshalJSON(); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	if s.Ledger, err = c.ledger.MarshalJSON(); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	if c.shadow != nil {
		state, err := json.Marshal(c.shadow.policy)
		if err != nil {
			return fmt.Errorf("save: shadow: %w", err)
		}
		s.Shadow, s.ShadowState = c.shadow.described.Label, state
	}
	c.deployed.state = s.State
	text, err := json.Marshal(&s)
	if err != nil {
		return fmt.Errorf("save: %w", err)
	}
	if err := c.c.Store.Save(ctx, c.c.Fleet, c.epoch, text); err != nil {
		return fmt.Errorf("save: %w", err)
	}
	return nil
}

// state returns the policy's state, which changes by its steps only.
func (c *Controller) state() (json.RawMessage, error) {
	if c.stepped.text == nil || c.stepped.decision != c.decision {
		text, err := json.Marshal(c.policy)
		if err != nil {
			return nil, err
		}
		c.stepped.decision, c.stepped.text = c.decision, text
	}
	return c.stepped.text, nil
}
