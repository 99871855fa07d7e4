package baseline_test

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/baseline"
	"pgregory.net/rapid"
)

// TestParamsAreDeclared: every parameter of every policy says what it does, in
// which unit, and between which bounds; what tune may move on a logarithmic
// scale begins above zero.
func TestParamsAreDeclared(t *testing.T) {
	for _, s := range baseline.Specs() {
		seen := map[string]bool{}
		for i := range s.Params {
			p := &s.Params[i]
			at := s.Name + "." + p.Name
			if seen[p.Name] {
				t.Errorf("%s stands twice", at)
			}
			seen[p.Name] = true
			if !strings.HasSuffix(p.Doc, ".") {
				t.Errorf("%s: its doc is no sentence: %q", at, p.Doc)
			}
			switch p.Kind {
			case policy.Choice:
				if len(p.Choices) < 2 || p.Default < 0 || int(p.Default) >= len(p.Choices) {
					t.Errorf("%s: default %v of %v", at, p.Default, p.Choices)
				}
				continue
			case policy.TypeList:
				continue
			case policy.Number:
				if p.Unit == "" {
					t.Errorf("%s: a number without a unit", at)
				}
			}
			if !(p.Min <= p.Default && p.Default <= p.Max && p.Min < p.Max) {
				t.Errorf("%s: default %v, from %v to %v", at, p.Default, p.Min, p.Max)
			}
			if p.Log && p.Min <= 0 {
				t.Errorf("%s: logarithmic from %v", at, p.Min)
			}
		}
	}
}

// TestKnowsNothingDoesNothing: the zero observation is no ground for anything,
// with whatever parameters.
func TestKnowsNothingDoesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, name, _ := drawPolicy(t)
		if d := p.Step(&policy.Observation{}); !d.IsZero() {
			t.Fatalf("%s: %+v", name, d)
		}
	})
}

// TestAnyObservation: whatever a policy sees, it does not panic; what it asks
// for exists and is asked for once; and a policy restored from its state goes
// on with the same bytes.
func TestAnyObservation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, name, fresh := drawPolicy(t)
		now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
		for range rapid.IntRange(1, 8).Draw(t, "steps") {
			now = now.Add(time.Duration(rapid.Int64Range(1, int64(3*time.Hour)).Draw(t, "later")))
			o := drawObservation(t, now)
			state, err := p.MarshalJSON()
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			restored := fresh()
			if err := restored.UnmarshalJSON(state); err != nil {
				t.Fatalf("%s: %s: %v", name, state, err)
			}
			d := p.Step(o)
			checkDecision(t, name, o, &d)
			want, got := encode(t, d), encode(t, restored.Step(o))
			if !bytes.Equal(got, want) {
				t.Fatalf("%s restored from %s\ndoes   %s\nshould %s", name, state, got, want)
			}
			if after, is := encode(t, restored), encode(t, p); !bytes.Equal(after, is) {
				t.Fatalf("%s restored from %s\nis now    %s\nshould be %s", name, state, after, is)
			}
		}
	})
}

func encode(t *rapid.T, v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// checkDecision fails on launches of nothing, and on drains and undrains of what
// is not there or does the same already.
func checkDecision(t *rapid.T, name string, o *policy.Observation, d *policy.Decision) {
	for _, l := range d.Launches {
		if l.Count < 1 || l.Type < 0 || l.Type >= len(testCatalog.Types) {
			t.Fatalf("%s launches %+v", name, l)
		}
	}
	phase := func(id policy.InstanceID) (policy.Phase, bool) {
		i := slices.IndexFunc(o.Fleet.Instances, func(in policy.Instance) bool { return in.ID == id })
		if i < 0 {
			return 0, false
		}
		return o.Fleet.Instances[i].Phase, true
	}
	touched := map[policy.InstanceID]bool{}
	for _, ids := range [][]policy.InstanceID{d.Drains, d.Undrains} {
		for _, id := range ids {
			if touched[id] {
				t.Fatalf("%s: instance %d stands twice in %+v", name, id, d)
			}
			touched[id] = true
		}
	}
	for _, id := range d.Drains {
		if ph, there := phase(id); !there || ph == policy.Draining {
			t.Fatalf("%s drains %d, which is there: %v, %v", name, id, there, ph)
		}
	}
	for _, id := range d.Undrains {
		if ph, there := phase(id); !there || ph != policy.Draining {
			t.Fatalf("%s undrains %d, which is there: %v, %v", name, id, there, ph)
		}
	}
}

var testCatalog = policy.EC2in2008()

// drawPolicy makes any of the policies with any parameters.
func drawPolicy(t *rapid.T) (p policy.Policy, name string, fresh func() policy.Policy) {
	spec := rapid.SampledFrom(baseline.Specs()).Draw(t, "policy")
	values := policy.Values{}
	for i := range spec.Params {
		par := &spec.Params[i]
		if !rapid.Bool().Draw(t, "given") {
			continue
		}
		switch par.Kind {
		case policy.Choice:
			values[par.Name] = rapid.SampledFrom(par.Choices).Draw(t, par.Name)
		case policy.TypeList:
			values[par.Name] = []string{rapid.SampledFrom(testCatalog.Names()).Draw(t, par.Name)}
		case policy.Number:
			values[par.Name] = rapid.Float64Range(par.Min, par.Max).Draw(t, par.Name)
		default:
			values[par.Name] = float64(rapid.Int64Range(int64(par.Min), int64(par.Max)).Draw(t, par.Name))
		}
	}
	env := policy.Env{
		Classes: []policy.Class{{Name: "all", Priority: -1, Target: 30 * time.Second, Attain: 0.95}},
		Catalog: testCatalog, Tick: time.Minute, BootGuess: 2 * time.Minute,
	}
	if rapid.Bool().Draw(t, "per second") {
		env.Catalog.Billing = policy.PerSecond
	}
	fresh = func() policy.Policy {
		p, err := spec.New(env, values)
		if err != nil {
			t.Fatalf("%s %v: %v", spec.Name, values, err)
		}
		return p
	}
	return fresh(), spec.Name, fresh
}

// drawObservation draws anything a world could show, and some it could not.
func drawObservation(t *rapid.T, now time.Time) *policy.Observation {
	o := &policy.Observation{Now: now, Tick: time.Minute, FastTicks: rapid.Bool().Draw(t, "fast ticks")}
	o.Queue.Complete = rapid.IntRange(0, 3).Draw(t, "queue") > 0
	o.Fleet.Complete = rapid.IntRange(0, 3).Draw(t, "fleet") > 0
	count := rapid.Int64Range(0, 1<<uint(rapid.IntRange(0, 40).Draw(t, "magnitude")))
	work := func(label string) policy.CoreSeconds { return policy.CoreSeconds(count.Draw(t, label)) / 8 }
	for range rapid.IntRange(0, 2).Draw(t, "kinds") {
		k := policy.KindView{
			Type:     "photo",
			Pending:  policy.Flow{Jobs: count.Draw(t, "pending"), Work: work("pending work")},
			InFlight: policy.Flow{Jobs: count.Draw(t, "running"), Work: work("running work")},
			LastTick: policy.Flow{Jobs: count.Draw(t, "arrived"), Work: work("arrived work")},
			Service:  policy.ServiceView{Samples: count.Draw(t, "samples"), Mean: work("mean"), SCV: 1},
		}
		for i := range k.Arrived {
			k.Arrived[i] = policy.Flow{Jobs: count.Draw(t, "arrived"), Work: work("arrived work")}
		}
		o.Queue.Kinds = append(o.Queue.Kinds, k)
	}
	id := policy.InstanceID(0)
	for range rapid.IntRange(0, 12).Draw(t, "instances") {
		id += policy.InstanceID(rapid.IntRange(1, 3).Draw(t, "id"))
		typ := rapid.IntRange(0, len(testCatalog.Types)-1).Draw(t, "type")
		age := time.Duration(rapid.Int64Range(0, int64(5*time.Hour)).Draw(t, "age"))
		in := policy.Instance{
			ID: id, Type: typ, Slots: testCatalog.Types[typ].Slots, LaunchedAt: now.Add(-age),
			Phase: policy.Phase(rapid.IntRange(0, int(policy.Lost)).Draw(t, "phase")),
		}
		in.PaidUntil = testCatalog.Billing.PaidUntil(in.LaunchedAt, now)
		if in.Phase >= policy.Ready {
			in.Busy = rapid.IntRange(0, in.Slots).Draw(t, "busy")
			in.LastSeen = now.Add(-time.Duration(rapid.Int64Range(0, int64(age)).Draw(t, "seen")))
			in.IdleIn = time.Duration(in.Busy) * time.Minute
		}
		o.Fleet.Instances = append(o.Fleet.Instances, in)
	}
	if rapid.Bool().Draw(t, "refused") {
		o.EC2.Refusals = []policy.Refusal{{Type: 4, At: now.Add(-time.Minute), Asked: 1, Refused: 1, Why: "capacity"}}
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "spans ahead") {
		o.Ahead = append(o.Ahead, policy.Coming{
			Until:    time.Duration(i+1) * 10 * time.Second,
			Arrivals: []policy.Flow{{Jobs: count.Draw(t, "to come"), Work: work("work to come")}},
		})
	}
	o.Fleet.Boot = policy.BootView{Samples: 3, P50: time.Minute, P99: 4 * time.Minute}
	return o
}
