package scenarios

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy/spell"
	"github.com/skynet-ec2/skynet/traces/pipe"

	"github.com/BurntSushi/toml"
)

// document is a TOML file that is being read.
type document struct {
	file     string
	lines    lines
	given    map[string]bool // paths of keys that the file has
	changed  []change        // values that come from the command line
	problems Problems
}

func newDocument(file string) *document {
	return &document{file: file, given: map[string]bool{}}
}

// parse returns the content of a TOML text as plain values. Problems of syntax
// are the document's.
func parse(file string, text []byte) (*document, map[string]any) {
	d := newDocument(file)
	if len(text) > fileMax {
		d.problems = append(d.problems, Problem{File: file, Reason: fmt.Sprintf("larger than %d bytes", fileMax)})
		return d, nil
	}
	var err error
	if d.lines, err = locate(string(text)); err != nil {
		d.problems = append(d.problems, Problem{File: file, Reason: err.Error()})
		return d, nil
	}
	var raw map[string]any
	if _, err := toml.Decode(string(text), &raw); err != nil {
		p := Problem{File: file, Reason: strings.TrimPrefix(err.Error(), "toml: ")}
		if syntax, ok := err.(toml.ParseError); ok {
			p.Line, p.Reason = syntax.Position.Line, syntax.Message
			if p.Reason == "" {
				p.Reason = strings.TrimPrefix(syntax.Error(), "toml: ")
			}
			p.Reason = "not TOML: " + p.Reason
		}
		d.problems = append(d.problems, p)
		return d, nil
	}
	return d, raw
}

// readFile returns the content of a file that is no longer than fileMax, or
// one byte more. A pipe is waited for until ctx is done.
func readFile(ctx context.Context, path string) ([]byte, error) {
	f, err := pipe.Open(ctx, path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, fileMax+1))
}

// bad reports the value of the key at path.
func (d *document) bad(path string, value any, allowed string) {
	d.problems = append(d.problems, Problem{
		File: d.file, Line: d.lines.of(path), Key: path, Value: tomlValue(value), Allowed: allowed,
	})
}

// wrong reports a key or table for a reason.
func (d *document) wrong(path, reason string) {
	d.problems = append(d.problems, Problem{File: d.file, Line: d.lines.of(path), Key: path, Reason: reason})
}

// badWord reports a word that is none of the known ones.
func (d *document) badWord(path, word string, known []string, allowed string) {
	d.problems = append(d.problems, Problem{
		File: d.file, Line: d.lines.of(path), Key: path, Value: tomlValue(word),
		Allowed: allowed, Nearest: spell.Nearest(word, known),
	})
}

// table decodes raw into the struct v, which becomes the table at path, and
// gives keys that are left out their defaults.
func (d *document) table(raw map[string]any, v reflect.Value, path string) {
	keys := fields(v.Type())
	selector, selected := "", ""
	for i := range keys {
		if f := &keys[i]; f.selects {
			selector = f.name
			selected, _ = raw[f.name].(string)
			if _, given := raw[f.name]; !given {
				selected = f.def
			}
		}
	}
	known := make(map[string]bool, len(keys))
	for i := range keys {
		f := &keys[i]
		if f.rest {
			continue
		}
		known[f.name] = true
		at := join(path, f.name)
		value, given := raw[f.name]
		if given {
			d.given[at] = true
		}
		switch applies := f.appliesTo(selected); {
		case given && !applies && validChoice(keys, selected):
			d.wrong(at, fmt.Sprintf("%s = %q has no such key", selector, selected))
		case given && applies:
			d.value(f, v.Field(f.index), value, at)
		case !given && applies:
			d.leftOut(f, v.Field(f.index), path, at)
		}
	}
	d.unknown(raw, v, keys, known, path)
}

// validChoice reports whether the selecting key has one of its values.
func validChoice(keys []field, selected string) bool {
	for i := range keys {
		if f := &keys[i]; f.selects {
			return slices.Contains(f.choices, selected)
		}
	}
	return false
}

// unknown reports the keys of raw that the table does not have, unless it
// collects them.
func (d *document) unknown(raw map[string]any, v reflect.Value, keys []field, known map[string]bool, path string) {
	names := make([]string, 0, len(keys))
	var rest *field
	for i := range keys {
		if keys[i].rest {
			rest = &keys[i]
		} else {
			names = append(names, keys[i].name)
		}
	}
	var strange []string
	for name := range raw {
		if !known[name] {
			strange = append(strange, name)
		}
	}
	slices.Sort(strange)
	for _, name := range strange {
		if rest != nil {
			m := v.Field(rest.index)
			if m.IsNil() {
				m.Set(reflect.MakeMap(m.Type()))
			}
			m.SetMapIndex(reflect.ValueOf(name), reflect.ValueOf(raw[name]))
			continue
		}
		p := Problem{File: d.file, Line: d.lines.of(join(path, name)), Key: join(path, name), Reason: "unknown key", Nearest: spell.Nearest(name, names)}
		if home := homeOf(name, path); p.Nearest == "" && home != "" {
			p.Reason = "unknown key here: it belongs " + home
		}
		d.problems = append(d.problems, p)
	}
}

// homeOf tells which table of a scenario has the key name, "" if none or the
// one at path.
func homeOf(name, path string) string {
	root := reflect.TypeFor[Scenario]()
	for _, f := range fields(root) {
		if f.name == name && path != "" {
			return "at the top of the file"
		}
		if s := shapeOf(f.typ); s != aTable && s != someTables || strings.HasPrefix(path, f.name) {
			continue
		}
		for _, inner := range fields(tableType(f.typ)) {
			if inner.name == name {
				if shapeOf(f.typ) == someTables {
					return "in [[" + f.name + "]]"
				}
				return "in [" + f.name + "]"
			}
		}
	}
	return ""
}

// tableType returns the struct type behind a table, several or named ones.
func tableType(t reflect.Type) reflect.Type {
	for t.Kind() != reflect.Struct {
		t = t.Elem()
	}
	return t
}

// leftOut gives a key that the file does not have its default.
func (d *document) leftOut(f *field, v reflect.Value, table, path string) {
	switch {
	case f.required:
		d.problems = append(d.problems, Problem{File: d.file, Line: d.lines.of(table), Key: path, Reason: "missing: it must be given"})
	case shapeOf(f.typ) == aTable && f.typ.Kind() == reflect.Struct:
		d.table(nil, v, path)
	case f.def != "":
		d.value(f, v, literal(f), path)
	}
}

// literal returns the default of a key as a TOML decoder would.
func literal(f *field) any {
	t := f.typ
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if t != durationType {
		switch t.Kind() {
		case reflect.Bool:
			return f.def == "true"
		case reflect.Int, reflect.Int64, reflect.Uint64:
			n, _ := strconv.ParseInt(f.def, 10, 64)
			return n
		case reflect.Float64:
			x, _ := strconv.ParseFloat(f.def, 64)
			return x
		}
	}
	return f.def
}

// value decodes raw into v, the value of the key f at path.
func (d *document) value(f *field, v reflect.Value, raw any, path string) {
	switch shapeOf(f.typ) {
	case aTable:
		m, ok := raw.(map[string]any)
		if !ok {
			d.bad(path, raw, "a table")
			return
		}
		if v.Kind() == reflect.Pointer {
			v.Set(reflect.New(v.Type().Elem()))
			v = v.Elem()
		}
		d.table(m, v, path)
	case someTables:
		d.tables(v, raw, path)
	case namedTables:
		m, ok := raw.(map[string]any)
		if !ok {
			d.bad(path, raw, "a table of tables")
			return
		}
		v.Set(reflect.MakeMap(v.Type()))
		for _, name := range sortedKeys(m) {
			inner, ok := m[name].(map[string]any)
			if !ok {
				d.bad(join(path, name), m[name], "a table")
				continue
			}
			e := reflect.New(v.Type().Elem()).Elem()
			d.table(inner, e, join(path, name))
			v.SetMapIndex(reflect.ValueOf(name), e)
		}
	case anyParameters:
		m, ok := raw.(map[string]any)
		if !ok {
			d.bad(path, raw, "a table")
			return
		}
		v.Set(reflect.ValueOf(m))
	default:
		d.scalar(f, v, raw, path)
	}
}

// tables decodes an array of tables.
func (d *document) tables(v reflect.Value, raw any, path string) {
	var list []map[string]any
	switch raw := raw.(type) {
	case []map[string]any:
		list = raw
	case []any:
		for _, e := range raw {
			m, ok := e.(map[string]any)
			if !ok {
				d.bad(path, raw, "a list of tables")
				return
			}
			list = append(list, m)
		}
	default:
		d.bad(path, raw, "a list of tables, written [["+path+"]]")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(list), len(list)))
	for i, m := range list {
		d.table(m, v.Index(i), element(path, i+1))
	}
}

func sortedKeys[T any](m map[string]T) []string {
	return slices.Sorted(maps.Keys(m))
}

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
		t, ok := raw.(time.Time)
		if ok && strings.HasSuffix(t.Location().String(), "-local") {
			ok = false
		}
		if !ok || t.Year() < 1970 || t.Year() > 2200 {
			d.bad(path, raw, "a date and time with its zone, such as 2008-06-01T00:00:00Z, from 1970 to 2200")
			return
		}
		v.Set(reflect.ValueOf(t.UTC()))
		return
	case weekTimeType:
		s, _ := raw.(string)
		t, err := parseWeekTime(s)
		if err != nil {
			d.bad(path, raw, `a weekday and hour, such as "Wed 02:00", or a time since the trace's start, such as "30h"`)
			return
		}
		v.Set(reflect.ValueOf(t))
		return
	}
	switch v.Kind() {
	case reflect.String:
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
	case reflect.Bool:
		b, ok := raw.(bool)
		if !ok {
			d.bad(path, raw, "true or false")
			return
		}
		v.SetBool(b)
	case reflect.Int, reflect.Uint64:
		n, ok := raw.(int64)
		if !ok || !within(f, float64(n)) {
			d.bad(path, raw, "a whole number"+bounds(f))
			return
		}
		if v.Kind() == reflect.Int {
			v.SetInt(n)
		} else {
			v.SetUint(uint64(n))
		}
	case reflect.Float64:
		x, ok := raw.(float64)
		if n, whole := raw.(int64); whole {
			x, ok = float64(n), true
		}
		if !ok || math.IsNaN(x) || math.IsInf(x, 0) || !within(f, x) {
			d.bad(path, raw, "a number"+bounds(f))
			return
		}
		v.SetFloat(x)
	case reflect.Slice:
		d.list(f, v, raw, path)
	}
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

// tomlValue returns a value as TOML writes it, cut to a readable length.
func tomlValue(v any) string {
	s := ""
	switch v := v.(type) {
	case string:
		s = strconv.Quote(v)
	case float64:
		s = tomlFloat(v)
	case time.Time:
		s = v.Format(tomlTimeLayout(v))
	case time.Duration:
		s = strconv.Quote(FormatDuration(v))
	case []any:
		parts := make([]string, 0, len(v))
		for _, e := range v[:min(len(v), 20)] {
			parts = append(parts, tomlValue(e))
		}
		s = "[" + strings.Join(parts, ", ") + "]"
	case []string:
		parts := make([]string, len(v))
		for i, e := range v {
			parts[i] = strconv.Quote(e)
		}
		s = "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		s = "{…}"
	case []map[string]any:
		s = "[{…}]"
	default:
		s = fmt.Sprint(v)
	}
	const most = 80
	if len(s) > most {
		cut := most
		for cut > 0 && s[cut]&0xc0 == 0x80 { // within a character
			cut--
		}
		s = s[:cut] + "…"
	}
	return s
}

// tomlFloat returns x as TOML writes a float: never as a whole number.
func tomlFloat(x float64) string {
	switch {
	case math.IsNaN(x):
		return "nan"
	case math.IsInf(x, 1):
		return "inf"
	case math.IsInf(x, -1):
		return "-inf"
	}
	s := strconv.FormatFloat(x, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

// beside returns the path of a file named in the file at path.
func beside(path, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(path), name)
}

// tomlTimeLayout returns the layout in which t stood in its file: TOML has dates,
// times of day and times without a zone too.
func tomlTimeLayout(t time.Time) string {
	switch t.Location().String() {
	case "date-local":
		return time.DateOnly
	case "time-local":
		return "15:04:05.999999999"
	case "datetime-local":
		return "2006-01-02T15:04:05.999999999"
	}
	return time.RFC3339Nano
}
