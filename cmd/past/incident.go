package past

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/scenarios/incident"

	"github.com/spf13/cobra"
)

// AboutIncident is what the help of both verbs says.
const AboutIncident = `Make a scenario of what happened: a folder with the scenario, the trace of the
jobs, the policy with its parameters and its state at that time, what was sold,
the limits, the fleet at the start, and a fault for each one that was journaled:
refusals, throttling, an EC2 or a queue that did not answer, old signals, boots
that never came, interruptions, crashes. skynet simulate runs it at once; its
README says what a simulation of it does not show.`

// Incident holds the flags of the verb.
type Incident struct {
	Flags
	output string
}

// Add defines the flags of c.
func (f *Incident) Add(c *cobra.Command) {
	f.Flags.Add(c, 30*time.Minute)
	c.Flags().StringVarP(&f.output, "output", "o", "", "write the `folder`; default: incident-FROM")
}

// Run writes the incident and says what is in it.
func (f *Incident) Run(a *cli.App, from Sources) error {
	if err := f.Require(); err != nil {
		return err
	}
	span, err := f.Span(time.Now())
	if err != nil {
		return err
	}
	folder := f.output
	if folder == "" {
		folder = "incident-" + span.From.UTC().Format("20060102T1504Z")
	}
	p, err := Read(a.Ctx, from, span)
	if err != nil {
		return err
	}
	defer p.Close()
	err = p.Story.Write(folder, &p.Jobs, cli.BuildVersion(a.Program.Name).String())
	if errors.Is(err, fs.ErrExist) {
		return cli.UsageError(fmt.Errorf("%s: is there already; give another with --output", folder))
	}
	if err != nil || a.Quiet {
		return err
	}
	s := p.Story
	fmt.Fprintf(a.Stdout, "wrote %s: %d decisions judged by %s, %d faults, %d stops\n", folder, s.Measured.Decisions, s.Header.Policy.Label, len(s.Faults), len(s.Stops))
	for i := range s.Faults {
		x := &s.Faults[i]
		fmt.Fprintf(a.Stdout, "  %s from %s to %s: %s\n", x.Kind, s.Start.Add(x.From).UTC().Format(time.RFC3339), s.Start.Add(x.To).UTC().Format(time.RFC3339), x.Why)
	}
	for _, note := range s.AllNotes(&p.Jobs) {
		fmt.Fprintf(a.Stdout, "  not modelled: %s\n", note)
	}
	_, err = fmt.Fprintf(a.Stdout, "next: skynet simulate %s\n", filepath.Join(folder, incident.ScenarioFile))
	return err
}
