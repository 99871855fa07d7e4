package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/controller/sqlstore"
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
nothing until resumed. The stop is a row of the controller's store, which stops every
machine that may lead, and a file beside the controller, for which nothing else has to
work. Either stops.`,
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
		Long:  "End a stop: the row of the controller's store and the file beside it, whoever wrote them.",
		Args:  cli.ExactArgs(),
		RunE:  func(*cobra.Command, []string) error { return v.resume() },
	}
	v.add(c)
	c.Flags().StringVar(&v.reason, "reason", "", "say why; this `text` stands with who did it")
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
	s := controller.Stopped{Reason: v.reason, By: userName(), Since: time.Now().UTC().Truncate(time.Second)}
	if v.lasts > 0 {
		s.Until = s.Since.Add(v.lasts)
	}
	// either of them stops, so one that fails is no reason not to write the other
	inFile := writeStop(file.Stop, s)
	inStore := v.inStore(file, func(store controller.Switch) error { return store.Stop(v.Ctx, file.Name, s) })
	if inFile != nil && inStore != nil {
		return cli.OutsideError(fmt.Errorf("not stopped: %w", errors.Join(inFile, inStore)))
	}
	if inFile != nil {
		v.Log.Warn("the stop is in the store only", "error", inFile)
	}
	if inStore != nil {
		v.Log.Warn("the stop is in the file only: it stops this machine's controller, no other's", "file", file.Stop, "error", inStore)
	}
	_, err = fmt.Fprintf(v.Stdout, "%s\n", s)
	return err
}

// writeStop writes a stop into a file, whole or not at all.
func writeStop(name string, s controller.Stopped) error {
	text, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return err
	}
	return whole.WriteFile(name, append(text, '\n'))
}

// userName returns who runs this program; empty: the system does not say.
func userName() string {
	u, err := user.Current()
	if err != nil {
		return ""
	}
	return u.Username
}

// inStore does something to the switch in the fleet's store.
func (v *stopVerb) inStore(file *scenarios.Fleet, do func(controller.Switch) error) error {
	store, err := sqlstore.Open(v.Ctx, file.Store)
	if err != nil {
		return err
	}
	return errors.Join(do(store), store.Close())
}

func (v *stopVerb) resume() error {
	file, err := scenarios.LoadFleet(v.config)
	if err != nil {
		return cli.InputError(err)
	}
	now := time.Now().UTC().Truncate(time.Second)
	was := []controller.Stopped{controller.Stops(file.Stop)(now)}
	err = os.Remove(file.Stop)
	if errors.Is(err, fs.ErrNotExist) {
		was, err = nil, nil
	}
	inStore := v.inStore(file, func(store controller.Switch) error {
		row, err := store.Resume(v.Ctx, file.Name, controller.Act{At: now, By: userName(), What: "resume", Why: v.reason})
		if row.Reason != "" && !slices.Contains(was, row) {
			was = append(was, row)
		}
		return err
	})
	if err := errors.Join(err, inStore); err != nil {
		return cli.OutsideError(fmt.Errorf("it may be stopped still: %w", err))
	}
	if len(was) == 0 {
		_, err := fmt.Fprintln(v.Stdout, "it was not stopped")
		return err
	}
	for _, s := range was {
		if _, err := fmt.Fprintf(v.Stdout, "resumed; it was %s\n", s); err != nil {
			return err
		}
	}
	return nil
}
