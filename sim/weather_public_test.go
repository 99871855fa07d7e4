package sim

import (
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Whoever plays EC2 by other means gets the simulator's weather: the boot lags of
// launches, slow ones too, and those that never become workers.
func TestWeatherIsTheSimulators(t *testing.T) {
	cfg := tiny()
	cfg.Boot[""] = BootModel{Model: "lognormal", Median: 95 * s, P99: 230 * s, Max: 300 * s, NeverBoots: 0.1}
	cfg.Faults = []Fault{{Kind: SlowBoot, Factor: 2, From: 90 * s, To: 150 * s}, {Kind: DeadBoot, Probability: 0.3, From: 90 * s, To: 150 * s}}
	cfg.Duration = time.Hour
	var jobs []job
	for range 60 { // each takes the slot of one instance for the whole run
		jobs = append(jobs, do(0, 2*time.Hour))
	}
	res, rows := play(t, cfg, plan{0: launch(20), 60 * s: launch(20), 120 * s: launch(20)}.policy(cfg), jobs...)
	began := map[int64]time.Duration{}
	for _, r := range rows {
		if r.Start >= 0 {
			began[r.Instance] = r.Start
		}
	}
	w := NewWeather(cfg)
	working, slow := 0, 0
	for id := range int64(60) {
		at := time.Duration(id/20) * time.Minute
		w.To(at)
		lag, works := w.Boot(id, 0, "a")
		start, did := began[id]
		if works != did || works && start != at+lag {
			t.Errorf("launch %d at %s: the weather says %s, %t; its job began at %s, %t", id, at, lag, works, start, did)
		}
		if works {
			working++
			if lag > 300*s {
				slow++
			}
		}
	}
	if working != 60-res.Instances.NeverBooted || working > 55 || slow == 0 {
		t.Errorf("%d of 60 work, %d boot slowly, %d never booted", working, slow, res.Instances.NeverBooted)
	}
}

// A bill by itself is the simulator's bill, under both rules, while prices move
// and when EC2 takes the instance back.
func TestBillIsTheSimulators(t *testing.T) {
	for _, rule := range []policy.Billing{policy.Hourly, policy.PerSecond} {
		for _, life := range []time.Duration{s, 59 * time.Minute, time.Hour, 150 * time.Minute, 5 * time.Hour} {
			for _, taken := range []bool{false, true} {
				cfg := tiny()
				cfg.Catalog.Billing = rule
				cfg.Duration = 8 * time.Hour
				cfg.Spot = &SpotMarket{Discount: 0.3, Volatility: 0.2, Revert: time.Hour, Notice: 0}
				end := plan{0: {Launches: []policy.Launch{{Type: 0, Market: policy.Spot, Count: 1}}}}
				if taken {
					cfg.Faults = []Fault{{Kind: Interrupt, From: life, To: life + s}}
				} else {
					life = life.Truncate(time.Minute)
					end[life] = drain(0)
				}
				if life == 0 {
					continue
				}
				figures, _ := follow(t, cfg, end)

				w := NewWeather(cfg)
				b := NewBill(rule, 0, w.Price(0, policy.Spot))
				for {
					next, some := w.NextChange()
					if !some || next > life {
						break
					}
					w.To(next)
					b.Reprice(next, w.Price(0, policy.Spot))
				}
				w.To(life)
				if taken {
					b.Refund(life)
				}
				if got := b.Total(life).Dollars(); !same(got, figures.CostUSD) {
					t.Errorf("%s, %s, taken back %t: bill %v, the simulator's %v", rule.Name, life, taken, got, figures.CostUSD)
				}
			}
		}
	}
}
