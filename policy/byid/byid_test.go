package byid

import (
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// A table holds what a map holds, and walks it in order from anywhere.
func TestTableAgainstMap(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, span := range []int64{40, 5000, 1 << 20, math.MaxInt64 - 1} {
		var got Table[*int]
		want := map[int64]*int{}
		check := func() {
			t.Helper()
			if got.Len() != len(want) {
				t.Fatalf("%d jobs, want %d", got.Len(), len(want))
			}
			first := r.Int64N(span) - 1
			var ids []int64
			for id, j := range got.From(first) {
				if want[id] != j {
					t.Fatalf("job %d is another one", id)
				}
				ids = append(ids, id)
			}
			rest := slices.DeleteFunc(slices.Sorted(maps.Keys(want)), func(id int64) bool { return id < first })
			if !slices.Equal(ids, rest) {
				t.Fatalf("from %d: %v, want %v", first, ids, rest)
			}
		}
		for range 20_000 {
			id := 1 + r.Int64N(span)
			if len(want) > 0 && r.IntN(2) == 0 {
				for id = range got.From(id) { // one that is there, mostly
					break
				}
			}
			if r.IntN(2) == 0 {
				j := new(int)
				got.Put(id, j)
				want[id] = j
			} else {
				got.Remove(id)
				delete(want, id)
			}
			if other := r.Int64N(span) - 1; got.At(other) != want[other] || got.At(id) != want[id] {
				t.Fatalf("job %d or %d is another one", other, id)
			}
			if r.IntN(200) == 0 {
				check()
			}
		}
		for id := range want {
			got.Remove(id)
		}
		clear(want)
		check()
		if len(got.blocks) > 0 {
			t.Fatalf("an empty table has %d blocks", len(got.blocks))
		}
	}
}

// Steps of a walk see every job once, and stop where they are told to.
func TestTableSteps(t *testing.T) {
	var all Table[*int]
	const n = 2010
	for id := range int64(n) {
		all.Put(3*id+1, new(int))
	}
	var ids []int64
	steps := 0
	for after, more := int64(0), true; more; steps++ {
		after, more = all.Step(after, 1000, func(id int64, _ *int) bool {
			ids = append(ids, id)
			return true
		})
	}
	if len(ids) != n || !slices.IsSorted(ids) || steps != 3 {
		t.Fatalf("%d jobs in %d steps, want %d in 3", len(ids), steps, n)
	}
	if last, more := all.Step(0, 1000, func(id int64, _ *int) bool { return id < 7 }); last != 7 || more {
		t.Fatalf("it stopped at %d, more %v; want 7, false", last, more)
	}
	if last, more := all.Step(math.MaxInt64, 1000, func(int64, *int) bool { return true }); last != math.MaxInt64 || more {
		t.Fatalf("behind the end: %d, %v", last, more)
	}
}
