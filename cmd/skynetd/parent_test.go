//go:build unix

package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A process that is tied to another one ends cleanly when that is gone, with no
// signal from anybody.
func TestEndsWithItsParent(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process: not in -short")
	}
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer read.Close()
	defer write.Close()
	var log buffer
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := exec.CommandContext(ctx, "skynetd", "queue", "--listen", "127.0.0.1:0", "--store", "memory")
	c.Dir, c.Stderr = t.TempDir(), &log
	tie(c, read)
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	await(t, "the queue leads", func() bool { return strings.Contains(log.String(), "queue leads") })
	write.Close()
	if err := c.Wait(); err != nil || !strings.Contains(log.String(), "everything accepted is stored") {
		t.Errorf("%v\n%s", err, log.String())
	}
}

// Whoever kills a demo leaves nothing of it behind: not its three processes, and not
// the workers that one of them has started. All of them hold the demo's lock.
func TestAKilledDemoLeavesNothingBehind(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a demo: not in -short")
	}
	dir := t.TempDir()
	worker := filepath.Join(dir, "worker.sh")
	if err := os.WriteFile(worker, []byte("#!/bin/sh\ntouch "+dir+"/works\nexec sleep 600\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(dir, "demo")
	var says buffer
	c := exec.Command("skynetd", "demo", "--folder", folder, "--worker", worker)
	c.Stdout, c.Stderr = &says, &says
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill() })
	await(t, "a worker", func() bool { return fileExists(filepath.Join(dir, "works")) })
	if held, err := lock(filepath.Join(folder, "demo.lock")); err == nil {
		held.Close()
		t.Fatal("a demo that runs does not hold its folder")
	}
	if err := c.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	c.Wait()
	await(t, "the end of all", func() bool {
		held, err := lock(filepath.Join(folder, "demo.lock"))
		if err == nil {
			held.Close()
		}
		return err == nil
	})
}

// await waits for something outside this process.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for range 6000 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s: not within a minute", what)
}
