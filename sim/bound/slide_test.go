package bound

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestSlidingMinima compares with looking at every window.
func TestSlidingMinima(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.SliceOfN(rapid.Float64Range(0, 9), 1, 40).Draw(t, "v")
		width := rapid.IntRange(0, 12).Draw(t, "width")
		last := make([]int32, len(v))
		for i := range last {
			last[i] = int32(rapid.IntRange(i, len(v)-1).Draw(t, "last"))
			if i > 0 {
				last[i] = max(last[i], last[i-1])
			}
		}
		var s slider
		fixed, until := make([]float64, len(v)), make([]float64, len(v))
		s.fixed(v, width, fixed)
		s.until(v, last, until)
		for i := range v {
			if want := slices.Min(v[i:min(i+width+1, len(v))]); fixed[i] != want {
				t.Fatalf("fixed %d: %v, want %v", i, fixed[i], want)
			}
			if want := slices.Min(v[i : last[i]+1]); until[i] != want {
				t.Fatalf("until %d: %v, want %v", i, until[i], want)
			}
		}
	})
}

// TestBudget: as many may be late as the verdict lets pass, and not one more.
func TestBudget(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Int64Range(1, 1_000_000).Draw(t, "n")
		attain := rapid.Float64Range(0, 1).Draw(t, "attain")
		late := budget(n, attain)
		if float64(n-late)/float64(n) < attain {
			t.Fatalf("%d of %d late breaks %v", late, n, attain)
		}
		if late < n && float64(n-late-1)/float64(n) >= attain {
			t.Fatalf("%d of %d late, one more keeps %v", late, n, attain)
		}
	})
}

// drawPlayed returns a model of a drawn world that was played, and how many steps
// it has; nil and 0 where there is nothing to bound.
func drawPlayed(t *rapid.T) (m *model, steps int) {
	s := drawSmall(t)
	w, err := newWorld(&s.cfg)
	if err != nil {
		t.Fatal(err)
	}
	g, err := w.read(t.Context(), s.open, Options{})
	if isNothing(err) {
		return nil, 0
	}
	if err != nil {
		t.Fatal(err)
	}
	m = newModel(w, g)
	for i := range m.cap {
		m.cap[i] = float64(rapid.IntRange(0, 3).Draw(t, "slots") * (i / 20 % 2))
	}
	m.play()
	return m, g.steps
}

// TestModelForgetsNothing: a change played on its own comes to what playing
// everything again comes to.
func TestModelForgetsNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m, steps := drawPlayed(t)
		if m == nil {
			return
		}
		for range 4 {
			from := rapid.Float64Range(0, float64(steps)).Draw(t, "from")
			x := span{from, from + rapid.Float64Range(0, 60).Draw(t, "for"), float64(rapid.IntRange(0, 3).Draw(t, "more"))}
			m.try([]span{x}, true, nil)
		}
		got := slices.Clone(m.late)
		m.play()
		for k, want := range m.late {
			if d := got[k] - want; d > 1e-6*(1+want) || d < -1e-6*(1+want) {
				t.Fatalf("class %d: %v late, played again %v", k, got[k], want)
			}
		}
	})
}

// TestJoinedStepsKeepEverything: a grid that had to join steps while it was read
// holds the same jobs, in order, each in the step that holds its arrival.
func TestJoinedStepsKeepEverything(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := drawSmall(t)
		w, err := newWorld(&s.cfg)
		if err != nil {
			t.Fatal(err)
		}
		w.stepsMax = rapid.IntRange(3, 40).Draw(t, "most")
		g, err := w.read(t.Context(), s.open, Options{})
		if isNothing(err) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		want := map[int32]int64{}
		last := int32(0)
		for _, at := range s.jobs.Arrival {
			if at >= g.from && at <= w.end {
				want[int32((at-g.from)/g.step)]++
			}
		}
		for _, c := range g.cells {
			want[c.step] -= c.n
			if c.step < last {
				t.Fatalf("step %d after %d", c.step, last)
			}
			last = c.step
		}
		for step, n := range want {
			if n != 0 {
				t.Fatalf("step %d: %d jobs missing", step, n)
			}
		}
		if g.step*int64(g.judge)+g.from != w.judge && w.judge >= g.from+g.step*64 {
			t.Fatalf("judging begins at %d, not in step %d of %d from %d", w.judge, g.judge, g.step, g.from)
		}
	})
}
