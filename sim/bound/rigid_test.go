package bound

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// drawNeeds draws how many instances are needed by step.
func drawNeeds(t *rapid.T, steps, most int) []int {
	n := make([]int, rapid.IntRange(1, steps).Draw(t, "steps"))
	for i := range n {
		n[i] = rapid.IntRange(0, most).Draw(t, "n")
	}
	return n
}

// enough reports whether the stretches give n[t] instances in every step.
func enough(t *rapid.T, n []int, out []stretch) {
	for s, want := range n {
		got := 0
		for _, x := range out {
			if x.from <= s && s < x.to {
				got++
			}
		}
		if got < want {
			t.Fatalf("step %d: %d of %d instances", s, got, want)
		}
	}
}

// TestFillIsCheapest compares with every fleet size in every step.
func TestFillIsCheapest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := drawNeeds(t, 30, 4)
		pause := rapid.IntRange(0, 6).Draw(t, "pause")
		out := fill(n, pause)
		enough(t, n, out)
		got := 0
		for _, x := range out {
			if x.to > x.from {
				got += x.to - x.from + pause
			}
		}
		const most = 5
		best := make([]int, most) // with so many instances in the step before
		for c := 1; c < most; c++ {
			best[c] = math.MaxInt32
		}
		for _, want := range n {
			next := make([]int, most)
			for c := range next {
				next[c] = math.MaxInt32
				for before, cost := range best {
					if c >= want && cost < math.MaxInt32 {
						next[c] = min(next[c], cost+c+pause*max(0, c-before))
					}
				}
			}
			best = next
		}
		want := math.MaxInt
		for _, cost := range best {
			want = min(want, cost)
		}
		if got != want {
			t.Fatalf("fill costs %d, the cheapest is %d", got, want)
		}
	})
}

// TestWindowsAreFewest compares with every number of windows begun in every
// step.
func TestWindowsAreFewest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := drawNeeds(t, 9, 2)
		window := rapid.IntRange(1, 4).Draw(t, "window")
		out := windows(n, window)
		enough(t, n, out)
		got := 0
		for _, x := range out {
			if (x.to-x.from)%window != 0 {
				t.Fatalf("%v is no whole number of windows of %d", x, window)
			}
			got += (x.to - x.from) / window
		}
		begun := make([]int, len(n))
		var try func(s int) int
		try = func(s int) int {
			if s == len(n) {
				return 0
			}
			live := 0
			for from := max(0, s-window+1); from < s; from++ {
				live += begun[from]
			}
			best := math.MaxInt32
			for k := range 3 {
				if live+k >= n[s] {
					begun[s] = k
					best = min(best, k+try(s+1))
				}
			}
			begun[s] = 0
			return best
		}
		if want := try(0); got != want {
			t.Fatalf("%d windows, the fewest are %d", got, want)
		}
	})
}
