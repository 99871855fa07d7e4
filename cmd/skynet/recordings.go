package main

import (
	"errors"
	"os"

	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/scenarios/recording"
)

// fetch makes sure that the recording a scenario names by URL is in the cache.
func (a *app) fetch(s *scenarios.Scenario) error { return a.fetchInto(s, false) }

func (a *app) fetchInto(s *scenarios.Scenario, offline bool) error {
	r, named := s.Recording()
	if !named {
		return nil
	}
	cache := recording.DefaultCache()
	cache.Offline = offline
	if _, err := os.Stat(cache.Path(r)); err != nil && !offline {
		a.log.Info("downloading a recording", "url", r.URL)
	}
	_, err := cache.Fetch(a.ctx, r)
	return err
}

// recordings fetches what the scenarios need. One that cannot be had is an error
// in continuous integration and with --offline, where nobody would notice that
// its scenario was left out; elsewhere that scenario is not run.
func (c *checking) recordings() error {
	must := c.offline || os.Getenv("CI") == "true"
	for _, k := range c.cases {
		err := c.app.fetchInto(k.scenario, c.offline)
		var missing *recording.MissingError
		switch {
		case err == nil:
		case c.app.ctx.Err() != nil:
			return c.app.ctx.Err()
		case errors.As(err, &missing) && !must:
			k.skipped = err.Error()
		default:
			return err
		}
	}
	return nil
}
