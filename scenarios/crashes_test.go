package scenarios

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skynet-ec2/skynet/sim"
)

// A run that ends with its trace may see crashes to its end: they are drawn launch by
// launch, so a later end of the fault changes nothing. Where every attempt crashes
// the run ends all the same, once nothing has been done for long enough.
func TestCrashesNeedNoEnd(t *testing.T) {
	dir := t.TempDir()
	var jobs strings.Builder
	jobs.WriteString("arrival_s,service_s,type,priority\n")
	for range 200 {
		jobs.WriteString("60,300,x,0\n")
	}
	write(t, filepath.Join(dir, "t.csv"), jobs.String())
	run := func(fault string) *sim.Figures {
		t.Helper()
		text := strings.Replace(small[strings.Index(small, "[[class]]"):], "instances = 1", "instances = 4", 1) +
			"[trace]\nfile = \"t.csv\"\n[[fault]]\nkind = \"crash\"\n" + fault
		s, err := read(filepath.Join(dir, "s.toml"), []byte(text), Replace{})
		if err != nil {
			t.Fatal(err)
		}
		world, err := s.World()
		if err != nil {
			t.Fatal(err)
		}
		result, err := world.Run(context.Background(), nil, s.Seed, sim.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return &result.Figures
	}
	open, closed := run("rate = 3.0\n"), run("rate = 3.0\nto = \"1000h\"\n")
	if open.Digest != closed.Digest || open.Jobs.Completed != 200 || open.Instances.Crashed == 0 {
		t.Errorf("%d jobs done, %d crashes, digest %s; with an end beyond the run's %s", open.Jobs.Completed, open.Instances.Crashed, open.Digest, closed.Digest)
	}
	if f := run("rate = 3600.0\n"); f.Jobs.Pending != 200 || f.DurationS > 30*86400 {
		t.Errorf("%d jobs pending after %v s, want all 200 and an end", f.Jobs.Pending, f.DurationS)
	}
}
