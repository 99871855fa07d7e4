package history

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/traces"
)

var start = time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)

// jobs returns n finished jobs in an order that is not theirs.
func jobs(n int) []api.Finished {
	random := rand.New(rand.NewPCG(1, 2))
	all := make([]api.Finished, n)
	for i := range all {
		arrived := start.Add(time.Duration(random.IntN(1000)) * time.Second)
		all[i] = api.Finished{
			ID: int64(i + 1), Type: fmt.Sprint("type-", i%3), Priority: i % 2, State: api.StateDone, ArrivedAt: arrived,
			StartedAt: arrived.Add(time.Second), FinishedAt: arrived.Add(3 * time.Second), RunS: 1.5, InstanceType: "c7i.large",
		}
	}
	return all
}

func export(t *testing.T, opt Options, all []api.Finished) (string, *Sorter) {
	t.Helper()
	s := New(opt)
	t.Cleanup(func() { s.Close() })
	for _, f := range all {
		if err := s.Add(f); err != nil {
			t.Fatal(err)
		}
	}
	src, err := s.Trace()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if _, err := traces.Encode(&b, ".csv", src, traces.WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	return b.String(), s
}

// TestSortedOutside: the trace is the same whether it is sorted in memory or in
// runs on disk, and whatever the order in which jobs come.
func TestSortedOutside(t *testing.T) {
	all := jobs(10_000)
	dir := t.TempDir()
	want, _ := export(t, Options{}, all)
	for _, memory := range []int{1000, 999, 7000, 9999, 10_000} {
		got, s := export(t, Options{MemoryMax: memory, TempDir: dir}, all)
		if got != want {
			t.Errorf("with %d jobs in memory and %d runs the trace is another one", memory, len(s.runs))
		}
		if runs := 10_000 / memory; len(s.runs) != runs {
			t.Errorf("%d runs, want %d", len(s.runs), runs)
		}
	}
	slices.Reverse(all)
	if got, _ := export(t, Options{MemoryMax: 1000}, all); got != want {
		t.Error("in reverse order it is another one")
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("files are left: %v, %v", left, err)
	}
	if lines := strings.Count(want, "\n"); lines != 10_001 {
		t.Errorf("%d lines, want a header and 10000 jobs", lines)
	}
}

// TestTrace says what of a job stands in the trace.
func TestTrace(t *testing.T) {
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	all := []api.Finished{
		{ID: 3, Type: "b", State: api.StateDone, ArrivedAt: at(20), StartedAt: at(21), FinishedAt: at(25)}, // no run_s: as the queue saw it
		{ID: 2, Type: "a", Priority: 7, State: api.StateDone, ArrivedAt: at(10), RunS: 2, InstanceType: "fast", EstimateS: 1.5, DueMS: 30_000, BytesIn: 100, BytesOut: 50, Tenant: "smith"},
		{ID: 1, Type: "a", State: api.StateDone, ArrivedAt: at(10), RunS: 0, StartedAt: at(11), FinishedAt: at(11)},  // took no time
		{ID: 7, Type: "b", State: api.StateDone, ArrivedAt: at(22), RunS: 3, StartedAt: at(22), FinishedAt: at(26)},  // with the delivery of its result
		{ID: 8, Type: "b", State: api.StateDone, ArrivedAt: at(23), RunS: 3, StartedAt: at(23), FinishedAt: at(600)}, // that nobody took for long
		{ID: 4, Type: "a", State: api.StateCancelled, ArrivedAt: at(11)},
		{ID: 5, Type: "a", State: api.StateDone, ArrivedAt: at(9), RunS: 1},  // before
		{ID: 6, Type: "a", State: api.StateDone, ArrivedAt: at(30), RunS: 1}, // not before the end
	}
	got, s := export(t, Options{From: at(10), To: at(30), Speeds: map[string]float64{"fast": 2.5}}, all)
	want := `arrival_s,service_s,type,priority,estimate_s,deadline_s,bytes_in,bytes_out,tenant
0,0.000000001,a,0,,,,,
0,5,a,7,1.5,30,100,50,smith
10,4,b,0,,,,,
12,4,b,0,,,,,
13,13,b,0,,,,,
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if s.Skipped != (Skipped{NotDone: 1, Outside: 2}) || s.Jobs() != 5 {
		t.Errorf("%+v, %d jobs", s.Skipped, s.Jobs())
	}
}

func TestEmpty(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	src, err := s.Trace()
	if err != nil {
		t.Fatal(err)
	}
	if err := src.Next(new(traces.Batch)); err != io.EOF {
		t.Errorf("%v, want EOF", err)
	}
	if got, _ := export(t, Options{}, nil); got != "arrival_s,service_s,type,priority\n" {
		t.Errorf("%q", got)
	}
}

func TestTooManyKinds(t *testing.T) {
	s := New(Options{})
	defer s.Close()
	for i := range traces.KindsMax {
		if err := s.Add(api.Finished{Type: fmt.Sprint(i), State: api.StateDone, ArrivedAt: start, RunS: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Add(api.Finished{Type: "one more", State: api.StateDone, ArrivedAt: start, RunS: 1}); err == nil || !strings.Contains(err.Error(), "65536") {
		t.Errorf("%v", err)
	}
}
