package tune

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// Inputs are what a plan is about: results of other inputs are of no use to it.
type Inputs struct {
	// Version of the program, which decides what a run comes to.
	Version   string  `json:"version"`
	Policy    string  `json:"policy"`
	Scenarios []Input `json:"scenarios"`
}

// Input is a scenario file.
type Input struct {
	// Path as the user gave it; it names the file and does not tell it apart.
	Path string `json:"path"`
	// SHA256 of what the scenario says about its world, and of its trace.
	SHA256      string `json:"sha256"`
	TraceSHA256 string `json:"trace_sha256"`
}

// Differ returns how other inputs differ from these, "" if they do not. Paths
// may differ.
func (in *Inputs) Differ(other *Inputs) string {
	switch {
	case in.Version != other.Version:
		return fmt.Sprintf("it was made by %s, this is %s", other.Version, in.Version)
	case in.Policy != other.Policy:
		return fmt.Sprintf("it is about policy %s, not %s", other.Policy, in.Policy)
	case len(in.Scenarios) != len(other.Scenarios):
		return fmt.Sprintf("it is about %d scenarios, not %d", len(other.Scenarios), len(in.Scenarios))
	}
	for i := range in.Scenarios {
		switch a, b := &in.Scenarios[i], &other.Scenarios[i]; {
		case a.SHA256 != b.SHA256:
			return fmt.Sprintf("scenario %s was another then (sha256 %.12s, now %.12s)", a.Path, b.SHA256, a.SHA256)
		case a.TraceSHA256 != b.TraceSHA256:
			return fmt.Sprintf("the trace of %s was another then (sha256 %.12s, now %.12s)", a.Path, b.TraceSHA256, a.TraceSHA256)
		}
	}
	return ""
}

// Task is a run of a candidate on a fold: indices into a plan's lists.
type Task struct{ Candidate, Fold int }

// MarshalJSON writes [candidate,fold].
func (t Task) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, "[%d,%d]", t.Candidate, t.Fold), nil
}

// UnmarshalJSON reads [candidate,fold].
func (t *Task) UnmarshalJSON(text []byte) error {
	var pair []int
	if err := json.Unmarshal(text, &pair); err != nil {
		return err
	}
	if len(pair) != 2 {
		return errors.New("a task is a candidate and a fold")
	}
	t.Candidate, t.Fold = pair[0], pair[1]
	return nil
}

// Plan is a list of runs, and all that is needed to do them anywhere. Shards of
// it may be run by different machines in any order: the seed of a run stands in
// the plan.
type Plan struct {
	Format int `json:"skynet_plan"`
	// ID is the SHA-256 of the plan without it.
	ID string `json:"id"`
	Inputs
	// Shards is how many parts it is run in.
	Shards     int    `json:"shards"`
	Folds      []Fold `json:"folds"`
	Candidates []Raw  `json:"candidates"`
	Tasks      []Task `json:"tasks"`
}

const (
	planFormat = 1
	// ShardsMax is how many shards a plan may have: what AWS Batch takes.
	ShardsMax = 10_000
	// fileMax bounds what a reader takes into memory.
	fileMax = 256 << 20
)

// Seal sets the plan's format and identity. It must be called when the plan is
// complete.
func (p *Plan) Seal() {
	p.Format = planFormat
	p.ID = p.identity()
}

func (p *Plan) identity() string {
	bare := *p
	bare.ID = ""
	text, err := json.Marshal(&bare)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Write writes the plan as JSON.
func (p *Plan) Write(w io.Writer) error { return writeJSON(w, p) }

func writeJSON(w io.Writer, v any) error {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return err
	}
	_, err = w.Write(append(text, '\n'))
	return err
}

// decode reads one JSON value without unknown keys, and nothing after it.
func decode(r io.Reader, v any) error {
	text, err := io.ReadAll(io.LimitReader(r, fileMax+1))
	if err != nil {
		return err
	}
	if len(text) > fileMax {
		return fmt.Errorf("larger than %d bytes", fileMax)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			return errors.New("it ends in the middle")
		}
		return err
	}
	if d.More() {
		return errors.New("something follows its end")
	}
	return nil
}

// ReadPlan reads a plan and refuses one that was changed or cut since it was
// written. name is what errors call it.
func ReadPlan(r io.Reader, name string) (*Plan, error) {
	var p Plan
	if err := decode(r, &p); err != nil {
		return nil, &InputError{fmt.Sprintf("%s: not a plan: %v", name, err)}
	}
	problem := ""
	switch {
	case p.Format != planFormat:
		problem = fmt.Sprintf("not a plan of format %d", planFormat)
	case p.Shards < 1 || p.Shards > ShardsMax:
		problem = fmt.Sprintf("shards = %d: must be from 1 to %d", p.Shards, ShardsMax)
	case len(p.Scenarios) == 0:
		problem = "it names no scenario"
	case len(p.Tasks) == 0:
		problem = "it has no task"
	case p.ID != p.identity():
		problem = "its content does not fit its id: it was changed or damaged"
	}
	for i := range p.Folds {
		if problem == "" && !p.Folds[i].valid(len(p.Scenarios)) {
			problem = fmt.Sprintf("fold %d makes no sense", i)
		}
	}
	for i, t := range p.Tasks {
		if problem == "" && (t.Candidate < 0 || t.Candidate >= len(p.Candidates) || t.Fold < 0 || t.Fold >= len(p.Folds)) {
			problem = fmt.Sprintf("task %d names a candidate or fold that is not there", i)
		}
	}
	if problem != "" {
		return nil, &InputError{name + ": " + problem}
	}
	return &p, nil
}

// Part returns the tasks of shard i, of all p.Shards: [from, to).
func (p *Plan) Part(i int) (from, to int) {
	n := len(p.Tasks)
	return i * n / p.Shards, (i + 1) * n / p.Shards
}
