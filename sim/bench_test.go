package sim

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// mmc returns n Poisson arrivals for c reference cores at load rho with
// exponential service of mean one second.
func mmc(n, c int, rho float64, seed uint64) []job {
	r := rand.New(rand.NewPCG(seed, 1))
	list := make([]job, n)
	t := 0.0
	for i := range list {
		t += r.ExpFloat64() / (rho * float64(c))
		list[i] = job{arrival: int64(t * 1e9), service: max(int64(r.ExpFloat64()*1e9), 1), typ: "photo"}
	}
	return list
}

func staticWorld(c int) (*Config, policy.Policy) {
	cfg := &Config{
		Name: "mmc", Start: time.Date(2008, 6, 1, 0, 0, 0, 0, time.UTC), Tick: time.Minute, Seed: 1,
		Classes: []policy.Class{{Name: "all", Priority: -1, Target: 30 * time.Second, Attain: 0.99}},
		Catalog: policy.Catalog{Billing: policy.Hourly, Types: []policy.InstanceType{{Name: "x", Cores: 8, Slots: 8, Speed: 1, PerHour: 800_000}}},
		Boot:    map[string]BootModel{"": {Model: "fixed"}}, MaxInstances: 100_000, Lease: 30 * time.Second, Beat: 10 * time.Second,
	}
	p, err := policy.NewStatic(cfg.Env(), c/8, "x")
	if err != nil {
		panic(err)
	}
	return cfg, p
}

func benchmarkMMC(b *testing.B, slots int) {
	const n = 2_000_000
	list := mmc(n, slots, 0.85, 1)
	src := newJobs(list)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		cfg, p := staticWorld(slots)
		src.done = false
		if _, err := Run(context.Background(), cfg, p, src, Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}

func BenchmarkMMC200(b *testing.B)  { benchmarkMMC(b, 200) }
func BenchmarkMMC2000(b *testing.B) { benchmarkMMC(b, 2000) }
