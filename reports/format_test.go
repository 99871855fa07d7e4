package reports

import (
	"math"
	"strings"
	"testing"
	"time"
)

// same compares texts, with a plain space for the narrow one in numbers.
func same(t *testing.T, what any, got, want string) {
	t.Helper()
	if strings.ReplaceAll(got, "\u202f", " ") != want {
		t.Errorf("%v: %q, want %q", what, got, want)
	}
}

func TestDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                                "0 s",
		7:                                "7 ns",
		1500:                             "1.50 µs",
		42 * time.Millisecond:            "42.0 ms",
		999 * time.Millisecond:           "999 ms",
		999600 * time.Microsecond:        "1.0 s",
		5100 * time.Millisecond:          "5.1 s",
		29 * time.Second:                 "29.0 s",
		59940 * time.Millisecond:         "59.9 s",
		59960 * time.Millisecond:         "1 m",
		192 * time.Second:                "3 m 12 s",
		20 * time.Minute:                 "20 m",
		time.Hour - time.Second/4:        "1 h",
		125*time.Minute + 10*time.Second: "2 h 5 m",
		24*time.Hour - time.Second:       "1 d",
		36 * time.Hour:                   "1 d 12 h",
		8753 * time.Hour:                 "365 d",
		168 * time.Hour:                  "7 d",
		-5 * time.Second:                 "−5.0 s",
		math.MaxInt64:                    "106 752 d",
		math.MinInt64:                    "−106 752 d",
	} {
		same(t, int64(d), Duration(d), want)
	}
}

func TestTarget(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0:                        "0 s",
		500 * time.Millisecond:   "0.5 s",
		30 * time.Second:         "30 s",
		90 * time.Second:         "1 m 30 s",
		90500 * time.Millisecond: "90.5 s",
		20 * time.Minute:         "20 m",
		25*time.Hour + 1e9:       "1 d 1 h 1 s",
	} {
		same(t, d, Target(d), want)
	}
}

func TestNumbers(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct{ got, want string }{
		{Count(0), "0"},
		{Count(999), "999"},
		{Count(3_087_412), "3 087 412"},
		{Count(int64(math.MinInt64)), "−9 223 372 036 854 775 808"},
		{Money(0), "$ 0.00"},
		{Money(312.4), "$ 312.40"},
		{Money(1_234_567.891), "$ 1 234 567.89"},
		{Money(0.0123), "$ 0.012"},
		{Money(0.000001), "$ 0.000001"},
		{Money(-5), "$ −5.00"},
		{Money(nan), "$ –"},
		{Percent(0.5, 0), "50 %"},
		{Percent(0.29, 0), "29 %"},
		{Percent(0.98996, 1), "98.9 %"},
		{Percent(1, 2), "100.00 %"},
		{Percent(nan, 1), "–"},
		{attainment(0.992), "99.2 %"},
		{attainment(0.99999), "99.99 %"},
		{attainment(1), "100 %"},
		{attainment(0.9), "90 %"},
		{attainment(0), "0 %"},
		{Number(0), "0"},
		{Number(5.94), "5.94"},
		{Number(123.456), "123.5"},
		{Number(12345.6), "12 346"},
		{Number(0.00012), "0.00012"},
		{Number(-2.5), "−2.5"},
		{Number(999.96), "1 000"},
		{Number(nan), "–"},
		{Number(inf), "+Inf"},
		{Rate(1.7e6, "jobs"), "1.7 M jobs/s"},
		{Rate(12.4e6, "jobs"), "12 M jobs/s"},
		{Rate(999_600, "jobs"), "1.0 M jobs/s"},
		{Rate(850, "jobs"), "850 jobs/s"},
		{Rate(0, "jobs"), "–"},
		{Rate(inf, "jobs"), "–"},
		{Seconds(nil), "–"},
		{Seconds(&nan), "–"},
		{Seconds(&inf), "106 752 d"},
	} {
		same(t, "number", c.got, c.want)
	}
}

// Whole percents of paid time sum to 100.
func TestSplit100(t *testing.T) {
	for _, p := range []struct{ busy, slack, boot, gone float64 }{
		{1, 0, 0, 0}, {0.25, 0.25, 0.25, 0.25}, {1. / 3, 1. / 3, 1. / 3, 0}, {0.612, 0.345, 0.03, 0.013}, {0.996, 0.002, 0.001, 0.001}, {0.999, -1e-12, 0.001, 0},
	} {
		f := syntheticFigures(time.Hour, 1)
		f.Paid.Busy, f.Paid.Slack, f.Paid.Boot, f.Paid.Gone = p.busy, p.slack, p.boot, p.gone
		a, b, c, d := split100(f.Paid)
		if a+b+c+d != 100 || min(a, b, c, d) < 0 || math.Abs(float64(a)-100*p.busy) >= 1 {
			t.Errorf("%v: %d + %d + %d + %d", p, a, b, c, d)
		}
	}
}
