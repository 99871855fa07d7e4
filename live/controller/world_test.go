package controller_test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/policy/skynet"
)

// world is a small site: the real queue and the real controller, a region in
// memory whose instances boot real workers of the queue's protocol, and users
// who upload photos. It runs in the bubble of a synctest.
type world struct {
	t      *testing.T
	env    policy.Env
	guard  policy.Guard
	region ground
	queue  *queue.Engine
	store  *controller.Memory
	boot   time.Duration
	run    time.Duration // of a job, on the fastest type
	log    *slog.Logger

	vary      bool                          // jobs take exponential times
	lasts     func(job int64) time.Duration // how long a job takes; nil: run
	stuck     time.Duration                 // how long jobs take that begin now; 0: as others
	notice    func(id string) time.Time     // when EC2 takes an instance back, as its metadata says; nil: never
	deaf      bool                          // the queue cannot be read
	stop      controller.Stopped
	submitted int
	peak      int
	journal   bytes.Buffer
	booted    map[string]context.CancelFunc
	boots     bool          // the region boots workers by itself
	skew      time.Duration // of the controller's clock
}

// ground is where a fleet stands: a region in memory, or the simulated EC2 behind
// its protocol.
type ground interface {
	Fleet() fleet.Fleet
	Alive() []string
	Launched(intent string) int
	Break(fleet.Call, ...fleet.Breakage)
	Lag(time.Duration)
}

// now is what the controller's clock shows.
func (w *world) now() time.Time { return time.Now().Round(0).Add(w.skew) }

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		t: t, boot: 90 * time.Second, run: 4 * time.Second, log: slog.New(slog.DiscardHandler), booted: map[string]context.CancelFunc{},
		env: policy.Env{
			Catalog: policy.EC2in2008(), Tick: time.Minute, BootGuess: 95 * time.Second,
			Classes: []policy.Class{{Name: "upload", Priority: -1, Target: 30 * time.Second, Attain: 0.95}},
		},
		guard: policy.Bounded(40),
	}
	if testing.Verbose() && os.Getenv("SKYNET_LOG") != "" {
		w.log = slog.New(slog.NewTextHandler(os.Stderr, nil))
	}
	w.region = fleet.NewInMemory(&w.env.Catalog, nil)
	e, err := queue.Open(t.Context(), queue.NewMemory(), queue.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Kill)
	w.queue, w.store = e, controller.NewMemory(time.Now)
	return w
}

// Observe is the queue's, while it can be read.
func (w *world) Observe(ctx context.Context, r api.ObserveRequest) (api.Observed, error) {
	if w.deaf {
		return api.Observed{}, errors.New("connection refused")
	}
	return w.queue.Observe(r)
}

// Direct is the queue's, while it can be reached.
func (w *world) Direct(ctx context.Context, r api.DirectiveRequest) (api.PostedDirective, error) {
	if w.deaf {
		return api.PostedDirective{}, errors.New("connection refused")
	}
	return w.queue.Direct(ctx, r)
}

// config is that of a controller of the world.
func (w *world) config(holder string) controller.Config {
	one := w.region.Fleet()
	return controller.Config{
		Fleet: "render", Holder: holder, Env: w.env, Guard: w.guard,
		Policy:    func() (policy.Policy, error) { return skynet.Spec.New(w.env, nil) },
		Described: journal.PolicyOf(&skynet.Spec, nil, "skynet@test"),
		Queue:     w, Observer: one, Actuator: one, Store: w.store, Now: w.now,
		Stop:    func(time.Time) controller.Stopped { return w.stop },
		Journal: func() (io.WriteCloser, error) { return nopCloser{&w.journal}, nil },
		Log:     w.log,
	}
}

type nopCloser struct{ io.Writer }

func (nopCloser) Close() error { return nil }

func (w *world) open(c controller.Config) *controller.Controller {
	w.t.Helper()
	k, err := controller.Open(w.t.Context(), c)
	if err != nil {
		w.t.Fatal(err)
	}
	return k
}

// minutes lets so many minutes pass: every minute a tick of k, in between uploads
// arrive at a rate a second, instances boot, and workers work.
func (w *world) minutes(k *controller.Controller, n int, rate float64) []*controller.Result {
	w.t.Helper()
	var results []*controller.Result
	for range n {
		r, err := k.Tick(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		copied := *r
		copied.Decided.Launches = slices.Clone(r.Decided.Launches)
		copied.Decided.Drains = slices.Clone(r.Decided.Drains)
		results = append(results, &copied)
		w.minute(rate, func() {
			if _, err := k.Reap(w.t.Context()); err != nil {
				w.t.Fatal(err)
			}
		})
	}
	return results
}

// minute is one without a tick; reap is called every five seconds.
func (w *world) minute(rate float64, reap func()) {
	w.t.Helper()
	due := 0.0
	for second := range 60 {
		if second%5 == 0 {
			w.raise()
			reap()
		}
		n := 0
		for due += rate; due >= 1; due-- {
			n++
		}
		if n > 0 {
			w.submit(n)
		}
		time.Sleep(time.Second)
	}
	w.peak = max(w.peak, len(w.region.Alive()))
}

func (w *world) submit(n int) {
	w.t.Helper()
	specs := make([]api.JobSpec, n)
	for i := range specs {
		specs[i] = api.JobSpec{Type: "photo"}
	}
	if _, err := w.queue.Enqueue(w.t.Context(), specs, ""); err != nil {
		w.t.Fatal(err)
	}
	w.submitted += n
}

// raise boots the workers of new instances and cuts the power of ended ones.
func (w *world) raise() {
	if w.boots {
		return
	}
	alive := w.region.Alive()
	for _, in := range w.region.Fleet().Observe(w.t.Context()).Instances {
		if in.State != fleet.Over && w.booted[in.ID] == nil {
			ctx, cancel := context.WithCancel(w.t.Context())
			w.booted[in.ID] = cancel
			typ := w.env.Catalog.Types[w.env.Catalog.Index(in.Type)]
			go w.work(ctx, in.ID, typ.Name, typ.Slots, time.Duration(float64(w.run)*2.5/typ.Speed))
		}
	}
	for id, cancel := range w.booted {
		if !slices.Contains(alive, id) {
			cancel()
		}
	}
}

// work is the life of the worker of an instance, whose jobs take run.
func (w *world) work(ctx context.Context, id, typ string, slots int, run time.Duration) {
	select {
	case <-time.After(w.boot):
	case <-ctx.Done():
		return
	}
	me, err := w.queue.Register(ctx, api.RegisterRequest{InstanceID: id, InstanceType: typ, Slots: slots, Cluster: "default", BootID: "boot of " + id})
	if err != nil {
		return
	}
	type job struct {
		lease api.LeasedJob
		ends  time.Time
	}
	var running []job
	for call := 0; ctx.Err() == nil; call++ {
		r := api.WorkRequest{Session: me.Session, ReqID: fmt.Sprint(id, "/", call)}
		next := time.Now().Add(10 * time.Second) // a beat
		keep := running[:0]
		for _, j := range running {
			if time.Now().Before(j.ends) {
				keep = append(keep, j)
				r.Running = append(r.Running, api.RunningJob{Job: j.lease.ID, Token: j.lease.Token})
				next = earlier(next, j.ends)
			} else {
				r.Done = append(r.Done, api.DoneJob{Job: j.lease.ID, Token: j.lease.Token, Outcome: api.OutcomeOK, ResultURI: "file:///" + fmt.Sprint(j.lease.ID)})
			}
		}
		running = keep
		if w.notice != nil {
			r.TakenBackAt = w.notice(id)
			next = earlier(next, time.Now().Add(5*time.Second)) // as often as EC2 asks to be asked
		}
		if !r.TakenBackAt.IsZero() && len(running) == 0 {
			if len(r.Done) > 0 {
				w.queue.Work(ctx, r)
			}
			w.queue.Goodbye(ctx, me.WorkerID, api.GoodbyeRequest{Session: me.Session, Reason: "spot interruption", TakenBackAt: r.TakenBackAt})
			return
		}
		if r.SlotsFree = slots - len(running); !r.TakenBackAt.IsZero() {
			r.SlotsFree = 0
		}
		if r.SlotsFree > 0 {
			r.WaitMS = max(1, time.Until(next).Milliseconds()) // no time passes in a call that does not wait
		}
		a, err := w.queue.Work(ctx, r)
		if err != nil {
			return
		}
		for _, l := range a.Jobs {
			long := cmp.Or(w.stuck, run)
			if w.lasts != nil {
				long = w.lasts(l.ID)
			}
			if w.vary {
				long = time.Duration(float64(run) * rand.New(rand.NewPCG(uint64(l.ID), 1)).ExpFloat64())
			}
			running = append(running, job{l, time.Now().Add(long)})
			next = earlier(next, running[len(running)-1].ends)
		}
		if len(running) < slots && a.Directive.Op == api.OpWork && len(a.Jobs) > 0 {
			continue
		}
		if r.SlotsFree == 0 || len(running) == slots || a.Directive.Op != api.OpWork {
			select {
			case <-time.After(max(time.Until(next), time.Millisecond)):
			case <-ctx.Done():
			}
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// finished fails the test unless every job is done within so many minutes.
func (w *world) finished(k *controller.Controller, within int) {
	w.t.Helper()
	for range within {
		if int(w.queue.Stats("").Totals.Completed) == w.submitted {
			return
		}
		w.minutes(k, 1, 0)
	}
	w.t.Errorf("%d submitted, not all done: %+v", w.submitted, w.queue.Stats("").Totals)
}

// replay fails the test unless the journal replays to the same bytes.
func (w *world) replay() *journal.Report {
	w.t.Helper()
	return replay(w.t, w.journal.Bytes())
}

// replay fails the test unless a journal replays to the same bytes.
func replay(t *testing.T, text []byte) *journal.Report {
	t.Helper()
	x := journal.Replay{New: func(h *journal.Header) (policy.Policy, error) { return h.New([]*policy.Spec{&skynet.Spec}) }, Most: 3}
	report, err := x.Run(journal.NewReader(source(text)))
	if err != nil {
		t.Fatal(err)
	}
	if !report.Same() {
		t.Errorf("replayed, %d of the decisions differ: %+v", report.Differing, report.Differences)
	}
	return report
}

// source is a journal that was kept in memory.
func source(text []byte) journal.Source {
	return journal.Source{Name: "journal", Open: func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(text)), nil }}
}
