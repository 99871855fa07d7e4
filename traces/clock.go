package traces

import (
	"bytes"
	"fmt"
	"strings"
	"time"
)

// Arrivals from here on, in ns, count from 1970: three years after its start
// no trace begins.
const unixFrom = 100_000_000 * int64(time.Second)

// clock reads the times of a foreign file. The zero clock takes numbers for
// seconds, and dates without a zone for UTC.
type clock struct {
	zone *time.Location
	unit time.Duration
}

// ParseTimeUnit returns the unit called name: s, ms, us or ns.
func ParseTimeUnit(name string) (time.Duration, error) {
	switch name {
	case "s":
		return time.Second, nil
	case "ms":
		return time.Millisecond, nil
	case "us", "µs":
		return time.Microsecond, nil
	case "ns":
		return time.Nanosecond, nil
	}
	return 0, fmt.Errorf("time unit %q: must be s, ms, us or ns", name)
}

// span reads a number of the clock's unit, rounded to the nanosecond.
func (c clock) span(f []byte) (int64, *rowError) {
	scale := 9
	switch c.unit {
	case time.Millisecond:
		scale = 6
	case time.Microsecond:
		scale = 3
	case time.Nanosecond:
		scale = 0
	}
	return parseTime(f, scale, true)
}

// instantAllowed says what an instant must be.
const instantAllowed = "must be a date such as 2008-06-01 09:30:00+02, or a number"

// dated reports whether a field looks like a date rather than a number:
// 2008-06-01, and what follows.
func dated(f []byte) bool { return len(f) >= len("2008-06-01") && f[4] == '-' && f[7] == '-' }

// date reads a date and a time of day as databases and people write them, and
// returns it in ns from 1970: 2008-06-01, 2008-06-01 09:30, with T in the place
// of the blank, seconds with up to nine decimals, and a zone: Z, UTC, +02,
// -0700, +05:30. What has no zone is of the clock's.
func (c clock) date(f []byte) (int64, *rowError) {
	bad := func(detail string) (int64, *rowError) { return 0, &rowError{why: BadTime, detail: detail} }
	r := dateReader{rest: f, ok: true}
	year, month, day := r.digits(4), r.after('-').digits(2), r.after('-').digits(2)
	var hour, minute, second, ns int
	if r.next("Tt ") {
		hour, minute = r.digits(2), r.after(':').digits(2)
		if r.next(":") {
			second = r.digits(2)
			if r.next(".,") {
				ns = r.decimals()
			}
		}
	}
	zone, zoned := r.zone()
	if !r.ok || len(r.rest) > 0 {
		return bad(instantAllowed)
	}
	if !zoned {
		if zone = c.zone; zone == nil {
			zone = time.UTC
		}
	}
	t := time.Date(year, time.Month(month), day, hour, minute, second, ns, zone)
	if inMonth := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC); month < 1 || month > 12 || inMonth.Day() != day {
		return bad("has no such day")
	}
	if hour > 23 || minute > 59 || second > 59 {
		return bad("has no such time of day")
	}
	if year < 1973 || year > 2115 || t.UnixNano() < unixFrom { // years far away overflow UnixNano
		return 0, &rowError{why: OutOfRange, detail: "must lie between March 1973 and the end of 2115"}
	}
	return t.UnixNano(), nil
}

// dateReader reads a date from its front. ok is false once something was not
// as expected.
type dateReader struct {
	rest []byte
	ok   bool
}

// digits reads a number of exactly n digits.
func (r *dateReader) digits(n int) int {
	if len(r.rest) < n {
		r.ok = false
		return 0
	}
	v := 0
	for _, d := range r.rest[:n] {
		r.ok = r.ok && d >= '0' && d <= '9'
		v = v*10 + int(d) - '0'
	}
	r.rest = r.rest[n:]
	return v
}

// after reads one byte that must be c.
func (r *dateReader) after(c byte) *dateReader {
	r.ok = r.next(string(c)) && r.ok
	return r
}

// next reads one byte if it is one of set's.
func (r *dateReader) next(set string) bool {
	if len(r.rest) == 0 || strings.IndexByte(set, r.rest[0]) < 0 {
		return false
	}
	r.rest = r.rest[1:]
	return true
}

// decimals reads up to nine decimals of a second, in ns.
func (r *dateReader) decimals() int {
	n := 0
	for n < len(r.rest) && n < 9 && r.rest[n] >= '0' && r.rest[n] <= '9' {
		n++
	}
	r.ok = r.ok && n > 0
	return r.digits(n) * int(pow10[9-n])
}

// zone reads the zone at the end of a date, if there is one.
func (r *dateReader) zone() (zone *time.Location, zoned bool) {
	r.rest = bytes.TrimLeft(r.rest, " ")
	switch string(r.rest) {
	case "":
		return nil, false
	case "Z", "z", "UTC", "GMT":
		r.rest = nil
		return time.UTC, true
	}
	sign := 1
	if r.rest[0] == '-' {
		sign = -1
	}
	if !r.next("+-") {
		r.ok = false
		return nil, false
	}
	offset := r.digits(2) * 3600
	if len(r.rest) > 0 {
		r.next(":")
		minutes := r.digits(2)
		r.ok = r.ok && minutes < 60
		offset += minutes * 60
	}
	r.ok = r.ok && offset <= 15*3600
	return time.FixedZone("", sign*offset), true
}
