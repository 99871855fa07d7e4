package main

import (
	"os"
	"strings"
	"testing"
)

// Finished runs are those of this very program. In one that says from which
// source code it is, those of policies other than skynet, and bounds, are that
// code's.
func TestFinishedRunsAreOfTheirCode(t *testing.T) {
	t.Cleanup(func() { decidesRuns, decidesBounds = "", "" })
	versions := func(runs, bounds string) (of [3]string) {
		t.Helper()
		decidesRuns, decidesBounds = runs, bounds
		c := &comparing{resume: t.TempDir()}
		if err := c.openStore(); err != nil {
			t.Fatal(err)
		}
		for i, policy := range []string{"skynet", "hpa", ""} {
			of[i] = c.grid.Version(policy)
		}
		return of
	}
	plain := versions("", "")
	if plain[0] != plain[1] || plain[0] != plain[2] || len(plain[0]) != 64 {
		t.Errorf("versions %q, want the SHA-256 of the program for all", plain)
	}
	said := versions("runs", "bounds")
	if said[0] != plain[0] || !strings.HasPrefix(said[1], "runs go") || !strings.HasPrefix(said[2], "bounds go") {
		t.Errorf("versions %q, want the program's for skynet, and what the build says for others and bounds", said)
	}
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"main.decidesRuns=", "main.decidesBounds="} {
		if !strings.Contains(string(makefile), "-X "+name) {
			t.Errorf("make results does not link %s", name)
		}
	}
}
