package statuspage

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/objects"
	"github.com/skynet-ec2/skynet/live/objects/s3test"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/reports/chart/browsertest"
)

func config() Config {
	return Config{Title: "Photos <now>", Link: "https://status.example.org/", Classes: []policy.Class{
		{Name: "upload", Priority: -1, Target: 30 * time.Second, Attain: 0.95}, {Name: "rest", Priority: -1, Target: 20 * time.Minute, Attain: 0.95},
	}}
}

// tick is one of a fleet that works, with things in it that nobody outside is to see.
func tick(at time.Time, change func(o *policy.Observation, r *controller.Result)) (*policy.Observation, *controller.Result) {
	read := policy.Reading{At: at, Complete: true}
	o := &policy.Observation{Now: at}
	o.Queue = policy.QueueView{Reading: read, Kinds: []policy.KindView{
		{Type: "photo", Class: 0, Pending: policy.Flow{Jobs: 7}, InFlight: policy.Flow{Jobs: 30}, OldestWait: 12 * time.Second},
		{Type: "photo", Priority: 1, Class: 0, Pending: policy.Flow{Jobs: 1}, OldestWait: 20 * time.Second},
	}}
	o.Fleet = policy.FleetView{Reading: read, ReadySlots: 40, BusySlots: 30, BootingSlots: 8, Instances: []policy.Instance{{ID: 77}}}
	o.Money = policy.MoneyView{Reading: read, SpentHour: 4_250_000, SpentDay: 60 * policy.USD, SpentMonth: 900 * policy.USD}
	r := &controller.Result{At: at, Terminated: []string{"i-0123456789abcdef0"}}
	r.Outcome.Errors = []string{"launch: arn:aws:iam::123456789012:role/secret"}
	if change != nil {
		change(o, r)
	}
	return o, r
}

// What a tick is told as: the state in a word, and nothing that is unknown.
func TestStates(t *testing.T) {
	p := New(config(), Folder(t.TempDir()), nil)
	for name, of := range map[string]struct {
		change         func(o *policy.Observation, r *controller.Result)
		state          State
		classes, fleet bool
	}{
		"well":     {nil, OK, true, true},
		"late":     {func(o *policy.Observation, _ *controller.Result) { o.Queue.Kinds[1].OldestWait = 31 * time.Second }, Delayed, true, true},
		"stopped":  {func(_ *policy.Observation, r *controller.Result) { r.Hold = controller.ByStop }, Paused, true, true},
		"blind":    {func(o *policy.Observation, _ *controller.Result) { o.Queue.Complete = false }, Unknown, false, true},
		"no fleet": {func(o *policy.Observation, _ *controller.Result) { o.Fleet.Complete = false }, Unknown, true, false},
	} {
		s := p.of(tick(time.Unix(1e9, 0), of.change))
		if s.State != of.state || s.Says == "" || (s.Classes != nil) != of.classes || (s.Fleet != nil) != of.fleet || s.Spent != nil {
			t.Errorf("%s: told as %+v", name, s)
		}
	}
	s := p.of(tick(time.Unix(1e9, 0), nil))
	if diff := cmp.Diff([]Class{{"upload", 30, 8, 30, 20, false}, {"rest", 1200, 0, 0, 0, false}}, s.Classes); diff != "" {
		t.Error(diff)
	}
}

// The files appear whole in a folder and in a bucket, replace those before, and keep
// the changes of state over a restart. Nothing private is in them.
func TestFiles(t *testing.T) {
	server := s3test.New(t, "status")
	store := server.Open(t, objects.Options{})
	for name, place := range map[string]Place{"folder": Folder(filepath.Join(t.TempDir(), "made")), "bucket": Bucket{store, objects.URL{Bucket: "status", Key: "photos"}}} {
		t.Run(name, func(t *testing.T) {
			at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
			late := func(o *policy.Observation, _ *controller.Result) { o.Queue.Kinds[0].OldestWait = time.Hour }
			for i, change := range []func(*policy.Observation, *controller.Result){nil, nil, late, late, nil} {
				p := New(config(), place, nil) // every time a new process
				p.remember(t.Context())
				if err := p.write(t.Context(), p.of(tick(at.Add(time.Duration(i)*time.Minute), change))); err != nil {
					t.Fatal(err)
				}
			}
			read := func(file string) string {
				text, err := place.Read(t.Context(), file)
				if err != nil {
					t.Fatal(err)
				}
				for _, private := range []string{"i-0123", "arn:", "77", "secret", "60.00", "900", "4.25"} {
					if strings.Contains(string(text), private) {
						t.Errorf("%s tells %q", file, private)
					}
				}
				return string(text)
			}
			var s Status
			if err := json.Unmarshal([]byte(read("status.json")), &s); err != nil {
				t.Fatal(err)
			}
			if s.At != at.Add(4*time.Minute) || s.StaleAt != at.Add(7*time.Minute) || s.State != OK {
				t.Errorf("written %+v", s)
			}
			var feed feed
			if err := xml.Unmarshal([]byte(read("status.rss")), &feed); err != nil {
				t.Fatal(err)
			}
			var changes []string
			for _, i := range feed.Channel.Items {
				changes = append(changes, i.Title+" "+i.Date)
			}
			if diff := cmp.Diff([]string{
				"Photos <now>: ok Mon, 30 Nov 2026 12:04:00 +0000", "Photos <now>: delayed Mon, 30 Nov 2026 12:02:00 +0000", "Photos <now>: ok Mon, 30 Nov 2026 12:00:00 +0000",
			}, changes); diff != "" {
				t.Error(diff)
			}
			page := read("index.html")
			for _, part := range []string{"Photos &lt;now&gt;", "All jobs start within their promised time.", "After <time id=\"until\" datetime=\"2026-11-30T12:07:00Z\">2026-11-30 12:07:00 UTC</time> it is out of date"} {
				if !strings.Contains(page, part) {
					t.Errorf("the page lacks %q", part)
				}
			}
		})
	}
}

// Money is shown where that is wanted.
func TestMoney(t *testing.T) {
	c := config()
	c.Money = true
	p := New(c, nil, nil)
	s := p.of(tick(time.Now(), nil))
	page, err := asHTML(&s)
	if err != nil || !strings.Contains(string(page), "$ 4.25 this hour, $ 60.00 this day, $ 900.00 this month") {
		t.Errorf("%v: %s", err, page)
	}
}

// slow is a place that takes its time.
type slow struct {
	begun chan string
	goOn  chan error
}

func (s slow) Write(_ context.Context, name, _ string, text []byte) error {
	s.begun <- name
	return <-s.goOn
}

func (s slow) Read(context.Context, string) ([]byte, error) { return nil, errors.New("nothing") }

// However slow the place is, no tick waits, and the latest page is the next that is
// written. A place that fails is tried again at the next tick.
func TestNoTickWaits(t *testing.T) {
	place := slow{make(chan string), make(chan error)}
	p := New(config(), place, slog.New(slog.DiscardHandler))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { p.Run(ctx); close(ended) }()
	at := time.Unix(1e9, 0)
	p.look(p.of(tick(at, nil)))
	<-place.begun
	for i := range 5 {
		p.look(p.of(tick(at.Add(time.Duration(i)*time.Minute), nil)))
	}
	place.goOn <- errors.New("no space left")
	for range 3 {
		<-place.begun
		place.goOn <- nil
	}
	cancel()
	<-ended
	select {
	case <-p.next:
		t.Error("more than the latest was kept")
	default:
	}
}

// In a browser the page says by itself that it is out of date: at once where it is,
// and after a while where it becomes so. Nothing is wrong with it otherwise.
func TestInBrowser(t *testing.T) {
	b := browsertest.Open(t)
	dir := t.TempDir()
	shown := func(p *browsertest.Page, id string) bool {
		return browsertest.Eval[bool](t, p, `!document.getElementById("`+id+`").hidden`)
	}
	for _, theme := range []browsertest.Theme{browsertest.Light, browsertest.Dark} {
		for name, of := range map[string]struct {
			age   time.Duration
			stale bool
		}{"fresh": {time.Minute, false}, "old": {4 * time.Minute, true}, "soon": {StaleAfter - 2*time.Second, false}} {
			page := New(config(), Folder(dir), nil)
			if name == "soon" && theme == browsertest.Dark {
				continue // once is enough: it takes its time
			}
			if err := page.write(t.Context(), page.of(tick(time.Now().Add(-of.age), nil))); err != nil {
				t.Fatal(err)
			}
			p := b.Page(t, "file://"+filepath.Join(dir, "index.html"), theme)
			if name == "soon" {
				if !browsertest.Eval[bool](t, p, `new Promise(done => { const wait = () => document.getElementById("stale").hidden ? setTimeout(wait, 50) : done(true); wait(); })`) {
					t.Error("it never says so")
				}
				of.stale = true
			}
			if shown(p, "stale") != of.stale || shown(p, "now") == of.stale {
				t.Errorf("%s, %s: out of date %t", name, theme, shown(p, "stale"))
			}
			p.Axe(t)
			p.Complaints(t)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "status.json")); err != nil {
		t.Error(err)
	}
}
