package sim

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/skynet-ec2/skynet/policy"
)

// wild is a policy that launches, drains and undrains at random: what it does
// depends on its own counter alone.
type wild struct {
	r     *rand.Rand
	types int
}

func (w *wild) Step(o *policy.Observation) policy.Decision {
	var d policy.Decision
	if w.r.IntN(2) == 0 && len(o.Fleet.Instances) < 12 {
		l := policy.Launch{Type: w.r.IntN(w.types), Count: 1 + w.r.IntN(3), Market: policy.Market(w.r.IntN(2))}
		l.Else = []policy.Substitute{{Type: w.r.IntN(w.types), Num: 1 + w.r.IntN(3), Den: 1 + w.r.IntN(2)}}
		d.Launches = append(d.Launches, l)
	}
	for i := range o.Fleet.Instances {
		in := &o.Fleet.Instances[i]
		switch w.r.IntN(12) {
		case 0:
			d.Drains = append(d.Drains, in.ID)
		case 1, 2:
			d.Undrains = append(d.Undrains, in.ID)
		}
	}
	if w.r.IntN(4) == 0 {
		d.NextTick = policy.MinTick
	}
	return d
}
func (w *wild) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }
func (w *wild) UnmarshalJSON([]byte) error   { return nil }

// stormy returns a world in which everything goes wrong at random.
func stormy(seed uint64) (*Config, []job) {
	r := rand.New(rand.NewPCG(seed, 11))
	const span = 3 * time.Hour
	cfg := &Config{
		Name: "stormy", Start: time.Date(2008, 6, 1, 0, 0, 0, 0, time.UTC), Tick: time.Minute, Seed: seed,
		FastTicks: r.IntN(2) == 0,
		Classes:   []policy.Class{{Name: "all", Priority: -1, Target: time.Minute, Attain: 0.5}},
		Catalog:   policy.EC2in2008(), Zones: []string{"a", "b"},
		Boot:         map[string]BootModel{"": {Model: "lognormal", Median: 95 * time.Second, P99: 230 * time.Second, Max: 5 * time.Minute, NeverBoots: 0.05}},
		MaxInstances: 20, Lease: 30 * time.Second, Beat: 10 * time.Second,
		Spot: &SpotMarket{Discount: 0.5, Volatility: 0.6, Revert: 6 * time.Hour, InterruptRate: 0.3, Notice: 2 * time.Minute},
	}
	if r.IntN(2) == 0 {
		cfg.Catalog.Billing = policy.PerSecond
	}
	if r.IntN(2) == 0 {
		cfg.Duration = span
	}
	if r.IntN(3) == 0 {
		cfg.MaxAttempts = 1 + r.IntN(2)
	}
	if r.IntN(2) == 0 {
		cfg.Failures = []Failure{{Types: []string{"video"}, Rate: 0.1, Poison: 0.01}}
		cfg.MaxAttempts = max(cfg.MaxAttempts, 2) // poison would never end
	}
	for _, kind := range FaultKinds() {
		for range r.IntN(3) {
			from := time.Duration(r.Int64N(int64(span)))
			f := Fault{
				Kind: kind, From: from, To: from + time.Duration(r.Int64N(int64(20*time.Minute))) + time.Second,
				Factor: 0.5 + 2*r.Float64(), Delay: time.Duration(r.Int64N(int64(5 * time.Minute))),
				Signals: []string{SignalNames()[r.IntN(4)]},
			}
			if r.IntN(2) == 0 {
				f.Probability = r.Float64()
			}
			if kind == Crash && r.IntN(2) == 0 {
				f.Rate = r.Float64() * 3
			}
			if r.IntN(3) == 0 {
				f.Zones = []string{"b"}
			}
			if r.IntN(3) == 0 {
				f.Types = []string{"c1.xlarge", "m1.small"}
			}
			cfg.Faults = append(cfg.Faults, f)
		}
	}
	var list []job
	at := int64(0)
	for range 800 {
		at += r.Int64N(int64(20 * time.Second))
		list = append(list, job{at, 1 + r.Int64N(int64(90*time.Second)), []string{"photo", "video"}[r.IntN(2)], uint8(r.IntN(3))})
	}
	return cfg, list
}

func runStormy(t *testing.T, seed uint64, check bool) (*Result, jobRows) {
	t.Helper()
	cfg, list := stormy(seed)
	p := &wild{r: rand.New(rand.NewPCG(seed, 3)), types: len(cfg.Catalog.Types)}
	var rows jobRows
	res, err := Run(context.Background(), cfg, p, newJobs(list), Options{Jobs: &rows, Timeline: true, Check: check})
	if err != nil {
		t.Fatalf("seed %d: %v", seed, err)
	}
	return res, rows
}

// Whatever goes wrong, no job is lost or run twice at once and no bill shrinks.
func TestInvariantsInStorms(t *testing.T) {
	var sum InstanceFigures
	var retried, lost int64
	for seed := range uint64(60) {
		res, rows := runStormy(t, seed, true)
		f := &res.Figures
		sum.Refused += f.Instances.Refused
		sum.Interrupted += f.Instances.Interrupted
		sum.Crashed += f.Instances.Crashed
		sum.NeverBooted += f.Instances.NeverBooted
		sum.Undrained += f.Instances.Undrained
		retried += f.Jobs.Retried
		lost += f.Jobs.Lost
		done := int64(0)
		for i := range rows {
			if rows[i].Job != int64(i) {
				t.Fatalf("seed %d: job %d handed over as %d-th", seed, rows[i].Job, i)
			}
			if rows[i].Finish >= 0 {
				done++
				if rows[i].Start < rows[i].Arrival || rows[i].Finish <= rows[i].Start {
					t.Fatalf("seed %d: job %+v out of order", seed, rows[i])
				}
			}
		}
		if done != f.Jobs.Completed || int64(len(rows)) != f.Jobs.Arrived {
			t.Fatalf("seed %d: %d done among %d rows, figures say %d and %d", seed, done, len(rows), f.Jobs.Completed, f.Jobs.Arrived)
		}
	}
	for name, n := range map[string]int{
		"refused": sum.Refused, "interrupted": sum.Interrupted, "crashed": sum.Crashed, "never booted": sum.NeverBooted,
		"undrained": sum.Undrained, "retried": int(retried), "lost": int(lost),
	} {
		if n == 0 {
			t.Errorf("no storm had anything %s: the test tests nothing of it", name)
		}
	}
}

// The same inputs give the same digest, the same rows and the same figures.
func TestSameInputsSameBytes(t *testing.T) {
	digests := map[string]bool{}
	for seed := range uint64(10) {
		a, rowsA := runStormy(t, seed, false)
		b, rowsB := runStormy(t, seed, true)
		if d := cmp.Diff(a.Figures, b.Figures); d != "" {
			t.Fatalf("seed %d: two runs differ:\n%s", seed, d)
		}
		if !slices.Equal(rowsA, rowsB) {
			t.Fatalf("seed %d: two runs differ in their jobs", seed)
		}
		digests[a.Figures.Digest] = true
	}
	if len(digests) != 10 {
		t.Errorf("10 different storms gave %d digests", len(digests))
	}
}
