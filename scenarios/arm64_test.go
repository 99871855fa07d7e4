package scenarios

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/skynet-ec2/skynet/policy/journal"
	"github.com/skynet-ec2/skynet/traces"
)

// runsTo is how TestSameOnArm64 asks its twin, this very test built for arm64,
// for what it sees.
var runsTo = flag.String("runs", "", "write the runs that two architectures must agree on to this file, and compare nothing")

// TestSameOnArm64 plays scenarios here and on an emulated arm64, and compares
// what can be seen of a run to the last bit: figures with the digest of every
// event, every tick and decision with its reasons, what the policy has learned,
// and the statistics of the trace.
//
// The compiler fuses x*y+z there and not here, and package math has assembly
// for one and not the other; a difference in the last bit of a forecast is an
// instance more or less some hours later.
func TestSameOnArm64(t *testing.T) {
	if *runsTo != "" {
		if err := os.WriteFile(*runsTo, runs(t), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	if testing.Short() {
		t.Skip("emulates another processor")
	}
	if runtime.GOOS != "linux" || runtime.GOARCH == "arm64" {
		t.Skip("compares another architecture with arm64, on Linux")
	}
	emulator, err := exec.LookPath("qemu-aarch64")
	if err != nil {
		emulator, err = exec.LookPath("qemu-aarch64-static")
	}
	if err != nil {
		t.Skip("needs qemu-aarch64: apt-get install qemu-user")
	}

	folder := t.TempDir()
	program, seen := filepath.Join(folder, "scenarios.test"), filepath.Join(folder, "runs")
	build := exec.Command("go", "test", "-c", "-o", program, ".")
	build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build for arm64: %v\n%s", err, out)
	}
	twin := exec.Command(emulator, program, "-test.run=^TestSameOnArm64$", "-runs="+seen)
	if out, err := twin.CombinedOutput(); err != nil {
		t.Fatalf("run on arm64: %v\n%s", err, out)
	}
	there, err := os.ReadFile(seen)
	if err != nil {
		t.Fatal(err)
	}

	here := bytes.Split(runs(t), []byte{'\n'})
	for i, line := range bytes.Split(there, []byte{'\n'}) {
		switch {
		case i >= len(here):
			t.Fatalf("arm64 goes on:\n%.500s", line)
		case !bytes.Equal(line, here[i]):
			at := differAt(line, here[i])
			t.Fatalf("line %d differs:\n%s: …%.200s\narm64: …%.200s\nin %.500s", i+1, runtime.GOARCH, here[i][at:], line[at:], here[i])
		}
	}
	if n := bytes.Count(there, []byte{'\n'}) + 1; n < len(here) {
		t.Fatalf("arm64 ends after %d of %d lines", n, len(here))
	}
}

// differAt returns a place shortly before a and b begin to differ.
func differAt(a, b []byte) int {
	i := 0
	for i < min(len(a), len(b)) && a[i] == b[i] {
		i++
	}
	return max(0, i-40)
}

// runs returns all there is to see of a run of each scenario of testdata/arm64,
// a line each: the trace, the figures, every tick, every decision, and the
// policy's state at the end.
func runs(t *testing.T) []byte {
	t.Helper()
	files, err := filepath.Glob("testdata/arm64/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("found no scenario in testdata/arm64: %v", err)
	}
	slices.Sort(files)
	var text bytes.Buffer
	write := func(what, file string, v any) {
		b, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("%s of %s: %v", what, file, err)
		}
		fmt.Fprintf(&text, "%s %s %s\n", file, what, b)
	}
	for _, file := range files {
		s, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		p, r := playScenario(t, s, nil)
		r.Figures.WallS, r.Figures.JobsPerS = 0, 0
		if r.Figures.Jobs.Completed < 100_000 || r.Figures.Instances.Launched < 20 {
			t.Errorf("%s: too little happens: %d jobs done, %d instances launched", file, r.Figures.Jobs.Completed, r.Figures.Instances.Launched)
		}
		write("trace", file, measured(t, s))
		write("figures", file, &r.Figures)
		for i := range r.Ticks {
			fmt.Fprintf(&text, "%s tick %+v\n", file, r.Ticks[i]) // NaN is no JSON
		}
		for i := range r.Decisions {
			write("decision", file, &r.Decisions[i])
		}
		write("state", file, p)
		hash, err := journal.StateHash(p)
		if err != nil {
			t.Fatal(err)
		}
		write("hash", file, hash.String())
	}
	return text.Bytes()
}

// measured returns the statistics of the scenario's trace.
func measured(t *testing.T, s *Scenario) *traces.Stats {
	t.Helper()
	_, src := opened(t, s)
	stats, err := traces.Measure(src, s.UTCOffset)
	if err != nil {
		t.Fatal(err)
	}
	return stats
}
