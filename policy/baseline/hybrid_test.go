package baseline

import "testing"

// Up by whichever is higher; down only after agree ticks in which both lie
// below, and from the first tick again after one that does not.
func TestHybridResolve(t *testing.T) {
	h := hybridState{}
	for i, c := range []struct{ reactive, proactive, have, want int }{
		{10, 0, 5, 10},
		{3, 12, 10, 12}, // proactive up against reactive down
		{12, 3, 10, 12}, // reactive up against proactive down
		{8, 7, 10, 10},
		{8, 7, 10, 10},
		{8, 7, 10, 8}, // the third tick
		{8, 8, 10, 8},
		{10, 8, 10, 10}, // not below
		{8, 7, 10, 10},
	} {
		if got := h.resolve(c.reactive, c.proactive, c.have, 3); got != c.want {
			t.Errorf("step %d: load %d, forecast %d, have %d: wants %d, want %d", i, c.reactive, c.proactive, c.have, got, c.want)
		}
	}
}

// A load that repeats its day is trusted and led; one that has nothing to do
// with the day is not, and then the fleet is that of the load alone.
func TestHybridTrust(t *testing.T) {
	lead := func(load func(minute int) int, raw map[string]any) (early, wrong float64) {
		b := newBench(t, &Hybrid, raw)
		b.o.Fleet.Boot.P50 *= 10 // twenty minutes, so that leading shows
		minutes := 0
		for m := range 4 * 1440 {
			fleet := b.tick(load(m))
			if m >= 2*1440 && m%1440 > 300 && m%1440 < 600 { // the morning's rise
				early += float64(4*fleet) / float64(load(m))
				minutes++
			}
		}
		p, ok := b.policy.(*rival[hybridState])
		if !ok {
			t.Fatalf("a %T", b.policy)
		}
		return early / float64(minutes), p.state.Rule.scaledError()
	}
	trusted, wrong := lead(dayLoad, nil)
	if wrong > 0.6 {
		t.Errorf("a load that repeats itself: scaled error %.2f", wrong)
	}
	alone, _ := lead(dayLoad, map[string]any{"trust": 0.0})
	if trusted < alone+0.02 {
		t.Errorf("on the morning's rise, %.3f slots a load with the forecast, %.3f without", trusted, alone)
	}
	inverted := func(m int) int { // every other day upside down
		if m/1440%2 == 1 {
			return 80 - dayLoad(m)
		}
		return dayLoad(m)
	}
	if _, wrong = lead(inverted, map[string]any{"level": "off"}); wrong < 1 {
		t.Errorf("a load that does not repeat itself: scaled error %.2f, want above 1", wrong)
	}
}
