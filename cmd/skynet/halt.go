package main

import (
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/live/desk"

	"github.com/spf13/cobra"
)

func newStopCommand(a *app) *cobra.Command {
	var reason string
	var lasts time.Duration
	c := &cobra.Command{
		Use:   "stop --reason TEXT",
		Short: "have the controller launch and terminate nothing until resumed",
		Long: `Stop the controller: it goes on deciding and recording, and launches and terminates
nothing until resumed. The stop is a row of the controller's store, so it stops every
machine that may lead. Where the controller does not answer, skynetd stop on its
machine does the same with a file.` + deskHelp,
		Example: `  skynet stop --reason "EC2 is down, see its status page" --for 30m`,
		Args:    exactArgs(),
	}
	c.RunE = a.ordering(func(d *desk.Client, _ []string) error {
		if lasts < 0 {
			return usageError(fmt.Errorf("--for %s: must not be negative", lasts))
		}
		s, err := d.Stop(a.ctx, desk.StopRequest{Why: reason, ForS: lasts.Seconds()})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(a.stdout, s)
		return err
	})
	because(c, &reason)
	c.Flags().DurationVar(&lasts, "for", 0, "resume by itself after this `time`; 0: never")
	return c
}

func newResumeCommand(a *app) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:     "resume --reason TEXT",
		Short:   "end a stop",
		Long:    "End a stop: the row of the controller's store. A file on the controller's machine stops on: skynetd resume removes it." + deskHelp,
		Example: `  skynet resume --reason "EC2 is well again"`,
		Args:    exactArgs(),
	}
	c.RunE = a.ordering(func(d *desk.Client, _ []string) error {
		was, err := d.Resume(a.ctx, reason)
		if err != nil {
			return err
		}
		if was.Reason == "" {
			fmt.Fprintln(a.stdout, "no row stopped it")
		} else {
			fmt.Fprintf(a.stdout, "resumed; it was %s\n", was)
		}
		v, err := d.Orders(a.ctx)
		if err == nil && v.FileStop != nil {
			a.log.Warn("a file on the controller's machine stops it still: skynetd resume removes it", "stop", v.FileStop.String())
		}
		return err
	})
	because(c, &reason)
	return c
}
