package queue

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
	"time"
)

// cron is a timetable in the five fields of crontab(5): minute, hour, day of
// month, month, day of week. As there, if both day fields are restricted, a day
// that fits either of them fits.
type cron struct {
	minutes, hours, days, months, weekdays uint64 // sets of bits
	anyDay                                 bool   // one of the day fields is not restricted: both must fit
}

var (
	monthNames   = []string{"", "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}
	weekdayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}
)

// parseCron reads a timetable. The error names the field.
func parseCron(text string) (cron, error) {
	fields := strings.Fields(text)
	if len(fields) != 5 {
		return cron{}, fmt.Errorf("%q has %d fields: must be 5: minute, hour, day of month, month, day of week", text, len(fields))
	}
	var c cron
	for i, f := range []struct {
		name   string
		lo, hi int
		names  []string
		into   *uint64
	}{
		{"minute", 0, 59, nil, &c.minutes},
		{"hour", 0, 23, nil, &c.hours},
		{"day of month", 1, 31, nil, &c.days},
		{"month", 1, 12, monthNames, &c.months},
		{"day of week", 0, 7, weekdayNames, &c.weekdays},
	} {
		set, err := cronField(fields[i], f.lo, f.hi, f.names)
		if err != nil {
			return cron{}, fmt.Errorf("%s %q: %w", f.name, fields[i], err)
		}
		*f.into = set
	}
	if c.weekdays>>7&1 == 1 { // 7 is Sunday too
		c.weekdays |= 1
	}
	c.anyDay = fields[2][0] == '*' || fields[4][0] == '*'
	if c.next(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return cron{}, fmt.Errorf("%q never comes", text)
	}
	return c, nil
}

// cronField reads a list of *, a, a-b, each with /step.
func cronField(text string, lo, hi int, names []string) (set uint64, err error) {
	number := func(s string) (int, error) {
		for i, name := range names {
			if name != "" && strings.EqualFold(s, name) {
				return i, nil
			}
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < lo || n > hi {
			return 0, fmt.Errorf("%q: must be from %d to %d", s, lo, hi)
		}
		return n, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		span, step, stepped := strings.Cut(part, "/")
		from, to, every := lo, hi, 1
		if stepped {
			if every, err = strconv.Atoi(step); err != nil || every < 1 || every > hi {
				return 0, fmt.Errorf("step %q: must be from 1 to %d", step, hi)
			}
		}
		if span != "*" {
			first, last, ranged := strings.Cut(span, "-")
			if from, err = number(first); err != nil {
				return 0, err
			}
			switch {
			case ranged:
				if to, err = number(last); err != nil {
					return 0, err
				}
			case !stepped:
				to = from
			}
			if to < from {
				return 0, fmt.Errorf("%q: ends before it begins", span)
			}
		}
		for n := from; n <= to; n += every {
			set |= 1 << n
		}
	}
	return set, nil
}

// next returns the first minute after t that is in the timetable, on t's clock;
// the zero time if none is within eight years, which hold every date there is.
// A time that the clock leaps over in spring is left out; one that comes twice
// in autumn counts once.
func (c cron) next(t time.Time) time.Time {
	zone := t.Location()
	day := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, zone)
	for range 8*366 + 1 {
		y, m, d := day.Date()
		if c.months>>m&1 == 1 && c.fits(day) {
			for hours := c.hours; hours != 0; hours &= hours - 1 {
				for minutes := c.minutes; minutes != 0; minutes &= minutes - 1 {
					hour, minute := bits.TrailingZeros64(hours), bits.TrailingZeros64(minutes)
					at := time.Date(y, m, d, hour, minute, 0, 0, zone)
					if at.After(t) && at.Hour() == hour && at.Minute() == minute {
						return at
					}
				}
			}
		}
		day = time.Date(y, m, d+1, 0, 0, 0, 0, zone)
	}
	return time.Time{}
}

func (c cron) fits(day time.Time) bool {
	ofMonth := c.days>>day.Day()&1 == 1
	ofWeek := c.weekdays>>day.Weekday()&1 == 1
	if c.anyDay {
		return ofMonth && ofWeek
	}
	return ofMonth || ofWeek
}
