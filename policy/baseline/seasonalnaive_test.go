package baseline

import "testing"

// A burst on a Monday evening is provided for a week later, half an hour
// early; the same evening of other days is not.
func TestSeasonalNaive(t *testing.T) {
	const day, burst = 24 * 60, 18*60 + 3
	load := func(minute int) int {
		if minute%(7*day) >= burst && minute%(7*day) < burst+5 {
			return 120
		}
		return 8
	}
	for _, c := range []struct {
		shift string
		early int // minutes
	}{{"30m", 30}, {"0s", 0}, {"1h", 60}} {
		b := newBench(t, &SeasonalNaive, map[string]any{"shift": c.shift})
		fleet := map[int]int{}
		for minute := range 8 * day {
			fleet[minute] = b.tick(load(minute))
		}
		const all = 40 // 120 slots at a utilisation of 0.75
		at := 7*day + burst - c.early
		// the last week is known by five minutes
		if fleet[at+5] != all || fleet[at-6] == all {
			t.Errorf("shift %s: %d instances %d minutes before the burst and %d eleven minutes earlier",
				c.shift, fleet[at+5], c.early-5, fleet[at-6])
		}
		if n := fleet[6*day+burst-1]; n != 3 {
			t.Errorf("shift %s: %d instances on Sunday evening, want 3", c.shift, n)
		}
		if n := fleet[burst-1]; n != 3 {
			t.Errorf("shift %s: %d instances before the first burst, want 3", c.shift, n)
		}
	}
}

// Alone, the forecast knows nothing for a week and keeps what is there; then
// it repeats the week.
func TestSeasonalNaiveAlone(t *testing.T) {
	const week = 7 * 24 * 60
	b := newBench(t, &SeasonalNaive, map[string]any{"reactive": "off"})
	for minute := range week - 1 {
		if n := b.tick(60); n > 0 {
			t.Fatalf("minute %d: %d instances, want none yet", minute, n)
		}
	}
	for range 10 {
		b.tick(0)
	}
	if n := b.tick(0); n != 20 {
		t.Errorf("a week later: %d instances, want 20", n)
	}
}

// A gap in the watching says nothing, and never shows an older week.
func TestSeasonalNaiveGap(t *testing.T) {
	var n naiveState
	const week = int64(naiveCells - 1)
	n.learn(1000, 50)
	n.learn(1000+week+10, 7)
	n.learn(1000+2*week, 9)
	if x, known := n.lastWeek(1000+2*week, 3); !known || x != 0 {
		t.Errorf("a week ago nobody looked: %v, want 0", x)
	}
	if x, _ := n.lastWeek(1000+2*week, 10); x != 7 {
		t.Errorf("fifty minutes later somebody did: %v, want 7", x)
	}
}
