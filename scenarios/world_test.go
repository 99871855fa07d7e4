package scenarios

import (
	"io"
	"path/filepath"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/traces"
)

func tracesMeta() traces.Meta { return traces.Meta{} }

// count returns the number of jobs in a scenario's trace.
func count(t *testing.T, s *Scenario) int {
	t.Helper()
	w, err := s.World()
	if err != nil {
		t.Fatal(err)
	}
	return len(arrivals(t, w, s.Seed))
}

// arrivals returns when the jobs of a world arrive.
func arrivals(t *testing.T, w *World, seed uint64) []int64 {
	t.Helper()
	src, err := w.Source(seed)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var all []int64
	var b traces.Batch
	for {
		err := src.Next(&b)
		if err == io.EOF {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b.Arrival...)
	}
}

const recorded = `
[trace]
file = "t.csv"
reference_speed = 2
service_scale = 0.5
cut = ["1s", "6s"]
amplify = 3
jitter = "1s"
[[class]]
name = "all"
target = "1m"
attain = 0.9
[policy]
name = "static"
`

func TestRecordedTrace(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "t.csv"), "arrival_s,service_s,type,priority\n0,1,a,0\n2,1,a,0\n5,1,a,0\n6,1,a,0\n")
	s, err := read(filepath.Join(dir, "s.toml"), []byte(recorded), Replace{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.World()
	if err != nil {
		t.Fatal(err)
	}
	if c := w.Config(9); c.Seed != 9 || c.ReferenceSpeed != 2 {
		t.Errorf("seed %d, reference speed %v", c.Seed, c.ReferenceSpeed)
	}
	streamed := arrivals(t, w, 1)
	if len(streamed) != 6 {
		t.Fatalf("%d jobs, want the 2 within the cut, three times", len(streamed))
	}
	other := arrivals(t, w, 2)
	if err := w.Keep(t.Context()); err != nil {
		t.Fatal(err)
	}
	kept := arrivals(t, w, 1)
	same, differ := true, false
	for i := range streamed {
		same = same && streamed[i] == kept[i]
		differ = differ || streamed[i] != other[i]
	}
	if !same {
		t.Errorf("from memory %v, from the file %v", kept, streamed)
	}
	if !differ {
		t.Error("another seed moves the clones in the same way")
	}
	src, err := w.Source(1)
	if err != nil {
		t.Fatal(err)
	}
	var b traces.Batch
	if err := src.Next(&b); err != nil || b.Service[0] != int64(time.Second/2) {
		t.Errorf("service %v, error %v, want half a second", b.Service, err)
	}
}

func TestGeneratedTraceFollowsTheSeed(t *testing.T) {
	s, err := read("small.toml", []byte(small), Replace{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.World()
	if err != nil {
		t.Fatal(err)
	}
	a, b := arrivals(t, w, 1), arrivals(t, w, 2)
	if err := w.Keep(t.Context(), 1, 1); err != nil || len(w.drawn) != 1 {
		t.Fatalf("%d traces kept, error %v, want the one of seed 1", len(w.drawn), err)
	}
	again := arrivals(t, w, 1) // from memory
	if len(a) == 0 || len(a) != len(again) || a[0] != again[0] {
		t.Errorf("one seed gave %d and %d jobs", len(a), len(again))
	}
	if len(a) == len(b) && a[0] == b[0] {
		t.Error("two seeds gave the same jobs")
	}
	if c := w.Config(1); c.ReferenceSpeed != 2.5 || c.Start.IsZero() {
		t.Errorf("reference speed %v, start %v: want the generator's", c.ReferenceSpeed, c.Start)
	}
}

func TestLint(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "t.csv")
	write(t, path, "arrival_s,service_s,type,priority,deadline_s,tenant\n0,1,a,0,5,x\n2,1,a,0,5,y\n")
	text := "[trace]\nfile = \"t.csv\"\n[[class]]\nname = \"b\"\ntype = \"b\"\ntarget = \"1m\"\nattain = 0.9\n" +
		"[[class]]\nname = \"rest\"\ntarget = \"1m\"\nattain = 0.9\n[policy]\nname = \"static\"\n"
	s, err := read(filepath.Join(dir, "s.toml"), []byte(text), Replace{})
	if err != nil {
		t.Fatal(err)
	}
	notes, err := s.Lint(t.Context())
	if err != nil || len(notes) != 3 {
		t.Errorf("notes %q, error %v, want one on tenants, one on deadlines, one on class b", notes, err)
	}
	s.Classes = s.Classes[:1]
	if _, err := s.Lint(t.Context()); err == nil {
		t.Error("jobs that match no class: no error")
	}
	write(t, path, "arrival_s,service_s,type,priority\n0,1,a,0\n1,nan,a,0\n")
	if _, err := s.Lint(t.Context()); err == nil {
		t.Error("a bad row: no error")
	}
}
