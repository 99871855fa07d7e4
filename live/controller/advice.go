package controller

import (
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Advice is what somebody outside says of the world that decisions are carried out
// in, such as the provider's status page. It only removes. The zero Advice says
// nothing and holds nothing.
type Advice struct {
	// Text is why; it stands in the journal beside the decision.
	Text string
	// HoldEnds: nothing is drained or ended.
	HoldEnds bool
	// HoldLaunches: one decision launches at most LaunchMax instances.
	HoldLaunches bool
	LaunchMax    int
}

// advised returns the decision reduced to what the advice allows, which it notes.
func (c *Controller) advised(a Advice, r *Result, d *policy.Decision) *policy.Decision {
	if a.HoldEnds && len(d.Drains) > 0 {
		r.Outcome.Provider += fmt.Sprintf(": %d drains held", len(d.Drains))
		rest := *d
		rest.Drains = nil
		d = &rest
	}
	if asked := d.Instances(); a.HoldLaunches && asked > a.LaunchMax {
		few := policy.Open(policy.Unlimited)
		few.LaunchMax = a.LaunchMax
		rest := few.Clamp(&c.obs, &c.c.Env.Catalog, *d)
		r.Outcome.Provider += fmt.Sprintf(": %d of %d launches held", asked-rest.Instances(), asked)
		d = &rest
	}
	return d
}

// advice asks for it.
func (c *Controller) advice(now time.Time) Advice {
	if c.c.Advise == nil {
		return Advice{}
	}
	return c.c.Advise(now)
}
