package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/controller/sqlstore"
	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/policy/skynet"
)

// liveFigures measures decisions of the live controller about 10 000 instances
// that work, while a million jobs wait: reading the queue's answer as it comes over
// HTTP, the ledger, Step, the guard, the journal, saving to SQLite, and acting on a
// fleet in memory. The queue's own time is not in it.
func liveFigures(set settings) ([]figure, error) {
	folder, err := os.MkdirTemp("", "skynet-bench-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(folder)
	w := &liveWorld{now: time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC), catalog: policy.EC2in2008()}
	w.region = fleet.NewInMemory(&w.catalog, w.clock)
	store, err := sqlstore.Open(context.Background(), "sqlite:"+filepath.Join(folder, "store.db"))
	if err != nil {
		return nil, err
	}
	defer store.Close()
	guard := policy.Bounded(5000)
	guard.LaunchMax, guard.InFlightMax, guard.FleetMax, guard.DrainMax = 2*liveInstances, 2*liveInstances, 2*liveInstances, 2*liveInstances
	guard.CoresMax, guard.BeyondBounds = 64*liveInstances, true
	guard.HourMax, guard.DayMax, guard.MonthMax = 1e6*policy.USD, 1e8*policy.USD, 1e9*policy.USD
	env := policy.Env{
		Catalog: w.catalog, Tick: time.Minute, BootGuess: time.Minute,
		Classes: []policy.Class{{Name: "upload", Priority: -1, Target: 30 * time.Second, Attain: 0.95}},
	}
	first := &held{instances: liveInstances}
	first.Policy, err = skynet.Spec.New(env, nil)
	if err != nil {
		return nil, err
	}
	k, err := controller.Open(context.Background(), controller.Config{
		Fleet: "bench", Holder: "bench", Env: env, Guard: guard, Store: store, Queue: w, Now: w.clock,
		Observer: w.region.Fleet(), Actuator: w.region.Fleet(), LeadFor: time.Hour,
		Policy: func() (policy.Policy, error) { return first, nil }, Described: journal.PolicyOf(&skynet.Spec, nil, "skynet"),
	})
	if err != nil {
		return nil, err
	}
	tick := func() error {
		w.now = w.now.Add(time.Minute)
		if err := w.answer(); err != nil {
			return err
		}
		_, err := k.Tick(context.Background())
		return err
	}
	for range 3 { // launch, boot, ready
		if err := tick(); err != nil {
			return nil, err
		}
	}
	if n := len(w.region.Alive()); n != liveInstances {
		return nil, fmt.Errorf("%d instances, want %d", n, liveInstances)
	}
	first.inner, first.steps = 0, 0
	var cpu []time.Duration
	for range max(set.rounds, 3) {
		w.now = w.now.Add(time.Minute)
		if err := w.answer(); err != nil {
			return nil, err
		}
		took, err := spentIn(func() { _, err = k.Tick(context.Background()) })
		if err != nil {
			return nil, err
		}
		cpu = append(cpu, took)
	}
	if first.err != nil {
		return nil, first.err
	}
	if f := &k.Observation().Fleet; f.BusySlots != liveInstances || k.Observation().Queue.Kinds[0].Pending.Jobs == 0 {
		return nil, fmt.Errorf("%d slots are busy, want %d", f.BusySlots, liveInstances)
	}
	return []figure{
		{"a decision end to end, 10 000 instances, 10⁶ pending jobs, CPU time", fmt.Sprintf("%.0f ms", 1e3*median(cpu).Seconds()), "10 s", ""},
		{"of it Step", fmt.Sprintf("%.2f ms", 1e3*(first.inner/time.Duration(first.steps)).Seconds()), "100 ms", ""},
	}, errors.Join(k.Close(context.Background()))
}

const (
	liveInstances = 10_000
	livePending   = 1_000_000
)

// liveWorld is a queue that has answered once, and a region.
type liveWorld struct {
	now     time.Time
	catalog policy.Catalog
	region  *fleet.InMemory
	text    []byte // what it answers
}

func (w *liveWorld) clock() time.Time { return w.now }

// answer makes what the queue answers at this time.
func (w *liveWorld) answer() error {
	o := api.Observed{At: w.now, Epoch: 1}
	alive := w.region.Alive()
	for i := range 4 {
		kind := api.ObservedKind{Type: "photo", Priority: i, Arrived: livePending, Waiting: livePending / 4, Leased: int64(len(alive) / 4)}
		for step := range 60 {
			kind.Arrivals = append(kind.Arrivals, api.Count{Of: w.now.Unix()/10 - 60 + int64(step), Jobs: livePending / 240})
		}
		o.Kinds = append(o.Kinds, kind)
	}
	for i, id := range alive {
		o.Workers = append(o.Workers, api.ObservedWorker{
			WorkerID: id, InstanceID: id, InstanceType: w.catalog.Types[0].Name, Slots: 1, RegisteredAt: w.now.Add(-time.Minute), SeenAt: w.now,
			Directive: api.OpWork, Running: []api.ObservedJob{{Kind: i % 4, ElapsedS: float64(i % 60)}},
		})
	}
	var err error
	w.text, err = json.Marshal(&o)
	return err
}

// Observe implements controller.Queue.
func (w *liveWorld) Observe(context.Context, api.ObserveRequest) (o api.Observed, err error) {
	return o, api.Unmarshal(w.text, &o)
}

// Direct implements controller.Queue.
func (w *liveWorld) Direct(context.Context, api.DirectiveRequest) (api.PostedDirective, error) {
	return api.PostedDirective{}, nil
}
