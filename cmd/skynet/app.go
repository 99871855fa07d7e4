package main

import (
	"context"
	"io"
	"log/slog"
	"os"

	"github.com/skynet-ec2/skynet/cmd/cli"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// app is what every verb shares: where to write, how, and for how long.
type app struct {
	cli    *cli.App
	ctx    context.Context // canceled by Ctrl-C; a verb then stops cleanly and returns ctx.Err()
	stdout io.Writer       // results
	stderr io.Writer       // errors, the log, progress
	log    *slog.Logger    // to stderr; follows --log-level, --log-format and --quiet

	quiet            bool // print results and errors only
	isTerminal       bool // stdout is a terminal
	stderrIsTerminal bool // progress may redraw its line
	noColor          bool // write no colors to stdout
}

// newApp returns an app that writes to stdout and stderr.
func newApp(ctx context.Context, stdout, stderr io.Writer) *app {
	return appOf(cli.New(program, ctx, stdout, stderr))
}

// appOf returns the app around c. It writes no color where stdout is not a
// terminal, or where NO_COLOR or TERM=dumb ask for none.
func appOf(c *cli.App) *app {
	a := &app{
		cli:              c,
		ctx:              c.Ctx,
		stdout:           c.Stdout,
		stderr:           c.Stderr,
		log:              c.Log,
		isTerminal:       cli.IsTerminal(c.Stdout),
		stderrIsTerminal: cli.IsTerminal(c.Stderr),
	}
	a.noColor = !a.isTerminal || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb"
	c.OnStart = func() { a.log, a.quiet = c.Log, c.Quiet }
	return a
}

// execute runs the verb that args name and returns the exit code.
func (a *app) execute(args []string) int { return a.cli.Execute(a.commands(), args) }

// width returns the columns of the terminal that results go to, or 0.
func (a *app) width() int { return columns(a.stdout, a.isTerminal) }

// stderrWidth returns the columns of the terminal that progress goes to, or 0.
func (a *app) stderrWidth() int { return columns(a.stderr, a.stderrIsTerminal) }

func columns(w io.Writer, isTerminal bool) int {
	if f, ok := w.(*os.File); ok && isTerminal {
		width, _, _ := term.GetSize(int(f.Fd()))
		return width
	}
	return 0
}

// The words of package cli that every verb uses.
type exitError = cli.ExitError

const (
	exitGood        = cli.ExitGood
	exitBadInput    = cli.ExitBadInput
	exitFailure     = cli.ExitFailure
	exitInterrupted = cli.ExitInterrupted
)

func usageError(err error) error                     { return cli.UsageError(err) }
func inputError(err error) error                     { return cli.InputError(err) }
func outsideError(err error) error                   { return cli.OutsideError(err) }
func brokenError(err error) error                    { return cli.BrokenError(err) }
func exitCode(err error, interrupted bool) int       { return cli.ExitCode(err, interrupted) }
func exactArgs(names ...string) cobra.PositionalArgs { return cli.ExactArgs(names...) }

func choiceVar(flags *pflag.FlagSet, value *string, name, def, usage string, allowed []string) {
	cli.ChoiceVar(flags, value, name, def, usage, allowed)
}
