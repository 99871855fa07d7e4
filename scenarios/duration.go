package scenarios

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseDuration reads a duration as scenarios write it: with its unit, days
// included.
func ParseDuration(s string) (time.Duration, error) { return parseDuration(s) }

// parseDuration reads a duration with its unit, such as "90s", "1h30m" or
// "7d": Go's notation, and days of 24 hours in front of it.
func parseDuration(s string) (time.Duration, error) {
	days, rest, hasDays := strings.Cut(s, "d")
	if !hasDays {
		return time.ParseDuration(s)
	}
	n, err := strconv.ParseFloat(days, 64)
	if err != nil || math.IsNaN(n) || math.Abs(n) > 100_000 {
		return 0, errors.New("not a number of days")
	}
	d := time.Duration(math.Round(n * float64(24*time.Hour)))
	if rest == "" {
		return d, nil
	}
	more, err := time.ParseDuration(rest)
	if err != nil || more < 0 || rest[0] == '+' {
		return 0, errors.New("not a duration after the days")
	}
	if more > math.MaxInt64-max(d, -d) {
		return 0, errors.New("too long")
	}
	if d < 0 || strings.HasPrefix(days, "-") {
		more = -more
	}
	return d + more, nil
}

// FormatDuration returns d as a scenario writes it: without zero units, hours
// as the largest.
func FormatDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// weekTime is a moment of the week on the users' clock, or a time since the
// trace's start: what a window begins or ends at.
type weekTime struct {
	// Weekly: At counts from Monday, 0 h, on the users' clock.
	Weekly bool
	At     time.Duration
}

var weekdays = []string{"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"}

// parseWeekTime reads "Wed 02:00" or a duration since the trace's start.
func parseWeekTime(s string) (weekTime, error) {
	if day, clock, ok := strings.Cut(s, " "); ok {
		for i, name := range weekdays {
			if day != name {
				continue
			}
			minutes, err := parseClock(clock)
			return weekTime{true, time.Duration(24*60*i+minutes) * time.Minute}, err
		}
		return weekTime{}, errors.New("not a weekday and hour")
	}
	d, err := parseDuration(s)
	if err != nil || d < 0 {
		return weekTime{}, errors.New("not a duration")
	}
	return weekTime{false, d}, nil
}

// parseClock returns the minutes since midnight of a time such as "02:00", up
// to "24:00".
func parseClock(s string) (int, error) {
	hour, minute, _ := strings.Cut(s, ":")
	h, errH := strconv.ParseUint(hour, 10, 8)
	m, errM := strconv.ParseUint(minute, 10, 8)
	if errH != nil || errM != nil || len(hour) != 2 || len(minute) != 2 || h > 24 || m > 59 || h == 24 && m > 0 {
		return 0, errors.New("not a time of day")
	}
	return int(60*h + m), nil
}

// String returns t as a scenario writes it.
func (t weekTime) String() string {
	if !t.Weekly {
		return FormatDuration(t.At)
	}
	minutes := int(t.At / time.Minute)
	day, minutes := minutes/1440, minutes%1440
	if day == 7 { // Sun 24:00
		day, minutes = 6, 1440
	}
	return fmt.Sprintf("%s %02d:%02d", weekdays[day], minutes/60, minutes%60)
}
