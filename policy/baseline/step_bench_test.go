package baseline_test

import (
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/baseline"
)

// BenchmarkStep is one tick of each policy over 10 000 instances, of which every
// other is idle, and a million pending jobs.
func BenchmarkStep(b *testing.B) {
	catalog := policy.EC2in2008()
	env := policy.Env{
		Classes: []policy.Class{{Name: "all", Priority: -1, Target: 30 * time.Second, Attain: 0.95}},
		Catalog: catalog, Tick: time.Minute, BootGuess: 2 * time.Minute,
	}
	o := policy.Observation{Now: time.Date(2008, 6, 1, 0, 0, 0, 0, time.UTC), Tick: time.Minute}
	o.Queue.Complete, o.Fleet.Complete = true, true
	o.Queue.Kinds = []policy.KindView{{
		Type: "photo", Pending: policy.Flow{Jobs: 1_000_000, Work: 5_000_000}, InFlight: policy.Flow{Jobs: 40_000, Work: 100_000},
		Service: policy.ServiceView{Samples: 1000, Mean: 5, P95: 10, SCV: 1},
	}}
	o.Fleet.Boot = policy.BootView{Samples: 10, P50: time.Minute, P99: 4 * time.Minute}
	for i := range 10_000 {
		o.Fleet.Instances = append(o.Fleet.Instances, policy.Instance{
			ID: policy.InstanceID(i), Type: 4, Phase: policy.Ready, Slots: 8, Busy: i % 2 * 8,
			LaunchedAt: o.Now.Add(-time.Duration(i) * time.Second), PaidUntil: o.Now.Add(time.Duration(i%3600) * time.Second),
		})
	}
	for _, s := range baseline.Specs() {
		b.Run(s.Name, func(b *testing.B) {
			p, err := s.New(env, policy.Values{})
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			o := o
			for b.Loop() {
				o.Now = o.Now.Add(time.Minute)
				p.Step(&o)
			}
		})
	}
}
