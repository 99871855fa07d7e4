package queue_test

import (
	"slices"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue"
)

// A worker that naps is not asked for the jobs that wait, and its parked call is
// out of every line; that the directive is taken back reaches it at once.
func TestHeldBackCalls(t *testing.T) {
	nap := func(t *testing.T, e *queue.Engine) (w api.RegisterResponse, directive string) {
		w = hire(t, e, "i-1", 2)
		d, err := e.Direct(t.Context(), api.DirectiveRequest{WorkerID: w.WorkerID, Op: api.OpNap})
		if err != nil {
			t.Fatal(err)
		}
		if a := work(t, e, request(w.Session, 1, 25*time.Second)); a.Directive.Op != api.OpNap {
			t.Fatalf("%+v", a.Directive)
		}
		time.AfterFunc(2*time.Second, func() { submit(t, e, api.JobSpec{Type: "photo"}) }) // looks at the parked call, in vain
		return w, d.ID
	}
	wantWoken := func(t *testing.T, a api.WorkResponse, began time.Time, after time.Duration) {
		t.Helper()
		if took := time.Since(began); a.Directive.Op != api.OpWork || took != after {
			t.Fatalf("%+v after %v; want to be told to work after %v", a.Directive, took, after)
		}
	}
	story(t, "a directive that is taken back wakes a call that is held back", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		w, id := nap(t, e)
		time.AfterFunc(3*time.Second, func() {
			if err := e.DeleteDirective(t.Context(), id); err != nil {
				t.Error(err)
			}
		})
		began := time.Now()
		wantWoken(t, work(t, e, request(w.Session, 1, 25*time.Second)), began, 3*time.Second)
		wantIDs(t, "awake", work(t, e, request(w.Session, 1, 0)).Jobs, 1)
	})
	story(t, "a worker that comes again in another role wakes its call", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		r := api.RegisterRequest{InstanceID: "i-1", Slots: 2, Cluster: "default", BootID: "b", Roles: []string{"render"}}
		w, err := e.Register(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Direct(t.Context(), api.DirectiveRequest{Role: "render", Op: api.OpNap}); err != nil {
			t.Fatal(err)
		}
		work(t, e, request(w.Session, 1, 0))
		time.AfterFunc(time.Second, func() {
			r.Roles = nil
			if _, err := e.Register(t.Context(), r); err != nil {
				t.Error(err)
			}
		})
		began := time.Now()
		wantWoken(t, work(t, e, request(w.Session, 1, 25*time.Second)), began, time.Second)
	})
}

// A worker that comes again with its boot learns which of the jobs that it runs
// are not its own any more, and keeps the others.
func TestRegisterTellsWhatIsLost(t *testing.T) {
	story(t, "lost", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		r := api.RegisterRequest{InstanceID: "i-1", Slots: 4, Cluster: "default", BootID: "b"}
		w, err := e.Register(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		submit(t, e, photos(3)...)
		mine := work(t, e, request(w.Session, 3, 0)).Jobs
		if _, err := e.Complete(t.Context(), api.CompleteRequest{Session: w.Session, Done: []api.DoneJob{
			{Job: mine[1].ID, Token: mine[1].Token, Outcome: api.OutcomeReleased},
		}}); err != nil {
			t.Fatal(err)
		}
		taken := work(t, e, request(hire(t, e, "i-2", 1).Session, 1, 0)).Jobs
		wantIDs(t, "the other worker's", taken, mine[1].ID)
		r.Running = running(mine...)
		again, err := e.Register(t.Context(), r)
		if err != nil || !slices.Equal(again.Lost, []int64{mine[1].ID}) || again.WorkerID != w.WorkerID {
			t.Fatalf("%+v, %v; want that job %d is lost", again, err, mine[1].ID)
		}
		if j := state(t, e, mine[0].ID); j.State != api.StateLeased || j.Worker != w.WorkerID {
			t.Fatalf("%+v; want it to be %s's still", j, w.WorkerID)
		}
	})
}
