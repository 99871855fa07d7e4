package scenarios

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestParseDuration(t *testing.T) {
	for s, want := range map[string]time.Duration{
		"90s": 90 * time.Second, "1h30m": 90 * time.Minute, "0s": 0, "7d": 168 * time.Hour, "1.5d": 36 * time.Hour,
		"1d12h": 36 * time.Hour, "-7h": -7 * time.Hour, "-1d12h": -36 * time.Hour, "250ms": 250 * time.Millisecond, "0d": 0,
	} {
		if got, err := parseDuration(s); err != nil || got != want {
			t.Errorf("%q: %v, error %v, want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "60", "1", "d", "1d-1h", "1d1", "1d+1h", "nand", "infd", "1e9d", "1 h", "one hour", "9999999999h", "1w", "100000d2562047h"} {
		if got, err := parseDuration(s); err == nil {
			t.Errorf("%q: %v, want an error", s, got)
		}
	}
}

func TestDurationsSurviveWriting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := time.Duration(rapid.Int64Range(-math.MaxInt64, math.MaxInt64).Draw(t, "ns"))
		if got, err := parseDuration(FormatDuration(want)); err != nil || got != want {
			t.Fatalf("%v written as %q reads as %v, error %v", want, FormatDuration(want), got, err)
		}
	})
	for d, want := range map[time.Duration]string{0: "0s", time.Hour: "1h", 90 * time.Minute: "1h30m", 10 * time.Minute: "10m", time.Hour + time.Second: "1h0m1s"} {
		if got := FormatDuration(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestWeekTime(t *testing.T) {
	for s, want := range map[string]weekTime{
		"Mon 00:00": {true, 0}, "Wed 02:30": {true, 50*time.Hour + 30*time.Minute}, "Sun 24:00": {true, 168 * time.Hour},
		"30h": {false, 30 * time.Hour}, "0s": {false, 0},
	} {
		got, err := parseWeekTime(s)
		if err != nil || got != want {
			t.Errorf("%q: %v, error %v, want %v", s, got, err, want)
		}
		if got.String() != s {
			t.Errorf("%q is written %q", s, got)
		}
	}
	for _, s := range []string{"", "Mon", "Mon 1:00", "Mon 24:01", "Mon 12:60", "Mond 12:00", "mon 12:00", "Mon -1:00", "Mon +1:00", "-1h", "12:00", "Mon 12:00 "} {
		if got, err := parseWeekTime(s); err == nil {
			t.Errorf("%q: %v, want an error", s, got)
		}
	}
}
