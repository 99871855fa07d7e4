package queue

import (
	"context"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// History yields every job that ended at from or later and before to, in the
// order in which they ended, and stops at the first error of yield, which it
// returns. It reads the store while the queue goes on.
func (e *Engine) History(ctx context.Context, from, to time.Time, yield func(api.Finished) error) error {
	if err := e.enter(ctx); err != nil {
		return err
	}
	if err := e.settle(ctx, e.leave()); err != nil {
		return err
	}
	return ReadHistory(ctx, e.store, from, to, yield)
}

// ReadHistory yields what a store keeps of ended jobs, whoever leads.
func ReadHistory(ctx context.Context, store Store, from, to time.Time, yield func(api.Finished) error) error {
	var stopped error
	err := store.History(ctx, instant(from), instant(to), func(r *Record) error {
		stopped = yield(r.finished())
		return stopped
	})
	switch {
	case stopped != nil:
		return stopped
	case ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		return storeError(err)
	}
	return nil
}

// instant returns t in ns since 1970, as near as that can be.
func instant(t time.Time) int64 {
	switch {
	case t.Before(time.Unix(0, 0)):
		return 0
	case t.After(time.Unix(1<<33, 0)):
		return 1 << 33 * int64(time.Second)
	}
	return t.UnixNano()
}

// finished returns the record as the interface knows it.
func (r *Record) finished() api.Finished {
	at := func(ns int64) time.Time { return time.Unix(0, ns).UTC() }
	f := api.Finished{
		ID: r.ID, Type: r.Type, Priority: int(r.Priority), Tenant: r.Tenant, Group: r.Group, State: apiStates[r.State], Attempts: r.Attempts,
		SubmittedAt: at(r.Created), ArrivedAt: at(r.Arrival), FinishedAt: at(r.Finished),
		RunS: float64(r.Run) / 1e9, CPUS: float64(r.CPU) / 1e9, EstimateS: float64(r.Estimate) / 1e9, DueMS: r.Promise / int64(time.Millisecond),
		BytesIn: r.BytesIn, BytesOut: r.BytesOut, Worker: r.Worker, InstanceID: r.Instance, InstanceType: r.InstanceType, BootID: r.Boot,
		Error: r.Error, ResultURI: r.Result,
	}
	if r.Started != 0 {
		f.StartedAt = at(r.Started)
	}
	return f
}
