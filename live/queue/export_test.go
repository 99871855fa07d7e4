package queue

import (
	"context"
	"slices"

	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// Tick does at once what the keeper would do, and waits until it is written.
func (e *Engine) Tick(ctx context.Context) error {
	if err := e.enter(ctx); err != nil {
		return err
	}
	now := e.clock.now()
	e.effects = e.q.Expire(now, e.effects[:0])
	e.book(now)
	e.runPlans(now)
	e.expireOrders(now)
	return e.settle(ctx, e.leave())
}

// Stored returns every job as the state machine knows it.
func (e *Engine) Stored() []dispatch.Stored {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Collect(e.q.Jobs)
}

// Check returns what is wrong with the engine's books, which must agree with
// the state machine.
func (e *Engine) Check() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.check()
}

// Colds returns how many jobs are in the store alone.
func (e *Engine) Colds() int64 {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.cold.jobs
}
