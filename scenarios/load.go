package scenarios

import (
	"context"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/skynet-ec2/skynet/policy"
)

// Replace is what the command line puts in the place of parts of a scenario.
// Its paths are relative to the working directory. The zero Replace changes
// nothing.
type Replace struct {
	// Trace file, instead of the [trace] and [generate] tables and of duration.
	Trace string
	// Policy file, or name that stands for its defaults, instead of the [policy]
	// table.
	Policy string
	// Set are values in the place of those in the file.
	Set []Setting
}

// Load reads and checks a scenario file. Everything that is wrong with it is
// reported at once, as Problems; other errors are those of reading the file.
func Load(path string) (*Scenario, error) {
	return LoadWith(context.Background(), path, Replace{})
}

// LoadWith is Load with parts of the scenario replaced. A file that is a pipe is
// waited for until ctx is done: the scenario's own, those that it names, and,
// whenever it is opened, its trace.
func LoadWith(ctx context.Context, path string, with Replace) (*Scenario, error) {
	text, err := readFile(ctx, path)
	if err != nil {
		return nil, err
	}
	s, err := parseScenario(ctx, path, text, with)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err() // a file that it names was waited for in vain
	}
	return s, err
}

// parseScenario returns the scenario that text says, which stands at path.
func parseScenario(ctx context.Context, path string, text []byte, with Replace) (*Scenario, error) {
	s := &Scenario{Path: path, Name: stem(path), ctx: ctx}
	for _, x := range with.Set {
		s.Name += " " + x.String()
	}
	d, raw := parse(path, text)
	if kindOf(raw) == PolicyFile {
		d.problems = append(d.problems, Problem{File: path, Reason: "a policy, not a scenario: --policy names it, or file in the scenario's [policy]"})
	}
	if len(d.problems) > 0 {
		return nil, d.problems.sorted()
	}
	s.lines = d.lines
	params, others := ofPolicy(with.Set)
	d.set(raw, others)
	var inside []Setting // parameters that are set in the scenario itself
	if table, _ := raw["policy"].(map[string]any); with.Policy == "" && table["file"] == nil {
		d.setParams(raw, params)
		params, inside = nil, params
	}
	d.table(raw, reflect.ValueOf(s).Elem(), "")
	s.checkTrace(d, with)
	if with.Trace != "" {
		s.replaceTrace(with.Trace)
	}
	s.checkCloud(d)
	s.checkClasses(d)
	s.checkFaults(d)
	s.checkGuard(d)
	s.checkWindows(d)
	s.checkPromises(d)
	s.checkExpects(d)
	s.checkPolicy(d, with.Policy, params, inside)
	if err := d.verdict(); err != nil {
		return nil, err
	}
	return s, nil
}

// replaceTrace puts a file in the place of the scenario's trace.
func (s *Scenario) replaceTrace(file string) {
	t := &Trace{}
	newDocument(file).table(map[string]any{"file": file}, reflect.ValueOf(t).Elem(), "trace")
	s.Trace, s.Generate, s.Duration, s.replaced = t, nil, 0, true
}

// stem returns the name of a file without folder and extension.
func stem(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base))
}

// Catalog returns what is sold in the scenario, its billing rule applied.
func (s *Scenario) Catalog() policy.Catalog { return s.catalog }

// classes returns the classes as a simulation wants them.
func (s *Scenario) classes() []policy.Class {
	list := make([]policy.Class, len(s.Classes))
	for i := range s.Classes {
		c := &s.Classes[i]
		list[i] = policy.Class{Name: c.Name, Types: c.Types, Priority: -1, Target: c.Target, Attain: c.Attain, WorstHour: c.WorstHour}
		if c.Priority != nil {
			list[i].Priority = *c.Priority
		}
		if c.On == policy.Wait.String() {
			list[i].On = policy.Wait
		}
	}
	return list
}
