package main

import (
	"context"
	"io"
	"log/slog"
	"os"

	"golang.org/x/term"
)

// app is what every verb shares: where to write, how, and for how long.
type app struct {
	ctx    context.Context // canceled by Ctrl-C; a verb then stops cleanly and returns ctx.Err()
	stdout io.Writer       // results
	stderr io.Writer       // errors, the log, progress
	log    *slog.Logger    // to stderr; follows --log-level, --log-format and --quiet

	quiet            bool // print results and errors only
	isTerminal       bool // stdout is a terminal
	stderrIsTerminal bool // progress may redraw its line
	noColor          bool // write no colors to stdout

	logLevel, logFormat string // the flags, as given
	started             bool   // a verb was found and its command line is good
}

// newApp returns an app that writes to stdout and stderr. It writes no color
// where stdout is not a terminal, or where NO_COLOR or TERM=dumb ask for none.
func newApp(ctx context.Context, stdout, stderr io.Writer) *app {
	a := &app{
		ctx:              ctx,
		stdout:           stdout,
		stderr:           stderr,
		log:              newLogger(stderr, "info", "text", false),
		isTerminal:       isTerminal(stdout),
		stderrIsTerminal: isTerminal(stderr),
	}
	a.noColor = !a.isTerminal || os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb"
	return a
}

// width returns the columns of the terminal that results go to, or 0.
func (a *app) width() int {
	if f, ok := a.stdout.(*os.File); ok && a.isTerminal {
		width, _, _ := term.GetSize(int(f.Fd()))
		return width
	}
	return 0
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

var (
	logLevels  = []string{"debug", "info", "warn", "error"}
	logFormats = []string{"text", "json"}
)

// newLogger returns a logger to w. level and format are words of logLevels
// and logFormats; a quiet logger keeps warnings and errors only.
func newLogger(w io.Writer, level, format string, quiet bool) *slog.Logger {
	var least slog.Level
	if err := least.UnmarshalText([]byte(level)); err != nil {
		panic(err) // the flag accepts the words of logLevels only
	}
	if quiet {
		least = max(least, slog.LevelWarn)
	}
	options := &slog.HandlerOptions{Level: least}
	if format == "json" {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}
