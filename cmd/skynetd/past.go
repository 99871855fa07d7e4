package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/cmd/drift"
	"github.com/skynet-ec2/skynet/cmd/past"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/queue"

	"github.com/spf13/cobra"
)

// recorded holds the flags that say which databases production's records are in.
type recorded struct {
	*cli.App
	config, store string
}

func (x *recorded) add(c *cobra.Command) {
	c.Flags().StringVar(&x.config, "config", "skynet.toml", "of the controller of this `file`: its store has the journal")
	c.Flags().StringVar(&x.store, "store", "sqlite:skynet-queue.db", "read the history in this `store` of the queue: sqlite:FILE or postgres://…")
}

// read runs work with what the databases have.
func (x *recorded) read(work func(past.Sources) error) error {
	if x.store == "memory" {
		return cli.UsageError(errors.New("--store memory: is gone with its process; ask a running queue with skynet"))
	}
	if err := checkStore(x.store); errors.Is(err, fs.ErrNotExist) {
		return cli.InputError(fmt.Errorf("%w; --store says where the queue's store is", err))
	} else if err != nil {
		return err
	}
	file, journals, err := openController(x.App, x.config)
	if err != nil {
		return err
	}
	defer journals.Close()
	history, err := openStore(x.Ctx, x.store)
	if err != nil {
		return err
	}
	defer history.Close()
	ctx, cancel := context.WithCancel(x.Ctx)
	defer cancel()
	return work(past.Sources{
		Journal: past.Store(ctx, journals, file.Name),
		History: func(from time.Time, yield func(api.Finished) error) error {
			return queue.ReadHistory(ctx, history, from, time.Now().Add(time.Hour), yield) // clocks differ
		},
	})
}

const recordedHelp = `

The journal is read from the controller's store, the history from the queue's,
whether they run or not. skynet has the same verb for files and for what answers
over HTTP.`

func newIncidentCommand(a *cli.App) *cobra.Command {
	x, f := &recorded{App: a}, &past.Incident{}
	c := &cobra.Command{
		Use:     "incident --from TIME --to TIME",
		Short:   "make a scenario of what happened, from the databases",
		Long:    past.AboutIncident + recordedHelp,
		Example: "  skynetd incident --config skynet.toml --store postgres://skynet@db/queue --from 2026-03-02T20:00:00Z --to 2026-03-02T23:00:00Z",
		Args:    cli.ExactArgs(),
		RunE: func(*cobra.Command, []string) error {
			if err := f.Require(); err != nil {
				return err
			}
			return x.read(func(s past.Sources) error { return f.Run(a, s) })
		},
	}
	f.Add(c)
	x.add(c)
	return c
}

func newDriftCommand(a *cli.App) *cobra.Command {
	x, f := &recorded{App: a}, &drift.Flags{}
	c := &cobra.Command{
		Use:     "drift",
		Short:   "say how far the simulator's prediction of a day is from what happened, from the databases",
		Long:    drift.About + recordedHelp,
		Example: "  skynetd drift --config skynet.toml --store postgres://skynet@db/queue",
		Args:    cli.ExactArgs(),
		RunE:    func(*cobra.Command, []string) error { return x.read(func(s past.Sources) error { return f.Run(a, s) }) },
	}
	f.Add(c)
	x.add(c)
	return c
}

// sourcesOf returns what a controller has at hand: its store's journal, and the
// queue it asks. A queue of another kind has no history: ok is false.
func sourcesOf(ctx context.Context, fleet string, pages controller.Pages, q controller.Queue) (s past.Sources, ok bool) {
	c, ok := q.(*client.Client)
	if !ok {
		return s, false
	}
	return past.Sources{
		Journal: past.Store(ctx, pages, fleet),
		History: func(from time.Time, yield func(api.Finished) error) error {
			return c.History(ctx, from, time.Time{}, yield)
		},
		Queues: func() ([]api.Queue, error) { return c.Queues(ctx) },
	}, true
}
