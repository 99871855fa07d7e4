package stats

import (
	"math"
	"math/rand/v2"
	"testing"

	"pgregory.net/rapid"
)

// TestPaired holds the properties of Paired.
func TestPaired(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 12).Draw(t, "n")
		// thousandths: what a shift takes of smaller differences is rounding
		number := rapid.Map(rapid.IntRange(-1e6, 1e6), func(n int) float64 { return float64(n) / 1000 })
		before, after, same := make([]float64, n), make([]float64, n), make([]float64, n)
		shift := number.Draw(t, "shift")
		movedBefore, movedAfter := make([]float64, n), make([]float64, n)
		for i := range n {
			before[i], after[i] = number.Draw(t, "before"), number.Draw(t, "after")
			same[i] = before[i]
			movedBefore[i], movedAfter[i] = before[i]+shift, after[i]+shift
		}
		near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-6*math.Max(1, math.Abs(a)) }
		e, back, moved := Paired(before, after), Paired(after, before), Paired(movedBefore, movedAfter)
		if !near(e.Value, -back.Value) || !near(e.P, back.P) || !near(e.Lo, -back.Hi) {
			t.Fatalf("exchanged: %+v and %+v", e, back)
		}
		if !near(e.Value, moved.Value) || math.Abs(e.P-moved.P) > 1e-4 {
			t.Fatalf("moved: %+v and %+v", e, moved)
		}
		if (e.P < 0.05) != (e.Lo > 0 || e.Hi < 0) {
			t.Fatalf("P and the interval disagree: %+v", e)
		}
		if x := Paired(before, same); x.Value != 0 || x.P != 1 {
			t.Fatalf("of equal pairs: %+v", x)
		}
	})
	if e := Paired([]float64{1}, []float64{2}); e.Value != 1 || !math.IsNaN(e.P) || !math.IsNaN(e.Lo) {
		t.Errorf("one pair: %+v", e)
	}
	if e := Paired(nil, nil); !math.IsNaN(e.Value) || !math.IsNaN(e.P) {
		t.Errorf("no pair: %+v", e)
	}
	// By hand: differences 1, 2, 3; their mean 2, its error 1/√3; t with 2 degrees
	// of freedom has 0.975 below 4.303.
	e := Paired([]float64{0, 0, 0}, []float64{1, 2, 3})
	if e.Value != 2 || math.Abs(e.Half()-4.302653/math.Sqrt(3)) > 1e-5 || math.Abs(e.P-0.07418) > 1e-5 {
		t.Errorf("by hand: %+v", e)
	}
}

// TestPairedCovers: of normal differences the intervals hold the truth 95 times
// in a hundred.
func TestPairedCovers(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	const tries = 4000
	for _, n := range []int{3, 10} {
		held := 0
		for range tries {
			before, after := make([]float64, n), make([]float64, n)
			for i := range n {
				before[i] = 10 * r.NormFloat64()
				after[i] = before[i] + 1 + r.NormFloat64()
			}
			if e := Paired(before, after); e.Lo <= 1 && 1 <= e.Hi {
				held++
			}
		}
		if share := float64(held) / tries; share < 0.94 || share > 0.96 {
			t.Errorf("%d pairs: %v of the intervals hold the truth", n, share)
		}
	}
}
