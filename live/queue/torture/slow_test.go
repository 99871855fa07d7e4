package torture_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/live/queue"
)

// slowStore takes its time to write, and says now and then that it has not
// written what it has, or has not.
type slowStore struct {
	queue.Store
	mu   sync.Mutex
	draw *rand.Rand
	lies int
}

var errSlow = errors.New("the connection to the store broke off")

func (s *slowStore) Commit(ctx context.Context, b *queue.Batch) error {
	s.mu.Lock()
	before, after := time.Duration(s.draw.Int64N(int64(100*time.Millisecond))), time.Duration(s.draw.Int64N(int64(100*time.Millisecond)))
	fails := s.draw.IntN(40)
	if fails < 2 {
		s.lies++
	}
	s.mu.Unlock()
	time.Sleep(before)
	if fails == 0 {
		return errSlow
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err := s.Store.Commit(ctx, b)
	time.Sleep(after)
	if err == nil && fails == 1 {
		return errSlow
	}
	return errors.Join(err, ctx.Err())
}
