package controller_test

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
)

// fleets are worlds whose controllers share a store and a guard that spans them.
type fleets struct {
	shared  policy.Guard
	broken  error
	worlds  []*world
	configs []controller.Config
}

func newFleets(t *testing.T, shared policy.Guard, names ...string) *fleets {
	f := &fleets{shared: shared}
	var claims *controller.MemoryClaims
	for _, name := range names {
		w := newWorld(t)
		if claims == nil {
			claims = controller.NewMemoryClaims(w.store)
		} else {
			w.store = f.worlds[0].store
		}
		c := w.config("a")
		c.Fleet, c.Journal = name, nil
		c.Claims, c.Shared = claims, func() (policy.Guard, error) { return f.shared, f.broken }
		f.worlds, f.configs = append(f.worlds, w), append(f.configs, c)
	}
	return f
}

// all counts what there is of every fleet, and what an hour of it costs.
func (f *fleets) all(t *testing.T) (n int, perHour policy.MicroUSD) {
	for _, w := range f.worlds {
		for _, in := range w.region.Fleet().Observe(t.Context()).Instances {
			if in.State != fleet.Over {
				n++
				perHour += w.env.Catalog.Types[w.env.Catalog.Index(in.Type)].PerHour
			}
		}
	}
	return n, perHour
}

// Three fleets want far more than they may have together. Their controllers decide
// at the same instant, replies get lost, and one of them dies between its claim and
// its launch: all of them together never have an instance too many, nor cost a cent
// more. What one lets go another may take.
func TestOneGuardSpansTheFleets(t *testing.T) {
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 3))
			shared := policy.Bounded(100)
			shared.FleetMax, shared.HourMax = 17, 5_300_000
			f := newFleets(t, shared, "render", "encode", "test")
			want := []int{9, 14, 11}
			types := []string{"m1.large", "m1.small", "c1.xlarge"}
			var ks []*controller.Controller
			for i, w := range f.worlds {
				c := &f.configs[i]
				w.guard.LaunchMax, w.guard.InFlightMax = 5, 20
				c.Guard = w.guard
				steady(w, c, want[i], types[i])
				ks = append(ks, w.open(*c))
			}
			most, dearest := 0, policy.MicroUSD(0)
			for minute := range 30 {
				var wait sync.WaitGroup
				for i, k := range ks {
					if rng.IntN(3) == 0 {
						f.worlds[i].region.Break(fleet.Launching, []fleet.Breakage{fleet.LostReply, fleet.ErrorBefore, fleet.NoCapacity}[rng.IntN(3)])
					}
					wait.Go(func() {
						if _, err := k.Tick(t.Context()); err != nil {
							t.Error(err)
						}
					})
				}
				wait.Wait()
				n, perHour := f.all(t)
				most, dearest = max(most, n), max(dearest, perHour)
				if n > shared.FleetMax || perHour > shared.HourMax {
					t.Fatalf("minute %d: %d instances for %v an hour, capped at %d and %v", minute, n, perHour, shared.FleetMax, shared.HourMax)
				}
				for _, w := range f.worlds {
					w.minute(0, func() {})
				}
			}
			if most < shared.FleetMax-2 && dearest < shared.HourMax*3/4 {
				t.Errorf("at most %d instances for %v: nothing pressed against the caps of %d and %v", most, dearest, shared.FleetMax, shared.HourMax)
			}
		})
	}
}

// What one fleet lets go another takes. Caps that cannot be read launch nothing.
func TestFleetsShareWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		shared := policy.Bounded(100)
		shared.FleetMax = 10
		f := newFleets(t, shared, "render", "encode")
		want := 8
		for i, w := range f.worlds {
			w.guard.LaunchMax, w.guard.InFlightMax, w.guard.DrainMax = 10, 20, 10
			f.configs[i].Guard = w.guard
		}
		plan(f.worlds[0], &f.configs[0], func(o *policy.Observation) (d policy.Decision) {
			has := len(o.Fleet.Instances)
			if has < want {
				d.Launches = []policy.Launch{{Type: 0, Count: want - has}}
			}
			for i := want; i < has; i++ {
				d.Drains = append(d.Drains, o.Fleet.Instances[i].ID)
			}
			return d
		})
		steady(f.worlds[1], &f.configs[1], 9, "m1.small")
		f.broken = errors.New("shared.toml: permission denied")
		a, b := f.worlds[0].open(f.configs[0]), f.worlds[1].open(f.configs[1])
		both := func(n int) {
			for range n {
				f.worlds[0].minutes(a, 1, 0)
				f.worlds[1].minutes(b, 1, 0)
			}
		}
		both(2)
		if n, _ := f.all(t); n != 0 {
			t.Errorf("%d instances without caps that can be read", n)
		}
		f.broken = nil
		both(6)
		if first, second := len(f.worlds[0].region.Alive()), len(f.worlds[1].region.Alive()); first != 8 || second != 2 {
			t.Errorf("%d and %d instances, 8 and 9 wanted, at most 10 together", first, second)
		}
		want = 3
		both(10)
		if first, second := len(f.worlds[0].region.Alive()), len(f.worlds[1].region.Alive()); first != 3 || second != 7 {
			t.Errorf("%d and %d instances, 3 and 9 wanted, at most 10 together", first, second)
		}
	})
}
