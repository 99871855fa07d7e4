package sim

import (
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// A signal that goes stale keeps what was last read before, and a blind one
// says when that was.
func TestStaleFromTheFault(t *testing.T) {
	for _, kind := range []FaultKind{Stale, Blind, QueueOutage} {
		cfg := tiny()
		cfg.Duration = 5 * time.Minute
		cfg.Faults = []Fault{{Kind: kind, From: 70 * s, To: 200 * s}}
		list := []job{do(50*s, 1*s), do(65*s, 1*s), do(75*s, 1*s)}
		look(t, cfg, nil, list, func(at time.Duration, o *policy.Observation) {
			jobs, read := int64(0), o.Queue.At.Sub(cfg.Start)
			for i := range o.Queue.Kinds {
				jobs += o.Queue.Kinds[i].Pending.Jobs
			}
			stale := at == 120*s || at == 180*s
			if stale && (jobs != 1 || read != 60*s) {
				t.Errorf("%s at %v: %d pending, read at %v; want the 1 of 60 s", kind, at, jobs, read)
			}
			if complete := !stale || kind == Stale; o.Queue.Complete != complete {
				t.Errorf("%s at %v: complete is %v", kind, at, o.Queue.Complete)
			}
		})
	}
	cfg := tiny()
	cfg.Duration = 5 * time.Minute
	cfg.Faults = []Fault{
		{Kind: Stale, From: 70 * s, To: 200 * s, Signals: []string{"money"}},
		{Kind: PriceChange, From: 90 * s, To: 200 * s, Factor: 2},
	}
	look(t, cfg, nil, nil, func(at time.Duration, o *policy.Observation) {
		if o.Money.OnDemand[0] != 360_000 {
			t.Errorf("at %v: the stale price is %v", at, o.Money.OnDemand[0])
		}
	})
}
