package dash

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/controller/server"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
)

// siteNow is when the controller of these tests decided last.
var siteNow = time.Date(2026, 3, 2, 21, 30, 0, 0, time.UTC)

// site is a controller with a day behind it.
type site struct {
	mu    sync.Mutex
	more  int // decisions since the test began
	stop  *controller.Memory
	empty bool // it has not decided yet
	past  bool // and yet there are decisions, of the process before
}

func (s *site) Shown() server.Shown {
	var v server.Shown
	if err := json.Unmarshal([]byte(`{"fleet":"render","holder":"host/1","mode":"shadow","policy":"skynet@3f9a1c","shadow":"skynet@77aa01","tick_s":60}`), &v); err != nil {
		panic(err)
	}
	v.Drift = &controller.Drift{
		From: siteNow.Add(-46 * time.Hour), To: siteNow.Add(-22 * time.Hour), Cost: 0.031, Slack: -0.14,
		Latency: map[string]float64{"photo": 0.08}, Beyond: []string{"slack: -14.0 %, at most 10 %"}, NotModelled: []string{"tenants", evil},
	}
	v.Now, v.Types = siteNow.Add(12*time.Second), []string{"m1.small", "c1.xlarge"}
	v.Caps = policy.Bounded(40)
	if s.empty {
		return v
	}
	if err := json.Unmarshal([]byte(`{"age_s":12,"epoch":17,"leads":true,"instances":{"ready":4,"booting":1,"draining":1,"lost":1},"queue_reading":{"at":"2026-03-02T21:30:00Z","complete":true},"ec2_reading":{"at":"2026-03-02T21:28:00Z"},"boot":{"samples":9,"p50_s":95,"p99_s":230}}`), &v.Status); err != nil {
		panic(err)
	}
	v.Decided, v.Caps.HourMax, v.SlackTarget = true, 10*policy.USD, 0.25
	if stop, _ := s.stop.StopRow(context.Background(), "render"); stop.Is(time.Now()) {
		v.Stop = &stop
	}
	for i, phase := range []policy.Phase{policy.Ready, policy.Ready, policy.Booting, policy.Draining, policy.Lost, policy.Ready, policy.Ready} {
		in := server.Instance{Kind: "c1.xlarge", Name: fmt.Sprintf("i-%08x", 4660+i)}
		in.ID, in.Phase, in.Zone, in.Slots, in.Busy = policy.InstanceID(i), phase, "us-east-1a", 8, i
		in.LaunchedAt = siteNow.Add(-time.Duration(i+1) * 17 * time.Minute)
		in.PaidUntil = in.LaunchedAt.Add(time.Hour * time.Duration(1+(i+1)*17/60))
		in.LastSeen = siteNow
		if phase == policy.Draining {
			in.Since = siteNow.Add(-time.Minute)
		}
		v.Instances = append(v.Instances, in)
	}
	v.Classes = []server.Class{
		{Class: policy.Class{Name: "upload", Target: 30 * time.Second, Attain: 0.99}, Pending: policy.Flow{Jobs: 1204, Work: 4000}, OldestWait: 41 * time.Second, WillMiss: [3]int64{12, 40, 300}},
		{Class: policy.Class{Name: evil, Target: 20 * time.Minute, Attain: 0.95}},
	}
	return v
}

func (s *site) Day() []server.Moment {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.empty && !s.past {
		return nil
	}
	var all []server.Moment
	const ticks = 600
	for i := range ticks + s.more {
		wave := math.Sin(float64(i) / 90)
		m := server.Moment{
			Number: int64(i), At: siteNow.Add(time.Duration(i-ticks-s.more+1) * time.Minute), Epoch: 17, Policy: "skynet@3f9a1c",
			Action: "SLEEP", Sleeps: true, Because: []string{"plan.fits: 32.0 cores do what is due"}, Became: "nothing was done",
			Question: "terminate", WhyNot: []string{"4 of 7 ready instances run jobs"},
			Instances: 7, Ready: 48, Busy: 24 + int(20*wave), Waiting: int64(60 + 50*wave), OldestWait: 41 * time.Second,
			Slack: 0.5 - 0.4*wave, Slack24h: 0.26, Came: 20 + 10*wave, Mean: 21 + 9*wave, High: 28 + 9*wave, Ahead: 3 * time.Minute,
			PerHour: 5600 * policy.USD / 1000, SpentHour: policy.MicroUSD(i%60) * policy.USD / 20, SpentDay: 31 * policy.USD, SpentMonth: 204 * policy.USD,
			QueueWhole: true, EC2Whole: true,
		}
		if i%50 == 49 {
			m.Action, m.Sleeps = "LAUNCH 8 c1.xlarge (64 cores)", false
			m.Because = []string{"buy.short: need 402.0 cores, have 280.0", "guard.launch: asked for 16, allowed 8 (per tick 8, room 36)"}
			m.Removed, m.Outcome = journal.Removed{Launches: 8}, journal.Outcome{Launched: 6, Refused: 2}
			m.Became = "6 launched, 2 refused"
			m.Refusals = []policy.Refusal{{Type: 1, Zone: "us-east-1b", At: m.At, Asked: 8, Refused: 2, Why: "capacity"}}
		}
		if i == ticks-30 {
			m.Apart, m.Held = controller.Apart{Launches: -2}, "stopped: a drill, by ada, since 2026-03-02T21:00:00Z"
		}
		all = append(all, m)
	}
	return all
}

// serveFleet serves the page of a site.
func serveFleet(t *testing.T) (*site, *httptest.Server) {
	t.Helper()
	s := &site{stop: controller.NewMemory(time.Now)}
	page := NewFleet(FleetOptions{
		Controller: s, Switch: s.stop, Queue: "https://queue.example.org/", Journals: "journal", Log: slog.New(slog.DiscardHandler), Every: 20 * time.Millisecond,
		Caller: func(token string) (access.Caller, bool) {
			switch token {
			case operatorToken:
				return access.Caller{Role: "operator", Name: "ada"}, true
			case smithToken:
				return access.Caller{Role: "reader"}, true
			}
			return access.Caller{}, false
		},
	})
	web := httptest.NewServer(page)
	t.Cleanup(func() { web.CloseClientConnections(); web.Close() })
	return s, web
}

// What an operator looks for is on the page.
func TestFleetShows(t *testing.T) {
	_, web := serveFleet(t)
	status, head, text := get(t, http.DefaultClient, web.URL+"/")
	if status != 200 || !strings.Contains(head.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Errorf("%d %v", status, head)
	}
	for _, want := range []string{
		"skynet@3f9a1c", "skynet@77aa01", "epoch 17", "i-00001234", "us-east-1a", "21:30", "43 min", "upload", "99 % within 30 s", "1\u202f204", "41 s",
		"$ 31.00", "cap $ 10.00", "LAUNCH 8 c1.xlarge (64 cores)", "guard.launch", "asked for 16, allowed 8", "<b>24</b> of 96 c1.xlarge on-demand in us-east-1b: capacity",
		"not applied: stopped: a drill, by ada", "skynet explain --torn journal/*.jsonl.zst 599", "EC2 unread since 21:28:00", "-2 launches, &#43;0 drains",
		"&#43;3.1 %</b> cost", "&#43;8.0 %</b> p95 of photo", "<li>slack: -14.0 %, at most 10 %</li>", "Not simulated: tenants, ",
		"26.0 %", "target 25 %", `data-chart="capacity"`, `data-chart="slack"`, `data-chart="forecast"`, `data-chart="money"`, "https://queue.example.org/",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if strings.Contains(text, evil) || !strings.Contains(text, "&lt;script&gt;") {
		t.Error("a class's name is taken for HTML")
	}
	checkMarkup(t, "fleet", text)
}

// Whoever has no scripts gets drawings; all decisions stand on pages of their own.
func TestFleetWithoutScripts(t *testing.T) {
	_, web := serveFleet(t)
	for _, name := range []string{"capacity", "slack", "forecast", "money"} {
		if status, head, text := get(t, http.DefaultClient, web.URL+"/fleet/chart/"+name+".svg"); status != 200 || head.Get("Content-Type") != "image/svg+xml" || !strings.Contains(text, "<path") {
			t.Errorf("%s: %d %.80s", name, status, text)
		}
	}
	if status, _, _ := get(t, http.DefaultClient, web.URL+"/fleet/chart/none.svg"); status != 404 {
		t.Errorf("a chart that there is not: %d", status)
	}
	seen := 0
	for next := "/fleet/decisions"; next != ""; {
		_, _, text := get(t, http.DefaultClient, web.URL+next)
		checkMarkup(t, "decisions", text)
		seen += strings.Count(text, `<li data-key="d`)
		_, rest, more := strings.Cut(text, `<a href="/fleet/decisions?before=`)
		number, _, _ := strings.Cut(rest, `"`)
		if next = ""; more {
			next = "/fleet/decisions?before=" + number
		}
	}
	if seen != 600 {
		t.Errorf("%d decisions on all pages, want 600", seen)
	}
}

// Before the first decision there is a page, too.
func TestFleetStandsBy(t *testing.T) {
	s, web := serveFleet(t)
	s.empty = true
	for _, s.past = range []bool{false, true} {
		if status, _, text := get(t, http.DefaultClient, web.URL+"/fleet"); status != 200 || !strings.Contains(text, "No decision yet") || strings.Contains(text, "Last decision") != s.past {
			t.Errorf("%d %s", status, text)
		}
	}
}

// A stop takes an operator's token and a reason, and a form of this very site.
func TestKillSwitch(t *testing.T) {
	s, web := serveFleet(t)
	post := func(path, origin string, form url.Values) (int, string) {
		t.Helper()
		r, err := http.NewRequest("POST", web.URL+path, strings.NewReader(form.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if origin != "" {
			r.Header.Set("Origin", origin)
		}
		in, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		status, _, text := read(t, in)
		return status, text
	}
	row := func() controller.Stopped {
		t.Helper()
		stop, err := s.stop.StopRow(t.Context(), "render")
		if err != nil {
			t.Fatal(err)
		}
		return stop
	}
	for _, x := range []struct {
		name, origin string
		form         url.Values
		status       int
		says         string
	}{
		{"no token", "", url.Values{"reason": {"a drill"}}, 403, "an operator&#39;s token"},
		{"a wrong one", "", url.Values{"reason": {"a drill"}, "token": {"wrong-token-wrong-token"}}, 403, `value="a drill"`},
		{"a reader's", "", url.Values{"reason": {"a drill"}, "token": {smithToken}}, 403, "an operator&#39;s token"},
		{"no reason", "", url.Values{"reason": {" "}, "token": {operatorToken}}, 422, "Say why"},
		{"another site", "https://evil.example", url.Values{"reason": {"a drill"}, "token": {operatorToken}}, 403, "another site"},
		{"a wrong time", "", url.Values{"reason": {"a drill"}, "token": {operatorToken}, "for": {"soon"}}, 422, "must be a time above 0"},
	} {
		status, text := post("/fleet/stop", x.origin, x.form)
		if status != x.status || !strings.Contains(text, x.says) || strings.Contains(text, "-token-") {
			t.Errorf("%s: %d %s", x.name, status, text)
		}
	}
	if stop := row(); stop.Reason != "" {
		t.Fatalf("it is %v", stop)
	}
	if status, text := post("/fleet/stop", web.URL, url.Values{"reason": {"a <drill>"}, "token": {operatorToken}, "for": {"30m"}}); status != 200 || !strings.Contains(text, "a &lt;drill&gt;") {
		t.Errorf("stopped: %d %s", status, text)
	}
	if stop := row(); stop.By != "ada" || stop.Until.Sub(stop.Since) != 30*time.Minute {
		t.Errorf("it is %v", stop)
	}
	if status, _ := post("/fleet/resume", "", url.Values{"reason": {"over"}, "token": {"wrong"}}); status != 403 || row().Reason == "" {
		t.Errorf("resumed with a wrong token: %d", status)
	}
	if status, text := post("/fleet/resume", "", url.Values{"reason": {"over"}, "token": {operatorToken}}); status != 200 || row().Reason != "" {
		t.Errorf("resumed: %d %s", status, text)
	}
	acts, err := s.stop.Acts(t.Context(), "render", 10)
	if err != nil || len(acts) != 2 || acts[0].By != "ada" || acts[0].Why != "over" {
		t.Errorf("acts %+v, %v", acts, err)
	}
	limited := false
	for range 20 {
		status, _ := post("/fleet/stop", "", url.Values{"reason": {"x"}, "token": {"guess"}})
		limited = limited || status == 429
	}
	if !limited {
		t.Error("tokens can be guessed as fast as one likes")
	}
}

// Where nobody is known as an operator there is no form.
func TestNoSwitch(t *testing.T) {
	page := NewFleet(FleetOptions{Controller: &site{stop: controller.NewMemory(time.Now)}, Log: slog.New(slog.DiscardHandler)})
	for _, method := range []string{"GET", "POST"} {
		w := httptest.NewRecorder()
		page.ServeHTTP(w, httptest.NewRequest(method, "/fleet/stop", nil))
		if strings.Contains(w.Body.String(), "<form") || !strings.Contains(w.Body.String(), "knows no operator") {
			t.Errorf("%s: %s", method, w.Body)
		}
	}
}

// The queue's process shows the page to those who may see everything, and keeps
// their cookie to itself.
func TestFleetBehindTheQueue(t *testing.T) {
	_, behind := serveFleet(t)
	file := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(file, []byte("operator "+operatorToken+"\nreader "+smithToken+" tenant=smith\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	keeper, err := access.Open(access.Options{File: file, Cluster: "test", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(behind.URL)
	if err != nil {
		t.Fatal(err)
	}
	p := New(Options{Keeper: keeper, Log: log, Fleet: u})
	p.Lead(fake{})
	web := httptest.NewServer(p)
	t.Cleanup(func() { web.CloseClientConnections(); web.Close() })
	stranger, tenant, operator := newBrowser(t), newBrowser(t), newBrowser(t)
	if _, _, text := get(t, stranger, web.URL+"/fleet"); !strings.Contains(text, `name="to" value="/fleet"`) || strings.Contains(text, "i-0000") {
		t.Errorf("without a login: %s", text)
	}
	if status, _, _ := get(t, stranger, web.URL+"/fleet/decisions"); status != 401 {
		t.Errorf("below it without a login: %d", status)
	}
	login(t, tenant, web.URL, smithToken)
	if status, _, _ := get(t, tenant, web.URL+"/fleet"); status != 403 {
		t.Errorf("a tenant's reader: %d", status)
	}
	_, _, text := login(t, operator, web.URL, operatorToken)
	if !strings.Contains(text, `<a href="/fleet">Fleet</a>`) {
		t.Error("no way from the queue to the fleet")
	}
	status, head, text := get(t, operator, web.URL+"/fleet")
	if status != 200 || !strings.Contains(text, "i-00001234") || !strings.Contains(text, `<a href="/">Queue</a>`) || len(head.Values("Content-Security-Policy")) != 1 {
		t.Errorf("an operator: %d %v %.300s", status, head, text)
	}
	behind.CloseClientConnections()
	behind.Close()
	if status, _, text := get(t, operator, web.URL+"/fleet"); status != 502 || !strings.Contains(text, "does not answer") {
		t.Errorf("without a controller: %d %s", status, text)
	}
}
