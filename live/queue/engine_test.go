package queue_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue"
)

// open returns an engine on a store, which ends with the test.
func open(t *testing.T, store queue.Store, opt queue.Options) *queue.Engine {
	t.Helper()
	e, err := queue.Open(t.Context(), store, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Kill)
	return e
}

// hire registers a worker and returns its session.
func hire(t *testing.T, e *queue.Engine, name string, slots int) api.RegisterResponse {
	t.Helper()
	r, err := e.Register(t.Context(), api.RegisterRequest{InstanceID: name, InstanceType: "c1.xlarge", Slots: slots, Cluster: "default", BootID: "boot of " + name})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func submit(t *testing.T, e *queue.Engine, specs ...api.JobSpec) []int64 {
	t.Helper()
	got, err := e.Enqueue(t.Context(), specs, "")
	if err != nil {
		t.Fatal(err)
	}
	ids := make([]int64, len(got))
	for i, s := range got {
		ids[i] = s.ID
	}
	return ids
}

var calls atomic.Int64

// request makes a call of a worker, with an id of its own.
func request(session string, n int, wait time.Duration, done ...api.DoneJob) api.WorkRequest {
	return api.WorkRequest{Session: session, ReqID: fmt.Sprint("call ", calls.Add(1)), WaitMS: wait.Milliseconds(), SlotsFree: n, Done: done}
}

func work(t *testing.T, e *queue.Engine, r api.WorkRequest) api.WorkResponse {
	t.Helper()
	a, err := e.Work(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func ok(jobs ...api.LeasedJob) (done []api.DoneJob) {
	for _, j := range jobs {
		done = append(done, api.DoneJob{Job: j.ID, Token: j.Token, Outcome: api.OutcomeOK, ResultURI: fmt.Sprint("file:///", j.ID)})
	}
	return done
}

func running(jobs ...api.LeasedJob) (claims []api.RunningJob) {
	for _, j := range jobs {
		claims = append(claims, api.RunningJob{Job: j.ID, Token: j.Token})
	}
	return claims
}

func TestLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := queue.NewMemory()
		e := open(t, store, queue.Options{})
		w := hire(t, e, "i-1", 4)
		parked := make(chan api.WorkResponse)
		go func() {
			r, err := e.Work(context.Background(), request(w.Session, 2, 20*time.Second))
			if err != nil {
				t.Error(err)
			}
			parked <- r
		}()
		time.Sleep(time.Second)
		ids := submit(t, e, api.JobSpec{Type: "photo", Args: []byte(`{"n":1}`)}, api.JobSpec{Type: "photo", Priority: 1}, api.JobSpec{Type: "video"})
		a := <-parked
		if len(a.Jobs) != 2 || a.Jobs[0].ID != ids[0] || a.Jobs[1].ID != ids[2] || string(a.Jobs[0].Args) != `{"n":1}` {
			t.Fatalf("parked call got %+v", a.Jobs)
		}
		time.Sleep(3 * time.Second)
		b := work(t, e, request(w.Session, 2, 0, ok(a.Jobs...)...))
		if len(b.Jobs) != 1 || b.Jobs[0].ID != ids[1] || len(b.Acks) != 2 || b.Acks[0].Status != api.AckAccepted {
			t.Fatalf("got %+v", b)
		}
		j, err := e.Job(t.Context(), ids[0], 0)
		if err != nil || j.State != api.StateDone || j.ResultURI != fmt.Sprint("file:///", ids[0]) || j.FinishedAt.Sub(*j.StartedAt) != 3*time.Second {
			t.Fatalf("job is %+v, %v", j, err)
		}
		e.Kill()
		e = open(t, store, queue.Options{})
		c := work(t, e, request(w.Session, 0, 0, ok(b.Jobs...)...))
		if len(c.Acks) != 1 || c.Acks[0].Status != api.AckAccepted {
			t.Fatalf("after a restart the lease is not known: %+v", c)
		}
		if s := e.Stats(""); s.States[api.StateDone] != 1 || s.States[api.StateLeased] != 0 || s.Epoch != 2 {
			t.Fatalf("stats %+v", s)
		}
	})
}
