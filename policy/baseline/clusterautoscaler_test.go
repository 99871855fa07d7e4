package baseline

import (
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// TestCANodes: pods fill what is free and upcoming first.
func TestCANodes(t *testing.T) {
	for _, c := range []struct {
		pods, free, perNode float64
		want                int
	}{
		{100, 0, 8, 13}, {100, 104, 8, 0}, {100, 96, 8, 1}, {0, 0, 8, 0},
	} {
		if got := caNodes(c.pods, c.free, c.perNode); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}

// TestCABackOff: a refusal stops a group for 5 minutes, the next for 10, and so
// on up to 30, those of one time but once; 3 hours of peace forget it.
func TestCABackOff(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var m caMemory
	at := start
	for i, want := range []time.Duration{5, 10, 20, 30, 30} {
		at = at.Add(40 * time.Minute)
		s := signals{now: at, types: []int{0}, refusals: []policy.Refusal{{At: at}, {At: at}}}
		if got := m.backOff(&s); got != want*time.Minute {
			t.Errorf("refusal %d: left alone for %v, want %v minutes", i+1, got, want)
		}
		s.now = at.Add(want * time.Minute)
		if got := m.backOff(&s); got != 0 {
			t.Errorf("refusal %d: left alone for another %v at the end", i+1, got)
		}
	}
	at = at.Add(4 * time.Hour)
	s := signals{now: at, types: []int{0}, refusals: []policy.Refusal{{At: at}}}
	if got := m.backOff(&s); got != 5*time.Minute {
		t.Errorf("after 4 hours of peace: left alone for %v, want 5m", got)
	}
	s.now = at.Add(time.Minute)
	s.refusals = append(s.refusals, policy.Refusal{At: s.now})
	if got := m.backOff(&s); got != 5*time.Minute {
		t.Errorf("refused while it is left alone: %v more, want 5m and not the double", got)
	}
	s.refusals = append(s.refusals, policy.Refusal{At: s.now.Add(5 * time.Minute)})
	s.now = s.now.Add(5 * time.Minute)
	if got := m.backOff(&s); got != 10*time.Minute {
		t.Errorf("refused as soon as it tries again: left alone for %v, want 10m", got)
	}
}

// A type that EC2 refuses stops its own group, and no other that may be bought in
// its place.
func TestCABackOffIsByType(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var m caMemory
	s := signals{now: now, types: []int{4, 3}, refusals: []policy.Refusal{{Type: 4, At: now}}}
	if got := m.backOff(&s); got != 0 {
		t.Errorf("one of two types is refused: left alone for %v", got)
	}
	s.now = now.Add(2 * time.Minute)
	s.refusals = append(s.refusals, policy.Refusal{Type: 3, At: s.now})
	if got := m.backOff(&s); got != 3*time.Minute {
		t.Errorf("both are: left alone for %v, want the 3m that are left of the first", got)
	}
}
