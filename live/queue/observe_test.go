package queue_test

import (
	"math"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/policy/observe"
)

// near is for times: the memory store takes a millisecond to commit.
func near(a, b float64) bool { return math.Abs(a-b) < 0.001*(1+b) }

// What a controller is told agrees with what happened: what arrived, started
// (late or not), was done, failed, was lost, waits and runs.
func TestObserve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := queue.NewMemory()
		e := open(t, store, queue.Options{})
		look := func() api.Observed {
			t.Helper()
			o, err := e.Observe(api.ObserveRequest{
				Speeds:    map[string]float64{"c1.xlarge": 2.5},
				LateAfter: []api.LateAfter{{Type: "photo", Priority: 1, AfterS: 5}},
			})
			if err != nil {
				t.Fatal(err)
			}
			return o
		}
		w := hire(t, e, "i-1", 4)
		submit(t, e, api.JobSpec{Type: "photo", Priority: 1, EstimateS: 3}, api.JobSpec{Type: "photo", Priority: 1}, api.JobSpec{Type: "photo", Priority: 1})
		o := look()
		if len(o.Kinds) != 1 {
			t.Fatalf("%d kinds, want 1: %+v", len(o.Kinds), o)
		}
		if k := o.Kinds[0]; k.Arrived != 3 || k.ArrivedEstimated != 1 || k.ArrivedEstimateS != 3 || k.Waiting != 3 || k.WaitingEstimated != 1 || k.WaitingEstimateS != 3 || len(k.Arrivals) != 1 || k.Arrivals[0].Jobs != 3 {
			t.Fatalf("three arrived: %+v", k)
		}
		first := work(t, e, request(w.Session, 1, 0)) // in time
		time.Sleep(6 * time.Second)
		r := request(w.Session, 2, 0)
		r.Running = running(first.Jobs...)
		late := work(t, e, r)
		time.Sleep(2 * time.Second)
		o = look()
		if x := o.Workers[0].Running; len(x) != 3 || x[0].EstimateS != 3 || x[1].EstimateS != 0 || x[2].EstimateS != 0 {
			t.Fatalf("the first was estimated at 3 s, the others not at all: %+v", x)
		}
		if k := o.Kinds[0]; k.Started != 3 || k.StartedLate != 2 || k.Leased != 3 || k.Waiting != 0 || len(k.Arrivals) != 0 || k.WaitingEstimated != 0 {
			t.Fatalf("three run, two of them late: %+v", k)
		}
		if x := o.Workers; len(x) != 1 || x[0].InstanceID != "i-1" || x[0].Slots != 4 || len(x[0].Running) != 3 || !near(x[0].Running[0].ElapsedS, 8) || !near(x[0].Running[2].ElapsedS, 2) || x[0].Directive != api.OpWork {
			t.Fatalf("workers %+v", x)
		}
		failed := api.DoneJob{Job: late.Jobs[0].ID, Token: late.Jobs[0].Token, Outcome: api.OutcomeError, Error: "no"}
		r = request(w.Session, 0, 0, append(ok(first.Jobs...), failed)...)
		r.Running = running(late.Jobs[1])
		work(t, e, r)
		o = look()
		k := o.Kinds[0]
		if k.Completed != 1 || !near(k.WorkS, 20) || !near(k.WorkSquaredS2, 400) || k.Failed != 1 || k.Returned != 1 || k.Leased != 1 {
			t.Fatalf("one done after 8 s at speed 2.5, one failed: %+v", k)
		}
		if len(k.Works) != 1 || k.Works[0] != (api.Count{Of: int64(observe.WorkBucket(int64(k.WorkS * 1e9))), Jobs: 1}) {
			t.Fatalf("works %+v", k.Works)
		}
		time.Sleep(2 * time.Minute) // the worker falls silent
		o = look()
		if k := o.Kinds[0]; k.Lost != 1 || k.Returned != 2 || k.Leased != 0 || k.Waiting != 2 || len(o.Workers) > 0 && len(o.Workers[0].Running) != 0 {
			t.Fatalf("its worker fell silent: %+v, workers %+v", k, o.Workers)
		}
		e.Kill()
		e = open(t, store, queue.Options{})
		time.Sleep(time.Second) // a delayed job whose time came meanwhile
		if k := look().Kinds[0]; k.Arrived != 0 || k.Started != 0 || k.Completed != 0 || k.Waiting != 2 {
			t.Fatalf("under a new leader nothing has happened yet: %+v", k)
		}
	})
}

// A controller is told the estimate of each job that runs, to the nanosecond and
// whatever the store, of those too that waited in the store alone, and by the next
// leader too.
func TestObserveTellsEstimatesOfWhatRuns(t *testing.T) {
	for name, fresh := range map[string]func(*testing.T) func() queue.Store{"memory": freshMemory, "sqlite": freshSQLite, "postgres": freshPostgres} {
		t.Run(name, func(t *testing.T) {
			again := fresh(t)
			store, opt := again(), queue.Options{JobsMax: 8}
			e := open(t, store, opt)
			for range opt.JobsMax {
				submit(t, e, api.JobSpec{Type: "video", Priority: 2, EstimateS: 5})
			}
			want := []float64{0, 0.3, 1.000000001, 86_400.7, 1e9}
			for _, s := range want {
				submit(t, e, api.JobSpec{Type: "video", Priority: 2, EstimateS: s})
			}
			if n := e.Colds(); n != int64(len(want)) {
				t.Fatalf("%d jobs wait in the store alone, want %d", n, len(want))
			}
			w := hire(t, e, "i-1", opt.JobsMax)
			first := work(t, e, request(w.Session, opt.JobsMax, 0))
			work(t, e, request(w.Session, 0, 0, ok(first.Jobs...)...)) // makes room
			var mine []api.LeasedJob
			for len(mine) < len(want) {
				r := request(w.Session, len(want)-len(mine), 20*time.Second)
				r.Running = running(mine...)
				a := work(t, e, r)
				if len(a.Jobs) == 0 {
					t.Fatalf("%d of %d jobs were handed out", len(mine), len(want))
				}
				mine = append(mine, a.Jobs...)
			}
			look := func(leader string) {
				t.Helper()
				o, err := e.Observe(api.ObserveRequest{})
				if err != nil {
					t.Fatal(err)
				}
				var got []float64
				for _, w := range o.Workers {
					for _, j := range w.Running {
						got = append(got, j.EstimateS)
					}
				}
				if slices.Sort(got); !slices.Equal(got, want) {
					t.Errorf("%s tells of estimates %v, want %v", leader, got, want)
				}
			}
			look("the leader")
			if err := e.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := store.Close(); err != nil {
				t.Fatal(err)
			}
			store = again()
			defer store.Close()
			e = open(t, store, opt)
			look("the next leader")
			e.Kill()
		})
	}
}

func TestObserveRefusesNonsense(t *testing.T) {
	e := open(t, queue.NewMemory(), queue.Options{})
	for _, r := range []api.ObserveRequest{
		{Speeds: map[string]float64{"x": 0}},
		{LateAfter: []api.LateAfter{{Type: "photo", Priority: 256}}},
		{LateAfter: []api.LateAfter{{Type: "photo", AfterS: -1}}},
		{LateAfter: []api.LateAfter{{Priority: 1}}},
	} {
		if _, err := e.Observe(r); err == nil {
			t.Errorf("%+v is taken", r)
		}
	}
}
