package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/skynet-ec2/skynet/reports"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/scenarios/grid"
)

// sweep is a key with the values to try.
type sweep struct {
	key    string
	values []string
}

// base is what a scenario or policy is without what a sweep set.
type base struct {
	name string
	set  []reports.Setting
}

// readSweeps returns what the --sweep flags say, for scenarios and for policies.
func readSweeps(flags []string) (world, params []sweep, err error) {
	if len(flags) > 2 {
		return nil, nil, fmt.Errorf("--sweep: at most two keys, have %d", len(flags))
	}
	var seen []string
	for _, text := range flags {
		key, list, ok := strings.Cut(text, "=")
		values := strings.Split(list, ",")
		switch {
		case !ok || !scenarios.IsKey(key) || slices.Contains(values, ""):
			return nil, nil, fmt.Errorf("--sweep %s: must be KEY=VALUE,VALUE…", text)
		case slices.Contains(seen, key):
			return nil, nil, fmt.Errorf("--sweep %s: is given twice", key)
		}
		for i, v := range values {
			if slices.Contains(values[:i], v) {
				return nil, nil, fmt.Errorf("--sweep %s: the value %s stands there twice", key, v)
			}
		}
		seen = append(seen, key)
		if name, ok := strings.CutPrefix(key, "policy."); ok {
			params = append(params, sweep{name, values})
		} else {
			world = append(world, sweep{key, values})
		}
	}
	return world, params, nil
}

// combinations returns every choice of one value for each key, the last key
// changing fastest; one empty choice without keys.
func combinations(sweeps []sweep) [][]scenarios.Setting {
	list := [][]scenarios.Setting{nil}
	for _, s := range sweeps {
		var longer [][]scenarios.Setting
		for _, begun := range list {
			for _, v := range s.values {
				longer = append(longer, append(slices.Clone(begun), scenarios.Setting{Key: s.key, Value: v}))
			}
		}
		list = longer
	}
	return list
}

// addScenario takes in a scenario file, once for every combination of values. Where
// two would be called alike, the later goes by its path.
func (c *comparing) addScenario(path string) error {
	for _, set := range combinations(c.world) {
		s, err := scenarios.LoadWith(c.app.ctx, path, scenarios.Replace{Trace: c.trace, Set: set})
		if err == nil {
			err = c.app.fetch(s)
		}
		if err != nil {
			return err
		}
		base := stemOf(path)
		if slices.ContainsFunc(c.grid.Scenarios, func(other *scenarios.Scenario) bool { return other.Name == s.Name }) {
			s.Name, base = path+strings.TrimPrefix(s.Name, base), path
		}
		c.grid.Scenarios = append(c.grid.Scenarios, s)
		c.note(s.Name, base, "", set)
	}
	return nil
}

// enter has every entrant take part, once for every combination of values. Where
// two would be called alike, a file goes by its path.
func (c *comparing) enter() {
	taken := map[string]bool{}
	for _, e := range c.entrants {
		name := e.name
		if e.path != "" && (c.named(name) || taken[name]) {
			name = e.path
		}
		taken[name] = true
		for _, set := range combinations(c.params) {
			full := name
			for _, x := range set {
				full += " " + x.String()
			}
			c.grid.Policies = append(c.grid.Policies, grid.Contender{Name: full, Path: e.path, Of: name, Set: set})
			c.note(full, name, "policy.", set)
		}
	}
}

// note remembers what a name stands for without what was set.
func (c *comparing) note(full, name, prefix string, set []scenarios.Setting) {
	if c.bases == nil {
		c.bases = map[string]base{}
	}
	b := base{name: name}
	for _, x := range set {
		b.set = append(b.set, reports.Setting{Key: prefix + x.Key, Value: x.Value})
	}
	c.bases[full] = b
}
