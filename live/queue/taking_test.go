package queue

import (
	"errors"
	"math"
	"runtime/debug"
	"testing"

	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// What is handed over is taken in order, all of it; the first error stops the
// reader and is what is told.
func TestTaking(t *testing.T) {
	bad := errors.New("bad")
	for _, c := range []struct{ jobs, failAt int64 }{
		{0, 0}, {1, 0}, {takingChunk, 0}, {takingChunk + 1, 0}, {20*takingChunks*takingChunk + 7, 0}, {5, 3}, {3 * takingChunk, 1}, {1 << 40, 100_000},
	} {
		var next int64 = 1
		taking := newTaking(func(j *Job) error {
			if j.ID == c.failAt {
				return bad
			}
			if j.ID != next {
				t.Errorf("job %d comes where %d should", j.ID, next)
			}
			next++
			return nil
		})
		var err error
		for id := int64(1); id <= c.jobs && err == nil; id++ {
			err = taking.add(&Job{Stored: dispatch.Stored{ID: id}})
		}
		switch end := taking.end(); {
		case c.failAt == 0 && (err != nil || end != nil || next != c.jobs+1):
			t.Fatalf("%+v: %v, %v, %d taken", c, err, end, next-1)
		case c.failAt > 0 && (end != bad || err != nil && err != bad || next != c.failAt):
			t.Fatalf("%+v: %v, %v, %d taken", c, err, end, next-1)
		}
	}
}

// The collector is as it was once nobody loads any longer, and is never made
// to work more.
func TestEaseCollector(t *testing.T) {
	before := debug.SetGCPercent(100)
	defer debug.SetGCPercent(before)
	now := func() int {
		p := debug.SetGCPercent(100)
		debug.SetGCPercent(p)
		return p
	}
	for _, c := range []struct{ set, during int }{{100, loadGCPercent}, {-1, -1}, {math.MaxInt32, math.MaxInt32}} {
		debug.SetGCPercent(c.set)
		first, second := easeCollector(), easeCollector()
		if p := now(); p != c.during {
			t.Errorf("%d while loading, want %d", p, c.during)
		}
		first()
		if p := now(); p != c.during {
			t.Errorf("%d while the second one loads, want %d", p, c.during)
		}
		second()
		if p := now(); p != c.set {
			t.Errorf("%d after loading, want %d", p, c.set)
		}
	}
}
