package torture_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/live/queue/torture"
)

// seeds returns those of a test: SKYNET_TORTURE_SEED alone if it is set.
func seeds(t *testing.T, n uint64) []uint64 {
	if text := os.Getenv("SKYNET_TORTURE_SEED"); text != "" {
		seed, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			t.Fatalf("SKYNET_TORTURE_SEED: %v", err)
		}
		return []uint64{seed}
	}
	all := make([]uint64, n)
	for i := range all {
		all[i] = uint64(i + 1)
	}
	return all
}

// In a bubble, where time costs nothing: leaders die and come back, workers and
// network misbehave, the store is slow and fails, and in the second round the clock of the machine jumps to
// and fro, in sight of the engine (which knows the monotonic clock otherwise).
func TestTortureInBubble(t *testing.T) {
	for _, jumps := range []bool{false, true} {
		for _, seed := range seeds(t, 8) {
			t.Run(fmt.Sprintf("jumps=%v/seed=%d", jumps, seed), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) { bubble(t, seed, jumps) })
			})
		}
	}
}

func bubble(t *testing.T, seed uint64, jumps bool) {
	var opt queue.Options
	var off atomic.Int64
	if jumps {
		opt.Now = func() time.Time { return time.Now().Add(time.Duration(off.Load())).Round(0) }
	}
	store := &slowStore{Store: queue.NewMemory(), draw: rand.New(rand.NewPCG(seed, 5))}
	w := newWorld(t, store, opt)
	network := &torture.Network{
		Under: w, Hosts: func() []string { return names }, Patience: 5 * time.Second, Late: 2 * time.Second, Seed: seed,
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	kills, leaps := 0, 0
	go func() {
		defer close(stopped)
		draw := rand.New(rand.NewPCG(seed, 2))
		for {
			select {
			case <-stop:
				return
			case <-time.After(time.Duration(draw.Int64N(int64(5 * time.Second)))):
			}
			if jumps && draw.IntN(2) == 0 {
				leaps++
				off.Store(int64(time.Duration(draw.IntN(121)-60) * time.Second)) // up to two minutes at a time
				continue
			}
			name := w.leader()
			if name == "" {
				continue
			}
			kills++
			w.kill(name)
			time.Sleep(time.Duration(draw.Int64N(int64(3 * time.Second))))
			w.start(name)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), 6*time.Hour)
	defer cancel()
	record, err := torture.Run(ctx, torture.Options{
		Seed: seed, Operations: 1500, LeaseTTL: 30 * time.Second, Pace: 500 * time.Millisecond, Cluster: cluster,
		Producer: w.client(producerToken, network, 10*time.Second),
		Worker:   w.client(workerToken, network, 10*time.Second),
		Operator: w.client(operatorToken, network, time.Minute),
		Calm:     func() error { close(stop); <-stopped; network.Calm(); return nil },
	})
	network.Close()
	w.close()
	record.Dying = true
	if jumps {
		record.Lease = 0 // how long it lasts is told by the clock that jumps
	}
	problems := record.Check()
	t.Logf("%d leaders killed, the clock set %d times, %d commits failed, network %+v; %+v", kills, leaps, store.lies, network.Faults(), record.Figures())
	if err != nil {
		problems = append(problems, err.Error())
	}
	if len(problems) > 0 {
		t.Errorf("%d faults, the first of them:\n%s\nagain: SKYNET_TORTURE_SEED=%d go test -count=1 -run 'TestTortureInBubble/jumps=%v' ./live/queue/torture",
			len(problems), strings.Join(problems[:min(10, len(problems))], "\n"), seed, jumps)
	}
	if f := record.Figures(); kills == 0 || store.lies == 0 || f.Leaders < 2 || network.Faults().Sum() == 0 || jumps && leaps == 0 {
		t.Error("too tame: there is a kind of fault that never happened")
	}
}
