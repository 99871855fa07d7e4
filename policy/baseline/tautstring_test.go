package baseline

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// cumulated returns the running sums.
func cumulated(steps []float64) []float64 {
	sum := 0.0
	var out []float64
	for _, x := range steps {
		sum += x
		out = append(out, sum)
	}
	return out
}

// leastPeak returns the lowest possible highest step, by what is due after a step
// and can only be done after another: every stretch needs its share.
func leastPeak(due, arrived []float64) float64 {
	peak := 0.0
	for from := range due {
		before := 0.0
		if from > 0 {
			before = arrived[from-1]
		}
		for to := from; to < len(due); to++ {
			peak = math.Max(peak, (due[to]-before)/float64(to+1-from))
		}
	}
	return peak
}

func TestTautString(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 30).Draw(t, "steps")
		within := rapid.IntRange(0, 8).Draw(t, "steps until it is due")
		comes, falls := make([]float64, n), make([]float64, n)
		for i := range n {
			comes[i] = float64(rapid.IntRange(0, 20).Draw(t, "work"))
			if i+within < n {
				falls[i+within] = comes[i]
			}
		}
		due, arrived := cumulated(falls), cumulated(comes)
		got := tautString(nil, due, arrived)
		if len(got) != n {
			t.Fatalf("%d steps, want %d", len(got), n)
		}
		for i, done := range cumulated(got) {
			if got[i] < 0 || done < due[i]-1e-6 || done > arrived[i]+1e-6 {
				t.Fatalf("%v within %v and %v: step %d", got, due, arrived, i)
			}
		}
		if peak, want := slices.Max(got), leastPeak(due, arrived); math.Abs(peak-want) > 1e-6 {
			t.Fatalf("%v within %v and %v: the peak is %v, want %v", got, due, arrived, peak, want)
		}
	})
}

// By hand: what may wait fills the valley before a rush and is spread behind it.
func TestTautStringByHand(t *testing.T) {
	for _, c := range []struct{ due, arrived, want []float64 }{
		{[]float64{4, 6, 9}, []float64{4, 6, 9}, []float64{4, 2, 3}},     // all at once
		{[]float64{0, 0, 12}, []float64{12, 12, 12}, []float64{4, 4, 4}}, // all the time
		{[]float64{0, 0, 12}, []float64{0, 12, 12}, []float64{0, 6, 6}},  // from when it is there
		{[]float64{6, 6, 7, 8}, []float64{6, 10, 10, 10}, []float64{6, 2. / 3, 2. / 3, 2. / 3}},
		{[]float64{0, 0, 0}, []float64{5, 5, 5}, []float64{0, 0, 0}}, // due beyond the end
		{nil, nil, nil},
	} {
		got := tautString(nil, c.due, c.arrived)
		if !slices.EqualFunc(got, c.want, func(a, b float64) bool { return math.Abs(a-b) < 1e-9 }) {
			t.Errorf("%v within %v: got %v, want %v", c.due, c.arrived, got, c.want)
		}
	}
}

// rises returns the sum of all rises, from nothing on.
func rises(steps []float64) float64 {
	sum, before := 0.0, 0.0
	for _, x := range steps {
		sum += math.Max(0, x-before)
		before = x
	}
	return sum
}

// No way to do small amounts of work in whole pieces changes pace less.
func TestTautStringRisesLeast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const n = 4
		comes, falls := make([]float64, n), make([]float64, n)
		for i := range n {
			comes[i] = float64(rapid.IntRange(0, 3).Draw(t, "work"))
			falls[min(n-1, i+rapid.IntRange(0, 2).Draw(t, "within"))] += comes[i]
		}
		due, arrived := cumulated(falls), cumulated(comes)
		least := rises(tautString(nil, due, arrived))
		var try func(steps []float64, done float64)
		try = func(steps []float64, done float64) {
			if len(steps) == n {
				if r := rises(steps); r < least-1e-9 {
					t.Fatalf("within %v and %v: %v rises by %v, the string by %v", due, arrived, steps, r, least)
				}
				return
			}
			at := len(steps)
			for x := 0.0; done+x <= arrived[at]; x++ {
				if done+x >= due[at] {
					try(append(steps[:at:at], x), done+x)
				}
			}
		}
		try(nil, 0)
	})
}
