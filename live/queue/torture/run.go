package torture

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
)

// Options say how a queue is tortured.
type Options struct {
	Seed       uint64
	Operations int           // calls after which no more jobs are submitted
	Producers  int           // default 4
	Workers    int           // default 16
	LeaseTTL   time.Duration // the queue's
	Cluster    string        // the queue's
	Pace       time.Duration // how long most jobs run, about, and producers wait; default 40 ms

	Producer, Worker, Operator *client.Client // by their roles; may go through a Network

	// Calm is called once the operations are through. It ends all faults and
	// returns when the queue can be reached.
	Calm func() error
}

// run is one torture.
type run struct {
	Options
	*Record
	calmed chan struct{} // closed once everybody shall behave
	over   chan struct{} // closed once every job is done
}

// Run tortures a queue until every job that was taken is done, and returns what
// was seen. It fails if that is not reached before ctx ends.
func Run(ctx context.Context, o Options) (*Record, error) {
	if o.Producers == 0 {
		o.Producers = 4
	}
	if o.Workers == 0 {
		o.Workers = 16
	}
	if o.Pace == 0 {
		o.Pace = 40 * time.Millisecond
	}
	r := &run{Options: o, Record: &Record{Lease: o.LeaseTTL, began: time.Now()}, calmed: make(chan struct{}), over: make(chan struct{})}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var producers, workers sync.WaitGroup
	for i := range o.Workers {
		workers.Go(func() { newWorker(r, i).live(ctx) })
	}
	for i := range o.Producers {
		producers.Go(func() { r.produce(ctx, i) })
	}
	end := func(err error) (*Record, error) {
		if err != nil {
			cancel()
		}
		close(r.over)
		producers.Wait()
		workers.Wait()
		return r.Record, err
	}
	for r.Calls() < o.Operations {
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return end(fmt.Errorf("after %d of %d operations: %w", r.Calls(), o.Operations, err))
		}
	}
	if err := o.Calm(); err != nil {
		return end(fmt.Errorf("calm: %w", err))
	}
	close(r.calmed)
	producers.Wait()
	if err := r.finish(ctx); err != nil {
		return end(err)
	}
	if _, err := end(nil); err != nil {
		return r.Record, err
	}
	return r.Record, r.readHistory(ctx)
}

// calm reports whether everybody shall behave now.
func (r *run) calm() bool {
	select {
	case <-r.calmed:
		return true
	default:
		return false
	}
}

func (r *run) isOver(ctx context.Context) bool {
	select {
	case <-r.over:
		return true
	case <-ctx.Done():
		return true
	default:
		return false
	}
}

// draws returns the random source of one producer or worker.
func (r *run) draws(who int) *rand.Rand { return rand.New(rand.NewPCG(r.Seed, 100+uint64(who))) }

// finish is the operator's part: jobs that failed or killed workers too often
// are tried again, and those that back off at once, until none is left.
func (r *run) finish(ctx context.Context) error {
	for none := 0; none < 2; { // a job may change its state between two lists
		left := 0
		for _, state := range []api.State{api.StateDead, api.StateQuarantined, api.StateDelayed, api.StateWaiting, api.StateLeased} {
			page, err := r.Operator.Jobs(ctx, api.Filter{State: state, Limit: 1000})
			if err != nil {
				return fmt.Errorf("list what is left: %w", err)
			}
			left += len(page.Jobs)
			if state == api.StateWaiting || state == api.StateLeased {
				continue
			}
			for _, j := range page.Jobs {
				var refused *api.Error
				if _, err := r.Operator.Retry(ctx, j.ID); err != nil && (!errors.As(err, &refused) || refused.Code != api.CodeConflict) {
					return fmt.Errorf("retry job %d, which is %s: %w", j.ID, j.State, err)
				}
			}
		}
		if left == 0 {
			none++
			continue
		}
		none = 0
		if err := pause(ctx, 100*time.Millisecond); err != nil {
			return fmt.Errorf("%d jobs or more are not done at the end: %w", left, err)
		}
	}
	return nil
}

func (r *run) readHistory(ctx context.Context) error {
	return r.Operator.History(ctx, time.Time{}, time.Time{}, func(f api.Finished) error {
		r.History = append(r.History, f)
		return nil
	})
}

// pause waits.
func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
