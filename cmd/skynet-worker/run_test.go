package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/photo/sample"
)

// photoJobs returns a job of each kind for some photos.
func (l *laptop) photoJobs(photos int) []api.JobSpec {
	var specs []api.JobSpec
	for i := range photos {
		uri := l.photo(fmt.Sprintf("p%d.jpg", i), sample.Options{Width: 640, Height: 480, Orientation: i%8 + 1, ICC: sample.Profile("RGB "), Seed: uint64(i)})
		specs = append(
			specs,
			job("resize", map[string]any{"input": uri}),
			job("rotate", map[string]any{"input": uri, "degrees": 90}),
			job("watermark", map[string]any{"input": uri, "text": "© example"}),
		)
	}
	return specs
}

func TestPhotosOnALaptop(t *testing.T) {
	l := newLaptop(t)
	w := l.worker()
	ids := l.submit(l.photoJobs(2)...)
	for i, id := range ids {
		j, files := l.done(id)
		if j.Attempts != 1 || j.Metrics == nil || j.Metrics.RunS <= 0 || j.Metrics.BytesIn == 0 || j.Metrics.BytesOut == 0 {
			t.Errorf("job %d: %d attempts, metrics %+v", id, j.Attempts, j.Metrics)
		}
		if want := []int{4, 1, 1}[i%3]; len(files) != want {
			t.Errorf("job %d has %d files", id, len(files))
		}
	}
	bad := l.submit(job("rotate", map[string]any{"input": "file:///no/such/photo.jpg"}))[0]
	for range 100 {
		if j, err := l.calls.Job(t.Context(), bad); err != nil || j.State.Ended() {
			if j.State != api.StateDead || j.Attempts != 1 || !strings.Contains(j.Error, "no such file") {
				t.Errorf("a job that cannot be done is %s after %d attempts: %s, %v", j.State, j.Attempts, j.Error, err)
			}
			break
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := w.stop(); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
	workers, err := l.calls.Workers(t.Context())
	if err != nil || len(workers) != 0 {
		t.Errorf("the queue knows %d workers, %v", len(workers), err)
	}
}

// TestKilledAtAnyMoment kills workers and the queue while photos are worked on.
func TestKilledAtAnyMoment(t *testing.T) {
	l := newLaptop(t)
	ids := l.submit(l.photoJobs(8)...)
	w := l.worker("--any-program")
	ids = append(ids, l.submit(l.counted("long", 3))...)
	for i := range 4 {
		time.Sleep(time.Duration(300+200*i) * time.Millisecond)
		w.kill()
		if i%2 == 1 {
			l.queue.kill()
			l.startQueue()
		}
		w = l.worker("--any-program")
	}
	time.Sleep(200 * time.Millisecond)
	l.queue.kill()
	time.Sleep(2 * time.Second)
	l.startQueue()
	for _, id := range ids {
		l.done(id)
	}
	if stats, err := l.calls.Stats(t.Context()); err != nil {
		t.Error(err)
	} else {
		t.Logf("%d jobs done; workers killed 4 times, the queue 3 times; %+v", len(ids), stats.Totals)
	}
	l.outboxesEmpty(w)
}

// outboxesEmpty waits until a worker has nothing more to deliver, and ends it.
func (l *laptop) outboxesEmpty(w *process) {
	l.t.Helper()
	if err := w.stop(); err != nil {
		l.t.Errorf("SIGTERM: %v", err)
	}
	left, err := filepath.Glob(filepath.Join(l.dir, stateDefault, "*", "outbox", "*"))
	if err != nil || len(left) != 0 {
		l.t.Errorf("left in outboxes: %v, %v", left, err)
	}
}

func TestGivenBackJobsSpendNoAttempt(t *testing.T) {
	l := newLaptop(t)
	w := l.worker("--any-program", "--stop-within", "1s")
	id := l.submit(l.counted("endless", 1000))[0]
	for l.ran()["endless"] == 0 {
		time.Sleep(20 * time.Millisecond)
	}
	if err := w.stop(); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
	j, err := l.calls.Job(t.Context(), id)
	if err != nil || j.State != api.StateWaiting || j.Attempts != 0 || j.Failures != 0 || j.Losses != 0 {
		t.Errorf("the job is %s, %d attempts, %d failures, %d losses: %v", j.State, j.Attempts, j.Failures, j.Losses, err)
	}
}

func TestResultsWaitForTheirStore(t *testing.T) {
	l := newLaptop(t)
	store := filepath.Join(l.dir, "mount")
	w := l.worker("--any-program", "--results", store)
	if err := os.Remove(store); err != nil { // as a mount that goes
		t.Fatal(err)
	}
	var specs []api.JobSpec
	for i := range 6 {
		specs = append(specs, l.counted(fmt.Sprintf("job%d", i), 0.05))
	}
	ids := l.submit(specs...)
	w.waitFor("the store takes no result")
	time.Sleep(2 * time.Second)
	begun := len(l.ran())
	if begun > 4 {
		t.Errorf("%d jobs were begun without a store", begun)
	}
	w.kill() // the results outlive the worker
	w = l.worker("--any-program", "--results", store+"-not-there-yet", "--state", filepath.Join(l.dir, stateDefault, "1"))
	for _, id := range ids {
		l.done(id)
	}
	if ran := l.ran(); len(ran) != 6 {
		t.Errorf("%v", ran)
	} else {
		for name, n := range ran {
			if n != 1 {
				t.Errorf("%s ran %d times", name, n)
			}
		}
	}
	l.outboxesEmpty(w)
}

func TestTwoWorkersShareAFolder(t *testing.T) {
	l := newLaptop(t)
	one, two := l.worker(), l.worker()
	for _, id := range l.submit(l.photoJobs(3)...) {
		l.done(id)
	}
	workers, err := l.calls.Workers(t.Context())
	if err != nil || len(workers) != 2 {
		t.Errorf("%d workers, %v", len(workers), err)
	}
	for _, w := range []*process{one, two} {
		if err := w.stop(); err != nil {
			t.Error(err)
		}
	}
}

// TestTokenOfAnotherRole: who exported an operator's token for skynet, and starts
// a worker in the same shell, is told so.
func TestTokenOfAnotherRole(t *testing.T) {
	l := newLaptop(t)
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	w := l.start(self, []string{beWorker + "=1", "SKYNET_TOKEN=" + l.operator}, "--queue", l.url())
	var failed *exec.ExitError
	if err := w.wait(); !errors.As(err, &failed) || failed.ExitCode() != 2 {
		t.Errorf("%v, want exit code 2", err)
	}
	if want := "a token of role operator does not open this call: worker does; that is the one in SKYNET_TOKEN: give a worker's"; !strings.Contains(w.said(), want) {
		t.Errorf("%s\nwant %q", w.said(), want)
	}
}

func TestShutdownDirective(t *testing.T) {
	l := newLaptop(t)
	marker := filepath.Join(l.dir, "off")
	w := l.worker("--power-off", "touch "+marker)
	if _, err := l.calls.Direct(t.Context(), api.DirectiveRequest{All: true, Op: api.OpShutdown, Reason: "test"}); err != nil {
		t.Fatal(err)
	}
	if err := w.wait(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(marker); err != nil {
		t.Errorf("the instance was not powered off: %v", err)
	}
}

func TestOrphanPowersOff(t *testing.T) {
	l := newLaptop(t)
	marker := filepath.Join(l.dir, "off")
	l.worker("--power-off", "touch "+marker, "--orphan-after", "2s")
	l.queue.kill()
	for range 600 {
		if _, err := os.Stat(marker); err == nil {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("the orphan lives on")
}
