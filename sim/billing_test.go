package sim

import (
	"fmt"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Instance-years beyond 292 do not overflow: 400 instances for a year.
func TestLongAndLarge(t *testing.T) {
	const year = 365 * 24 * time.Hour
	cfg := tiny()
	cfg.MaxInstances, cfg.Tick, cfg.Duration = 400, 30*24*time.Hour, year
	f, _ := follow(t, cfg, plan{0: launch(400)})
	if !same(f.Instances.Mean, 400) {
		t.Errorf("a mean of %v instances, want 400", f.Instances.Mean)
	}
	if f.HoursPaid != 400*8760 {
		t.Errorf("paid %v instance hours, want %v", f.HoursPaid, 400*8760)
	}
}

// What EC2 takes back within a window is not charged for that window, also
// when the price has moved meanwhile; within the first hour by the second,
// nothing is.
func TestRefundAfterAPriceMoved(t *testing.T) {
	spot := policy.Decision{Launches: []policy.Launch{{Market: policy.Spot, Count: 1}}}
	for _, x := range []struct {
		name         string
		billing      policy.Billing
		launch, gone time.Duration
		cost, hours  float64
	}{
		// price 0.10 in the first hour of the run, 0.20 in the second, 0.30 in the third
		{"first window, price moved in it", policy.Hourly, 10 * time.Minute, 65 * time.Minute, 0, 0},
		{"second window, price moved in it", policy.Hourly, 10 * time.Minute, 125 * time.Minute, 0.10, 1},
		{"second window, before the price moved", policy.Hourly, 10 * time.Minute, 100 * time.Minute, 0.10, 1},
		{"first hour by the second", policy.PerSecond, 10 * time.Minute, 65 * time.Minute, 0, 0},
	} {
		t.Run(x.name, func(t *testing.T) {
			cfg := tiny()
			cfg.Duration = 3 * time.Hour
			cfg.Catalog.Billing = x.billing
			cfg.Spot = &SpotMarket{Discount: 0.3, Notice: time.Minute, Series: map[string][]PricePoint{
				"a": {{0, 100_000}, {time.Hour, 200_000}, {2 * time.Hour, 300_000}},
			}}
			cfg.Faults = []Fault{{Kind: Interrupt, From: x.gone - time.Minute, To: x.gone}}
			f, _ := follow(t, cfg, plan{x.launch: spot})
			if f.CostUSD != x.cost || f.Judged.CostUSD != x.cost || f.HoursPaid != x.hours || f.Instances.Interrupted != 1 {
				t.Errorf("cost $ %v, judged $ %v, %v hours, %d interrupted; want $ %v and %v hours", f.CostUSD, f.Judged.CostUSD, f.HoursPaid, f.Instances.Interrupted, x.cost, x.hours)
			}
		})
	}
}

// Where spot costs more than on-demand, nobody gets any.
func TestSpotAboveOnDemandIsNotSold(t *testing.T) {
	cfg := tiny()
	cfg.Duration = 2 * time.Hour
	cfg.Spot = &SpotMarket{Discount: 0.3, Series: map[string][]PricePoint{"a": {{0, 400_000}}}}
	f, _ := follow(t, cfg, plan{60 * s: {Launches: []policy.Launch{{Market: policy.Spot, Count: 1}}}})
	if f.Instances.Launched != 0 || f.Instances.Refused != 1 {
		t.Errorf("%d launched, %d refused; want the launch refused", f.Instances.Launched, f.Instances.Refused)
	}
}

// Paid time of an instance that crashed is gone, not slack.
func TestCrashedTimeIsGone(t *testing.T) {
	cfg := tiny()
	cfg.Duration = time.Hour
	cfg.Faults = []Fault{{Kind: Crash, From: 15 * time.Minute}}
	f, _ := follow(t, cfg, plan{0: launch(1)})
	if !same(f.Paid.Gone, 0.75) || !same(f.Paid.Slack, 0.25) {
		t.Errorf("%+v, want three quarters gone", f.Paid)
	}
}

// Hourly, every started hour is paid whole; per second, seconds rounded up,
// sixty at least. An instance that ends exactly with a window owes no new one.
func TestBill(t *testing.T) {
	for _, x := range []struct {
		billing    policy.Billing
		life, paid time.Duration
	}{
		{policy.Hourly, 10 * s, time.Hour},
		{policy.Hourly, 3600 * s, time.Hour},
		{policy.Hourly, 3600*s + 1, 2 * time.Hour},
		{policy.Hourly, 3601 * s, 2 * time.Hour},
		{policy.Hourly, 7200 * s, 2 * time.Hour},
		{policy.PerSecond, 10 * s, 60 * s},
		{policy.PerSecond, 60 * s, 60 * s},
		{policy.PerSecond, 60*s + 1, 61 * s},
		{policy.PerSecond, 61 * s, 61 * s},
		{policy.PerSecond, 61*s + 1, 62 * s},
	} {
		for _, ends := range []bool{true, false} { // drained as its job is done, or alive at the end
			t.Run(fmt.Sprint(x.billing.Name, " ", x.life, " ends ", ends), func(t *testing.T) {
				cfg := tiny()
				cfg.Tick = 10 * s
				cfg.Catalog.Billing = x.billing
				p := plan{0: launch(1)}
				service := x.life
				if ends && x.life%cfg.Tick == 0 {
					p[x.life] = drain(0) // idle by then
				} else if ends {
					p[x.life/cfg.Tick*cfg.Tick] = drain(0)
				}
				cfg.Duration = x.life
				if ends {
					cfg.Duration = 3 * time.Hour
				}
				f, _ := follow(t, cfg, p, do(0, service))
				if want := map[bool]int{true: 1}[ends]; f.Instances.Terminated != want {
					t.Fatalf("%d terminated, want %d", f.Instances.Terminated, want)
				}
				wantCost(t, f, x.paid.Hours())
			})
		}
	}
}

// Terminated while it boots, an instance is paid all the same.
func TestTerminatedWhileBooting(t *testing.T) {
	for _, x := range []struct {
		billing policy.Billing
		paid    time.Duration
	}{{policy.Hourly, time.Hour}, {policy.PerSecond, 120 * s}} {
		cfg := tiny()
		cfg.Catalog.Billing = x.billing
		cfg.Boot[""] = BootModel{Model: "fixed", Value: 150 * s}
		cfg.Duration = 300 * s
		f, rows := follow(t, cfg, plan{0: launch(1), 120 * s: drain(0)}, do(130*s, 1*s))
		wantRuns(t, rows, ran{-1, -1})
		wantCost(t, f, x.paid.Hours())
		if f.Instances.Terminated != 1 || f.ReadyCoreS != 0 {
			t.Errorf("%s: %d terminated, %v core-seconds ready; want 1 and none", x.billing.Name, f.Instances.Terminated, f.ReadyCoreS)
		}
	}
}

// The judged cost is that of windows, or seconds, that begin in the judged
// time.
func TestJudgedCost(t *testing.T) {
	for _, x := range []struct {
		billing        policy.Billing
		from, duration time.Duration
		judged         time.Duration
	}{
		{policy.Hourly, 0, 150 * time.Minute, 3 * time.Hour},
		{policy.Hourly, time.Hour, 150 * time.Minute, 2 * time.Hour},
		{policy.Hourly, time.Hour + 1, 150 * time.Minute, time.Hour},
		{policy.Hourly, 121 * time.Minute, 150 * time.Minute, 0},
		{policy.PerSecond, 100 * s, 150 * s, 50 * s},
		{policy.PerSecond, 100*s + 1, 150 * s, 49 * s},
		{policy.PerSecond, 149*s + 1, 150 * s, 0},
		{policy.PerSecond, 25 * s, 30 * s, 35 * s}, // of the sixty at least
	} {
		cfg := tiny()
		cfg.Catalog.Billing, cfg.JudgeFrom, cfg.Duration = x.billing, x.from, x.duration
		f, _ := follow(t, cfg, plan{0: launch(1)})
		want := policy.MicroUSD(x.judged / s * 100).Dollars()
		if f.Judged.CostUSD != want || f.Judged.FromS != x.from.Seconds() {
			t.Errorf("%s, judged from %v to %v: $ %v, want %v", x.billing.Name, x.from, x.duration, f.Judged.CostUSD, want)
		}
	}
}
