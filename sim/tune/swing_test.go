package tune

import (
	"encoding/json"
	"maps"
	"math"
	"testing"
)

// Moving a parameter costs what the bowl says, an inert one nothing, a fixed one
// is not moved, and the outcome is what it is without.
func TestSwings(t *testing.T) {
	plain := &world{}
	want, err := Run(t.Context(), bowlConfig(plain, 200, 1, 2))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{}
	cfg := bowlConfig(w, 200, 1, 2)
	cfg.Swing = true
	o, err := Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if a, b := jsonOf(t, want), jsonOf(t, o); a != b {
		t.Errorf("with swings the outcome is\n%s\nwithout\n%s", b, a)
	}
	if more, most := int(w.runs.Load()-plain.runs.Load()), SwingRuns(&bowl, 1); more > most || more == 0 {
		t.Errorf("swings took %d runs, at most %d were announced", more, most)
	}
	advised := o.Rows[o.Advice].Params
	ratio := func(name string, value any) float64 {
		at := maps.Clone(advised)
		at[name] = value
		m, err := w.evaluate(t.Context(), at, &Fold{})
		if err != nil {
			t.Fatal(err)
		}
		return m.Ratio()
	}
	names := map[string]bool{}
	for _, s := range o.Swings {
		names[s.Param] = true
		if s.Value != advised[s.Param] {
			t.Errorf("%s: advised is %v, the swing says %v", s.Param, advised[s.Param], s.Value)
		}
		for _, m := range []*Moved{&s.Down, &s.Up} {
			want := ratio(s.Param, m.Value)/ratio(s.Param, s.Value) - 1
			if got := m.Cost.Mean(); math.Abs(got-want) > 1e-12 {
				t.Errorf("%s = %v costs %v more, want %v", s.Param, m.Value, got, want)
			}
			if len(m.Cost.Values) != swingWeeks || m.N != swingWeeks {
				t.Errorf("%s = %v met %d weeks, want %d", s.Param, m.Value, m.N, swingWeeks)
			}
		}
		if s.Param == "inert" && (s.Down.Value != 0.4 || s.Up.Value != 0.6 || s.Up.Cost.Mean() != 0) {
			t.Errorf("inert moved to %+v", s)
		}
	}
	for name, moves := range map[string]bool{"x": true, "y": true, "n": true, "inert": true, "c": false, "limit": false, "types": false} {
		if names[name] != moves {
			t.Errorf("%s is moved: %v, want %v", name, names[name], moves)
		}
	}
}

func jsonOf(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
