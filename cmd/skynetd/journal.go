package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/cmd/past"
	"github.com/skynet-ec2/skynet/live/controller/sqlstore"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/traces/compressed"
	"github.com/skynet-ec2/skynet/traces/whole"

	"github.com/spf13/cobra"
)

// journalFile is the file of one page of a journal: compressed as it grows, so
// that a crash loses its last line at most.
type journalFile struct {
	file *os.File
	w    compressed.Writer
}

// newJournalFile begins a file in a folder, named after the fleet and the time.
func newJournalFile(folder, fleet, suffix string) (io.WriteCloser, error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return nil, err
	}
	name := fmt.Sprintf("%s%s-%s.jsonl.zst", fleet, suffix, time.Now().UTC().Format(past.Stamp))
	file, err := os.OpenFile(filepath.Join(folder, name), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
	if err != nil {
		return nil, err
	}
	w, err := compressed.NewWriter(file, name)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &journalFile{file, w}, nil
}

// Write writes a line, or a part of one, through to the file.
func (j *journalFile) Write(text []byte) (int, error) {
	n, err := j.w.Write(text)
	if err == nil {
		err = j.w.Flush()
	}
	return n, err
}

// Close ends the file.
func (j *journalFile) Close() error {
	return errors.Join(j.w.Close(), j.file.Sync(), j.file.Close())
}

// journalBoth is a page of a journal in a file and in the store. The file counts;
// the store's takes everything and fails never.
type journalBoth struct {
	io.WriteCloser
	page *sqlstore.Page
	log  *slog.Logger
}

// newJournalBoth begins a page in both.
func newJournalBoth(file *scenarios.Fleet, suffix string, store *sqlstore.Store, log *slog.Logger) (io.WriteCloser, error) {
	w, err := newJournalFile(file.Journal, file.Name, suffix)
	if err != nil || file.JournalKeep == 0 {
		return w, err
	}
	return &journalBoth{w, store.Journal(file.Name+suffix, file.JournalKeep, log), log}, nil
}

func (j *journalBoth) Write(text []byte) (int, error) {
	j.page.Write(text)
	return j.WriteCloser.Write(text)
}

// Close ends the file. What the store did not take is in it.
func (j *journalBoth) Close() error {
	if err := j.page.Close(); err != nil {
		j.log.Warn("end the journal", "error", err)
	}
	return j.WriteCloser.Close()
}

func newJournalCommand(a *cli.App) *cobra.Command {
	c := &cobra.Command{
		Use:   "journal",
		Short: "read the journal in a controller's store",
	}
	c.AddCommand(newJournalExportCommand(a))
	return c
}

func newJournalExportCommand(a *cli.App) *cobra.Command {
	var span past.Flags
	var config, output string
	var shadow bool
	c := &cobra.Command{
		Use:   "export -o FILE",
		Short: "write the journal in a controller's store to a file",
		Long: `Read the journal that a controller keeps in its store, whether it runs or not,
and write it to a file, for skynet replay and skynet explain. Pages are written
whole, from their beginning on. Without --from and --to it is that of yesterday.`,
		Example: "  skynetd journal export --config skynet.toml --from 2026-03-02T00:00:00Z --to 2026-03-03T00:00:00Z -o day.jsonl.zst",
		Args:    cli.ExactArgs(),
		RunE: func(*cobra.Command, []string) error {
			s, err := span.Span(time.Now())
			if err != nil {
				return err
			}
			file, store, err := openController(a, config)
			if err != nil {
				return err
			}
			defer store.Close()
			name := file.Name
			if shadow {
				name += "-shadow"
			}
			return exportJournal(a, store, name, s.Start, s.To, output)
		},
	}
	c.Flags().StringVar(&config, "config", "skynet.toml", "of the controller of this `file`")
	c.Flags().StringVarP(&output, "output", "o", "", "write to `FILE`: .jsonl.zst, .jsonl.gz or .jsonl")
	c.Flags().BoolVar(&shadow, "shadow", false, "the shadow's journal")
	cli.Require(c, "output")
	span.Add(c, 0)
	return c
}

// openController opens the store of the controller that a file describes.
func openController(a *cli.App, config string) (*scenarios.Fleet, *sqlstore.Store, error) {
	file, err := scenarios.LoadFleet(config)
	if err != nil {
		return nil, nil, cli.InputError(err)
	}
	if err := checkStore(file.Store); err != nil {
		return nil, nil, err
	}
	store, err := sqlstore.Open(a.Ctx, file.Store)
	if err != nil {
		return nil, nil, cli.OutsideError(err)
	}
	return file, store, nil
}

// exportJournal writes the lines of a journal to a file.
func exportJournal(a *cli.App, store *sqlstore.Store, name string, from, to time.Time, output string) error {
	f, err := whole.Create(output)
	if err != nil {
		return err
	}
	defer f.Abort()
	w, err := compressed.NewWriter(f, output)
	if err != nil {
		return err
	}
	lines := 0
	err = store.JournalLines(a.Ctx, name, from, to, func(line []byte) error {
		lines++
		_, err := w.Write(line)
		return err
	})
	if err != nil {
		return cli.OutsideError(err)
	}
	if lines == 0 {
		return cli.InputError(fmt.Errorf("the store has no journal of %s from %s to %s", name, from.UTC().Format(time.RFC3339), to.UTC().Format(time.RFC3339)))
	}
	if err := errors.Join(w.Close(), f.Commit()); err != nil {
		return err
	}
	if !a.Quiet {
		fmt.Fprintf(a.Stdout, "wrote %s: %d lines\n", output, lines)
	}
	return nil
}
