package journal

import (
	"errors"
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/spell"
)

// Format is the version of the format that this package writes, and the only
// one it reads.
const Format = 1

// Header says who decides in which world. What it holds does not change until
// the next header.
type Header struct {
	// Format of the journal; NewWriter fills it in.
	Format int `json:"version"`
	// Program that wrote it, with its version.
	Program string `json:"program,omitempty"`
	// World is Simulated or Live.
	World string `json:"world"`
	// Scenario that was simulated, by name; empty in production.
	Scenario string `json:"scenario,omitempty"`
	// Fleet that is decided about, by name; may be empty.
	Fleet string `json:"fleet,omitempty"`
	// Epoch of the leader that decides; 0: nobody else could.
	Epoch int64 `json:"epoch,omitempty"`
	// Seed of a simulation's weather.
	Seed uint64 `json:"seed,omitempty"`
	// Start of a simulated trace; zero in production.
	Start time.Time `json:"start,omitzero"`
	// JudgeFrom is the time from Start before which a simulation is not judged.
	JudgeFrom time.Duration `json:"judge_from,omitempty"`

	Policy Policy `json:"policy"`
	// Classes, Tick, UTCOffset and BootGuess are what the policy was told of its
	// world, with Catalog (policy.Env); times in nanoseconds.
	Classes   []policy.Class `json:"classes"`
	Tick      time.Duration  `json:"tick"`
	UTCOffset time.Duration  `json:"utc_offset"`
	BootGuess time.Duration  `json:"boot_guess"`
	Guard     policy.Guard   `json:"guard"`
	Catalog   policy.Catalog `json:"catalog"`
}

// Worlds of a Header.
const (
	Simulated = "simulated"
	Live      = "live"
)

// Policy is a policy by name, with every parameter in effect.
type Policy struct {
	Name string `json:"name"`
	// Label is the name with the digits that tell its parameters.
	Label string `json:"label,omitempty"`
	// Params by name: numbers, words, lists of instance types, and durations as
	// text with a unit, as Spec.Check takes them.
	Params map[string]any `json:"params,omitempty"`
	// Steps of the policy scripted.
	Steps []Step `json:"steps,omitempty"`
}

// Step is a step of the policy scripted; times in nanoseconds.
type Step struct {
	At     time.Duration `json:"at"`
	Launch int           `json:"launch"`
	Type   string        `json:"type"`
	Keep   time.Duration `json:"keep,omitempty"`
}

// PolicyOf returns the description of a policy made with spec and v: what was
// not given stands in it with its default, so that another default, one day,
// does not change what is replayed.
func PolicyOf(spec *policy.Spec, v policy.Values, label string) Policy {
	p := Policy{Name: spec.Name, Label: label, Params: map[string]any{}}
	for i := range spec.Params {
		param := &spec.Params[i]
		switch param.Kind {
		case policy.Choice:
			p.Params[param.Name] = v.Choice(param)
		case policy.Duration:
			p.Params[param.Name] = v.Duration(param).String()
		case policy.TypeList:
			if list := v.Strings(param); len(list) > 0 {
				p.Params[param.Name] = list
			}
		default:
			p.Params[param.Name] = v.Number(param)
		}
	}
	return p
}

// ScriptOf returns the description of the policy scripted.
func ScriptOf(steps []policy.Step, label string) Policy {
	p := Policy{Name: scripted, Label: label}
	for _, s := range steps {
		p.Steps = append(p.Steps, Step(s))
	}
	return p
}

const scripted = "scripted"

// Env returns what the policy was told about its world.
func (h *Header) Env() policy.Env {
	return policy.Env{Classes: h.Classes, Catalog: h.Catalog, Tick: h.Tick, UTCOffset: h.UTCOffset, BootGuess: h.BootGuess}
}

// New returns the policy that the header describes, one of specs or scripted,
// before its first step. It fails where this program lacks the policy or a
// parameter of it, or bounds one otherwise, and for a clairvoyant policy of a live
// world.
func (h *Header) New(specs []*policy.Spec) (policy.Policy, error) {
	v, spec, err := h.Values(specs)
	if err != nil {
		return nil, err
	}
	if spec == nil {
		var steps []policy.Step
		for _, s := range h.Policy.Steps {
			steps = append(steps, policy.Step(s))
		}
		return policy.NewScripted(h.Env(), steps)
	}
	if spec.Clairvoyant && h.World == Live {
		return nil, fmt.Errorf("policy %s %w", spec.Name, policy.ErrClairvoyant)
	}
	return spec.New(h.Env(), v)
}

// Values returns the policy's parameters and its specification, nil for the
// policy scripted.
func (h *Header) Values(specs []*policy.Spec) (policy.Values, *policy.Spec, error) {
	if h.Policy.Name == scripted {
		return nil, nil, nil
	}
	names := []string{scripted}
	for _, s := range specs {
		if s.Name == h.Policy.Name {
			v, problems := s.Check(h.Policy.Params)
			return v, s, errors.Join(problems...)
		}
		names = append(names, s.Name)
	}
	return nil, nil, fmt.Errorf("policy.name = %q: no policy of this program%s", h.Policy.Name, spell.DidYouMean(h.Policy.Name, names))
}

// validate returns what is impossible about a header that was read.
func (h *Header) validate() error {
	switch {
	case h.Format != Format:
		return fmt.Errorf("version = %d: this program reads journals of format %d", h.Format, Format)
	case h.World != Simulated && h.World != Live:
		return fmt.Errorf("world = %q: must be %s or %s", h.World, Simulated, Live)
	case h.Tick < policy.MinTick:
		return fmt.Errorf("tick = %d: must be at least %d (%v)", h.Tick, policy.MinTick, policy.MinTick)
	case h.UTCOffset < -24*time.Hour || h.UTCOffset > 24*time.Hour:
		return fmt.Errorf("utc_offset = %d: must be within a day", h.UTCOffset)
	case h.BootGuess < 0:
		return fmt.Errorf("boot_guess = %d: must not be negative", h.BootGuess)
	case len(h.Catalog.Types) == 0:
		return errors.New("catalog.types: must not be empty")
	case h.Catalog.Billing.Quantum <= 0 || h.Catalog.Billing.Minimum <= 0:
		return fmt.Errorf("catalog.billing: quantum and minimum must be positive")
	}
	if err := h.Catalog.Validate(); err != nil {
		return fmt.Errorf("catalog: %w", err)
	}
	for i := range h.Classes {
		if c := &h.Classes[i]; c.Target <= 0 || !(c.Attain >= 0 && c.Attain <= 1) || !(c.WorstHour >= 0 && c.WorstHour <= 1) {
			return fmt.Errorf("classes[%d]: target = %d, attain = %v, worst_hour = %v: must be positive, and the others from 0 to 1", i, c.Target, c.Attain, c.WorstHour)
		}
	}
	return nil
}
