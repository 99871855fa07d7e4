package controller

import (
	"context"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Pricer tells what instances cost on the spot market.
type Pricer interface {
	// SpotPrices returns prices per hour now by catalog index; 0: none is known.
	SpotPrices(ctx context.Context) ([]policy.MicroUSD, error)
}

// EC2 moves spot prices some times a day. pricesEvery is how often they are asked
// for, and pricesLast how long an answer holds: after that a spot instance counts
// with its price on demand, which is never less.
const (
	pricesEvery = 5 * time.Minute
	pricesLast  = time.Hour
)

// prices are those of the spot market.
type prices struct {
	spot      []policy.MicroUSD
	at, asked time.Time // of the last answer, and of the last question
}

// readPrices asks for prices where it is time to. What cannot be read is unknown
// after a while, and holds nothing up.
func (c *Controller) readPrices(ctx context.Context) {
	p, now := &c.prices, c.c.Now().UTC()
	if c.c.Prices == nil || !p.asked.IsZero() && now.Sub(p.asked) < pricesEvery {
		return
	}
	p.asked = now
	spot, err := c.c.Prices.SpotPrices(ctx)
	if err != nil {
		c.c.Log.Warn("spot prices cannot be read", "fleet", c.c.Fleet, "error", err)
		return
	}
	p.spot, p.at = spot, now
}

// observe returns the prices that hold now, in into; nil: no spot market, or none
// that is known.
func (p *prices) observe(now time.Time, into []policy.MicroUSD) []policy.MicroUSD {
	if p.at.IsZero() || now.Sub(p.at) > pricesLast || !slices.ContainsFunc(p.spot, func(price policy.MicroUSD) bool { return price > 0 }) {
		return nil
	}
	return append(into[:0], p.spot...)
}
