package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/traces/whole"

	"github.com/spf13/cobra"
)

// stopVerb holds the flags of skynetd stop and resume.
type stopVerb struct {
	*cli.App
	config, reason string
	lasts          time.Duration
}

func newStopCommand(a *cli.App) *cobra.Command {
	v := &stopVerb{App: a}
	c := &cobra.Command{
		Use:   "stop --reason TEXT",
		Short: "launch and terminate nothing until resumed",
		Long: `Stop a controller: it goes on deciding and recording, and launches and terminates
nothing until resumed. The stop is a file beside the controller, so that nothing
else has to work for it.`,
		Example: `  skynetd stop --config skynet.toml --reason "EC2 is down, see the status page"
  skynetd stop --config skynet.toml --reason "backup drill" --for 30m`,
		Args: cli.ExactArgs(),
		RunE: func(*cobra.Command, []string) error { return v.stop() },
	}
	v.add(c)
	c.Flags().StringVar(&v.reason, "reason", "", "say why; whoever looks sees this `text`")
	c.Flags().DurationVar(&v.lasts, "for", 0, "resume by itself after this `time`; 0: never")
	return c
}

func newResumeCommand(a *cli.App) *cobra.Command {
	v := &stopVerb{App: a}
	c := &cobra.Command{
		Use:   "resume",
		Short: "end a stop",
		Args:  cli.ExactArgs(),
		RunE:  func(*cobra.Command, []string) error { return v.resume() },
	}
	v.add(c)
	return c
}

func (v *stopVerb) add(c *cobra.Command) {
	c.Flags().StringVar(&v.config, "config", "skynet.toml", "of the controller of this `file`")
}

func (v *stopVerb) stop() error {
	if v.reason == "" {
		return cli.UsageError(errors.New("--reason must be given: whoever looks has to know"))
	}
	if v.lasts < 0 {
		return cli.UsageError(fmt.Errorf("--for %s: must not be negative", v.lasts))
	}
	file, err := scenarios.LoadFleet(v.config)
	if err != nil {
		return cli.InputError(err)
	}
	s := controller.Stopped{Reason: v.reason, Since: time.Now().UTC().Truncate(time.Second)}
	if u, err := user.Current(); err == nil {
		s.By = u.Username
	}
	if v.lasts > 0 {
		s.Until = s.Since.Add(v.lasts)
	}
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	f, err := whole.Create(file.Stop)
	if err != nil {
		return cli.OutsideError(err)
	}
	defer f.Abort()
	if _, err := f.Write(append(text, '\n')); err != nil {
		return cli.OutsideError(err)
	}
	if err := f.Commit(); err != nil {
		return cli.OutsideError(err)
	}
	_, err = fmt.Fprintf(v.Stdout, "%s\n", s)
	return err
}

func (v *stopVerb) resume() error {
	file, err := scenarios.LoadFleet(v.config)
	if err != nil {
		return cli.InputError(err)
	}
	was := controller.Stops(file.Stop)(time.Now())
	switch err := os.Remove(file.Stop); {
	case errors.Is(err, fs.ErrNotExist):
		_, err := fmt.Fprintln(v.Stdout, "it was not stopped")
		return err
	case err != nil:
		return cli.OutsideError(err)
	}
	_, err = fmt.Fprintf(v.Stdout, "resumed; it was %s\n", was)
	return err
}
