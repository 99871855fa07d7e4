package main

import (
	"errors"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/skynet-ec2/skynet/live/queue/postgres/pgtest"
)

// A queue that boots beside its database waits for it, says so, and serves once
// the database does. One that waited in vain ends with 3; what waiting would not
// mend is told at once.
func TestQueueWaitsForItsDatabase(t *testing.T) {
	database, err := pgtest.Start("fsync=off")
	if errors.Is(err, pgtest.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { database.Stop() })
	fails := func(says, never string, args ...string) {
		t.Helper()
		c := exec.Command("skynetd", append([]string{"queue", "--listen", "127.0.0.1:0"}, args...)...)
		c.Dir = t.TempDir()
		out, err := c.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != 3 || !strings.Contains(string(out), says) || strings.Contains(string(out), never) {
			t.Errorf("%v: %v, want exit code 3 and %q without %q:\n%s", args, err, says, never, out)
		}
	}
	url := database.URL(database.Port, "postgres")
	fails("does not exist", "waiting for it", "--store", database.URL(database.Port, "elsewhere"))
	if err := database.Kill(); err != nil {
		t.Fatal(err)
	}
	fails("waited 300ms (--store-wait) for the database of the queue", "queue leads", "--store", url, "--store-wait", "300ms")
	fails("refused", "waiting for it", "--store", url, "--store-wait", "0s")

	dir := t.TempDir()
	waits := regexp.MustCompile(`msg="the database of the queue is not there yet; waiting for it" store=(\S+)`)
	p := begin(t, dir, waits, "queue", "--listen", "127.0.0.1:0", "--tokens", filepath.Join(dir, "tokens"), "--store", url)
	if err := database.Restart(); err != nil {
		t.Fatal(err)
	}
	p.await(regexp.MustCompile(`msg="queue leads"`))
	if code := p.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d:\n%s", code, p.text())
	}
}
