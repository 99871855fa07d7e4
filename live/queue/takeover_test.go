package queue_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue"
)

// stalledStore lets something happen when it is first loaded, while the lead is
// not renewed: what a process sees that is stopped there for longer than its
// lead.
type stalledStore struct {
	queue.Store
	meanwhile func()
	loaded    atomic.Bool
}

func (s *stalledStore) Renew(ctx context.Context, epoch uint32, ttl time.Duration) error {
	if !s.loaded.Load() {
		return nil
	}
	return s.Store.Renew(ctx, epoch, ttl)
}

func (s *stalledStore) Load(ctx context.Context, to queue.Loaded) (int64, error) {
	if !s.loaded.Load() {
		s.meanwhile()
		s.loaded.Store(true)
	}
	return s.Store.Load(ctx, to)
}

// A process that loses the lead while it loads meets leases of the next leader.
// It stands by again.
func TestLeadLostWhileLoading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := queue.NewMemory()
		first := open(t, store, queue.Options{})
		ids := submit(t, first, api.JobSpec{Type: "photo"})
		first.Kill()
		var second *queue.Engine
		var handed api.LeasedJob
		stalled := &stalledStore{Store: store, meanwhile: func() {
			second = open(t, store, queue.Options{})
			handed = work(t, second, request(hire(t, second, "i-1", 1).Session, 1, 0)).Jobs[0]
			time.AfterFunc(time.Minute, second.Kill)
		}}
		third := open(t, stalled, queue.Options{})
		if handed.ID != ids[0] || third.Epoch() != second.Epoch()+1 {
			t.Errorf("job %d was handed out under epoch %d, and the process that had lost the lead has epoch %d; want job %d and the epoch after", handed.ID, second.Epoch(), third.Epoch(), ids[0])
		}
	})
}
