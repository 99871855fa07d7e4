package scenarios

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy/spell"

	"github.com/skynet-ec2/skynet/policy"
)

// policyFile is a file of scenarios/policies, or one that tune has written.
type policyFile struct {
	Name       string         `toml:"name" required:"yes" doc:"The policy's name."`
	Params     map[string]any `toml:"params" doc:"Its parameters; those left out take their defaults."`
	Steps      []Step         `toml:"step" doc:"A step of the policy scripted."`
	Provenance *Provenance    `toml:"provenance" doc:"Where the parameters come from, as skynet tune writes it. simulate says where it does not apply."`
}

// Policy is a policy with its parameters, as a file says it.
type Policy struct {
	Name string
	// Path of its file; "" when it stands in the scenario.
	Path   string
	Spec   *policy.Spec // nil: scripted
	Values policy.Values
	Steps  []policy.Step
	// Provenance of the parameters; nil when the file does not say.
	Provenance *Provenance

	set []string // names of parameters that come from the command line
}

// LoadPolicy reads and checks a policy file against a catalog. Everything that
// is wrong with it is reported at once, as Problems.
func LoadPolicy(path string, c *policy.Catalog) (*Policy, error) {
	text, err := readFile(context.Background(), path)
	if err != nil {
		return nil, err
	}
	return ParsePolicy(path, text, c)
}

// ParsePolicy is LoadPolicy of a text; path is for its messages, and stays the
// policy's.
func ParsePolicy(path string, text []byte, c *policy.Catalog) (*Policy, error) {
	d, raw := parse(path, text)
	var p *Policy
	if len(d.problems) == 0 {
		p = readPolicy(d, raw, c)
	}
	if err := d.problems.sorted(); err != nil {
		return nil, err
	}
	return p, nil
}

// readPolicy returns the policy that a file says; nil where it says a scenario.
func readPolicy(d *document, raw map[string]any, c *policy.Catalog) *Policy {
	if kindOf(raw) == ScenarioFile {
		d.problems = append(d.problems, Problem{File: d.file, Reason: "a scenario, not a policy: a policy's file holds what stands in a scenario's [policy], name at the top, parameters in [params]"})
		return nil
	}
	var f policyFile
	d.table(raw, reflect.ValueOf(&f).Elem(), "")
	spec, _ := lookup(f.Name)
	strayed(d, spec)
	p := &Policy{Name: f.Name, Path: d.file, Provenance: f.Provenance}
	if f.Name != "" {
		p.resolve(d, "", c, f.Params, nil, f.Steps)
	}
	return p
}

// strayed says where keys belong that stand in a policy's file as they would in a
// scenario.
func strayed(d *document, spec *policy.Spec) {
	for i := range d.problems {
		p := &d.problems[i]
		switch {
		case !strings.HasPrefix(p.Reason, "unknown key"):
		case p.Key == "policy":
			p.Reason, p.Nearest = "unknown key here: this file holds what stands in a scenario's [policy]: name at the top, parameters in [params]", ""
		case spec != nil && spec.Param(p.Key) != nil:
			p.Reason, p.Nearest = "unknown key here: it belongs in [params]", ""
		}
	}
}

// checkPolicy resolves the [policy] table, or the file or name in its place. params
// replace some of its parameters, unless the policy stands in the scenario, where
// those of inside have been replaced already.
func (s *Scenario) checkPolicy(d *document, replaced string, params, inside []Setting) {
	t := &s.Policy
	s.policyReplaced = replaced != ""
	file := replaced
	if IsPolicyName(file) {
		p, err := s.PolicyWith("", file, params)
		var wrong Problems
		switch {
		case errors.As(err, &wrong):
			d.problems = append(d.problems, wrong...)
			return
		case err != nil:
			d.problems = append(d.problems, Problem{Reason: err.Error()})
			return
		}
		s.policy = p
		s.tryPolicy(d)
		return
	}
	if file == "" && t.File != "" {
		file = beside(s.Path, t.File)
		for _, key := range append([]string{"name", "params", "step"}, sortedKeys(t.Direct)...) {
			if at := join("policy", key); d.given[at] || t.Direct[key] != nil {
				d.wrong(at, "policy.file is given as well: the policy stands there, or here")
			}
		}
	}
	if file == "" {
		if !d.clean("policy") {
			return
		}
		name := t.Name
		if name == "" {
			name = "skynet"
		}
		s.policy = &Policy{Name: name, set: namesOf(inside)}
		s.policy.resolve(d, "policy", &s.catalog, t.Params, t.Direct, t.Steps)
	} else {
		p, err := s.PolicyWith(file, "", params)
		var wrong Problems
		switch {
		case errors.As(err, &wrong):
			d.problems = append(d.problems, wrong...)
		case err != nil && replaced != "":
			d.problems = append(d.problems, Problem{File: file, Reason: plain(err).Error()})
		case err != nil:
			d.wrong("policy.file", fmt.Sprintf("%q: %v", t.File, plain(err)))
		}
		s.policy = p
	}
	s.tryPolicy(d)
}

// tryPolicy reports what only the policy itself knows to be wrong, and reads the
// state that the scenario's own begins with.
func (s *Scenario) tryPolicy(d *document) {
	if len(d.problems) > 0 {
		return
	}
	made, err := s.policy.New(s.env())
	if err != nil {
		d.policyError(s.policy, err)
		return
	}
	if s.Policy.State == "" || s.policyReplaced {
		return
	}
	text, err := readFile(s.ctx, s.refer(s.Policy.State))
	if err == nil {
		err = made.UnmarshalJSON(text)
	}
	if err != nil {
		d.wrong("policy.state", fmt.Sprintf("%q: %v", s.Policy.State, plain(err)))
		return
	}
	s.state = text
}

// policyError reports why a policy could not be made.
func (d *document) policyError(p *Policy, err error) {
	all := []error{err}
	if many, ok := err.(interface{ Unwrap() []error }); ok {
		all = many.Unwrap()
	}
	for _, err := range all {
		var bad *policy.ParamError
		if errors.As(err, &bad) && slices.Contains(p.set, bad.Name) {
			d.problems = append(d.problems, Problem{
				File: commandLine, Key: paramKey(bad.Name), Value: tomlValue(bad.Value), Allowed: bad.Allowed,
			})
			continue
		}
		if p.Path != "" { // another file
			d.problems = append(d.problems, Problem{File: p.Path, Reason: err.Error()})
			continue
		}
		if bad != nil && d.lines[join("policy.params", bad.Name)] > 0 {
			d.param("policy.params", err)
		} else {
			d.param("policy", err)
		}
	}
}

const scripted = "scripted"

// resolve finds the policy's specification and checks its parameters, which
// stand in the params table below path or, for direct ones, at path itself.
func (p *Policy) resolve(d *document, path string, c *policy.Catalog, params, direct map[string]any, steps []Step) {
	if p.Name == scripted {
		p.script(d, path, c, steps)
		for _, name := range append(sortedKeys(params), sortedKeys(direct)...) {
			d.problems = append(d.problems, Problem{
				File: d.file, Line: d.lines.of(join(path, name)), Key: join(path, name),
				Reason: "unknown key: scripted has steps, not parameters", Nearest: spell.Nearest(name, []string{"step", "name", "file"}),
			})
		}
		return
	}
	spec, ok := lookup(p.Name)
	if !ok {
		known := policyNames()
		d.badWord(join(path, "name"), p.Name, known, "one of "+strings.Join(known, ", "))
		return
	}
	p.Spec, p.Values = spec, policy.Values{}
	if len(steps) > 0 {
		d.wrong(join(path, "step"), "only the policy scripted has steps")
	}
	for _, name := range sortedKeys(direct) {
		if _, twice := params[name]; twice {
			d.wrong(join(path, name), "it stands in params as well")
		}
	}
	p.parameters(d, join(path, "params"), c, params)
	p.parameters(d, path, c, direct)
}

// parameters checks the parameters in the table at path and takes them over.
func (p *Policy) parameters(d *document, path string, c *policy.Catalog, raw map[string]any) {
	known := map[string]any{}
	for _, name := range sortedKeys(raw) {
		param := p.Spec.Param(name)
		if param == nil {
			var names []string
			for i := range p.Spec.Params {
				names = append(names, p.Spec.Params[i].Name)
			}
			if path == "policy" {
				names = append(names, "file", "name", "params")
			}
			at := join(path, name)
			d.problems = append(d.problems, Problem{
				File: d.file, Line: d.lines.of(at), Key: at, Reason: "unknown parameter of " + p.Name, Nearest: spell.Nearest(name, names),
			})
			continue
		}
		known[name] = raw[name]
		text, isText := raw[name].(string)
		switch {
		case param.Kind == policy.Duration && isText:
			if x, err := parseDuration(text); err == nil {
				known[name] = x.String() // days and all
			}
		case param.Kind == policy.TypeList && isText:
			known[name] = []string{text}
		}
	}
	values, problems := p.Spec.Check(known)
	for _, err := range problems {
		d.param(path, err)
	}
	for _, name := range sortedKeys(values) {
		p.Values[name] = values[name]
		if types, ok := values[name].([]string); ok {
			d.instanceTypes(join(path, name), types, c)
		}
	}
}

// script takes over the steps of the policy scripted.
func (p *Policy) script(d *document, path string, c *policy.Catalog, steps []Step) {
	at := join(path, "step")
	if len(steps) == 0 {
		d.wrong(at, "missing: scripted needs at least one [["+at+"]]")
	}
	for i := range steps {
		t := &steps[i]
		if t.Type != "" {
			d.instanceTypes(element(at, i+1)+".type", []string{t.Type}, c)
		}
		p.Steps = append(p.Steps, policy.Step{At: t.At, Launch: t.Launch, Type: t.Type, Keep: t.Keep})
	}
}

// New returns the policy, ready for its first step in env.
func (p *Policy) New(env policy.Env) (policy.Policy, error) {
	if p.Spec == nil {
		return policy.NewScripted(env, p.Steps)
	}
	return p.Spec.New(env, p.Values)
}

// Clairvoyant reports whether the policy is told what will arrive: a simulation
// can run it, a fleet cannot.
func (p *Policy) Clairvoyant() bool { return p.Spec != nil && p.Spec.Clairvoyant }

// Label returns the policy's name and, unless all is default, six digits that
// tell its parameters: "skynet@3f9a1c". However the same values are written,
// the label is the same.
func (p *Policy) Label() string {
	text := p.changed()
	if text == "" {
		return p.Name
	}
	return fmt.Sprintf("%s@%x", p.Name, sha256.Sum256([]byte(text)))[:len(p.Name)+7]
}

// Hash returns the SHA-256 of the policy's name and of what is not default.
func (p *Policy) Hash() string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte(p.Name+"\n"+p.changed())))
}

// With returns the policy with other values of its parameters.
func (p *Policy) With(v policy.Values) *Policy {
	q := *p
	q.Values, q.Provenance = v, nil
	return &q
}

// Beside returns the parameters whose values differ from another's of the same
// name, as a policy file writes them, in the order of their declaration.
func (p *Policy) Beside(other *Policy) []Setting {
	if p.Spec == nil {
		return nil
	}
	var list []Setting
	for i := range p.Spec.Params {
		param := &p.Spec.Params[i]
		if text := p.valueText(param); text != other.valueText(param) {
			list = append(list, Setting{param.Name, text})
		}
	}
	return list
}

// valueText returns the value of a parameter as TOML, its default where none is
// given, "" if it has none.
func (p *Policy) valueText(param *policy.Param) string {
	if v, given := p.Values[param.Name]; given {
		return paramText(param, v)
	}
	return paramDefault(param)
}

// changed returns the steps and the parameters that are not default, as text.
func (p *Policy) changed() string {
	var text strings.Builder
	for i := range p.Steps {
		s := &p.Steps[i]
		fmt.Fprintf(&text, "%d %d %q %d\n", s.At, s.Launch, s.Type, s.Keep)
	}
	if p.Spec != nil {
		for i := range p.Spec.Params {
			param := &p.Spec.Params[i]
			if v, given := p.Values[param.Name]; given && !isDefault(param, v) {
				fmt.Fprintf(&text, "%s=%v\n", param.Name, v)
			}
		}
	}
	return text.String()
}

// isDefault reports whether a value is what leaving it out would mean.
func isDefault(p *policy.Param, v any) bool {
	switch v := v.(type) {
	case float64:
		return v == p.Default
	case string:
		i := int(p.Default)
		return i >= 0 && i < len(p.Choices) && p.Choices[i] == v
	case []string:
		return len(v) == 0
	}
	return false
}

// paramText returns a value of a parameter as TOML writes it.
func paramText(p *policy.Param, v any) string {
	if x, ok := v.(float64); ok {
		switch p.Kind {
		case policy.Duration:
			return tomlValue(time.Duration(x))
		case policy.Integer:
			return fmt.Sprintf("%.0f", x)
		}
	}
	if list, ok := v.([]string); ok {
		return tomlValue(list)
	}
	return tomlValue(v)
}
