package baseline

import (
	"testing"
	"time"
)

// TestAzureFormula: the documentation's formula, by its branches.
func TestAzureFormula(t *testing.T) {
	for _, c := range []struct {
		last, mean, share, perNode float64
		current, want              int
	}{
		{10, 40, 0.5, 1, 3, 10}, // too few samples: the last one
		{10, 40, 0.7, 1, 3, 40}, // the mean is higher
		{50, 40, 1, 1, 3, 50},   // the last one is
		{50, 40, 1, 8, 3, 7},
		{0, 0, 1, 1, 8, 4}, // no task: half
		{0, 0, 0.1, 1, 1, 0},
		{0, 0.2, 1, 1, 8, 1}, // there was one of late
	} {
		if got := azureNodes(azureTasks(c.last, c.mean, c.share, 0.7), c.perNode, c.current); got != c.want {
			t.Errorf("%+v: got %d", c, got)
		}
	}
}

// TestAzureSamples: the mean of a quarter of an hour, and how much of it is known.
func TestAzureSamples(t *testing.T) {
	var m azureMemory
	s := &signals{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), tick: time.Minute}
	for minute := range 40 {
		mean, share := m.sample(s, float64(minute), 15*time.Minute)
		wantMean, wantShare := float64(minute)/2, float64(minute+1)/15
		if minute >= 14 {
			wantMean, wantShare = float64(minute)-7, 1
		}
		if mean != wantMean || share != wantShare {
			t.Fatalf("minute %d: mean %v of a share of %v, want %v of %v", minute, mean, share, wantMean, wantShare)
		}
		s.now = s.now.Add(time.Minute)
	}
	s.now = s.now.Add(time.Hour)
	if mean, share := m.sample(s, 9, 15*time.Minute); mean != 9 || share != 1./15 {
		t.Errorf("after a gap: mean %v of a share of %v, want the one sample", mean, share)
	}
}

// A pool that keeps up has no task waiting and is halved at its work; counting what
// runs repairs it.
func TestAzureHalvesABusyPool(t *testing.T) {
	after := func(raw map[string]any) int {
		b := newBench(t, &AzureBatch, raw)
		b.o.Queue.Kinds[0].Pending.Jobs = 40
		n := b.tick(0)
		if n != 10 {
			t.Errorf("%v: %d instances for 40 tasks, want 10", raw, n)
		}
		b.o.Queue.Kinds[0].Pending.Jobs = 0
		for range 45 {
			n = b.tick(40)
		}
		return n
	}
	if n := after(nil); n > 3 {
		t.Errorf("%d instances run 40 tasks, want the halved pool of the original", n)
	}
	if n := after(map[string]any{"count": "waiting+running"}); n != 10 {
		t.Errorf("%d instances run 40 tasks, want 10", n)
	}
}
