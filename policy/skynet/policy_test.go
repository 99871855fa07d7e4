package skynet

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

var (
	_ policy.Policy = (*Policy)(nil)
	_ interface {
		Forecast() (float64, float64, time.Duration)
	} = (*Policy)(nil)
)

func threeClasses() []policy.Class {
	return []policy.Class{
		{Name: "p0", Priority: 0, Target: 30 * time.Second, On: policy.Sojourn, Attain: 0.99},
		{Name: "p1", Priority: 1, Target: 2 * time.Minute, On: policy.Wait, Attain: 0.95},
		{Name: "p2", Priority: 2, Target: 30 * time.Minute, On: policy.Wait, Attain: 0.95},
	}
}

// stormy is a world whose load, readings and market change at random.
func stormy(t testing.TB, b policy.Billing, v policy.Values) *world {
	w := newWorld(b, threeClasses())
	if err := w.start(v); err != nil {
		t.Fatal(err)
	}
	w.kind("photo", 0)
	w.kind("video", 1).mean = 200
	w.kind("gallery", 2).mean = 8
	return w
}

func (w *world) shake(r *rand.Rand) {
	for i := range w.kinds {
		if r.IntN(20) == 0 {
			w.kinds[i].perMinute = 40 * r.ExpFloat64()
		}
	}
	if r.IntN(50) == 0 {
		k := &w.kinds[r.IntN(len(w.kinds))]
		k.waiting = append(k.waiting, cohort{w.o.Now, float64(r.IntN(3000))})
	}
	w.blind, w.zeroed = r.IntN(40) == 0, r.IntN(40) == 0
	if r.IntN(30) == 0 {
		w.refuse = map[int]string{r.IntN(5): []string{"capacity", "quota", "throttled"}[r.IntN(3)]}
	}
	if n := len(w.o.Fleet.Instances); n > 0 && r.IntN(60) == 0 {
		in := &w.o.Fleet.Instances[r.IntN(n)]
		in.Phase, in.Busy, in.LastSeen = policy.Lost, 0, w.o.Now
	}
}

// A policy restored from its state decides the same bytes and saves the same
// state as one that was never interrupted.
func TestSaveAndRestore(t *testing.T) {
	for _, c := range []struct {
		billing policy.Billing
		v       policy.Values
		steps   int
	}{
		{policy.Hourly, nil, 2000},
		{policy.PerSecond, nil, 500},
		{policy.Hourly, policy.Values{"reserve": "promises+slack"}, 500},
	} {
		t.Run(fmt.Sprint(c.billing.Name, c.v), func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 8))
			w := stormy(t, c.billing, c.v)
			acted := 0
			for range c.steps {
				w.shake(r)
				o := w.observe()
				saved, err := json.Marshal(w.policy)
				if err != nil {
					t.Fatal(err)
				}
				restored, err := New(w.env, c.v)
				if err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal(saved, restored); err != nil {
					t.Fatal(err)
				}
				d := w.policy.Step(o)
				if got, want := bytesOf(t, restored.Step(o)), bytesOf(t, d); got != want {
					t.Fatalf("%s: restored decides\n%s\nwant\n%s", w.clock(), got, want)
				}
				if got, want := bytesOf(t, restored), bytesOf(t, w.policy); got != want {
					t.Fatalf("%s: restored state differs", w.clock())
				}
				if got, want := shown(restored), shown(w.policy); got != want {
					t.Fatalf("%s: restored forecasts %s, want %s", w.clock(), got, want)
				}
				if !d.IsZero() {
					acted++
				}
				w.apply(d)
				w.pass()
			}
			if acted < c.steps/20 {
				t.Errorf("only %d of %d steps changed anything: the storm is too calm to test", acted, c.steps)
			}
		})
	}
}

func shown(p *Policy) string { return fmt.Sprint(p.Forecast()) }

func bytesOf(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestUnmarshalRefusesStrangers(t *testing.T) {
	w := stormy(t, policy.Hourly, nil)
	before := bytesOf(t, w.policy)
	for _, state := range []string{`{"steer":{"classes":[]}}`, `{"steer":7}`, `[]`} {
		if err := w.policy.UnmarshalJSON([]byte(state)); err == nil {
			t.Errorf("state %s was taken", state)
		}
	}
	if bytesOf(t, w.policy) != before {
		t.Error("a refused state changed the policy")
	}
}

// With the queue or the fleet unknown, nothing is launched and nothing ends.
func TestDoubtNeitherLaunchesNorDrains(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	w := stormy(t, policy.PerSecond, nil)
	for range 1500 {
		w.shake(r)
		o := w.observe()
		d := w.policy.Step(o)
		unknown := !o.Queue.Complete || w.zeroed && o.Fleet.BusySlots > 0
		if unknown && !d.IsZero() {
			t.Fatalf("%s: decided %s while the queue is not known", w.clock(), w.show(d, true))
		}
		w.apply(d)
		w.pass()
	}
}

func TestDegenerateWorlds(t *testing.T) {
	reading := policy.Reading{At: monday, Complete: true}
	busy := func(kinds int) *policy.Observation {
		o := &policy.Observation{Now: monday, Tick: time.Minute}
		o.Queue.Reading, o.Fleet.Reading = reading, reading
		for i := range kinds {
			o.Queue.Kinds = append(o.Queue.Kinds, policy.KindView{
				Type: fmt.Sprint(i), Priority: i, Class: policy.ClassOf(threeClasses(), "", i),
				Pending: flow(10, 100), LastTick: flow(10, 100), OldestWait: time.Minute,
				Service: policy.ServiceView{Samples: 10, Mean: 10, P95: 20},
			})
		}
		return o
	}
	steps := func(t *testing.T, classes []policy.Class, o *policy.Observation) policy.Decision {
		p, err := New(policy.Env{Catalog: policy.EC2in2008(), Classes: classes, Tick: time.Minute}, nil)
		if err != nil {
			t.Fatal(err)
		}
		var d policy.Decision
		for range 3 {
			d = p.Step(o)
			o.Now = o.Now.Add(time.Minute)
			o.Queue.At, o.Fleet.At = o.Now, o.Now
		}
		bytesOf(t, p) // no NaN or infinity
		return d
	}
	t.Run("the zero observation knows nothing and does nothing", func(t *testing.T) {
		p, _ := New(policy.Env{Catalog: policy.EC2in2008()}, nil)
		if d := p.Step(&policy.Observation{}); !d.IsZero() {
			t.Errorf("decided %+v", d)
		}
	})
	t.Run("an empty queue and no fleet sleep", func(t *testing.T) {
		if d := steps(t, nil, busy(0)); !d.IsZero() {
			t.Errorf("decided %+v", d)
		}
	})
	t.Run("without a class work is still done", func(t *testing.T) {
		if d := steps(t, nil, busy(2)); d.Instances() == 0 {
			t.Error("nothing bought")
		}
	})
	t.Run("250 priorities share sixteen lines", func(t *testing.T) {
		if d := steps(t, threeClasses(), busy(250)); d.Instances() == 0 {
			t.Error("nothing bought")
		}
	})
	t.Run("jobs of no work", func(t *testing.T) {
		o := busy(3)
		for i := range o.Queue.Kinds {
			k := &o.Queue.Kinds[i]
			k.Pending.Work, k.LastTick.Work, k.Service = 0, 0, policy.ServiceView{}
		}
		if d := steps(t, threeClasses(), o); !d.IsZero() {
			t.Errorf("decided %+v", d)
		}
	})
	t.Run("time that stands still", func(t *testing.T) {
		p, _ := New(policy.Env{Catalog: policy.EC2in2008(), Classes: threeClasses()}, nil)
		o := busy(3)
		p.Step(o)
		p.Step(o)
		bytesOf(t, p)
	})
}

func TestStepAllocatesNothing(t *testing.T) {
	o, p := benchmarkWorld(t, 20, policy.Hourly)
	step := stepper(o, p)
	for range 500 {
		step()
	}
	if n := testing.AllocsPerRun(200, step); n > 0 {
		t.Errorf("%v allocations a step", n)
	}
}

// benchmarkWorld returns a busy fleet of n c1.xlarge, staggered over the hour,
// with three classes and a backlog of 100 jobs an instance.
func benchmarkWorld(t testing.TB, n int, b policy.Billing) (*policy.Observation, *Policy) {
	w := stormy(t, b, nil)
	w.o.Now = monday.Add(2 * time.Hour)
	for i := range n {
		w.add(4, w.o.Now.Add(-time.Duration(i%60)*time.Minute), policy.Ready)
		w.o.Fleet.Instances[i].Busy = 7
		w.o.Fleet.Instances[i].IdleIn = 10 * time.Second
	}
	w.running = 7 * n
	o := w.observe()
	o.Fleet.Freeing = nil
	for i := range 30 {
		o.Fleet.Freeing = append(o.Fleet.Freeing, policy.FreeCount{After: time.Duration(i+1) * policy.FreeStep, Capacity: 7 * 2.5 * float64(n) / 30})
	}
	for i := range o.Queue.Kinds {
		k := &o.Queue.Kinds[i]
		k.Pending = flow(int64(100*n/3), 100*float64(n)/3*float64(k.Service.Mean))
		for j := range 20 {
			k.PendingByAge = append(k.PendingByAge, policy.AgeCount{Age: time.Duration(j+1) * policy.AgeStep, Jobs: k.Pending.Jobs / 20})
		}
		k.OldestWait = 200 * time.Second
		k.LastTick = flow(int64(4*n), 4*float64(n)*float64(k.Service.Mean))
		k.Arrived[3] = flow(int64(240*n), 240*float64(n)*float64(k.Service.Mean))
		k.Started, k.StartedLate = int64(4*n), int64(n/10)
	}
	return o, w.policy
}

// stepper returns a step a minute later each time it is called.
func stepper(o *policy.Observation, p *Policy) func() {
	return func() {
		o.Now = o.Now.Add(time.Minute)
		o.Queue.At, o.Fleet.At, o.Money.At, o.EC2.At = o.Now, o.Now, o.Now, o.Now
		for i := range o.Fleet.Instances {
			in := &o.Fleet.Instances[i]
			in.PaidUntil = policy.Hourly.PaidUntil(in.LaunchedAt, o.Now)
		}
		p.Step(o)
	}
}

// BenchmarkStep measures steps of a fleet with 100 jobs an instance waiting, so
// that every one searches for what to buy. BenchmarkStepCalm is the usual step.
func BenchmarkStep(b *testing.B) {
	for _, n := range []int{20, 10_000} {
		for _, billing := range []policy.Billing{policy.Hourly, policy.PerSecond} {
			b.Run(fmt.Sprintf("%d/%s", n, billing.Name), func(b *testing.B) {
				o, p := benchmarkWorld(b, n, billing)
				step := stepper(o, p)
				for range 100 {
					step()
				}
				b.ReportAllocs()
				b.ResetTimer()
				for range b.N {
					step()
				}
			})
		}
	}
}

func BenchmarkStepCalm(b *testing.B) {
	o, p := benchmarkWorld(b, 20, policy.Hourly)
	for i := range o.Queue.Kinds {
		k := &o.Queue.Kinds[i]
		k.Pending, k.PendingByAge, k.OldestWait = policy.Flow{}, nil, 0
		k.LastTick = flow(10, 10*float64(k.Service.Mean))
	}
	step := stepper(o, p)
	for range 100 {
		step()
	}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		step()
	}
}
