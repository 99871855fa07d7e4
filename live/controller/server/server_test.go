package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/controller/server"
	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
)

// site is a controller in a world whose clock the test turns.
type site struct {
	t      *testing.T
	now    time.Time
	waits  int64 // jobs in line
	deaf   bool
	works  bool // the first two instances have workers
	region *fleet.InMemory
	stop   controller.Stopped
	store  *controller.Memory
	config controller.Config
	server *server.Server
	k      *controller.Controller
}

var begun = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// wants is a policy that launches so many instances at every step.
type wants struct{ Launch int }

func (w *wants) Step(*policy.Observation) policy.Decision {
	if w.Launch == 0 {
		return policy.Decision{}
	}
	return policy.Decision{Launches: []policy.Launch{{Count: w.Launch}}, Because: []policy.Reason{wanted.Because(float64(w.Launch))}}
}

func (w *wants) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }

func (w *wants) UnmarshalJSON([]byte) error { return nil }

var wanted = policy.NewRule("test.wanted", "%.0f are wanted", false)

func (s *site) Observe(context.Context, api.ObserveRequest) (api.Observed, error) {
	if s.deaf {
		return api.Observed{}, errors.New("connection refused")
	}
	var workers []api.ObservedWorker
	if s.works {
		for _, id := range s.region.Alive()[:2] {
			workers = append(workers, api.ObservedWorker{WorkerID: id, InstanceID: id, Slots: 1, RegisteredAt: begun.Add(45 * time.Second), SeenAt: s.now})
		}
	}
	return api.Observed{At: s.now, Epoch: 1, Workers: workers, Kinds: []api.ObservedKind{{
		Type: "resize", Waiting: s.waits, Arrived: s.waits,
		Arrivals: []api.Count{{Of: begun.UnixNano() / int64(policy.AgeStep), Jobs: s.waits}},
	}}}, nil
}

func (s *site) Direct(context.Context, api.DirectiveRequest) (api.PostedDirective, error) {
	return api.PostedDirective{}, nil
}

func newSite(t *testing.T, change func(*controller.Config)) *site {
	t.Helper()
	s := &site{t: t, now: begun, waits: 7}
	clock := func() time.Time { return s.now }
	s.store = controller.NewMemory(clock)
	guard := policy.Bounded(40)
	guard.LaunchMax = 2
	s.config = controller.Config{
		Fleet: "render", Holder: "host/1", Guard: guard, Queue: s, Store: s.store, Now: clock,
		Env: policy.Env{
			Catalog: policy.EC2in2008(), Tick: time.Minute, BootGuess: time.Minute,
			Classes: []policy.Class{{Name: "upload", Priority: -1, Target: 30 * time.Second, Attain: 0.95}},
		},
		Described:  journal.Policy{Name: "wants", Label: "wants@1"},
		Policy:     func() (policy.Policy, error) { return &wants{3}, nil },
		Stop:       func(time.Time) controller.Stopped { return s.stop },
		BudgetHour: 5 * policy.USD,
	}
	s.region = fleet.NewInMemory(&s.config.Env.Catalog, clock)
	s.config.Observer, s.config.Actuator = s.region.Fleet(), s.region.Fleet()
	if change != nil {
		change(&s.config)
	}
	s.server = server.New(s.config)
	s.config.Seen = s.server.Saw
	return s
}

// tick lets a minute pass and decides.
func (s *site) tick() {
	s.t.Helper()
	if s.k == nil {
		k, err := controller.Open(s.t.Context(), s.config)
		if err != nil {
			s.t.Fatal(err)
		}
		s.k = k
	}
	if _, err := s.k.Tick(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

// get returns what the server answers.
func (s *site) get(path string) (status int, body string) {
	w := httptest.NewRecorder()
	s.server.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Code, w.Body.String()
}

// shows fails unless /metrics holds every line.
func (s *site) shows(lines ...string) {
	s.t.Helper()
	_, body := s.get("/metrics")
	for _, line := range lines {
		line = "skynet_controller_" + line
		if !strings.Contains(body, "\n"+line+"\n") {
			name, _, _ := strings.Cut(line, "{")
			name, _, _ = strings.Cut(name, " ")
			var has []string
			for l := range strings.Lines(body) {
				if strings.HasPrefix(l, name) {
					has = append(has, l)
				}
			}
			s.t.Errorf("no line %s, but\n%s", line, strings.Join(has, ""))
		}
	}
}

// What the controller decided, what became of it and what it saw can be read
// where Prometheus reads, and by people.
func TestTellsWhatWasDecided(t *testing.T) {
	s := newSite(t, nil)
	s.tick()
	s.now = s.now.Add(20 * time.Second)
	s.shows(
		`leader{fleet="render"} 1`,
		`epoch{fleet="render"} 1`,
		`stopped{fleet="render"} 0`,
		`info{fleet="render",mode="active",policy="wants@1",shadow=""} 1`,
		`decision_age_seconds{fleet="render"} 20`,
		`tick_seconds{fleet="render"} 60`,
		`decisions_total{fleet="render"} 1`,
		`instances_launched_total{fleet="render"} 2`,
		`clamped_total{fleet="render",what="launches"} 1`,
		`held_total{fleet="render",reason="stop"} 0`,
		`class_target_seconds{class="upload",fleet="render"} 30`,
		`reading_age_seconds{fleet="render",of="queue"} 20`,
		`reading_complete{fleet="render",of="ec2"} 1`,
		`budget_usd{fleet="render",window="hour"} 5`,
	)
	s.now = s.now.Add(40 * time.Second)
	s.tick()
	s.shows(
		`decisions_total{fleet="render"} 2`,
		`instances_launched_total{fleet="render"} 4`,
		`decision_age_seconds{fleet="render"} 0`,
		`class_oldest_wait_seconds{class="upload",fleet="render"} 60`,
	)
	_, body := s.get("/v1/status")
	if err := json.Unmarshal([]byte(body), &map[string]any{}); err != nil {
		t.Fatal(err)
	}
	got := s.server.Status()
	if got.Last.Number != 1 || len(got.Last.Launches) != 1 || got.Last.Launches[0].Count != 2 || got.Last.Removed.Launches != 1 || got.Stop != nil {
		t.Errorf("status %+v", got.Last)
	}
	for _, part := range []string{`"mode": "active"`, `"policy": "wants@1"`, `"epoch": 1`, `"text": "3 are wanted"`, `"launched": 2`, `"type": "m1.small"`} {
		if !strings.Contains(body, part) {
			t.Errorf("no %s in %s", part, body)
		}
	}
}

// Whatever there is to show is shown once there was something of it.
func TestEveryFigureIsShown(t *testing.T) {
	s := newSite(t, func(c *controller.Config) {
		c.Caps = func() (policy.Guard, error) {
			g := policy.Open(10)
			g.HourMax = 4 * policy.USD
			return g, nil
		}
	})
	for tick := range 3 {
		s.tick()
		s.now = s.now.Add(time.Minute)
		s.works = tick > 0
	}
	s.server.Drifted(&controller.Drift{At: s.now.Add(-time.Hour), Beyond: []string{"cost: +20.0 %, at most 10 %"}, Cost: 0.2, Latency: map[string]float64{"photo": -0.1}})
	s.shows(`drift_age_seconds{fleet="render"} 3600`, `drift_beyond_bounds{fleet="render"} 1`, `drift_ratio{fleet="render",of="latency",type="photo"} -0.1`)
	if _, body := s.get("/v1/status"); !strings.Contains(body, "cost: +20.0 %") {
		t.Errorf("status does not say what drifts:\n%s", body)
	}
	_, body := s.get("/metrics")
	for _, name := range server.Figures() {
		if !strings.Contains(body, "\n"+name+"{") {
			t.Errorf("%s is not shown", name)
		}
	}
	s.shows(`cap_usd{fleet="render",window="hour"} 4`, `boot_seconds{fleet="render",quantile="0.5"} 45`, `instances{fleet="render",phase="ready"} 2`)
}

// What the provider says, and what a sweep doubts, is counted where alerts look.
func TestTroubleIsShown(t *testing.T) {
	advice := controller.Advice{Text: "EC2: elevated error rates"}
	s := newSite(t, func(c *controller.Config) { c.Advise = func(time.Time) controller.Advice { return advice } })
	s.tick()
	s.shows(`provider_trouble{fleet="render"} 1`, `doubtful_total{finding="mass orphan",fleet="render"} 0`)
	advice = controller.Advice{}
	s.now = s.now.Add(time.Minute)
	s.tick()
	s.shows(`provider_trouble{fleet="render"} 0`)
	s.server.Saw(s.k, &controller.Result{At: s.now, Found: []fleet.Finding{{Kind: fleet.MassOrphan}, {Kind: fleet.Orphan}}})
	s.shows(`doubtful_total{finding="mass orphan",fleet="render"} 1`, `doubtful_total{finding="mass silence",fleet="render"} 0`)
}

// A comparison says in a line what came of it.
func TestDriftInALine(t *testing.T) {
	d := &controller.Drift{From: begun, To: begun.Add(24 * time.Hour), Kept: true, Cost: 0.031, Slack: -0.02, Latency: map[string]float64{"video": 0.08, "photo": 0}}
	if got, want := d.String(), "2026-03-02 10:00 to 2026-03-03 10:00: cost +3.1 %, slack -2.0 %, p95 of photo +0.0 %, p95 of video +8.0 %, within bounds"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	d.Kept, d.Beyond = false, []string{"cost: +20.0 %, at most 10 %"}
	if got := d.String(); !strings.HasSuffix(got, "BEYOND BOUNDS: cost: +20.0 %, at most 10 %") {
		t.Errorf("%q", got)
	}
	if d.Problem = "no history"; !strings.HasSuffix(d.String(), ": not compared: no history") || d.Offs() != nil {
		t.Errorf("%q", d)
	}
}

// A stop shows at once, not at the next tick, and what it held is counted.
func TestTellsWhoStoppedIt(t *testing.T) {
	s := newSite(t, nil)
	s.tick()
	s.stop = controller.Stopped{Reason: "a drill", By: "ada"}
	s.shows(`stopped{fleet="render"} 1`, `held_total{fleet="render",reason="stop"} 0`)
	if _, body := s.get("/v1/status"); !strings.Contains(body, `"reason": "a drill"`) {
		t.Errorf("status does not say why:\n%s", body)
	}
	s.now = s.now.Add(time.Minute)
	s.tick()
	s.shows(`held_total{fleet="render",reason="stop"} 1`, `instances_launched_total{fleet="render"} 2`)
}

// A queue that cannot be read shows as a reading that ages.
func TestReadingsAge(t *testing.T) {
	s := newSite(t, nil)
	s.tick()
	s.deaf = true
	s.now = s.now.Add(time.Minute)
	s.tick()
	s.now = s.now.Add(10 * time.Second)
	s.shows(
		`reading_age_seconds{fleet="render",of="queue"} 70`, `reading_complete{fleet="render",of="queue"} 0`,
		`reading_age_seconds{fleet="render",of="ec2"} 10`, `reading_complete{fleet="render",of="ec2"} 1`,
	)
}

// A queue that never could be read ages from the process's beginning.
func TestAReadingThatNeverWas(t *testing.T) {
	s := newSite(t, nil)
	s.deaf = true
	s.now = s.now.Add(90 * time.Second)
	s.tick()
	s.shows(`reading_age_seconds{fleet="render",of="queue"} 90`)
}

// It is ready while it leads and decides; it lives in any case.
func TestReadiness(t *testing.T) {
	s := newSite(t, func(c *controller.Config) { c.Actuator = nil })
	ready := func(want int, why string) {
		t.Helper()
		if status, body := s.get("/readyz"); status != want || !strings.Contains(body, why) {
			t.Errorf("readyz %d %q, want %d %q", status, body, want, why)
		}
		if status, _ := s.get("/healthz"); status != http.StatusOK {
			t.Errorf("healthz %d", status)
		}
	}
	ready(503, "no decision yet")
	s.shows(`leader{fleet="render"} 0`, `info{fleet="render",mode="observe",policy="wants@1",shadow=""} 1`)
	if status, body := s.get("/v1/status"); status != 200 || strings.Contains(body, "age_s") {
		t.Errorf("status before the first decision: %d %s", status, body)
	}
	s.tick()
	ready(200, "ok")
	s.shows(`held_total{fleet="render",reason="observe"} 1`)
	s.now = s.now.Add(3*time.Minute + time.Second)
	ready(503, "3m1s old")
}

// Nobody can change anything.
func TestOnlyTells(t *testing.T) {
	s := newSite(t, nil)
	for _, path := range []string{"/metrics", "/v1/status", "/readyz", "/healthz"} {
		w := httptest.NewRecorder()
		s.server.ServeHTTP(w, httptest.NewRequest("POST", path, strings.NewReader("{}")))
		if w.Code != http.StatusMethodNotAllowed {
			t.Errorf("POST %s: %d", path, w.Code)
		}
	}
}

// A leader that another has taken over from while it decided says so.
func TestTellsThatItLeadsNoMore(t *testing.T) {
	s := newSite(t, nil)
	s.tick()
	taken := overtaking{s.store, s}
	s2 := newSite(t, func(c *controller.Config) { c.Store = taken })
	k, err := controller.Open(t.Context(), s2.config)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := k.Tick(t.Context()); !errors.Is(err, controller.ErrFenced) {
		t.Fatalf("ended with %v", err)
	}
	s2.shows(`leader{fleet="render"} 0`, `held_total{fleet="render",reason="superseded"} 1`)
	if status, body := s2.get("/readyz"); status != 503 {
		t.Errorf("ready: %s", body)
	}
}

// overtaking is a store in which another takes the lead just before every save.
type overtaking struct {
	*controller.Memory
	site *site
}

// Lead waits for nobody: the earlier lead has ended.
func (o overtaking) Lead(ctx context.Context, fleet, holder string, lasts time.Duration) (int64, error) {
	o.site.now = o.site.now.Add(time.Hour)
	return o.Memory.Lead(ctx, fleet, holder, lasts)
}

func (o overtaking) Save(ctx context.Context, fleet string, epoch int64, saved []byte) error {
	o.site.now = o.site.now.Add(time.Hour)
	if _, err := o.Memory.Lead(ctx, fleet, "another", time.Minute); err != nil {
		return err
	}
	return o.Memory.Save(ctx, fleet, epoch, saved)
}
