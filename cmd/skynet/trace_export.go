package main

import (
	"time"

	"github.com/skynet-ec2/skynet/cmd/export"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"

	"github.com/spf13/cobra"
)

func newTraceExportCommand(a *app) *cobra.Command {
	var flags export.Flags
	c := &cobra.Command{
		Use:     "export -o OUT",
		Short:   "make a trace of what a running queue did",
		Long:    "Ask a running queue for its history. " + export.About + remoteHelp,
		Example: "  skynet trace export -o week.parquet --from 2026-06-01T00:00:00Z --to 2026-06-08T00:00:00Z",
		Args:    exactArgs(),
	}
	c.RunE = a.asking(func(q *client.Client, _ []string) error {
		return flags.Run(a.cli, func(from time.Time, yield func(api.Finished) error) error {
			return q.History(a.ctx, from, time.Time{}, yield)
		})
	})
	flags.Add(c)
	return c
}
