package baseline

import (
	"testing"
	"time"
)

// TestPredictiveForecast: nothing for a day, then the days seen, then the same
// hour of the last two weeks; older ones are forgotten.
func TestPredictiveForecast(t *testing.T) {
	monday := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	var m predictiveMemory
	load := func(hour int) float64 { return float64(1000*(hour/week) + hour%week) }
	forecast := func(hour int, highest bool) float64 {
		return m.forecast(monday.Add(time.Duration(hour)*time.Hour), highest)
	}
	for hour := range 4 * week {
		for minute := range 60 {
			m.learn(monday.Add(time.Duration(hour)*time.Hour+time.Duration(minute)*time.Minute), load(hour))
		}
		switch hour {
		case day - 1:
			if got := forecast(hour+1, false); got != 0 {
				t.Errorf("before 24 hours were seen: %v", got)
			}
		case 2*day + 5:
			if got, want := forecast(hour+1, false), (load(6)+load(day+6))/2; got != want {
				t.Errorf("third day: got %v, want %v", got, want)
			}
		case week + 5:
			if got := forecast(hour+1, false); got != load(6) {
				t.Errorf("second week: got %v, want %v", got, load(6))
			}
		case 3*week + 5:
			if got, want := forecast(hour+1, false), (load(week+6)+load(2*week+6))/2; got != want {
				t.Errorf("fourth week: got %v, want %v", got, want)
			}
			if got, want := forecast(hour+1, true), load(2*week+6); got != want {
				t.Errorf("fourth week, highest: got %v, want %v", got, want)
			}
		}
	}
	if len(m.Loads) != 2*week {
		t.Errorf("%d hours remembered, want %d", len(m.Loads), 2*week)
	}
}

// TestPredictiveGap: hours without a sample count as the one before, and a gap
// longer than the memory starts it anew.
func TestPredictiveGap(t *testing.T) {
	start := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	var m predictiveMemory
	m.learn(start, 7)
	m.learn(start.Add(3*time.Hour), 9)
	if len(m.Loads) != 3 || m.Loads[0] != 7 || m.Loads[2] != 7 {
		t.Errorf("loads %v, want 7 7 7", m.Loads)
	}
	m.learn(start.Add(100*week*time.Hour), 1)
	if len(m.Loads) != 0 || m.Sum != 1 {
		t.Errorf("after a gap of 100 weeks: %+v", m)
	}
}
