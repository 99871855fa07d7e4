package scenarios

import (
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"

	"github.com/skynet-ec2/skynet/policy"
)

// Setting is a value put in the place of one in a file.
type Setting struct {
	Key   string // path of the key, such as cloud.boot.median
	Value string // as TOML writes it; a text may go without its quotes
}

// String returns the setting as a flag writes it: cloud.boot.median=30s.
func (s Setting) String() string { return s.Key + "=" + s.Value }

// set puts the settings into a file's values. A key that does not exist, or a
// value that it cannot have, is found by whoever decodes them.
func (d *document) set(raw map[string]any, settings []Setting) {
	for _, s := range settings {
		if err := put(raw, strings.Split(s.Key, "."), s.value()); err != "" {
			d.problems = append(d.problems, Problem{File: d.file, Key: s.Key, Value: s.Value, Reason: err})
		}
	}
}

// value returns the value as TOML reads it, or as a text.
func (s Setting) value() any {
	var x struct{ Value any }
	if _, err := toml.Decode("value = "+s.Value, &x); err != nil || strings.Contains(s.Value, "\n") {
		return s.Value
	}
	return x.Value
}

// put sets the value at a path of tables, which it makes where there are none.
func put(raw map[string]any, path []string, value any) (problem string) {
	for _, name := range path[:len(path)-1] {
		inner, there := raw[name]
		if !there {
			inner = map[string]any{}
			raw[name] = inner
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

// PolicyWith returns the policy of the file at path or, without a path, the one
// of that name, with some of its parameters replaced.
func PolicyWith(path, name string, c *policy.Catalog, settings []Setting) (*Policy, error) {
	if path == "" && len(settings) == 0 {
		return NamedPolicy(name)
	}
	text := []byte("name = " + quoted(name))
	file := "policy " + name
	if path != "" {
		file = path
		var err error
		if text, err = readFile(path); err != nil {
			return nil, err
		}
	} else if _, err := NamedPolicy(name); err != nil {
		return nil, err
	}
	d, raw := parse(file, text)
	var p *Policy
	if len(d.problems) == 0 {
		var params []Setting
		for _, s := range settings {
			params = append(params, Setting{"params." + s.Key, s.Value})
		}
		d.set(raw, params)
		p = readPolicy(d, raw, c)
		p.Path = path
	}
	if err := d.problems.sorted(); err != nil {
		return nil, err
	}
	return p, nil
}
