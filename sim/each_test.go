package sim

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
)

func TestEachCallsEveryIndexOnce(t *testing.T) {
	for _, parallel := range []int{1, 2, 7, 100} {
		calls := make([]atomic.Int32, 50)
		if err := Each(t.Context(), parallel, len(calls), func(_ context.Context, i int) error {
			calls[i].Add(1)
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		for i := range calls {
			if n := calls[i].Load(); n != 1 {
				t.Errorf("parallel %d: index %d was called %d times", parallel, i, n)
			}
		}
	}
}

func TestEachEndsWithTheFirstError(t *testing.T) {
	broken := errors.New("broken")
	var after atomic.Int32
	err := Each(t.Context(), 1, 10, func(ctx context.Context, i int) error {
		if i > 3 {
			after.Add(1)
		}
		if i == 3 {
			return broken
		}
		return nil
	})
	if err != broken || after.Load() != 0 {
		t.Errorf("error %v and %d calls after it, want %v and none", err, after.Load(), broken)
	}
	// The others learn of it by their context.
	err = Each(t.Context(), 2, 2, func(ctx context.Context, i int) error {
		if i == 0 {
			return broken
		}
		<-ctx.Done()
		return nil
	})
	if err != broken {
		t.Errorf("error %v, want %v", err, broken)
	}
}

func TestEachEndsWithItsContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := Each(ctx, 2, 5, func(context.Context, int) error { t.Error("called"); return nil }); err != context.Canceled {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}
