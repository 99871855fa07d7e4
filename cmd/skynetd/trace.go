package main

import (
	"errors"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/cmd/export"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue"

	"github.com/spf13/cobra"
)

func newTraceCommand(a *cli.App) *cobra.Command {
	c := &cobra.Command{
		Use:   "trace",
		Short: "make traces of what a queue or a database of yours did",
	}
	c.AddCommand(newTraceExportCommand(a), newTraceImportCommand(a))
	return c
}

func newTraceExportCommand(a *cli.App) *cobra.Command {
	var flags export.Flags
	var spec string
	c := &cobra.Command{
		Use:     "export -o OUT",
		Short:   "make a trace of the history in a queue's store",
		Long:    "Read the history in a queue's store, while the queue runs or not.\n\n" + export.About,
		Example: "  skynetd trace export --store sqlite:skynet-queue.db -o week.parquet --from 2026-06-01T00:00:00Z --to 2026-06-08T00:00:00Z",
		Args:    cli.ExactArgs(),
		RunE: func(*cobra.Command, []string) error {
			if spec == "memory" {
				return cli.UsageError(errors.New("--store memory: is gone with its process; ask a running queue with skynet trace export"))
			}
			if _, err := flags.Check(); err != nil {
				return err
			}
			if err := checkStore(spec); err != nil {
				return err
			}
			store, err := openStore(a.Ctx, spec)
			if err != nil {
				return err
			}
			defer store.Close()
			return flags.Run(a, func(from time.Time, yield func(api.Finished) error) error {
				return queue.ReadHistory(a.Ctx, store, from, time.Now().Add(time.Hour), yield) // clocks differ
			})
		},
	}
	c.Flags().StringVar(&spec, "store", "sqlite:skynet-queue.db", "read this `store`: sqlite:FILE or postgres://…")
	flags.Add(c)
	return c
}
