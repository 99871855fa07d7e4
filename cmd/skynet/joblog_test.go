package main

import (
	"encoding/csv"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"github.com/skynet-ec2/skynet/sim"
)

// jobRows are jobs of every fate: done, running, waiting, lost.
var jobRows = []sim.JobRow{
	{Job: 0, Type: "photo", Priority: 0, Arrival: 0, Start: 1, Finish: 1500 * time.Millisecond, Attempts: 1, Instance: 0},
	{Job: 1, Type: "a,\"b\"", Priority: 255, Arrival: time.Hour, Start: time.Hour, Finish: -1, Attempts: 2, Instance: 7},
	{Job: 2, Type: "photo", Priority: 1, Arrival: time.Hour + 10*time.Nanosecond, Start: -1, Finish: -1, Instance: -1},
	{Job: 3, Type: "", Priority: 2, Arrival: 2 * time.Hour, Start: -1, Finish: -1, Attempts: 3, Instance: -1},
}

func writeJobs(t *testing.T, path string, rows []sim.JobRow) {
	t.Helper()
	log, err := createJobLog(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows {
		if err := log.Job(&rows[i]); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("the file is there before it is complete")
	}
	if err := log.commit(); err != nil {
		t.Fatal(err)
	}
	log.abort() // does nothing after commit
	if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
		t.Errorf("%d files in the folder, want the log alone", len(entries))
	}
}

func TestJobLogCSV(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jobs.csv")
	writeJobs(t, path, jobRows)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const want = `job,type,priority,arrival_s,start_s,finish_s,attempts,instance
0,photo,0,0,0.000000001,1.5,1,0
1,"a,""b""",255,3600,3600,,2,7
2,photo,1,3600.00000001,,,0,
3,,2,7200,,,3,
`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if _, err := csv.NewReader(strings.NewReader(string(text))).ReadAll(); err != nil {
		t.Error(err)
	}
}

func TestJobLogParquet(t *testing.T) {
	rows := append([]sim.JobRow(nil), jobRows...)
	for i := int64(len(rows)); i < 3*parquetRows/2; i++ { // more than one flush
		rows = append(rows, sim.JobRow{Job: i, Type: "photo", Arrival: time.Duration(i), Start: time.Duration(2 * i), Finish: -1, Instance: i % 3, Attempts: 1})
	}
	path := filepath.Join(t.TempDir(), "jobs.parquet")
	writeJobs(t, path, rows)
	got, err := parquet.ReadFile[parquetJob](path)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(rows) {
		t.Fatalf("%d rows, want %d", len(got), len(rows))
	}
	optional := func(x *int64) int64 {
		if x == nil {
			return -1
		}
		return *x
	}
	for i := range got {
		g := got[i]
		back := sim.JobRow{
			Job: g.Job, Type: g.Type, Priority: int(g.Priority), Arrival: time.Duration(g.Arrival), Attempts: int(g.Attempts),
			Start: time.Duration(optional(g.Start)), Finish: time.Duration(optional(g.Finish)), Instance: optional(g.Instance),
		}
		if back != rows[i] {
			t.Fatalf("row %d: %+v, want %+v", i, back, rows[i])
		}
	}
}

func TestSecondsAreExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := rapid.Int64Range(0, math.MaxInt64).Draw(t, "ns")
		text := string(appendSeconds(nil, time.Duration(want)))
		whole, frac, _ := strings.Cut(text, ".")
		got := int64(0)
		for _, digit := range whole + frac + strings.Repeat("0", 9-len(frac)) {
			got = 10*got + int64(digit-'0')
		}
		if got != want || strings.HasSuffix(frac, "0") || strings.HasSuffix(text, ".") {
			t.Fatalf("%d ns written as %q", want, text)
		}
	})
}

func TestJobLogRefuses(t *testing.T) {
	dir := t.TempDir()
	for path, code := range map[string]int{
		filepath.Join(dir, "jobs.txt"):             exitBadInput,
		filepath.Join(dir, "jobs"):                 exitBadInput,
		filepath.Join(dir, "none", "jobs.csv"):     exitBadInput,
		dir + string(filepath.Separator) + ".csv/": exitBadInput,
	} {
		log, err := createJobLog(path)
		if err == nil {
			log.abort()
		}
		if got := exitCode(err, false); got != code {
			t.Errorf("%s: exit code %d (%v), want %d", path, got, err, code)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("%d files left behind", len(entries))
	}
}

func TestOutfileLeavesNothingBehind(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	o, err := createOutfile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := o.WriteString("half"); err != nil {
		t.Fatal(err)
	}
	o.abort()
	o.abort()
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Errorf("%d files after abort", len(entries))
	}

	// What was there stays until the new file is complete.
	if err := writeFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	if o, err = createOutfile(path); err != nil {
		t.Fatal(err)
	}
	_, _ = o.WriteString("new")
	if text, _ := os.ReadFile(path); string(text) != "old" {
		t.Errorf("before commit the file says %q", text)
	}
	if err := o.commit(); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(path); string(text) != "new" {
		t.Errorf("after commit the file says %q", text)
	}
	if _, err := createOutfile(dir); exitCode(err, false) != exitBadInput {
		t.Errorf("a folder as file: %v", err)
	}
	if err := writeFile("/dev/null", []byte("x")); err != nil {
		t.Errorf("a device: %v", err)
	}
}

// fullDisk is a device that is always full, on systems that have it.
const fullDisk = "/dev/full"

func TestFullDisk(t *testing.T) {
	if _, err := os.Stat(fullDisk); errors.Is(err, os.ErrNotExist) {
		t.Skip("this system has no " + fullDisk)
	}
	if err := writeFile(fullDisk, []byte("x")); exitCode(err, false) != exitFailure {
		t.Errorf("exit code %d (%v), want %d", exitCode(err, false), err, exitFailure)
	}
}
