package baseline

import (
	"testing"
	"time"
)

// TestSimpleLock: the documentation's example: two instances are launched, and
// until both run and the cooldown of 300 s after that is over nothing else
// happens, whatever the alarm says.
func TestSimpleLock(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	m := simpleMemory{Active: true}
	for minute, c := range []struct{ underway, locked bool }{
		{true, true}, {true, true}, // they boot
		{false, true}, {false, true}, {false, true}, {false, true}, {false, true}, // five minutes
		{false, false}, {false, false},
	} {
		if got := m.locked(start.Add(time.Duration(minute)*time.Minute), c.underway, 5*time.Minute); got != c.locked {
			t.Errorf("minute %d: locked %v", minute, got)
		}
	}
	var none simpleMemory
	if none.locked(start, false, 5*time.Minute) || none.locked(start, true, 5*time.Minute) {
		t.Error("locked before the first adjustment: what boots at the start is no activity of its own")
	}
}

// TestSimpleShares: percentages are rounded as AWS documents for simple and step
// scaling alike: above 1 down, below it to 1.
func TestSimpleShares(t *testing.T) {
	a := adjustments{least: 1}
	for _, c := range []struct {
		group int
		share float64
		want  int
	}{
		{10, 0.1, 1},
		{10, 0.67, 6}, // 6.7
		{10, 0.01, 1}, // 0.1
		{127, 0.1, 12},
		{3, 1, 3},
	} {
		if got := a.change(c.group, c.share); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}
