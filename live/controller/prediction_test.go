package controller_test

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/cmd/drift"
	"github.com/skynet-ec2/skynet/cmd/past"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/handler"
	"github.com/skynet-ec2/skynet/live/history"
	"github.com/skynet-ec2/skynet/live/results"
	"github.com/skynet-ec2/skynet/live/worker"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/policy/skynet"
	"github.com/skynet-ec2/skynet/scenarios/incident"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/cloud"
	"github.com/skynet-ec2/skynet/sim/ec2api"
)

// outturn is what a day came to; p95 is the 95th percentile of the time from
// arrival to done in seconds, by class.
type outturn struct {
	usd, slack float64
	p95        map[string]float64
}

// site is what users upload on a day, and where it is worked on.
type site struct {
	name    string
	seed    uint64
	long    time.Duration
	catalog policy.Catalog
	classes []policy.Class
	uploads []upload
}

// upload is a type of job: how many come a second at the busiest time of the day,
// and their mean work in core-seconds.
type upload struct {
	jobType  string
	priority int
	perS     float64
	work     float64
}

// cold is for how long a fleet that begins with nothing is not judged.
const cold = time.Hour

// The circle: what the queue wrote down of a day is a trace, and the simulator,
// given that trace, the same policy and a region with the same boots in store,
// says of the day what the real queue, the real controller and real workers came
// to on the simulated EC2: cost and slack within a twentieth, the 95th percentile
// of the time from arrival to done within a tenth, on each day. The journal of the
// day is decided again to the same bytes. The monitor of drift, which knows neither
// the boots of the day nor what the controller had learned before it, finds the
// same within the same bounds.
func TestTheSimulatorPredictsDays(t *testing.T) {
	for _, s := range sites() {
		t.Run(s.name, func(t *testing.T) {
			d := s.live(t)
			replay(t, d.journal)
			predicted, again := d.predict(t)
			apart, decisions := d.apart(t, again)
			t.Logf("%d jobs on %d instances; of %d decisions %d are others", len(d.ended), d.instances(), decisions, apart)
			compare := func(what string, measured, predicted, tolerance float64) {
				off := (predicted - measured) / measured
				t.Logf("%s: measured %.4f, predicted %.4f: %+.2f %%", what, measured, predicted, 100*off)
				if !(math.Abs(off) <= tolerance) {
					t.Errorf("%s must be at most %.0f %% apart", what, 100*tolerance)
				}
			}
			compare("the controller's account, against EC2's bill", d.measured.usd, d.spent, 0.001)
			compare("cost", d.measured.usd, predicted.usd, 0.05)
			compare("slack", d.measured.slack, predicted.slack, 0.05)
			for i := range s.classes {
				class := s.classes[i].Name
				compare("p95 of "+class, d.measured.p95[class], predicted.p95[class], 0.10)
			}
			if load() == 1 {
				d.drift(t)
			}
		})
	}
}

// load is how many times the usual number of users there are. Under more of them
// slack is small, a twentieth of it a few thousandths of the fleet, and the monitor's
// draw of the boots decides.
func load() float64 {
	if os.Getenv("SKYNET_LONG") != "" {
		return 5
	}
	return 1
}

// sites returns the days that are lived.
func sites() []site {
	load := load()
	photos := []policy.Class{
		{Name: "upload", Types: []string{"photo"}, Priority: -1, Target: 90 * time.Second, Attain: 0.98},
		{Name: "video", Types: []string{"video"}, Priority: -1, Target: time.Hour, Attain: 0.95},
	}
	return []site{
		{
			name: "hourly bills", seed: 1, long: 24 * time.Hour, catalog: policy.EC2in2008(), classes: photos,
			uploads: []upload{{"photo", 0, 0.25 * load, 72}, {"video", 1, 0.015 * load, 2400}},
		},
		{
			name: "bills by the second", seed: 2, long: 24 * time.Hour, catalog: policy.EC2in2026(), classes: photos,
			uploads: []upload{{"photo", 0, 0.25 * load, 72}, {"video", 1, 0.015 * load, 2400}},
		},
	}
}

// arrival is a job that a user submits.
type arrival struct {
	at   time.Duration
	spec api.JobSpec
}

// arrivals draws a day: quiet at night, with gusts that last a minute. Works are
// exponential.
func (s *site) arrivals() []arrival {
	var all []arrival
	for i, u := range s.uploads {
		r := rand.New(rand.NewPCG(s.seed, uint64(i)))
		gusts := make([]float64, s.long/time.Minute+1)
		for m := range gusts {
			gusts[m] = 0.7 + 0.3*r.ExpFloat64()
		}
		for at := time.Duration(0); ; {
			rate := u.perS * (0.55 - 0.45*math.Cos(2*math.Pi*at.Hours()/24)) * gusts[at/time.Minute]
			if at += time.Duration(r.ExpFloat64() / rate * 1e9); at >= s.long {
				break
			}
			work := int64(u.work * 1e9 * r.ExpFloat64())
			all = append(all, arrival{at, api.JobSpec{Type: u.jobType, Priority: u.priority, Args: json.RawMessage(fmt.Sprint(work))}})
		}
	}
	slices.SortFunc(all, func(a, b arrival) int { return cmp.Compare(a.at, b.at) })
	return all
}

// lived is a day that was.
type lived struct {
	world    *sim.Config // that it was lived in
	ended    []api.Finished
	journal  []byte
	measured outturn
	spent    float64 // by the controller's own account, in dollars
}

// live plays the day on the simulated EC2.
func (s *site) live(t *testing.T) *lived {
	t.Helper()
	arrivals := s.arrivals()
	folder := t.TempDir()
	d := &lived{}
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.env.Catalog, w.env.Classes, w.guard = s.catalog, s.classes, policy.Bounded(200)
		began := time.Now()
		d.world = &sim.Config{
			Name: s.name, Start: began, JudgeFrom: cold, Duration: s.long, Tick: w.env.Tick, Seed: s.seed,
			Classes: s.classes, Catalog: s.catalog, MaxInstances: 200, Guard: &w.guard, Zones: []string{"a", "b"},
			ReferenceSpeed: 1, Lease: 30 * time.Second, Beat: 10 * time.Second,
			Boot: map[string]sim.BootModel{"": {Model: "lognormal", Median: 90 * time.Second, P99: 200 * time.Second, Max: 300 * time.Second}},
		}
		w.env.BootGuess = d.world.Env().BootGuess
		r := onEC2(w, s.seed, func(c *cloud.Config) { c.World = d.world })
		r.work = func(ctx context.Context, m ec2api.Machine) { w.realWorker(ctx, m, filepath.Join(folder, m.ID)) }
		k := w.open(w.config("a"))
		ctx, end := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- k.Run(ctx) }()
		for _, a := range arrivals {
			time.Sleep(a.at - time.Since(began))
			if _, err := w.queue.Enqueue(t.Context(), []api.JobSpec{a.spec}, ""); err != nil {
				t.Fatal(err)
			}
		}
		w.submitted = len(arrivals)
		time.Sleep(s.long - time.Since(began))
		synctest.Wait() // the last tick is at the day's end
		end()
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		h := k.Observation().History
		d.measured.slack = 1 - h.BusySlotSeconds/h.ReadySlotSeconds
		r.look(func(c *cloud.Cloud) { d.measured.usd = c.Bill().Total.Dollars() })
		d.spent = k.Spent().Total.Dollars()
		d.journal = bytes.Clone(w.journal.Bytes())
		w.finished(k, 300)
		err := w.queue.History(t.Context(), began, time.Now().Add(time.Hour), func(f api.Finished) error {
			d.ended = append(d.ended, f)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
	sojourns := map[string][]float64{}
	for i := range d.ended {
		f := &d.ended[i]
		if f.ArrivedAt.Sub(d.world.Start) >= cold && f.FinishedAt.Sub(d.world.Start) <= s.long {
			class := s.classes[policy.ClassOf(s.classes, f.Type, f.Priority)].Name
			sojourns[class] = append(sojourns[class], f.FinishedAt.Sub(f.ArrivedAt).Seconds())
		}
	}
	d.measured.p95 = map[string]float64{}
	for class, all := range sojourns {
		slices.Sort(all)
		d.measured.p95[class] = all[int(math.Ceil(0.95*float64(len(all))))-1]
	}
	return d
}

// instances returns on how many instances jobs ran.
func (d *lived) instances() int {
	seen := map[string]bool{}
	for i := range d.ended {
		seen[d.ended[i].InstanceID] = true
	}
	return len(seen)
}

// realWorker is what an instance of the fleet runs, with a handler that takes as
// long as its job's argument says.
func (w *world) realWorker(ctx context.Context, m ec2api.Machine, folder string) {
	outbox, _, err := results.OpenOutbox(folder, 1<<20)
	if err != nil {
		w.t.Error(err)
		return
	}
	k := worker.New(worker.Config{
		Queue: w.queue, Outbox: outbox, Store: distant{}, Scratch: filepath.Join(folder, "scratch"), Log: slog.New(slog.DiscardHandler),
		Self: api.RegisterRequest{InstanceID: m.ID, InstanceType: m.Type, Slots: m.Slots, Cluster: "default", BootID: "boot of " + m.ID},
		Do: func(ctx context.Context, job handler.Job, _, _ string) (handler.Result, error) {
			var work int64
			if err := json.Unmarshal(job.Args, &work); err != nil {
				return handler.Result{}, err
			}
			select {
			case <-time.After(time.Duration(float64(work) / m.Speed)):
			case <-ctx.Done():
				return handler.Result{}, context.Cause(ctx)
			}
			return handler.Result{}, nil
		},
		Chance: func() float64 { return 0.5 },
	})
	if err := k.Run(ctx); err != nil && !errors.Is(err, context.Canceled) {
		w.t.Error(err)
	}
}

// distant is a store that takes a while for a result, and keeps none.
type distant struct{}

func (distant) Put(_ context.Context, k results.Key, _ string, _ []results.File) (string, error) {
	time.Sleep(putting)
	return "mem://" + k.Job, nil
}

// putting is how long the store takes for a result, during which the job keeps its
// slot.
const putting = 700 * time.Millisecond

// drift fails the test if the monitor, which judges what comes after the first hour
// and a half, finds the simulator beyond the bounds.
func (d *lived) drift(t *testing.T) {
	t.Helper()
	start := d.world.Start
	r, err := drift.Measure(t.Context(), past.Sources{
		Journal: func(_, _ time.Time) ([]journal.Source, error) { return []journal.Source{source(d.journal)}, nil },
		History: func(from time.Time, yield func(api.Finished) error) error {
			for _, f := range d.ended {
				if f.FinishedAt.Before(from) {
					continue
				}
				if err := yield(f); err != nil {
					return err
				}
			}
			return nil
		},
	}, incident.Span{Start: start.Add(cold), From: start.Add(cold + 30*time.Minute), To: start.Add(d.world.Duration)}, drift.Bounds{Cost: 0.05, Slack: 0.05, Latency: 0.10}, 3)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := r.Print(&b); err != nil {
		t.Fatal(err)
	}
	t.Log("\n" + b.String())
	if !r.Kept {
		t.Errorf("the monitor finds the day beyond its bounds: %q", r.Beyond)
	}
}

// predict simulates the day from its history, and returns the journal of that.
func (d *lived) predict(t *testing.T) (outturn, []byte) {
	t.Helper()
	sorter := history.New(history.Options{From: d.world.Start, Speeds: speedsOf(&d.world.Catalog)})
	defer sorter.Close()
	for _, f := range d.ended {
		if err := sorter.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	src, err := sorter.Trace()
	if err != nil {
		t.Fatal(err)
	}
	p, err := skynet.Spec.New(d.world.Env(), nil)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	header := journal.Header{
		World: journal.Simulated, Policy: journal.PolicyOf(&skynet.Spec, nil, "skynet@test"), Classes: d.world.Classes,
		Tick: d.world.Tick, Guard: *d.world.Guard, Catalog: d.world.Catalog,
	}
	res, err := sim.Run(t.Context(), d.world, p, src, sim.Options{Journal: journal.NewWriter(&b, header, 0)})
	if err != nil {
		t.Fatal(err)
	}
	f := &res.Figures
	o := outturn{usd: f.CostUSD, slack: 1 - f.BusyCoreS/f.ReadyCoreS, p95: map[string]float64{}}
	for name, c := range f.Classes {
		if c.Sojourn.P95 != nil {
			o.p95[name] = *c.Sojourn.P95
		}
	}
	return o, b.Bytes()
}

// apart returns how many of the day's decisions ask for something else than those
// of another journal, and how many both hold.
func (d *lived) apart(t *testing.T, other []byte) (apart, decisions int) {
	t.Helper()
	mine, others := journal.NewReader(source(d.journal)), journal.NewReader(source(other))
	next := func(r *journal.Reader) *journal.Decision {
		for {
			line, err := r.Next()
			if err == io.EOF {
				return nil
			}
			if err != nil {
				t.Fatal(err)
			}
			if rec, is := line.(*journal.Record); is {
				decision, err := rec.Decode()
				if err != nil {
					t.Fatal(err)
				}
				decision.Because = nil
				return decision
			}
		}
	}
	for {
		a, b := next(mine), next(others)
		if a == nil || b == nil {
			return apart, decisions
		}
		decisions++
		if fmt.Sprint(*a) != fmt.Sprint(*b) {
			apart++
		}
	}
}

func speedsOf(c *policy.Catalog) map[string]float64 {
	speeds := map[string]float64{}
	for i := range c.Types {
		speeds[c.Types[i].Name] = c.Types[i].Speed
	}
	return speeds
}
