// Package export is the verb that makes a trace of a queue's history, whether it
// is asked over HTTP (skynet) or read from its database (skynetd).
package export

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/history"
	"github.com/skynet-ec2/skynet/traces"

	"github.com/spf13/cobra"
)

// About is what the help of both verbs says.
const About = `The jobs that are done become a trace, as it stood: when each arrived, how long
it ran, its type and priority. Jobs that were cancelled or failed for good are
left out and counted. skynet simulate --trace replays it.

Seconds are those on the worker that ran the job. In a fleet of several instance
types say how fast their cores are, against the reference core: --speed.`

// Read yields the jobs that ended at from or later; zero is no bound.
type Read func(from time.Time, yield func(api.Finished) error) error

// Flags say which jobs to export, and to where.
type Flags struct {
	output, from, to string
	speeds           []string
}

// Add defines the flags of c.
func (f *Flags) Add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVarP(&f.output, "output", "o", "", "write the trace to `FILE`: "+traces.Writable)
	cli.Require(c, "output")
	flags.StringVar(&f.from, "from", "", "only jobs that arrived at this `instant` or later, which becomes the trace's 0; default: the first arrival")
	flags.StringVar(&f.to, "to", "", "and before this `instant`")
	flags.StringSliceVar(&f.speeds, "speed", nil, "speed of a core of an instance type, `TYPE=SPEED`; others have 1")
}

// Check returns what is wrong with the flags.
func (f *Flags) Check() (history.Options, error) {
	var opt history.Options
	for _, i := range []struct {
		flag, value string
		into        *time.Time
	}{{"from", f.from, &opt.From}, {"to", f.to, &opt.To}} {
		if i.value == "" {
			continue
		}
		at, err := time.Parse(time.RFC3339, i.value)
		if err != nil {
			return opt, cli.UsageError(fmt.Errorf("--%s %q: must be an instant such as 2026-01-31T12:00:00Z", i.flag, i.value))
		}
		*i.into = at
	}
	if !opt.To.IsZero() && !opt.From.Before(opt.To) {
		return opt, cli.UsageError(fmt.Errorf("--to %s: must lie after --from", f.to))
	}
	opt.Speeds = map[string]float64{}
	for _, s := range f.speeds {
		name, text, ok := strings.Cut(s, "=")
		speed, err := strconv.ParseFloat(text, 64)
		if !ok || err != nil || !(speed > 0 && speed <= 1000) {
			return opt, cli.UsageError(fmt.Errorf("--speed %q: must be TYPE=SPEED with a speed above 0, at most 1000", s))
		}
		opt.Speeds[name] = speed
	}
	return opt, traces.CheckWritable(f.output)
}

// Run exports what read yields and says what it did. A job may have ended long
// after it arrived, so all that ended from the first instant on is read.
func (f *Flags) Run(a *cli.App, read Read) error {
	opt, err := f.Check()
	if err != nil {
		return err
	}
	sorter := history.New(opt)
	defer sorter.Close()
	types := map[string]bool{}
	err = read(opt.From, func(j api.Finished) error {
		if j.InstanceType != "" && j.State == api.StateDone {
			types[j.InstanceType] = true
		}
		if err := a.Ctx.Err(); err != nil {
			return err
		}
		return sorter.Add(j)
	})
	if err != nil {
		return err
	}
	if sorter.Jobs() == 0 {
		return cli.InputError(fmt.Errorf("no job that arrived in that time is done (%d ended otherwise)", sorter.Skipped.NotDone))
	}
	trace, err := sorter.Trace()
	if err != nil {
		return err
	}
	meta, err := traces.Write(f.output, trace, traces.WriteOptions{Tool: cli.BuildVersion(a.Program.Name).String()})
	if err != nil {
		return err
	}
	if !a.Quiet {
		fmt.Fprintf(a.Stdout, "wrote %s: %d jobs in %v; left out: %d not done\n", f.output, meta.Jobs, meta.Span.Round(time.Second), sorter.Skipped.NotDone)
	}
	if unknown := without(types, opt.Speeds); len(types) > 1 && len(unknown) > 0 {
		a.Log.Warn("jobs ran on several instance types; those without --speed count as the reference core", "types", strings.Join(unknown, ", "))
	}
	return nil
}

// without returns the types that have no speed, by name.
func without(types map[string]bool, speeds map[string]float64) []string {
	var names []string
	for t := range types {
		if _, ok := speeds[t]; !ok {
			names = append(names, t)
		}
	}
	slices.Sort(names)
	return names
}
