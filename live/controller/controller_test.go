package controller_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
)

// Instances that launch and boot between two ticks are never seen booting, and
// teach how long boots take all the same, each once.
func TestBootsShorterThanATickAreLearned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.boot = 20 * time.Second
		k := w.open(w.config("a"))
		w.minutes(k, 30, 4)
		launched := len(w.booted)
		if b := k.Observation().Fleet.Boot; launched == 0 || b.Samples != launched || b.P50 < 15*time.Second || b.P50 > 35*time.Second {
			t.Errorf("%d boots of 20 s are learned as %+v", launched, b)
		}
		w.finished(k, 10)
	})
}

// An hour of uploads, a crowd, and quiet: the fleet follows, every job is done,
// and in the end nothing but what is paid for anyway is left. The journal
// replays to the same bytes.
func TestTheFleetBreathes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		k := w.open(w.config("a"))
		w.minutes(k, 130, 4) // two instances' worth
		if calm := k.Observation().Fleet.ReadySlots; calm < 16 || calm > 40 {
			t.Errorf("%d slots ready for 16 busy ones", calm)
		}
		w.minutes(k, 20, 20) // a crowd
		if w.peak < 10 {
			t.Errorf("at most %d instances for a crowd of 80 busy slots", w.peak)
		}
		w.finished(k, 10)
		w.minutes(k, 150, 0.05)
		if n := len(w.region.Alive()); n > 2 {
			t.Errorf("%d instances long after the crowd", n)
		}
		if o := k.Observation(); o.Fleet.Boot.Samples == 0 || o.Fleet.Boot.P50 < 80*time.Second || o.Fleet.Boot.P50 > 110*time.Second {
			t.Errorf("boots of 90 s are learned as %+v", o.Fleet.Boot)
		}
		if o := k.Observation(); len(o.Queue.Kinds) != 1 || o.Queue.Kinds[0].Service.Mean < 8 || o.Queue.Kinds[0].Service.Mean > 14 {
			t.Errorf("four seconds at speed 2.5 are learned as %+v", o.Queue.Kinds[0].Service)
		}
		if k.Spent().Total < 800_000 {
			t.Errorf("spent %v", k.Spent().Total)
		}
		if r := w.replay(); r.Decisions < 200 || r.States < 3 {
			t.Errorf("replayed %d decisions and %d states", r.Decisions, r.States)
		}
	})
}

// Whoever is given no actuator only watches.
func TestObserveModeDoesNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.config("a")
		c.Actuator = nil
		k := w.open(c)
		wanted := 0
		for _, r := range w.minutes(k, 10, 4) {
			wanted += r.Decided.Instances()
			if r.Outcome.Held == "" || r.Outcome.Launched != 0 {
				t.Errorf("decision %d: %+v", r.Decision, r.Outcome)
			}
		}
		if wanted == 0 || len(w.region.Alive()) != 0 {
			t.Errorf("wanted %d, has %d", wanted, len(w.region.Alive()))
		}
	})
}

// A stop wins over everything: nothing is launched and nothing terminated until
// it is taken back.
func TestStopWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		k := w.open(w.config("a"))
		w.minutes(k, 30, 4)
		before := w.region.Alive()
		w.stop = controller.Stopped{Reason: "somebody looks", By: "me"}
		for _, r := range w.minutes(k, 90, 20) {
			if r.Outcome.Held == "" || len(r.Terminated) > 0 {
				t.Fatalf("stopped, and %+v, terminated %v", r.Outcome, r.Terminated)
			}
		}
		if after := w.region.Alive(); len(after) != len(before) {
			t.Errorf("%d instances became %d", len(before), len(after))
		}
		w.stop = controller.Stopped{}
		w.minutes(k, 10, 20)
		if after := w.region.Alive(); len(after) <= len(before) {
			t.Errorf("%d instances after the stop ended, with a crowd waiting", len(after))
		}
	})
}

// A queue that cannot be read is not an empty one: nothing changes.
func TestBlindnessHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		k := w.open(w.config("a"))
		w.minutes(k, 30, 8)
		before := len(w.region.Alive())
		w.deaf = true
		for _, r := range w.minutes(k, 120, 0) {
			if r.Decision > 34 && (r.Decided.Instances() > 0 || len(r.Terminated) > 0) {
				t.Errorf("blind, decision %d launches %d and terminates %v", r.Decision, r.Decided.Instances(), r.Terminated)
			}
		}
		if after := len(w.region.Alive()); after != before {
			t.Errorf("%d instances became %d", before, after)
		}
	})
}

// A job that runs on an instance is never cut off by its release.
func TestNoJobIsCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		w.run = 7 * time.Minute
		k := w.open(w.config("a"))
		for range 6 {
			w.minutes(k, 15, 0.2)
			w.minutes(k, 25, 0)
		}
		w.finished(k, 20)
		s := w.queue.Stats("")
		if s.Totals.Lost != 0 || s.Totals.Failed != 0 {
			t.Errorf("totals %+v", s.Totals)
		}
	})
}

// What EC2 does not answer is asked for again with the same token: nothing is
// launched twice, whatever goes wrong.
func TestNothingIsLaunchedTwice(t *testing.T) {
	for name, how := range map[string]fleet.Breakage{
		"error before": fleet.ErrorBefore, "error after": fleet.ErrorAfter, "lost reply": fleet.LostReply, "throttled": fleet.Throttle,
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t)
				w.region.Lag(3 * time.Minute)
				k := w.open(w.config("a"))
				w.minutes(k, 2, 4)
				w.region.Break(fleet.Launching, how, how, how)
				asked := 0
				for _, r := range w.minutes(k, 30, 12) {
					asked += r.Decided.Instances()
				}
				ever := len(w.booted)
				if ever > asked+4 {
					t.Errorf("%d launched of %d asked for", ever, asked)
				}
				w.finished(k, 20)
			})
		})
	}
}

// A controller dies; another takes over with what was saved, and the first cannot
// come back.
func TestTakeover(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		first := w.open(w.config("a"))
		w.minutes(first, 40, 8)
		alive := len(w.region.Alive())
		began := time.Now()
		second := w.open(w.config("b"))
		if took := time.Since(began); took > 16*time.Second {
			t.Errorf("took over after %v", took)
		}
		if second.Epoch() != first.Epoch()+1 {
			t.Errorf("epochs %d and %d", first.Epoch(), second.Epoch())
		}
		if _, err := first.Tick(t.Context()); !errors.Is(err, controller.ErrFenced) {
			t.Errorf("the old leader ticks: %v", err)
		}
		asked := 0
		for _, r := range w.minutes(second, 20, 8) {
			asked += r.Decided.Instances()
		}
		if n := len(w.region.Alive()); asked > 3 || n < alive-3 || n > alive+3 {
			t.Errorf("%d instances became %d, %d asked for, though nothing changed", alive, n, asked)
		}
		w.finished(second, 10)
		if r := w.replay(); r.Headers != 2 || len(r.Breaks) != 0 {
			t.Errorf("replayed %d headers, breaks %v", r.Headers, r.Breaks)
		}
	})
}

// Limits that an operator keeps apart stand behind the policy and the guard, and
// count from the next decision on. Unreadable ones launch nothing.
func TestCaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.config("a")
		caps, broken := policy.Bounded(3), error(nil)
		c.Caps = func() (policy.Guard, error) { return caps, broken }
		k := w.open(c)
		w.minutes(k, 40, 20)
		if w.peak != 3 {
			t.Errorf("at most %d instances, capped at 3", w.peak)
		}
		broken = errors.New("caps.toml: permission denied")
		caps = policy.Bounded(40)
		for _, r := range w.minutes(k, 10, 20) {
			if r.Outcome.Launched > 0 {
				t.Error("launched without caps")
			}
		}
		broken = nil
		w.minutes(k, 10, 20)
		if w.peak <= 3 {
			t.Errorf("at most %d instances, capped at 40", w.peak)
		}
	})
}

// A shadow decides on the same observations, and nothing comes of it. One that
// is the active policy's twin decides the same.
func TestShadow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.config("a")
		c.Shadow = &controller.Shadow{Policy: c.Policy, Described: c.Described}
		k := w.open(c)
		for _, r := range w.minutes(k, 20, 8) {
			if r.Apart.Is() {
				t.Errorf("decision %d: a twin decides otherwise: %+v", r.Decision, r.Apart)
			}
		}
		if err := k.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		c.Shadow = &controller.Shadow{
			Policy:    func() (policy.Policy, error) { return policy.NewStatic(w.env, 30, "c1.xlarge") },
			Described: journal.Policy{Name: "static", Label: "static@30"},
		}
		k = w.open(c)
		apart := 0
		for _, r := range w.minutes(k, 20, 8) {
			apart += max(0, r.Apart.Launches)
		}
		if apart < 10 || len(w.region.Alive()) > 25 {
			t.Errorf("a shadow of 30 instances wanted %d more, and there are %d", apart, len(w.region.Alive()))
		}
	})
}

// Whoever only watches sees a fleet that somebody else launched.
func TestObserveModeSeesTheFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		active := w.open(w.config("a"))
		c := w.config("b")
		c.Actuator, c.Store, c.Journal = nil, controller.NewMemory(time.Now), nil
		watching := w.open(c)
		for range 40 {
			w.minutes(active, 1, 8)
			if _, err := watching.Tick(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		sees, there := watching.Observation().Fleet, active.Observation().Fleet
		if len(sees.Instances) < 2 || len(sees.Instances) < len(there.Instances)-4 || sees.ReadySlots == 0 || sees.BusySlots == 0 {
			t.Errorf("sees %d instances, %d slots ready and %d busy, of %d", len(sees.Instances), sees.ReadySlots, sees.BusySlots, len(there.Instances))
		}
	})
}
