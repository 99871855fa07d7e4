package main

import (
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"

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
	err := into(path, func(w io.Writer) error {
		log := newJobLog(w, path)
		for i := range rows {
			if err := log.Job(&rows[i]); err != nil {
				return err
			}
		}
		return log.close()
	})
	if err != nil {
		t.Fatal(err)
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

func TestJobLogNames(t *testing.T) {
	for path, want := range map[string]int{
		"": exitGood, "a.csv": exitGood, "a.CSV": exitGood, "x/y.parquet": exitGood,
		"a.txt": exitBadInput, "a": exitBadInput, "a.csv.gz": exitBadInput,
	} {
		if err := checkJobLog(path); exitCode(err, false) != want {
			t.Errorf("%q: exit code %d (%v), want %d", path, exitCode(err, false), err, want)
		}
	}
}

func TestInto(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out")
	files := func() int {
		entries, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}

	// An error of the work is handed on as it is, and nothing is left.
	mine := errors.New("mine")
	err := into(path, func(w io.Writer) error {
		_, _ = w.Write([]byte("half"))
		return mine
	})
	if err != mine || files() != 0 {
		t.Errorf("error %v, %d files, want mine and none", err, files())
	}

	// What was there stays until the new file is complete.
	if err := writeFile(path, []byte("old")); err != nil {
		t.Fatal(err)
	}
	err = into(path, func(w io.Writer) error {
		_, err := w.Write([]byte("new"))
		if text, _ := os.ReadFile(path); string(text) != "old" {
			t.Errorf("before it is complete the file says %q", text)
		}
		return err
	})
	if text, _ := os.ReadFile(path); err != nil || string(text) != "new" || files() != 1 {
		t.Errorf("error %v, the file says %q, %d files", err, text, files())
	}

	// A name that cannot be a file is bad input, and no work is done for it.
	for _, path := range []string{dir, filepath.Join(dir, "none", "out"), filepath.Join(path, "below")} {
		err := into(path, func(io.Writer) error {
			t.Errorf("%s: work was done", path)
			return nil
		})
		if exitCode(err, false) != exitBadInput || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: exit code %d (%v), want %d", path, exitCode(err, false), err, exitBadInput)
		}
	}

	// Without a path there is no writer.
	if err := into("", func(w io.Writer) error {
		if w != nil {
			t.Error("a writer for no path")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
}

// A device that is always full, on systems that have it.
const fullDisk = "/dev/full"

func TestFullDisk(t *testing.T) {
	if _, err := os.Stat(fullDisk); errors.Is(err, fs.ErrNotExist) {
		t.Skip("this system has no " + fullDisk)
	}
	for _, size := range []int{1, 1 << 20} { // found out at the end, or in between
		err := writeFile(fullDisk, make([]byte, size))
		if exitCode(err, false) != exitFailure || !strings.Contains(err.Error(), fullDisk) {
			t.Errorf("%d bytes: exit code %d (%v), want %d", size, exitCode(err, false), err, exitFailure)
		}
	}
}
