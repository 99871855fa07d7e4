package queue_test

import (
	"testing"

	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/live/queue/storetest"
)

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) storetest.Open {
		m := queue.NewMemory()
		return func() queue.Store { return m }
	})
}
