package drift

import (
	"errors"
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/cmd/past"
	"github.com/skynet-ec2/skynet/reports"

	"github.com/spf13/cobra"
)

// About is what the help of both verbs says.
const About = `Simulate a day from what was recorded of it, and say how far the prediction is
from what happened: cost, slack, and the time from arrival to done by job type.
It exits 1 where that is more than the bounds, and names what the live queue did
that the simulator does not model. Without --from and --to it is of yesterday, by
the days of UTC.`

// Flags of the verb.
type Flags struct {
	past.Flags
	bounds Bounds
	runs   int
	json   string
}

// Add defines the flags of c.
func (f *Flags) Add(c *cobra.Command) {
	f.Flags.Add(c, time.Hour)
	flags := c.Flags()
	flags.Float64Var(&f.bounds.Cost, "cost", Usual.Cost, "at most this `fraction` between the costs")
	flags.Float64Var(&f.bounds.Slack, "slack", Usual.Slack, "at most this `fraction` between the slacks")
	flags.Float64Var(&f.bounds.Latency, "latency", Usual.Latency, "at most this `fraction` between the 95th percentiles of a job type")
	flags.IntVar(&f.runs, "runs", 3, "simulate this `often`, and take the mean")
	flags.StringVar(&f.json, "json", "", "write the report as JSON to this `file`; - for standard output")
}

// Run compares, and prints.
func (f *Flags) Run(a *cli.App, from past.Sources) error {
	span, err := f.Span(time.Now())
	if err != nil {
		return err
	}
	if f.runs < 1 || f.runs > 1000 {
		return cli.UsageError(fmt.Errorf("--runs %d: must be from 1 to 1000", f.runs))
	}
	for _, x := range []float64{f.bounds.Cost, f.bounds.Slack, f.bounds.Latency} {
		if !(x >= 0) {
			return cli.UsageError(errors.New("a bound must be a fraction from 0 on"))
		}
	}
	r, err := Measure(a.Ctx, from, span, f.bounds, f.runs)
	if err != nil {
		return err
	}
	r.At = time.Now().UTC().Truncate(time.Second)
	if f.json != "" {
		if err := reports.WriteJSON(f.json, a.Stdout, r); err != nil {
			return err
		}
	}
	if f.json != "-" && (!a.Quiet || !r.Kept) {
		if err := r.Print(a.Stdout); err != nil {
			return err
		}
	}
	if !r.Kept {
		return cli.BrokenError(nil)
	}
	return nil
}
