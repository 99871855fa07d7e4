package policy

import (
	"fmt"
	"time"
)

// StaticSpec is the policy "static": a fixed number of instances of one type.
// It is the yardstick nobody should fall below, and the plainest fleet for
// tests of everything else.
var StaticSpec = Spec{
	Name: "static",
	Doc:  "a fixed number of instances of one type, replaced when lost, never drained",
	Params: []Param{
		staticInstances,
		{Name: "type", Kind: TypeList, Fixed: true, Doc: "The instance type; omitted: the catalog's cheapest per unit of work."},
	},
	New: newStatic,
}

var staticInstances = Param{
	Name: "instances", Kind: Integer, Min: 0, Max: 100_000, Default: 10,
	Doc: "How many instances to keep.",
}

var (
	ruleStaticStart   = NewRule("static.start", "%s: want %.0f instances, have none", true)
	ruleStaticReplace = NewRule("static.replace", "%s: want %.0f instances, have %.0f", true)
)

// newStatic returns the policy from its parameters. The type may be one name or
// a list of one.
func newStatic(env Env, v Values) (Policy, error) {
	name := ""
	switch t := v["type"].(type) {
	case string:
		name = t
	case []string:
		if len(t) != 1 {
			return nil, &ParamError{"static", "type", t, "one instance type"}
		}
		name = t[0]
	}
	if name == "" {
		if len(env.Catalog.Types) == 0 {
			return nil, &ParamError{"static", "type", "", "given: the catalog has no types"}
		}
		name = env.Catalog.Types[env.Catalog.ByUnitPrice()[0]].Name
	}
	return NewStatic(env, int(v.Number(&staticInstances)), name)
}

// Static keeps a fixed number of instances of one type. Make it with NewStatic.
type Static struct {
	instances int
	typ       int
	typeName  string

	launches [1]Launch
	because  [1]Reason
}

// NewStatic returns the policy that launches the given number of instances of
// one type at its first tick, launches as many again as were lost, and never
// drains. It fails on a negative number and on a type the catalog lacks.
func NewStatic(env Env, instances int, typeName string) (*Static, error) {
	if instances < 0 {
		return nil, &ParamError{"static", "instances", instances, "at least 0"}
	}
	typ := env.Catalog.Index(typeName)
	if typ < 0 {
		return nil, &ParamError{"static", "type", typeName, unknownType(&env.Catalog, typeName)}
	}
	return &Static{instances: instances, typ: typ, typeName: typeName}, nil
}

// How long a worker may be unheard before its instance counts as lost: after
// its last report, and from its launch to its first.
const (
	silentMax    = 5 * time.Minute
	neverSeenMax = 15 * time.Minute
)

// Step returns the launch of what is missing.
//
// Booting instances are there: they are on their way. Silent ones are there for
// five minutes, because behind a partition they still work, and one that never
// registers for fifteen. Draining instances are not: somebody else took them
// out. An incomplete list of the fleet says nothing about who is missing, so
// Static waits for the next one.
func (s *Static) Step(o *Observation) Decision {
	if !o.Fleet.Complete {
		return Decision{}
	}
	have := 0
	for i := range o.Fleet.Instances {
		if in := &o.Fleet.Instances[i]; in.Type == s.typ && !countedOut(in, o.Now) {
			have++
		}
	}
	if have >= s.instances {
		return Decision{}
	}
	s.launches[0] = Launch{Type: s.typ, Count: s.instances - have}
	s.because[0] = ruleStaticReplace.Named(s.typeName, float64(s.instances), float64(have))
	if have == 0 {
		s.because[0] = ruleStaticStart.Named(s.typeName, float64(s.instances))
	}
	return Decision{Launches: s.launches[:], Because: s.because[:]}
}

// countedOut reports whether an instance is counted on no longer.
func countedOut(in *Instance, now time.Time) bool {
	switch in.Phase {
	case Requested, Booting:
		return now.Sub(in.LaunchedAt) > neverSeenMax
	case Lost:
		return now.Sub(in.LastSeen) > silentMax
	}
	return in.Phase == Draining
}

// MarshalJSON returns the state, which is empty: all Static knows is in the
// observation.
func (s *Static) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }

// UnmarshalJSON accepts the empty state.
func (s *Static) UnmarshalJSON(data []byte) error {
	if string(data) != "{}" {
		return fmt.Errorf("static: state %.40q: must be {}", data)
	}
	return nil
}
