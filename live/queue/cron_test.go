package queue

import (
	"strings"
	"testing"
	"time"
)

func TestCron(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skipf("no time zones on this machine: %v", err)
	}
	at := func(text string) time.Time {
		when, err := time.ParseInLocation("2006-01-02 15:04", text, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for _, c := range []struct{ cron, after, next string }{
		{"* * * * *", "2026-11-30 08:00", "2026-11-30 08:01"},
		{"*/20 * * * *", "2026-11-30 08:41", "2026-11-30 09:00"},
		{"5-45/20 8,9 * * *", "2026-11-30 08:46", "2026-11-30 09:05"},
		{"0 0 1 * *", "2026-11-30 08:00", "2026-12-01 00:00"},
		{"0 12 29 feb *", "2026-01-01 00:00", "2028-02-29 12:00"},
		{"0 12 * * mon-fri", "2026-11-27 12:00", "2026-11-30 12:00"}, // over a weekend
		{"0 12 * * 7", "2026-11-30 00:00", "2026-12-06 12:00"},
		{"0 0 13 * fri", "2026-11-30 00:00", "2026-12-04 00:00"},  // either day fits if both are restricted
		{"30 2 * * *", "2026-03-28 03:00", "2026-03-30 02:30"},    // on the 29th the clock leaps over 02:30
		{"30 2 * * *", "2026-10-25 00:00", "2026-10-25 02:30"},    // comes twice,
		{"30 2 * * *", "2026-10-25 03:00", "2026-10-26 02:30"},    // counts once
		{"59 23 31 12 *", "2026-12-31 23:59", "2027-12-31 23:59"}, // not the same minute again
	} {
		parsed, err := parseCron(c.cron)
		if err != nil {
			t.Errorf("%s: %v", c.cron, err)
			continue
		}
		if next := parsed.next(at(c.after)); !next.Equal(at(c.next)) {
			t.Errorf("%s after %s: %v, want %s", c.cron, c.after, next, c.next)
		}
	}
	for cron, names := range map[string]string{
		"* * * *": "4 fields", "60 * * * *": "minute", "* 24 * * *": "hour", "* * 0 * *": "day of month", "* * * 13 *": "month", "* * * * 8": "day of week",
		"*/0 * * * *": "step", "5-1 * * * *": "before", "x * * * *": `"x"`, "0 0 31 2 *": "never", "* * * foo *": `"foo"`, "-1 * * * *": "minute", "1,,2 * * * *": "minute",
	} {
		if _, err := parseCron(cron); err == nil || !strings.Contains(err.Error(), names) {
			t.Errorf("%q: %v, want an error that names %q", cron, err, names)
		}
	}
}
