package sim

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"
)

// The ring hands out slots in the order of a sorted list, whatever is taken
// out of its middle or put back.
func TestIdleListAgainstASortedList(t *testing.T) {
	for seed := range uint64(200) {
		r := rand.New(rand.NewPCG(seed, 5))
		const n = 40
		var l idleList
		l.grow(n)
		var want []int32
		listed := map[int32]bool{}
		since := make([]int64, n)
		now := int64(0)
		for range 600 {
			now += r.Int64N(3)
			s := int32(r.IntN(n))
			switch {
			case !listed[s] && r.IntN(3) > 0:
				since[s] = now
				if r.IntN(8) == 0 { // put back by an undrain, idle for a while
					since[s] = r.Int64N(now + 1)
				}
				l.add(s, int64(s/8), since[s])
				want = append(want, s)
				slices.SortFunc(want, func(a, b int32) int {
					if since[a] != since[b] {
						return int(since[a] - since[b])
					}
					return int(a - b)
				})
				listed[s] = true
			case listed[s]:
				l.remove(s)
				want = slices.DeleteFunc(want, func(x int32) bool { return x == s })
				delete(listed, s)
			case len(want) > 0:
				if got := l.take(); got != want[0] {
					t.Fatalf("seed %d: took slot %d, want %d of %v", seed, got, want[0], want)
				}
				delete(listed, want[0])
				want = want[1:]
			}
			if l.n != len(want) {
				t.Fatalf("seed %d: %d listed, want %d", seed, l.n, len(want))
			}
		}
	}
}

// Slots put back together stand as if each had been put in by its place.
func TestAddAllAgainstASortedList(t *testing.T) {
	const slots = 200
	for seed := range uint64(40) {
		r := rand.New(rand.NewPCG(seed, 2))
		var l idleList
		l.grow(slots)
		var listed, out []int32
		for s := range int32(slots) {
			out = append(out, s)
			l.node[s].owner = r.Int64N(20)
		}
		for now := range int64(300) {
			var some []int32
			for range r.IntN(1 + min(len(out), 30)) {
				i := r.IntN(len(out))
				s := out[i]
				out = slices.Delete(out, i, i+1)
				listed = append(listed, s)
				if now == 0 || r.IntN(3) == 0 {
					l.add(s, l.node[s].owner, now)
				} else {
					some = append(some, s)
				}
			}
			l.addAll(some)
			slices.SortFunc(listed, func(a, b int32) int {
				return cmp.Or(cmp.Compare(l.node[a].since, l.node[b].since), cmp.Compare(l.node[a].owner, l.node[b].owner), cmp.Compare(a, b))
			})
			for range r.IntN(1 + min(len(listed), 30)) {
				i := 0
				if r.IntN(2) == 0 {
					if got := l.take(); got != listed[0] {
						t.Fatalf("seed %d, at %d: took %d, want %d", seed, now, got, listed[0])
					}
				} else {
					i = r.IntN(len(listed))
					l.remove(listed[i])
				}
				out = append(out, listed[i])
				listed = slices.Delete(listed, i, i+1)
			}
			if l.n != len(listed) {
				t.Fatalf("seed %d, at %d: %d listed, want %d", seed, now, l.n, len(listed))
			}
		}
	}
}
