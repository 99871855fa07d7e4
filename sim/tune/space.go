package tune

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
	"github.com/skynet-ec2/skynet/policy/spell"
)

// Space is the part of a policy's parameters that is searched, as a cube: every
// parameter runs from 0 to 1, on a logarithmic scale where it is declared so.
type Space struct {
	Spec *policy.Spec
	// Base are the values of what is not searched, and where the caller starts.
	Base policy.Values

	params []*policy.Param
}

// NewSpace returns the space of the named parameters of a policy, or of all that
// are not Fixed when none is named.
func NewSpace(spec *policy.Spec, base policy.Values, only []string) (*Space, error) {
	s := &Space{Spec: spec, Base: base}
	var free []string
	for i := range spec.Params {
		p := &spec.Params[i]
		if p.Fixed || p.Kind == policy.TypeList || p.Kind != policy.Choice && !(p.Max > p.Min) || p.Kind == policy.Choice && len(p.Choices) < 2 {
			continue
		}
		free = append(free, p.Name)
		if len(only) == 0 || slices.Contains(only, p.Name) {
			s.params = append(s.params, p)
		}
	}
	for i, name := range only {
		switch p := spec.Param(name); {
		case slices.Contains(only[:i], name):
			return nil, &InputError{fmt.Sprintf("parameter %q is named twice", name)}
		case p == nil:
			return nil, &InputError{fmt.Sprintf("policy %s has no parameter %q%s; those that are searched: %s", spec.Name, name, spell.DidYouMean(name, free), strings.Join(free, ", "))}
		case !slices.Contains(free, name):
			return nil, &InputError{fmt.Sprintf("parameter %q of policy %s is fixed: it is not searched", name, spec.Name)}
		}
	}
	if len(s.params) == 0 {
		return nil, &InputError{fmt.Sprintf("policy %s has no parameter to search", spec.Name)}
	}
	return s, nil
}

// InputError is a tuning that was asked for and makes no sense.
type InputError struct{ Problem string }

func (e *InputError) Error() string { return e.Problem }

// BadInput marks the error as the user's.
func (e *InputError) BadInput() bool { return true }

// Dim returns how many parameters are searched.
func (s *Space) Dim() int { return len(s.params) }

// Names returns their names in the order of their declaration.
func (s *Space) Names() []string {
	names := make([]string, len(s.params))
	for i, p := range s.params {
		names[i] = p.Name
	}
	return names
}

// At returns the values at a point of the cube, rounded to what a person would
// write: four digits, whole seconds. Coordinates outside are reflected at its
// faces, so a search may wander as it likes.
func (s *Space) At(point []float64) policy.Values {
	v := policy.Values{}
	for name, x := range s.Base { // map order: into another map
		v[name] = x
	}
	for i, p := range s.params {
		v[p.Name] = valueAt(p, reflected(point[i]))
	}
	return v
}

// reflected returns x folded into [0, 1].
func reflected(x float64) float64 {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0.5
	}
	x = math.Mod(math.Abs(x), 2)
	if x > 1 {
		x = 2 - x
	}
	return x
}

func valueAt(p *policy.Param, u float64) any {
	if p.Kind == policy.Choice {
		return p.Choices[min(int(u*float64(len(p.Choices))), len(p.Choices)-1)]
	}
	var x float64
	if p.Log {
		lo, hi := logBounds(p)
		x = detmath.Exp(lo + float64(u*(hi-lo)))
	} else {
		x = p.Min + float64(u*(p.Max-p.Min))
	}
	return rounded(p, x)
}

// rounded returns a number as a person would write it: four digits, whole
// seconds, within the parameter's bounds.
func rounded(p *policy.Param, x float64) float64 {
	switch {
	case p.Kind == policy.Integer:
		x = math.Round(x)
	case p.Kind == policy.Duration:
		unit := float64(time.Second)
		if p.Max < 60*unit {
			unit = float64(time.Millisecond)
		}
		x = math.Round(x/unit) * unit
	default:
		x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'g', 4, 64), 64)
	}
	return min(max(x, p.Min), p.Max)
}

// logBounds returns the logarithms between which a Log parameter is searched. One
// that may be 0 begins at a ten-thousandth of its greatest value.
func logBounds(p *policy.Param) (lo, hi float64) {
	return detmath.Log(max(p.Min, p.Max*1e-4)), detmath.Log(p.Max)
}

// Point returns where values lie in the cube.
func (s *Space) Point(v policy.Values) []float64 {
	point := make([]float64, len(s.params))
	for i, p := range s.params {
		switch {
		case p.Kind == policy.Choice:
			at := slices.Index(p.Choices, v.Choice(p))
			point[i] = (float64(at) + 0.5) / float64(len(p.Choices))
		case p.Log:
			lo, hi := logBounds(p)
			x := v.Number(p)
			if x > 0 {
				point[i] = (detmath.Log(x) - lo) / (hi - lo)
			}
		default:
			point[i] = (v.Number(p) - p.Min) / (p.Max - p.Min)
		}
		point[i] = min(max(point[i], 0), 1)
	}
	return point
}

// Defaults returns the policy's defaults with the fixed values of the base.
func (s *Space) Defaults() policy.Values {
	v := policy.Values{}
	for i := range s.Spec.Params {
		p := &s.Spec.Params[i]
		if x, given := s.Base[p.Name]; given && (p.Fixed || p.Kind == policy.TypeList) {
			v[p.Name] = x
		}
	}
	return v
}

// Raw are the values of a policy's parameters as JSON and TOML write them:
// numbers, texts, durations with a unit.
type Raw map[string]any

// RawOf returns every value that v has, and the default of the searched ones
// that it leaves out.
func (s *Space) RawOf(v policy.Values) Raw {
	raw := Raw{}
	for i := range s.Spec.Params {
		p := &s.Spec.Params[i]
		x, given := v[p.Name]
		if !given {
			if !slices.Contains(s.params, p) {
				continue
			}
			x = p.Default
			if p.Kind == policy.Choice {
				x = p.Choices[int(p.Default)]
			}
		}
		if n, ok := x.(float64); ok && p.Kind == policy.Duration {
			x = time.Duration(n).String()
		}
		raw[p.Name] = x
	}
	return raw
}

// Key returns the values as text: the same for the same values.
func (r Raw) Key() string {
	text, err := json.Marshal(r) // sorts names
	if err != nil {
		return fmt.Sprint("unwritable: ", err)
	}
	return string(text)
}
