package scenarios

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/spell"
)

// FileKind is what a TOML file of SkyNet describes.
type FileKind uint8

const (
	ScenarioFile FileKind = iota + 1
	PolicyFile
)

// KindOf returns what the file at path describes, by its top-level tables and
// keys. What is neither a scenario nor a policy is an error. A pipe is waited for
// until ctx is done.
func KindOf(ctx context.Context, path string) (FileKind, error) {
	text, err := readFile(ctx, path)
	if err != nil {
		return 0, err
	}
	d, raw := parse(path, text)
	if err := d.problems.sorted(); err != nil {
		return 0, err
	}
	kind := kindOf(raw)
	switch {
	case kind != 0:
		return kind, nil
	case raw["type"] != nil:
		d.problems = append(d.problems, Problem{File: path, Reason: "a catalog of instance types: neither a scenario nor a policy"})
	default:
		d.problems = append(d.problems, Problem{File: path, Reason: "neither a scenario, which has [[class]] tables, nor a policy, which has a name"})
	}
	return 0, d.problems.sorted()
}

// kindOf returns what a file with the content raw describes, 0 where it is neither.
func kindOf(raw map[string]any) FileKind {
	has := func(keys ...string) bool {
		return slices.ContainsFunc(keys, func(k string) bool { return raw[k] != nil })
	}
	switch {
	case has("class", "trace", "generate", "cloud"):
		return ScenarioFile
	case has("name", "params", "step", "provenance"):
		return PolicyFile
	}
	return 0
}

// IsPolicyName reports whether a word in the place of a policy file is a name:
// a policy is called so, whatever else lies here (go build leaves a program
// called skynet), or no file is, and it looks like none.
func IsPolicyName(word string) bool {
	if _, known := lookup(word); known {
		return true
	}
	if word == "" || strings.ContainsAny(word, `/\`) || filepath.Ext(word) == ".toml" {
		return false
	}
	_, err := os.Stat(word)
	return errors.Is(err, fs.ErrNotExist)
}

// NamedPolicy returns the policy of a name with its defaults.
func NamedPolicy(name string) (*Policy, error) {
	spec, ok := lookup(name)
	switch {
	case ok:
		return &Policy{Name: name, Spec: spec, Values: policy.Values{}}, nil
	case name == scripted:
		return nil, unknownPolicy{errors.New("the policy scripted is nothing without its steps: give a policy file")}
	}
	var known []string
	for _, s := range Policies() {
		known = append(known, s.Name)
	}
	return nil, unknownPolicy{fmt.Errorf("unknown policy %q%s: give a policy file or one of %s",
		name, spell.DidYouMean(name, known), strings.Join(known, ", "))}
}

// unknownPolicy is a name that no policy has.
type unknownPolicy struct{ error }

// BadInput marks the error as the user's.
func (unknownPolicy) BadInput() bool { return true }

// Try returns an error, as Problems where a file is to blame, if p cannot
// decide in the scenario.
func (s *Scenario) Try(p *Policy) error {
	_, err := p.New(s.env())
	if err == nil {
		return nil
	}
	d := newDocument(s.Path)
	d.policyError(p, fmt.Errorf("policy %s: %w", p.Name, err))
	return d.problems.sorted()
}
