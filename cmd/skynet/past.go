package main

import (
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/skynet-ec2/skynet/cmd/drift"
	"github.com/skynet-ec2/skynet/cmd/past"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/desk"
	"github.com/skynet-ec2/skynet/policy/journal"

	"github.com/spf13/cobra"
)

// recorded holds the flags that say where production's records are.
type recorded struct {
	app     *app
	journal []string
	fleet   string
	history string
}

func (x *recorded) add(c *cobra.Command) {
	flags := c.Flags()
	flags.StringArrayVar(&x.journal, "journal", nil, "read the journal in this `file` or folder, or of the controller at this URL; may be given more than once; default: of the controller at "+desk.EnvController)
	flags.StringVar(&x.fleet, "fleet", "", "of a folder with several fleets' journals, those of this `fleet`")
	flags.StringVar(&x.history, "history", "", "read the history of jobs in this `file` (the queue's, as ndjson) instead of asking the queue")
}

// sources returns where the records are; done closes what was opened.
func (x *recorded) sources() (s past.Sources, done func(), err error) {
	done = func() {}
	switch from := x.journal; {
	case len(from) == 0:
		c, err := desk.FromEnv()
		if err != nil {
			return s, done, inputError(err)
		}
		s.Journal = x.asked(c)
	case len(from) == 1 && past.IsURL(from[0]):
		c, err := desk.FromEnvAt(from[0])
		if err != nil {
			return s, done, inputError(err)
		}
		s.Journal = x.asked(c)
	default:
		s.Journal = past.Files(from, x.fleet)
	}
	if x.history != "" {
		s.History = past.HistoryFile(x.history)
		return s, done, nil
	}
	q, err := x.app.queueOf()
	if err != nil {
		return s, done, err
	}
	s.History = func(from time.Time, yield func(api.Finished) error) error {
		return explainRefusal(q.History(x.app.ctx, from, time.Time{}, yield))
	}
	s.Queues = func() ([]api.Queue, error) { return q.Queues(x.app.ctx) }
	return s, func() { q.Close() }, nil
}

// asked returns the journal of a running controller, with advice where it does not
// answer.
func (x *recorded) asked(c *desk.Client) func(from, to time.Time) ([]journal.Source, error) {
	ask := past.Controller(x.app.ctx, c)
	return func(from, to time.Time) ([]journal.Source, error) {
		sources, err := ask(from, to)
		for i := range sources {
			open := sources[i].Open
			sources[i].Open = func() (io.ReadCloser, error) {
				r, err := open()
				if errors.Is(err, syscall.ECONNREFUSED) {
					err = fmt.Errorf("%w, or --journal names its files", explainDesk(err))
				}
				return r, err
			}
		}
		return sources, err
	}
}

// read runs work with the records.
func (x *recorded) read(work func(past.Sources) error) error {
	s, done, err := x.sources()
	if err != nil {
		return err
	}
	defer done()
	return work(s)
}

const recordedHelp = `

The journal is read from files, or from the store of a running controller, over
HTTP.` + remoteHelp

func newIncidentCommand(a *app) *cobra.Command {
	x, f := &recorded{app: a}, &past.Incident{}
	c := &cobra.Command{
		Use:   "incident --from TIME --to TIME",
		Short: "make a scenario of what happened in production",
		Long:  past.AboutIncident + recordedHelp,
		Example: `  skynet incident --from 2026-03-02T20:00:00Z --to 2026-03-02T23:00:00Z --journal /var/lib/skynet/journal
  skynet simulate incident-20260302T2000Z/scenario.toml`,
		Args: exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			if err := f.Require(); err != nil {
				return err
			}
			return x.read(func(s past.Sources) error { return f.Run(a.cli, s) })
		},
	}
	f.Add(c)
	x.add(c)
	return c
}

func newDriftCommand(a *app) *cobra.Command {
	x, f := &recorded{app: a}, &drift.Flags{}
	c := &cobra.Command{
		Use:     "drift",
		Short:   "say how far the simulator's prediction of a day is from what happened",
		Long:    drift.About + recordedHelp,
		Example: "  skynet drift --from 2026-03-02T00:00:00Z --to 2026-03-03T00:00:00Z --journal /var/lib/skynet/journal",
		Args:    exactArgs(),
		RunE: func(*cobra.Command, []string) error {
			return x.read(func(s past.Sources) error { return f.Run(a.cli, s) })
		},
	}
	f.Add(c)
	x.add(c)
	return c
}
