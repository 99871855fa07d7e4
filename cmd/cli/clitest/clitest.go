// Package clitest plays scripts that tell what a user types and what a program
// answers.
package clitest

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// Main runs the tests of a program, whose binary the scripts, and tests that
// start it as a process, call by its name. run is the program: it takes its
// arguments and returns its exit code.
func Main(m testscript.TestingM, program string, run func(args []string) int) {
	testscript.Main(m, map[string]func(){
		program: func() { os.Exit(run(os.Args[1:])) },
	})
}

// Scripts plays testdata/script/*.txt. Beside testscript's own commands and
// those of p, a script knows
//
//	exits CODE [ARGUMENT…]
//
// which runs the program and fails unless that is its exit code.
func Scripts(t *testing.T, program string, p testscript.Params) {
	t.Helper()
	p.Dir, p.RequireExplicitExec, p.RequireUniqueNames = "testdata/script", true, true
	cmds := map[string]func(*testscript.TestScript, bool, []string){
		"exits": func(ts *testscript.TestScript, neg bool, args []string) { exits(ts, program, neg, args) },
	}
	maps.Copy(cmds, p.Cmds)
	p.Cmds = cmds
	testscript.Run(t, p)
}

func exits(ts *testscript.TestScript, program string, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: exits CODE [ARGUMENT…]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if err := ts.Exec(program, args[1:]...); err != nil {
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
