package sim

import (
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Whatever begins after a price has moved is charged the new one, and nothing
// else is: windows under hourly bills, seconds under bills by the second, those
// of the first minute too. $ 0.36 an hour are $ 0.0001 a second.
func TestPricesMoveAtTheirInstant(t *testing.T) {
	onDemand, spot := launch(1), policy.Decision{Launches: []policy.Launch{{Market: policy.Spot, Count: 1}}}
	recorded := &SpotMarket{Discount: 0.3, Notice: time.Minute, Series: map[string][]PricePoint{
		// moved within the hour, and back before it ends
		"a": {{0, 36_000}, {20 * time.Minute, 72_000}, {40 * time.Minute, 36_000}},
	}}
	double := func(from, to time.Duration) []Fault {
		return []Fault{{Kind: PriceChange, From: from, To: to, Factor: 2}}
	}
	for _, x := range []struct {
		name     string
		billing  policy.Billing
		launch   policy.Decision
		standing int
		spot     *SpotMarket
		faults   []Fault
		end      time.Duration
		cost     float64
	}{
		{"recorded within the hour, by the second", policy.PerSecond, spot, 0, recorded, nil, time.Hour, 0.048},
		{"recorded within the hour, hourly", policy.Hourly, spot, 0, recorded, nil, time.Hour, 0.036},
		{"half of the first minute", policy.PerSecond, onDemand, 0, nil, double(30*s, time.Hour), time.Hour, 0.003 + 3570*0.0002},
		{"half of the minute that is paid at least", policy.PerSecond, onDemand, 0, nil, double(20*s, 40*s), 40 * s, 0.002 + 20*0.0002 + 0.002},
		{"the second that begins then", policy.PerSecond, onDemand, 0, nil, double(90*s+1, time.Hour), 92 * s, 0.0091 + 0.0002},
		{"from the start, for what stands there", policy.Hourly, policy.Decision{}, 1, nil, double(0, 2*time.Hour), time.Hour, 0.72},
		{"two factors", policy.Hourly, launch(0, 1), 0, nil, append(double(0, time.Hour), double(0, time.Hour)...), time.Hour, 1.44},
	} {
		t.Run(x.name, func(t *testing.T) {
			cfg := tiny()
			cfg.Catalog.Billing, cfg.Duration, cfg.Spot, cfg.Faults = x.billing, x.end, x.spot, x.faults
			if x.standing > 0 {
				cfg.Standing = []Standing{{Count: x.standing}}
			}
			f, _ := follow(t, cfg, plan{0: x.launch})
			if got := policy.MicroUSD(f.CostUSD*1e6 + 0.5); got != policy.MicroUSD(x.cost*1e6+0.5) || f.Judged.CostUSD != f.CostUSD {
				t.Errorf("cost $ %v, judged $ %v, want $ %v", f.CostUSD, f.Judged.CostUSD, x.cost)
			}
		})
	}
}

// Spot instances are taken back when on-demand becomes cheaper, not at the next
// full hour, also those that stand there from the start.
func TestOnDemandBelowSpotTakesBack(t *testing.T) {
	cfg := tiny()
	cfg.Duration = time.Hour
	cfg.Spot = &SpotMarket{Notice: time.Minute, Series: map[string][]PricePoint{"a": {{0, 100_000}}, "b": {{0, 400_000}}}}
	cfg.Standing = []Standing{{Type: 0, Count: 1, Market: policy.Spot}, {Type: 1, Count: 1, Market: policy.Spot}}
	cfg.Faults = []Fault{{Kind: PriceChange, From: 10 * time.Minute, To: 30 * time.Minute, Factor: 0.2}}
	var alive []int
	decide := acts(func(o *policy.Observation) policy.Decision {
		alive = append(alive, len(o.Fleet.Instances))
		return policy.Decision{}
	})
	f, _ := play(t, cfg, decide)
	if f.Instances.Interrupted != 2 || alive[0] != 2 || alive[2] != 1 || alive[9] != 1 || alive[12] != 0 {
		t.Errorf("%d interrupted, alive at the ticks: %v", f.Instances.Interrupted, alive[:15])
	}
}

// The weather tells those who play EC2 of every price that is recorded.
func TestWeatherNamesEveryRecordedPrice(t *testing.T) {
	cfg := tiny()
	cfg.Spot = &SpotMarket{Discount: 0.3, Series: map[string][]PricePoint{"a": {{0, 1000}, {20 * time.Minute, 2000}, {20 * time.Minute, 3000}, {90 * time.Minute, 4000}}}}
	w := NewWeather(cfg)
	var prices []policy.MicroUSD
	for range 4 {
		at, ok := w.NextChange()
		if !ok {
			t.Fatal("prices never move")
		}
		w.To(at)
		prices = append(prices, policy.MicroUSD(at/time.Minute), w.Price(0, policy.Spot))
	}
	want := []policy.MicroUSD{20, 3000, 60, 3000, 90, 4000, 120, 4000}
	for i := range want {
		if prices[i] != want[i] {
			t.Fatalf("minute and price: %v, want %v", prices, want)
		}
	}
}
