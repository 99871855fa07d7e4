package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Every verb that may take long notices Ctrl-C while it works, exits 130, and
// leaves no file.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	const rows = 100_000 // an import looks up now and then only
	trace := "arrival_s,service_s,type,priority\n" + strings.Repeat("0,1,photo,0\n", rows)
	const scenario = `
[trace]
file = "trace.csv"
[[class]]
name = "all"
target = "5m"
attain = 0.0
[policy]
name = "static"
instances = 1
`
	for name, text := range map[string]string{"trace.csv": trace, "s.toml": scenario} {
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
		"compare s.toml static --json out.json --markdown out.md",
		"compare s.toml static --json out.json --bound floor --runs 2",
		"tune s.toml --budget 60 --out out.toml --json out.json",
		"scenario lint s.toml",
		"scenario new out.toml --from-trace trace.csv",
		"trace import trace.csv -o out.parquet",
		"trace convert trace.csv -o out.parquet",
		"trace cut trace.csv -o out.parquet",
		"trace info trace.csv",
	} {
		var stderr bytes.Buffer
		code := newApp(ctx, io.Discard, &stderr).execute(strings.Fields(line))
		if code != exitInterrupted || stderr.String() != "skynet: interrupted\n" {
			t.Errorf("%s: exit %d, says %q; want 130 and that it was interrupted", line, code, stderr.String())
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(entries) != 2 {
		t.Errorf("the folder holds %v, want the two files of before", entries)
	}
}
