package scenarios

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skynet-ec2/skynet/policy/spell"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// A trace whose times count from 1970 is refused before a tick of its decades is
// played, and the import that mends it is named; what a cut brings near is played.
func TestTraceThatCountsFrom1970(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "unix jobs.csv")
	write(t, path, "arrival_s,service_s,type,priority\n1300000000,1,x,0\n1300000060,1,x,0\n")
	run := func(cut string) (*sim.Result, error) {
		t.Helper()
		text := small[strings.Index(small, "[[class]]"):] + "[trace]\nfile = \"unix jobs.csv\"\n" + cut
		s, err := read(filepath.Join(dir, "s.toml"), []byte(text), Replace{})
		if err != nil {
			t.Fatal(err)
		}
		world, err := s.World()
		if err != nil {
			return nil, err
		}
		return world.Run(context.Background(), nil, s.Seed, sim.Options{})
	}
	want := path + ": the first job arrives 361111h6m40s after the trace's start: a trace's times count from its own start, not from 1970; run: skynet trace import " + spell.Shell(path) + " -o OUT"
	if _, err := run(""); err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	src, err := traces.Open(path, traces.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if _, err := ExampleFor("x", path, src); err == nil || err.Error() != want {
		t.Errorf("a scenario of it: got %v, want %s", err, want)
	}
	cut := "cut = [\"361111h\", \"361112h\"]\n"
	if result, err := run(cut); err != nil || result.Figures.Jobs.Completed != 2 {
		t.Errorf("%s: %v", cut, err)
	}
}
