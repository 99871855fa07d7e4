package controller_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
)

// EC2 tells an instance alone that it takes it back, two minutes before. The
// worker passes it on with its next word, or with its last one; the controller
// counts on the instance no more, and what is needed instead is launched before it
// is gone. Its jobs are done or given back: none is lost.
func TestSpotNoticeThatOnlyTheWorkerSees(t *testing.T) {
	for name, run := range map[string]time.Duration{"while it works": 40 * time.Second, "while it is idle": time.Second} {
		t.Run(name, func(t *testing.T) {
			storyWith(t, func(w *world) { w.run = run }, nil, func(w *world, r *region) {
				c := w.config("a")
				made := c.Policy
				c.Policy = func() (policy.Policy, error) {
					p, err := made()
					return &stormPolicy{Policy: p, market: policy.Spot}, err
				}
				c.Prices = c.Observer.(controller.Pricer)
				k := w.open(c)
				rate := 20 / run.Seconds() // twenty busy slots of the fastest
				w.minutes(k, 40, rate)
				alive, ever := len(r.Alive()), r.ever()
				if alive < 5 {
					t.Fatalf("%d instances for twenty busy slots", alive)
				}
				r.weather(sim.Fault{Kind: sim.Interrupt, Probability: 0.6, To: time.Second})
				warned := time.Now()
				replaced := time.Duration(0)
				for replaced == 0 && time.Since(warned) < 5*time.Minute {
					w.minutes(k, 1, rate)
					for _, in := range r.alive() {
						if after := in.Launched.Sub(warned); after > 0 && (replaced == 0 || after < replaced) {
							replaced = after
						}
					}
				}
				for i, price := range k.Observation().Money.Spot {
					if onDemand := k.Observation().Money.OnDemand[i]; price <= 0 || price >= onDemand {
						t.Errorf("%s costs %v on the spot market, %v on demand", w.env.Catalog.Types[i].Name, price, onDemand)
					}
				}
				if len(k.Observation().Money.Spot) != len(w.env.Catalog.Types) {
					t.Errorf("spot prices %v of %d types", k.Observation().Money.Spot, len(w.env.Catalog.Types))
				}
				known := 0
				for _, in := range k.Observation().Fleet.Instances {
					if !in.InterruptAt.IsZero() {
						known++
					}
				}
				f := &k.Observation().Fleet
				t.Logf("of %d instances %d are taken back; the first of %d new ones was launched %s after the notice", alive, known, r.ever()-ever, replaced)
				if known == 0 || f.Interrupted < known {
					t.Errorf("%d instances are known to be taken back, %d were counted", known, f.Interrupted)
				}
				if replaced == 0 || replaced > 90*time.Second {
					t.Errorf("replaced %s after the notice, which came two minutes before the end", replaced)
				}
				w.minutes(k, 10, rate)
				w.finished(k, 20)
				w.unharmed()
			})
		})
	}
}

// priceList is a spot market that can fall silent.
type priceList struct {
	prices []policy.MicroUSD
	silent bool
	asked  int
}

func (l *priceList) SpotPrices(context.Context) ([]policy.MicroUSD, error) {
	l.asked++
	if l.silent {
		return nil, errors.New("no answer")
	}
	return slices.Clone(l.prices), nil
}

// Spot prices are asked for now and then, hold for an hour when nobody answers, and
// are unknown afterwards: never zero, never free.
func TestSpotPricesGrowOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.config("a")
		list := &priceList{prices: make([]policy.MicroUSD, len(w.env.Catalog.Types))}
		c.Prices = list
		k := w.open(c)
		w.minutes(k, 1, 0)
		if got := k.Observation().Money.Spot; got != nil {
			t.Errorf("a market that sells nothing has prices: %v", got)
		}
		list.prices[0] = 40_000
		w.minutes(k, 11, 0)
		if got := k.Observation().Money.Spot; !slices.Equal(got, list.prices) || list.asked != 3 {
			t.Errorf("after 12 minutes %v, asked %d times; want %v, 3 times", got, list.asked, list.prices)
		}
		list.silent = true
		w.minutes(k, 50, 0)
		if got := k.Observation().Money.Spot; !slices.Equal(got, list.prices) {
			t.Errorf("silent for less than an hour: %v", got)
		}
		w.minutes(k, 20, 0)
		if got := k.Observation().Money.Spot; got != nil {
			t.Errorf("silent for more than an hour, and still %v", got)
		}
	})
}
