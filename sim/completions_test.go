package sim

import (
	"slices"
	"testing"
)

// The tree of completions grows while the only job that runs is a long one;
// a job that starts afterwards and is short is done first all the same.
func TestShortJobAfterTheFleetGrew(t *testing.T) {
	cfg := tiny()
	cfg.MaxInstances = 1000
	_, rows := follow(t, cfg, plan{0: launch(1), 60 * s: launch(100)}, do(0, 500*s), do(70*s, 1*s), do(80*s, 1*s))
	wantRuns(t, rows, ran{0, 500 * s}, ran{70 * s, 71 * s}, ran{80 * s, 81 * s})
}

// The tree against a plain list, with jobs due within a second and within ten
// years, and slots added in between.
func TestCompletionsAgainstAList(t *testing.T) {
	var c completions
	c.grow(1)
	due := make([]int64, 5000)
	for i := range due {
		due[i] = never
	}
	draw := newStream(1, "completions")
	now, n := int64(0), 1
	for i := range int64(20_000) {
		for slot, at := range due[:n] {
			if i%500 == 0 && (c.due(int32(slot)) != at || c.runs(int32(slot)) != (at != never)) {
				t.Fatalf("step %d: slot %d is due at %d, want %d", i, slot, c.due(int32(slot)), at)
			}
		}
		if i%1000 == 999 {
			n = min(n*2, len(due))
			c.grow(n)
		}
		slot := int32(draw.UnitAt(3*i) * float64(n))
		spans := [4]float64{1e3, 1e9, 1e14, 3e17}
		if due[slot] == never {
			due[slot] = now + 1 + int64(spans[i%4]*draw.UnitAt(3*i+1))
			c.set(slot, due[slot])
		}
		want := slices.Min(due)
		if got := c.min(); got != want {
			t.Fatalf("step %d: the first is due at %d, want %d", i, got, want)
		}
		if want != never && draw.UnitAt(3*i+2) < 0.4 {
			first := c.first()
			if due[first] != want {
				t.Fatalf("step %d: slot %d is due at %d, want %d", i, first, due[first], want)
			}
			now = want
			if draw.UnitAt(3*i+2) < 0.2 {
				due[first] = now + 1 + int64(spans[i%3]*draw.UnitAt(3*i+1))
				c.again(first, due[first])
				continue
			}
			due[first] = never
			c.clear(first)
		}
	}
}
