package queue_test

import (
	"math"
	"slices"
	"testing"
	"testing/synctest"
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

// Each job goes to the slot that is idle for longest, whenever its worker called,
// as in the simulator: two that come at once go to two workers whose slots are.
func TestTheSlotIdleForLongestIsNext(t *testing.T) {
	story(t, "longest", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		a := hire(t, e, "i-a", 2)
		time.Sleep(time.Second)
		b := hire(t, e, "i-b", 1)
		submit(t, e, photos(2)...)
		one := work(t, e, request(a.Session, 1, 0)).Jobs
		other := work(t, e, request(b.Session, 1, 0)).Jobs
		time.Sleep(time.Second)
		work(t, e, request(b.Session, 0, 0, ok(other...)...))
		time.Sleep(time.Second)
		work(t, e, request(a.Session, 0, 0, ok(one...)...)) // idle: a since 0 s, b since 2 s, a since 3 s
		answers := map[string]chan []api.LeasedJob{}
		wait := func(name, session string, slots int) {
			got := make(chan []api.LeasedJob, 1)
			answers[name] = got
			go func() { got <- work(t, e, request(session, slots, 20*time.Second)).Jobs }()
			synctest.Wait()
		}
		wait("b", b.Session, 1)
		wait("a", a.Session, 2)
		submit(t, e, photos(1)...)
		wantIDs(t, "a's, whose first slot was idle before b's", <-answers["a"], 3)
		wait("a again", a.Session, 1)
		submit(t, e, photos(2)...)
		wantIDs(t, "b's, which waits for longer than a's second slot", <-answers["b"], 4)
		wantIDs(t, "a's second", <-answers["a again"], 5)
	})
}

// Ready are the slots of workers that take jobs, those with leases of one that is to
// end, and none of one that is gone or silent.
func TestReadySlotSeconds(t *testing.T) {
	story(t, "ready", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		want := func(what string, slotS float64) {
			t.Helper()
			o, err := e.Observe(api.ObserveRequest{})
			if err != nil || math.Abs(o.ReadyS-slotS) > 1e-9 {
				t.Fatalf("%s: %v slot-seconds, %v; want %v", what, o.ReadyS, err, slotS)
			}
		}
		w := hire(t, e, "i-1", 3)
		time.Sleep(10 * time.Second)
		want("three slots", 30)
		submit(t, e, photos(2)...)
		jobs := work(t, e, request(w.Session, 2, 0)).Jobs
		d, err := e.Direct(t.Context(), api.DirectiveRequest{InstanceID: "i-1", Op: api.OpDrain})
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		want("two of one that drains run", 50)
		done := request(w.Session, 0, 0, ok(jobs[0])...)
		done.Running = running(jobs[1])
		work(t, e, done)
		time.Sleep(10 * time.Second)
		want("one runs", 60)
		if err := e.DeleteDirective(t.Context(), d.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Second)
		want("it works again", 90)
		other := hire(t, e, "i-2", 1)
		if _, err := e.Goodbye(t.Context(), other.WorkerID, api.GoodbyeRequest{Session: other.Session}); err != nil {
			t.Fatal(err)
		}
		time.Sleep(15 * time.Second) // the first was last heard of 35 s ago
		want("until it is found silent", 135)
		time.Sleep(time.Minute)
		want("it is silent", 135)
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
