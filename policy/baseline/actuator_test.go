package baseline

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// wishing is a rival that wants what the test says.
type wishing struct {
	policy policy.Policy
	want   int // instances
	seen   signals
	o      policy.Observation
}

func wish(t *testing.T, billing policy.Billing, b build, raw map[string]any) *wishing {
	t.Helper()
	w := &wishing{}
	b.name, b.doc = "wishing", "wants what the test says"
	spec := newSpec(b, func(*policy.Env, policy.Values) (rule[struct{}], error) {
		return func(s *signals, _ *struct{}) verdict {
			w.seen = *s
			return s.to(w.want, policy.Reason{})
		}, nil
	})
	env := testEnv()
	env.Catalog.Billing = billing
	env.Catalog.Types = append(env.Catalog.Types, policy.InstanceType{Name: "two", Cores: 2, Slots: 2, Speed: 1, PerHour: policy.USD / 2})
	values, problems := spec.Check(raw)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	var err error
	if w.policy, err = spec.New(env, values); err != nil {
		t.Fatal(err)
	}
	w.o = policy.Observation{Now: time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), Tick: time.Minute}
	return w
}

// fleet has instances of 4 slots, each made by change from a ready one that is idle,
// is 5 hours old and has half of its hour left.
func (w *wishing) fleet(change ...func(in *policy.Instance)) {
	w.o.Fleet.Instances = nil
	for i, c := range change {
		in := policy.Instance{
			ID: policy.InstanceID(i), Phase: policy.Ready, Slots: 4,
			LaunchedAt: w.o.Now.Add(-5*time.Hour + 30*time.Minute), LastSeen: w.o.Now, PaidUntil: w.o.Now.Add(30 * time.Minute),
		}
		c(&in)
		w.o.Fleet.Instances = append(w.o.Fleet.Instances, in)
	}
}

func idleOne(*policy.Instance)     {}
func draining(in *policy.Instance) { in.Phase = policy.Draining }
func bootingOne(p *policy.Instance) {
	p.Phase = policy.Booting
	p.LaunchedAt = p.PaidUntil.Add(-31 * time.Minute)
}

func left(d time.Duration) func(in *policy.Instance) {
	return func(in *policy.Instance) { in.PaidUntil = in.LastSeen.Add(d) }
}

func busyFor(d, paid time.Duration) func(in *policy.Instance) {
	return func(in *policy.Instance) { in.Busy, in.IdleIn, in.PaidUntil = 1, d, in.LastSeen.Add(paid) }
}

func (w *wishing) step(want int) policy.Decision {
	w.want = want
	w.o.Now = w.o.Now.Add(time.Nanosecond)
	w.o.Queue.Complete, w.o.Fleet.Complete = true, true
	return w.policy.Step(&w.o)
}

func (w *wishing) expect(t *testing.T, what string, d *policy.Decision, launches int, drains, undrains []policy.InstanceID) {
	t.Helper()
	got := 0
	for _, l := range d.Launches {
		got += l.Count
	}
	if got != launches || !slices.Equal(d.Drains, drains) || !slices.Equal(d.Undrains, undrains) {
		t.Errorf("%s: launches %d, drains %v, undrains %v; want %d, %v and %v", what, got, d.Drains, d.Undrains, launches, drains, undrains)
	}
}

type ids = []policy.InstanceID

// Where hours are paid whole an instance leaves in the last minute of its own, if
// its jobs are done by then, the nearest end first; by the second it leaves at once,
// the idle before the busy, the booting last.
func TestReleaseAtTheEndOfTheHour(t *testing.T) {
	fleet := func(w *wishing) {
		w.fleet(
			idleOne,
			left(50*time.Second),
			busyFor(2*time.Minute, 50*time.Second), // not done by then
			busyFor(20*time.Second, 40*time.Second),
			bootingOne,
			left(20*time.Second),
		)
	}
	for _, c := range []struct {
		name    string
		billing policy.Billing
		raw     map[string]any
		want    int
		drains  ids
	}{
		{"hourly", policy.Hourly, nil, 0, ids{5, 1, 3}},
		{"hourly, two too many", policy.Hourly, nil, 4, ids{5, 1}},
		{"hourly, at once", policy.Hourly, map[string]any{"release": "anywhere"}, 4, ids{5, 1}},
		{"hourly, a longer lead", policy.Hourly, map[string]any{"release_lead": "20m"}, 0, ids{5, 1, 3}},
		{"by the second", policy.PerSecond, nil, 0, ids{5, 1, 0, 3, 2, 4}},
		{"by the second, idle ones alone", policy.PerSecond, map[string]any{"victims": "idle"}, 0, ids{5, 1, 0}},
	} {
		w := wish(t, c.billing, build{}, c.raw)
		fleet(w)
		w.step(6)
		d := w.step(c.want)
		w.expect(t, c.name, &d, 0, c.drains, nil)
	}
}

// What was released works on to the end of its hour, out of the rule's sight but for
// its jobs, and is what a rise gets first, for nothing.
func TestReleasedIsTakenFirst(t *testing.T) {
	w := wish(t, policy.Hourly, build{}, nil)
	w.fleet(idleOne, idleOne, idleOne, busyFor(time.Minute, 30*time.Minute))
	w.step(4)
	w.step(1)
	d := w.step(1)
	w.expect(t, "released", &d, 0, nil, nil)
	if w.seen.ready != 1 || w.seen.released != 3 || w.seen.busySlots != 1 || w.seen.desired != 1 {
		t.Errorf("the rule sees %d ready of which %d slots are busy, %d released, %d desired; want 1, 1, 3 and 1", w.seen.ready, w.seen.busySlots, w.seen.released, w.seen.desired)
	}
	d = w.step(3)
	w.expect(t, "three again", &d, 0, nil, nil)
	d = w.step(6)
	w.expect(t, "six", &d, 2, nil, nil)
}

// What drains comes back before anything is bought, unless EC2 takes it, and what was
// still busy when its hour ended stays for the next, which is paid.
func TestDrainsAreTakenBack(t *testing.T) {
	interrupted := func(in *policy.Instance) { draining(in); in.InterruptAt = in.PaidUntil }
	w := wish(t, policy.PerSecond, build{}, nil)
	w.fleet(idleOne, draining, interrupted, draining)
	d := w.step(2)
	w.expect(t, "one more", &d, 0, nil, ids{1})
	w = wish(t, policy.PerSecond, build{}, nil)
	w.fleet(idleOne, draining, interrupted, draining)
	d = w.step(5)
	w.expect(t, "four more", &d, 2, nil, ids{1, 3})

	overran := func(in *policy.Instance) { busyFor(time.Minute, 59*time.Minute)(in); in.Phase = policy.Draining }
	w = wish(t, policy.Hourly, build{}, nil)
	w.fleet(idleOne, overran, draining)
	d = w.step(1)
	w.expect(t, "an hour that ended busy", &d, 0, nil, ids{1})
}

// A silent instance counts for 5 minutes and one that boots for 15; then its place is
// taken and it is drained.
func TestGoneIsReplaced(t *testing.T) {
	silent := func(d time.Duration) func(in *policy.Instance) {
		return func(in *policy.Instance) { in.Phase, in.LastSeen = policy.Lost, in.LastSeen.Add(-d) }
	}
	unborn := func(d time.Duration) func(in *policy.Instance) {
		return func(in *policy.Instance) { in.Phase, in.LaunchedAt = policy.Booting, in.LastSeen.Add(-d) }
	}
	w := wish(t, policy.PerSecond, build{}, nil)
	w.fleet(silent(4*time.Minute), silent(6*time.Minute), unborn(14*time.Minute), unborn(16*time.Minute))
	d := w.step(4)
	w.expect(t, "four", &d, 2, ids{1, 3}, nil)
	if w.seen.gone != 2 || w.seen.lost != 3 {
		t.Errorf("%d gone of %d lost, want 2 of 3", w.seen.gone, w.seen.lost)
	}
}

// A rival that keeps what it asked for asks again when EC2 refuses; the others forget
// it.
func TestKeeps(t *testing.T) {
	for _, keeps := range []bool{false, true} {
		w := wish(t, policy.PerSecond, build{keeps: keeps}, nil)
		w.step(0)
		w.step(3) // refused
		w.step(2)
		if want := map[bool]int{false: 0, true: 3}[keeps]; w.seen.desired != want {
			t.Errorf("keeps %v: %d desired after a refusal of 3, want %d", keeps, w.seen.desired, want)
		}
	}
}

// A list of types names what is bought and what stands in for it, slot for slot;
// without one the largest of the cheapest is bought, or the smallest.
func TestTypesStandIn(t *testing.T) {
	for _, c := range []struct {
		raw  map[string]any
		want string
	}{
		{nil, `[{"type":0,"count":3}]`},
		{map[string]any{"size": "smallest"}, `[{"type":1,"count":3}]`},
		{map[string]any{"type": []string{"four", "two"}}, `[{"type":0,"count":3,"else":[{"type":1,"num":4,"den":2}]}]`},
		{map[string]any{"type": []string{"two", "four"}, "step_max": 2}, `[{"type":1,"count":2,"else":[{"type":0,"num":2,"den":4}]}]`},
	} {
		w := wish(t, policy.PerSecond, build{}, c.raw)
		d := w.step(3)
		got, err := json.Marshal(d.Launches)
		if err != nil || string(got) != c.want {
			t.Errorf("%v: launches %s, want %s (%v)", c.raw, got, c.want, err)
		}
	}
}

// A rule with a period of its own is asked when it is over, and what it desired stays;
// one whose period is shorter than a tick asks for early ticks where there are any.
func TestPeriods(t *testing.T) {
	w := wish(t, policy.PerSecond, build{every: 5 * time.Minute}, nil)
	asked := ""
	for minute := range 12 {
		w.seen = signals{}
		if d := w.step(minute); d.NextTick != 0 {
			t.Fatalf("asks for the next tick in %v", d.NextTick)
		}
		if w.seen.slots > 0 {
			asked += fmt.Sprintf(" %d", minute)
		}
		w.o.Now = w.o.Now.Add(time.Minute)
	}
	if asked != " 0 5 10" {
		t.Errorf("asked in minutes%s, want 0 5 10", asked)
	}
	w = wish(t, policy.PerSecond, build{every: 15 * time.Second}, nil)
	if d := w.step(1); d.NextTick != 0 {
		t.Errorf("asks for the next tick in %v where ticks are not early", d.NextTick)
	}
	w.o.FastTicks = true
	if d := w.step(1); d.NextTick != 15*time.Second {
		t.Errorf("asks for the next tick in %v, want 15s", d.NextTick)
	}
}
