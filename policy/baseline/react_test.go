package baseline

import "testing"

func TestReactTarget(t *testing.T) {
	for _, c := range []struct {
		variant            string
		need, have, buffer int
		want               int
	}{
		{reactPaper, 10, 0, 2, 12},
		{reactPaper, 10, 9, 2, 12},
		{reactPaper, 10, 10, 2, 10}, // within the buffer of 12
		{reactPaper, 10, 14, 2, 14},
		{reactPaper, 10, 15, 2, 12},
		{reactPaper, 0, 3, 2, 3}, // an empty queue keeps the buffer
		{reactPaper, 0, 9, 2, 2},
		{reactPaper, 0, 9, 0, 0},

		{reactOpendc, 10, 0, 2, 12},
		{reactOpendc, 10, 10, 2, 12}, // not short, and still launches
		{reactOpendc, 10, 12, 2, 12},
		{reactOpendc, 10, 13, 2, 8}, // below the need: two short at once
		{reactOpendc, 10, 8, 2, 12}, // and back
		{reactOpendc, 1, 9, 2, 0},

		{reactEldin, 10, 5, 2, 11}, // 5 + 1.2 × 5
		{reactEldin, 10, 7, 2, 10}, // 3.6 is cut off
		{reactEldin, 10, 10, 2, 10},
		{reactEldin, 10, 11, 2, 11}, // 1.1 × 10 is not below 11
		{reactEldin, 10, 20, 2, 12},
		{reactEldin, 0, 4, 2, 0},
	} {
		if got := reactTarget(c.variant, c.need, c.have, c.buffer); got != c.want {
			t.Errorf("%s: need %d, have %d, buffer %d: wants %d, want %d", c.variant, c.need, c.have, c.buffer, got, c.want)
		}
	}
}

// The opendc variant never rests under a constant load: it swings around it.
// The paper's does.
func TestReactRests(t *testing.T) {
	for _, c := range []struct {
		variant string
		rests   bool
	}{{reactPaper, true}, {reactEldin, true}, {reactOpendc, false}} {
		have, changes := 20, 0
		for range 20 {
			next := reactTarget(c.variant, 10, have, 1)
			if next != have {
				changes++
			}
			if have = next; c.variant == reactOpendc && have == 11 {
				have = 12 // one instance too many, as after a load that fell by one
			}
		}
		if rests := changes <= 1; rests != c.rests {
			t.Errorf("%s: %d changes under a constant load", c.variant, changes)
		}
	}
}
