//go:build unix

package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// TestInterruptedAtPipe: one Ctrl-C ends the wait for a pipe that nobody writes
// to, be it a trace, a scenario or what a scenario names.
func TestInterruptedAtPipe(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := syscall.Mkfifo("pipe", 0o600); err != nil {
		t.Fatal(err)
	}
	scenario := fmt.Sprintf(replayScenario, "pipe")
	for name, text := range map[string]string{
		"s.toml":      scenario,
		"policy.toml": strings.ReplaceAll(scenario, "name = \"static\"\ninstances = 1", `file = "pipe"`),
		"cloud.toml":  scenario + "[cloud]\ncatalog = \"pipe\"\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range []string{
		"simulate s.toml --json out.json --jobs out.csv",
		"simulate s.toml --runs 2",
		"simulate s.toml --trace pipe",
		"simulate s.toml --policy pipe",
		"simulate pipe",
		"simulate policy.toml",
		"simulate cloud.toml",
		"compare s.toml static --json out.json",
		"compare s.toml static --trace pipe",
		"compare pipe static",
		"compare pipe s.toml policy.toml",
		"compare s.toml ./pipe",
		"explain s.toml --job 3",
		"bound s.toml",
		"bound pipe",
		"tune s.toml --budget 60 --out out.toml",
		"tune pipe --budget 60 --out out.toml",
		"check pipe s.toml",
		"check s.toml --update --reason x",
		"scenario lint pipe",
		"scenario lint s.toml",
		"scenario show pipe",
		"scenario new out.toml --from-trace pipe",
		"trace info pipe",
		"trace cut pipe -o out.parquet",
		"trace convert pipe -o out.parquet",
		"trace import pipe -o out.parquet",
	} {
		ctx, interrupt := context.WithCancel(t.Context())
		go interrupt()
		var stderr bytes.Buffer
		code := newApp(ctx, io.Discard, &stderr).execute(strings.Fields(line))
		if code != exitInterrupted || stderr.String() != interruptionOf(line) {
			t.Errorf("%s: exit %d, says %q; want 130 and %q", line, code, stderr.String(), interruptionOf(line))
		}
	}
	wantEntries(t, 4, "the pipe and the three files of before")
}

// TestPipeIsNoTraceToSimulate: a simulation reads its trace twice, and would wait for
// ever for someone to write it again.
func TestPipeIsNoTraceToSimulate(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := syscall.Mkfifo("jobs", 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("s.toml", fmt.Appendf(nil, replayScenario, "jobs"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"simulate s.toml", "simulate s.toml --trace jobs", "compare s.toml static", "bound s.toml", "tune s.toml --budget 60 --out out.toml"} {
		written := make(chan error)
		go func() {
			w, err := os.OpenFile("jobs", os.O_WRONLY, 0) // waits until it is open for reading
			if err == nil {
				_, err = io.WriteString(w, "arrival_s,service_s,type,priority\n0,1,photo,0\n")
				w.Close()
			}
			written <- err
		}()
		var stderr bytes.Buffer
		code := newApp(t.Context(), io.Discard, &stderr).execute(strings.Fields(line))
		if err := <-written; err != nil {
			t.Fatal(err)
		}
		if want := "jobs: is a pipe: a simulation reads its trace more than once; write it to a file first\n"; code != exitBadInput || !strings.HasSuffix(stderr.String(), want) {
			t.Errorf("%s: exit %d, says %q; want 2 and …%q", line, code, stderr.String(), want)
		}
	}
}

// TestInterruptedByWriter: one Ctrl-C ends the reading of a pipe whose writer has
// stopped in the middle.
func TestInterruptedByWriter(t *testing.T) {
	t.Chdir(t.TempDir())
	// Not called as in the test above, which may have left openings of its pipe behind.
	if err := syscall.Mkfifo("stalled", 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile("s.toml", fmt.Appendf(nil, replayScenario, "stalled"), 0o666); err != nil {
		t.Fatal(err)
	}
	const begun = "arrival_s,service_s,type,priority\n0,1,photo,0\n"
	for _, test := range []struct{ line, written string }{
		{"trace info stalled", ""},
		{"trace info stalled", begun},
		{"trace info stalled", begun + strings.Repeat("0,1,photo,0\n", 100_000)}, // more than is looked at to open it
		{"simulate s.toml", ""},
		{"simulate s.toml", begun},
		{"simulate stalled", "title = "},
		{"compare s.toml static", begun},
		{"compare stalled static", "title = "},
	} {
		c := exec.Command("skynet", strings.Fields(test.line)...)
		var stderr bytes.Buffer
		c.Stderr = &stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		w, err := os.OpenFile("stalled", os.O_WRONLY, 0) // waits until it is open for reading
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, test.written); err != nil {
			t.Fatal(err)
		}
		if err := c.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		c.Wait()
		w.Close()
		if code := c.ProcessState.ExitCode(); code != exitInterrupted || stderr.String() != interruptionOf(test.line) {
			t.Errorf("%s, after %d bytes: exit %d, says %q; want 130 and that it was interrupted", test.line, len(test.written), code, stderr.String())
		}
	}
}
