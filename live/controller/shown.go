package controller

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// What follows is for whoever is shown a tick (Config.Seen), while it is shown.

// EC2ID returns EC2's name of an instance; false: it has none yet.
func (c *Controller) EC2ID(number policy.InstanceID) (id string, known bool) {
	return c.ledger.EC2ID(number)
}

// Draining returns the drain of an instance; false: it does not drain.
func (c *Controller) Draining(number policy.InstanceID) (Drain, bool) {
	at, draining := c.drain(number)
	if !draining {
		return Drain{}, false
	}
	return c.drains[at], true
}

// Forecast returns what the policy expected at the latest decision of the time when
// an instance launched then could help: the mean of the work that comes and its 90th
// percentile, in reference cores. known is false where the policy makes no forecast.
func (c *Controller) Forecast() (mean, high float64, ahead time.Duration, known bool) {
	p, known := c.policy.(interface {
		Forecast() (mean, high float64, ahead time.Duration)
	})
	if !known {
		return 0, 0, 0, false
	}
	mean, high, ahead = p.Forecast()
	return mean, high, ahead, true
}
