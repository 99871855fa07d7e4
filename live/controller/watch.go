package controller

import (
	"time"

	"github.com/skynet-ec2/skynet/live/fleet"
)

// adopt takes every instance that is listed into the ledger, whoever launched it:
// a controller that only watches looks at another's fleet.
func (c *Controller) adopt(now time.Time) {
	for _, in := range c.sight.view.Instances {
		if _, known := c.ledger.Number(in.ID); known || in.State == fleet.Over {
			continue
		}
		launched := in.Launched
		if launched.IsZero() {
			launched = now
		}
		intent, err := c.ledger.Intend(fleet.Intent{ID: "seen-" + in.ID, Type: in.Type, Market: in.Market, Zone: in.Zone, Count: 1, Decided: launched})
		if err != nil { // it ended once, and is listed still
			continue
		}
		c.ledger.Settle(now, []fleet.Outcome{{
			Intent: intent.ID, Settlement: fleet.Settled,
			Instances: []fleet.Launched{{ID: in.ID, Type: in.Type, Zone: in.Zone, At: launched}},
		}})
	}
}
