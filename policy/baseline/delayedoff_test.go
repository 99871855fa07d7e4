package baseline

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestTrailingHighest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		over := rapid.IntRange(0, 9).Draw(t, "over")
		now := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
		var at []time.Time
		var values []int
		var tr trailing
		for range rapid.IntRange(1, 60).Draw(t, "ticks") {
			now = now.Add(time.Duration(rapid.IntRange(1, 4).Draw(t, "minutes")) * time.Minute)
			v := rapid.IntRange(0, 20).Draw(t, "value")
			at, values = append(at, now), append(values, v)
			want := 0
			for i := range at {
				if now.Sub(at[i]) <= time.Duration(over)*time.Minute {
					want = max(want, values[i])
				}
			}
			if got := tr.highest(now, time.Duration(over)*time.Minute, v); got != want {
				t.Fatalf("%v over %d min: %d, want %d", values, over, got, want)
			}
		}
	})
}

// The fleet falls one boot lag after it was last needed, and at no time before.
func TestDelayedOffWaits(t *testing.T) {
	b := newBench(t, &DelayedOff, nil)
	for range 10 {
		b.tick(40)
	}
	for minute, want := range []int{10, 10, 5} { // the boot lag is two minutes
		if got := b.tick(20); got != want {
			t.Errorf("minute %d after the fall: %d instances, want %d", minute, got, want)
		}
	}
	// AutoScale packs: half as many instances for two jobs a slot
	b = newBench(t, &DelayedOff, map[string]any{"packing": 2.0})
	if got := b.tick(40); got != 5 {
		t.Errorf("two jobs a slot: %d instances, want 5", got)
	}
}

// Where the queue spreads its jobs over all instances, timers of single
// instances never run out, however little there is to do. Timers of levels do.
func TestDelayedOffInstanceTimersNeedPacking(t *testing.T) {
	for _, c := range []struct {
		timer string
		want  int
	}{{timerInstance, 10}, {timerLevel, 3}} {
		b := newBench(t, &DelayedOff, map[string]any{"timer": c.timer})
		for range 5 {
			b.tick(40)
		}
		for range 60 { // ten jobs, one on each instance
			b.spread = true
			b.tick(10)
		}
		if got := len(b.o.Fleet.Instances); got != c.want {
			t.Errorf("timer %s: %d instances, want %d", c.timer, got, c.want)
		}
	}
}
