// Package browsertest opens pages in headless Chromium, for tests: what a
// console, a network or a reader with a keyboard or a screen reader would
// complain about.
//
//	b := browsertest.Open(t)
//	p := b.Page(t, "file:///…/index.html", browsertest.Dark)
//	p.Complaints(t) // errors, requests
//	p.Axe(t)        // accessibility
//	n := browsertest.Eval[int](t, p, "document.querySelectorAll('canvas').length")
//
// A test is skipped where there is no Chromium; scripts/install-chromium
// installs it.
package browsertest

import (
	"context"
	_ "embed"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// axe-core 4.14.1, by Deque Systems; testdata/axe/LICENSE says what may be done
// with it.
//
//go:embed testdata/axe/axe.min.js
var axe string

//go:embed texts.js
var textsScript string

// Browser is a running Chromium.
type Browser struct{ ctx context.Context }

// Theme is the colours that a reader prefers.
type Theme string

const (
	Light Theme = "light"
	Dark  Theme = "dark"
)

// Open starts Chromium for a test and stops it at its end. Without one the test
// is skipped.
func Open(t testing.TB) *Browser {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Skip("no Chromium here: scripts/install-chromium installs it")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(path), chromedp.WindowSize(1040, 900))
	if os.Getuid() == 0 { // its sandbox refuses root
		options = append(options, chromedp.NoSandbox)
	}
	for attempt := 1; ; attempt++ {
		b, err := start(t, options)
		if err == nil {
			return b
		}
		if attempt == starts {
			t.Fatalf("start %s, %d times: %v", path, starts, err)
		}
		t.Logf("start %s, once more: %v", path, err)
	}
}

// starts is how often Chromium may be started for one test: now and then it dies
// while it comes up, which says nothing about a page.
const starts = 3

// start starts Chromium once. It is stopped at the test's end, or at once where it
// did not come up.
func start(t testing.TB, options []chromedp.ExecAllocatorOption) (*Browser, error) {
	ctx, stop := chromedp.NewExecAllocator(t.Context(), options...)
	ctx, closeTab := chromedp.NewContext(ctx)
	if err := chromedp.Do(ctx); err != nil {
		closeTab()
		stop()
		return nil, err
	}
	t.Cleanup(stop)
	t.Cleanup(closeTab)
	return &Browser{ctx}, nil
}

// Page is an open page.
type Page struct {
	url string
	ctx context.Context

	mu         sync.Mutex
	complaints []string
}

// patience is how long a page may take for anything.
const patience = 2 * time.Minute

// Page opens a page and waits until it is loaded.
func (b *Browser) Page(t testing.TB, url string, theme Theme) *Page {
	t.Helper()
	ctx, closeTab := chromedp.NewContext(b.ctx)
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(ctx, patience)
	t.Cleanup(cancel)
	p := &Page{url: url, ctx: ctx}
	must(t, chromedp.Do(ctx)) // opens the tab
	must(t, chromedp.Listen(ctx, p.hear))
	call(t, ctx, network.Enable, network.EnableParams{})
	call(t, ctx, log.Enable, cdp.Empty{})
	call(t, ctx, page.AddScriptToEvaluateOnNewDocument, page.AddScriptToEvaluateOnNewDocumentParams{Source: textsScript})
	call(t, ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: string(theme)}},
	})
	must(t, chromedp.Do(ctx, chromedp.Navigate(url)))
	return p
}

// hear notes what nobody should have to see.
func (p *Page) hear(event any) {
	var text string
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		text = "console: " + string(e.Type)
		for _, a := range e.Args {
			text += " " + string(a.Value)
		}
	case *runtime.EventExceptionThrown:
		text = "exception: " + e.ExceptionDetails.Text
		if x := e.ExceptionDetails.Exception; x != nil {
			text += " " + x.Description
		}
	case *log.EventEntryAdded:
		text = "log: " + e.Entry.Text
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; u == p.url || strings.HasPrefix(u, "data:") {
			return
		}
		text = "request: " + e.Request.URL
	default:
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.complaints = append(p.complaints, text)
}

// Complained returns every console message, exception and request so far but that
// for the page itself.
func (p *Page) Complained() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.complaints)
}

// Complaints fails the test for every console message, exception and request but
// that for the page itself.
func (p *Page) Complaints(t testing.TB) {
	t.Helper()
	for _, c := range p.Complained() {
		t.Errorf("%s: %s", p.url, c)
	}
}

// Try returns what a script comes to, or why it cannot be run: the page may be about
// to leave.
func Try[T any](p *Page, script string) (T, error) {
	return chromedp.Run(p.ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
}

// Eval returns what a script comes to.
func Eval[T any](t testing.TB, p *Page, script string) T {
	t.Helper()
	v, err := Try[T](p, script)
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return v
}

// Press presses keys, each a character or one of package kb.
func (p *Page) Press(t testing.TB, keys ...string) {
	t.Helper()
	for _, k := range keys {
		must(t, chromedp.Do(p.ctx, chromedp.KeyEvent(k)))
	}
}

// Width makes the window so many pixels wide.
func (p *Page) Width(t testing.TB, pixels int64) {
	t.Helper()
	must(t, chromedp.Do(p.ctx, chromedp.EmulateViewport(pixels, 900)))
}

// Settle waits until what was begun is drawn.
func (p *Page) Settle(t testing.TB) {
	t.Helper()
	Eval[bool](t, p, "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(true), 50))))")
}

// PDF prints the page.
func (p *Page) PDF(t testing.TB) []byte {
	t.Helper()
	b, err := chromedp.Run(p.ctx, chromedp.PrintToPDF())
	must(t, err)
	return b
}

// Screenshot returns the whole page as PNG.
func (p *Page) Screenshot(t testing.TB) []byte {
	t.Helper()
	b, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	must(t, err)
	return b
}

// finding is a rule of axe that the page breaks.
type finding struct {
	ID     string `json:"id"`
	Impact string `json:"impact"`
	Help   string `json:"help"`
	Nodes  []struct {
		HTML    string `json:"html"`
		Summary string `json:"failureSummary"`
	} `json:"nodes"`
}

// Axe fails the test for every serious or critical finding of axe-core.
func (p *Page) Axe(t testing.TB) {
	t.Helper()
	Eval[bool](t, p, axe+"; true")
	found := Eval[struct {
		Violations []finding `json:"violations"`
		Passed     int       `json:"passed"` // rules
	}](t, p, "axe.run(document).then(r => ({violations: r.violations, passed: r.passes.length}))")
	const few = 10
	if found.Passed < few {
		t.Errorf("%s: axe found only %d rules to apply", p.url, found.Passed)
	}
	for _, f := range found.Violations {
		if f.Impact != "serious" && f.Impact != "critical" {
			continue
		}
		for _, n := range f.Nodes {
			t.Errorf("%s: %s (%s): %s\n%s\n%s", p.url, f.ID, f.Impact, f.Help, n.HTML, n.Summary)
		}
	}
}

// Texts fails the test where a text on a canvas covers another or passes the
// canvas's edge. It returns how many texts there are.
func (p *Page) Texts(t testing.TB) int {
	t.Helper()
	found := Eval[struct {
		Count    int      `json:"count"`
		Problems []string `json:"problems"`
	}](t, p, "canvasTexts()")
	for _, problem := range found.Problems {
		t.Errorf("%s: %s", p.url, problem)
	}
	return found.Count
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// call sends a command of the DevTools protocol.
func call[P, R any](t testing.TB, ctx context.Context, command cdp.Command[P, R], params P) {
	t.Helper()
	_, err := chromedp.Call(ctx, command, params)
	must(t, err)
}
