package chart

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// TestThinProperties runs the laws in the comment of Thin.
func TestThinProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		y := rapid.SliceOfN(rapid.OneOf(
			rapid.Float64Range(-1e6, 1e6),
			rapid.SampledFrom([]float64{0, 1, math.NaN(), math.NaN(), 7}),
		), 0, 400).Draw(t, "y")
		x := make([]float64, len(y))
		for i := range x {
			x[i] = float64(i)
		}
		n := rapid.IntRange(-1, 120).Draw(t, "n")
		gotX, gotY := Thin(x, y, n)

		if limit := max(n, 8); len(y) <= limit {
			if len(gotX) != len(x) {
				t.Fatalf("%d points of %d, want all", len(gotX), len(x))
			}
			return
		} else if len(gotY) > limit || len(gotX) != len(gotY) {
			t.Fatalf("%d and %d points, want at most %d", len(gotX), len(gotY), limit)
		}
		if gotX[0] != 0 || gotX[len(gotX)-1] != float64(len(x)-1) {
			t.Fatalf("from %v to %v, want the first and the last point", gotX[0], gotX[len(gotX)-1])
		}
		for i, at := range gotX {
			if i > 0 && at <= gotX[i-1] {
				t.Fatalf("x %v after %v", at, gotX[i-1])
			}
			if want := y[int(at)]; gotY[i] != want && !(math.IsNaN(gotY[i]) && math.IsNaN(want)) {
				t.Fatalf("y %v at %v, want %v", gotY[i], at, want)
			}
		}
		numbers := func(y []float64) []float64 {
			return slices.DeleteFunc(slices.Clone(y), math.IsNaN)
		}
		if all, kept := numbers(y), numbers(gotY); len(all) > 0 {
			if slices.Min(all) != slices.Min(kept) || slices.Max(all) != slices.Max(kept) {
				t.Fatalf("range %v to %v, want %v to %v", slices.Min(kept), slices.Max(kept), slices.Min(all), slices.Max(all))
			}
		}
		if broken(y) != broken(gotY) {
			t.Fatalf("broken by NaN: %t, want %t", broken(gotY), broken(y))
		}
	})
}

// A peak of one point in a million is still there.
func TestThinKeepsPeak(t *testing.T) {
	x, y := make([]float64, 1_000_000), make([]float64, 1_000_000)
	for i := range x {
		x[i] = float64(i)
	}
	y[654_321] = 9
	gotX, gotY := Thin(x, y, PointsMax)
	if i := slices.Index(gotY, 9); i < 0 || gotX[i] != 654_321 {
		t.Errorf("the peak is at %d of %d points", i, len(gotY))
	}
}
