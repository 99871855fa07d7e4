package baseline

import (
	"testing"

	"pgregory.net/rapid"
)

// With hard demand, LCP is DELAYEDOFF: both policies, asked in the same world,
// keep the same fleet at every tick, by default for one boot lag.
func TestHardLCPIsDelayedOff(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		wait := rapid.SampledFrom([]string{"0s", "1m", "5m"}).Draw(rt, "wait") // 0s: the boot lag of two minutes
		lazy := newBench(t, &LCP, map[string]any{"demand_kind": lcpHard, "switch": wait})
		off := newBench(t, &DelayedOff, map[string]any{"t_wait": wait})
		for i, load := range rapid.SliceOfN(rapid.IntRange(0, 60), 1, 50).Draw(rt, "loads") {
			if a, b := lazy.tick(load), off.tick(load); a != b {
				rt.Fatalf("minute %d: lcp keeps %d instances, delayedoff %d", i, a, b)
			}
		}
	})
}

// The dearer a waiting job, the larger the fleet; and the fleet of a steady
// load is that at which one instance more would not pay: by hand, four slots an
// instance, M/M/12 at a load of 10 has 2.25 jobs waiting and M/M/16 has 0.115,
// so the fourth instance pays if a job costs more than 1 ÷ 2.13 of one.
func TestLCPWeighsDelay(t *testing.T) {
	twelve, sixteen := waitingJobs(10, erlangB(10, 12), 12), waitingJobs(10, erlangB(10, 16), 16)
	breakEven := 1 / (twelve - sixteen)
	near(t, "break-even", breakEven, 0.47, 0.01)
	for _, c := range []struct {
		cost float64
		want int
	}{{0.01, 3}, {0.98 * breakEven, 3}, {1.02 * breakEven, 4}, {100, 5}, {10_000, 6}} {
		b := newBench(t, &LCP, map[string]any{"delay_cost": c.cost, "switch": "1m"})
		fleet := 0
		for range 100 { // a gain of a fiftieth a tick has to add up to the switch
			fleet = b.tick(10)
		}
		if fleet != c.want {
			t.Errorf("a job at %.3g instances: %d instances, want %d", c.cost, fleet, c.want)
		}
	}
}

// A burst ends at the same time every day. With a window, LCP foresees from the
// second day on that nothing follows, and does not keep the fleet for what it
// would cost to switch it on again.
func TestLCPForeseesTheEnd(t *testing.T) {
	load := func(minute int) int {
		if m := minute % 1440; m >= 720 && m < 750 {
			return 120
		}
		return 8
	}
	for _, c := range []struct {
		window string
		want   int
	}{{"0s", 30}, {"25m", 2}} {
		b := newBench(t, &LCP, map[string]any{"demand_kind": lcpHard, "switch": "20m", "window": c.window})
		fleet := 0
		for m := range 2*1440 + 755 {
			fleet = b.tick(load(m))
		}
		if fleet != c.want {
			t.Errorf("window %s: %d instances five minutes after the burst, want %d", c.window, fleet, c.want)
		}
	}
}
