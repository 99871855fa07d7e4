package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/traces"
)

// onCore is a trace of a core of known speed.
type onCore struct {
	traces.Source
	speed float64
}

func (m onCore) Meta() traces.Meta {
	meta := m.Source.Meta()
	meta.ReferenceSpeed = m.speed
	return meta
}

// A core of unknown speed is taken for one of speed 1: a trace of either beside one
// of the other is nothing to tell.
func TestImportTellsOfCoresThatDiffer(t *testing.T) {
	dir := t.TempDir()
	file := func(name string, speed float64) string {
		path := filepath.Join(dir, name)
		poisson := traces.Poisson{Seed: 1, Duration: time.Minute, Classes: []traces.PoissonClass{
			{Type: "x", PerSecond: 1, Service: traces.ServiceTime{Mean: time.Second}},
		}}
		src, err := poisson.Source()
		if err != nil {
			t.Fatal(err)
		}
		defer src.Close()
		if _, err := traces.Write(path, onCore{src, speed}, traces.WriteOptions{}); err != nil {
			t.Fatal(err)
		}
		return path
	}
	unknown, one, fast := file("unknown.parquet", 0), file("one.parquet", 1), file("fast.parquet", 2.5)
	for _, c := range []struct {
		files []string
		noted []string
	}{
		{[]string{one, unknown}, nil},
		{[]string{unknown, one}, nil},
		{[]string{fast, fast}, nil},
		{[]string{fast, one}, []string{fast}},
		{[]string{unknown, fast, one}, []string{fast}},
	} {
		var stdout, stderr bytes.Buffer
		a := newApp(t.Context(), &stdout, &stderr)
		if code := a.execute(append([]string{"trace", "import", "-o", filepath.Join(dir, "out.parquet")}, c.files...)); code != 0 {
			t.Fatalf("import %v: exit code %d: %s", c.files, code, stderr.String())
		}
		want := ""
		for _, name := range c.noted {
			want += "note: service times of " + name + " are of a core of speed 2.5, and not those of all files: they are joined as they are\n"
		}
		if stderr.String() != want {
			t.Errorf("import %v notes %q, want %q", c.files, stderr.String(), want)
		}
	}
}

// Ctrl-C during a long write leaves no file, whole or not.
func TestInterruptedTraceLeavesNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var stdout, stderr bytes.Buffer
	a := newApp(ctx, &stdout, &stderr)
	cancel()
	dir := t.TempDir()
	code := a.execute([]string{"trace", "generate", "photo-site", "-o", filepath.Join(dir, "x.csv"), "--days", "7"})
	if code != exitInterrupted {
		t.Errorf("exit code %d, want %d: %s", code, exitInterrupted, stderr.String())
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) > 0 || stdout.Len() > 0 {
		t.Errorf("left %v, printed %q (%v)", files, stdout.String(), err)
	}
	if !errors.Is(ctx.Err(), context.Canceled) {
		t.Error("not interrupted")
	}
}
