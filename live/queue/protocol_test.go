package queue_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// The rules of the protocol, one story each, on a clock of their own.

func story(t *testing.T, name string, opt queue.Options, tell func(t *testing.T, e *queue.Engine)) {
	t.Run(name, func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) { tell(t, open(t, queue.NewMemory(), opt)) })
	})
}

func ids(jobs []api.LeasedJob) (all []int64) {
	for _, j := range jobs {
		all = append(all, j.ID)
	}
	return all
}

func wantIDs(t *testing.T, what string, got []api.LeasedJob, want ...int64) {
	t.Helper()
	if !slices.Equal(ids(got), want) {
		t.Fatalf("%s: jobs %v, want %v", what, ids(got), want)
	}
}

func state(t *testing.T, e *queue.Engine, id int64) api.Job {
	t.Helper()
	j, err := e.Job(t.Context(), id, 0)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func code(err error) api.Code {
	var e *api.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return ""
}

func photos(n int) []api.JobSpec { return slices.Repeat([]api.JobSpec{{Type: "photo"}}, n) }

func TestProtocol(t *testing.T) {
	story(t, "a lost response is repeated with the same leases", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		w := hire(t, e, "i-1", 4)
		submit(t, e, photos(3)...)
		r := request(w.Session, 2, 0)
		first := work(t, e, r)
		again := work(t, e, r)
		wantIDs(t, "first", first.Jobs, 1, 2)
		wantIDs(t, "again", again.Jobs, 1, 2)
		if first.Jobs[0].Token != again.Jobs[0].Token {
			t.Fatal("another token")
		}
		done := work(t, e, request(w.Session, 0, 0, ok(first.Jobs[0])...))
		if done.Acks[0].Status != api.AckAccepted {
			t.Fatal(done.Acks)
		}
		wantIDs(t, "once more, without what is done", work(t, e, r).Jobs, 2)
	})
	story(t, "a parked call whose connection broke is repeated and gets the job once", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		w := hire(t, e, "i-1", 4)
		r := request(w.Session, 1, 20*time.Second)
		got := make(chan api.WorkResponse, 2)
		for range 2 {
			go func() {
				a, err := e.Work(t.Context(), r)
				if err != nil {
					t.Error(err)
				}
				got <- a
			}()
			time.Sleep(time.Second)
		}
		submit(t, e, photos(2)...)
		a, b := <-got, <-got
		wantIDs(t, "both", append(a.Jobs, b.Jobs...), 1)
	})
	story(t, "what a worker does not name for 10 s goes back without an attempt", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		w := hire(t, e, "i-1", 4)
		submit(t, e, photos(2)...)
		a := work(t, e, request(w.Session, 2, 0))
		time.Sleep(9 * time.Second)
		r := request(w.Session, 0, 0)
		r.Running = running(a.Jobs[0])
		work(t, e, r)
		time.Sleep(time.Second)
		r = request(w.Session, 0, 0)
		r.Running = running(a.Jobs[0])
		work(t, e, r)
		if j := state(t, e, 2); j.State != api.StateWaiting || j.Attempts != 0 {
			t.Fatalf("the job that was not named is %s with %d attempts", j.State, j.Attempts)
		}
		if j := state(t, e, 1); j.State != api.StateLeased {
			t.Fatalf("the job that was named is %s", j.State)
		}
	})
	story(t, "one beat keeps all leases, and a silent worker's jobs run again after 30 s", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		w, other := hire(t, e, "i-1", 4), hire(t, e, "i-2", 4)
		submit(t, e, photos(2)...)
		a := work(t, e, request(w.Session, 2, 0))
		for range 6 {
			time.Sleep(10 * time.Second)
			if _, err := e.Heartbeat(t.Context(), api.HeartbeatRequest{Session: w.Session, Running: running(a.Jobs...)}); err != nil {
				t.Fatal(err)
			}
		}
		began := time.Now()
		var b api.WorkResponse
		for len(b.Jobs) == 0 {
			b = work(t, e, request(other.Session, 2, 25*time.Second))
		}
		wantIDs(t, "taken over", b.Jobs, 1, 2)
		if took := time.Since(began); took < 30*time.Second || took > 31*time.Second || b.Jobs[0].Attempt != 2 || b.Jobs[0].Token <= a.Jobs[0].Token {
			t.Fatalf("after %v, attempt %d, token %d after %d", took, b.Jobs[0].Attempt, b.Jobs[0].Token, a.Jobs[0].Token)
		}
		late := work(t, e, request(w.Session, 0, 0, ok(a.Jobs...)...))
		if late.Acks[0].Status != api.AckStale {
			t.Fatalf("the late word of the silent worker is %s", late.Acks[0].Status)
		}
		done := work(t, e, request(other.Session, 0, 0, ok(b.Jobs...)...))
		twice := work(t, e, request(other.Session, 0, 0, ok(b.Jobs...)...))
		if done.Acks[0].Status != api.AckAccepted || twice.Acks[0].Status != api.AckDuplicate {
			t.Fatalf("%v, then %v", done.Acks, twice.Acks)
		}
	})
	story(t, "another worker's word about a lease does not count", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		w, other := hire(t, e, "i-1", 4), hire(t, e, "i-2", 4)
		submit(t, e, photos(1)...)
		a := work(t, e, request(w.Session, 1, 0))
		if b := work(t, e, request(other.Session, 0, 0, ok(a.Jobs...)...)); b.Acks[0].Status != api.AckStale {
			t.Fatal(b.Acks)
		}
		c, err := e.Complete(t.Context(), api.CompleteRequest{Session: other.Session, Done: ok(a.Jobs...)})
		if err != nil || c.Error == nil || c.Error.Code != api.CodeStale {
			t.Fatalf("%+v, %v", c, err)
		}
	})
	story(t, "a job that kills its workers is put into quarantine", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		submit(t, e, photos(1)...)
		for i := range 3 {
			w := hire(t, e, fmt.Sprint("i-", i), 1)
			wantIDs(t, "lease", work(t, e, request(w.Session, 1, 0)).Jobs, 1)
			time.Sleep(31 * time.Second)
		}
		if j := state(t, e, 1); j.State != api.StateQuarantined || j.Losses != 3 || j.Failures != 0 {
			t.Fatalf("%+v", j)
		}
		if j, err := e.Retry(t.Context(), 1); err != nil || j.State != api.StateWaiting {
			t.Fatalf("%+v, %v", j, err)
		}
	})
	story(t, "a deadline ends a lease although its worker beats", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		w := hire(t, e, "i-1", 1)
		submit(t, e, api.JobSpec{Type: "photo", MaxRunMS: 15_000})
		a := work(t, e, request(w.Session, 1, 0))
		if a.Jobs[0].DeadlineMS != 15_000 {
			t.Fatalf("deadline in %d ms", a.Jobs[0].DeadlineMS)
		}
		for range 2 {
			time.Sleep(8 * time.Second)
			r := request(w.Session, 0, 0)
			r.Running = running(a.Jobs...)
			a.Lost = work(t, e, r).Lost
		}
		if j := state(t, e, 1); !slices.Equal(a.Lost, []int64{1}) || j.Failures != 1 {
			t.Fatalf("lost %v, job %+v", a.Lost, j)
		}
	})
	story(t, "cancelling what runs wakes the worker's parked call", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		w := hire(t, e, "i-1", 2)
		submit(t, e, photos(1)...)
		a := work(t, e, request(w.Session, 1, 0))
		go func() {
			time.Sleep(2 * time.Second)
			if _, err := e.Cancel(t.Context(), 1); err != nil {
				t.Error(err)
			}
		}()
		r := request(w.Session, 1, 25*time.Second)
		r.Running = running(a.Jobs...)
		began := time.Now()
		b := work(t, e, r)
		if !slices.Equal(b.Cancel, []int64{1}) || time.Since(began) != 2*time.Second {
			t.Fatalf("cancel %v after %v", b.Cancel, time.Since(began))
		}
		work(t, e, request(w.Session, 0, 0, api.DoneJob{Job: 1, Token: a.Jobs[0].Token, Outcome: api.OutcomeCancelled}))
		if j := state(t, e, 1); j.State != api.StateCancelled {
			t.Fatalf("%+v", j)
		}
	})
	story(t, "a directive wakes those it is for, and holds jobs back from them", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		w, other := hire(t, e, "i-1", 2), hire(t, e, "i-2", 2)
		go func() {
			time.Sleep(time.Second)
			d, err := e.Direct(t.Context(), api.DirectiveRequest{InstanceID: "i-1", Op: api.OpDrain, LastsMS: 60_000})
			if err != nil || d.Workers != 1 {
				t.Errorf("%+v, %v", d, err)
			}
		}()
		a := work(t, e, request(w.Session, 1, 25*time.Second))
		if a.Directive.Op != api.OpDrain {
			t.Fatalf("%+v", a.Directive)
		}
		submit(t, e, photos(1)...)
		wantIDs(t, "the draining one", work(t, e, request(w.Session, 1, 0)).Jobs)
		wantIDs(t, "the other one", work(t, e, request(other.Session, 1, 0)).Jobs, 1)
		submit(t, e, photos(1)...)
		began := time.Now()
		b := work(t, e, request(w.Session, 1, 25*time.Second))
		for len(b.Jobs) == 0 {
			b = work(t, e, request(w.Session, 1, 25*time.Second))
		}
		if took := time.Since(began); took > time.Minute {
			t.Fatalf("the directive has ended and the job that waits was handed out after %v", took)
		}
		if got := e.Directives().Directives; len(got) != 0 {
			t.Fatalf("still in force: %+v", got)
		}
	})
	story(t, "workers of another cluster and unknown sessions are refused", queue.Options{Cluster: "test"}, func(t *testing.T, e *queue.Engine) {
		r := api.RegisterRequest{InstanceID: "i", Slots: 1, Cluster: "production", BootID: "b"}
		if _, err := e.Register(t.Context(), r); code(err) != api.CodeWrongCluster {
			t.Fatal(err)
		}
		if _, err := e.Work(t.Context(), request("guess", 1, 0)); code(err) != api.CodeUnknownSession {
			t.Fatal(err)
		}
	})
	story(t, "a worker that registers again with its boot id keeps its leases", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		w := hire(t, e, "i-1", 1)
		submit(t, e, photos(1)...)
		a := work(t, e, request(w.Session, 1, 0))
		again, err := e.Register(t.Context(), api.RegisterRequest{
			InstanceID: "i-1", Slots: 1, Cluster: "default", BootID: "boot of i-1", Running: append(running(a.Jobs...), api.RunningJob{Job: 9, Token: 9}),
		})
		if err != nil || !slices.Equal(again.Lost, []int64{9}) {
			t.Fatalf("%+v, %v", again, err)
		}
		if again.WorkerID != w.WorkerID || again.Session == w.Session {
			t.Fatalf("%+v after %+v", again, w)
		}
		if b := work(t, e, request(again.Session, 0, 0, ok(a.Jobs...)...)); b.Acks[0].Status != api.AckAccepted {
			t.Fatal(b.Acks)
		}
	})
	story(t, "who waits for a job gets its result when it is there", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		w := hire(t, e, "i-1", 1)
		submit(t, e, photos(1)...)
		go func() {
			time.Sleep(3 * time.Second)
			a := work(t, e, request(w.Session, 1, 0))
			time.Sleep(4 * time.Second)
			work(t, e, request(w.Session, 0, 0, ok(a.Jobs...)...))
		}()
		began := time.Now()
		j, err := e.Job(t.Context(), 1, 20*time.Second)
		if err != nil || j.State != api.StateDone || j.ResultURI == "" || time.Since(began) != 7*time.Second {
			t.Fatalf("%+v, %v after %v", j, err, time.Since(began))
		}
		if _, err := e.Job(t.Context(), 99, 0); code(err) != api.CodeNotFound {
			t.Fatal(err)
		}
	})
	story(t, "a group counts its jobs and tells when they have ended", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		g, err := e.NewGroup(t.Context(), api.GroupRequest{Name: "watermarks", Key: "click", Size: 3})
		if err != nil {
			t.Fatal(err)
		}
		if same, err := e.NewGroup(t.Context(), api.GroupRequest{Key: "click"}); err != nil || same.ID != g.ID {
			t.Fatalf("%+v, %v", same, err)
		}
		w := hire(t, e, "i-1", 9)
		specs := photos(3)
		for i := range specs {
			specs[i].Group = g.ID
		}
		submit(t, e, specs...)
		a := work(t, e, request(w.Session, 2, 0))
		work(t, e, request(w.Session, 0, 0, ok(a.Jobs[0])...))
		if g, _ = e.Group(t.Context(), g.ID, 0); g.Jobs != 3 || g.Done != 1 || g.Leased != 1 || g.Waiting != 1 || g.Ended {
			t.Fatalf("%+v", g)
		}
		go func() {
			time.Sleep(time.Second)
			work(t, e, request(w.Session, 0, 0, append(ok(a.Jobs[1]), api.DoneJob{})...))
			if _, err := e.Cancel(t.Context(), 3); err != nil {
				t.Error(err)
			}
		}()
		if g, err = e.Group(t.Context(), g.ID, 20*time.Second); err != nil || !g.Ended || g.Done != 2 || g.Cancelled != 1 {
			t.Fatalf("%+v, %v", g, err)
		}
		open, err := e.NewGroup(t.Context(), api.GroupRequest{}) // of no size: it ends whenever all that joined have ended
		if err != nil {
			t.Fatal(err)
		}
		id := submit(t, e, api.JobSpec{Type: "photo", Group: open.ID, AttemptsMax: 1})[0]
		ended := func(want bool) {
			t.Helper()
			if g, err := e.Group(t.Context(), open.ID, 0); err != nil || g.Ended != want {
				t.Fatalf("%+v, %v; want ended = %v", g, err, want)
			}
		}
		ended(false)
		b := work(t, e, request(w.Session, 1, 0))
		work(t, e, request(w.Session, 0, 0, api.DoneJob{Job: id, Token: b.Jobs[0].Token, Outcome: api.OutcomeError}))
		ended(true)
		if _, err := e.Retry(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		ended(false)
		if _, err := e.Cancel(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		ended(true)
		if _, err := e.Enqueue(t.Context(), []api.JobSpec{{Type: "photo", Group: "none"}}, ""); code(err) != api.CodeNotFound {
			t.Fatal(err)
		}
	})
	story(t, "a call with an idempotency key is answered as the first time for 24 h", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		first, err := e.Enqueue(t.Context(), photos(2), "abc")
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(23 * time.Hour)
		again, err := e.Enqueue(t.Context(), photos(2), "abc")
		if err != nil || !slices.Equal(first, again) {
			t.Fatalf("%v, %v, want %v", again, err, first)
		}
		if _, err := e.Enqueue(t.Context(), photos(1), "abc"); code(err) != api.CodeConflict {
			t.Fatal(err)
		}
		time.Sleep(2 * time.Hour)
		if later, err := e.Enqueue(t.Context(), photos(2), "abc"); err != nil || later[0].ID == first[0].ID {
			t.Fatalf("%v, %v", later, err)
		}
	})
	story(t, "a schedule submits its job on time, and makes up once for what it missed", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		s, err := e.SetSchedule(t.Context(), "nightly", api.Schedule{Cron: "30 4 * * *", Zone: "America/Los_Angeles", Job: api.JobSpec{Type: "sweep"}})
		if err != nil {
			t.Fatal(err)
		}
		if want := time.Date(2000, 1, 1, 12, 30, 0, 0, time.UTC); !s.NextAt.Equal(want) { // the clock of a story begins in 2000
			t.Fatalf("next at %v, want %v", s.NextAt, want)
		}
		time.Sleep(13 * time.Hour)
		if n := e.Stats("").States[api.StateWaiting]; n != 1 {
			t.Fatalf("%d jobs wait", n)
		}
		for _, bad := range []api.Schedule{{Cron: "61 * * * *", Job: api.JobSpec{Type: "x"}}, {Cron: "* * * * *"}, {Cron: "* * * * *", Zone: "Mars/Phobos", Job: api.JobSpec{Type: "x"}}} {
			if _, err := e.SetSchedule(t.Context(), "bad", bad); code(err) == "" {
				t.Errorf("%+v is taken", bad)
			}
		}
	})
	story(t, "selected jobs are counted first, and changed if no more match than were confirmed", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		submit(t, e, append(photos(5), api.JobSpec{Type: "video"})...)
		r := api.SelectRequest{Selector: api.Selector{Type: "photo"}}
		if a, err := e.CancelSelected(t.Context(), r); err != nil || a.Matched != 5 || a.Changed != 0 || !a.DryRun {
			t.Fatalf("%+v, %v", a, err)
		}
		r.Confirm = 4
		if _, err := e.CancelSelected(t.Context(), r); code(err) != api.CodeMoreMatch {
			t.Fatal(err)
		}
		r.Confirm = 5
		if a, err := e.CancelSelected(t.Context(), r); err != nil || a.Changed != 5 {
			t.Fatalf("%+v, %v", a, err)
		}
		if _, err := e.CancelSelected(t.Context(), api.SelectRequest{Confirm: 9}); code(err) != api.CodeRequired {
			t.Fatal(err)
		}
		if a, err := e.Jobs(t.Context(), queue.Filter{}); err != nil || len(a.Jobs) != 1 || a.Jobs[0].Type != "video" {
			t.Fatalf("%+v, %v", a, err)
		}
	})
	story(t, "fair shares", queue.Options{Dispatch: dispatch.Options{Fair: true}}, func(t *testing.T, e *queue.Engine) {
		specs := photos(9)
		for i := range specs {
			specs[i].Tenant = "loud"
		}
		specs[8].Tenant = "quiet"
		submit(t, e, specs...)
		w := hire(t, e, "i-1", 9)
		wantIDs(t, "the quiet one's job comes second", work(t, e, request(w.Session, 2, 0)).Jobs, 1, 9)
	})
	story(t, "stats add up", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		w := hire(t, e, "i-1", 3)
		submit(t, e, api.JobSpec{Type: "photo", EstimateS: 2}, api.JobSpec{Type: "photo", EstimateS: 3, Tenant: "ann"}, api.JobSpec{Type: "photo", Tenant: "ann"}, api.JobSpec{Type: "photo", DelayMS: 1e6})
		a := work(t, e, request(w.Session, 1, 0))
		time.Sleep(10 * time.Second)
		work(t, e, request(w.Session, 0, 0, ok(a.Jobs...)...))
		s := e.Stats("")
		p := s.Pending[0]
		if len(s.Pending) != 1 || p.Waiting != 2 || p.Delayed != 1 || p.EstimateS != 3+10 || p.Unknown != 0 || p.OldestS < 10 || p.OldestS > 11 || p.Ages[2] != 2 {
			t.Errorf("pending %+v", s.Pending)
		}
		if f := s.Flows[0]; f.Arrived.M1 != 3 || f.Completed.M5 != 1 || f.ArrivedS.M60 != 5 {
			t.Errorf("flows %+v", s.Flows)
		}
		if v := s.Services[0]; v.Jobs != 1 || v.MeanS != 10 || v.InstanceType != "c1.xlarge" || v.P50S < 9.9 || v.P50S > 10.1 {
			t.Errorf("services %+v", s.Services)
		}
		if s.Workers.Workers != 1 || s.Workers.Slots != 3 || s.Totals.Completed != 1 || s.Totals.Enqueued != 4 {
			t.Errorf("workers %+v, totals %+v", s.Workers, s.Totals)
		}
		if a := e.Stats("ann"); a.States[api.StateWaiting] != 2 || a.Pending[0].Waiting != 2 || a.Pending[0].EstimateS != 3 {
			t.Errorf("of a tenant: %+v", a)
		}
	})
}

func TestBadJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := open(t, queue.NewMemory(), queue.Options{})
		long := string(make([]byte, 300))
		for field, spec := range map[string]api.JobSpec{
			"type": {}, "priority": {Type: "x", Priority: 256}, "tenant": {Type: "x", Tenant: long}, "key": {Type: "x", Key: "a\x00b"},
			"delay_ms": {Type: "x", DelayMS: -1}, "run_at": {Type: "x", RunAt: time.Date(1969, 1, 1, 0, 0, 0, 0, time.UTC)},
			"estimate_s": {Type: "x", EstimateS: -1}, "max_run_ms": {Type: "x", MaxRunMS: -1}, "attempts_max": {Type: "x", AttemptsMax: 1 << 20},
			"bytes_in": {Type: "x", BytesIn: -1}, "due_ms": {Type: "x", DueMS: -1}, "args": {Type: "x", Args: make([]byte, api.ArgsMaxBytes+1)},
		} {
			_, err := e.Enqueue(t.Context(), []api.JobSpec{{Type: "good"}, spec}, "")
			var bad *api.Error
			if !errors.As(err, &bad) || bad.Field != "jobs[1]."+field {
				t.Errorf("%s: %v", field, err)
			}
		}
		if n := e.Stats("").States[api.StateWaiting]; n != 0 {
			t.Errorf("%d jobs were taken from batches that were refused", n)
		}
	})
}

// flaky is a store whose commits can be held up and made to fail.
type flaky struct {
	queue.Store
	commit  atomic.Pointer[func(ctx context.Context, write func() error) error]
	noRenew atomic.Bool
}

// onCommit puts f in the way of every commit from now on; nil clears it.
func (f *flaky) onCommit(do func(ctx context.Context, write func() error) error) {
	if do == nil {
		f.commit.Store(nil)
		return
	}
	f.commit.Store(&do)
}

func (f *flaky) Commit(ctx context.Context, b *queue.Batch) error {
	write := func() error { return f.Store.Commit(ctx, b) }
	if do := f.commit.Load(); do != nil {
		return (*do)(ctx, write)
	}
	return write()
}

func (f *flaky) Renew(ctx context.Context, epoch uint32, ttl time.Duration) error {
	if f.noRenew.Load() {
		return errors.New("no answer")
	}
	return f.Store.Renew(ctx, epoch, ttl)
}

func TestNothingIsSaidBeforeItIsWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &flaky{Store: queue.NewMemory()}
		e := open(t, store, queue.Options{})
		w := hire(t, e, "i-1", 1)
		synctest.Wait()
		release := make(chan struct{})
		store.onCommit(func(_ context.Context, write func() error) error {
			<-release
			return write()
		})
		said := make(chan string, 2)
		go func() {
			a := work(t, e, request(w.Session, 1, 25*time.Second))
			said <- fmt.Sprint("leased ", ids(a.Jobs))
		}()
		synctest.Wait()
		go func() {
			submit(t, e, photos(1)...)
			said <- "taken"
		}()
		time.Sleep(5 * time.Second)
		if len(said) > 0 {
			t.Fatalf("said before it was written: %s", <-said)
		}
		close(release)
		all := []string{<-said, <-said}
		if slices.Sort(all); !slices.Equal(all, []string{"leased [1]", "taken"}) {
			t.Fatalf("said %v", all)
		}
		if n := e.Ready(); n != nil {
			t.Fatal(n)
		}
	})
}

// What follows from a registration is told to the worker's open call once the
// registration is written: the next leader would know nothing of it.
func TestRolesAreWrittenBeforeTheyCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &flaky{Store: queue.NewMemory()}
		e := open(t, store, queue.Options{})
		r := api.RegisterRequest{InstanceID: "i-1", Slots: 1, Cluster: "default", BootID: "b"}
		w, err := e.Register(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := e.Direct(t.Context(), api.DirectiveRequest{Role: "render", Op: api.OpDrain}); err != nil {
			t.Fatal(err)
		}
		release := make(chan struct{})
		store.onCommit(func(_ context.Context, write func() error) error {
			<-release
			return write()
		})
		said := make(chan api.Op, 1)
		go func() { said <- work(t, e, request(w.Session, 1, 25*time.Second)).Directive.Op }()
		synctest.Wait()
		registered := make(chan error, 1)
		go func() {
			r.Roles = []string{"render"}
			_, err := e.Register(t.Context(), r)
			registered <- err
		}()
		time.Sleep(5 * time.Second)
		if len(said) > 0 {
			t.Error("it is told before it is written")
		}
		close(release)
		if err := <-registered; err != nil {
			t.Fatal(err)
		}
		if op := <-said; op != api.OpDrain {
			t.Errorf("told to %s", op)
		}
	})
}

func TestStoreThatFailsForAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &flaky{Store: queue.NewMemory()}
		e := open(t, store, queue.Options{})
		hire(t, e, "i-1", 1)
		var tries int // the writer's, until nothing is pending
		store.onCommit(func(_ context.Context, write func() error) error {
			if tries++; tries%3 == 0 {
				return write()
			}
			if tries%3 == 2 {
				return errors.Join(write(), errors.New("the answer was lost"))
			}
			return errors.New("disk full")
		})
		submit(t, e, photos(2)...)
		submit(t, e, photos(1)...)
		if tries < 6 {
			t.Fatalf("%d tries", tries)
		}
		store.onCommit(nil)
		e.Kill()
		e = open(t, store, queue.Options{})
		if n := e.Stats("").States[api.StateWaiting]; n != 3 {
			t.Fatalf("%d jobs, want 3", n)
		}
	})
}

func TestStoreThatFailsForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &flaky{Store: queue.NewMemory()}
		e := open(t, store, queue.Options{})
		hire(t, e, "i-1", 1)
		store.onCommit(func(ctx context.Context, _ func() error) error {
			<-ctx.Done()
			return ctx.Err()
		})
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		if _, err := e.Enqueue(ctx, photos(1), ""); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatalf("a caller with less patience than the queue: %v", err)
		}
		if err := e.Ready(); code(err) != api.CodeUnavailable {
			t.Fatalf("ready: %v", err)
		}
		if _, err := e.Enqueue(t.Context(), photos(1), ""); code(err) != api.CodeUnavailable {
			t.Fatal(err)
		}
		<-e.Done()
		if _, err := e.Enqueue(t.Context(), photos(1), ""); code(err) != api.CodeUnavailable {
			t.Fatal(err)
		}
	})
}

func TestStandbyTakesOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := queue.NewMemory()
		store := &flaky{Store: memory}
		e := open(t, store, queue.Options{})
		w := hire(t, e, "i-1", 2)
		submit(t, e, photos(3)...)
		a := work(t, e, request(w.Session, 2, 0))
		standby := make(chan *queue.Engine)
		go func() { standby <- open(t, memory, queue.Options{}) }()
		time.Sleep(8 * time.Second)
		select {
		case <-standby:
			t.Fatal("two lead")
		default:
		}
		// The leader stands still: it neither renews nor notices.
		store.noRenew.Store(true)
		parked := make(chan error)
		go func() {
			_, err := e.Work(t.Context(), api.WorkRequest{Session: w.Session, ReqID: "parked", SlotsFree: 0, WaitMS: 25_000, Running: running(a.Jobs...)})
			parked <- err
		}()
		began := time.Now()
		next := <-standby
		if took := time.Since(began); took > 5*time.Second {
			t.Errorf("the standby took %v", took)
		}
		other := hire(t, next, "i-2", 9)
		wantIDs(t, "what does not run", work(t, next, request(other.Session, 9, 0)).Jobs, 3)
		if b := work(t, next, request(w.Session, 0, 0, ok(a.Jobs...)...)); b.Acks[0].Status != api.AckAccepted || b.Acks[1].Status != api.AckAccepted {
			t.Errorf("what ran on: %+v", b.Acks)
		}
		if _, err := e.Enqueue(t.Context(), photos(1), ""); code(err) != api.CodeNotLeader {
			t.Errorf("the earlier leader takes jobs: %v", err)
		}
		if err := <-parked; code(err) != api.CodeNotLeader {
			t.Errorf("a parked call of the earlier leader: %v", err)
		}
		<-e.Done()
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		memory := queue.NewMemory()
		e := open(t, memory, queue.Options{})
		submit(t, e, photos(1)...)
		if err := e.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if _, err := e.Enqueue(t.Context(), photos(1), ""); code(err) != api.CodeUnavailable {
			t.Fatal(err)
		}
		began := time.Now()
		if open(t, memory, queue.Options{}); time.Since(began) != 0 {
			t.Fatalf("the next leader waited for %v although the last one resigned", time.Since(began))
		}
		minutes := 0
		if err := memory.Minutes(t.Context(), 0, 1<<62, func(m queue.Minute) error { minutes += int(m.Arrived); return nil }); err != nil || minutes != 1 {
			t.Fatalf("%d arrivals in the roll-ups, %v", minutes, err)
		}
	})
}
