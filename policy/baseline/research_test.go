package baseline

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// testEnv is a world of one type with 4 slots, paid by the second, whose
// instances boot at once.
func testEnv() policy.Env {
	return policy.Env{
		Classes: []policy.Class{
			{Name: "urgent", Types: []string{"photo"}, Priority: -1, Target: 30 * time.Second, Attain: 0.99},
			{Name: "rest", Priority: -1, Target: 20 * time.Minute, Attain: 0.95},
		},
		Catalog: policy.Catalog{
			Name:    "one",
			Types:   []policy.InstanceType{{Name: "four", Cores: 4, Slots: 4, Speed: 1, PerHour: policy.USD}},
			Billing: policy.PerSecond,
		},
		Tick: time.Minute, BootGuess: 2 * time.Minute,
	}
}

// A bench steps one policy in that world.
type bench struct {
	t      testing.TB
	spec   *policy.Spec
	values policy.Values
	policy policy.Policy
	o      policy.Observation
	next   policy.InstanceID
	// spread gives each instance one job in turn; otherwise the first are full
	// before the next have any.
	spread bool
}

func newBench(t testing.TB, spec *policy.Spec, raw map[string]any) *bench {
	t.Helper()
	values, problems := spec.Check(raw)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	b := &bench{t: t, spec: spec, values: values}
	b.policy = b.fresh()
	b.o = policy.Observation{Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Tick: time.Minute}
	b.o.Queue.Kinds = []policy.KindView{{Type: "photo", Class: 0}, {Type: "video", Priority: 1, Class: 1}}
	for i := range b.o.Queue.Kinds {
		b.o.Queue.Kinds[i].Service = policy.ServiceView{Samples: 1000, Mean: 20, P95: 60, SCV: 1}
	}
	b.o.Fleet.Boot = policy.BootView{Samples: 10, P50: 2 * time.Minute, P99: 4 * time.Minute}
	return b
}

func (b *bench) fresh() policy.Policy {
	p, err := b.spec.New(testEnv(), b.values)
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// tick lets a minute pass in which so many photos run, lets the policy decide
// and obeys it. It returns the fleet.
func (b *bench) tick(running int) int {
	b.decide(running)
	return len(b.o.Fleet.Instances)
}

func (b *bench) decide(running int) policy.Decision {
	o := &b.o
	o.Now = o.Now.Add(o.Tick)
	o.Queue.Reading = policy.Reading{At: o.Now, Complete: true}
	o.Fleet.Reading = o.Queue.Reading
	photos := &o.Queue.Kinds[0]
	photos.InFlight = policy.Flow{Jobs: int64(running), Work: policy.CoreSeconds(10 * running)}
	photos.LastTick = policy.Flow{Jobs: int64(3 * running), Work: policy.CoreSeconds(60 * running)}
	photos.Arrived[3] = policy.Flow{Jobs: int64(180 * running), Work: policy.CoreSeconds(3600 * running)}
	left := running
	for i := range o.Fleet.Instances {
		in := &o.Fleet.Instances[i]
		if in.Busy = min(left, in.Slots); b.spread {
			in.Busy = min(in.Busy, 1)
		}
		left -= in.Busy
	}
	d := b.policy.Step(o)
	for _, l := range d.Launches {
		for range l.Count {
			o.Fleet.Instances = append(o.Fleet.Instances, policy.Instance{
				ID: b.next, Type: l.Type, Phase: policy.Ready, Slots: 4,
				LaunchedAt: o.Now, LastSeen: o.Now, PaidUntil: o.Now.Add(time.Minute),
			})
			b.next++
		}
	}
	for _, id := range d.Drains {
		for i := range o.Fleet.Instances {
			if o.Fleet.Instances[i].ID == id {
				o.Fleet.Instances = append(o.Fleet.Instances[:i], o.Fleet.Instances[i+1:]...)
				break
			}
		}
	}
	return d
}

// dayLoad is a load that has a day's shape, by the minute.
func dayLoad(minute int) int {
	return int(math.Round(40 - 30*math.Cos(2*math.Pi*float64(minute)/1440)))
}

// Every research policy, with its defaults and with each choice of its own but
// those that are known not to, starts from nothing, has enough in nine of ten
// minutes of two days' load, pays at most twice what is used, and lets nearly
// all go when nothing runs for two days.
func TestResearchPoliciesFollowTheLoad(t *testing.T) {
	except := map[string]string{"deltas": "on", "above_fleet": regZero, "correction": correctOpendc, "timer": timerInstance, "reactive": "off"}
	for _, spec := range research() {
		choices := []map[string]any{nil}
		for _, p := range spec.Params {
			if p.Name == "min" {
				break // the rest are the actuator's
			}
			for i, c := range p.Choices {
				if i != int(p.Default) && except[p.Name] != c {
					choices = append(choices, map[string]any{p.Name: c})
				}
			}
		}
		for _, raw := range choices {
			b := newBench(t, spec, raw)
			short, paid, used := 0, 0, 0
			const minutes = 2 * 1440
			for m := range minutes {
				load := dayLoad(m)
				fleet := b.tick(load)
				if 4*fleet < load {
					short++
				}
				paid += 4 * fleet
				used += load
			}
			left := 0
			for range minutes {
				left = b.tick(0)
			}
			if short > minutes/10 || paid > 2*used || left > 5 {
				t.Errorf("%s %v: short in %d of %d minutes, %d slot-minutes for %d, %d instances for nothing",
					spec.Name, raw, short, minutes, paid, used, left)
			}
		}
	}
}

// A state written and read back makes no later decision differ.
func TestResearchStatesRestore(t *testing.T) {
	for _, spec := range research() {
		t.Run(spec.Name, func(t *testing.T) {
			b := newBench(t, spec, nil)
			for m := range 1500 {
				b.tick(dayLoad(m) + m%7)
			}
			before, err := json.Marshal(b.policy)
			if err != nil {
				t.Fatal(err)
			}
			restored := b.fresh()
			if err := json.Unmarshal(before, restored); err != nil {
				t.Fatal(err)
			}
			for m := range 300 {
				running := dayLoad(1500+m) + m%5
				now := b.o // Step reads the fleet that decide fills in below
				now.Fleet.Instances = append([]policy.Instance(nil), b.o.Fleet.Instances...)
				twin := &bench{t: t, spec: spec, values: b.values, policy: restored, o: now, next: b.next}
				twin.o.Queue.Kinds = append([]policy.KindView(nil), b.o.Queue.Kinds...)
				want, _ := json.Marshal(b.decide(running))
				got, _ := json.Marshal(twin.decide(running))
				if !bytes.Equal(want, got) {
					t.Fatalf("minute %d:\n%s\nrestored:\n%s", m, want, got)
				}
			}
			want, _ := json.Marshal(b.policy)
			got, _ := json.Marshal(restored)
			if !bytes.Equal(want, got) {
				t.Error("the states differ after 300 more steps")
			}
		})
	}
}

// A state that no run can have written is refused, and the policy stays as it
// was.
func TestResearchStatesAreChecked(t *testing.T) {
	for _, c := range []struct {
		spec *policy.Spec
		rule string
	}{
		{&LCP, `{"lazy":{"kept":1,"lower":[1,2],"upper":[1]}}`},
		{&Reg, `{"at":[1,2],"need":[1]}`},
		{&Hybrid, `{"profile":{"day":[{"mean":1,"seen":1}]}}`},
		{&SqrtStaffing, `{"profile":{"week":[{"mean":1,"seen":1}]}}`},
		{&SeasonalNaive, `{"highest":[1,2,3]}`},
		{&Hist24, `{"buckets":[{"recent":[1,2],"next":2}]}`},
		{&Hist168, `{"buckets":[{"recent":[-1]}]}`},
		{&Adapt, `{"unheard":1}`},
	} {
		b := newBench(t, c.spec, nil)
		b.tick(40)
		before, _ := json.Marshal(b.policy)
		if err := json.Unmarshal([]byte(`{"began":true,"desired":4,"rule":`+c.rule+`}`), b.policy); err == nil {
			t.Errorf("%s takes the state %s", c.spec.Name, c.rule)
		}
		if after, _ := json.Marshal(b.policy); !bytes.Equal(before, after) {
			t.Errorf("%s: a refused state changed it", c.spec.Name)
		}
	}
}

// The published mistakes, each behind its option, do what they are known for;
// the default does not.
func TestResearchPitfalls(t *testing.T) {
	steady := func(t *testing.T, spec *policy.Spec, raw map[string]any, loads ...int) (least int) {
		t.Helper()
		b := newBench(t, spec, raw)
		for range 30 {
			b.tick(40) // 10 instances
		}
		least = math.MaxInt
		for _, load := range loads {
			least = min(least, b.tick(load))
		}
		return least
	}
	if n := steady(t, &Adapt, map[string]any{"deltas": "on"}, 44, 44, 44); n > 3 {
		t.Errorf("adapt, deltas on: a rise by one leaves %d instances, want a collapse", n)
	}
	if n := steady(t, &Adapt, nil, 44, 44, 44); n < 11 {
		t.Errorf("adapt: a rise by one leaves %d instances", n)
	}
	// a fall after a steep rise: the parabola still rises above the fleet
	rise := []int{60, 100, 160, 240, 340, 330}
	if n := steady(t, &Reg, map[string]any{"above_fleet": "zero", "window": 6, "shrink": 1.5}, rise...); n > 0 {
		t.Errorf("reg, above_fleet zero: %d instances, want none", n)
	}
	if n := steady(t, &Reg, map[string]any{"window": 6, "shrink": 1.5}, rise...); n < 10 {
		t.Errorf("reg: %d instances", n)
	}
	// an error that is added feeds itself, until the fleet is at its limit
	runaway := func(correction string) int {
		b, fleet := newBench(t, &Hist24, map[string]any{"correction": correction, "max": 500}), 0
		for m := range 3 * 1440 {
			fleet = b.tick(dayLoad(m))
		}
		return fleet
	}
	if n := runaway(correctOpendc); n < 500 {
		t.Errorf("hist, opendc's sign: %d instances, want all that max allows", n)
	}
	if n := runaway(correctEldin); n > 20 {
		t.Errorf("hist: %d instances", n)
	}
}

// Left to the forecast alone, sqrt-staffing has no answer to a backlog, and
// autopilot none to a rise that its histogram has not seen: the load now, which
// both take by default, repairs it.
func TestResearchNeedsTheLoadNow(t *testing.T) {
	for _, c := range []struct {
		spec        *policy.Spec
		name, alone string
	}{
		{&SqrtStaffing, "backlog", sqrtIgnore},
		{&Autopilot, "reactive", "off"},
	} {
		fleet := func(raw map[string]any) int {
			b := newBench(t, c.spec, raw)
			for range 120 {
				b.tick(20)
			}
			b.o.Queue.Kinds[0].Pending = policy.Flow{Jobs: 400, Work: 8000} // 134 slots for a minute
			return b.tick(20)
		}
		alone, both := fleet(map[string]any{c.name: c.alone}), fleet(nil)
		if alone > 10 || both < 38 {
			t.Errorf("%s: %d instances for a backlog of 34 with the forecast alone, %d with the load", c.spec.Name, alone, both)
		}
	}
}

func BenchmarkResearchStep(b *testing.B) {
	for _, spec := range research() {
		b.Run(spec.Name, func(b *testing.B) {
			world := newBench(b, spec, nil)
			for m := range 3000 {
				world.tick(10 * dayLoad(m))
			}
			b.ReportAllocs()
			for b.Loop() {
				world.o.Now = world.o.Now.Add(time.Minute)
				world.policy.Step(&world.o)
			}
		})
	}
}
