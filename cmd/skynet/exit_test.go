package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"

	"github.com/spf13/cobra"
)

// badInput is an error as the readers of traces and scenarios return it.
type badInput bool

func (b badInput) Error() string  { return "week.csv:3: service_s: -1: must be at least 0" }
func (b badInput) BadInput() bool { return bool(b) }

func TestExitCode(t *testing.T) {
	folder := t.TempDir()
	_, missing := os.Open(filepath.Join(folder, "week.csv"))
	_, isFolder := os.ReadFile(folder)
	_, disk := os.ReadFile(string([]byte{'a', 0}))

	tests := []struct {
		name        string
		err         error
		interrupted bool
		want        int
	}{
		{"no error", nil, false, 0},
		{"no error, although Ctrl-C came", nil, true, 0},
		{"a broken promise", brokenError(errors.New("upload: 98 % within 30 s")), false, 1},
		{"a broken promise that was printed", brokenError(nil), false, 1},
		{"bad usage", usageError(errors.New("unknown flag")), false, 2},
		{"bad usage, wrapped", fmt.Errorf("simulate: %w", usageError(errors.New("x"))), false, 2},
		{"bad input", inputError(errors.New("x")), false, 2},
		{"a reader's bad input", fmt.Errorf("trace: %w", badInput(true)), false, 2},
		{"a reader's bad input among others", errors.Join(errors.New("x"), badInput(true)), false, 2},
		{"an error that could have been bad input", badInput(false), false, 3},
		{"a file that is not there", fmt.Errorf("open trace: %w", missing), false, 2},
		{"a folder in place of a file", isFolder, false, 2},
		{"another trouble with a file", disk, false, 3},
		{"an outside failure", outsideError(errors.New("no space left on device")), false, 3},
		{"the outermost choice wins", outsideError(badInput(true)), false, 3},
		{"any other error", errors.New("x"), false, 3},
		{"canceled by Ctrl-C", fmt.Errorf("simulate: %w", context.Canceled), true, 130},
		{"an error after Ctrl-C", errors.New("x"), true, 130},
		{"canceled by ourselves", context.Canceled, false, 3},
	}
	for _, tt := range tests {
		if got := exitCode(tt.err, tt.interrupted); got != tt.want {
			t.Errorf("%s: exit code %d, want %d (%v)", tt.name, got, tt.want, tt.err)
		}
	}
}

// runVerb runs skynet with one more verb, whose work is do.
func runVerb(t *testing.T, do func(*app) error) int {
	before := verbs
	t.Cleanup(func() { verbs = before })
	verbs = append(slices.Clip(verbs), func(a *app) *cobra.Command {
		return &cobra.Command{Use: "work", RunE: func(*cobra.Command, []string) error { return do(a) }}
	})
	return run([]string{"work"})
}

func TestCtrlCCancelsTheContext(t *testing.T) {
	code := runVerb(t, func(a *app) error {
		if err := syscall.Kill(os.Getpid(), syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		<-a.ctx.Done()
		return a.ctx.Err()
	})
	if code != exitInterrupted {
		t.Errorf("exit code %d, want %d", code, exitInterrupted)
	}
}

func TestPanicIsAnInternalFailure(t *testing.T) {
	if code := runVerb(t, func(*app) error { panic("a test's") }); code != exitFailure {
		t.Errorf("exit code %d, want %d", code, exitFailure)
	}
}

func TestErrorsAreExplained(t *testing.T) {
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, tt := range []struct {
		name   string
		err    error
		code   int
		stderr string
	}{
		{"bad usage", usageError(errors.New("missing SCENARIO")), 2, "skynet: missing SCENARIO\nRun \"skynet help version\" for usage.\n"},
		{"bad input", badInput(true), 2, "skynet: week.csv:3: service_s: -1: must be at least 0\n"},
		{"said already", brokenError(nil), 1, ""},
		{"interrupted", canceled.Err(), 130, "skynet: interrupted\n"},
		{"an error while stopping", errors.New("write out.json: no space left"), 130, "skynet: write out.json: no space left\n"},
	} {
		var stderr bytes.Buffer
		a := newApp(canceled, io.Discard, &stderr)
		a.cli.PrintError(newVersionCommand(a), tt.err, tt.code)
		if got := stderr.String(); got != tt.stderr {
			t.Errorf("%s: stderr %q, want %q", tt.name, got, tt.stderr)
		}
	}
}
