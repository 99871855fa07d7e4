package baseline

import "testing"

// By hand. A fleet of 10 of old that needs 14 changes by 10 × 4 ÷ 10 = 4 a
// tick; one that needs 6 by -4 ÷ 4 = -1, and never below the need; one that is
// short jumps to 1.1 × the need.
func TestAdaptTarget(t *testing.T) {
	author := adaptRule{slowdown: 4, surge: 1.1, interval: 0.01}
	opendc := adaptRule{slowdown: 15, surge: 1, spare: 2, interval: 0.01}
	for _, c := range []struct {
		name string
		rule adaptRule
		need int
		want []int // of successive ticks
	}{
		{"balance", author, 10, []int{10, 10, 10}},
		{"short", author, 14, []int{16}},
		{"short", opendc, 14, []int{16}},
		{"long", author, 6, []int{9, 9, 8, 8, 7}}, // -1, then -0.675 twice, -0.4 twice
		{"long", opendc, 6, []int{10, 10, 10, 9}}, // -4/15 a tick
		{"long", opendc, 9, []int{10, 10, 10, 10}},
	} {
		a := adaptState{}
		for range 1000 {
			a.target(&c.rule, 10, 10, 1)
		}
		have := 10
		for i, want := range c.want {
			if have = a.target(&c.rule, c.need, have, 1); have != want {
				t.Errorf("%s, need %d, tick %d: wants %d, want %d", c.name, c.need, i, have, want)
				break
			}
		}
	}
}

// From nothing to a load and back to nothing.
func TestAdaptStartsAndEnds(t *testing.T) {
	rule := adaptRule{slowdown: 4, surge: 1.1, interval: 0.01}
	a, have := adaptState{}, 0
	if have = a.target(&rule, 5, have, 1); have != 6 {
		t.Errorf("from nothing: wants %d, want 6", have)
	}
	for range 100 {
		have = a.target(&rule, 0, have, 1)
	}
	if have != 0 {
		t.Errorf("after 100 ticks without load: wants %d, want 0", have)
	}
}

// interval = 60 estimates once an hour for a fleet of its mean size: between
// estimates the rate stands.
func TestAdaptInterval(t *testing.T) {
	rule := adaptRule{slowdown: 4, surge: 1, interval: 60}
	a := adaptState{}
	for range 1000 {
		a.target(&rule, 10, 10, 1)
	}
	changes, rate := 0, a.Rate
	for range 120 {
		a.target(&rule, 8, 10, 1)
		if a.Rate != rate {
			changes, rate = changes+1, a.Rate
		}
	}
	if changes < 1 || changes > 2 {
		t.Errorf("%d estimates changed the rate in two hours, want one or two", changes)
	}
}
