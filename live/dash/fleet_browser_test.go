package dash

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/reports/chart/browsertest"
)

// shotsFolder, in the environment, is where the browser's tests leave pictures.
const shotsFolder = "SKYNET_SHOTS"

func shot(t *testing.T, p *browsertest.Page, name string) {
	t.Helper()
	if folder := os.Getenv(shotsFolder); folder != "" {
		if err := os.WriteFile(filepath.Join(folder, name+".png"), p.Screenshot(t), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// await waits until a script comes to true, on whatever page is there by then.
func await(t *testing.T, p *browsertest.Page, what, script string) {
	t.Helper()
	for end := time.Now().Add(time.Minute); ; time.Sleep(20 * time.Millisecond) {
		if is, err := browsertest.Try[bool](p, `!!(() => { try { return `+script+`; } catch (e) { return false; } })()`); err == nil && is {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("%s: never came true: %s", what, script)
		}
	}
}

// The page draws every chart, renews itself without closing what a reader opened,
// is read by those who hear it, asks nobody else for anything, and fits a phone.
func TestFleetInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a browser")
	}
	s, web := serveFleet(t)
	b := browsertest.Open(t)
	for _, theme := range []browsertest.Theme{browsertest.Light, browsertest.Dark} {
		p := b.Page(t, web.URL+"/fleet", theme)
		p.Width(t, 1440)
		await(t, p, "the stream", `document.getElementById("link").textContent === "live"`)
		p.Settle(t)
		if n := browsertest.Eval[int](t, p, `[...document.querySelectorAll("[data-chart] canvas")].filter(c => c.getContext("2d").getImageData(0, 0, c.width, c.height).data.some(v => v > 0)).length`); n != 6 {
			t.Errorf("%s: %d canvases are drawn on, want 6: the marks, two panels, and one of each other chart", theme, n)
		}
		if scripts := browsertest.Eval[int](t, p, `document.querySelectorAll("[data-part] script").length`); scripts > 0 {
			t.Error("a class's name became a script")
		}
		p.Texts(t)
		p.Axe(t)
		shot(t, p, "fleet-"+string(theme))
		// a reader opens a decision; then another one is made
		browsertest.Eval[bool](t, p, `document.querySelector(".decisions details").open = true; window.opened = document.querySelector(".decisions details summary"); opened.focus(); true`)
		number := browsertest.Eval[string](t, p, `document.querySelector("#h-latest .quiet").textContent`)
		s.mu.Lock()
		s.more += 50
		s.mu.Unlock()
		await(t, p, "another decision", `document.querySelector("#h-latest .quiet").textContent !== "`+number+`"`)
		await(t, p, "the list of them", `document.querySelector(".decisions summary") !== opened`)
		if !browsertest.Eval[bool](t, p, `opened.isConnected && opened.parentElement.open && document.activeElement === opened`) {
			t.Error("what a reader opened is closed, or has lost the focus")
		}
		if outside := browsertest.Eval[int](t, p, `performance.getEntriesByType("resource").filter(r => !r.name.startsWith(location.origin)).length`); outside > 0 {
			t.Errorf("%d requests go elsewhere", outside)
		}
		p.Width(t, 390)
		p.Settle(t)
		if wide := browsertest.Eval[int](t, p, `document.documentElement.scrollWidth`); wide > 390 {
			t.Errorf("%s: on a phone of 390 pixels the page is %d wide", theme, wide)
		}
		shot(t, p, "fleet-phone-"+string(theme))
		quiet(t, p, web.URL)
	}
}

// quiet fails the test for every complaint but the page's own requests.
func quiet(t *testing.T, p *browsertest.Page, origin string) {
	t.Helper()
	for _, c := range p.Complained() {
		if !strings.HasPrefix(c, "request: "+origin+"/") {
			t.Error(c)
		}
	}
}

// An operator stops the controller: first with a wrong token, then with a good one;
// and takes it back.
func TestKillSwitchInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a browser")
	}
	s, web := serveFleet(t)
	p := browsertest.Open(t).Page(t, web.URL+"/fleet", browsertest.Light)
	fill := func(token string) {
		t.Helper()
		browsertest.Eval[bool](t, p, `document.getElementById("reason").value ||= "a drill"; document.getElementById("token").value = "`+token+`"; document.querySelector("form button").click(); true`)
	}
	browsertest.Eval[bool](t, p, `document.querySelector("header a.danger").click(); true`)
	await(t, p, "the form", `location.pathname === "/fleet/stop" && document.readyState === "complete"`)
	p.Axe(t)
	shot(t, p, "stop")
	fill("wrong")
	await(t, p, "the refusal", `document.querySelector("[role=alert]").textContent.includes("operator's token")`)
	if got := browsertest.Eval[string](t, p, `document.getElementById("reason").value`); got != "a drill" {
		t.Errorf("the reason is %q after a wrong token", got)
	}
	if stop, _ := s.stop.StopRow(t.Context(), "render"); stop.Is(time.Now()) {
		t.Fatal("a wrong token stopped it")
	}
	fill(operatorToken)
	await(t, p, "the stop", `location.pathname === "/fleet" && document.querySelector(".banner.alarm").textContent.includes("a drill")`)
	p.Axe(t)
	shot(t, p, "stopped")
	browsertest.Eval[bool](t, p, `document.querySelector("header a.danger").click(); true`)
	await(t, p, "the form", `location.pathname === "/fleet/stop" && document.readyState === "complete"`)
	fill(operatorToken)
	await(t, p, "the end of it", `location.pathname === "/fleet" && document.querySelector("header a.danger").textContent === "Stop…"`)
	if stop, _ := s.stop.StopRow(t.Context(), "render"); stop.Is(time.Now()) {
		t.Error("it is stopped still")
	}
}
