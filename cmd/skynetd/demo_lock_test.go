//go:build unix

package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/skynet-ec2/skynet/cmd/cli"

	"github.com/spf13/cobra"
)

// A demo begins by removing what an earlier one left; not what a running one uses.
func TestASecondDemoKeepsOut(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"queue.db", "controller.db", "demo.toml"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("in use"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first, err := lock(filepath.Join(dir, "demo.lock"))
	if err != nil {
		t.Fatal(err)
	}
	defer first.Close()
	var stdout, stderr bytes.Buffer
	a := cli.New(program, t.Context(), &stdout, &stderr)
	code := a.Execute([]*cobra.Command{newDemoCommand(a)}, []string{"demo", "--folder", dir, "--for", "1s"})
	if code != cli.ExitBadInput || !strings.Contains(stderr.String(), "a demo runs there") {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
	for _, name := range []string{"queue.db", "controller.db"} {
		if text, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(text) != "in use" {
			t.Errorf("%s: %q, %v", name, text, err)
		}
	}
}
