package controller

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
)

// round is one choice of a launch: first what was wanted, then what stands in for
// what EC2 refused of it.
type round struct {
	launch  *policy.Launch
	choice  int // 0: the launch itself; n: launch.Else[n-1]
	typ     int
	market  policy.Market
	count   int
	intents []string
	refused int
}

// intend writes down the intents of rounds.
func (c *Controller) intend(now time.Time, r *Result, rounds []round) {
	for i := range rounds {
		x := &rounds[i]
		typ := c.c.Env.Catalog.Types[x.typ].Name
		zone := ""
		if x.choice == 0 {
			zone = x.launch.Zone
		}
		pieces := c.c.Actuator.Pieces(typ, x.market, zone, x.count, int(r.Decision), c.zoneCordons())
		if len(pieces) == 0 {
			r.fault(fmt.Sprintf("launch %d×%s", x.count, typ), errCordoned)
			r.Outcome.Refused += x.count
		}
		for _, p := range pieces {
			c.intents++
			intent, err := c.ledger.Intend(fleet.Intent{
				ID:   fmt.Sprintf("%s-%d-%d-%d", c.c.Fleet, c.epoch, r.Decision, c.intents),
				Type: typ, Market: x.market, Zone: p.Zone, Count: p.Count,
				Decided: now, Epoch: c.epoch, Policy: c.deployed.described.Label, Release: c.c.Release, Spec: c.c.Actuator.Spec(),
			})
			if err != nil {
				r.fault("launch", err)
				continue
			}
			x.intents = append(x.intents, intent.ID)
		}
	}
}

// launch asks for what is due, and for what stands in for what is refused until
// there is nothing left to stand in.
func (c *Controller) launch(ctx context.Context, now time.Time, r *Result, rounds []round, asks []fleet.Ask) {
	world := now.Sub(c.recorder.Origin()).Nanoseconds()
	for len(asks) > 0 {
		if s := c.c.Stop(now); s.Is(now) { // somebody stopped it meanwhile
			r.Hold, r.Outcome.Held = ByStop, s.String()
			return
		}
		if err := c.Renew(ctx); err != nil { // another leads: what was saved is its to ask for
			r.Hold, r.Outcome.Held = Superseded, "another controller has taken over"
			return
		}
		// nothing may be asked for after the lead could be another's
		bound, cancel := context.WithTimeout(ctx, min(c.c.FleetTimeout, c.c.LeadFor*2/3))
		c.deeds++
		outcomes := c.c.Actuator.Launch(bound, asks)
		cancel()
		c.ledger.Settle(c.c.Now().UTC(), outcomes)
		fresh := 0
		for i := range outcomes {
			o := &outcomes[i]
			if o.Class != fleet.None && o.Class != fleet.Capacity && o.Class != fleet.Subnet && !o.Remembered {
				r.fault(fmt.Sprintf("launch %d×%s", asks[i].Count, asks[i].Type), fmt.Errorf("%s: %s", o.Code, o.Message))
			}
			k := slices.IndexFunc(rounds, func(x round) bool { return slices.Contains(x.intents, o.Intent) })
			if k < 0 {
				continue // of an earlier decision
			}
			if o.Settlement == fleet.Settled || o.Settlement == fleet.Unsent {
				refused := asks[i].Count - len(o.Instances)
				fresh += len(o.Instances)
				r.Outcome.Refused += refused
				if o.Class == fleet.Capacity || o.Class == fleet.Subnet { // of another type there may be some
					rounds[k].refused += refused
				}
			} else { // on its way, for all that is known
				fresh += asks[i].Count
			}
		}
		r.Outcome.Launched += fresh
		if fresh > 0 {
			c.recorder.Launched(world, fresh)
		}
		if rounds = substitutes(rounds); len(rounds) == 0 {
			return
		}
		c.intend(now, r, rounds)
		asks = c.ledger.Due(now)
		asks = slices.DeleteFunc(asks, func(a fleet.Ask) bool { return a.Again }) // they were asked a moment ago
		if err := c.saved(ctx, now, r); err != nil || r.Outcome.Held != "" {
			return
		}
	}
}

// substitutes returns what stands in for what was refused.
func substitutes(rounds []round) []round {
	var next []round
	for i := range rounds {
		x := &rounds[i]
		if x.refused == 0 || x.choice >= len(x.launch.Else) {
			continue
		}
		s := x.launch.Else[x.choice]
		if n := s.Count(x.refused); n > 0 {
			next = append(next, round{launch: x.launch, choice: x.choice + 1, typ: s.Type, market: s.Market, count: n})
		}
	}
	return next
}
