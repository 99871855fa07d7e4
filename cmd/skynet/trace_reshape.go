package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/traces"
)

func newTraceCutCommand(a *app) *cobra.Command {
	var output string
	var opt traces.Options
	var from, to time.Duration
	c := &cobra.Command{
		Use:     "cut FILE -o OUT",
		Short:   "write a part of a trace, whose start becomes time 0",
		Example: "  skynet trace cut month.parquet -o week2.parquet --from 168h --to 336h",
		Args:    exactArgs("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			if from < 0 || to < 0 || to > 0 && to <= from {
				return usageError(fmt.Errorf("--from %v --to %v: must not be negative, and --to must come after --from", from, to))
			}
			none := fmt.Sprintf("%s: holds no job from %v on", args[0], from)
			if to > 0 {
				none = fmt.Sprintf("%s: holds no job from %v to %v", args[0], from, to)
			}
			return a.reshapeTrace(args[0], opt, output, func(src traces.Source) traces.Source {
				return &nonempty{Source: traces.Cut(src, from, to), none: none}
			})
		},
	}
	outputFlag(c, &output)
	formatFlag(c, &opt)
	c.Flags().DurationVar(&from, "from", 0, "the part begins so long after the trace's start")
	c.Flags().DurationVar(&to, "to", 0, "and ends before this; 0 for the trace's end")
	return c
}

func newTraceConvertCommand(a *app) *cobra.Command {
	var output string
	var opt traces.Options
	scale := 1.0
	amplify, jitter, seed := 1, 30*time.Second, uint64(1)
	c := &cobra.Command{
		Use:     "convert FILE -o OUT",
		Short:   "write a trace in another format, scaled or amplified on the way",
		Example: "  skynet trace convert week.csv.gz -o week20.parquet --amplify 20",
		Args:    exactArgs("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			switch {
			case !(scale >= 1e-9 && scale <= 1e9):
				return usageError(fmt.Errorf("--service-scale %v: must be from 1e-9 to 1e9", scale))
			case amplify < 1 || amplify > 100_000:
				return usageError(fmt.Errorf("--amplify %d: must be from 1 to 100000", amplify))
			case jitter < 0 || jitter > 168*time.Hour:
				return usageError(fmt.Errorf("--jitter %v: must be from 0 to 168h", jitter))
			}
			return a.reshapeTrace(args[0], opt, output, func(src traces.Source) traces.Source {
				return traces.Amplify(traces.Scale(src, scale), amplify, jitter, seed)
			})
		},
	}
	outputFlag(c, &output)
	formatFlag(c, &opt)
	f := c.Flags()
	f.Float64Var(&scale, "service-scale", scale, "multiply every service time by `x`")
	f.IntVar(&amplify, "amplify", amplify, "write every job `k` times")
	f.DurationVar(&jitter, "jitter", jitter, "move each clone by up to this, either way")
	f.Uint64Var(&seed, "seed", seed, "seed of the clones' moves")
	return c
}

// reshapeTrace writes to output what change makes of the trace in a file.
func (a *app) reshapeTrace(file string, opt traces.Options, output string, change func(traces.Source) traces.Source) error {
	opt.Context = a.ctx
	src, err := traces.Open(file, opt)
	if err != nil {
		return err
	}
	defer src.Close()
	if err := spareTraces(output, file); err != nil {
		return err
	}
	return a.writeTrace(output, change(src))
}

// nonempty is a source whose end is an error if it had no job.
type nonempty struct {
	traces.Source
	none string // the error
	any  bool
}

func (n *nonempty) Next(b *traces.Batch) error {
	err := n.Source.Next(b)
	n.any = n.any || err == nil && b.Len() > 0
	if errors.Is(err, io.EOF) && !n.any {
		return inputError(errors.New(n.none))
	}
	return err
}
