package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts call this very binary as skynet.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"skynet": func() { os.Exit(run(os.Args[1:])) },
	})
}

// TestScripts runs testdata/script/*.txt. Each tells what a user types, and
// what skynet answers.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(e *testscript.Env) error {
			root, err := filepath.Abs(filepath.Join("..", ".."))
			if err != nil {
				return err
			}
			e.Setenv("REPO", root)
			cache, err := exec.Command("go", "env", "GOCACHE").Output()
			if err == nil { // a script that builds a program need not build Go first
				e.Setenv("GOCACHE", strings.TrimSpace(string(cache)))
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":      exits,
			"unread":     unread,
			"queue":      startQueue,
			"controller": startController,
		},
	})
}

// exits runs skynet and checks its exit code: exits CODE [ARGUMENT…].
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: exits CODE [ARGUMENT…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec("skynet", args[1:]...); err != nil {
		var failed *exec.ExitError
		if !errors.As(err, &failed) {
			ts.Fatalf("%v", err)
		}
		got = failed.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

// unread runs skynet with a standard output that nobody reads any more, as head
// leaves it, and checks that it says so and exits 3: unread ARGUMENT….
func unread(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: unread ARGUMENT…")
	}
	r, w, err := os.Pipe()
	ts.Check(err)
	defer w.Close()
	ts.Check(r.Close())
	var stderr strings.Builder
	c := exec.Command("skynet", args...)
	c.Stdout, c.Stderr = w, &stderr
	err = c.Run()
	if c.ProcessState.ExitCode() != exitFailure || !strings.HasSuffix(stderr.String(), ": broken pipe\n") {
		ts.Fatalf("%v, says %q; want exit code 3 and a broken pipe", err, stderr.String())
	}
}
