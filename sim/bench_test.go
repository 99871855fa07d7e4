package sim

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
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
	before := cpu()
	b.ResetTimer()
	for range b.N {
		cfg, p := staticWorld(slots)
		src.done = false
		if _, err := Run(context.Background(), cfg, p, src, Options{}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(cpu()-before)/float64(n)/float64(b.N), "cpu-ns/job")
}

func BenchmarkMMC200(b *testing.B)  { benchmarkMMC(b, 200) }
func BenchmarkMMC2000(b *testing.B) { benchmarkMMC(b, 2000) }

// cpu returns the user CPU time of this process.
func cpu() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano())
}

// sleeper observes and does nothing.
type sleeper struct{ wild }

func (*sleeper) Step(*policy.Observation) policy.Decision { return policy.Decision{} }

// BenchmarkObserve measures one observation of a busy fleet.
func BenchmarkObserve(b *testing.B) {
	for _, n := range []int{20, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			pending := n * 100
			list := make([]job, n*8+pending)
			for i := range list {
				list[i] = job{arrival: int64(i) * 1e6 / int64(n), service: 1e14, typ: []string{"photo", "video", "rotate"}[i%3], priority: uint8(i % 3)}
			}
			cfg, p := staticWorld(n * 8)
			cfg.Duration = time.Hour
			e, err := newEngine(cfg, p, newJobs(list), Options{})
			if err != nil {
				b.Fatal(err)
			}
			if err := e.run(context.Background()); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			b.ResetTimer()
			for range b.N {
				e.now += int64(time.Minute)
				e.observe()
			}
		})
	}
}
