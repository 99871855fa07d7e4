package incident

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// Jobs are those of a span.
type Jobs struct {
	// Source has them by arrival; its instant 0 is the span's start. Those that
	// had arrived before, and were not done, arrive at 0.
	Source traces.Source
	// Pending and Running are how many of them waited and ran at the start.
	Pending, Running int64
	// NotDone ended otherwise, and are left out.
	NotDone int64
	// Done returns how many were done from one instant to another.
	Done func(from, to time.Time) int64
	// Retried and Attempts count the attempts of all jobs, and those after the
	// first.
	Retried, Attempts int64
	// Used are features of the live queue that the jobs used and the simulator
	// does not model, each a sentence.
	Used []string
}

// Files of the folder.
const (
	ScenarioFile = "scenario.toml"
	TraceFile    = "trace.parquet"
	PolicyFile   = "policy.toml"
	StateFile    = "policy-state.json"
	CatalogFile  = "catalog.toml"
	ReadmeFile   = "README.md"
)

// Write writes the story as a folder that simulates at once, which appears whole
// or not at all. It fails where there is something of that name. tool is who
// writes it, with its version.
func (s *Story) Write(folder string, jobs *Jobs, tool string) error {
	if _, err := os.Lstat(folder); err == nil {
		return &fs.PathError{Op: "write", Path: folder, Err: fs.ErrExist}
	}
	s.settle(jobs)
	folder = filepath.Clean(folder)
	beside, err := os.MkdirTemp(filepath.Dir(folder), "."+filepath.Base(folder)+"-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(beside)
	if err := s.fill(beside, jobs, tool); err != nil {
		return err
	}
	if err := os.Chmod(beside, 0o755); err != nil {
		return err
	}
	return os.Rename(beside, folder)
}

// settle decides what the jobs tell: a queue that could not be read but whose jobs
// went on was not down.
func (s *Story) settle(jobs *Jobs) {
	for i := range s.Faults {
		f := &s.Faults[i]
		if f.Kind != string(sim.QueueOutage) || jobs.Done == nil {
			continue
		}
		// what runs may end once while the queue is away
		from := s.Start.Add(f.From).Add(time.Minute)
		if to := s.Start.Add(f.To); to.After(from) && jobs.Done(from, to) > 0 || !to.After(from) && jobs.Done(s.Start.Add(f.From), to) > 0 {
			f.Kind, f.Signals = string(sim.Blind), []string{"queue"}
			f.Why = "the controller could not read the queue, whose jobs went on"
		}
	}
}

// fill writes the files.
func (s *Story) fill(folder string, jobs *Jobs, tool string) error {
	kinds := &kindsOf{Source: jobs.Source}
	meta, err := traces.Write(filepath.Join(folder, TraceFile), kinds, traces.WriteOptions{Tool: tool})
	if err != nil {
		return err
	}
	if meta.Jobs == 0 {
		return fmt.Errorf("no job of that time is done: %w", errNothing)
	}
	p, err := s.policy()
	if err != nil {
		return err
	}
	for _, f := range []struct {
		name string
		text func(io.Writer) error
	}{
		{ScenarioFile, func(w io.Writer) error { return s.scenario(w, jobs, meta, kinds.kinds) }},
		{PolicyFile, p},
		{StateFile, func(w io.Writer) error { _, err := w.Write(append(s.State, '\n')); return err }},
		{CatalogFile, s.catalog},
		{ReadmeFile, func(w io.Writer) error { return s.readme(w, jobs, meta, tool) }},
	} {
		if err := write(filepath.Join(folder, f.name), f.text); err != nil {
			return err
		}
	}
	return nil
}

var errNothing = errors.New("there is nothing to simulate")

// kindsOf remembers the kinds of a source's jobs.
type kindsOf struct {
	traces.Source
	kinds []traces.Kind
}

func (k *kindsOf) Next(b *traces.Batch) error {
	err := k.Source.Next(b)
	if err == nil {
		k.kinds = b.Kinds
	}
	return err
}

func write(path string, text func(io.Writer) error) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	return errors.Join(text(f), f.Sync(), f.Close())
}

// policy returns what writes the policy's file.
func (s *Story) policy() (func(io.Writer) error, error) {
	h := &s.Header.Policy
	if len(h.Steps) > 0 {
		return func(w io.Writer) error {
			fmt.Fprintf(w, "# Who decided.\nname = %s\n", scenarios.Literal(h.Name))
			for _, x := range h.Steps {
				fmt.Fprintf(w, "\n[[step]]\nat = %s\nlaunch = %d\ntype = %s\n", scenarios.Literal(x.At), x.Launch, scenarios.Literal(x.Type))
				if x.Keep > 0 {
					fmt.Fprintf(w, "keep = %s\n", scenarios.Literal(x.Keep))
				}
			}
			return nil
		}, nil
	}
	p, err := scenarios.NewPolicy(h.Name, h.Params)
	if err != nil {
		return nil, err
	}
	return func(w io.Writer) error {
		fmt.Fprintf(w, "# Who decided at %s, with every parameter in effect: %s\n", s.Start.UTC().Format(time.RFC3339), h.Label)
		return p.Write(w)
	}, nil
}

// catalog writes what was sold.
func (s *Story) catalog(w io.Writer) error {
	c := &s.Header.Catalog
	fmt.Fprintf(w, "name = %s\nbilling = %s\n", scenarios.Literal(c.Name), scenarios.Literal(c.Billing.Name))
	if c.Source != "" {
		fmt.Fprintf(w, "source = %s\n", scenarios.Literal(c.Source))
	}
	for i := range c.Types {
		t := &c.Types[i]
		fmt.Fprintf(w, "\n[[type]]\nname = %s\ncores = %d\nslots = %d\nspeed = %s\nusd_per_hour = %s\n",
			scenarios.Literal(t.Name), t.Cores, t.Slots, scenarios.Literal(t.Speed), scenarios.Literal(t.PerHour.Dollars()))
	}
	return nil
}

// allClassed reports whether a class holds for every kind of job.
func allClassed(classes []policy.Class, kinds []traces.Kind) bool {
	for i := range kinds {
		if policy.ClassOf(classes, kinds[i].Type, int(kinds[i].Priority)) < 0 {
			return false
		}
	}
	return true
}
