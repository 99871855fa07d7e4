package controller

import (
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// observeWishes puts what operators ask for into the observation, so that a replay
// honours the same.
func (c *Controller) observeWishes(now time.Time) {
	c.obs.Wishes = c.obs.Wishes[:0]
	for i := range c.deployed.orders.Wishes {
		w := &c.deployed.orders.Wishes[i]
		if !w.Until.After(now) {
			continue
		}
		x := policy.Wish{
			Kind: w.Kind, Type: policy.AnyType, Zone: w.Zone, Instances: w.Instances, Cores: w.Cores,
			Until: w.Until, By: w.By, Why: w.Why,
		}
		if w.Kind == policy.WishDrain {
			number, known := c.ledger.Number(w.Instance)
			if !known { // it has ended, or is not the fleet's
				continue
			}
			x.Instance = number
		}
		if w.Type != "" {
			if x.Type = c.c.Env.Catalog.Index(w.Type); x.Type < 0 {
				c.c.Log.Warn("a wish is of a type that the catalog lacks", "fleet", c.c.Fleet, "wish", w.String(), "by", w.By)
				continue
			}
		}
		c.obs.Wishes = append(c.obs.Wishes, x)
	}
}

// zoneCordons returns what tells whether a zone is cordoned; nil: none is.
func (c *Controller) zoneCordons() func(zone string) bool {
	closed := map[string]bool{}
	for i := range c.obs.Wishes {
		if w := &c.obs.Wishes[i]; w.Kind == policy.WishCordon && w.Zone != "" {
			closed[w.Zone] = true
		}
	}
	if len(closed) == 0 {
		return nil
	}
	return func(zone string) bool { return closed[zone] }
}

// errCordoned says that nothing of a launch may be asked for.
var errCordoned = fmt.Errorf("every zone it could be launched into is cordoned, or EC2 would choose one")
