package policy_test

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/skynet-ec2/skynet/policy"
)

// TestObeyLaws checks the laws of Obey's comment on random fleets, decisions and
// wishes.
func TestObeyLaws(t *testing.T) { rapid.Check(t, obeyLaws) }

func obeyLaws(t *rapid.T) {
	c := policy.EC2in2008()
	o := &policy.Observation{Now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}
	drawAnyFleet(t, o, len(c.Types))
	d := drawAnyDecision(t, o, len(c.Types))
	asked := drawWishes(t, o, len(c.Types))
	before := clone(d)
	got := policy.Obey(o, &c, d)
	if !reflect.DeepEqual(d, before) {
		t.Fatalf("the argument was changed: %+v, was %+v", d, before)
	}
	if asked.nothing() && !reflect.DeepEqual(got, d) {
		t.Fatalf("without a wish: %+v, was %+v", got, d)
	}
	again := policy.Obey(o, &c, got)
	again.Because, got.Because = nil, nil
	if !reflect.DeepEqual(again.Launches, got.Launches) || !slices.Equal(again.Drains, got.Drains) || !slices.Equal(again.Undrains, got.Undrains) {
		t.Fatalf("obeyed again: %+v, was %+v", again, got)
	}
	for _, l := range got.Launches {
		if asked.closed[l.Type] || l.Zone != "" && l.Zone == asked.zone || l.Count < 1 {
			t.Fatalf("launches %+v; cordoned %v %q", l, asked.closed, asked.zone)
		}
		for _, s := range l.Else {
			if asked.closed[s.Type] {
				t.Fatalf("launches %+v; cordoned %v", l, asked.closed)
			}
		}
	}
	for _, in := range o.Fleet.Instances {
		if asked.drained[in.ID] && (slices.Contains(got.Undrains, in.ID) || in.Phase != policy.Draining && !slices.Contains(got.Drains, in.ID)) {
			t.Fatalf("instance %d is to be drained: %+v", in.ID, got)
		}
	}
	for _, w := range asked.floors {
		buyable := false
		for typ := range c.Types {
			buyable = buyable || !asked.closed[typ] && (w.Type == policy.AnyType || w.Type == typ)
		}
		if have := standing(o, &c, &got, &w); buyable && have < w.Instances+w.Cores {
			t.Fatalf("%+v: %d; %+v", w, have, got)
		}
	}
}

// drawAnyFleet draws the instances of an observation.
func drawAnyFleet(t *rapid.T, o *policy.Observation, types int) {
	for id := range rapid.IntRange(0, 8).Draw(t, "instances") {
		o.Fleet.Instances = append(o.Fleet.Instances, policy.Instance{
			ID: policy.InstanceID(id), Type: rapid.IntRange(0, types-1).Draw(t, "type"), Slots: 1,
			Phase: policy.Phase(rapid.IntRange(0, 4).Draw(t, "phase")),
		})
	}
}

// drawAnyDecision draws what a policy might ask for.
func drawAnyDecision(t *rapid.T, o *policy.Observation, types int) (d policy.Decision) {
	for _, in := range o.Fleet.Instances {
		switch draining := in.Phase == policy.Draining; {
		case rapid.Bool().Draw(t, "leave"):
		case draining:
			d.Undrains = append(d.Undrains, in.ID)
		default:
			d.Drains = append(d.Drains, in.ID)
		}
	}
	for range rapid.IntRange(0, 2).Draw(t, "launches") {
		l := policy.Launch{Type: rapid.IntRange(0, types-1).Draw(t, "type"), Count: rapid.IntRange(1, 4).Draw(t, "count"), Zone: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "zone")}
		for range rapid.IntRange(0, 2).Draw(t, "else") {
			l.Else = append(l.Else, policy.Substitute{Type: rapid.IntRange(0, types-1).Draw(t, "type"), Num: rapid.IntRange(1, 4).Draw(t, "num"), Den: 1})
		}
		d.Launches = append(d.Launches, l)
	}
	return d
}

// inForce is what those of the wishes ask that are not over.
type inForce struct {
	closed  map[int]bool
	zone    string // that is cordoned; empty: none is
	drained map[policy.InstanceID]bool
	floors  []policy.Wish
}

func (f *inForce) nothing() bool {
	return len(f.closed)+len(f.drained)+len(f.floors) == 0 && f.zone == ""
}

// drawWishes draws wishes of operators, one in five of them over.
func drawWishes(t *rapid.T, o *policy.Observation, types int) inForce {
	f := inForce{closed: map[int]bool{}, drained: map[policy.InstanceID]bool{}}
	for range rapid.IntRange(0, 4).Draw(t, "wishes") {
		w := policy.Wish{Kind: policy.WishKind(rapid.IntRange(0, 2).Draw(t, "kind")), Type: policy.AnyType, Until: o.Now.Add(time.Hour), By: "me", Why: "a test"}
		over := rapid.IntRange(0, 4).Draw(t, "over") == 0
		if over {
			w.Until = o.Now
		}
		switch w.Kind {
		case policy.WishDrain:
			w.Instance = policy.InstanceID(rapid.IntRange(0, 9).Draw(t, "instance"))
			if !over {
				f.drained[w.Instance] = true
			}
		case policy.WishCordon:
			w.Type = rapid.IntRange(policy.AnyType, types-1).Draw(t, "type")
			switch {
			case w.Type == policy.AnyType:
				if w.Zone = "a"; !over {
					f.zone = w.Zone
				}
			case !over:
				f.closed[w.Type] = true
			}
		case policy.WishFloor:
			if n := rapid.IntRange(1, 12).Draw(t, "floor"); rapid.Bool().Draw(t, "cores") {
				w.Cores = n
			} else {
				w.Instances = n
			}
			w.Type = rapid.IntRange(policy.AnyType, types-1).Draw(t, "type")
			if !over {
				f.floors = append(f.floors, w)
			}
		}
		o.Wishes = append(o.Wishes, w)
	}
	return f
}

// standing counts towards a floor what is there after a decision.
func standing(o *policy.Observation, c *policy.Catalog, d *policy.Decision, w *policy.Wish) int {
	n := 0
	count := func(typ, times int) {
		if w.Type == policy.AnyType || w.Type == typ {
			if w.Cores > 0 {
				times *= c.Types[typ].Cores
			}
			n += times
		}
	}
	for _, in := range o.Fleet.Instances {
		if slices.Contains(d.Undrains, in.ID) || in.Phase != policy.Draining && !slices.Contains(d.Drains, in.ID) {
			count(in.Type, 1)
		}
	}
	for _, l := range d.Launches {
		count(l.Type, l.Count)
	}
	return n
}

// Without a wish nothing is allocated: every decision of every simulation passes
// here or could.
func TestObeyingNobodyCostsNothing(t *testing.T) {
	c := policy.EC2in2008()
	o := &policy.Observation{Now: time.Unix(0, 0)}
	d := policy.Decision{Launches: []policy.Launch{{Count: 3}}, Drains: []policy.InstanceID{1}}
	if n := testing.AllocsPerRun(100, func() { policy.Obey(o, &c, d) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// A floor speaks: what it kept and what it launched, by whom and why; and the
// guard has the last word.
func TestFloorBeforeALaunch(t *testing.T) {
	c := policy.EC2in2008()
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	known := policy.Reading{At: now, Complete: true}
	o := &policy.Observation{Now: now, Queue: policy.QueueView{Reading: known}}
	o.Fleet.Reading = known
	large := c.Index("m1.large")
	for id := range 4 {
		o.Fleet.Instances = append(o.Fleet.Instances, policy.Instance{ID: policy.InstanceID(id), Type: large, Phase: policy.Ready, Slots: 2})
	}
	o.Wishes = []policy.Wish{{Kind: policy.WishFloor, Type: policy.AnyType, Instances: 10, Until: now.Add(time.Hour), By: "ann", Why: "the launch at noon"}}
	d := policy.Obey(o, &c, policy.Decision{Drains: []policy.InstanceID{3, 2}})
	if len(d.Drains) != 0 || len(d.Launches) != 1 || d.Launches[0].Type != large || d.Launches[0].Count != 6 {
		t.Errorf("%+v", d)
	}
	if got, want := d.Because[0].String(), "operator.floor: ann: the launch at noon: at least 10 instances, would have 2: 2 kept, 6 launched"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	g := policy.Bounded(5)
	if d = g.Clamp(o, &c, d); d.Instances() > 1 {
		t.Errorf("the guard lets through %d", d.Instances())
	}
}
