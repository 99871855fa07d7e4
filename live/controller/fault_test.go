package controller_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/skynet"
)

// The controller is run through hundreds of hours in which everything that can
// go wrong does, at random: it dies between any two of its calls, EC2 does not
// answer, answers late, throttles, has no capacity or shows old lists, the queue
// cannot be read, somebody stops it. Whatever happens:
//
//   - no intent launches more instances than it asked for
//   - the fleet never has more instances than its cap, nor costs more
//   - while the queue cannot be read nothing is launched and nothing ended
//   - while it is stopped nothing is launched and nothing ended
//   - in the end, with the faults over, every instance is known and every job done
//
// The bugs planted below break one of these each, and are found.

// seeds returns how many hours are tried: SKYNET_SEEDS, or n.
func seeds(t *testing.T, n int) int {
	t.Helper()
	if text := os.Getenv("SKYNET_SEEDS"); text != "" {
		many, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("SKYNET_SEEDS = %q: must be a number", text)
		}
		return many
	}
	return n
}

// died is what a call panics with when the process dies there.
type died struct{ call string }

// storm is a world with faults.
type storm struct {
	*world
	rng     *rand.Rand
	calls   int // until the process dies; 0: it lives
	asked   map[string]int
	broken  []string
	plant   string
	holders int
}

// maybeDie is called before and after every call to the outside.
func (s *storm) maybeDie(call string) {
	if s.calls > 0 {
		if s.calls--; s.calls == 0 {
			panic(died{call})
		}
	}
}

func (s *storm) breaks(format string, args ...any) {
	s.broken = append(s.broken, fmt.Sprintf(format, args...))
}

// stormStore dies around saving.
type stormStore struct {
	controller.Store
	s *storm
}

func (x stormStore) Save(ctx context.Context, fleet string, epoch int64, saved []byte) error {
	x.s.maybeDie("before save")
	err := x.Store.Save(ctx, fleet, epoch, saved)
	x.s.maybeDie("after save")
	return err
}

// stormFleet dies around acting, and counts what is asked for.
type stormFleet struct {
	fleet.Fleet
	s *storm
}

func (x stormFleet) Launch(ctx context.Context, asks []fleet.Ask) []fleet.Outcome {
	x.s.maybeDie("before launch")
	for i := range asks {
		x.s.asked[asks[i].ID] = asks[i].Count
		if x.s.plant == "a new token each time" && asks[i].Again {
			asks[i].ID += fmt.Sprint("-", x.s.rng.IntN(1000))
		}
	}
	outcomes := x.Fleet.Launch(ctx, asks)
	x.s.maybeDie("after launch")
	return outcomes
}

func (x stormFleet) Terminate(ctx context.Context, ids []string) []fleet.Ending {
	x.s.maybeDie("before terminate")
	endings := x.Fleet.Terminate(ctx, ids)
	x.s.maybeDie("after terminate")
	return endings
}

// stormQueue dies around telling workers.
type stormQueue struct{ s *storm }

func (x stormQueue) Observe(ctx context.Context, r api.ObserveRequest) (api.Observed, error) {
	o, err := x.s.world.Observe(ctx, r)
	if err != nil && x.s.plant == "an error read as zero" {
		return api.Observed{At: time.Now()}, nil // as of a queue without any job or worker
	}
	return o, err
}

func (x stormQueue) Direct(ctx context.Context, r api.DirectiveRequest) (api.PostedDirective, error) {
	x.s.maybeDie("before direct")
	p, err := x.s.world.Direct(ctx, r)
	x.s.maybeDie("after direct")
	return p, err
}

// stormPolicy decides without some of what there is.
type stormPolicy struct {
	policy.Policy
	hide func(*policy.Instance) bool
}

func (x *stormPolicy) Step(o *policy.Observation) policy.Decision {
	kept := o.Fleet.Instances[:0:0]
	for _, in := range o.Fleet.Instances {
		if !x.hide(&in) {
			kept = append(kept, in)
		}
	}
	o.Fleet.Instances = kept
	return x.Policy.Step(o)
}

const stormCap = 12

func newStorm(t *testing.T, seed uint64, plant string) *storm {
	s := &storm{world: newWorld(t), rng: rand.New(rand.NewPCG(seed, 7)), asked: map[string]int{}, plant: plant}
	s.run = 10 * time.Second
	s.guard = policy.Bounded(stormCap)
	s.guard.LaunchMax, s.guard.InFlightMax = 4, 8
	s.guard.HourMax = 4_000_000
	return s
}

// start opens a controller as another process.
func (s *storm) start() *controller.Controller {
	s.holders++
	c := s.config(fmt.Sprint("process ", s.holders))
	c.Store, c.Queue, c.Actuator, c.Journal = stormStore{s.store, s}, stormQueue{s}, stormFleet{s.region.Fleet(), s}, nil
	c.Policy = func() (policy.Policy, error) {
		p, err := skynet.Spec.New(s.env, nil)
		switch s.plant {
		case "booting not counted":
			return &stormPolicy{p, func(in *policy.Instance) bool { return in.Phase == policy.Booting || in.Phase == policy.Requested }}, err
		case "what is on its way not counted":
			return &stormPolicy{p, func(in *policy.Instance) bool { return in.Phase == policy.Requested }}, err
		}
		return p, err
	}
	return s.open(c)
}

// lives calls something of the controller; false if it died there.
func (s *storm) lives(call func() error) (lives bool) {
	defer func() {
		if p := recover(); p != nil {
			if _, ok := p.(died); !ok {
				panic(p)
			}
			s.calls = 0
			lives = false
		}
	}()
	if err := call(); err != nil {
		s.t.Fatal(err)
	}
	return true
}

// tick lets the controller tick; false if it died.
func (s *storm) tick(k *controller.Controller) (r *controller.Result, lives bool) {
	lives = s.lives(func() (err error) {
		r, err = k.Tick(s.t.Context())
		return err
	})
	if !lives {
		return nil, false
	}
	return r, true
}

// pass lets a minute pass without a tick, and returns who leads after it.
func (s *storm) pass(k *controller.Controller, rate float64) *controller.Controller {
	s.minute(rate, func() {
		reap := func() error { _, err := k.Reap(s.t.Context()); return err }
		if !s.lives(reap) {
			k = s.start()
		}
	})
	return k
}

// trouble begins and ends faults at random.
func (s *storm) trouble() {
	if s.rng.IntN(4) == 0 {
		s.calls = 1 + s.rng.IntN(10)
	}
	if s.rng.IntN(3) == 0 {
		how := []fleet.Breakage{fleet.ErrorBefore, fleet.ErrorAfter, fleet.LostReply, fleet.Throttle, fleet.NoCapacity, fleet.NoQuota}[s.rng.IntN(6)]
		s.region.Break(fleet.Call(s.rng.IntN(3)), how)
	}
	if s.rng.IntN(8) == 0 {
		s.region.Lag(time.Duration(s.rng.IntN(240)) * time.Second)
	}
	if s.deaf {
		s.deaf = s.rng.IntN(4) > 0
	} else {
		s.deaf = s.rng.IntN(15) == 0
	}
	if s.stop.Reason != "" {
		if s.rng.IntN(3) == 0 {
			s.stop = controller.Stopped{}
		}
	} else if s.rng.IntN(25) == 0 {
		s.stop = controller.Stopped{Reason: "drill"}
	}
}

// check looks whether the laws hold.
func (s *storm) check(before, after int, r *controller.Result) {
	if after > stormCap {
		s.breaks("%d instances, capped at %d", after, stormCap)
	}
	var cost policy.MicroUSD
	for _, in := range s.region.Fleet().Observe(s.t.Context()).Instances {
		if in.State != fleet.Over {
			cost += s.env.Catalog.Types[s.env.Catalog.Index(in.Type)].PerHour
		}
	}
	if cost > s.guard.HourMax {
		s.breaks("an hour costs %v, capped at %v", cost, s.guard.HourMax)
	}
	for id, count := range s.asked {
		if n := s.region.Launched(id); n > count {
			s.breaks("intent %s launched %d, asked for %d", id, n, count)
		}
	}
	if r != nil && s.stop.Reason != "" && (len(r.Terminated) > 0 || after != before) {
		s.breaks("stopped, and %d instances became %d", before, after)
	}
	if r != nil && s.deaf && (r.Decided.Instances() > 0 || len(r.Decided.Drains) > 0) {
		s.breaks("the queue cannot be read, and decision %d launches %d and drains %d", r.Decision, r.Decided.Instances(), len(r.Decided.Drains))
	}
}

// ever counts what was launched in the region for any intent.
func (s *storm) ever() (launched, asked int) {
	for _, in := range s.region.Fleet().Observe(s.t.Context()).Instances {
		if in.Intent != "" {
			launched++
		}
	}
	for _, n := range s.asked {
		asked += n
	}
	return launched, asked
}

// hour plays one hour of trouble and what comes after it, and returns which laws
// were broken.
func hour(t *testing.T, seed uint64, plant string) (broken []string) {
	synctest.Test(t, func(t *testing.T) {
		s := newStorm(t, seed, plant)
		k := s.start()
		rate := 0.3
		for range 60 {
			s.trouble()
			if s.rng.IntN(10) == 0 {
				rate = []float64{0.1, 0.5, 1, 3}[s.rng.IntN(4)]
			}
			before := len(s.region.Alive())
			r, lives := s.tick(k)
			s.check(before, len(s.region.Alive()), r)
			if !lives {
				k = s.start()
			}
			k = s.pass(k, rate)
		}
		s.deaf, s.stop, s.calls = false, controller.Stopped{}, 0
		s.region.Lag(0)
		for range 25 {
			r, _ := s.tick(k)
			s.check(0, len(s.region.Alive()), r)
			k = s.pass(k, 0)
		}
		if done := s.queue.Stats("").Totals.Completed; int(done) != s.submitted {
			s.breaks("%d of %d jobs done", done, s.submitted)
		}
		if known, alive := len(k.Observation().Fleet.Instances), len(s.region.Alive()); known != alive {
			s.breaks("%d instances known, %d alive", known, alive)
		}
		if launched, asked := s.ever(); launched > asked {
			s.breaks("%d instances launched, %d asked for", launched, asked)
		}
		broken = s.broken
	})
	return broken
}

func TestStorms(t *testing.T) {
	for seed := range uint64(seeds(t, 30)) {
		if broken := hour(t, seed, ""); len(broken) > 0 {
			t.Errorf("seed %d: %s", seed, broken[0])
		}
	}
}

// Each planted bug breaks a law within the seeds that the controller passes.
func TestPlantedBugsAreFound(t *testing.T) {
	for _, plant := range []string{"a new token each time", "an error read as zero", "booting not counted", "what is on its way not counted"} {
		t.Run(plant, func(t *testing.T) {
			for seed := range uint64(seeds(t, 60)) {
				if broken := hour(t, seed, plant); len(broken) > 0 {
					t.Logf("seed %d: %s", seed, broken[0])
					return
				}
			}
			t.Error("not found")
		})
	}
}
