package controller_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/history"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
)

// estimated is a job that carries an estimate, or none (0). Both it and the work are
// in core-seconds.
type estimated struct {
	at             time.Duration
	jobType        string
	priority       int
	estimate, work float64
	bytesIn        int64
}

// estimatedJobs returns short photos that were estimated at three times their work,
// and then jobs that run over several ticks, some past their estimates, each with
// another one or without. Nothing begins or ends within a second of a tick.
func estimatedJobs() (all []estimated) {
	for i := range 40 {
		at := 2*time.Minute + time.Duration(5+i)*time.Second
		all = append(all, estimated{at, "photo", 0, 12, 4, 0})
	}
	for i, e := range []float64{150, 700, 2400} {
		all = append(all, estimated{3*time.Minute + 20*time.Second, "photo", 0, e, 410 + 250*float64(i), 0})
	}
	for i, e := range []float64{90, 0, 1900, 3300} {
		all = append(all, estimated{3*time.Minute + 30*time.Second, "video", 1, e, 510 + 300*float64(i), 5 << 20})
	}
	return all
}

// watched is a policy that somebody looks over the shoulder of.
type watched struct {
	policy.Policy
	seen func(*policy.Observation)
}

func (p watched) Step(o *policy.Observation) policy.Decision {
	p.seen(o)
	return p.Policy.Step(o)
}

// left is what an observation says of the jobs that run.
type left struct {
	Work    map[string]policy.Flow // by type
	IdleIn  []time.Duration        // by instance
	Freeing []policy.FreeCount
}

// leftIn returns a policy that keeps one instance, and what it is shown at each tick.
func leftIn(env policy.Env) (policy.Policy, *[]left, error) {
	p, err := policy.NewStatic(env, 1, "c1.xlarge")
	if err != nil {
		return nil, nil, err
	}
	var all []left
	return watched{p, func(o *policy.Observation) {
		l := left{Work: map[string]policy.Flow{}, Freeing: slices.Clone(o.Fleet.Freeing)}
		for i := range o.Queue.Kinds {
			if k := &o.Queue.Kinds[i]; k.InFlight.Jobs > 0 {
				l.Work[k.Type] = k.InFlight
			}
		}
		for i := range o.Fleet.Instances {
			l.IdleIn = append(l.IdleIn, o.Fleet.Instances[i].IdleIn)
		}
		all = append(all, l)
	}}, &all, nil
}

// wired is a world whose queue is read as over the network.
type wired struct{ *world }

func (w wired) Observe(ctx context.Context, r api.ObserveRequest) (o api.Observed, err error) {
	seen, err := w.world.Observe(ctx, r)
	if err != nil {
		return o, err
	}
	text, err := api.Marshal(seen)
	if err != nil {
		return o, err
	}
	return o, api.Unmarshal(text, &o)
}

// What is left of the jobs that run, when an instance will be idle, and when slots
// will be free is the same to the controller, which reads it from the real queue, and
// to the simulator, which is given the queue's history, on every tick.
func TestRunningJobsAreEstimatedAsInTheSimulator(t *testing.T) {
	const minutes = 16
	jobs := estimatedJobs()
	var live *[]left
	world := &sim.Config{
		Name: "estimates", Tick: time.Minute, Duration: minutes * time.Minute, MaxInstances: 1, ReferenceSpeed: 1,
		Boot:  map[string]sim.BootModel{"": {Model: "fixed", Value: 90 * time.Second}},
		Lease: 30 * time.Second, Beat: 10 * time.Second,
	}
	var ended []api.Finished
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.lasts = func(job int64) time.Duration { return time.Duration(jobs[job-1].work / 2.5 * 1e9) }
		world.Start, world.Classes, world.Catalog, world.Guard = time.Now().UTC(), w.env.Classes, w.env.Catalog, &w.guard
		c := w.config("a")
		c.Queue = wired{w}
		c.Policy = func() (p policy.Policy, err error) {
			p, live, err = leftIn(w.env)
			return p, err
		}
		k := w.open(c)
		next := 0
		for second := range minutes * 60 {
			if second%60 == 0 {
				if _, err := k.Tick(t.Context()); err != nil {
					t.Fatal(err)
				}
			}
			w.raise()
			for ; next < len(jobs) && jobs[next].at == time.Duration(second)*time.Second; next++ {
				j := &jobs[next]
				spec := api.JobSpec{Type: j.jobType, Priority: j.priority, EstimateS: j.estimate, BytesIn: j.bytesIn}
				if _, err := w.queue.Enqueue(t.Context(), []api.JobSpec{spec}, ""); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Until(world.Start.Add(time.Duration(second+1) * time.Second)))
		}
		err := w.queue.History(t.Context(), world.Start, time.Now(), func(f api.Finished) error {
			ended = append(ended, f)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	if len(ended) != len(jobs) {
		t.Fatalf("%d of %d jobs are done", len(ended), len(jobs))
	}
	sorter := history.New(history.Options{From: world.Start, Speeds: speedsOf(&world.Catalog)})
	defer sorter.Close()
	for _, f := range ended {
		if err := sorter.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	src, err := sorter.Trace()
	if err != nil {
		t.Fatal(err)
	}
	p, simulated, err := leftIn(world.Env())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := sim.Run(t.Context(), world, p, src, sim.Options{}); err != nil {
		t.Fatal(err)
	}
	if len(*live) != minutes || len(*simulated) < minutes {
		t.Fatalf("%d ticks live and %d simulated, want %d", len(*live), len(*simulated), minutes)
	}
	if diff := cmp.Diff((*simulated)[:minutes], *live); diff != "" {
		t.Errorf("what runs, as the simulator (-) and the controller (+) see it by minute:\n%s", diff)
	}
	ran := 0
	for _, l := range *live {
		ran += len(l.Work)
	}
	if ran < 10 {
		t.Errorf("only %d times did jobs of a type run at a tick", ran)
	}
}
