package bound

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// small is a world small enough to try everything in.
type small struct {
	cfg  sim.Config
	jobs traces.Batch
}

// open returns the jobs as a source.
func (s *small) open() (traces.Source, error) { return &once{batch: s.jobs}, nil }

// once is a source of one batch.
type once struct {
	batch traces.Batch
	done  bool
}

func (o *once) Next(b *traces.Batch) error {
	if o.done || o.batch.Len() == 0 {
		return io.EOF
	}
	o.done = true
	*b = o.batch
	return nil
}

func (o *once) Meta() traces.Meta { return traces.Meta{Jobs: int64(o.batch.Len())} }
func (o *once) Close() error      { return nil }

// drawSmall draws a world of a few dozen jobs over an hour or a few.
func drawSmall(t *rapid.T) *small {
	s := &small{cfg: sim.Config{
		Name: "small", Start: time.Date(2008, 6, 2, 0, 0, 0, 0, time.UTC),
		Tick: time.Minute, ReferenceSpeed: 1, MaxInstances: 50, Lease: 30 * time.Second, Beat: 10 * time.Second,
		Seed: rapid.Uint64Range(0, 1000).Draw(t, "seed"),
		Boot: map[string]sim.BootModel{"": {Model: "lognormal", Median: 40 * time.Second, P99: 100 * time.Second, Max: 200 * time.Second}},
		Catalog: policy.Catalog{Name: "small", Billing: policy.PerSecond, Types: []policy.InstanceType{
			{Name: "two", Cores: 2, Slots: 2, Speed: 1, PerHour: 200_000},
		}},
	}}
	if rapid.Bool().Draw(t, "fixed boots") {
		s.cfg.Boot[""] = sim.BootModel{Model: "fixed", Value: time.Duration(rapid.IntRange(0, 180).Draw(t, "boot")) * time.Second}
	}
	if rapid.Bool().Draw(t, "hourly") {
		s.cfg.Catalog.Billing = policy.Hourly
	}
	if rapid.Bool().Draw(t, "two types") {
		s.cfg.Catalog.Types = append(s.cfg.Catalog.Types, policy.InstanceType{Name: "fast", Cores: 1, Slots: 1, Speed: 2, PerHour: policy.MicroUSD(rapid.IntRange(150_000, 400_000).Draw(t, "fast price"))})
	}
	for k := range rapid.IntRange(1, 3).Draw(t, "classes") {
		c := policy.Class{
			Name: fmt.Sprint("c", k), Priority: k,
			Target: time.Duration(rapid.SampledFrom([]int{30, 60, 120, 600, 1800}).Draw(t, "target")) * time.Second,
			Attain: rapid.SampledFrom([]float64{0, 0.5, 0.8, 0.9, 1}).Draw(t, "attain"),
		}
		if rapid.Bool().Draw(t, "on wait") {
			c.On = policy.Wait
		}
		s.cfg.Classes = append(s.cfg.Classes, c)
		s.jobs.Kinds = append(s.jobs.Kinds, traces.Kind{Type: "job", Priority: uint8(k)})
	}
	span := rapid.IntRange(600, 3*3600).Draw(t, "span")
	at := int64(0)
	for range rapid.IntRange(1, 60).Draw(t, "jobs") {
		at += int64(rapid.IntRange(0, span/30).Draw(t, "gap")) * int64(time.Second)
		s.jobs.Arrival = append(s.jobs.Arrival, at)
		s.jobs.Service = append(s.jobs.Service, int64(rapid.SampledFrom([]int{1, 5, 20, 200, 900}).Draw(t, "service"))*int64(time.Second)+rapid.Int64Range(1, 1e9).Draw(t, "ns"))
		s.jobs.Kind = append(s.jobs.Kind, uint16(rapid.IntRange(0, len(s.cfg.Classes)-1).Draw(t, "kind")))
	}
	s.cfg.JudgeFrom = time.Duration(rapid.SampledFrom([]int{0, 0, 300, 1000, 4000}).Draw(t, "judge from")) * time.Second
	if rapid.Bool().Draw(t, "duration") {
		s.cfg.Duration = s.cfg.JudgeFrom + time.Duration(rapid.IntRange(60, 4*3600).Draw(t, "for"))*time.Second
	}
	return s
}

// kept reports whether a run kept every class's promise, and left nothing
// undone where it went on to the end of the trace.
func kept(cfg *sim.Config, f *sim.Figures) bool {
	for i := range cfg.Classes {
		c := &cfg.Classes[i]
		if a := f.Classes[c.Name].Attained; c.Attain > 0 && a != nil && *a < c.Attain {
			return false
		}
		if a := f.Classes[c.Name].WorstHour; c.WorstHour > 0 && a != nil && *a < c.WorstHour {
			return false
		}
	}
	return cfg.Duration > 0 || f.Jobs.Pending == 0
}

// isNothing reports whether there is nothing to bound, or nothing that could be
// promised.
func isNothing(err error) bool {
	var empty *EmptyError
	var impossible *ImpossibleError
	return errors.As(err, &empty) || errors.As(err, &impossible)
}

// TestNobodyPaysLess is what a bound is for: whatever fleet keeps the promises
// of whatever small world, it pays at least the bound. The fleets are static
// ones and random scripts.
func TestNobodyPaysLess(t *testing.T) {
	proved, reached, together := 0, 0.0, 0
	rapid.Check(t, func(t *rapid.T) {
		s := drawSmall(t)
		r, err := Compute(context.Background(), &s.cfg, s.open, Options{LowerOnly: true})
		if err != nil && !isNothing(err) {
			t.Fatal(err)
		}
		if r != nil && slices.ContainsFunc(r.Bounds, func(b Bound) bool { return b.Name == "first instance and prices" }) {
			together++
		}
		try := func(what string, p policy.Policy) {
			src, _ := s.open()
			res, runErr := sim.Run(context.Background(), &s.cfg, p, src, sim.Options{})
			if runErr != nil {
				t.Fatal(runErr)
			}
			if !kept(&s.cfg, &res.Figures) {
				return
			}
			var impossible *ImpossibleError
			if errors.As(err, &impossible) {
				t.Fatalf("%s kept what is said to be impossible: %v", what, err)
			}
			if err != nil {
				return
			}
			cost := res.Figures.Judged.CostUSD
			if cost < r.LowerUSD-1e-9 {
				t.Fatalf("%s keeps the promises for %v, the bound is %v (%v)", what, cost, r.LowerUSD, r.Bounds)
			}
			if cost > 0 {
				proved++
				reached = max(reached, r.LowerUSD/cost)
			}
		}
		env := s.cfg.Env()
		for _, typ := range s.cfg.Catalog.Types {
			for _, n := range []int{0, 1, 2, 3, 8} {
				p, err := policy.NewStatic(env, n, typ.Name)
				if err != nil {
					t.Fatal(err)
				}
				try(fmt.Sprintf("%d × %s", n, typ.Name), p)
			}
		}
		for i := range 6 {
			var steps []policy.Step
			for range rapid.IntRange(1, 5).Draw(t, "steps") {
				steps = append(steps, policy.Step{
					At: time.Duration(rapid.IntRange(0, 200).Draw(t, "at")) * time.Minute, Launch: rapid.IntRange(1, 3).Draw(t, "launch"),
					Type: s.cfg.Catalog.Types[rapid.IntRange(0, len(s.cfg.Catalog.Types)-1).Draw(t, "type")].Name,
					Keep: time.Duration(rapid.IntRange(1, 120).Draw(t, "keep")) * time.Minute,
				})
			}
			p, err := policy.NewScripted(env, steps)
			if err != nil {
				t.Fatal(err)
			}
			try(fmt.Sprintf("script %d", i), p)
		}
	})
	if proved < 50 || reached < 0.25 || together < 3 {
		t.Errorf("only %d fleets kept their promises and paid; the bound came to %.2f of the cheapest, with the first instance in the market %d times: this test proves little", proved, reached, together)
	}
}

// TestBoundLaws: whoever promises less, or pays less per hour, pays no more. Each
// bound is the best that a search of its own finds, within a few percent of what
// its prices can prove, so that is by how much the law may fail between two.
func TestBoundLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSmall(t)
		lower := func(cfg *sim.Config) float64 {
			r, err := Compute(context.Background(), cfg, s.open, Options{LowerOnly: true})
			if isNothing(err) {
				return math.NaN()
			}
			if err != nil {
				t.Fatal(err)
			}
			return r.LowerUSD
		}
		base := lower(&s.cfg)
		if math.IsNaN(base) {
			return
		}
		near := 1e-6 + 1e-6*base

		double := s.cfg
		double.Catalog.Types = nil
		for _, typ := range s.cfg.Catalog.Types {
			typ.PerHour *= 2
			double.Catalog.Types = append(double.Catalog.Types, typ)
		}
		if twice := lower(&double); math.Abs(twice-2*base) > 2*near {
			t.Fatalf("doubling prices takes the bound from %v to %v", base, twice)
		}

		// nothing is free at the start of a run, and a minute is less than an hour
		seconds, hours := s.cfg, s.cfg
		for _, c := range []*sim.Config{&seconds, &hours} {
			c.JudgeFrom, c.Boot = 0, map[string]sim.BootModel{"": {Model: "fixed"}}
		}
		seconds.Catalog.Billing, hours.Catalog.Billing = policy.PerSecond, policy.Hourly
		if a, b := lower(&seconds), lower(&hours); a > b+near+0.01*a {
			t.Fatalf("billed by the second the bound is %v, by the hour %v", a, b)
		}

		loose := s.cfg
		loose.Classes = nil
		for _, c := range s.cfg.Classes {
			c.Attain *= 0.8
			loose.Classes = append(loose.Classes, c)
		}
		if less := lower(&loose); less > base+near+0.01*base {
			t.Fatalf("a lower attain takes the bound from %v to %v", base, less)
		}
	})
}

// TestPlanKeepsTheWorstHour: where a class promises every hour something, the
// plan may not give up the busiest one, which is the cheapest to give up.
func TestPlanKeepsTheWorstHour(t *testing.T) {
	s := &small{cfg: sim.Config{
		Name: "hours", Start: time.Date(2008, 6, 2, 0, 0, 0, 0, time.UTC), Tick: time.Minute, ReferenceSpeed: 1, MaxInstances: 50,
		Lease: 30 * time.Second, Beat: 10 * time.Second, Seed: 1, Duration: 6 * time.Hour,
		Boot:    map[string]sim.BootModel{"": {Model: "fixed", Value: time.Minute}},
		Classes: []policy.Class{{Name: "c", Priority: -1, Target: 2 * time.Minute, Attain: 0.7}},
		Catalog: policy.Catalog{Name: "hours", Billing: policy.Hourly, Types: []policy.InstanceType{{Name: "two", Cores: 2, Slots: 2, Speed: 1, PerHour: 200_000}}},
	}}
	s.jobs.Kinds = []traces.Kind{{Type: "job"}}
	for at := int64(0); at < int64(6*time.Hour); {
		s.jobs.Arrival = append(s.jobs.Arrival, at)
		s.jobs.Service = append(s.jobs.Service, int64(20*time.Second))
		s.jobs.Kind = append(s.jobs.Kind, 0)
		if at/int64(time.Hour) == 3 {
			at += int64(8 * time.Second) // more than one instance can do
		} else {
			at += int64(25 * time.Second)
		}
	}
	plan := func() *Result {
		r, err := Compute(t.Context(), &s.cfg, s.open, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if !r.Kept {
			t.Fatalf("no plan was kept: %+v", r.Replay.Classes["c"])
		}
		return r
	}
	any := plan()
	s.cfg.Classes[0].WorstHour = 0.9
	every := plan()
	without, with := *any.Replay.Classes["c"].WorstHour, *every.Replay.Classes["c"].WorstHour
	if without >= 0.9 {
		t.Errorf("without a promise the worst hour comes to %v: this test proves nothing", without)
	}
	if with < 0.9 {
		t.Errorf("the worst hour comes to %v, promised are 0.9", with)
	}
	if every.PlanUSD < any.PlanUSD || every.LowerUSD > every.PlanUSD {
		t.Errorf("with the hours promised the plan costs %v, without %v, the bound is %v", every.PlanUSD, any.PlanUSD, every.LowerUSD)
	}
}

// TestPlanIsReplayed: a plan that claims to be kept was, for the cost it claims,
// and never for less than the bound.
func TestPlanIsReplayed(t *testing.T) {
	plans := 0
	rapid.Check(t, func(t *rapid.T) {
		s := drawSmall(t)
		r, err := Compute(context.Background(), &s.cfg, s.open, Options{})
		if isNothing(err) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		w, err := newWorld(&s.cfg)
		if err != nil {
			t.Fatal(err)
		}
		src, _ := s.open()
		res, err := sim.Run(context.Background(), &s.cfg, newFollower(w, r.Plan), src, sim.Options{Check: true})
		if err != nil {
			t.Fatal(err)
		}
		if got := res.Figures.Judged.CostUSD; got != r.PlanUSD || res.Figures.Digest != r.Replay.Digest {
			t.Fatalf("the plan costs %v, another replay %v", r.PlanUSD, got)
		}
		if !r.Kept {
			return
		}
		plans++
		if r.PlanUSD < r.LowerUSD {
			t.Fatalf("the plan costs %v, less than the bound %v (%v)", r.PlanUSD, r.LowerUSD, r.Bounds)
		}
	})
	if plans < 5 {
		t.Errorf("only %d plans were kept", plans)
	}
}

// TestPlanOfLightLoad plans loads that keep a small part of one instance busy: what
// the first plan rounds to nothing must still be served.
func TestPlanOfLightLoad(t *testing.T) {
	for _, billing := range []policy.Billing{policy.Hourly, policy.PerSecond} {
		for _, service := range []time.Duration{10 * time.Millisecond, 2 * time.Second, 20 * time.Second} {
			s := &small{cfg: sim.Config{
				Name: "light", Start: time.Date(2008, 6, 2, 0, 0, 0, 0, time.UTC), Duration: 52 * time.Minute,
				Tick: time.Minute, ReferenceSpeed: 1, MaxInstances: 50, Lease: 30 * time.Second, Beat: 10 * time.Second,
				Boot:    map[string]sim.BootModel{"": {Model: "fixed", Value: 95 * time.Second}},
				Catalog: policy.Catalog{Name: "one", Billing: billing, Types: []policy.InstanceType{{Name: "eight", Cores: 8, Slots: 8, Speed: 1, PerHour: 800_000}}},
				Classes: []policy.Class{{Name: "rest", Priority: -1, Target: 20 * time.Minute, Attain: 0.95}},
			}}
			s.jobs.Kinds = []traces.Kind{{Type: "job"}}
			for i := range int64(200) {
				s.jobs.Arrival = append(s.jobs.Arrival, i*15*int64(time.Second))
				s.jobs.Service = append(s.jobs.Service, int64(service))
				s.jobs.Kind = append(s.jobs.Kind, 0)
			}
			r, err := Compute(context.Background(), &s.cfg, s.open, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if !r.Kept || r.PlanUSD <= 0 || r.PlanUSD > 0.8 {
				t.Errorf("billing %v, jobs of %v: planned %d instances for $ %.3f, kept %v; one instance keeps the promise for $ 0.80",
					billing, service, len(r.Plan), r.PlanUSD, r.Kept)
			}
		}
	}
}
