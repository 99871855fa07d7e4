package traces

import (
	"testing"
	"time"
)

func TestDates(t *testing.T) {
	york, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) time.Time {
		v, err := time.Parse(time.RFC3339Nano, text)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	for _, tt := range []struct {
		field string
		zone  *time.Location
		want  string
	}{
		{"2008-06-01", nil, "2008-06-01T00:00:00Z"},
		{"2008-06-01", york, "2008-06-01T00:00:00-04:00"},
		{"2008-06-01 09:30", nil, "2008-06-01T09:30:00Z"},
		{"2008-06-01T09:30:05Z", york, "2008-06-01T09:30:05Z"}, // its own zone counts
		{"2008-06-01 09:30:05.25+00", york, "2008-06-01T09:30:05.25Z"},
		{"2008-06-01 09:30:05 UTC", york, "2008-06-01T09:30:05Z"},
		{"2008-06-01 09:30:05,123456789", york, "2008-06-01T09:30:05.123456789-04:00"},
		{"2008-06-01T09:30:05+05:30", nil, "2008-06-01T04:00:05Z"},
		{"2008-06-01T09:30:05-0700", nil, "2008-06-01T16:30:05Z"},
		{"2008-12-01 12:00:00", york, "2008-12-01T12:00:00-05:00"}, // winter
		{"2008-02-29 00:00:00", nil, "2008-02-29T00:00:00Z"},
		{"1973-03-03 09:46:40", nil, "1973-03-03T09:46:40Z"},
	} {
		if !dated([]byte(tt.field)) {
			t.Errorf("%q is taken for a number", tt.field)
		}
		got, err := clock{zone: tt.zone}.date([]byte(tt.field))
		if err != nil || got != at(tt.want).UnixNano() {
			t.Errorf("%q: %v %v, want %s", tt.field, time.Unix(0, got).UTC(), err, tt.want)
		}
	}
	for _, bad := range []string{
		"2008-02-30", "2007-02-29", "2008-13-01", "2008-00-01", "2008-06-00", "2008-06-01 24:00", "2008-06-01 09:60", "2008-06-01 09:30:60",
		"2008-06-01 09", "2008-06-01 09:3", "2008-06-01T", "2008-06-01 09:30:05.", "2008-06-01 09:30:05.1234567890",
		"2008-06-01 09:30 CEST", "2008-06-01 09:30+25", "2008-06-01 09:30+05:75", "2008-06-01 09:30+5", "2008-6-1 9:30", "20x8-06-01",
		"1066-10-14", "2500-01-01", "1973-01-15", "1973-03-03 09:46:39", // which numbers count as times since the start "2008-06-01 09:30:05Z0",
	} {
		if got, err := (clock{}).date([]byte(bad)); err == nil {
			t.Errorf("%q: %v, want an error", bad, time.Unix(0, got).UTC())
		}
	}
}

func TestTimeUnits(t *testing.T) {
	for name, want := range map[string]int64{"s": 1500_000_000, "ms": 1_500_000, "us": 1500, "ns": 2} {
		unit, err := ParseTimeUnit(name)
		if err != nil {
			t.Fatal(err)
		}
		if got, bad := (clock{unit: unit}).span([]byte("1.5")); bad != nil || got != want {
			t.Errorf("1.5 %s: %d ns %v, want %d", name, got, bad, want)
		}
	}
	if _, err := ParseTimeUnit("h"); err == nil {
		t.Error("hours: no error")
	}
}

// FuzzDate checks that a date is read as time.Parse reads it, where both read it.
func FuzzDate(f *testing.F) {
	f.Add("2008-06-01T09:30:05.25+05:30")
	f.Add("2008-06-01T09:30:05Z")
	f.Fuzz(func(t *testing.T, field string) {
		got, err := clock{}.date([]byte(field))
		if want, e := time.Parse(time.RFC3339Nano, field); err == nil && e == nil && got != want.UnixNano() {
			t.Errorf("%q: %d, want %d", field, got, want.UnixNano())
		}
	})
}
