package main

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/queue"

	"github.com/spf13/cobra"
)

func newDBCommand(a *cli.App) *cobra.Command {
	c := &cobra.Command{
		Use:   "db",
		Short: "bring a store's tables up to date, or say how far they are",
	}
	spec := c.PersistentFlags().String("store", "sqlite:skynet-queue.db", "the `store`: sqlite:FILE or postgres://…")
	c.AddCommand(
		&cobra.Command{
			Use:   "migrate",
			Short: "make or renew the tables of a store",
			Long: `Make the tables of a store, or bring them up to date. skynetd queue does so too
when it starts; this verb does it beforehand, by someone who may.`,
			Example: "  skynetd db migrate --store postgres://admin@db/skynet",
			Args:    cli.ExactArgs(),
			RunE:    func(*cobra.Command, []string) error { return migrate(a, *spec) },
		},
		&cobra.Command{
			Use:   "status",
			Short: "say how far the tables of a store are; exit code 1 if they are not up to date",
			Args:  cli.ExactArgs(),
			RunE:  func(*cobra.Command, []string) error { return status(a, *spec) },
		},
	)
	return c
}

func migrate(a *cli.App, spec string) error {
	before, err := statusOf(a.Ctx, spec)
	if err != nil && !errors.Is(err, fs.ErrNotExist) { // a file that is not there is made
		return err
	}
	store, err := openStore(a.Ctx, spec)
	if err != nil {
		return err
	}
	if err := store.Close(); err != nil {
		return cli.OutsideError(err)
	}
	after, err := statusOf(a.Ctx, spec)
	if err != nil {
		return err
	}
	if before.Have == after.Have {
		fmt.Fprintf(a.Stdout, "%s: tables of version %d, up to date\n", shownStore(spec), after.Have)
		return nil
	}
	fmt.Fprintf(a.Stdout, "%s: tables of version %d, were of version %d\n", shownStore(spec), after.Have, before.Have)
	return nil
}

func status(a *cli.App, spec string) error {
	s, err := statusOf(a.Ctx, spec)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.Stdout, "%s: tables of version %d, this program works with %d\n", shownStore(spec), s.Have, s.Want)
	if s.Have != s.Want {
		return cli.BrokenError(fmt.Errorf("not up to date: %s", advice(s)))
	}
	return nil
}

func advice(s queue.Schema) string {
	if s.Have > s.Want {
		return "a newer skynetd made them; run that one"
	}
	return "skynetd db migrate brings them there"
}
