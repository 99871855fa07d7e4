package gate

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/reports"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim"
)

// mutant is a policy with a mistake: it is shown something else than what is
// there, or does something else than what was decided.
type mutant struct {
	policy.Policy
	see func(*policy.Observation)
	do  func(*policy.Observation, *policy.Decision)
}

func (m *mutant) Step(o *policy.Observation) policy.Decision {
	seen := *o
	if m.see != nil {
		m.see(&seen)
	}
	d := m.Policy.Step(&seen)
	if m.do != nil {
		m.do(o, &d)
	}
	return d
}

// mistake makes a mutant; each run has its own.
type mistake func() (see func(*policy.Observation), do func(*policy.Observation, *policy.Decision))

func sees(see func(*policy.Observation)) mistake {
	return func() (func(*policy.Observation), func(*policy.Observation, *policy.Decision)) { return see, nil }
}

func does(do func(*policy.Observation, *policy.Decision)) mistake {
	return func() (func(*policy.Observation), func(*policy.Observation, *policy.Decision)) { return nil, do }
}

// without returns the instances of a fleet but those that hit names.
func without(o *policy.Observation, hit func(*policy.Instance) bool) {
	o.Fleet.Instances = slices.DeleteFunc(slices.Clone(o.Fleet.Instances), func(i policy.Instance) bool { return hit(&i) })
}

// each changes a copy of every instance.
func each(o *policy.Observation, change func(*policy.Instance)) {
	o.Fleet.Instances = slices.Clone(o.Fleet.Instances)
	for i := range o.Fleet.Instances {
		change(&o.Fleet.Instances[i])
	}
}

// eachKind changes a copy of every kind of job.
func eachKind(o *policy.Observation, change func(*policy.KindView)) {
	o.Queue.Kinds = slices.Clone(o.Queue.Kinds)
	for i := range o.Queue.Kinds {
		change(&o.Queue.Kinds[i])
	}
}

// mistakes are what somebody could do to the policy by accident. Each must be
// found, by the finding that says why.
var mistakes = []struct {
	name     string
	set      []scenarios.Setting // parameters of the policy
	make     mistake
	scenario string
	// finds is a promise that is broken, or a figure that regresses.
	finds string
}{
	{
		name: "forget booting instances", scenario: "flash-crowd", finds: "cost",
		make: sees(func(o *policy.Observation) {
			without(o, func(i *policy.Instance) bool { return i.Phase == policy.Requested || i.Phase == policy.Booting })
			o.Fleet.BootingSlots = 0
		}),
	},
	{
		name: "halve the quantile, as far as its bounds allow", scenario: "outage-2008", finds: "upload attained",
		set: []scenarios.Setting{{Key: "quantile", Value: "0.5"}},
	},
	{
		name: "release at minute 30", scenario: "flash-crowd", finds: "cost",
		make: does(func(o *policy.Observation, d *policy.Decision) {
			for i := range o.Fleet.Instances {
				in := &o.Fleet.Instances[i]
				age := o.Now.Sub(in.LaunchedAt) % time.Hour
				if in.Phase == policy.Ready && age >= 30*time.Minute && age < 31*time.Minute && !slices.Contains(d.Drains, in.ID) {
					d.Drains = append(slices.Clone(d.Drains), in.ID)
				}
			}
		}),
	},
	{
		name: "ignore the ends of paid hours", scenario: "flash-crowd", finds: "cost",
		make: sees(func(o *policy.Observation) {
			each(o, func(i *policy.Instance) { i.PaidUntil = o.Now.Add(time.Second) })
		}),
	},
	{
		name: "no reserve", scenario: "outage-2008", finds: "upload attained",
		set: []scenarios.Setting{{Key: "z_start", Value: "0.0"}, {Key: "gain", Value: "0.0"}},
	},
	{
		name: "never undrain", scenario: "flash-crowd", finds: "cost",
		make: does(func(_ *policy.Observation, d *policy.Decision) { d.Undrains = nil }),
	},
	{
		name: "launch double", scenario: "flash-crowd", finds: "cost",
		make: does(func(_ *policy.Observation, d *policy.Decision) {
			d.Launches = slices.Clone(d.Launches)
			for i := range d.Launches {
				d.Launches[i].Count *= 2
			}
		}),
	},
	{
		name: "ignore refusals: ask again, take nothing else", scenario: "no-capacity", finds: "upload",
		make: func() (func(*policy.Observation), func(*policy.Observation, *policy.Decision)) {
			return func(o *policy.Observation) { o.EC2.Refusals = nil }, func(_ *policy.Observation, d *policy.Decision) {
				d.Launches = slices.Clone(d.Launches)
				for i := range d.Launches {
					d.Launches[i].Else = nil
				}
			}
		},
	},
	{
		name: "stale forecast", scenario: "flash-crowd", finds: "upload attained",
		make: func() (func(*policy.Observation), func(*policy.Observation, *policy.Decision)) {
			arrived := map[string][4]policy.Flow{}
			last := map[string]policy.Flow{}
			return func(o *policy.Observation) {
				fresh := o.Now.Minute() == 0 // what came is looked at once an hour
				eachKind(o, func(k *policy.KindView) {
					key := fmt.Sprint(k.Type, k.Priority)
					if _, known := arrived[key]; fresh || !known {
						arrived[key], last[key] = k.Arrived, k.LastTick
					}
					k.Arrived, k.LastTick = arrived[key], last[key]
				})
			}, nil
		},
	},
	{
		name: "buy the wrong type", scenario: "flash-crowd", finds: "cost",
		make: does(func(_ *policy.Observation, d *policy.Decision) {
			d.Launches = slices.Clone(d.Launches)
			for i := range d.Launches {
				d.Launches[i].Type, d.Launches[i].Else = 0, nil // m1.small
			}
		}),
	},
	{
		name: "count what waits twice", scenario: "gallery-10000", finds: "cores, Wednesday's click",
		make: sees(func(o *policy.Observation) {
			eachKind(o, func(k *policy.KindView) { k.Pending.Jobs *= 2; k.Pending.Work *= 2 })
		}),
	},
	{
		name: "decide every ten minutes", scenario: "gallery-10000", finds: "gallery",
		make: does(func(o *policy.Observation, d *policy.Decision) {
			if o.Now.Minute()%10 != 0 {
				*d = policy.Decision{}
			}
		}),
	},
	{
		name: "never release", scenario: "flash-crowd", finds: "cores, after ÷ crowd",
		make: does(func(_ *policy.Observation, d *policy.Decision) { d.Drains = nil }),
	},
}

// TestMistakesAreFound runs each mistake on a committed scenario and checks it
// against the committed baseline, on all of its seeds.
func TestMistakesAreFound(t *testing.T) {
	for _, x := range mistakes {
		t.Run(x.name, func(t *testing.T) {
			t.Parallel()
			found := findings(t, x.scenario, x.set, x.make)
			for _, text := range found {
				if strings.HasPrefix(text, x.finds+":") || strings.HasPrefix(text, x.finds+" ") {
					t.Log(text)
					return
				}
			}
			t.Errorf("%s does not find it by %q, but by:\n%s", x.scenario, x.finds, strings.Join(found, "\n"))
		})
	}
}

// findings checks a scenario under its policy with a mistake, and returns what
// is wrong with it.
func findings(t *testing.T, name string, set []scenarios.Setting, wrong mistake) []string {
	t.Helper()
	s, err := scenarios.Load(filepath.Join("..", name+".toml"))
	if err != nil {
		t.Fatal(err)
	}
	b, err := Load(s)
	if err != nil {
		t.Fatal(err)
	}
	p, err := s.PolicyWith("", "skynet", set)
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.World()
	if err != nil {
		t.Fatal(err)
	}
	seeds := b.Seeds
	m, err := (&Measure{Parallel: 2}).runs(context.Background(), s, p, seeds, func(ctx context.Context, seed uint64, opt sim.Options) (*sim.Result, error) {
		src, err := w.Source(seed)
		if err != nil {
			return nil, err
		}
		defer src.Close()
		c := w.Config(seed)
		decides, err := p.New(c.Env())
		if err != nil {
			return nil, err
		}
		if wrong != nil {
			see, do := wrong()
			decides = &mutant{decides, see, do}
		}
		return sim.Run(ctx, c, decides, src, opt)
	})
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, v := range m.Verdicts {
		if !v.Kept {
			found = append(found, fmt.Sprintf("%s: %s (%s)", v.Name, v.Got, v.Want))
		}
	}
	var k reports.CheckCase
	before, _ := b.On(seeds)
	k.Compare(before, m.Figures, s.ClassLine)
	for _, f := range k.Figures {
		if f.Outcome == reports.Regression {
			found = append(found, fmt.Sprintf("%s %v → %v, p %.2g", f.Name(), f.Before, f.After, float64(f.Change.PHolm)))
		}
	}
	return found
}

// TestNoMistakeIsFound: the policy as it is has none, also as a mutant that
// sees and does what it should.
func TestNoMistakeIsFound(t *testing.T) {
	for _, name := range []string{"flash-crowd", "gallery-10000", "no-capacity", "outage-2008"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if found := findings(t, name, nil, does(func(*policy.Observation, *policy.Decision) {})); len(found) > 0 {
				t.Error(strings.Join(found, "\n"))
			}
		})
	}
}
