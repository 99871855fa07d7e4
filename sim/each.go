package sim

import (
	"context"
	"sync"
	"sync/atomic"
)

// Each calls f for every i from 0 to n-1, at most parallel at a time and in
// that order of beginning, and returns the first error, after which no further
// call begins. The context of a call ends when another has failed. Who wants
// results puts them at their index: then they do not depend on who was first.
func Each(ctx context.Context, parallel, n int, f func(ctx context.Context, i int) error) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(parallel, n) {
		workers.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1) - 1)
				if i >= n {
					return
				}
				if err := f(ctx, i); err != nil {
					stop(err)
					return
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
}
