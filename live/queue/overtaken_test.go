package queue_test

import (
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// A call that was under way for long, and does not name a job that its worker
// was handed meanwhile, does not take the job away; one that is the latest does.
func TestOvertakenCalls(t *testing.T) {
	short := queue.Options{BeatEvery: time.Second, Dispatch: dispatch.Options{LeaseTTL: 3 * time.Second, ConfirmWithin: time.Second}}
	old := map[string]func(*testing.T, *queue.Engine, string, int64){
		"heartbeat": func(t *testing.T, e *queue.Engine, session string, seq int64) {
			if _, err := e.Heartbeat(t.Context(), api.HeartbeatRequest{Session: session, Seq: seq}); err != nil {
				t.Fatal(err)
			}
		},
		"call for work": func(t *testing.T, e *queue.Engine, session string, seq int64) {
			r := request(session, 0, 0)
			r.Seq = seq
			work(t, e, r)
		},
	}
	for name, call := range old {
		story(t, name, short, func(t *testing.T, e *queue.Engine) {
			w := hire(t, e, "i-1", 2)
			submit(t, e, photos(1)...)
			r := request(w.Session, 1, 0)
			r.Seq = 2
			mine := work(t, e, r).Jobs
			if _, err := e.Heartbeat(t.Context(), api.HeartbeatRequest{Session: w.Session, Seq: 3, Running: running(mine...)}); err != nil {
				t.Fatal(err)
			}
			time.Sleep(2930 * time.Millisecond)
			call(t, e, w.Session, 1)
			if j := state(t, e, mine[0].ID); j.State != api.StateLeased {
				t.Fatalf("an overtaken call: the job is %s, want leased", j.State)
			}
			time.Sleep(100 * time.Millisecond) // the overtaken one has renewed the lease
			call(t, e, w.Session, 4)
			if j := state(t, e, mine[0].ID); j.State != api.StateWaiting {
				t.Fatalf("the latest call: the job is %s, want waiting", j.State)
			}
		})
	}
}
