package scenarios

import (
	"fmt"
	"math"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// scalar decodes a value or a list of values.
func (d *document) scalar(f *field, v reflect.Value, raw any, path string) {
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	switch v.Type() {
	case durationType:
		if x, ok := d.duration(f, raw, path); ok {
			v.SetInt(int64(x))
		}
		return
	case timeType:
		d.instant(v, raw, path)
		return
	case weekTimeType:
		d.weekTime(v, raw, path)
		return
	}
	switch v.Kind() {
	case reflect.String:
		d.text(f, v, raw, path)
	case reflect.Bool:
		b, ok := raw.(bool)
		if !ok {
			d.bad(path, raw, "true or false")
			return
		}
		v.SetBool(b)
	case reflect.Int, reflect.Uint64, reflect.Float64:
		d.number(f, v, raw, path)
	case reflect.Slice:
		d.list(f, v, raw, path)
	}
}

// instant decodes a moment on the calendar.
func (d *document) instant(v reflect.Value, raw any, path string) {
	t, ok := raw.(time.Time)
	if ok && strings.HasSuffix(t.Location().String(), "-local") {
		ok = false
	}
	if !ok || t.Year() < 1970 || t.Year() > 2200 {
		d.bad(path, raw, "a date and time with its zone, such as 2008-06-01T00:00:00Z, from 1970 to 2200")
		return
	}
	v.Set(reflect.ValueOf(t.UTC()))
}

// weekTime decodes a moment of every week, or a time since the trace's start.
func (d *document) weekTime(v reflect.Value, raw any, path string) {
	s, _ := raw.(string)
	t, err := parseWeekTime(s)
	if err != nil {
		d.bad(path, raw, `a weekday and hour, such as "Wed 02:00", or a time since the trace's start, such as "30h"`)
		return
	}
	v.Set(reflect.ValueOf(t))
}

// text decodes a text, or one of several words.
func (d *document) text(f *field, v reflect.Value, raw any, path string) {
	s, ok := raw.(string)
	switch {
	case !ok && f.choices != nil:
		d.bad(path, raw, "one of "+strings.Join(f.choices, ", "))
	case !ok:
		d.bad(path, raw, "a text in quotes")
	case s == "" && f.required:
		d.bad(path, raw, "not empty")
	case f.choices != nil && !slices.Contains(f.choices, s):
		d.badWord(path, s, f.choices, "one of "+strings.Join(f.choices, ", "))
	default:
		v.SetString(s)
	}
}

// number decodes a whole number, or any number, within its bounds.
func (d *document) number(f *field, v reflect.Value, raw any, path string) {
	n, whole := raw.(int64)
	if v.Kind() != reflect.Float64 {
		switch {
		case !whole || !within(f, float64(n)):
			d.bad(path, raw, "a whole number"+bounds(f))
		case v.Kind() == reflect.Int:
			v.SetInt(n)
		default:
			v.SetUint(uint64(n))
		}
		return
	}
	x, ok := raw.(float64)
	if whole {
		x, ok = float64(n), true
	}
	if !ok || math.IsNaN(x) || math.IsInf(x, 0) || !within(f, x) {
		d.bad(path, raw, "a number"+bounds(f))
		return
	}
	v.SetFloat(x)
}

// list decodes a list of texts, which may be a single one, or of durations.
func (d *document) list(f *field, v reflect.Value, raw any, path string) {
	list, ok := raw.([]any)
	if v.Type().Elem() == durationType {
		if want, _ := strconv.Atoi(f.length); !ok || len(list) != want {
			d.bad(path, raw, fmt.Sprintf(`a list of %s durations, such as ["0h", "336h"]`, f.length))
			return
		}
		for i, e := range list {
			x, ok := d.duration(f, e, element(path, i+1))
			if !ok {
				return
			}
			v.Set(reflect.Append(v, reflect.ValueOf(x)))
		}
		return
	}
	if one, single := raw.(string); single {
		list, ok = []any{one}, true
	}
	if !ok || len(list) == 0 {
		d.bad(path, raw, "a text in quotes, or a list of them")
		return
	}
	for i, e := range list {
		s, ok := e.(string)
		if !ok || s == "" {
			d.bad(element(path, i+1), e, "a text in quotes")
			continue
		}
		v.Set(reflect.Append(v, reflect.ValueOf(s)))
	}
}

// duration returns raw, which must be a duration with its unit within the
// key's bounds.
func (d *document) duration(f *field, raw any, path string) (time.Duration, bool) {
	s, ok := raw.(string)
	if !ok {
		example := `"90s"`
		if n, whole := raw.(int64); whole {
			example = fmt.Sprintf(`"%ds"`, n)
		}
		d.bad(path, raw, "a duration with its unit, such as "+example)
		return 0, false
	}
	x, err := parseDuration(s)
	if err != nil && beyondDuration.MatchString(s) {
		allowed := bounds(f)
		if f.max == "" {
			allowed = " of less than 292 years"
		}
		d.bad(path, raw, "a duration"+allowed)
		return 0, false
	}
	if err != nil {
		d.bad(path, raw, `a duration with its unit (ns, µs, ms, s, m, h, d), such as "90s" or "1h30m"`)
		return 0, false
	}
	low, high := durationBounds(f)
	if x < low || x > high {
		d.bad(path, raw, "a duration"+bounds(f))
		return 0, false
	}
	return x, true
}

// beyondDuration matches what is written as a duration. What does and is none is
// longer than 64 bits of nanoseconds.
var beyondDuration = regexp.MustCompile(`^-?([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d))+$`)

func durationBounds(f *field) (low, high time.Duration) {
	low, high = math.MinInt64, math.MaxInt64
	if f.min != "" {
		low, _ = parseDuration(f.min)
	}
	if f.max != "" {
		high, _ = parseDuration(f.max)
	}
	return low, high
}

// within reports whether x is within the bounds of f.
func within(f *field, x float64) bool {
	if low, err := strconv.ParseFloat(f.min, 64); err == nil && x < low {
		return false
	}
	if high, err := strconv.ParseFloat(f.max, 64); err == nil && x > high {
		return false
	}
	return true
}

// bounds returns the bounds of f as " from 0 to 1", " of at least 1", or "".
func bounds(f *field) string {
	switch {
	case f.min != "" && f.max != "":
		return " from " + f.min + " to " + f.max
	case f.min != "":
		return " of at least " + f.min
	case f.max != "":
		return " of at most " + f.max
	}
	return ""
}
