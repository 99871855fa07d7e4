package baseline

import (
	"math"
	"testing"
	"time"
)

// The same minute of the week, of the day before a week has passed, and
// nothing before a day has.
func TestProfile(t *testing.T) {
	start := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	weekend := func(at time.Time) float64 {
		x := float64(at.Hour())
		if d := at.Weekday(); d == time.Saturday || d == time.Sunday {
			x += 100
		}
		return x
	}
	var p profile
	if _, known := p.at(start, 0); known {
		t.Error("knows a time before it saw anything")
	}
	now := start
	advance := func(to time.Duration) {
		for now.Sub(start) < to {
			now = now.Add(time.Minute)
			p.add(now, 0, weekend(now.Add(-time.Minute)), 60)
		}
	}
	advance(23 * time.Hour)
	if _, known := p.at(start.Add(23*time.Hour+30*time.Minute), 0); known {
		t.Error("knows half past eleven before it was")
	}
	advance(5 * 24 * time.Hour)
	x, known := p.at(start.Add(5*24*time.Hour+9*time.Hour), 0) // Saturday nine
	if !known {
		t.Error("does not know nine o'clock after five days")
	}
	near(t, "Saturday nine, from weekdays", x, 9, 1e-9)
	advance(7*24*time.Hour + time.Minute)
	x, _ = p.at(start.Add(12*24*time.Hour+9*time.Hour), 0)
	near(t, "Saturday nine, a week later", x, 109, 1e-9)
	x, _ = p.at(start.Add(7*24*time.Hour+9*time.Hour), 0)
	near(t, "Monday nine, a week later", x, 9, 1e-9)

	x, _ = p.peak(start.Add(7*24*time.Hour+8*time.Hour+55*time.Minute), 0, 4*time.Minute)
	near(t, "peak to 8:59", x, 8, 1e-9)
	x, _ = p.peak(start.Add(7*24*time.Hour+8*time.Hour+55*time.Minute), 0, 5*time.Minute)
	near(t, "peak to 9:00", x, 9, 1e-9)
	x, _ = p.peak(start.Add(7*24*time.Hour+8*time.Hour), 0, 4*time.Hour)
	near(t, "peak to noon", x, 12, 1e-9)
}

// By hand: the first values of a cell count alike, from the fifth on the newest
// counts a fifth.
func TestProfileMeanForgets(t *testing.T) {
	var m profileMean
	for _, c := range []struct{ x, want float64 }{{10, 10}, {20, 15}, {30, 20}, {20, 20}, {20, 20}, {30, 22}} {
		m.add(c.x)
		near(t, "mean", m.Mean, c.want, 1e-12)
	}
}

// By hand: 20 slots for half an hour where 10 were said is 36 000 against
// 18 000 slot-seconds, and with the prior of 600, 36 600 ÷ 18 600.
func TestLevel(t *testing.T) {
	var l level
	near(t, "before anything", l.factor(), 1, 0)
	l.note(20, 10, true, 1800, math.Inf(1))
	near(t, "factor", l.factor(), 36_600.0/18_600, 1e-12)
	l.note(20, 0, false, 1800, 1800) // unknown: only forgets
	near(t, "Seen", l.Seen, 36_000/math.E, 1e-9)
	for range 1000 {
		l.note(15, 10, true, 60, levelWindow.Seconds())
	}
	near(t, "steady", l.factor(), 1.5, 0.02)
}
