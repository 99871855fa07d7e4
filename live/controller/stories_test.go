package controller_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim/cloud"
)

// Every incident that others had with their autoscalers, played against the code
// that runs in production: the real controller, queue and EC2 client, on the
// simulated EC2 behind its protocol. Each test is named for what happened, says
// where, and asserts what SkyNet does instead.

// story plays a test in the bubble of a fake clock, in a region of its own.
func story(t *testing.T, play func(*world, *region)) {
	t.Helper()
	storyWith(t, func(*world) {}, nil, play)
}

// storyWith is story with another world or account.
func storyWith(t *testing.T, prepare func(*world), account func(*cloud.Config), play func(*world, *region)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		prepare(w)
		play(w, onEC2(w, 1, account))
	})
}

// distorted is a queue whose reading passes through somebody else's hands.
type distorted struct {
	*world
	reading func(api.Observed) api.Observed
}

func (d *distorted) Observe(ctx context.Context, r api.ObserveRequest) (api.Observed, error) {
	o, err := d.world.Observe(ctx, r)
	if err == nil && d.reading != nil {
		o = d.reading(o)
	}
	return o, err
}

// held fails the test unless nothing was launched, drained or ended.
func held(t *testing.T, results []*controller.Result) {
	t.Helper()
	for _, r := range results {
		if r.Decided.Instances() > 0 || len(r.Decided.Drains) > 0 || r.Outcome.Launched > 0 || len(r.Terminated)+len(r.Reaped) > 0 {
			t.Errorf("decision %d at %s launches %d, drains %d and ends %v %v: must hold",
				r.Decision, r.At.Format(time.TimeOnly), r.Decided.Instances(), len(r.Decided.Drains), r.Terminated, r.Reaped)
		}
	}
}

// because reports whether a decision gives a rule as a reason.
func because(r *controller.Result, rule string) bool {
	for i := range r.Decided.Because {
		if r.Decided.Because[i].Rule.Name() == rule {
			return true
		}
	}
	return false
}

// launched sums what was launched.
func launched(results []*controller.Result) (n int) {
	for _, r := range results {
		n += r.Outcome.Launched
	}
	return n
}

// steady keeps n instances of a type for ever: a fleet whose size is not the
// subject of a story.
func steady(w *world, c *controller.Config, n int, typ string) {
	c.Policy = func() (policy.Policy, error) { return policy.NewStatic(w.env, n, typ) }
	c.Described.Name, c.Described.Label = "static", "static@story"
}

// unharmed fails the test if a job was lost or failed.
func (w *world) unharmed() {
	w.t.Helper()
	if s := w.queue.Stats("").Totals; s.Lost != 0 || s.Failed != 0 {
		w.t.Errorf("totals %+v", s)
	}
}
