package baseline

import (
	"testing"
	"time"
)

// TestHPAQueue: the vectors of AverageValue, with its tolerance of 10 %.
func TestHPAQueue(t *testing.T) {
	for _, c := range []struct {
		q, target     float64
		current, want int
	}{
		{1500, 100, 10, 15},
		{105, 10, 10, 10},
		{111, 10, 10, 12},
		{0, 10, 10, 0},
		{7, 10, 0, 1},
	} {
		if got := hpaQueue(c.q, c.target, c.current, 0.1); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}

// TestHPALoad: unready replicas count as idle on the way up and not on the way
// down, missing ones as idle on the way up and fully used on the way down, and a
// change that they turn round is dropped. The target is a load of 0.8, so a full
// replica is 1.25 of it.
func TestHPALoad(t *testing.T) {
	for _, c := range []struct {
		ratio                                  float64
		ready, unready, missing, current, want int
	}{
		{1.5, 10, 0, 0, 10, 15},
		{1.05, 10, 0, 0, 10, 10},
		{0.5, 10, 0, 0, 10, 5},
		{0.5, 10, 5, 0, 15, 5},
		{2.0, 10, 5, 0, 15, 20},
		{1.2, 10, 5, 0, 15, 15}, // 12 of 15: would go down, so it stays
		{2.0, 0, 5, 0, 5, 5},    // nothing reports
		{0.5, 8, 0, 4, 12, 9},   // 4 and 5 of 12
		{0.5, 2, 0, 8, 10, 10},  // 1 and 10 of 10: would go up, so it stays
		{0.85, 8, 0, 2, 10, 10}, // 9.3 of 10: within the tolerance
		{2.0, 8, 0, 4, 12, 16},
		{1.2, 8, 1, 1, 10, 10},
	} {
		if got := hpaLoad(c.ratio, 1.25, c.ready, c.unready, c.missing, c.current, 0.1); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}

// TestHPALoadAtTheTolerance: a ratio of 0.9 or 1.1 as it is read lies within the
// tolerance or beyond it, however many replicas there are.
func TestHPALoadAtTheTolerance(t *testing.T) {
	for n := 1; n < 300; n++ {
		if got := hpaLoad(0.9, 1.25, n, 0, 0, n, 0.1); got != n {
			t.Errorf("0.9 of the target of %d replicas: got %d", n, got)
		}
		if got, want := hpaLoad(1.1, 1.25, n, 0, 0, n, 0.1), ceil(1.1*float64(n)); got != want { // 1.1 − 1 is a hair above 0.1
			t.Errorf("1.1 of the target of %d replicas: got %d, want %d", n, got, want)
		}
	}
}

// TestHPARate: twice the size or 4 more in each period.
func TestHPARate(t *testing.T) {
	for _, c := range []struct{ current, periods, want int }{
		{0, 1, 4}, {1, 1, 5}, {10, 1, 20}, {16, 4, 256}, {1, 1000, beyond},
	} {
		if got := hpaRate(c.current, c.periods); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}

// TestHPAStable: down only to the highest wish of the window, up at once.
func TestHPAStable(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var m hpaMemory
	for minute, c := range []struct{ want, current, stable int }{
		{10, 5, 10},
		{3, 10, 10},
		{7, 10, 10},
		{2, 10, 10},
		{2, 10, 10},
		{2, 10, 10},
		{2, 10, 7}, // the 10 is older than 5 minutes; the 3 is too, the 7 is not
		{2, 7, 7},
		{2, 7, 2},
		{20, 2, 20},
	} {
		if got := m.stable(start.Add(time.Duration(minute)*time.Minute), c.want, c.current, 5*time.Minute); got != c.stable {
			t.Errorf("minute %d: got %d, want %d", minute, got, c.stable)
		}
	}
	if len(m.Wishes.Peaks) > 6 {
		t.Errorf("%d wishes remembered", len(m.Wishes.Peaks))
	}
}
