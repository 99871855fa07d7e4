package controller

import (
	"context"
	"fmt"

	"github.com/skynet-ec2/skynet/live/api"
)

// emptied returns those of the instances that a sweep wants ended that may be ended
// now. An instance that the ledger lacks (nobody asked for it, or it is one too
// many) may have a worker all the same: that one is told to take no more first, and
// the instance ends at a tick that finds nothing leased to it. While the queue
// cannot be read none of them ends. What the ledger has was drained before, or has
// never worked.
func (c *Controller) emptied(ctx context.Context, r *Result, ids []string) []string {
	var now []string
	for _, id := range ids {
		if _, known := c.ledger.Number(id); known {
			now = append(now, id)
			continue
		}
		w := c.sight.workers[id]
		switch {
		case c.sight.queue == nil:
			c.c.Log.Warn("an instance that nobody asked for stays while the queue cannot be read", "fleet", c.c.Fleet, "instance", id)
		case w == nil:
			now = append(now, id)
		case w.Directive != api.OpDrain && w.Directive != api.OpShutdown:
			c.tell(ctx, r, id, api.OpDrain, fmt.Sprintf("decision %d: nobody asked for it", r.Decision))
		case len(w.Running) == 0:
			now = append(now, id)
		}
	}
	return now
}
