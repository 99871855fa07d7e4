package torture_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/live/queue/torture"
)

// againWithin is how soon after its worker's death a job runs again.
const againWithin = 40 * time.Second

// A worker dies at a random moment between its beats, and in half of the cases
// the leader dies within 5 s of it. The job is with another worker within 40 s,
// and not before its lease ended. (A leader that dies later costs more: the next
// one does not know when the worker was last heard of, and gives it a whole
// lease.)
func TestDeadWorkersJobRunsAgain(t *testing.T) {
	var slowest [2]time.Duration
	for _, seed := range seeds(t, 60) {
		synctest.Test(t, func(t *testing.T) {
			takeover := int(seed % 2)
			again := afterDeath(t, seed, takeover == 1)
			slowest[takeover] = max(slowest[takeover], again)
			if again > againWithin {
				t.Errorf("seed %d: the job runs again %v after its worker died, want %v at most\nagain: SKYNET_TORTURE_SEED=%d go test -count=1 -run TestDeadWorkersJobRunsAgain ./live/queue/torture",
					seed, again, againWithin, seed)
			}
		})
	}
	t.Logf("slowest: %v, and %v where the leader died as well", slowest[0], slowest[1])
}

// afterDeath returns how long after its worker's death a job is with another one.
func afterDeath(t *testing.T, seed uint64, takeover bool) time.Duration {
	draw := rand.New(rand.NewPCG(seed, 4))
	w := newWorld(t, queue.NewMemory(), queue.Options{})
	network := &torture.Network{Under: w, Hosts: func() []string { return names }, Patience: 30 * time.Second}
	network.Calm()
	defer w.close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	defer cancel()
	added, err := w.client(producerToken, network, time.Minute).Submit(ctx, api.JobSpec{Type: "torture"})
	if err != nil {
		t.Fatal(err)
	}
	c := w.client(workerToken, network, time.Minute)
	join := func(name string) string {
		r, err := c.Register(ctx, api.RegisterRequest{InstanceID: name, InstanceType: "m", Slots: 1, Cluster: cluster, BootID: name})
		if err != nil {
			t.Fatal(err)
		}
		return r.Session
	}
	work := func(session string, wait time.Duration, reqID int) []api.LeasedJob {
		r, err := c.Work(ctx, api.WorkRequest{Session: session, ReqID: fmt.Sprint(reqID), SlotsFree: 1, WaitMS: wait.Milliseconds()})
		if err != nil {
			t.Fatal(err)
		}
		return r.Jobs
	}
	first := join("first")
	jobs := work(first, time.Second, 0)
	if len(jobs) != 1 || jobs[0].ID != added.ID {
		t.Fatalf("the first worker is handed %v, want job %d", jobs, added.ID)
	}
	for range draw.IntN(4) {
		time.Sleep(10 * time.Second)
		beat := api.HeartbeatRequest{Session: first, Running: []api.RunningJob{{Job: jobs[0].ID, Token: jobs[0].Token}}}
		if a, err := c.Heartbeat(ctx, beat); err != nil || len(a.Lost) > 0 {
			t.Fatalf("a worker that beats lost %v, %v", a.Lost, err)
		}
	}
	heard := time.Now()
	time.Sleep(time.Duration(draw.Int64N(int64(10 * time.Second))))
	died := time.Now()
	if takeover {
		after := time.Duration(draw.Int64N(int64(5 * time.Second)))
		go func() {
			time.Sleep(after)
			w.kill(w.leader())
		}()
	}
	second := join("second")
	for call := 1; ; call++ {
		if jobs := work(second, 20*time.Second, call); len(jobs) > 0 {
			if lease := time.Since(heard); lease < 30*time.Second {
				t.Errorf("seed %d: the job was handed on %v after its worker was heard of", seed, lease)
			}
			return time.Since(died)
		}
	}
}
