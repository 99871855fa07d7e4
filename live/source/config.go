package source

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
)

// Kind is a kind of job, of which a Reader counts how many there are.
type Kind struct {
	Type     string
	Priority int
	// Service is the mean time that a job takes on a slot of speed 1; 0: what the
	// reader says, or else what is learned.
	Service time.Duration
}

// Config describes a Queue.
type Config struct {
	Kinds  []Kind
	Reader Reader
	// Fleet is asked once for what there is, before the controller has looked; see
	// Queue.Watch.
	Fleet   fleet.Observer
	Catalog *policy.Catalog

	// ReadyAfter is how long after its launch an instance counts as ready where the
	// source does not tell of workers; 0: 2 minutes.
	ReadyAfter time.Duration
	// IdleAfter is how long an instance must have been seen idle before it is known
	// to be; 0: 2 minutes. SQS counts what is in flight only approximately.
	IdleAfter time.Duration
	// DrainGrace is how long an instance that is to go and is not known to be idle
	// stays at most; 0: for ever.
	DrainGrace time.Duration
	// HoldZero is for how long a fall to nothing that cannot be true is taken as
	// unknown, before it is believed; 0: 5 minutes.
	HoldZero time.Duration
	// Now tells the time; nil: time.Now.
	Now func() time.Time
	Log *slog.Logger
}

func (c Config) withDefaults() Config {
	for _, d := range []struct {
		at    *time.Duration
		value time.Duration
	}{{&c.ReadyAfter, 2 * time.Minute}, {&c.IdleAfter, 2 * time.Minute}, {&c.HoldZero, 5 * time.Minute}} {
		if *d.at == 0 {
			*d.at = d.value
		}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c
}

// check returns what is missing or impossible.
func (c *Config) check() error {
	switch {
	case len(c.Kinds) == 0:
		return errors.New("source: no kind of job")
	case c.Reader == nil || c.Fleet == nil || c.Catalog == nil:
		return errors.New("source: a reader, a fleet and a catalog must be given")
	}
	for i, k := range c.Kinds {
		if k.Type == "" || k.Priority < 0 || k.Priority > 255 || k.Service < 0 {
			return fmt.Errorf("source: kind %d: a type, a priority from 0 to 255, and no service time below 0", i+1)
		}
		for _, other := range c.Kinds[:i] {
			if other.Type == k.Type && other.Priority == k.Priority {
				return fmt.Errorf("source: kind %d: %s of priority %d is there already", i+1, k.Type, k.Priority)
			}
		}
	}
	return nil
}
