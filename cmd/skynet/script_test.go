package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/skynet-ec2/skynet/cmd/cli/clitest"
)

// TestMain lets the scripts call this very binary as skynet.
func TestMain(m *testing.M) { clitest.Main(m, "skynet", run) }

// TestScripts tells what a user types, and what skynet answers.
func TestScripts(t *testing.T) {
	clitest.Scripts(t, "skynet", testscript.Params{
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
			"unread":     unread,
			"queue":      startQueue,
			"controller": startController,
		},
	})
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
