package main

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
)

// TestJobsAreReadBack: what --jobs writes is read as it was.
func TestJobsAreReadBack(t *testing.T) {
	rows := append([]sim.JobRow(nil), jobRows...)
	for i := int64(len(rows)); i < 3*parquetRows/2; i++ {
		rows = append(rows, sim.JobRow{Job: i, Type: "photo", Arrival: time.Duration(i * 1e12), Start: time.Duration(i*1e12 + i), Finish: -1, Instance: i % 3, Attempts: 1})
	}
	for _, name := range []string{"jobs.csv", "jobs.parquet"} {
		path := filepath.Join(t.TempDir(), name)
		writeJobs(t, path, rows)
		var got []sim.JobRow
		err := readJobs(path, func(r *sim.JobRow) error {
			got = append(got, *r)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(rows, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestDamagedJobs: no damage of a Parquet file is more than an error.
func TestDamagedJobs(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jobs.parquet")
	writeJobs(t, path, jobRows)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	failed := 0
	for range 300 {
		bad := slices.Clone(good)
		if r.IntN(2) == 0 {
			bad = bad[:r.IntN(len(bad))]
		} else {
			for range 1 + r.IntN(4) {
				bad[r.IntN(len(bad))] ^= byte(1 + r.IntN(255))
			}
		}
		if err := os.WriteFile(path, bad, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := readJobs(path, func(*sim.JobRow) error { return nil }); err != nil {
			failed++
			if exitCode(err, false) != exitBadInput || !strings.Contains(err.Error(), "jobs.parquet") {
				t.Fatalf("%v", err)
			}
		}
	}
	if failed < 100 {
		t.Errorf("only %d of 300 damaged files were found to be", failed)
	}
}

// TestWorstOfAClass: the worst jobs are those that a full sort puts first.
func TestWorstOfAClass(t *testing.T) {
	classes := []policy.Class{
		{Name: "upload", Types: []string{"photo"}, Priority: -1, Target: 10 * time.Second},
		{Name: "rest", Priority: -1, Target: time.Minute, On: policy.Wait},
	}
	r := rand.New(rand.NewPCG(2, 2))
	const end = 1000 * time.Second
	for round := range 200 {
		name := classes[round%2].Name
		w := wantedJobs{class: name, most: 1 + r.IntN(5)}
		if err := w.begin(classes, 100*time.Second); err != nil {
			t.Fatal(err)
		}
		var all []time.Duration
		arrival := time.Duration(0)
		for i := range 60 {
			arrival += time.Duration(r.IntN(30)) * time.Second
			row := sim.JobRow{Job: int64(i), Type: []string{"photo", "video"}[r.IntN(2)], Arrival: arrival, Start: -1, Finish: -1}
			if arrival > end {
				break
			}
			if r.IntN(4) > 0 {
				row.Start = arrival + time.Duration(r.IntN(90))*time.Second
				if r.IntN(4) > 0 {
					row.Finish = row.Start + time.Duration(r.IntN(50))*time.Second
				}
			}
			if err := w.Job(&row); err != nil {
				t.Fatal(err)
			}
			at := policy.ClassOf(classes, row.Type, 0)
			if classes[at].Name == name && arrival >= 100*time.Second {
				bad, _ := took(&row, &classes[at], end)
				all = append(all, bad)
			}
		}
		w.settle(end)
		slices.Sort(all)
		slices.Reverse(all)
		var got []time.Duration
		for i := range w.kept {
			bad, _ := took(&w.kept[i], &classes[w.index], end)
			got = append(got, bad)
		}
		if want := all[:min(len(all), w.most)]; !slices.Equal(got, want) {
			t.Fatalf("round %d: %v, want %v", round, got, want)
		}
	}
}

// TestInstants: every form in which a time may be named.
func TestInstants(t *testing.T) {
	start := time.Date(2008, 6, 2, 7, 0, 0, 0, time.UTC) // a Monday, midnight in California
	for text, want := range map[string]string{
		"2008-06-08T20:14:00Z":           "2008-06-08T20:14:00Z",
		"2008-06-08T20:14:00-07:00":      "2008-06-09T03:14:00Z",
		"Sun 2008-06-08 20:14:00 -07:00": "2008-06-09T03:14:00Z", // as explain shows it
		"Mon 2008-06-09 03:14:00 UTC":    "2008-06-09T03:14:00Z",
		"Sun 2008-06-08 20:14:00":        "2008-06-09T03:14:00Z",
		"2008-06-08 20:14":               "2008-06-09T03:14:00Z",
		"2008-06-08 20:14:30":            "2008-06-09T03:14:30Z",
		"2008-06-08":                     "2008-06-08T07:00:00Z",
		"30h":                            "2008-06-03T13:00:00Z",
		"1d6h":                           "2008-06-03T13:00:00Z",
		"0s":                             "2008-06-02T07:00:00Z",
		"Sun 20:14":                      "2008-06-09T03:14:00Z",
		"mon 00:00:00":                   "2008-06-02T07:00:00Z",
		"Mon 06:59":                      "2008-06-02T13:59:00Z",
	} {
		got, err := parseInstant(text, start, -7*time.Hour)
		if err != nil || got.Format(time.RFC3339) != want {
			t.Errorf("%s: %v, %v, want %s", text, got, err, want)
		}
	}
	if got, err := parseInstant("Mon 06:59", start, 0); err != nil || got.Format(time.RFC3339) != "2008-06-09T06:59:00Z" {
		t.Errorf("without an offset: %v, %v", got, err)
	}
	for _, text := range []string{"", "20", "-1h", "Sun", "Son 20:14", "Sun 25:00", "yesterday"} {
		if got, err := parseInstant(text, start, 0); err == nil {
			t.Errorf("%q: %v", text, got)
		}
	}
}
