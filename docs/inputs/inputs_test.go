package main

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// TestEveryInputHasAnOrigin: sources.go names every input, and nothing else.
func TestEveryInputHasAnOrigin(t *testing.T) {
	known := map[string]bool{}
	for _, in := range inputs() {
		known[in.key()] = true
		if origins[in.key()].from == "" {
			t.Errorf("%s (%s): sources.go does not say who knows it", in.Path, in.key())
		}
	}
	for _, key := range keys(origins) {
		if !known[key] {
			t.Errorf("sources.go tells of %s, which is no input", key)
		}
	}
}

// TestEveryInputMeansSomething: the page has no empty cell in that column.
func TestEveryInputMeansSomething(t *testing.T) {
	means, err := meanings()
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range inputs() {
		if means[in.key()] == "" && origins[in.key()].meaning == "" {
			t.Errorf("%s (%s): neither its comment nor sources.go says what it means", in.Path, in.key())
		}
	}
}

// TestEveryInputIsRead by a rule, or is marked as recorded only, with the
// reason. A mark that is no longer true is removed.
func TestEveryInputIsRead(t *testing.T) {
	reads, err := readers()
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range inputs() {
		by, why := reads[in.key()], origins[in.key()].recorded
		switch {
		case len(by) == 0 && why == "":
			t.Errorf("%s (%s): no rule reads it; read it, or mark it recorded only in sources.go and say why", in.Path, in.key())
		case len(by) > 0 && why != "":
			t.Errorf("%s (%s): marked recorded only, but read by %s", in.Path, in.key(), strings.Join(by, ", "))
		}
	}
}

// TestPageIsCurrent: docs/inputs.md is what would be generated now.
func TestPageIsCurrent(t *testing.T) {
	want, err := generate()
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("docs/inputs.md is out of date: go generate ./docs/inputs\n%s", cmp.Diff(string(got), string(want)))
	}
}

// TestEveryInputIsFilled: in nine days in which everything goes wrong once,
// every input has a value at some tick.
func TestEveryInputIsFilled(t *testing.T) {
	cfg := troubledWorld()
	p := &prober{r: rand.New(rand.NewPCG(1, 2)), types: len(cfg.Catalog.Types), seen: map[string]bool{}}
	if _, err := sim.Run(context.Background(), cfg, p, newJobs(cfg.Duration), sim.Options{}); err != nil {
		t.Fatal(err)
	}
	for _, in := range inputs() {
		if in.key() == "FleetView.Speeds" { // a simulated type is as fast as the catalog says: policy/observe tests what fills it
			continue
		}
		if origins[in.key()].from != people && !p.seen[in.key()] { // nobody operates a simulation
			t.Errorf("%s (%s): nothing fills it", in.Path, in.key())
		}
	}
}

// troubledWorld has everything an observation can tell of: weeks to compare,
// spot, zones, budgets, and every kind of fault in the first day.
func troubledWorld() *sim.Config {
	cfg := &sim.Config{
		Name: "troubled", Start: time.Date(2008, 6, 1, 0, 0, 0, 0, time.UTC), Duration: 9 * 24 * time.Hour,
		Tick: time.Minute, FastTicks: true, Seed: 1, ReferenceSpeed: 1,
		// the first class is one that the probes' kinds do not belong to, so that
		// the index of theirs is not zero
		Classes: []policy.Class{
			{Name: "none", Types: []string{"none"}, Priority: -1, Target: time.Hour},
			{Name: "rest", Priority: -1, Target: time.Minute, Attain: 0.9},
		},
		Catalog: policy.EC2in2008(), Zones: []string{"a", "b"},
		Boot:         map[string]sim.BootModel{"": {Model: "lognormal", Median: 95 * time.Second, P99: 230 * time.Second, Max: 5 * time.Minute}},
		MaxInstances: 20, Lease: 30 * time.Second, Beat: 10 * time.Second, MaxAttempts: 5,
		Spot:       &sim.SpotMarket{Discount: 0.5, Volatility: 0.6, Revert: 6 * time.Hour, InterruptRate: 0.3, Notice: 2 * time.Minute},
		Failures:   []sim.Failure{{Types: []string{"video"}, Rate: 0.1}},
		BudgetHour: 10 * policy.USD, BudgetDay: 100 * policy.USD, BudgetMonth: 1000 * policy.USD,
	}
	for i, kind := range sim.FaultKinds() {
		from := time.Duration(i+1) * time.Hour
		cfg.Faults = append(cfg.Faults, sim.Fault{
			Kind: kind, From: from, To: from + 20*time.Minute,
			Probability: 0.6, Factor: 1.5, Delay: 3 * time.Minute, Signals: []string{"queue"},
		})
	}
	return cfg
}

// prober launches, drains and undrains at random, and remembers which inputs
// had a value.
type prober struct {
	r     *rand.Rand
	types int
	seen  map[string]bool
}

func (p *prober) Step(o *policy.Observation) policy.Decision {
	filled(o, func(key string) { p.seen[key] = true })
	var d policy.Decision
	if len(o.Fleet.Instances) < 18 && p.r.IntN(2) == 0 {
		d.Launches = []policy.Launch{{
			Type: p.r.IntN(p.types), Count: 1 + p.r.IntN(3), Market: policy.Market(p.r.IntN(2)), Zone: []string{"", "a", "b"}[p.r.IntN(3)],
		}}
	}
	for i := range o.Fleet.Instances {
		in := &o.Fleet.Instances[i]
		overdue := in.Phase == policy.Booting && o.Now.Sub(in.LaunchedAt) > 10*time.Minute
		if overdue || in.Phase == policy.Ready && p.r.IntN(10) == 0 || in.Phase == policy.Lost {
			d.Drains = append(d.Drains, in.ID)
		}
	}
	return d
}

// Foresight asks to be told what will arrive, as a clairvoyant policy does.
func (p *prober) Foresight() (ahead, span time.Duration) { return 10 * time.Minute, time.Minute }

func (p *prober) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }
func (p *prober) UnmarshalJSON([]byte) error   { return nil }

// newJobs is a trace of photos and videos with sizes and estimates, one every
// twenty seconds or so, as one batch.
func newJobs(span time.Duration) *oneBatch {
	r := rand.New(rand.NewPCG(3, 4))
	b := &oneBatch{}
	b.batch.Kinds = []traces.Kind{{Type: "photo", Size: 3}, {Type: "video", Priority: 1, Size: 8}}
	for at := int64(0); at < int64(span); at += r.Int64N(int64(40 * time.Second)) {
		service := 1 + r.Int64N(int64(5*time.Minute))
		b.batch.Arrival = append(b.batch.Arrival, at)
		b.batch.Service = append(b.batch.Service, service)
		b.batch.Estimate = append(b.batch.Estimate, service)
		b.batch.Kind = append(b.batch.Kind, uint16(r.IntN(2)))
	}
	return b
}

// oneBatch is a source that holds one batch.
type oneBatch struct {
	batch traces.Batch
	done  bool
}

func (s *oneBatch) Next(b *traces.Batch) error {
	if s.done {
		return io.EOF
	}
	s.done = true
	*b = s.batch
	return nil
}

func (s *oneBatch) Meta() traces.Meta { return traces.Meta{Jobs: int64(s.batch.Len())} }
func (s *oneBatch) Close() error      { return nil }

func keys(m map[string]origin) (list []string) {
	for key := range m {
		list = append(list, key)
	}
	slices.Sort(list)
	return list
}
