//go:build unix

package supervisor

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"aead.dev/minisign"

	"github.com/skynet-ec2/skynet/live/bundle"
)

// The programs of releases are this very binary, told by roleEnv what to be.
const (
	roleEnv = "SKYNET_TEST_ROLE"
	logEnv  = "SKYNET_TEST_LOG"
)

func TestMain(m *testing.M) {
	if role := os.Getenv(roleEnv); role != "" {
		os.Exit(play(role))
	}
	os.Exit(m.Run())
}

// play is a worker as the tests need it.
func play(role string) int {
	link, err := Linked()
	if err != nil || link == nil {
		return 9
	}
	say := func(text string) {
		f, err := os.OpenFile(os.Getenv(logEnv), os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			os.Exit(9)
		}
		fmt.Fprintf(f, "%s %s\n", link.Version, text)
		f.Close()
	}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	say(fmt.Sprintf("started, bad %v", link.Bad))
	switch role {
	case "crash":
		return 1
	case "silent":
	case "quit":
		link.Healthy()
		time.Sleep(100 * time.Millisecond)
		say("ended")
		return 0
	case "look":
		link.Healthy()
		go func() {
			for range time.Tick(50 * time.Millisecond) {
				link.Look()
			}
		}()
	case "late":
		time.Sleep(3 * time.Second)
		link.Healthy()
		say("works")
	case "away":
		go func() {
			for range time.Tick(20 * time.Millisecond) {
				link.Away()
			}
		}()
	default:
		link.Healthy()
	}
	select {
	case <-link.Drain:
		if role == "busy" {
			say("drains")
			select {
			case <-time.After(400 * time.Millisecond):
				say("job finished")
			case <-term:
				say("job given back")
			}
		}
		say("drained")
	case <-term:
		if role == "stubborn" {
			say("ignores")
			select {}
		}
		say("stopped")
	case <-link.Gone:
		say("left alone")
	}
	return 0
}

// A rig is a store with releases and a supervisor that follows it.
type rig struct {
	t       *testing.T
	store   slowStore
	key     minisign.PrivateKey
	channel bundle.Channel
	log     string
	s       *Supervisor
	stop    context.CancelFunc
	ended   chan error
	once    sync.Once
}

// A slowStore answers nothing while the gate is closed.
type slowStore struct {
	bundle.Folder
	gate *sync.RWMutex // held for writing: closed
	asks *atomic.Int64
}

func (s slowStore) Get(ctx context.Context, name string) (io.ReadCloser, error) {
	s.asks.Add(1)
	s.gate.RLock()
	defer s.gate.RUnlock()
	return s.Folder.Get(ctx, name)
}

func newRig(t *testing.T) *rig {
	t.Helper()
	t.Parallel()
	public, private, err := minisign.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r := &rig{t: t, store: slowStore{Folder: bundle.Folder(filepath.Join(dir, "store")), gate: new(sync.RWMutex), asks: new(atomic.Int64)}, key: private, channel: bundle.NewChannel("test"), log: filepath.Join(dir, "log")}
	r.s = &Supervisor{
		Place:   bundle.Place{Dir: filepath.Join(dir, "place"), Store: r.store, Keys: []minisign.PublicKey{public}},
		Channel: "test", Instance: "i-1", Look: 50 * time.Millisecond, Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
		Env: []string{logEnv + "=" + r.log}, Output: t.Output(),
		TrialMax: 20 * time.Second, AwayMax: time.Minute, StopMax: 20 * time.Second, AgainMin: 20 * time.Millisecond, AgainMax: 100 * time.Millisecond,
	}
	t.Cleanup(r.end)
	return r
}

// publish makes a release whose program has a role.
func (r *rig) publish(number int64, role string) {
	r.t.Helper()
	self, err := os.Executable()
	if err != nil {
		r.t.Fatal(err)
	}
	dir := r.t.TempDir()
	script := fmt.Sprintf("#!/bin/sh\n%s=%s exec %q\n", roleEnv, role, self)
	if err := os.WriteFile(filepath.Join(dir, "w"), []byte(script), 0o755); err != nil {
		r.t.Fatal(err)
	}
	release := bundle.Release{Number: number, Version: fmt.Sprintf("v%d", number), Run: []string{"w"}, Folders: map[string]string{"any": dir}}
	if _, err := bundle.Publish(r.t.Context(), r.store, release, r.key, time.Now()); err != nil {
		r.t.Fatal(err)
	}
}

// promote has the channel name a release.
func (r *rig) promote(number int64, s bundle.Stage) {
	r.t.Helper()
	next, err := r.channel.Promote(number, s, time.Now(), "test")
	if err != nil {
		r.t.Fatal(err)
	}
	r.write(next)
}

func (r *rig) write(c bundle.Channel) {
	r.t.Helper()
	r.channel = c
	if err := bundle.WriteChannel(r.t.Context(), r.store, c, r.key); err != nil {
		r.t.Fatal(err)
	}
}

// start has the supervisor run.
func (r *rig) start() {
	ctx, stop := context.WithCancel(context.Background())
	r.stop, r.ended = stop, make(chan error, 1)
	r.once = sync.Once{}
	go func() { r.ended <- r.s.Run(ctx) }()
}

// end stops it and waits.
func (r *rig) end() {
	r.once.Do(func() {
		if r.stop == nil {
			return
		}
		r.stop()
		if err := <-r.ended; err != nil {
			r.t.Error(err)
		}
	})
}

// lines returns what the releases said.
func (r *rig) lines() []string {
	text, _ := os.ReadFile(r.log)
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}

// wait waits until a release says a line, for the n-th time.
func (r *rig) wait(line string, n int) {
	r.t.Helper()
	for deadline := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		count := 0
		for _, l := range r.lines() {
			if l == line {
				count++
			}
		}
		if count >= n {
			return
		}
		if time.Now().After(deadline) {
			r.t.Fatalf("nobody says %q %d times: %q", line, n, r.lines())
		}
	}
}

// record waits until the place's record is as it should be.
func (r *rig) record(what string, good func(bundle.Record) bool) {
	r.t.Helper()
	var last bundle.Record
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		var err error
		if last, err = r.s.Place.Load(); err == nil && good(last) {
			return
		}
	}
	r.t.Fatalf("%s: the record is %+v", what, last)
}

func current(n int64) func(bundle.Record) bool {
	return func(r bundle.Record) bool { return r.Current == n && r.Trial == 0 }
}

var all = bundle.Stage{Percent: 100}

// newPair returns a rig whose supervisor runs release 1, which has proved
// itself, and release 2, which nobody has promoted yet.
func newPair(t *testing.T, first, second string) *rig {
	t.Helper()
	r := newRig(t)
	r.publish(1, first)
	r.publish(2, second)
	r.promote(1, all)
	r.start()
	r.record("first", current(1))
	return r
}

func TestUpdateAndRollback(t *testing.T) {
	r := newPair(t, "good", "good")
	r.promote(2, all)
	r.record("second", current(2))
	back, err := r.channel.Rollback(time.Now(), "test")
	if err != nil {
		t.Fatal(err)
	}
	r.write(back)
	r.record("back", current(1))
	r.end()
	want := []string{"v1 started, bad []", "v1 drained", "v2 started, bad []", "v2 drained", "v1 started, bad []", "v1 stopped"}
	if got := r.lines(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if at, err := os.Readlink(filepath.Join(r.s.Place.Dir, "current")); err != nil || at != "releases/1" {
		t.Errorf("current leads to %q, %v", at, err)
	}
}

func TestCrashingReleaseIsRolledBack(t *testing.T) {
	r := newPair(t, "good", "crash")
	r.publish(3, "good")
	r.promote(2, all)
	r.wait("v1 started, bad [2]", 1)
	r.record("rolled back", func(k bundle.Record) bool { return k.Current == 1 && slices.Equal(k.Bad, []int64{2}) })
	time.Sleep(200 * time.Millisecond) // several looks: it is not tried again
	r.promote(3, all)
	r.record("third", current(3))
	r.end()
	if n := strings.Count(strings.Join(r.lines(), "\n"), "v2 started"); n != 1 {
		t.Errorf("the bad release was started %d times", n)
	}
}

func TestGoesBackToAReleaseThatHadNoTimeToProveItself(t *testing.T) {
	r := newRig(t)
	r.publish(1, "silent")
	r.publish(2, "crash")
	r.promote(1, all)
	r.start()
	r.wait("v1 started, bad []", 1)
	r.promote(2, all)
	r.wait("v1 started, bad [2]", 1)
}

func TestSilentReleaseIsRolledBackAfterAFewTries(t *testing.T) {
	r := newRig(t)
	r.s.TrialMax = 300 * time.Millisecond
	r.publish(1, "silent")
	r.promote(1, all)
	r.start()
	r.record("bad", func(k bundle.Record) bool { return slices.Equal(k.Bad, []int64{1}) && k.Current == 0 })
	r.end()
	if n := strings.Count(strings.Join(r.lines(), "\n"), "v1 started"); n != triesMax {
		t.Errorf("started %d times", n)
	}
}

func TestQueueAwayIsNotTheReleasesFault(t *testing.T) {
	r := newRig(t)
	r.s.TrialMax, r.s.AwayMax = 6*time.Second, time.Hour
	r.publish(1, "away")
	r.promote(1, all)
	r.start()
	r.wait("v1 started, bad []", 1)
	time.Sleep(r.s.TrialMax + time.Second)
	k, err := r.s.Place.Load()
	if err != nil || k.Trial != 1 || k.Tries[1] != 1 {
		t.Errorf("record %+v, %v", k, err)
	}
}

// What a release says while a slow store is looked at counts, however long that
// takes.
func TestSlowStoreIsNotTheReleasesFault(t *testing.T) {
	for _, role := range []string{"late", "away"} {
		t.Run(role, func(t *testing.T) {
			r := newRig(t)
			r.s.TrialMax, r.s.AwayMax = 6*time.Second, time.Hour
			r.publish(1, role)
			r.promote(1, all)
			r.start()
			r.wait("v1 started, bad []", 1)
			r.store.gate.Lock()
			open := sync.OnceFunc(r.store.gate.Unlock)
			t.Cleanup(open)
			for asked := r.store.asks.Load(); r.store.asks.Load() == asked; time.Sleep(time.Millisecond) {
			}
			time.Sleep(r.s.TrialMax)
			if role == "late" {
				r.wait("v1 works", 1)
			}
			open()
			if role == "late" {
				r.record("proved", current(1))
			} else {
				time.Sleep(500 * time.Millisecond)
			}
			if got := r.lines(); slices.Contains(got[1:], got[0]) {
				t.Errorf("it was started again: %q", got)
			}
		})
	}
}

func TestBusyWorkerFinishesItsJob(t *testing.T) {
	r := newPair(t, "busy", "good")
	r.promote(2, all)
	r.record("second", current(2))
	r.end()
	want := []string{"v1 started, bad []", "v1 drains", "v1 job finished", "v1 drained", "v2 started, bad []", "v2 stopped"}
	if got := r.lines(); !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestNowDoesNotWait(t *testing.T) {
	r := newPair(t, "busy", "good")
	r.promote(2, bundle.Stage{Percent: 100, Now: true})
	r.record("second", current(2))
	r.wait("v1 stopped", 1)
}

func TestStubbornWorkerIsKilled(t *testing.T) {
	r := newRig(t)
	r.s.StopMax = 200 * time.Millisecond
	r.publish(1, "stubborn")
	r.promote(1, all)
	r.start()
	r.record("first", current(1))
	r.end()
	r.wait("v1 ignores", 1)
}

func TestWorkerThatEndsByItselfEndsTheSupervisor(t *testing.T) {
	r := newRig(t)
	r.publish(1, "quit")
	r.promote(1, all)
	r.start()
	select {
	case err := <-r.ended:
		r.ended <- err
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the supervisor goes on")
	}
}

func TestLookIsAskedFor(t *testing.T) {
	r := newRig(t)
	r.s.Look = time.Hour
	r.publish(1, "look")
	r.publish(2, "good")
	r.promote(1, all)
	r.start()
	r.record("first", current(1))
	r.promote(2, all)
	r.record("second", current(2))
}

func TestStoreAwayRunsWhatIsThere(t *testing.T) {
	r := newRig(t)
	r.publish(1, "good")
	r.promote(1, all)
	r.start()
	r.record("first", current(1))
	r.end()
	if err := os.RemoveAll(string(r.store.Folder)); err != nil {
		t.Fatal(err)
	}
	r.start()
	r.wait("v1 started, bad []", 2)
	r.end()
}

func TestCandidateForNamedInstancesOnly(t *testing.T) {
	r := newRig(t)
	r.publish(1, "good")
	r.publish(2, "good")
	r.promote(1, all)
	r.promote(2, bundle.Stage{Instances: []string{"i-2"}})
	r.start()
	r.record("stable", current(1))
	time.Sleep(150 * time.Millisecond)
	r.promote(2, bundle.Stage{Instances: []string{"i-2", "i-1"}})
	r.record("candidate", current(2))
}
