package gate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"

	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/trial"
)

// Schema is the number of the baselines' format. A file of another number is
// not read.
const Schema = 1

// Folder of the baselines beside the scenarios.
const Folder = "baselines"

// Baseline is what a scenario came to under its policy when somebody last
// looked at it and said that it was good.
type Baseline struct {
	Schema   int    `json:"schema"`
	Scenario string `json:"scenario"`
	// WrittenBy is the program, and Reason why the figures became what they are.
	WrittenBy string `json:"written_by"`
	Reason    string `json:"reason"`
	// Policy is its label; the hashes are those of package scenarios.
	Policy       string `json:"policy"`
	PolicySHA256 string `json:"policy_sha256"`
	WorldSHA256  string `json:"world_sha256"`
	TraceSHA256  string `json:"trace_sha256"`
	// Seeds that were run, and the digest of each run.
	Seeds   []uint64 `json:"seeds"`
	Digests []string `json:"digests"`
	// Promises tell on which of the seeds each was kept. It is the scenario's own
	// seed that is judged.
	Promises []KeptOn       `json:"promises"`
	Figures  []trial.Series `json:"figures"`
}

// KeptOn is a promise and where it was kept.
type KeptOn struct {
	Promise string   `json:"promise"`
	Want    string   `json:"want"`
	Got     string   `json:"got"` // on the scenario's own seed
	KeptOn  []uint64 `json:"kept_on"`
}

// Path returns where the baseline of the scenario at path stands.
func Path(scenario string) string {
	base := filepath.Base(scenario)
	name := base[:len(base)-len(filepath.Ext(base))] + ".json"
	return filepath.Join(filepath.Dir(scenario), Folder, name)
}

// MissingError is a baseline that is not there.
type MissingError struct{ Path string }

func (e *MissingError) Error() string {
	return e.Path + `: there is no baseline: write it with skynet check --update --reason "…"`
}

// BadInput marks the error as the user's.
func (e *MissingError) BadInput() bool { return true }

// FileError is a baseline that cannot be used.
type FileError struct{ Path, Reason string }

func (e *FileError) Error() string { return e.Path + ": " + e.Reason }

// BadInput marks the error as the user's.
func (e *FileError) BadInput() bool { return true }

// sizeMax is more than any baseline has: a file beyond it is none.
const sizeMax = 16 << 20

// Load reads the baseline of a scenario and checks that it can be one of it. The
// error is a MissingError, a FileError, or that of reading.
func Load(s *scenarios.Scenario) (*Baseline, error) {
	path := Path(s.Path)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &MissingError{path}
	case err != nil:
		return nil, err
	case info.Size() > sizeMax:
		return nil, &FileError{path, fmt.Sprintf("larger than %d bytes: no baseline", sizeMax)}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	b, why := read(text, s)
	if why != "" {
		return nil, &FileError{path, why}
	}
	return b, nil
}

const again = `: write it anew with skynet check --update --reason "…"`

// read decodes a baseline, or says what is wrong with it.
func read(text []byte, s *scenarios.Scenario) (b *Baseline, wrong string) {
	var schema struct {
		Schema    *int   `json:"schema"`
		WrittenBy string `json:"written_by"`
	}
	if err := json.Unmarshal(text, &schema); err != nil {
		return nil, "not a baseline: " + err.Error() + again
	}
	switch {
	case schema.Schema == nil:
		return nil, "not a baseline: it has no schema" + again
	case *schema.Schema != Schema:
		return nil, fmt.Sprintf("schema = %d: this skynet reads %d; the file was written by %q: use that, or%s", *schema.Schema, Schema, schema.WrittenBy, again[1:])
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	b = &Baseline{}
	if err := decoder.Decode(b); err != nil {
		return nil, "not a baseline: " + err.Error() + again
	}
	if why := b.check(s); why != "" {
		return nil, why + again
	}
	return b, ""
}

// check returns what is wrong with the content of a baseline.
func (b *Baseline) check(s *scenarios.Scenario) string {
	switch {
	case b.Scenario != s.Name:
		return fmt.Sprintf("it is the baseline of %q, not of %q", b.Scenario, s.Name)
	case len(b.Seeds) == 0:
		return "it names no seed"
	case len(b.Digests) != len(b.Seeds):
		return fmt.Sprintf("%d seeds but %d digests", len(b.Seeds), len(b.Digests))
	}
	for i, seed := range b.Seeds {
		if slices.Contains(b.Seeds[:i], seed) {
			return fmt.Sprintf("seed %d stands there twice", seed)
		}
	}
	var metrics []string
	for i := range b.Figures {
		f := &b.Figures[i]
		metrics = append(metrics, f.Metric)
		mean := trial.MeanOf(f.Values)
		switch {
		case len(f.Values) != len(b.Seeds):
			return fmt.Sprintf("%s: %d seeds but %d values", f.Metric, len(b.Seeds), len(f.Values))
		case !(f.Relative >= 0 && f.Absolute >= 0) || f.Relative > 10 || math.IsInf(f.Absolute, 0):
			return fmt.Sprintf("%s: a tolerance must be 0 or more, relative at most 10", f.Metric)
		case (mean == nil) != (f.Mean == nil) || mean != nil && math.Abs(*mean-*f.Mean) > 1e-9*math.Max(1, math.Abs(*mean)):
			return fmt.Sprintf("%s: its mean is not that of its values: the file was changed by hand, or damaged", f.Metric)
		}
	}
	for _, m := range watched(s) {
		if !slices.Contains(metrics, m.metric) {
			return "it has no " + m.metric
		}
	}
	return ""
}

// Stale returns in which way the baseline is not one of the scenario's present
// world, "" if it is. The promises and the policy may be others: they are what
// is judged.
func (b *Baseline) Stale(s *scenarios.Scenario) (string, error) {
	trace, err := s.TraceHash()
	switch {
	case err != nil:
		return "", err
	case trace != b.TraceSHA256:
		return "its trace has changed since the baseline was written" + again, nil
	case s.WorldHash() != b.WorldSHA256:
		return "its world or its classes have changed since the baseline was written" + again, nil
	}
	return "", nil
}

// Figure returns the series of a metric, nil if the baseline has none.
func (b *Baseline) Figure(metric string) *trial.Series {
	for i := range b.Figures {
		if b.Figures[i].Metric == metric {
			return &b.Figures[i]
		}
	}
	return nil
}

// Text returns the baseline as its file has it: a value, a promise or a figure
// a line, so that a change reads well as a difference.
func (b *Baseline) Text() []byte {
	var out bytes.Buffer
	line := func(v any) []byte {
		text, err := json.Marshal(v)
		if err != nil {
			panic(err) // numbers and texts only
		}
		return text
	}
	out.WriteString("{\n")
	for _, x := range []struct {
		key   string
		value any
	}{
		{"schema", b.Schema},
		{"scenario", b.Scenario},
		{"written_by", b.WrittenBy},
		{"reason", b.Reason},
		{"policy", b.Policy},
		{"policy_sha256", b.PolicySHA256},
		{"world_sha256", b.WorldSHA256},
		{"trace_sha256", b.TraceSHA256},
		{"seeds", b.Seeds},
		{"digests", b.Digests},
	} {
		fmt.Fprintf(&out, "  %q: %s,\n", x.key, line(x.value))
	}
	list := func(key string, n int, of func(int) any, end string) {
		fmt.Fprintf(&out, "  %q: [", key)
		for i := range n {
			if i > 0 {
				out.WriteByte(',')
			}
			fmt.Fprintf(&out, "\n    %s", line(of(i)))
		}
		fmt.Fprintf(&out, "\n  ]%s\n", end)
	}
	list("promises", len(b.Promises), func(i int) any { return &b.Promises[i] }, ",")
	list("figures", len(b.Figures), func(i int) any { return &b.Figures[i] }, "")
	out.WriteString("}\n")
	return out.Bytes()
}

// Of returns what runs of a scenario by another program came to, to compare
// with. It is no baseline that could be written.
func Of(s *scenarios.Scenario, policy string, seeds []uint64, runs []*sim.Figures) *Baseline {
	b := &Baseline{Schema: Schema, Scenario: s.Name, Policy: policy, Seeds: seeds, Figures: seriesOf(s, runs)}
	for _, f := range runs {
		b.Digests = append(b.Digests, f.Digest)
	}
	return b
}

// On returns the figures and the digests of b in the order of seeds, without a
// value and empty for a seed that b has not.
func (b *Baseline) On(seeds []uint64) (figures []trial.Series, digests []string) {
	at := make([]int, len(seeds))
	for i, seed := range seeds {
		at[i] = slices.Index(b.Seeds, seed)
	}
	for _, f := range b.Figures {
		values := make([]*float64, len(seeds))
		for i, k := range at {
			if k >= 0 {
				values[i] = f.Values[k]
			}
		}
		f.Values, f.Mean = values, trial.MeanOf(values)
		figures = append(figures, f)
	}
	for _, k := range at {
		if k >= 0 {
			digests = append(digests, b.Digests[k])
		} else {
			digests = append(digests, "")
		}
	}
	return figures, digests
}
