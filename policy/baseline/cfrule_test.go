package baseline

import (
	"testing"
	"time"
)

// TestCFPercent: the formula of its scaling engine, which rounds to the nearest
// and moves by one at least.
func TestCFPercent(t *testing.T) {
	for _, c := range []struct {
		current int
		percent float64
		want    int
	}{
		{10, 10, 11},
		{10, 30, 13},
		{3, 10, 4}, // 3.3 is 3, so one more
		{5, 10, 6}, // 5.5 is rounded up
		{5, 50, 8}, // 7.5 is rounded up
		{10, -10, 9},
		{3, -10, 2}, // 2.7 is 3, so one less
		{5, -50, 3}, // 2.5 is rounded up
		{1, -100, 0},
	} {
		if got := cfPercent(c.current, c.percent); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}

// TestCFWindow: a rule of 120 s with samples of 60 fires only when a sample older
// than its window shows that the window is covered, all within it are beyond the
// threshold, and none is missing.
func TestCFWindow(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	const breach = 2 * time.Minute
	fires := func(values ...float64) bool {
		var m cfMemory
		now := start
		for _, x := range values {
			now = now.Add(time.Minute)
			m.Samples.note(now, x, 2*breach)
		}
		return cfBeyond(m.window(now, breach), func(x float64) bool { return x > 500 })
	}
	for _, c := range []struct {
		values []float64
		want   bool
	}{
		{nil, false},
		{[]float64{600, 650, 620}, false}, // not enough: nothing before the window
		{[]float64{600, 600, 650, 620}, true},
		{[]float64{0, 600, 650, 620}, true}, // what is older only shows that it is covered
		{[]float64{600, 600, 500, 620}, false},
		{[]float64{600, 600, 650, 620, 500}, false},
	} {
		if got := fires(c.values...); got != c.want {
			t.Errorf("%v: fires %v", c.values, got)
		}
	}

	var m cfMemory
	for minute := range 200 {
		m.Samples.note(start.Add(time.Duration(minute)*time.Minute), 1, 2*breach)
	}
	if len(m.Samples) != 5 {
		t.Errorf("%d samples kept, want those of four minutes", len(m.Samples))
	}
	if got := m.window(start.Add(300*time.Minute), breach); got != nil {
		t.Errorf("after a gap: %v, want no sample", got)
	}
}
