package source_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/live/source"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/policy/skynet"
)

// site is a queue that is not SkyNet's, in the bubble of a synctest: jobs wait in
// it, workers on the instances of a region in memory take them, and one whose
// instance is ended gives its jobs back.
type site struct {
	t       *testing.T
	region  *fleet.InMemory
	env     policy.Env
	boot    time.Duration
	service time.Duration // of a job on a slot of speed 1

	waiting, done, cut int
	arrived            int
	workers            map[string]*siteWorker
	tells              bool          // of its workers
	counted            bool          // completions
	broken             error         // of a reading
	lies               *source.Count // read instead
	mute               bool          // no worker reports
	elsewhere          int64         // in flight on nobody's instances
}

type siteWorker struct {
	from  time.Time
	slots int
	run   time.Duration
	ends  []time.Time // of what runs
}

func newSite(t *testing.T) *site {
	s := &site{
		t: t, boot: 90 * time.Second, service: 20 * time.Second, workers: map[string]*siteWorker{},
		env: policy.Env{
			Catalog: policy.EC2in2008(), Tick: time.Minute, BootGuess: 95 * time.Second,
			Classes: []policy.Class{{Name: "upload", Priority: -1, Target: 2 * time.Minute, Attain: 0.95}},
		},
	}
	s.region = fleet.NewInMemory(&s.env.Catalog, time.Now)
	return s
}

// Read is of source.Reader.
func (s *site) Read(context.Context) (source.Reading, error) {
	if s.broken != nil {
		return source.Reading{}, s.broken
	}
	r := source.Reading{At: time.Now().UTC(), WithWorkers: s.tells}
	c := source.Count{Waiting: int64(s.waiting), InFlight: s.elsewhere}
	for id, w := range s.workers {
		if time.Now().Before(w.from) {
			continue
		}
		c.InFlight += int64(len(w.ends))
		if !s.mute {
			r.Workers = append(r.Workers, source.Worker{Instance: id, Busy: len(w.ends)})
		}
	}
	if s.counted {
		c.Completed.Total = source.Known(float64(s.done))
	}
	if s.lies != nil {
		c = *s.lies
	}
	r.Kinds = []source.Count{c}
	return r, nil
}

// queue returns the site's queue as a controller reads it.
func (s *site) queue(change func(*source.Config)) *source.Queue {
	c := source.Config{
		Kinds: []source.Kind{{Type: "photo", Service: s.service}}, Reader: s,
		Fleet: s.region.Fleet(), Catalog: &s.env.Catalog,
	}
	if change != nil {
		change(&c)
	}
	q, err := source.New(c)
	if err != nil {
		s.t.Fatal(err)
	}
	return q
}

// controller opens the real one over the site.
func (s *site) controller(change func(*source.Config)) *controller.Controller {
	q := s.queue(change)
	k, err := controller.Open(s.t.Context(), controller.Config{
		Fleet: "render", Holder: "a", Env: s.env, Guard: policy.Bounded(40),
		Policy:    func() (policy.Policy, error) { return skynet.Spec.New(s.env, nil) },
		Described: journal.PolicyOf(&skynet.Spec, nil, "skynet@test"),
		Queue:     q, Observer: q.Watch(), Actuator: s.region.Fleet(), Store: controller.NewMemory(time.Now),
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return k
}

// minutes lets so many pass: a tick in each, and jobs at a rate a second.
func (s *site) minutes(k *controller.Controller, n int, rate float64) []controller.Result {
	s.t.Helper()
	var all []controller.Result
	due := 0.0
	for range n {
		r, err := k.Tick(s.t.Context())
		if err != nil {
			s.t.Fatal(err)
		}
		all = append(all, *r)
		for second := range 60 {
			s.second()
			for due += rate; due >= 1; due-- {
				s.waiting++
				s.arrived++
			}
			if second%5 == 0 {
				if _, err := k.Reap(s.t.Context()); err != nil {
					s.t.Fatal(err)
				}
			}
			time.Sleep(time.Second)
		}
	}
	return all
}

// second is what the workers do in one.
func (s *site) second() {
	now, alive := time.Now(), s.region.Alive()
	for id, w := range s.workers {
		if !slices.Contains(alive, id) {
			s.waiting += len(w.ends)
			s.cut += len(w.ends)
			delete(s.workers, id)
		}
	}
	for _, in := range s.region.Fleet().Observe(s.t.Context()).Instances {
		if in.State == fleet.Over || s.workers[in.ID] != nil {
			continue
		}
		t := s.env.Catalog.Types[s.env.Catalog.Index(in.Type)]
		s.workers[in.ID] = &siteWorker{from: in.Launched.Add(s.boot), slots: t.Slots, run: time.Duration(float64(s.service) / t.Speed)}
	}
	for _, id := range alive {
		w := s.workers[id]
		if w == nil || now.Before(w.from) {
			continue
		}
		running := len(w.ends)
		w.ends = slices.DeleteFunc(w.ends, func(end time.Time) bool { return !now.Before(end) })
		s.done += running - len(w.ends)
		for len(w.ends) < w.slots && s.waiting > 0 {
			s.waiting--
			w.ends = append(w.ends, now.Add(w.run))
		}
	}
}

// observe reads the queue, and fails the test if it cannot be read.
func (s *site) observe(q *source.Queue) api.Observed {
	s.t.Helper()
	o, err := q.Observe(s.t.Context(), api.ObserveRequest{})
	if err != nil {
		s.t.Fatal(err)
	}
	return o
}

var errBlind = errors.New("connection refused")

// request is a controller's.
func request() api.ObserveRequest { return api.ObserveRequest{} }

// launch launches one instance past the controller.
func launch(t *testing.T, s *site) (id string) {
	t.Helper()
	l := fleet.NewLedger(fleet.DefaultRules(0))
	if _, err := l.Intend(fleet.Intent{ID: "one", Type: "c1.xlarge", Count: 1, Decided: time.Now(), Spec: s.region.Fleet().Spec()}); err != nil {
		t.Fatal(err)
	}
	out := s.region.Fleet().Launch(t.Context(), l.Due(time.Now()))
	if len(out) != 1 || len(out[0].Instances) != 1 {
		t.Fatalf("launched %+v", out)
	}
	return out[0].Instances[0].ID
}

func drain(t *testing.T, q *source.Queue, id string) {
	t.Helper()
	if _, err := q.Direct(t.Context(), api.DirectiveRequest{InstanceID: id, Op: api.OpDrain}); err != nil {
		t.Fatal(err)
	}
}

func wanted(id string) api.DirectiveRequest {
	return api.DirectiveRequest{InstanceID: id, Op: api.OpWork}
}

// ended reports whether a controller would end a drained instance now.
func ended(s *site, q *source.Queue, id string) bool {
	for _, w := range s.observe(q).Workers {
		if w.InstanceID == id {
			return w.Directive == api.OpDrain && len(w.Running) == 0
		}
	}
	return true
}
