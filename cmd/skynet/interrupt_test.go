package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// replayScenario replays a trace, whose path is yet to be put in, under one instance.
const replayScenario = `
[trace]
file = %q
[[class]]
name = "all"
target = "5m"
attain = 0.0
[policy]
name = "static"
instances = 1
`

// Every verb that may take long notices Ctrl-C while it works, exits 130, and
// leaves no file.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	const rows = 100_000 // an import looks up now and then only
	trace := "arrival_s,service_s,type,priority\n" + strings.Repeat("0,1,photo,0\n", rows)
	scenario := fmt.Sprintf(replayScenario, "trace.csv")
	for name, text := range map[string]string{"trace.csv": trace, "s.toml": scenario, "run.jsonl": "{}"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(dir)
	ctx, interrupt := context.WithCancel(t.Context())
	interrupt()
	for _, line := range []string{
		"simulate s.toml --json out.json --jobs out.csv --timeline out.ticks",
		"simulate s.toml --json out.json --runs 2",
		"simulate s.toml --journal out.jsonl.zst",
		"replay run.jsonl --json out.json",
		"explain run.jsonl 3 --json out.json",
		"explain run.jsonl --job 3 --jobs out.csv",
		"explain s.toml --job 3",
		"compare s.toml static --json out.json --markdown out.md",
		"compare s.toml static --json out.json --bound floor --runs 2",
		"bound s.toml --effort 100 --json out.json",
		"tune s.toml --budget 60 --out out.toml --json out.json",
		"check s.toml --update --reason x --json out.json --junit out.xml",
		"check s.toml --against HEAD --json out.json",
		"scenario lint s.toml",
		"scenario new out.toml --from-trace trace.csv",
		"trace import trace.csv -o out.parquet",
		"trace convert trace.csv -o out.parquet",
		"trace cut trace.csv -o out.parquet",
		"trace info trace.csv",
	} {
		var stderr bytes.Buffer
		code := newApp(ctx, io.Discard, &stderr).execute(strings.Fields(line))
		if code != exitInterrupted || stderr.String() != interruptionOf(line) {
			t.Errorf("%s: exit %d, says %q; want 130 and %q", line, code, stderr.String(), interruptionOf(line))
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 3 {
		t.Errorf("the folder holds %v, want the three files of before", entries)
	}
}

// steadyScenario returns the text of a scenario that lasts so long, judges from
// then on, and has so many photos a second.
func steadyScenario(duration, judgeFrom string, perSecond float64) string {
	return fmt.Sprintf(`
duration = %q
judge_from = %q
[generate]
model = "poisson"
[[generate.stream]]
type = "photo"
per_second = %g
service = { law = "exponential", mean = "8s" }
[[class]]
name = "upload"
target = "60s"
attain = 0.9
[policy]
name = "skynet"
`, duration, judgeFrom, perSecond)
}

// reader acts on what is written, once it has read what it waits for.
type reader struct {
	text    strings.Builder
	awaited string
	then    func()
}

func (r *reader) Write(b []byte) (int, error) {
	n, _ := r.text.Write(b)
	if strings.Contains(r.text.String(), r.awaited) {
		r.then()
	}
	return n, nil
}

// interruptionOf returns what a command line says when it is interrupted: verbs that
// could have kept what they did say how.
func interruptionOf(line string) string {
	if strings.HasPrefix(line, "tune ") || strings.HasPrefix(line, "compare ") {
		return "skynet: interrupted: nothing is kept, as it would be with --resume FOLDER\n"
	}
	return "skynet: interrupted\n"
}

// Ctrl-C ends the search of a plan, whose best so far is no result: it says that it
// was interrupted, and no more.
func TestBoundInterrupted(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("s.toml", []byte(steadyScenario("12h", "1h", 2)), 0o666); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	var stdout bytes.Buffer
	stderr := &reader{awaited: "bound: plan", then: interrupt}
	a := newApp(ctx, &stdout, stderr)
	a.stderrIsTerminal = true // the bar says when there is something to interrupt
	code := a.execute(strings.Fields("bound s.toml --effort 100 --json out.json"))
	if said := stderr.text.String(); code != exitInterrupted || !strings.HasSuffix(said, "skynet: interrupted\n") || stdout.Len() > 0 {
		t.Errorf("exit %d, says %q and prints %q; want 130 and that it was interrupted", code, said, stdout.String())
	}
	if !strings.Contains(stderr.text.String(), stderr.awaited) {
		t.Error("it tells of no plan that it searches")
	}
	wantEntries(t, 1, "the scenario")
}

// wantEntries: so many files are in the working folder, those that were there before.
func wantEntries(t *testing.T, n int, what string) {
	t.Helper()
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != n {
		t.Errorf("the folder holds %v, want %s", entries, what)
	}
}

// Ctrl-C leaves tune's results where --resume finds them: what is run after it
// and what was run before it come to the bytes of an uninterrupted tuning.
func TestTuneInterruptedAndResumed(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile("s.toml", []byte(steadyScenario("12h", "1h", 2)), 0o666); err != nil {
		t.Fatal(err)
	}
	tune := func(out string) *exec.Cmd {
		return exec.Command("skynet", "tune", "s.toml", "--budget", "200", "--quiet", "--resume", out+".d", "--out", out+".toml", "--json", out+".json")
	}
	if text, err := tune("whole").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	lines := func() int {
		text, _ := os.ReadFile("part.d/results.jsonl")
		return bytes.Count(text, []byte("\n"))
	}
	interruptions, known := 0, 0
	for {
		c := tune("part")
		var stderr bytes.Buffer
		c.Stderr = &stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- c.Wait() }()
		sent := false
		var err error
		for done := false; !done; {
			select {
			case err = <-ended:
				done = true
			case <-time.After(time.Millisecond):
				if !sent && interruptions < 3 && lines() > known+20 {
					sent = c.Process.Signal(os.Interrupt) == nil
				}
			}
		}
		if err == nil {
			break
		}
		if code := c.ProcessState.ExitCode(); code != exitInterrupted || stderr.String() != "skynet: interrupted: what was done is in part.d, and the same command goes on from there\n" {
			t.Fatalf("exit code %d, says %q; want 130, that it was interrupted and where it goes on", code, stderr.String())
		}
		if _, err := os.Stat("part.toml"); err == nil {
			t.Fatal("an interrupted tuning left a policy file")
		}
		if n := lines(); n <= known {
			t.Fatalf("%d lines after %d: what was done is gone", n, known)
		} else {
			known = n
		}
		interruptions++
	}
	if interruptions == 0 {
		t.Error("it was never interrupted")
	}
	for _, ext := range []string{".toml", ".json"} {
		want, err := os.ReadFile("whole" + ext)
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile("part" + ext)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("after %d interruptions %s differs:\n%s\nwant\n%s", interruptions, ext, got, want)
		}
	}
}
