package main

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

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
