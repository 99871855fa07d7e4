package dash

import (
	"bufio"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"

	"golang.org/x/net/html"
)

const (
	operatorToken = "operator-token-operator-token-operator"
	workerToken   = "worker-token-worker-token-worker-token"
	smithToken    = "smith-token-smith-token-smith-token-smith"
)

// evil is what somebody may call a job type to do harm.
const evil = `<script>alert(1)</script>`

type fake struct{}

func (fake) Stats(tenant string) api.Stats {
	s := api.Stats{
		Cluster: "test", Leader: true, Epoch: 3, UptimeS: 7200,
		States:  map[api.State]int64{api.StateWaiting: 12_345, api.StateDead: 2},
		Pending: []api.Pending{{Type: evil, Priority: 1, Waiting: 12_345, OldestS: 90, EstimateS: 36_000, Leased: 3, Ages: make([]int64, len(api.AgeBoundsS)+1), Paused: true}},
		Flows:   []api.Flow{{Type: "photo", Failed: api.Windows{M5: 4, M60: 9}}},
		Workers: api.WorkerCounts{Workers: 2, Silent: 1, Slots: 16, SlotsBusy: 4},
	}
	if tenant != "" {
		s.Pending[0].Type = "jobs of " + tenant
	}
	return s
}

func (fake) Workers() api.WorkersResponse {
	return api.WorkersResponse{Workers: []api.Worker{{InstanceID: "i-1", InstanceType: "c7i.large", Slots: 8, SlotsBusy: 4, SeenS: 3.2, Roles: []string{"photos"}, Directive: api.Directive{Op: api.OpDrain}}, {InstanceID: "i-2", SeenS: 99, Silent: true}}}
}

// serve serves a page and returns a browser of sorts.
func serve(t *testing.T) (*Page, *httptest.Server, *http.Client, string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "tokens")
	if err := os.WriteFile(file, []byte("operator "+operatorToken+"\nworker "+workerToken+"\nreader "+smithToken+" tenant=smith\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	keeper, err := access.Open(access.Options{File: file, Cluster: "test", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	p := New(Options{Keeper: keeper, Log: log, Every: 10 * time.Millisecond})
	p.Lead(fake{})
	web := httptest.NewServer(p)
	t.Cleanup(func() { web.CloseClientConnections(); web.Close() })
	return p, web, newBrowser(t), file
}

// newBrowser returns a browser of sorts: it keeps cookies.
func newBrowser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar}
}

func get(t *testing.T, c *http.Client, url string) (int, http.Header, string) {
	t.Helper()
	in, err := c.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	return read(t, in)
}

func read(t *testing.T, in *http.Response) (int, http.Header, string) {
	t.Helper()
	defer in.Body.Close()
	text, err := io.ReadAll(in.Body)
	if err != nil {
		t.Fatal(err)
	}
	return in.StatusCode, in.Header, string(text)
}

func login(t *testing.T, c *http.Client, base, token string) (int, http.Header, string) {
	t.Helper()
	in, err := c.PostForm(base+"/ui/login", url.Values{"token": {token}})
	if err != nil {
		t.Fatal(err)
	}
	return read(t, in)
}

func TestLogin(t *testing.T) {
	p, web, browser, file := serve(t)
	status, head, text := get(t, browser, web.URL+"/")
	if status != 200 || !strings.Contains(text, `<label for="token">`) || strings.Contains(text, "12") {
		t.Errorf("without a login: %d %s", status, text)
	}
	if !strings.Contains(head.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Error("no content security policy")
	}
	if status, _, _ := get(t, browser, web.URL+"/ui/stream"); status != 401 {
		t.Errorf("the stream without a login: %d", status)
	}
	for _, token := range []string{"", "wrong", workerToken} {
		if status, _, text := login(t, browser, web.URL, token); status != 403 || !strings.Contains(text, `role="alert"`) || token != "" && strings.Contains(text, token) {
			t.Errorf("login with %q: %d %s", token, status, text)
		}
	}
	status, _, text = login(t, browser, web.URL, operatorToken)
	if status != 200 || !strings.Contains(text, "12\u202f345") || !strings.Contains(text, "i-1") {
		t.Errorf("logged in: %d %s", status, text)
	}
	if strings.Contains(text, evil) || !strings.Contains(text, "&lt;script&gt;") {
		t.Error("a job type is taken for HTML")
	}
	base, _ := url.Parse(web.URL)
	for _, c := range browser.Jar.Cookies(base) {
		if strings.Contains(c.Value, operatorToken) {
			t.Error("the cookie holds the token")
		}
	}
	// a token that is taken back ends the session
	if err := os.WriteFile(file, []byte("worker "+workerToken+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	go p.opt.Keeper.Watch(t.Context(), time.Millisecond)
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		if _, _, text := get(t, browser, web.URL+"/"); strings.Contains(text, `<label for="token">`) {
			return
		}
		if time.Now().After(end) {
			t.Fatal("the session outlives its token")
		}
	}
}

func TestCookie(t *testing.T) {
	_, web, browser, _ := serve(t)
	browser.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	_, head, _ := login(t, browser, web.URL, operatorToken)
	cookie := head.Get("Set-Cookie")
	for _, want := range []string{"HttpOnly", "SameSite=Strict", "Path=/"} {
		if !strings.Contains(cookie, want) {
			t.Errorf("Set-Cookie %q lacks %s", cookie, want)
		}
	}
	in, err := browser.PostForm(web.URL+"/ui/logout", nil)
	if err != nil {
		t.Fatal(err)
	}
	read(t, in)
	if _, _, text := get(t, browser, web.URL+"/"); !strings.Contains(text, `<label for="token">`) {
		t.Error("logged out, and the page shows")
	}
}

// TestTenantsPage: a token bound to a tenant shows that tenant's jobs, and no
// workers.
func TestTenantsPage(t *testing.T) {
	_, web, browser, _ := serve(t)
	_, _, text := login(t, browser, web.URL, smithToken)
	if !strings.Contains(text, "jobs of smith") || strings.Contains(text, "i-1") || strings.Contains(text, "<h2 id=\"h-workers\">") {
		t.Errorf("%s", text)
	}
}

// TestLive: the stream sends what the page shows, made anew.
func TestLive(t *testing.T) {
	p, web, browser, _ := serve(t)
	login(t, browser, web.URL, operatorToken)
	in, err := browser.Get(web.URL + "/ui/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer in.Body.Close()
	lines := bufio.NewScanner(in.Body)
	events, standby := 0, false
	for lines.Scan() {
		line := lines.Text()
		if line != "" && line != "event: live" && !strings.HasPrefix(line, "data: ") && line != "data:" {
			t.Fatalf("%q is no event", line)
		}
		if line == "" {
			events++
		}
		standby = standby || strings.Contains(line, "is a standby")
		switch {
		case events == 2:
			p.Lead(nil)
		case standby && events > 2:
			p.Drain()
		}
	}
	if !standby || lines.Err() != nil {
		t.Errorf("%d events, standby shown: %t, %v", events, standby, lines.Err())
	}
}

// TestMarkup: what a screen reader needs is there.
func TestMarkup(t *testing.T) {
	_, web, browser, _ := serve(t)
	_, _, loginPage := get(t, browser, web.URL+"/")
	_, _, page := login(t, browser, web.URL, operatorToken)
	checkMarkup(t, "login", loginPage)
	checkMarkup(t, "page", page)
}

// checkMarkup fails the test where a page lacks what a screen reader, or a strict
// policy, needs.
func checkMarkup(t *testing.T, name, text string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	ids := map[string]bool{}
	var titles, mains, headings int
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		if id := attr["id"]; id != "" {
			if ids[id] {
				t.Errorf("%s: id %s twice", name, id)
			}
			ids[id] = true
		}
		switch n.Data {
		case "html":
			if attr["lang"] == "" {
				t.Errorf("%s: no language", name)
			}
		case "title":
			titles++
		case "main":
			mains++
		case "h1":
			headings++
		case "th":
			if attr["scope"] == "" {
				t.Errorf("%s: a head of a table without a scope", name)
			}
		case "script":
			if attr["src"] == "" && attr["type"] != "application/json" {
				t.Errorf("%s: a script within the page", name)
			}
		}
		if attr["style"] != "" {
			t.Errorf("%s: a style within the page", name)
		}
	}
	for n := range root.Descendants() {
		for _, a := range n.Attr {
			if (a.Key == "for" || a.Key == "aria-labelledby") && !ids[a.Val] {
				t.Errorf("%s: %s of %s leads nowhere", name, a.Key, a.Val)
			}
		}
	}
	if titles != 1 || mains != 1 || headings != 1 {
		t.Errorf("%s: %d titles, %d mains, %d first headings", name, titles, mains, headings)
	}
}
