package baseline

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// planOf is a plan of ten-second steps for the given classes.
func planOf(steps int, classes ...policy.Class) *mpcPlan {
	p := &mpcPlan{step: 10}
	p.reset(classes, steps)
	return p
}

func sameSlots(t *testing.T, what string, got, want []float64) {
	t.Helper()
	for k := range want {
		if math.Abs(got[k]-want[k]) > 1e-9 {
			t.Errorf("%s: slots %v, want %v", what, got, want)
			return
		}
	}
}

// By hand, with a lead of two steps: what waits for nothing needs its slots when it
// arrives, what may wait is spread over the time it has.
func TestMPCPlanByHand(t *testing.T) {
	urgent := policy.Class{Name: "urgent", Target: 10 * time.Second, On: policy.Wait}
	patient := policy.Class{Name: "patient", Target: 50 * time.Second, On: policy.Wait}
	idle := &signals{speed: 1, slots: 4}

	p := planOf(6, urgent)
	p.classes[0].target = 0
	for k := range 6 {
		p.comes(0, k, float64(10*(k+1)), 1) // one slot, then two …
	}
	p.classes[0].jobs, p.classes[0].work = 1, 1 // short jobs
	p.observe(idle, 60)
	p.solve(2, 1)
	// nothing is there for 20 s: the first 30 slot-seconds are late and are begun in
	// the first step that can
	sameSlots(t, "urgent", p.slots, []float64{0, 0, 3 + 3, 4, 5, 6})

	p = planOf(8, patient)
	p.comes(0, 2, 60, 60) // due 50 s later
	p.observe(idle, 60)
	p.solve(2, 1)
	sameSlots(t, "patient", p.slots, []float64{0, 0, 1, 1, 1, 1, 1, 1})

	// a job of 30 s holds its slot for three steps
	p = planOf(6, urgent)
	p.classes[0].target = 0
	p.comes(0, 2, 60, 2)
	p.observe(idle, 60)
	p.solve(1, 1)
	sameSlots(t, "long jobs", p.slots, []float64{0, 0, 2, 2, 2, 0})
}

// What is there works until lead, urgent work first, and leaves only the rest to
// what is launched.
func TestMPCPlanUsesWhatIsThere(t *testing.T) {
	classes := []policy.Class{
		{Name: "patient", Target: time.Hour, On: policy.Wait},
		{Name: "urgent", Target: 10 * time.Second, On: policy.Wait},
	}
	known := policy.ServiceView{Samples: 1}
	p := planOf(6, classes...)
	s := &signals{speed: 1, slots: 4, readySlots: 4, kinds: []policy.KindView{
		{Class: 0, Service: known, Pending: policy.Flow{Jobs: 40, Work: 40}},
		{Class: 1, Service: known, Pending: policy.Flow{Jobs: 60, Work: 60}, PendingByAge: []policy.AgeCount{{Age: 10 * time.Second, Jobs: 60}}},
	}}
	p.observe(s, 60)
	p.solve(2, 2)
	if p.classes[1].begun != 60 || p.classes[0].begun != 20 {
		t.Errorf("begun %v urgent and %v patient, want 60 and 20 of the 80 slot-seconds there are", p.classes[1].begun, p.classes[0].begun)
	}
	sameSlots(t, "the rest", p.slots, []float64{4, 4, 0, 0, 0, 0}) // an hour is left for it

	// with nothing ready, all that is late begins within workoff of lead
	p = planOf(6, classes...)
	s.readySlots = 0
	p.observe(s, 60)
	p.solve(2, 2)
	sameSlots(t, "late", p.slots, []float64{0, 0, 3, 3, 0, 0})

	// what boots helps from when it is expected to be ready
	p = planOf(6, classes...)
	s.bootP50 = time.Minute
	s.now = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	s.instances = []policy.Instance{{ID: 1, Phase: policy.Booting, LaunchedAt: s.now.Add(-50 * time.Second), Slots: 6}}
	p.observe(s, 60)
	p.solve(2, 2)
	sameSlots(t, "booting", p.slots, []float64{0, 6, 0, 0, 0, 0})
}

// toldOf is what a simulator would tell of so many jobs of ten seconds in each ten
// seconds from now.
func toldOf(jobs ...int64) (ahead []policy.Coming) {
	for k, n := range jobs {
		ahead = append(ahead, policy.Coming{
			Until:    time.Duration(k+1) * 10 * time.Second,
			Arrivals: []policy.Flow{{Jobs: n, Work: policy.CoreSeconds(10 * n)}, {}},
		})
	}
	return ahead
}

// The oracle launches a boot lag before a rush of which nothing has arrived, keeps
// what will be needed within a boot lag, and lets the rest go.
func TestMPCOracleSeesARush(t *testing.T) {
	b := newBench(t, &MPCOracle, map[string]any{"release": "anywhere", "headroom": 1.0})
	rush := func(at int) []policy.Coming {
		jobs := make([]int64, 60)
		for k := at; k >= 0 && k < min(at+6, len(jobs)); k++ {
			jobs[k] = 40
		}
		return toldOf(jobs...)
	}
	b.o.Ahead = rush(18) // in three minutes: the lag is two, the tick one
	if n := b.tick(0); n != 0 {
		t.Errorf("three minutes before: %d instances, want none yet", n)
	}
	b.o.Ahead = rush(12)
	// a minute of 40 jobs of 10 s each in 10 s, done in the 80 s that they have
	if n := b.tick(0); n != 8 {
		t.Errorf("two minutes before: %d instances, want 8 for 30 slots", n)
	}
	b.o.Ahead = rush(12)
	if n := b.tick(0); n != 8 {
		t.Errorf("again: %d instances, want the 8 there are", n)
	}
	b.o.Ahead = rush(-1)
	if n := b.tick(0); n != 0 {
		t.Errorf("when nothing comes: %d instances, want none", n)
	}
}

// Without a simulator that tells it, no clairvoyant policy does anything, and each
// asks for the future as long as it needs it.
func TestClairvoyantsNeedToBeTold(t *testing.T) {
	for _, spec := range clairvoyants() {
		b := newBench(t, spec, nil)
		if !spec.Clairvoyant {
			t.Errorf("%s does not say that it is clairvoyant", spec.Name)
		}
		asks := func() time.Duration {
			ahead, _ := b.policy.(interface {
				Foresight() (ahead, span time.Duration)
			}).Foresight()
			return ahead
		}
		if asks() <= 0 {
			t.Errorf("%s asks for nothing", spec.Name)
		}
		if d := b.decide(40); len(d.Launches) > 0 || len(d.Because) != 1 || d.Because[0].Rule.Name() != "mpc.blind" {
			t.Errorf("%s: told nothing, decides %+v", spec.Name, d)
		}
		b.o.Ahead = toldOf(40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40, 40)
		if n := b.tick(40); n < 10 { // what is late when they are there comes on top
			t.Errorf("%s: %d instances, want 10 at least for 40 slots", spec.Name, n)
		}
		if fixed := spec != &MPCOracle; fixed != (asks() == 0) {
			t.Errorf("%s asks for %v more", spec.Name, asks())
		}
	}
	for _, spec := range append(rivals(), research()...) {
		if _, asks := newBench(t, spec, nil).policy.(interface {
			Foresight() (ahead, span time.Duration)
		}); asks || spec.Clairvoyant {
			t.Errorf("%s asks for the future", spec.Name)
		}
	}
}

// A fixed fleet keeps its size once it has it, restored from its state too.
func TestStaticPeakKeepsItsSize(t *testing.T) {
	b := newBench(t, &StaticPeak, nil)
	b.o.Ahead = toldOf(4, 8, 80, 12)
	b.tick(0)
	b.o.Ahead = nil
	state, err := json.Marshal(b.policy)
	if err != nil {
		t.Fatal(err)
	}
	b.policy = b.fresh()
	if err := json.Unmarshal(state, b.policy); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if n := b.tick(1000); n != 20 {
			t.Errorf("%d instances, want 20 for the peak of 80 slots", n)
		}
	}
}

// TestQuantileOf: the nearest rank.
func TestQuantileOf(t *testing.T) {
	for _, c := range []struct {
		q    float64
		want float64
	}{{0.01, 1}, {0.5, 2}, {0.51, 3}, {0.75, 3}, {0.99, 4}, {1, 4}} {
		if got := quantileOf([]float64{3, 1, 4, 2}, c.q); got != c.want {
			t.Errorf("%v: got %v, want %v", c.q, got, c.want)
		}
	}
	if got := quantileOf(nil, 0.5); got != 0 {
		t.Errorf("of nothing: %v", got)
	}
}

// Headroom repairs what the mean leaves out; it is a multiple of the plan.
func TestMPCHeadroom(t *testing.T) {
	fleet := func(headroom float64) int {
		b := newBench(t, &MPC, map[string]any{"headroom": headroom})
		n := 0
		for range 60 {
			n = b.tick(40)
		}
		return n
	}
	if plain, more := fleet(1), fleet(1.5); plain < 9 || plain > 12 || more < 14 || more > 17 {
		t.Errorf("%d instances for 40 slots of load, %d with half as many again", plain, more)
	}
}
