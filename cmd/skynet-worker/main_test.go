package main

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/skynet-ec2/skynet/cmd/cli/clitest"
	"github.com/skynet-ec2/skynet/live/photo/sample"
)

// beWorker in the environment makes this very binary a skynet-worker.
const beWorker = "SKYNET_TEST_BE_WORKER"

func TestMain(m *testing.M) {
	if os.Getenv(beWorker) != "" {
		os.Exit(execute(os.Args[1:]))
	}
	clitest.Main(cleaning{m}, "skynet-worker", execute)
}

// cleaning removes what was built for the tests.
type cleaning struct{ m *testing.M }

func (c cleaning) Run() int {
	defer func() {
		if skynetdPath != "" {
			os.RemoveAll(filepath.Dir(skynetdPath))
		}
	}()
	return c.m.Run()
}

// TestScripts tells what a user types, and what skynet-worker answers.
func TestScripts(t *testing.T) {
	clitest.Scripts(t, "skynet-worker", testscript.Params{
		Setup: func(e *testscript.Env) error {
			photo := sample.JPEG(sample.Options{Width: 400, Height: 300, Orientation: 6})
			return os.WriteFile(filepath.Join(e.WorkDir, "photo.jpg"), photo, 0o600)
		},
	})
}

func TestWithVerb(t *testing.T) {
	for _, tt := range []struct{ args, want []string }{
		{nil, []string{"run"}},
		{[]string{"--queue", "x"}, []string{"run", "--queue", "x"}},
		{[]string{"-q"}, []string{"run", "-q"}},
		{[]string{"--help"}, []string{"--help"}},
		{[]string{"-h"}, []string{"-h"}},
		{[]string{"bench", "--json", "-"}, []string{"bench", "--json", "-"}},
	} {
		if got := withVerb(tt.args); !slices.Equal(got, tt.want) {
			t.Errorf("%q is %q, want %q", tt.args, got, tt.want)
		}
	}
}
