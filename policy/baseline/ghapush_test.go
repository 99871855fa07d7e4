package baseline

import (
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// TestGHACreate: as many runners as messages, within the maximum less what there
// is; the rest is dropped.
func TestGHACreate(t *testing.T) {
	for _, c := range []struct{ messages, most, current, create, dropped int }{
		{1, 3, 0, 1, 0},
		{10, 3, 0, 3, 7},
		{2, 3, 2, 1, 1},
		{2, 3, 3, 0, 2},
		{2, 3, 5, 0, 2}, // max was lowered
		{0, 3, 1, 0, 0},
	} {
		if create, dropped := ghaCreate(c.messages, c.most, c.current); create != c.create || dropped != c.dropped {
			t.Errorf("%+v: creates %d, drops %d", c, create, dropped)
		}
	}
}

// ghaBench is a group whose jobs wait as the test says.
func ghaBench(t *testing.T, raw map[string]any) *bench {
	b := newBench(t, &GHAPush, raw)
	b.tick(0)
	return b
}

// wait has so many jobs wait for so long.
func (b *bench) wait(jobs int64, age time.Duration) {
	k := &b.o.Queue.Kinds[0]
	k.Pending, k.PendingByAge = policy.Flow{Jobs: jobs, Work: policy.CoreSeconds(10 * jobs)}, nil
	if jobs > 0 {
		k.PendingByAge = []policy.AgeCount{{Age: age, Jobs: jobs}}
	}
}

// A job is asked for once, when its wait passes the delay; a job that a free slot
// took by then is not.
func TestGHAAsksOnce(t *testing.T) {
	b := ghaBench(t, nil)
	b.wait(8, 20*time.Second)
	if n := b.tick(0); n != 0 {
		t.Errorf("%d instances before the delay, want none", n)
	}
	b.wait(8, 80*time.Second)
	if n := b.tick(0); n != 2 {
		t.Errorf("%d instances of 4 slots for 8 jobs, want 2", n)
	}
	for age := 140 * time.Second; age < 6*time.Minute; age += time.Minute {
		b.wait(8, age)
		if n := b.tick(0); n != 2 {
			t.Errorf("%d instances after %v, want 2: nobody asks again", n, age)
		}
	}
}

// What EC2 refuses comes back where the module knows the error; otherwise its
// jobs wait for ever, unless they are told of again.
func TestGHARefused(t *testing.T) {
	launched := func(raw map[string]any) (minutes []int) {
		b := ghaBench(t, raw)
		for minute := range 12 {
			b.wait(4, time.Duration(minute)*time.Minute)
			b.decide(0)
			if n := len(b.o.Fleet.Instances); n > 0 {
				minutes = append(minutes, minute)
			}
			b.o.Fleet.Instances = nil // refused
		}
		return minutes
	}
	if got := launched(nil); len(got) != 11 {
		t.Errorf("retried: asked in minutes %v, want all from 1 on", got)
	}
	if got := launched(map[string]any{"refused": "lost"}); len(got) != 1 {
		t.Errorf("lost: asked in minutes %v, want once", got)
	}
	if got := launched(map[string]any{"refused": "lost", "retry": "on"}); len(got) != 2 || got[1] != 6 {
		t.Errorf("lost and told of again: asked in minutes %v, want in 1 and 6", got)
	}
}

// Without the check an idle runner that takes a job does not spare another one.
func TestGHAIdleExtras(t *testing.T) {
	fleet := func(raw map[string]any) (most int) {
		b := ghaBench(t, raw)
		for range 10 {
			most = max(most, b.tick(2)) // jobs come, none ever waits
		}
		return most
	}
	if n := fleet(nil); n != 0 {
		t.Errorf("with the check: %d instances, want none", n)
	}
	if n := fleet(map[string]any{"check": "off"}); n < 3 {
		t.Errorf("without: %d instances for two jobs at a time, want many", n)
	}
}

// The pool is filled up to its size, and passes leave idle_count alone.
func TestGHAPool(t *testing.T) {
	b := ghaBench(t, map[string]any{"pool_size": 12, "idle_count": 12})
	for range 30 {
		b.tick(0)
	}
	if n := len(b.o.Fleet.Instances); n != 3 {
		t.Errorf("%d instances, want 3 for 12 idle runners", n)
	}
	b = ghaBench(t, map[string]any{"pool_size": 12})
	least := 3
	for range 30 {
		least = min(least, b.tick(0))
	}
	if least != 0 {
		t.Errorf("%d instances at the least: a pass ends what it may not keep", least)
	}
}
