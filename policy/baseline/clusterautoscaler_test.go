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

// TestCABackOff: a refusal stops the group for 5 minutes, the next for 10, and
// so on up to 30; 3 hours of peace forget it.
func TestCABackOff(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var m caMemory
	at := start
	for i, want := range []time.Duration{5, 10, 20, 30, 30} {
		at = at.Add(40 * time.Minute)
		s := signals{now: at, refusals: []policy.Refusal{{At: at}}}
		if !m.backOff(&s) || m.Until.Sub(at) != want*time.Minute {
			t.Errorf("refusal %d: left alone for %v, want %v minutes", i+1, m.Until.Sub(at), want)
		}
		s.now = m.Until
		if m.backOff(&s) {
			t.Errorf("refusal %d: still left alone at the end", i+1)
		}
	}
	at = at.Add(4 * time.Hour)
	if s := (signals{now: at, refusals: []policy.Refusal{{At: at}}}); !m.backOff(&s) || m.Until.Sub(at) != 5*time.Minute {
		t.Errorf("after 4 hours of peace: left alone for %v, want 5m", m.Until.Sub(at))
	}
}
