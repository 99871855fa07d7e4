package scenarios

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/skynet-ec2/skynet/policy"
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
	if isTrace(file, text) {
		d.problems = append(d.problems, Problem{File: file, Reason: "a trace, not a TOML file; to make a scenario of it, run: skynet scenario new FILE.toml --from-trace " + spell.Shell(file)})
		return d, nil
	}
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

// isTrace reports whether a file looks like a trace of jobs by its name or its
// first bytes.
func isTrace(file string, text []byte) bool {
	base := strings.ToLower(file)
	base = strings.TrimSuffix(strings.TrimSuffix(base, ".gz"), ".zst")
	switch filepath.Ext(base) {
	case ".csv", ".tsv", ".swf", ".gwf", ".parquet":
		return true
	}
	return bytes.HasPrefix(text, []byte("PAR1"))
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

// homeOf tells which table of a scenario has the key name, the parameters of
// policies among them, "" if none or the one at path.
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
	if path == "" && slices.ContainsFunc(Policies(), func(s *policy.Spec) bool { return s.Param(name) != nil }) {
		return "in [policy]"
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

// beside returns the path of a file named in the file at path.
func beside(path, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(filepath.Dir(path), name)
}
