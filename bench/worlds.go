package main

import (
	"context"
	"io"
	"math/rand/v2"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/skynet"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// makePolicy returns a policy for a world that at most so many instances fit.
type makePolicy func(env policy.Env, instances int) (policy.Policy, error)

// contenders are the policies the engine is measured with.
var contenders = []struct {
	name string
	make makePolicy
}{
	{"static", func(env policy.Env, n int) (policy.Policy, error) {
		return policy.NewStatic(env, n, env.Catalog.Types[len(env.Catalog.Types)-1].Name)
	}},
	{"skynet", func(env policy.Env, _ int) (policy.Policy, error) { return skynet.Spec.New(env, nil) }},
}

// queueLoad returns n Poisson arrivals for c slots at load 0.85, exponential
// services of mean one second, four priorities alike.
func queueLoad(n, c int) *load {
	r := rand.New(rand.NewPCG(1, uint64(c)))
	l := &load{arrival: make([]int64, n), service: make([]int64, n), priority: make([]uint8, n)}
	t := 0.0
	for i := range n {
		t += r.ExpFloat64() / (0.85 * float64(c))
		l.arrival[i] = int64(t * 1e9)
		l.service[i] = max(int64(r.ExpFloat64()*1e9), 1)
		l.priority[i] = uint8(r.IntN(4))
	}
	return l
}

// source yields a load as one batch.
type source struct {
	batch traces.Batch
	done  bool
}

func (l *load) source() *source {
	s := &source{}
	for p := range 4 {
		s.batch.Kinds = append(s.batch.Kinds, traces.Kind{Type: "job", Priority: uint8(p)})
	}
	s.batch.Arrival, s.batch.Service = l.arrival, l.service
	for _, p := range l.priority {
		s.batch.Kind = append(s.batch.Kind, uint16(p))
	}
	return s
}

func (s *source) Next(b *traces.Batch) error {
	if s.done {
		return io.EOF
	}
	s.done = true
	*b = s.batch
	return nil
}

func (s *source) Meta() traces.Meta { return traces.Meta{Jobs: int64(s.batch.Len())} }
func (s *source) Close() error      { return nil }

// queueWorld is a fleet of at most n instances of 8 slots.
func queueWorld(n int) *sim.Config {
	return &sim.Config{
		Name: "queue", Start: time.Date(2008, 6, 1, 0, 0, 0, 0, time.UTC), Tick: time.Minute, Seed: 1,
		Classes: []policy.Class{{Name: "all", Priority: -1, Target: 30 * time.Second, Attain: 0.99}},
		Catalog: policy.Catalog{Billing: policy.Hourly, Types: []policy.InstanceType{{
			Name: "x", Cores: 8, Slots: 8, Speed: 1, PerHour: 800_000,
		}}},
		Boot:         map[string]sim.BootModel{"": {Model: "fixed", Value: 95 * time.Second}},
		MaxInstances: n, Lease: 30 * time.Second, Beat: 10 * time.Second,
	}
}

// siteWorld is a photo site on at most n instances.
func siteWorld(n int) *sim.Config {
	cfg := queueWorld(n)
	cfg.Name = "site"
	cfg.ReferenceSpeed = 2.5
	cfg.Catalog = policy.EC2in2008()
	cfg.Boot = map[string]sim.BootModel{"": {
		Model: "lognormal", Median: 95 * time.Second, P99: 230 * time.Second, Max: 300 * time.Second,
	}}
	return cfg
}

// siteWeek is a week of the photo site.
func siteWeek() traces.PhotoSite {
	site := traces.DefaultPhotoSite()
	site.Duration = 7 * 24 * time.Hour
	return site
}

// packed returns the jobs of a photo site, generated and in memory.
func packed(site traces.PhotoSite) (*traces.Packed, error) {
	src, err := site.Source()
	if err != nil {
		return nil, err
	}
	return traces.Load(src)
}

// play runs a policy in a world and returns what came of it.
func play(cfg *sim.Config, instances int, mk makePolicy, src traces.Source) (*sim.Result, error) {
	p, err := mk(cfg.Env(), instances)
	if err != nil {
		return nil, err
	}
	return sim.Run(context.Background(), cfg, p, src, sim.Options{})
}
