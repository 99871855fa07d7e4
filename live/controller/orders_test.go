package controller_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/policy/skynet"
	"github.com/skynet-ec2/skynet/policy/statehash"
)

// rigged is a policy that panics from some step on.
type rigged struct {
	policy.Policy
	after int
}

func (p *rigged) Step(o *policy.Observation) policy.Decision {
	if p.after--; p.after < 0 {
		panic("a division by nothing")
	}
	return p.Policy.Step(o)
}

// StateHash is the policy's own: the journal of the steps before replays.
func (p *rigged) StateHash() statehash.Hash {
	h, err := journal.StateHash(p.Policy)
	if err != nil {
		panic(err)
	}
	return h
}

// ordered is a configuration whose orders are followed. A policy's text is a
// slack target, or a word that says how it is broken.
func (w *world) ordered(holder string) controller.Config {
	c := w.config(holder)
	c.Book = w.store
	c.Decode = func(text []byte) (controller.Candidate, error) {
		switch word := string(text); word {
		case "nonsense":
			return controller.Candidate{}, errors.New("policy:1: not a policy")
		case "cannot be made":
			return controller.Candidate{Policy: func() (policy.Policy, error) { return nil, errors.New("no") }, Described: journal.Policy{Name: "skynet", Label: word}}, nil
		case "panics when made":
			return controller.Candidate{Policy: func() (policy.Policy, error) { panic("at once") }, Described: journal.Policy{Name: "skynet", Label: word}}, nil
		case "panics later":
			return controller.Candidate{
				Policy: func() (policy.Policy, error) {
					p, err := skynet.Spec.New(w.env, nil)
					return &rigged{p, 3}, err
				},
				Described: journal.PolicyOf(&skynet.Spec, nil, "skynet@rigged"),
			}, nil
		}
		raw := map[string]any{"quantile": string(text)}
		var quantile float64
		if _, err := fmt.Sscan(string(text), &quantile); err != nil {
			return controller.Candidate{}, err
		}
		raw["quantile"] = quantile
		v, problems := skynet.Spec.Check(raw)
		return controller.Candidate{
			Policy:    func() (policy.Policy, error) { return skynet.Spec.New(w.env, v) },
			Described: journal.PolicyOf(&skynet.Spec, v, "skynet@"+string(text)),
		}, errors.Join(problems...)
	}
	return c
}

// order changes the orders of the world's fleet.
func (w *world) order(change func(*controller.Orders) error) {
	w.t.Helper()
	_, err := controller.Change(w.t.Context(), w.store, "render", func(o *controller.Orders) (controller.Act, error) {
		return controller.Act{At: time.Now(), By: "ann", What: "order", Why: "a test"}, change(o)
	})
	if err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) deploy(text string, asShadow bool) {
	w.t.Helper()
	w.order(func(o *controller.Orders) error {
		_, err := o.Deploy(controller.Version{Text: text, Label: text, By: "ann", Why: "a test", Passed: true}, asShadow)
		return err
	})
}

// A deployed version decides from the next tick on, with the state of the one
// before; the journal says so and replays; a rollback returns; the next leader
// begins with what is ordered.
func TestDeployAndRollBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		k := w.open(w.ordered("a"))
		w.minutes(k, 20, 4)
		if s := k.Serving(); s.Version != 0 || s.Label != "skynet@test" || s.State != "anew" {
			t.Errorf("at first: %+v", s)
		}
		w.deploy("0.8", false)
		w.minutes(k, 10, 4)
		if s := k.Serving(); s.Version != 1 || s.Label != "skynet@0.8" || s.State != "carried over" || s.Problem != "" {
			t.Errorf("deployed: %+v", s)
		}
		w.deploy("0.7", true)
		w.minutes(k, 5, 4)
		if s := k.Serving(); s.Version != 1 || s.ShadowVersion != 2 || s.Shadow != "skynet@0.7" {
			t.Errorf("with a shadow: %+v", s)
		}
		if err := k.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		k = w.open(w.ordered("b"))
		w.minutes(k, 3, 4)
		if s := k.Serving(); s.Version != 1 || s.State != "as saved" || s.ShadowVersion != 2 {
			t.Errorf("the next leader: %+v", s)
		}
		w.order(func(o *controller.Orders) error { _, err := o.Rollback(); o.Shadow = 0; return err })
		w.minutes(k, 3, 4)
		if s := k.Serving(); s.Version != 0 || s.Label != "skynet@test" || s.State != "carried over" || s.Shadow != "" {
			t.Errorf("rolled back: %+v", s)
		}
		if r := w.replay(); r.Decisions != 41 || r.Headers != 4 {
			t.Errorf("replayed %d decisions under %d headers", r.Decisions, r.Headers)
		}
		acts, err := w.store.Acts(t.Context(), "render", 100)
		if text := fmt.Sprint(acts); err != nil || !strings.Contains(text, "version 1 decides (skynet@0.8, state carried over); it was skynet@test") {
			t.Errorf("acts %s, %v", text, err)
		}
	})
}

// A bad version never takes the loop down: what decided goes on, and says why.
func TestABadVersionChangesNothing(t *testing.T) {
	for _, text := range []string{"nonsense", "cannot be made", "panics when made", "panics later"} {
		t.Run(text, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				k := w.open(w.ordered("a"))
				w.minutes(k, 20, 4)
				w.deploy("0.8", false)
				w.minutes(k, 2, 4)
				w.deploy(text, false)
				w.minutes(k, 10, 4)
				s := k.Serving()
				if s.Version != 1 || s.Label != "skynet@0.8" || !strings.HasPrefix(s.Problem, "version 2 was refused: ") {
					t.Errorf("%+v", s)
				}
				w.finished(k, 10)
				if r := w.replay(); r.Decisions < 32 {
					t.Errorf("replayed %d decisions", r.Decisions)
				}
				if err := k.Close(t.Context()); err != nil {
					t.Fatal(err)
				}
				k = w.open(w.ordered("b")) // the next leader does as well
				w.minutes(k, 6, 1)
				if s := k.Serving(); s.Version != 1 || s.Problem == "" {
					t.Errorf("the next leader: %+v", s)
				}
				w.deploy("0.9", false)
				w.minutes(k, 1, 1)
				if s := k.Serving(); s.Version != 3 || s.Problem != "" {
					t.Errorf("a good one: %+v", s)
				}
			})
		})
	}
}

// A shadow that panics is dropped, and the fleet goes on.
func TestABadShadowIsDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		k := w.open(w.ordered("a"))
		w.deploy("panics later", true)
		w.minutes(k, 10, 4)
		if s := k.Serving(); s.Version != 0 || s.Shadow != "" || !strings.Contains(s.Problem, "version 1 was refused as shadow") {
			t.Errorf("%+v", s)
		}
		w.finished(k, 10)
	})
}

// The configuration's own policy is exchanged while it decides; one that cannot be
// read or made changes nothing.
func TestTheConfigurationsPolicyReloads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.ordered("a")
		next, failed := "", error(nil)
		c.Reload = func() (*controller.Candidate, error) {
			if next == "" {
				return nil, failed
			}
			got, err := c.Decode([]byte(next))
			next = ""
			return &got, err
		}
		k := w.open(c)
		w.minutes(k, 5, 4)
		next = "0.8"
		w.minutes(k, 2, 4)
		if s := k.Serving(); s.Label != "skynet@0.8" || s.Version != 0 || s.State != "carried over" {
			t.Errorf("%+v", s)
		}
		next = "cannot be made"
		w.minutes(k, 1, 4)
		failed = errors.New("skynet.toml:3: nonsense")
		w.minutes(k, 1, 4)
		if s := k.Serving(); s.Label != "skynet@0.8" {
			t.Errorf("%+v", s)
		}
		w.replay()
	})
}

// What operators wish is honoured, stands in the journal, and replays: a floor
// before a launch, a cordon, a drain; and all of them end by themselves.
func TestWishesAreHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		k := w.open(w.ordered("a"))
		w.minutes(k, 30, 1)
		wish := func(x controller.Wish, lasts time.Duration) {
			x.By, x.Why, x.Until = "ann", "a test", time.Now().Add(lasts)
			w.order(func(o *controller.Orders) error {
				_, err := o.Add(time.Now(), x, []string{"c1.xlarge"})
				return err
			})
		}
		wish(controller.Wish{Kind: policy.WishFloor, Instances: 12}, 2*time.Hour)
		wish(controller.Wish{Kind: policy.WishCordon, Type: "c1.xlarge"}, time.Hour)
		had := map[string]bool{}
		for _, in := range w.region.Fleet().Observe(t.Context()).Instances {
			had[in.ID] = true
		}
		w.minutes(k, 20, 1)
		if n := len(w.region.Alive()); n < 12 {
			t.Errorf("%d instances under a floor of 12", n)
		}
		for _, in := range w.region.Fleet().Observe(t.Context()).Instances {
			if in.Type == "c1.xlarge" && !had[in.ID] {
				t.Errorf("%s was bought, of a cordoned type", in.ID)
			}
		}
		victim := w.region.Alive()[3]
		wish(controller.Wish{Kind: policy.WishDrain, Instance: victim}, time.Hour)
		w.minutes(k, 5, 1)
		if alive := w.region.Alive(); slices.Contains(alive, victim) || len(alive) < 12 {
			t.Errorf("%s was to be drained, of %d", victim, len(alive))
		}
		w.minutes(k, 80, 1)
		if n := len(w.region.Alive()); n < 12 {
			t.Errorf("%d instances before the floor ends", n)
		}
		w.minutes(k, 150, 0.1)
		if n := len(w.region.Alive()); n > 6 {
			t.Errorf("%d instances long after the floor", n)
		}
		w.replay()
		if s := w.queue.Stats(""); s.Totals.Lost != 0 {
			t.Errorf("totals %+v", s.Totals)
		}
		for _, rule := range []string{"operator.floor", "operator.drain", `"wishes":[{"kind":"floor"`} {
			if !strings.Contains(w.journal.String(), rule) {
				t.Errorf("the journal says nothing of %s", rule)
			}
		}
	})
}

// A floor does not pass a cap.
func TestCapsHoldAgainstAFloor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.guard = policy.Bounded(5)
		k := w.open(w.ordered("a"))
		w.order(func(o *controller.Orders) error {
			_, err := o.Add(time.Now(), controller.Wish{Kind: policy.WishFloor, Instances: 30, By: "ann", Why: "a test", Until: time.Now().Add(time.Hour)}, nil)
			return err
		})
		w.minutes(k, 30, 4)
		if w.peak != 5 {
			t.Errorf("%d instances under a cap of 5", w.peak)
		}
	})
}

// A controller whose store was lost, or is in the past, finds instances that it
// never asked for. What runs on them is finished before they end.
func TestOrphansAreEmptiedFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run = 5 * time.Minute
		k := w.open(w.config("a"))
		w.minutes(k, 12, 0.02)
		before := w.region.Alive()
		if len(before) == 0 || len(before) > 3 {
			t.Fatalf("%d instances", len(before))
		}
		if err := k.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.store = controller.NewMemory(time.Now) // an empty one
		c := w.config("b")
		one := w.region.Fleet() // what it has listed it may end
		c.Observer, c.Actuator = one, one
		k = w.open(c)
		orphans := 0
		for _, r := range w.minutes(k, 30, 0.02) {
			for _, f := range r.Found {
				if f.Kind == fleet.Orphan {
					orphans++
				}
			}
		}
		if orphans == 0 {
			t.Error("no orphan was found")
		}
		for _, id := range before {
			if slices.Contains(w.region.Alive(), id) {
				t.Errorf("%s, which nobody asked for, lives on", id)
			}
		}
		w.finished(k, 60)
		if s := w.queue.Stats(""); s.Totals.Lost != 0 || s.Totals.Failed != 0 {
			t.Errorf("jobs were cut off: %+v", s.Totals)
		}
	})
}

// Orders that make no sense are not given.
func TestOrdersThatMakeNoSense(t *testing.T) {
	now := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	known := []string{"m1.small", "m1.large"}
	good := controller.Wish{By: "ann", Why: "a test", Until: now.Add(time.Hour)}
	for what, change := range map[string]func(*controller.Wish){
		"by":           func(w *controller.Wish) { w.By = "" },
		"reason":       func(w *controller.Wish) { w.Why = "" },
		"for":          func(w *controller.Wish) { w.Until = now },
		"at most 720h": func(w *controller.Wish) { w.Until = now.Add(1000 * time.Hour) },
		"drain":        func(w *controller.Wish) { w.Kind = policy.WishDrain },
		"cordon":       func(w *controller.Wish) { w.Kind = policy.WishCordon },
		"one of them":  func(w *controller.Wish) { w.Kind, w.Type, w.Zone = policy.WishCordon, "m1.large", "a" },
		`no such type (did you mean "m1.large"?): it has m1.small, m1.large`: func(w *controller.Wish) { w.Kind, w.Type = policy.WishCordon, "m1.lrge" },
		"floor":     func(w *controller.Wish) { w.Kind = policy.WishFloor },
		"instances": func(w *controller.Wish) { w.Kind, w.Instances, w.Cores = policy.WishFloor, 3, 4 },
	} {
		w, o := good, controller.Orders{}
		change(&w)
		if _, err := o.Add(now, w, known); err == nil || !strings.Contains(err.Error(), what) || len(o.Wishes) != 0 {
			t.Errorf("%s: %v, %+v", what, err, o)
		}
	}
	var o controller.Orders
	bad := controller.Version{Text: "x", By: "ann", Why: "a test", Checked: "upload 92 %"}
	if _, err := o.Deploy(bad, false); err == nil || o.Active != 0 || len(o.Versions) != 0 {
		t.Errorf("a check that fails: %v, %+v", err, o)
	}
	bad.Override = "the check is wrong: its trace is of last year"
	if v, err := o.Deploy(bad, false); err != nil || v.Number != 1 || o.Active != 1 {
		t.Errorf("with a reason: %+v, %v", o, err)
	}
	if _, err := o.Rollback(); err != nil || o.Active != 0 {
		t.Errorf("%+v, %v", o, err)
	}
	if _, err := o.Rollback(); err == nil {
		t.Error("back to before the beginning")
	}
	for range 300 { // what nothing returns to is forgotten
		if _, err := o.Deploy(bad, false); err != nil {
			t.Fatal(err)
		}
	}
	if len(o.Versions) > 50 || len(o.Before) > 25 {
		t.Errorf("%d versions, %d to return to", len(o.Versions), len(o.Before))
	}
	for range o.Before {
		number, err := o.Rollback()
		if _, known := o.Version(number); err != nil || !known {
			t.Fatalf("back to %d: %v", number, err)
		}
	}
}
