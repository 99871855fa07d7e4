package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"aead.dev/minisign"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/bundle"
)

// A fleet is a laptop whose worker follows a channel.
type fleet struct {
	*laptop
	store   bundle.Folder
	key     minisign.PrivateKey
	channel bundle.Channel
	boot    *process
}

func newFleet(t *testing.T) *fleet {
	t.Helper()
	l := newLaptop(t)
	_, key, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &fleet{laptop: l, store: bundle.Folder(filepath.Join(l.dir, "store")), key: key, channel: bundle.NewChannel("test")}
}

// publish makes a release: a worker, or what a script does.
func (f *fleet) publish(number int64, script string) {
	f.t.Helper()
	self, err := os.Executable()
	if err != nil {
		f.t.Fatal(err)
	}
	if script == "" {
		script = fmt.Sprintf("%s=1 exec %q \"$@\"", beWorker, self)
	}
	dir := f.t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "skynet-worker"), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		f.t.Fatal(err)
	}
	r := bundle.Release{Number: number, Version: fmt.Sprintf("v%d", number), Run: []string{"skynet-worker", "run"}, Folders: map[string]string{"any": dir}}
	if _, err := bundle.Publish(f.t.Context(), f.store, r, f.key, time.Now()); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fleet) promote(number int64) {
	f.t.Helper()
	next, err := f.channel.Promote(number, bundle.Stage{Percent: 100}, time.Now(), "test")
	if err == nil {
		f.channel = next
		err = bundle.WriteChannel(f.t.Context(), f.store, next, f.key)
	}
	if err != nil {
		f.t.Fatal(err)
	}
}

// start starts the supervisor.
func (f *fleet) start() {
	f.t.Helper()
	self, err := os.Executable()
	if err != nil {
		f.t.Fatal(err)
	}
	f.boot = f.laptop.start(self, []string{beWorker + "=1"}, "boot", "--queue", f.url(), "--slots", "1", "--releases", string(f.store), "--channel", "test",
		"--release-key", bundle.PublicKey(f.key).String(), "--dir", filepath.Join(f.dir, "place"), "--look", "200ms", "--", "--any-program")
}

// runs waits until the queue knows one worker, of a release.
func (f *fleet) runs(number int64) api.Worker {
	f.t.Helper()
	var workers []api.Worker
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var err error
		if workers, err = f.calls.Workers(f.t.Context()); err != nil {
			f.t.Fatal(err)
		}
		if len(workers) == 1 && workers[0].Release == number {
			return workers[0]
		}
	}
	f.t.Fatalf("no worker of release %d, but %+v", number, workers)
	return api.Worker{}
}

func TestFleetFollowsItsChannel(t *testing.T) {
	f := newFleet(t)
	f.publish(1, "")
	f.promote(1)
	f.start()
	w := f.runs(1)
	if w.BundleVersion != "v1" || w.Boot == nil || w.Boot.FetchMS+w.Boot.UnpackMS+w.Boot.StartMS == 0 {
		t.Errorf("it says of itself: %q, %+v", w.BundleVersion, w.Boot)
	}
	f.done(f.submit(f.counted("first", 0))[0])

	// a busy worker finishes its job first; the new release does the next one
	long := f.submit(f.counted("long", 2))[0]
	for f.ran()["long"] == 0 {
		time.Sleep(20 * time.Millisecond)
	}
	f.publish(2, "")
	f.promote(2)
	f.runs(2)
	if j, _ := f.done(long); j.Attempts != 1 || f.ran()["long"] != 1 {
		t.Errorf("the job that ran during the update: %d attempts, %d runs", j.Attempts, f.ran()["long"])
	}
	f.done(f.submit(f.counted("second", 0))[0])

	// a release that crashes goes back, and the queue hears of it
	f.publish(3, "exit 7")
	f.promote(3)
	f.boot.waitFor("release rolled back")
	if w := f.runs(2); !slices.Equal(w.BadReleases, []int64{3}) {
		t.Errorf("bad releases %v", w.BadReleases)
	}
	f.done(f.submit(f.counted("third", 0))[0])

	if err := f.boot.stop(); err != nil {
		t.Errorf("SIGTERM: %v", err)
	}
	if workers, err := f.calls.Workers(t.Context()); err != nil || len(workers) != 0 {
		t.Errorf("%d workers are left, %v", len(workers), err)
	}
}
