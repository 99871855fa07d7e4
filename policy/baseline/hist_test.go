package baseline

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// By hand: of 1 2 … 10, nine in ten do not exceed 9.
func TestHistogramQuantileByHand(t *testing.T) {
	var h histogram
	if got := h.quantile(0.9); got != 0 {
		t.Errorf("without values: %d, want 0", got)
	}
	for x := 10; x >= 1; x-- {
		h.add(x, 100)
	}
	for _, c := range []struct {
		q    float64
		want int
	}{{0.05, 1}, {0.1, 1}, {0.5, 5}, {0.9, 9}, {0.91, 10}, {1, 10}} {
		if got := h.quantile(c.q); got != c.want {
			t.Errorf("quantile %v: %d, want %d", c.q, got, c.want)
		}
	}
}

// Against sorting the last values, also after the counts were lost, as by a
// state that is read back.
func TestHistogramQuantile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		memory := rapid.IntRange(1, 20).Draw(t, "memory")
		values := rapid.SliceOfN(rapid.IntRange(0, 30), 1, 60).Draw(t, "values")
		lost := rapid.IntRange(0, len(values)-1).Draw(t, "lost")
		var h histogram
		for i, x := range values {
			if i == lost {
				h.counts = nil
			}
			h.add(x, memory)
		}
		last := slices.Clone(values[max(0, len(values)-memory):])
		slices.Sort(last)
		for _, tenths := range []int{1, 5, 9, 10} {
			want := last[(tenths*len(last)+9)/10-1]
			if got := h.quantile(float64(tenths) / 10); got != want {
				t.Fatalf("0.%d of %v: %d, want %d", tenths, last, got, want)
			}
		}
	})
}

// The hour that is looked up has its own histogram; errors move the answer by
// their mean, in the direction the option says; six of ten that were short
// bring 1.05 times the need.
func TestHistTarget(t *testing.T) {
	rule := histRule{quantile: 0.9, memory: 100, errorWindow: 5, repair: 1.05}
	fill := func(have int) histState {
		h := histState{Buckets: make([]histogram, 24)}
		for range 10 {
			h.learn(&rule, 3, 10, have) // at three o'clock, 10 instances
		}
		for range 5 {
			h.learn(&rule, 4, 20, have+10)
		}
		return h
	}
	for _, c := range []struct {
		correction float64
		have, hour int
		need, want int
	}{
		{0, 10, 3, 20, 10},
		{0, 10, 4, 20, 20},
		{0, 10, 3 + 24, 20, 10}, // the same hour of the next day
		{0, 10, 5, 20, 21},      // never seen: 1.05 × 20
		{-1, 14, 4, 20, 16},     // 4 too many on average
		{1, 14, 4, 20, 24},      // opendc's sign
		{-1, 8, 4, 20, 22},      // 2 too few, of all ten: 22 anyway, above 1.05 × 20
		{0, 8, 4, 20, 21},       // repaired
	} {
		rule.correction = c.correction
		h := fill(c.have)
		if got := h.target(&rule, int64(c.hour), c.need); got != c.want {
			t.Errorf("correction %v, had %d, hour %d, need %d: wants %d, want %d", c.correction, c.have, c.hour, c.need, got, c.want)
		}
	}
	rule.correction = 0
	h := fill(8)
	h.target(&rule, 4, 20)
	if got := h.target(&rule, 4, 20); got != 20 {
		t.Errorf("after a repair: wants %d, want 20: its errors are forgotten", got)
	}
}

// With sample = "highest", an hour leaves one value.
func TestHistHighest(t *testing.T) {
	rule := histRule{quantile: 1, memory: 10, errorWindow: 5, highest: true}
	h := histState{Buckets: make([]histogram, 168)}
	for hour := int64(1000); hour < 1000+2*168; hour++ {
		for minute := range 60 {
			need := 1
			if minute == 17 {
				need = int(hour - 990)
			}
			h.learn(&rule, hour, need, need)
		}
	}
	if got := h.Buckets[modulo(1001, 168)].Recent; !slices.Equal(got, []int{11, 179}) {
		t.Errorf("an hour of two weeks left %v, want its two highest, 11 and 179", got)
	}
}

func TestCellOf(t *testing.T) {
	monday := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		at, offset time.Duration
		want       int
	}{
		{0, 0, 0},
		{59 * time.Minute, 0, 0},
		{time.Hour, 0, 1},
		{-1, 0, 23},
		{0, -7 * time.Hour, 17}, // midnight in London is five in the afternoon in California
		{0, 5*time.Hour + 30*time.Minute, 5},
	} {
		if got := modulo(cellOf(monday.Add(c.at), c.offset, time.Hour), 24); got != c.want {
			t.Errorf("%v at %v: hour %d, want %d", c.at, c.offset, got, c.want)
		}
	}
	before := time.Date(1969, 12, 31, 23, 30, 0, 0, time.UTC)
	if got := cellOf(before, 0, time.Hour); got != -1 {
		t.Errorf("half an hour before 1970: cell %d, want -1", got)
	}
	if got := modulo(-1, 24); got != 23 {
		t.Errorf("the hour before 1970 is hour %d of its day, want 23", got)
	}
}
