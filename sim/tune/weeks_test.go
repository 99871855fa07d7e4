package tune

import (
	"encoding/json"
	"math"
	"slices"
	"testing"

	"github.com/skynet-ec2/skynet/policy"
)

// Two windows of a trace in several weathers are two weeks, however often each was
// met; one window alone tells of its weather only.
func TestIndependentWeeks(t *testing.T) {
	var s Series
	for i, x := range []float64{1, 5, 1.2, 5.2, 0.8, 4.8} {
		s.add(x, []string{"early", "late"}[i%2])
	}
	got := s.Independent()
	if len(got) != 2 || math.Abs(got[0]-1) > 1e-12 || math.Abs(got[1]-5) > 1e-12 || s.Arrivals() != 2 {
		t.Errorf("independent %v of %d arrivals, want 1 and 5 of 2", got, s.Arrivals())
	}
	for i := range s.arrivals {
		s.arrivals[i] = "the same"
	}
	if got := s.Independent(); len(got) != 6 || s.Arrivals() != 1 {
		t.Errorf("independent %v of one window, want all six weathers", got)
	}
	plain := Series{Values: []float64{1, 2, 3}}
	if got := plain.Independent(); !slices.Equal(got, plain.Values) || plain.Arrivals() != 3 {
		t.Errorf("weeks of their own: %v", got)
	}
}

// A saving is shown where the interval by Student's t leaves 0 out. Of three weeks
// two standard errors, which are half of that interval, do not show it.
func TestBelow(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   bool
	}{
		{[]float64{-1}, false},
		{[]float64{-3, -2, -1}, false}, // −2 ± 2.48, of which two errors are 1.15
		{[]float64{-2.2, -2, -1.8}, true},
		{[]float64{-1, -1}, true},
		{[]float64{0, 0}, false},
		{slices.Repeat([]float64{-3, -2, -1}, 8), true},
		{[]float64{2.2, 2, 1.8}, false},
	} {
		if s := (Series{Values: c.values}); s.below() != c.want {
			t.Errorf("%v: below 0 is %v, want %v", c.values, s.below(), c.want)
		}
	}
}

// A week that cost the defaults nothing has no share that was saved, and what is
// written says so rather than fail.
func TestSavedOfNothing(t *testing.T) {
	mine, base := Summary{Ratio: Series{Values: []float64{0, 1, 3}}}, Summary{Ratio: Series{Values: []float64{0, 2, 0}}}
	saved := mine.SavedAgainst(&base)
	if !slices.Equal(saved.Values, []float64{0.5}) {
		t.Errorf("saved %v, want half of one week", saved.Values)
	}
	for want, s := range map[string]Series{
		`{"mean":0.5,"error":null,"values":[0.5]}`:    saved,
		`{"mean":null,"error":null,"values":null}`:    {},
		`{"mean":2,"error":1,"values":[1,3]}`:         {Values: []float64{1, 3}},
		`{"mean":2,"error":1,"values":[0,2,1,3,2,4]}`: {[]float64{0, 2, 1, 3, 2, 4}, []string{"a", "b", "a", "b", "a", "b"}},
	} {
		if text, err := json.Marshal(s); err != nil || string(text) != want {
			t.Errorf("%s, %v, want %s", text, err, want)
		}
	}
}

// Before a window is judged, nothing is known of it, nor of what comes after it,
// whatever the weather: the choice made anew before each week must not be better
// for having met them.
func TestRollingKnowsThePastOnly(t *testing.T) {
	const week = int64(7 * 24 * 3600e9)
	part := func(k int64) *Part { return &Part{From: (k - 1) * week, Judge: k * week, To: (k + 1) * week} }
	weeks := []Week{{{Part: part(1)}}, {{Part: part(2), Seed: 5}}, {{Part: part(3), Seed: 5}}, {{Part: part(2), Seed: 6}}, {{Part: part(3), Seed: 6}}}
	var known [][]int
	for i := range weeks {
		var list []int
		for k := range weeks[:i] {
			if weeks[i].follows(weeks[k]) {
				list = append(list, k)
			}
		}
		known = append(known, list)
	}
	for i, want := range [][]int{nil, {0}, {0, 1}, {0}, {0, 1, 3}} {
		if !slices.Equal(known[i], want) {
			t.Errorf("before week %d weeks %v are known, want %v", i, known[i], want)
		}
	}
	if (Week{{Part: &Part{Judge: week}}}).follows(Week{{Part: &Part{Judge: week}}}) {
		t.Error("the rest of a trace follows itself")
	}

	// x = 0.9 is a disaster in the second window. Whoever has met that window in
	// other weather avoids it there.
	cfg := bowlConfig(&world{}, 100, 1, 1)
	cfg.Search, cfg.Select, cfg.Judge = weeks[:1], nil, weeks[1:]
	a := newTuning(cfg)
	c := a.add(policy.Values{"x": 0.9})
	for w := range weeks {
		ratio := 0.5
		if w > 0 && weeks[w][0].Part.Judge == 2*week {
			ratio = 3
		}
		a.entries[0].weeks[w] = []*Metrics{{CostUSD: 1, FloorUSD: 1}}
		a.entries[c].weeks[w] = []*Metrics{{CostUSD: ratio, FloorUSD: 1}}
	}
	r := a.roll([]int{0, c}, a.search, a.judge)
	if got := r.Saved.Values; r.Weeks != 4 || len(got) != 4 || got[0] != -2 || got[2] != -2 {
		t.Errorf("saved %v, want −2 each time that the second window comes unseen", got)
	}
	if r.Saved.Arrivals() != 2 {
		t.Errorf("the weeks met %d different arrivals, want 2", r.Saved.Arrivals())
	}
}
