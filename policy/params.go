package policy

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"sort"
	"strings"
	"time"
)

// ParamKind says what a parameter's value is.
type ParamKind uint8

const (
	Number ParamKind = iota
	Integer
	Duration // in TOML with a unit, "90s"; in Values nanoseconds
	Choice   // one of Param.Choices
	TypeList // names of instance types of the catalog
)

// Param declares one parameter of a policy: what it means, its unit, its
// bounds and the default that works untuned.
type Param struct {
	Name string
	Kind ParamKind
	// Unit of a Number, such as "fraction", "USD", "1/day"; empty otherwise.
	Unit string
	// Min and Max bound numbers, and durations in nanoseconds; Default stands
	// in the same unit. For a Choice, Default is an index into Choices.
	Min, Max, Default float64
	Choices           []string
	// Log says that a search should move on a logarithmic scale.
	Log bool
	// Fixed parameters are not searched by tune.
	Fixed bool
	// Doc is one sentence on what the parameter does.
	Doc string
}

// Values are a policy's parameters by name: float64 for numbers, integers and
// durations (ns), string for choices, []string for type lists. Missing names
// take their default.
type Values map[string]any

// Number returns the value of a numeric parameter.
func (v Values) Number(p *Param) float64 {
	if x, ok := v[p.Name].(float64); ok {
		return x
	}
	return p.Default
}

// Duration returns the value of a Duration parameter.
func (v Values) Duration(p *Param) time.Duration { return time.Duration(v.Number(p)) }

// Choice returns the value of a Choice parameter.
func (v Values) Choice(p *Param) string {
	if s, ok := v[p.Name].(string); ok {
		return s
	}
	return p.Choices[int(p.Default)]
}

// Strings returns the value of a TypeList parameter; nil when not given.
func (v Values) Strings(p *Param) []string {
	s, _ := v[p.Name].([]string)
	return s
}

// Spec is a policy that can be named in a scenario: its parameters and how to
// make one.
type Spec struct {
	Name string
	// Doc is one sentence on how it decides, with its source.
	Doc    string
	Params []Param
	New    func(env Env, v Values) (Policy, error)
	// Clairvoyant policies decide by what will arrive, Observation.Ahead, which
	// they ask for by a method Foresight. They are yardsticks for simulations and
	// cannot exist in production.
	Clairvoyant bool
}

// ErrClairvoyant says why a clairvoyant policy decides about no fleet.
var ErrClairvoyant = errors.New("is told what will arrive, and only a simulation can tell that: name a policy that decides by what a controller knows")

// Param returns the declaration of a parameter, or nil.
func (s *Spec) Param(name string) *Param {
	for i := range s.Params {
		if s.Params[i].Name == name {
			return &s.Params[i]
		}
	}
	return nil
}

// ParamError is a parameter with an impossible value.
type ParamError struct {
	Policy, Name string
	Value        any
	Allowed      string
}

// Error returns "policy.name = value: must be …".
func (e *ParamError) Error() string {
	return fmt.Sprintf("%s.%s = %v: must be %s", e.Policy, e.Name, e.Value, e.Allowed)
}

// BadInput marks the error as the user's.
func (e *ParamError) BadInput() bool { return true }

// Check returns v with raw values of TOML or JSON turned into those Values
// holds, and every problem found: unknown names and values out of bounds.
// Durations may be strings with a unit; bare numbers for them are refused.
func (s *Spec) Check(raw map[string]any) (Values, []error) {
	names := make([]string, 0, len(raw))
	for name := range raw { // map order: sorted below
		names = append(names, name)
	}
	sort.Strings(names)
	v := Values{}
	var problems []error
	for _, name := range names {
		p := s.Param(name)
		if p == nil {
			problems = append(problems, &ParamError{s.Name, name, raw[name], "one of the parameters " + s.paramNames()})
			continue
		}
		x, err := p.check(raw[name])
		if err != "" {
			problems = append(problems, &ParamError{s.Name, name, raw[name], err})
			continue
		}
		v[name] = x
	}
	return v, problems
}

// paramNames returns the names of all parameters, for a sentence.
func (s *Spec) paramNames() string {
	names := make([]string, len(s.Params))
	for i := range s.Params {
		names[i] = s.Params[i].Name
	}
	return strings.Join(names, ", ")
}

// check returns the value as Values holds it, or what is allowed.
func (p *Param) check(raw any) (value any, allowed string) {
	switch p.Kind {
	case Choice:
		if s, ok := raw.(string); ok && slices.Contains(p.Choices, s) {
			return s, ""
		}
		return nil, "one of " + strings.Join(p.Choices, ", ")
	case TypeList:
		return checkTypes(raw)
	case Duration:
		return p.checkDuration(raw)
	}
	return p.checkNumber(raw)
}

// checkTypes is check of a list of instance types.
func checkTypes(raw any) (value any, allowed string) {
	const wanted = "a list of instance types"
	switch list := raw.(type) {
	case []string:
		return list, ""
	case []any:
		names := make([]string, len(list))
		for i, x := range list {
			s, ok := x.(string)
			if !ok {
				return nil, wanted
			}
			names[i] = s
		}
		return names, ""
	}
	return nil, wanted
}

// checkDuration is check of a Duration: a text with its unit.
func (p *Param) checkDuration(raw any) (value any, allowed string) {
	s, _ := raw.(string)
	d, err := time.ParseDuration(s)
	if err != nil || float64(d) < p.Min || float64(d) > p.Max {
		return nil, fmt.Sprintf("a duration with its unit, %v to %v", time.Duration(p.Min), time.Duration(p.Max))
	}
	return float64(d), ""
}

// checkNumber is check of a Number or an Integer.
func (p *Param) checkNumber(raw any) (value any, allowed string) {
	x := math.NaN()
	switch n := raw.(type) {
	case float64:
		x = n
	case int64:
		x = float64(n)
	case int:
		x = float64(n)
	}
	if !(x >= p.Min && x <= p.Max) || p.Kind == Integer && x != math.Trunc(x) {
		what := "a number"
		if p.Kind == Integer {
			what = "a whole number"
		}
		return nil, fmt.Sprintf("%s from %v to %v", what, p.Min, p.Max)
	}
	return x, ""
}
