package alert

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/live/secret"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
)

// hook is whoever is posted to, in the bubble of a synctest.
type hook struct {
	mu     sync.Mutex
	status []int // of the next answers; then 200. 0: no answer
	posts  []*http.Request
	bodies []string
	at     []time.Time
}

// RoundTrip is of http.RoundTripper.
func (h *hook) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	status := 200
	if len(h.status) > 0 {
		status, h.status = h.status[0], h.status[1:]
	}
	body := ""
	if r.Body != nil {
		text, _ := io.ReadAll(r.Body)
		body = string(text)
	}
	h.posts, h.bodies, h.at = append(h.posts, r), append(h.bodies, body), append(h.at, time.Now())
	if status == 0 {
		return nil, errors.New("connection reset")
	}
	return &http.Response{StatusCode: status, Body: io.NopCloser(strings.NewReader("")), Header: http.Header{}}, nil
}

// told returns what was posted and taken, in words.
func (h *hook) told(t *testing.T) []string {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	for _, body := range h.bodies {
		var a Alert
		if err := json.Unmarshal([]byte(body), &a); err != nil {
			t.Fatal(err)
		}
		all = append(all, a.Key+" "+a.Status)
	}
	h.posts, h.bodies, h.at = nil, nil, nil
	return all
}

// UnmarshalText reads the word.
func (s *Severity) UnmarshalText(text []byte) error {
	i := slices.Index(severityWords[:], string(text))
	if i < 0 {
		return fmt.Errorf("severity %q", text)
	}
	*s = Severity(i)
	return nil
}

const hookURL = "https://hooks.example.org/services/T0/hunter2"

// run starts a sender to h for the test.
func (h *hook) run(ctx context.Context, to Receiver, log io.Writer) *Sender {
	to.URL = secret.Of(hookURL)
	s := NewSender(to, slog.New(slog.NewTextHandler(log, nil)))
	s.client.Transport = h
	go s.Run(ctx)
	return s
}

// at is a tick of a fleet that is well but for what change does to it.
func at(change func(o *policy.Observation, r *controller.Result)) (*policy.Observation, *controller.Result) {
	o, r := &policy.Observation{Now: time.Now(), Tick: time.Minute}, &controller.Result{At: time.Now()}
	o.Queue.Reading = policy.Reading{At: o.Now, Complete: true}
	o.Fleet.Reading = o.Queue.Reading
	if change != nil {
		change(o, r)
	}
	return o, r
}

func watcher(senders ...*Sender) *Watcher {
	return Watch(&controller.Config{Fleet: "render", Guard: policy.Bounded(40), Env: policy.Env{
		Tick: time.Minute, Classes: []policy.Class{{Name: "upload", Priority: -1, Target: 30 * time.Second, Attain: 0.95}},
	}}, senders)
}

// An alert is sent once, again after Again, and once more when it is over.
func TestOnceAgainAndResolved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		h := &hook{}
		w := watcher(h.run(ctx, Receiver{Again: time.Hour}, io.Discard))
		minutes := func(n int, change func(*policy.Observation, *controller.Result)) []string {
			for range n {
				w.look(at(change))
				time.Sleep(time.Minute)
			}
			synctest.Wait()
			return h.told(t)
		}
		unsaved := func(_ *policy.Observation, r *controller.Result) { r.Hold = controller.Unsaved }
		check := func(what string, got []string, want ...string) {
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s: %s", what, diff)
			}
		}
		check("all is well", minutes(3, nil))
		check("it begins", minutes(30, unsaved), "render/SkynetNothingSaved firing")
		check("it goes on", minutes(61, unsaved), "render/SkynetNothingSaved firing")
		check("a moment without", minutes(3, nil))
		check("it is over", minutes(10, nil), "render/SkynetNothingSaved resolved")
		check("it begins anew", minutes(1, unsaved), "render/SkynetNothingSaved firing")
	})
}

// Receivers that fail are tried again, ever more slowly, and told the latest alone;
// what they refuse is given up. No log shows the URL.
func TestRetries(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var log bytes.Buffer
		h := &hook{status: []int{500, 0, 429, 503}}
		s := h.run(ctx, Receiver{}, &log)
		began := time.Now()
		a := Alert{Key: "x", Status: Firing, Since: began}
		s.take(a)
		time.Sleep(time.Minute)
		synctest.Wait()
		var after []time.Duration
		for _, at := range h.at {
			after = append(after, at.Sub(began))
		}
		if diff := cmp.Diff([]time.Duration{0, time.Second, 3 * time.Second, 7 * time.Second, 15 * time.Second}, after); diff != "" {
			t.Errorf("posted %s", diff)
		}
		h.told(t)
		h.status = []int{404}
		s.take(Alert{Key: "y", Status: Firing, Since: time.Now()})
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := h.told(t); len(got) != 1 {
			t.Errorf("refused, and posted %v", got)
		}
		if text := log.String(); !strings.Contains(text, "connection reset") || !strings.Contains(text, "answered with 404") || strings.Contains(text, "hunter2") {
			t.Errorf("the log says %s", text)
		}
	})
}

// An alert that is over before anybody could be told is not told; one that may have
// arrived is resolved.
func TestResolvedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		h := &hook{status: []int{0, 0, 0}}
		s := h.run(ctx, Receiver{}, io.Discard)
		now := time.Now()
		s.take(Alert{Key: "first", Status: Firing, Since: now})
		synctest.Wait() // it is tried, and waits for its next try
		s.take(Alert{Key: "second", Status: Firing, Since: now.Add(time.Millisecond)})
		s.take(Alert{Key: "second", Status: Resolved, Since: now.Add(time.Millisecond)})
		s.take(Alert{Key: "first", Status: Resolved, Since: now})
		time.Sleep(time.Minute)
		if diff := cmp.Diff([]string{"first firing", "first resolved", "first resolved", "first resolved"}, h.told(t)); diff != "" {
			t.Error(diff)
		}
	})
}

// A post is signed, and a chat gets a text alone.
func TestWhatIsPosted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		generic, chat := &hook{}, &hook{}
		key := secret.Of("a key")
		w := watcher(generic.run(ctx, Receiver{Key: key}, io.Discard), chat.run(ctx, Receiver{Chat: true}, io.Discard))
		w.look(at(func(_ *policy.Observation, r *controller.Result) { r.Hold = controller.Unsaved }))
		synctest.Wait()
		want := `{"key":"render/SkynetNothingSaved","status":"firing","name":"SkynetNothingSaved","fleet":"render","severity":"page",` +
			`"summary":"render: the controller's store cannot be written, so nothing is launched","since":"2000-01-01T00:00:00Z",` +
			`"runbook":"docs/operate.md#skynetnothingsaved","text":"page: render: the controller's store cannot be written, so nothing is launched (SkynetNothingSaved), since 00:00 UTC"}`
		if generic.bodies[0] != want {
			t.Errorf("posted %s", generic.bodies[0])
		}
		header := generic.posts[0].Header
		if got := header.Get(SignatureHeader); got != Signature(key, header.Get(TimestampHeader), []byte(want)) || header.Get(TimestampHeader) != "946684800" {
			t.Errorf("signed %v", header)
		}
		if want := `{"text":"page: render: the controller's store cannot be written, so nothing is launched (SkynetNothingSaved), since 00:00 UTC"}`; chat.bodies[0] != want || chat.posts[0].Header.Get(SignatureHeader) != "" {
			t.Errorf("the chat gets %s", chat.bodies[0])
		}
	})
}

// The signature of a known post, by which receivers can check theirs:
// printf '1.{}' | openssl dgst -sha256 -hmac key
func TestSignature(t *testing.T) {
	const want = "sha256=1ba6b8171186efc613e8bcc0cbdab2748f24984d7c5a84faa2637afa0e40d224"
	if got := Signature(secret.Of("key"), "1", []byte("{}")); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// Every rule fires when it should: after how many minutes of what, or never.
func TestRules(t *testing.T) {
	kind := func(wait time.Duration) func(*policy.Observation, *controller.Result) {
		return func(o *policy.Observation, _ *controller.Result) {
			o.Queue.Kinds = []policy.KindView{{Type: "photo", OldestWait: wait}}
		}
	}
	for _, of := range []struct {
		name   string
		change func(*policy.Observation, *controller.Result)
		after  int // minutes; -1: it does not fire
	}{
		{"SkynetLatencyOverTarget/upload", kind(31 * time.Second), 5},
		{"SkynetLatencyOverTarget/upload", kind(30 * time.Second), -1},
		{"SkynetSlackLow", func(o *policy.Observation, _ *controller.Result) { o.Fleet.ReadySlots, o.Fleet.BusySlots = 100, 91 }, 10},
		{"SkynetSlackLow", func(o *policy.Observation, _ *controller.Result) { o.Fleet.ReadySlots, o.Fleet.BusySlots = 100, 90 }, -1},
		{"SkynetGuardClamps/launches", func(_ *policy.Observation, r *controller.Result) { r.Removed.Launches = 1 }, 5},
		{"SkynetGuardClamps/drains", func(_ *policy.Observation, r *controller.Result) { r.Removed.Drains = 1 }, 5},
		{"SkynetLaunchedNotRegistered", func(o *policy.Observation, _ *controller.Result) { o.Fleet.Boot.Overdue = 1 }, 5},
		{"SkynetLaunchedNotRegistered/given up", func(_ *policy.Observation, r *controller.Result) {
			r.Found = []fleet.Finding{{Kind: fleet.NeverWorked}}
		}, 0},
		{"SkynetFleetDoubtful/mass orphan", func(_ *policy.Observation, r *controller.Result) {
			r.Found = []fleet.Finding{{Kind: fleet.MassOrphan}, {Kind: fleet.Gone}}
		}, 0},
		{"SkynetSpendOverCap/day", func(o *policy.Observation, _ *controller.Result) { o.Money.SpentDay = 60_000 * policy.USD }, 0},
		{"SkynetSpendOverBudget/hour", func(o *policy.Observation, _ *controller.Result) { o.Money.SpentHour, o.Money.BudgetHour = 2, 1 }, 0},
		{"SkynetSpendOverBudget/hour", func(o *policy.Observation, _ *controller.Result) { o.Money.SpentHour = 2 }, -1},
		{"SkynetStopped", func(_ *policy.Observation, r *controller.Result) { r.Hold = controller.ByStop }, 60},
		{"SkynetNothingSaved", func(_ *policy.Observation, r *controller.Result) { r.Hold = controller.Unsaved }, 0},
		{"SkynetQueueUnreadable", func(o *policy.Observation, _ *controller.Result) { o.Queue.Complete = false }, 3},
		{"SkynetEC2Unreadable", func(o *policy.Observation, _ *controller.Result) { o.Fleet.Reading = policy.Reading{} }, 3},
		{"SkynetCapacityShort", func(_ *policy.Observation, r *controller.Result) { r.Outcome = journal.Outcome{Refused: 4, Short: 2} }, 0},
		{"SkynetProviderTrouble", func(_ *policy.Observation, r *controller.Result) { r.Outcome.Provider = "launch errors" }, 0},
		{"SkynetStopped", func(_ *policy.Observation, r *controller.Result) { r.Hold = controller.Observing }, -1},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			h := &hook{}
			w := watcher(h.run(ctx, Receiver{}, io.Discard))
			for minute := range 90 {
				w.look(at(of.change))
				synctest.Wait()
				got := h.told(t)
				if fires := len(got) > 0; fires != (minute == of.after) || fires && got[0] != "render/"+of.name+" firing" || len(got) > 1 {
					t.Errorf("%s: in minute %d it tells %v", of.name, minute, got)
				}
				time.Sleep(time.Minute)
			}
		})
	}
}

// A controller that decides no more is told of, by the watcher's own clock; one that
// another has taken over from is not.
func TestNoDecision(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		h := &hook{}
		w := watcher(h.run(ctx, Receiver{}, io.Discard))
		go w.Run(ctx)
		time.Sleep(time.Hour) // it stands by
		w.look(at(nil))
		time.Sleep(3 * time.Minute)
		if got := h.told(t); got != nil {
			t.Errorf("told %v", got)
		}
		time.Sleep(time.Minute)
		if got := h.told(t); len(got) != 1 || got[0] != "render/SkynetNoDecision firing" {
			t.Errorf("told %v", got)
		}
		w.look(at(nil))
		synctest.Wait()
		if got := h.told(t); len(got) != 1 || got[0] != "render/SkynetNoDecision resolved" {
			t.Errorf("told %v", got)
		}
		w.look(at(func(_ *policy.Observation, r *controller.Result) { r.Hold = controller.Superseded }))
		time.Sleep(time.Hour)
		if got := h.told(t); got != nil {
			t.Errorf("superseded, and told %v", got)
		}
	})
}

// A receiver of pages alone hears of nothing else.
func TestLeast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		h := &hook{}
		w := watcher(h.run(ctx, Receiver{Least: Page}, io.Discard))
		w.look(at(func(_ *policy.Observation, r *controller.Result) {
			r.Outcome.Provider, r.Hold = "launch errors", controller.Unsaved
		}))
		synctest.Wait()
		if got := h.told(t); len(got) != 1 || got[0] != "render/SkynetNothingSaved firing" {
			t.Errorf("told %v", got)
		}
	})
}

// The dead man's switch is called after every tick: plainly after a good one, with
// /fail after one that was held or blind. However slow it is, no tick waits.
func TestPing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		h := &hook{}
		p, err := NewPinger(secret.Of("https://ping.example.org/uuid?run=1"), http.MethodGet, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		p.client.Transport = h
		ticks := []func(*policy.Observation, *controller.Result){
			nil,
			func(_ *policy.Observation, r *controller.Result) { r.Hold = controller.Observing },
			func(_ *policy.Observation, r *controller.Result) { r.Hold = controller.ByStop },
			func(o *policy.Observation, _ *controller.Result) { o.Queue.Complete = false },
			func(o *policy.Observation, _ *controller.Result) { o.Fleet.Complete = false },
		}
		for _, change := range ticks { // nobody runs it: the latest is kept, and nothing waits
			o, r := at(change)
			p.look(good(o, r))
		}
		go p.Run(ctx)
		synctest.Wait()
		for _, change := range ticks {
			o, r := at(change)
			p.look(good(o, r))
			synctest.Wait()
		}
		h.status = []int{0, 500}
		p.look(true)
		time.Sleep(time.Minute)
		synctest.Wait()
		var got []string
		for _, r := range h.posts {
			got = append(got, r.Method+" "+r.URL.RequestURI())
		}
		good, bad := "GET /uuid?run=1", "GET /uuid/fail?run=1"
		if diff := cmp.Diff([]string{bad, good, good, bad, bad, bad, good, good, good}, got); diff != "" {
			t.Error(diff)
		}
		if _, err := NewPinger(secret.Of("hunter2"), http.MethodGet, nil); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("no URL: %v", err)
		}
	})
}

// Every alert has its place in the runbook.
func TestRunbook(t *testing.T) {
	source, err := os.ReadFile("rules.go")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile(`"(Skynet[A-Za-z0-9]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(names) < 12 {
		t.Fatalf("found %d names", len(names))
	}
	for _, n := range append(names, []string{"", "SkynetNoDecision"}) {
		if !strings.Contains(string(text), "### "+n[1]+"\n") {
			t.Errorf("docs/operate.md has no heading %s", n[1])
		}
	}
}
