package controller

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
)

// Queue is what a controller needs of the queue. *client.Client is one.
type Queue interface {
	// Observe returns the queue's counters.
	Observe(ctx context.Context, r api.ObserveRequest) (api.Observed, error)
	// Direct tells workers what to do.
	Direct(ctx context.Context, r api.DirectiveRequest) (api.PostedDirective, error)
}

// Mode says what becomes of decisions.
type Mode uint8

const (
	// Observe: they are recorded, and nothing is done.
	Observe Mode = iota
	// Active: they are carried out.
	Active
)

var modeWords = [...]string{"observe", "active"}

// String returns the word.
func (m Mode) String() string { return modeWords[m] }

// Config describes a controller of one fleet.
type Config struct {
	// Fleet names the fleet: its intents, its saved state and its journal.
	Fleet string
	// Holder names this process to others who would lead.
	Holder string
	// LeadFor is how long the lead lasts unless it is renewed; 0: 15 s. Another
	// process takes over after at most this.
	LeadFor time.Duration

	// Env is the world that the policy is told of.
	Env policy.Env
	// Policy makes the policy, before its first step; Described is what the
	// journal says of it. A state that was saved by another is not restored.
	Policy    func() (policy.Policy, error)
	Described journal.Policy
	// Shadow decides beside it; nil: nobody does, unless Book has one.
	Shadow *Shadow
	// Book has what operators order, read at every tick; nil: nobody orders. A
	// version that is active there decides, not Policy.
	Book Book
	// Decode makes a candidate of the file of a policy that was deployed; nil: none
	// can be.
	Decode func(text []byte) (Candidate, error)
	// Reload returns Policy and Described anew where they have changed since it was
	// last called, and nil where they have not; nil: they never do.
	Reload func() (*Candidate, error)
	// ShadowJournal opens the journal of a shadow that was deployed; nil: none is
	// kept.
	ShadowJournal func() (io.WriteCloser, error)
	// Guard stands behind the policy. Caps, if set, is asked again right before
	// anything is launched, and what it answers stands as a second guard: limits
	// that an operator keeps apart from everything else. When it fails nothing is
	// launched.
	Guard policy.Guard
	Caps  func() (policy.Guard, error)
	// Shared, if set, is the guard that spans every fleet of Claims: their
	// instances, cores and money together stay within it. It is asked again at every
	// decision; when it fails nothing is launched.
	Shared func() (policy.Guard, error)
	Claims Claims
	// Budgets for the hour, day and month; 0: none.
	BudgetHour, BudgetDay, BudgetMonth policy.MicroUSD

	Queue    Queue
	Observer fleet.Observer
	// Prices of the spot market; nil: there is none.
	Prices Pricer
	// Actuator carries decisions out; nil: the controller only observes.
	Actuator fleet.Actuator
	Store    Store
	// Stop tells whether somebody has stopped the controller; nil: nobody can.
	// See Stops.
	Stop func(now time.Time) Stopped
	// Advise, if set, tells at every decision what somebody outside says that may
	// hold it. It answers at once.
	Advise func(now time.Time) Advice
	// Journal opens the journal that begins with this controller's lead; nil: none
	// is kept.
	Journal func() (io.WriteCloser, error)
	// Release of the worker that instances are launched with; a tag.
	Release string
	// Program that writes the journal, with its version.
	Program string

	// QueueTimeout and FleetTimeout bound the readings; 0: 5 s and 30 s. Lease is
	// how long a worker may be silent; 0: 30 s.
	QueueTimeout, FleetTimeout, Lease time.Duration
	// FastTicks lets the policy ask for an earlier tick.
	FastTicks bool
	// Now tells the time; nil: time.Now.
	Now func() time.Time
	// Seen, if set, is shown what every tick came to, by the goroutine that ticks.
	// What it is given is valid until it returns.
	Seen func(*Controller, *Result)
	Log  *slog.Logger
}

// withDefaults returns the configuration with every default in its place.
func (c Config) withDefaults() Config {
	set := func(d *time.Duration, value time.Duration) {
		if *d == 0 {
			*d = value
		}
	}
	set(&c.LeadFor, 15*time.Second)
	set(&c.QueueTimeout, 5*time.Second)
	set(&c.FleetTimeout, 30*time.Second)
	set(&c.Lease, 30*time.Second)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Stop == nil {
		c.Stop = func(time.Time) Stopped { return Stopped{} }
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// fleetNameMax keeps intents within what EC2 takes as their id.
const fleetNameMax = 24

// Validate returns an error that names the first thing that is missing or
// impossible.
func (c *Config) Validate() error {
	switch {
	case c.Fleet == "" || len(c.Fleet) > fleetNameMax || strings.Trim(c.Fleet, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "":
		return fmt.Errorf("fleet = %q: must be 1 to %d letters, digits and -", c.Fleet, fleetNameMax)
	case c.Queue == nil || c.Observer == nil || c.Store == nil || c.Policy == nil:
		return fmt.Errorf("controller: a queue, an observer, a store and a policy must be given")
	case c.Shared != nil && c.Claims == nil:
		return fmt.Errorf("controller: caps over several fleets need a store of claims")
	case c.Env.Tick < policy.MinTick:
		return fmt.Errorf("tick = %v: must be at least %v", c.Env.Tick, policy.MinTick)
	case len(c.Env.Catalog.Types) == 0:
		return fmt.Errorf("catalog: no instance type")
	case len(c.Env.Classes) == 0:
		return fmt.Errorf("class: nothing is promised to anybody")
	}
	if err := c.Env.Catalog.Validate(); err != nil {
		return err
	}
	return errors.Join(c.Guard.Validate()...)
}

// Mode returns what becomes of decisions.
func (c *Config) Mode() Mode {
	if c.Actuator == nil {
		return Observe
	}
	return Active
}
