package scenarios

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/scenarios/recording"
)

// Provenance is the [provenance] table of a policy file: what its parameters were
// tuned on and what they came to.
type Provenance struct {
	Version   string            `toml:"version" required:"yes" doc:"The skynet that tuned them."`
	Policy    string            `toml:"policy" required:"yes" doc:"The policy's name with the digits that tell its parameters: they were not changed since."`
	Budget    int               `toml:"budget" required:"yes" min:"1" max:"1000000000" unit:"runs" doc:"Runs that the tuning was allowed."`
	Runs      int               `toml:"runs" required:"yes" min:"1" max:"1000000000" unit:"runs" doc:"Runs that it took."`
	Seed      uint64            `toml:"seed" required:"yes" min:"0" max:"9007199254740991" doc:"Seed of the tuning."`
	TunedOn   string            `toml:"tuned_on" required:"yes" doc:"The weeks that chose the parameters."`
	JudgedOn  string            `toml:"judged_on" required:"yes" doc:"The weeks that judged them, which the choice had not seen."`
	Verdict   string            `toml:"verdict" required:"yes" doc:"Whether they beat the defaults on the weeks that judged them."`
	Scenarios []ProvenanceInput `toml:"scenario" required:"yes" doc:"A scenario that they were tuned on."`
	Figures   []Figure          `toml:"figure" doc:"What they came to on the weeks that judged them."`
}

// ProvenanceInput is a [[provenance.scenario]] table.
type ProvenanceInput struct {
	Name        string `toml:"name" required:"yes" doc:"Its name."`
	SHA256      string `toml:"sha256" required:"yes" doc:"SHA-256 of what it says about the world, its policy and title left out."`
	TraceSHA256 string `toml:"trace_sha256" required:"yes" doc:"SHA-256 of its trace's file, or generated."`
}

// Figure is a [[provenance.figure]] table: a mean over weeks with its 95 %
// interval.
type Figure struct {
	Name  string   `toml:"name" required:"yes" doc:"What it is, with its unit."`
	Mean  float64  `toml:"mean" required:"yes" min:"-1e18" max:"1e18" doc:"Its mean over the weeks."`
	Lo    *float64 `toml:"lo" unset:"one week has no interval" min:"-1e18" max:"1e18" doc:"The 95 % interval's lower end."`
	Hi    *float64 `toml:"hi" unset:"one week has no interval" min:"-1e18" max:"1e18" doc:"The 95 % interval's upper end."`
	Weeks int      `toml:"weeks" required:"yes" min:"1" max:"1000000" doc:"How many weeks it is of."`
}

// TraceGenerated stands for the hash of a trace that the scenario generates: the
// scenario's own hash tells it.
const TraceGenerated = "generated"

// Hash returns the SHA-256 of what the scenario says about its world and its
// promises: everything but its title, its policy, what it expects of that, its
// seed and where its trace is.
func (s *Scenario) Hash() string { return s.hash(s.effective()) }

// WorldHash is Hash without the promises about figures: runs of scenarios with
// one world, one trace and one policy come to the same figures.
func (s *Scenario) WorldHash() string {
	e := s.effective()
	e.Promises = nil
	return s.hash(e)
}

func (s *Scenario) hash(e Scenario) string {
	e.Title, e.Seed, e.Policy, e.Expects = "", 0, PolicyTable{}, nil
	if e.Trace != nil {
		t := *e.Trace
		t.File, t.URL, t.SHA256 = "", "", ""
		e.Trace = &t
	}
	var b bytes.Buffer
	printer{&b}.table(reflect.ValueOf(&e).Elem(), "")
	// Files that the scenario refers to count by what they say.
	c := s.env().Catalog
	for _, x := range []any{c, s.boots, s.spot} {
		text, err := json.Marshal(x)
		if err != nil {
			text = fmt.Append(nil, x)
		}
		b.Write(text)
	}
	sum := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(sum[:])
}

// TraceHash returns the SHA-256 of the scenario's trace file, or TraceGenerated.
func (s *Scenario) TraceHash() (string, error) {
	if s.Trace == nil {
		return TraceGenerated, nil
	}
	hash, err := recording.HashOf(s.ctx, s.tracePath())
	if err != nil {
		return "", err
	}
	return hash, s.readTwice()
}

// TraceKey tells what the scenario's jobs are drawn from from every other trace: its
// file by its content, with the part that is replayed, or what generates it.
// Scenarios of one key and seed have the same jobs, or hardly others.
func (s *Scenario) TraceKey() (string, error) {
	if s.Trace == nil {
		var b bytes.Buffer
		printer{&b}.table(reflect.ValueOf(s.effective().Generate).Elem(), "")
		sum := sha256.Sum256(b.Bytes())
		return TraceGenerated + " " + hex.EncodeToString(sum[:]), nil
	}
	hash, err := s.TraceHash()
	return fmt.Sprint(hash, " ", s.Trace.Cut), err
}

// Recording returns the trace that the scenario names by its URL; false where it
// does not.
func (s *Scenario) Recording() (recording.Recording, bool) {
	if s.Trace == nil || s.Trace.URL == "" {
		return recording.Recording{}, false
	}
	return s.recorded(), true
}

func (s *Scenario) recorded() recording.Recording {
	return recording.Recording{URL: s.Trace.URL, SHA256: s.Trace.SHA256}
}

// tracePath returns where the scenario's trace file is.
func (s *Scenario) tracePath() string {
	switch {
	case s.replaced:
		return s.Trace.File
	case s.Trace.URL != "":
		return recording.DefaultCache().Path(s.recorded())
	}
	return beside(s.Path, s.Trace.File)
}

// Doubts returns in which ways what a policy file says of its parameters does not
// hold for this scenario, run by this version of skynet. It is empty for a policy
// without provenance.
func (p *Policy) Doubts(s *Scenario, version string) ([]string, error) {
	from := p.Provenance
	if from == nil {
		return nil, nil
	}
	var doubts []string
	if label := p.Label(); label != from.Policy {
		doubts = append(doubts, fmt.Sprintf("%s: its parameters were changed after they were tuned (%s then, %s now)", p.Path, from.Policy, label))
	}
	trace, err := s.TraceHash()
	if err != nil {
		return nil, err
	}
	if why := from.differs(s.Name, s.Hash(), trace); why != "" {
		doubts = append(doubts, fmt.Sprintf("%s was tuned on %s: its figures may not hold", p.Path, why))
	}
	if from.Version != version {
		doubts = append(doubts, fmt.Sprintf("%s was tuned by %s, this is %s", p.Path, from.Version, version))
	}
	return doubts, nil
}

// differs returns how a scenario differs from those that were tuned on, "" if it
// is one of them.
func (from *Provenance) differs(name, hash, trace string) string {
	var names []string
	named := -1
	for i := range from.Scenarios {
		x := &from.Scenarios[i]
		if x.SHA256 == hash && x.TraceSHA256 == trace {
			return ""
		}
		if x.Name == name {
			named = i
		}
		names = append(names, x.Name)
	}
	switch {
	case named < 0:
		return fmt.Sprintf("%s, not on %s", strings.Join(names, ", "), name)
	case from.Scenarios[named].SHA256 == hash:
		return fmt.Sprintf("another trace of %s", name)
	}
	return fmt.Sprintf("%s as it was before it changed", name)
}

// Decides returns the scenario's policy.
func (s *Scenario) Decides() *Policy { return s.policy }

// Write writes the policy as a policy file, with its provenance.
func (p *Policy) Write(w io.Writer) error {
	var b bytes.Buffer
	out := printer{&b}
	fmt.Fprintf(&b, "# Written by skynet tune. A change by hand is noticed: see [provenance].\nname = %s\n\n[params]\n", quoted(p.Name))
	for i := range p.Spec.Params {
		param := &p.Spec.Params[i]
		if v, given := p.Values[param.Name]; given {
			fmt.Fprintf(&b, "%s = %s\n", param.Name, paramText(param, v))
		}
	}
	if p.Provenance != nil {
		fmt.Fprint(&b, "\n[provenance]\n")
		out.table(reflect.ValueOf(p.Provenance).Elem(), "provenance")
	}
	_, err := w.Write(b.Bytes())
	return err
}

// NewPolicy returns a policy by its name and values as JSON or TOML have them.
func NewPolicy(name string, raw map[string]any) (*Policy, error) {
	spec, known := lookup(name)
	if !known {
		return nil, &policy.ParamError{Policy: name, Name: "name", Value: name, Allowed: fmt.Sprint("one of ", policyNames())}
	}
	values, problems := spec.Check(raw)
	if len(problems) > 0 {
		return nil, problems[0]
	}
	return &Policy{Name: name, Spec: spec, Values: values}, nil
}
