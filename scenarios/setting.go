package scenarios

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/skynet-ec2/skynet/policy"
)

// Setting is a value put in the place of one in a file.
type Setting struct {
	Key   string // path of the key, such as cloud.boot.median or class[2].target
	Value string // as TOML writes it; a text may go without its quotes
}

// ParseSetting returns the setting that text says, KEY=VALUE.
func ParseSetting(text string) (Setting, error) {
	key, value, ok := strings.Cut(text, "=")
	if !ok || value == "" || !IsKey(key) {
		return Setting{}, fmt.Errorf("%s: must be KEY=VALUE, such as cloud.billing=hourly", text)
	}
	return Setting{key, value}, nil
}

// IsKey reports whether text could be the path of a key.
func IsKey(text string) bool { return !strings.Contains("."+text+".", "..") }

// String returns the setting as a flag writes it: cloud.boot.median=30s.
func (s Setting) String() string { return s.Key + "=" + s.Value }

// set puts the settings into a file's values. A key that does not exist, or a
// value that it cannot have, is found by whoever decodes them.
func (d *document) set(raw map[string]any, settings []Setting) {
	for _, s := range settings {
		d.setAs(raw, s.Key, s)
	}
}

// setAs puts a setting's value at the path at of a file's values, where its key
// means another.
func (d *document) setAs(raw map[string]any, at string, s Setting) {
	d.changed = append(d.changed, change{at, s.Key})
	if err := put(raw, strings.Split(at, "."), s.value()); err != "" {
		d.problems = append(d.problems, Problem{File: d.file, Key: at, Value: s.Value, Reason: err})
	}
}

// change is a value that a setting has put into a file.
type change struct {
	at  string // the path of the value
	key string // of the setting, as the command line has it
}

// commandLine stands in a Problem for the file where a setting is to blame.
const commandLine = "command line"

// paramKey returns the key of a setting of the policy's parameter.
func paramKey(name string) string { return "policy." + name }

// value returns the value as TOML reads it, or as a text.
func (s Setting) value() any {
	var x struct{ Value any }
	if _, err := toml.Decode("value = "+s.Value, &x); err != nil || strings.Contains(s.Value, "\n") {
		return s.Value
	}
	return x.Value
}

// put sets the value at a path of tables, which it makes where there are none.
// A table of a list goes by its number, from 1: class[2].
func put(raw map[string]any, path []string, value any) (problem string) {
	for _, step := range path[:len(path)-1] {
		name, number, numbered := numbered(step)
		inner, there := raw[name]
		if !there && !numbered {
			inner = map[string]any{}
			raw[name] = inner
		}
		list, isList := tablesOf(inner)
		switch {
		case numbered && (number < 1 || number > len(list)):
			return fmt.Sprintf("there is no %s: it has %d of them", step, len(list))
		case numbered:
			raw = list[number-1]
			continue
		case isList:
			return fmt.Sprintf("%s is a list of tables, the first of which is %s[1]", name, name)
		}
		table, ok := inner.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is no table, and only keys of tables can be set", name)
		}
		raw = table
	}
	raw[path[len(path)-1]] = value
	return ""
}

// tablesOf returns a list of tables, written as [[class]] or within brackets.
func tablesOf(value any) (list []map[string]any, ok bool) {
	if list, ok = value.([]map[string]any); ok {
		return list, true
	}
	values, ok := value.([]any)
	for _, x := range values {
		table, isTable := x.(map[string]any)
		if !isTable {
			return nil, false
		}
		list = append(list, table)
	}
	return list, ok
}

// numbered splits a step such as class[2].
func numbered(step string) (name string, number int, ok bool) {
	name, rest, _ := strings.Cut(step, "[")
	number, err := strconv.Atoi(strings.TrimSuffix(rest, "]"))
	if err != nil || !strings.HasSuffix(step, "]") {
		return step, 0, false
	}
	return name, number, true
}

// ofPolicy parts settings of the policy's parameters, policy.NAME, from the others,
// and returns them as NAME. What else a [policy] table has is the scenario's.
func ofPolicy(settings []Setting) (params, others []Setting) {
	for _, s := range settings {
		name, ok := strings.CutPrefix(s.Key, "policy.")
		table, _, _ := strings.Cut(name, "[")
		if ok && !slices.Contains([]string{"name", "file", "state", "step"}, table) {
			params = append(params, Setting{strings.TrimPrefix(name, "params."), s.Value})
		} else {
			others = append(others, s)
		}
	}
	return params, others
}

// setParams puts parameters into the [policy] table of a scenario: where it has
// them already, else into its table of parameters.
func (d *document) setParams(raw map[string]any, params []Setting) {
	table, _ := raw["policy"].(map[string]any)
	for _, s := range params {
		at := "policy.params." + s.Key
		if _, direct := table[s.Key]; direct {
			at = "policy." + s.Key
		}
		d.setAs(raw, at, Setting{paramKey(s.Key), s.Value})
	}
}

// namesOf returns the keys of settings.
func namesOf(settings []Setting) []string {
	var names []string
	for _, s := range settings {
		names = append(names, s.Key)
	}
	return names
}

// verdict returns everything that is wrong with the document. What was set is not
// the file's fault, and goes by the key that set it.
func (d *document) verdict() error {
	for i := range d.problems {
		p := &d.problems[i]
		if p.File != d.file {
			continue
		}
		for _, c := range d.changed {
			filed := asFiled(c.at)
			_, stands := d.lines[p.Key]
			made := !stands && under(filed, p.Key) // a table that only the setting has
			if !under(p.Key, c.at) && !under(p.Key, filed) && !made {
				continue
			}
			p.File, p.Line = commandLine, 0
			if rest, ok := strings.CutPrefix(p.Key, c.at); ok && c.key != c.at {
				p.Key = c.key + rest
			}
			break
		}
	}
	return d.problems.sorted()
}

// under reports whether path is that of key, or of what is inside.
func under(path, key string) bool {
	rest, ok := strings.CutPrefix(path, key)
	return ok && (rest == "" || rest[0] == '.' || rest[0] == '[')
}

// asFiled returns the path of a key as problems write it: what is no bare name in
// quotes, but for the number of a table.
func asFiled(key string) string {
	steps := strings.Split(key, ".")
	path := ""
	for i, step := range steps {
		name, number, ok := numbered(step)
		if !ok || i == len(steps)-1 {
			path = join(path, step)
			continue
		}
		path = element(join(path, name), number)
	}
	return path
}

// PolicyWith returns the policy of the file at path or, without a path, the one
// of that name, for the scenario's catalog and with some of its parameters
// replaced. What is wrong with those is told to be on the command line.
func (s *Scenario) PolicyWith(path, name string, settings []Setting) (*Policy, error) {
	return policyWith(s.ctx, path, name, &s.catalog, settings)
}

// policyWith is PolicyWith for a catalog. A pipe is waited for until ctx is done.
func policyWith(ctx context.Context, path, name string, c *policy.Catalog, settings []Setting) (*Policy, error) {
	if path == "" && len(settings) == 0 {
		return NamedPolicy(name)
	}
	text := []byte("name = " + quoted(name))
	file := "policy " + name
	if path != "" {
		file = path
		var err error
		if text, err = readFile(ctx, path); err != nil {
			return nil, err
		}
	} else if _, err := NamedPolicy(name); err != nil {
		return nil, err
	}
	d, raw := parse(file, text)
	var p *Policy
	if len(d.problems) == 0 {
		for _, s := range settings {
			d.setAs(raw, "params."+s.Key, Setting{paramKey(s.Key), s.Value})
		}
		if p = readPolicy(d, raw, c); p != nil {
			p.Path, p.set = path, namesOf(settings)
		}
	}
	if err := d.verdict(); err != nil {
		return nil, err
	}
	return p, nil
}
