package main

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/skynet-ec2/skynet/traces"
)

func newTraceInfoCommand(a *app) *cobra.Command {
	var opt traces.Options
	var offset time.Duration
	var asJSON bool
	c := &cobra.Command{
		Use:   "info FILE",
		Short: "measure a trace: rates, cycles, bursts, service times",
		Args:  exactArgs("FILE"),
		RunE: func(_ *cobra.Command, args []string) error {
			if offset < -14*time.Hour || offset > 14*time.Hour {
				return usageError(fmt.Errorf("--utc-offset %v: must be from -14h to 14h", offset))
			}
			opt.Context = a.ctx
			src, err := traces.Open(args[0], opt)
			if err != nil {
				return err
			}
			defer src.Close()
			progress := a.newProgress("measure "+args[0], src.Meta().Jobs)
			defer progress.End()
			stats, err := traces.Measure(&counted{Source: stoppable{src, a.ctx}, progress: progress}, offset)
			if err != nil {
				return err
			}
			if stats.Jobs == 0 {
				return inputError(fmt.Errorf("%s: holds no job", args[0]))
			}
			progress.End()
			if !asJSON {
				_, err = fmt.Fprint(a.stdout, stats)
				return err
			}
			e := json.NewEncoder(a.stdout)
			e.SetIndent("", "  ")
			return e.Encode(stats)
		},
	}
	formatFlag(c, &opt)
	c.Flags().DurationVar(&offset, "utc-offset", 0, "the users' clock is so far ahead of UTC; -7h in California's summer")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// counted is a source that reports how many jobs passed.
type counted struct {
	traces.Source
	progress *Progress
}

func (c *counted) Next(b *traces.Batch) error {
	err := c.Source.Next(b)
	if err == nil {
		c.progress.Add(int64(b.Len()))
	}
	return err
}
