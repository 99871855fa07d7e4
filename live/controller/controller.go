package controller

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/policy/observe"
)

// Controller decides about one fleet while it leads. Open makes one. Its methods
// are called by one goroutine.
type Controller struct {
	c      Config
	epoch  int64
	policy policy.Policy
	ledger *fleet.Ledger
	drains []Drain             // by instance
	back   []policy.InstanceID // that drain no longer, and whose workers may not know it
	spent  Spent

	recorder *observe.Recorder
	follow   followed
	sight    sight
	prices   prices
	obs      policy.Observation
	decision int64 // number of the next one
	intents  int   // written down by this process
	journal  *journal.Writer
	closer   io.Closer
	page     time.Time // the day of UTC that the journals are of; zero: none yet
	shadow   *shadowing
	reaped   []string // since the last tick
	deeds    int      // calls that changed something, or may have
	stepped  struct { // the policy's state after its latest step
		decision int64
		text     json.RawMessage
	}
	deployed deployed
}

// Open waits until nobody else leads the fleet, takes the lead, and restores what
// was saved. It returns early if ctx ends. The lead is renewed by every Tick and
// by Renew.
func Open(ctx context.Context, config Config) (*Controller, error) {
	config = config.withDefaults()
	if err := config.Validate(); err != nil {
		return nil, err
	}
	c := &Controller{c: config}
	c.deployed.base = Candidate{config.Policy, config.Described}
	c.deployed.refused = map[int]string{}
	if err := c.lead(ctx); err != nil {
		return nil, err
	}
	if err := c.restore(ctx); err != nil {
		return nil, errors.Join(err, config.Store.Resign(context.WithoutCancel(ctx), config.Fleet, c.epoch))
	}
	if err := c.openJournal(); err != nil {
		return nil, errors.Join(err, config.Store.Resign(context.WithoutCancel(ctx), config.Fleet, c.epoch))
	}
	return c, nil
}

// openJournal begins a journal under the header that holds now, and ends the one
// before. Where none can be begun the one before goes on.
func (c *Controller) openJournal() error {
	if c.c.Journal == nil {
		return nil
	}
	w, err := c.c.Journal()
	if err != nil {
		return fmt.Errorf("journal: %w", err)
	}
	if c.journal != nil {
		c.note(errors.Join(c.journal.Close(), c.closer.Close()))
	}
	c.closer, c.journal = w, journal.NewWriter(w, c.header(), c.decision)
	return nil
}

// lead waits for the lead.
func (c *Controller) lead(ctx context.Context) error {
	waiting := false
	for {
		epoch, err := c.c.Store.Lead(ctx, c.c.Fleet, c.c.Holder, c.c.LeadFor)
		switch {
		case err == nil:
			c.epoch = epoch
			c.c.Log.Info("controller leads", "fleet", c.c.Fleet, "epoch", epoch, "holder", c.c.Holder, "mode", c.c.Mode())
			return nil
		case errors.Is(err, ErrHeld):
			if !waiting {
				c.c.Log.Info("controller stands by", "fleet", c.c.Fleet, "holder", c.c.Holder)
				waiting = true
			}
		case ctx.Err() == nil:
			c.c.Log.Warn("take the lead of the fleet", "fleet", c.c.Fleet, "error", err)
		}
		select {
		case <-time.After(c.c.LeadFor / 8):
		case <-ctx.Done():
			return fmt.Errorf("wait for the lead of fleet %s: %w", c.c.Fleet, context.Cause(ctx))
		}
	}
}

// originStep is what the recorder's origin is a multiple of, since 1970: the
// queue counts arrivals in steps of it.
const originStep = policy.AgeStep

// restore takes over what was saved.
func (c *Controller) restore(ctx context.Context) error {
	c.ledger = fleet.NewLedger(fleet.DefaultRules(0))
	c.readOrders(ctx)
	if err := c.deployed.ordersErr; err != nil {
		return fmt.Errorf("load: %w", err)
	}
	now := c.c.Now().UTC()
	c.recorder = observe.New(c.c.Env, now.Truncate(originStep))
	text, err := c.c.Store.Load(ctx, c.c.Fleet)
	if err != nil {
		return fmt.Errorf("load: %w", err)
	}
	s := &Saved{}
	if text != nil {
		if s, err = decodeSaved(text); err != nil {
			return err
		}
	}
	number, from, p, began, err := c.choose(s.Policy, s.State)
	if err != nil {
		return err
	}
	c.takeOver(number, from, p, began)
	c.deployed.serving.Problem = c.problem()
	if text == nil {
		return c.openShadow(nil)
	}
	if err := json.Unmarshal(s.Ledger, c.ledger); err != nil {
		return fmt.Errorf("saved state: %w", err)
	}
	if err := json.Unmarshal(s.Learned, c.recorder); err != nil {
		return fmt.Errorf("saved state: %w", err)
	}
	if began != stateSaved {
		c.c.Log.Info("another policy than before decides", "fleet", c.c.Fleet, "version", number, "was", s.Policy, "is", from.Described.Label, "state", began)
	}
	c.drains, c.back, c.spent, c.decision = s.Drains, s.Back, s.Spent, s.Decision+1
	for _, i := range c.ledger.Recover(now) {
		c.c.Log.Info("a launch that was never sent is cancelled", "fleet", c.c.Fleet, "intent", i.ID, "type", i.Type, "count", i.Count)
	}
	return c.openShadow(s)
}

// header describes the journal.
func (c *Controller) header() journal.Header {
	return journal.Header{
		Program: c.c.Program, World: journal.Live, Fleet: c.c.Fleet, Epoch: c.epoch,
		Policy: c.deployed.described, Classes: c.c.Env.Classes, Tick: c.c.Env.Tick,
		UTCOffset: c.c.Env.UTCOffset, BootGuess: c.c.Env.BootGuess, Guard: c.c.Guard, Catalog: c.c.Env.Catalog,
	}
}

// Unread returns why the queue or EC2's lists could not be read whole at the latest
// tick; nil: both were.
func (c *Controller) Unread() error {
	var all []error
	if err := c.sight.queueErr; err != nil {
		all = append(all, fmt.Errorf("the queue cannot be read: %w", err))
	}
	if v := &c.sight.view; !v.Complete {
		all = append(all, fmt.Errorf("EC2's lists cannot be read whole: %w", v.Err))
	}
	return errors.Join(all...)
}

// Epoch returns the epoch of this controller's lead.
func (c *Controller) Epoch() int64 { return c.epoch }

// Observation returns what the latest decision was made on. It is overwritten by
// the next Tick.
func (c *Controller) Observation() *policy.Observation { return &c.obs }

// Spent returns what the fleet has cost so far.
func (c *Controller) Spent() Spent { return c.spent }

// Run ticks until ctx ends, which is no error, or somebody else has taken over.
// In between it renews its lead.
func (c *Controller) Run(ctx context.Context) error {
	next := c.c.Now()
	for {
		tick, err := c.Tick(ctx)
		if err != nil {
			return err
		}
		now := c.c.Now()
		next = next.Add(c.c.Env.Tick)
		if next.Before(now) { // ticks that were missed are not made up for
			next = now
		}
		at := next
		if c.c.FastTicks && tick.NextTick > 0 {
			at = now.Add(max(tick.NextTick, policy.MinTick))
			if at.After(next) {
				at = next
			} else {
				next = at
			}
		}
		for wait := at.Sub(now); wait > 0; wait = at.Sub(c.c.Now()) {
			select {
			case <-time.After(min(wait, c.c.LeadFor/4)):
			case <-ctx.Done():
				return nil
			}
			if err := c.Renew(ctx); err != nil {
				return err
			}
			if _, err := c.Reap(ctx); err != nil {
				return err
			}
		}
		if ctx.Err() != nil {
			return nil
		}
	}
}

// Renew prolongs the lead. It fails with ErrFenced once somebody else has taken
// over; other failures pass.
func (c *Controller) Renew(ctx context.Context) error {
	err := c.c.Store.Renew(ctx, c.c.Fleet, c.epoch, c.c.LeadFor)
	if errors.Is(err, ErrFenced) {
		return err
	}
	if err != nil && ctx.Err() == nil {
		c.c.Log.Warn("renew the lead of the fleet", "fleet", c.c.Fleet, "error", err)
	}
	return nil
}

// Close ends the lead and the journal.
func (c *Controller) Close(ctx context.Context) error {
	err := errors.Join(c.c.Store.Resign(ctx, c.c.Fleet, c.epoch), c.shadow.close())
	if c.journal != nil {
		err = errors.Join(err, c.journal.Close(), c.closer.Close())
	}
	return err
}
