package reports

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/reports/chart/browsertest"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/tune"
)

// hostileName is what a trace or a scenario may call something.
const hostileName = `</script><script>fetch("https://example.org")</script><img src=x onerror="fetch('/')">`

// written returns the address of a report's page.
func written(t *testing.T, r *Report) string {
	t.Helper()
	page := filepath.Join(t.TempDir(), pageName)
	if err := WriteFile(page, r.page); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(page); err != nil || info.Size() > 1<<20 {
		t.Errorf("the page has %d bytes, want at most 1 MiB; %v", info.Size(), err)
	}
	return "file://" + page
}

// severalRuns are a few runs with the last broken.
func severalRuns(t *testing.T) *Report {
	t.Helper()
	var list []*sim.Figures
	var verdicts [][]sim.Verdict
	for i := range 5 {
		f := syntheticFigures(168*time.Hour, policy.MicroUSD(300+7*i)*1e6)
		f.Seed = uint64(i + 1)
		f.Classes["upload"].Sojourn.P95 = value(18 + float64(i))
		list, verdicts = append(list, &f), append(verdicts, syntheticVerdicts())
	}
	verdicts[4][0].Kept = false
	runs, err := Summarize(list)
	if err != nil {
		t.Fatal(err)
	}
	return RunsReport(runs, verdicts, synthetic(26*time.Hour, hourly), shown)
}

// comparison has a plot and a map.
func comparison() *Report {
	c := &Comparison{}
	for _, boot := range []string{"45s", "95s"} {
		x := contest("week, boot "+boot, 3, 7)
		x.Base, x.Settings = "week", []Setting{{"cloud.boot.median", boot}}
		for i := range x.Entries {
			x.Entries[i].Base, x.Entries[i].Settings = "skynet", []Setting{{"policy.slack_target", fmt.Sprint(20+i, " %")}}
		}
		c.Add(x)
	}
	return CompareReport(c, "Boot lag against slack target")
}

// tuningReport has a front, a sweep and a tornado.
func tuningReport() *Report {
	o := outcome(tuned(0.5, 1.1, 1.2, 1.3), tuned(0.4, 1.2, 1.3, 1.4), true)
	o.Points = []tune.Point{{P95: 12, Ratio: 1.2, Keeps: true, Front: true}, {P95: 9, Ratio: 1.4, Keeps: true}, {P95: 20, Ratio: 1}}
	for i := range 14 {
		moved := func(by float64) tune.Moved {
			return tune.Moved{Value: fmt.Sprint(by), Cost: tune.Series{Values: []float64{by / float64(i+1)}}, Kept: i % 2, N: 1}
		}
		o.Swings = append(o.Swings, tune.Swing{Param: fmt.Sprint("parameter_", i), Value: 0.5, Down: moved(-0.04), Up: moved(0.13)})
	}
	r := &Tuning{Scenario: "photo-week", Outcome: o, Class: "upload", Classes: []string{"upload"}, Swept: "slack_target", Wrote: "tuned.toml"}
	for i := range 5 {
		s := tuned(0.5, 1.1+float64(i)/10)
		s.Attained = []tune.Series{{Values: []float64{0.98 + float64(i)/300}}}
		r.Sweep = append(r.Sweep, tune.SweepRow{Value: 0.1 * float64(i+1), Summary: s})
	}
	return TuningReport(r)
}

var hostileRule = policy.NewRule("test.hostile", "%s is short", true)

// hostileRun has names that try to become markup.
func hostileRun() *Report {
	res := synthetic(2*time.Hour, policy.PerSecond)
	res.Config.Name, res.Figures.Scenario, res.Figures.Policy = hostileName, hostileName, hostileName
	res.Figures.Classes[hostileName] = res.Figures.Classes["upload"]
	res.Config.Classes[0].Name = hostileName
	for i := range res.Config.Catalog.Types {
		res.Config.Catalog.Types[i].Name = hostileName
	}
	for i := range res.Decisions {
		res.Decisions[i].Decision.Because = []policy.Reason{hostileRule.Named(hostileName)}
	}
	verdicts := syntheticVerdicts()
	verdicts[0].Name, verdicts[0].Got = hostileName, hostileName
	return RunReport(res, verdicts, Options{Reproduce: hostileName})
}

// Every page opens in a real browser, in light and dark colours, without a word
// on the console and without a request; every chart is drawn, no label covers
// another, on a wide screen and on a narrow one; and neither a screen reader nor
// an eye that needs contrast has serious trouble.
func TestPagesInBrowser(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a browser")
	}
	browser := browsertest.Open(t)
	for name, c := range map[string]struct {
		report       *Report
		live, drawn  int // charts by the browser, and drawings
		marksPerPage int // texts on canvases, at least
	}{
		"an hour":    {RunReport(synthetic(time.Hour, hourly), syntheticVerdicts(), shown), 6, 2, 60},
		"a week":     {RunReport(synthetic(168*time.Hour, hourly), syntheticVerdicts(), shown), 6, 2, 60},
		"a year":     {RunReport(synthetic(8760*time.Hour, policy.PerSecond), syntheticVerdicts(), shown), 6, 2, 60},
		"names":      {hostileRun(), 6, 2, 60},
		"runs":       {severalRuns(t), 6, 3, 60},
		"comparison": {comparison(), 0, 3, 0},
		"tuning":     {tuningReport(), 0, 3, 0},
	} {
		t.Run(name, func(t *testing.T) {
			url := written(t, c.report)
			for _, theme := range []browsertest.Theme{browsertest.Light, browsertest.Dark} {
				p := browser.Page(t, url, theme)
				widths := []int64{1040}
				if theme == browsertest.Light { // labels stand where they stand in any colour
					widths = []int64{400, 1040}
				}
				for _, width := range widths {
					p.Width(t, width)
					p.Settle(t)
					if n := p.Texts(t); n < c.marksPerPage {
						t.Errorf("%d texts on canvases at %d pixels, want %d at least", n, width, c.marksPerPage)
					}
					if wide := browsertest.Eval[int](t, p, "document.documentElement.scrollWidth"); int64(wide) > width {
						t.Errorf("the page is %d pixels wide in a window of %d", wide, width)
					}
				}
				if n := browsertest.Eval[int](t, p, drawnCharts); n != c.live {
					t.Errorf("%d live charts are drawn, want %d", n, c.live)
				}
				if n := browsertest.Eval[int](t, p, drawnDrawings); n != c.drawn {
					t.Errorf("%d drawings have a size and lines, want %d", n, c.drawn)
				}
				p.Axe(t)
				p.Complaints(t)
			}
		})
	}
}

// Charts all of whose panels with data have many pixels that are neither paper
// nor grid, and drawings that take room and have shapes.
const (
	drawnCharts = `[...document.querySelectorAll("[data-chart]")].filter(host => {
	const plots = [...host.querySelectorAll(".plot")];
	return plots.length && plots.every(plot => {
		if (plot.querySelector(".empty")) return true;
		const canvas = plot.querySelector("canvas"), {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
		let coloured = 0;
		for (let i = 0; i < data.length; i += 4) {
			const [r, g, b, a] = data.slice(i, i + 4);
			if (a > 100 && Math.max(r, g, b) - Math.min(r, g, b) > 40 || a > 100 && plot.getAttribute("aria-label").includes("instances")) coloured++;
		}
		return coloured > 100;
	});
}).length`
	drawnDrawings = `[...document.querySelectorAll("figure svg[role=img]")].filter(s => {
	const box = s.getBoundingClientRect();
	return box.width > 300 && box.height > 100 && s.querySelectorAll("path").length > 2;
}).length`
)

// Everything on a page can be reached and used without a mouse.
func TestKeyboard(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a browser")
	}
	res := synthetic(48*time.Hour, hourly)
	p := browsertest.Open(t).Page(t, written(t, RunReport(res, syntheticVerdicts(), shown)), browsertest.Light)
	p.Settle(t)

	// the way of the Tab key, from the top
	var way []string
	for range 400 {
		p.Press(t, kb.Tab)
		at := browsertest.Eval[string](t, p, `(() => { const e = document.activeElement;
			return e === document.body ? "" : (getComputedStyle(e).outlineStyle === "none" ? "unseen " : "") + (e.getAttribute("role") || e.type || e.tagName.toLowerCase()) + ": " + (e.getAttribute("aria-label") || e.textContent.trim().slice(0, 40) || e.id); })()`)
		if at == "" || len(way) > 0 && at == way[0] {
			break
		}
		way = append(way, at)
	}
	for _, want := range []string{
		"button: dark colours", "region: Promises", "button: zoom in", "button: ready", "slider: Demand, ready and booting cores, cores: crosshair", "slider: Slack",
		"region: How long jobs took, drawing", "slider: How long jobs took, over time", "slider: Cost per hour", "slider: Decisions", "search: plot-7-decisions-search",
		"region: decisions", "slider: Forecast and what came", "summary: Data of Forecast and what came",
	} {
		if !slices.ContainsFunc(way, func(at string) bool { return strings.HasPrefix(at, want) }) {
			t.Errorf("Tab does not reach %q; it reaches\n%s", want, strings.Join(way, "\n"))
		}
	}
	for _, at := range way {
		if strings.HasPrefix(at, "unseen ") {
			t.Errorf("nothing shows that the focus is at %q", at)
		}
	}

	focus := func(selector string) {
		browsertest.Eval[bool](t, p, fmt.Sprintf("document.querySelector(%q).focus(); true", selector))
	}
	says := func(id string) string {
		return browsertest.Eval[string](t, p, fmt.Sprintf("document.querySelector('#%s [role=slider]').getAttribute('aria-valuetext')", id))
	}
	span := func() float64 { return browsertest.Eval[float64](t, p, "charts.view.max - charts.view.min") }

	// the crosshair is one for all charts
	focus("#plot-1-demand [role=slider]")
	p.Press(t, kb.ArrowRight)
	first, other := says("plot-1-demand"), says("plot-2-slack")
	if !strings.HasPrefix(first, "Mon 2 Jun 2008 0") || !strings.Contains(first, "ready ") || !strings.Contains(other, "mean of the 24 h before") {
		t.Errorf("at the crosshair the charts say %q and %q", first, other)
	}
	if first[:21] != other[:21] {
		t.Errorf("the crosshair is at %q in one chart and at %q in another", first[:21], other[:21])
	}
	// and so is the zoom
	whole := span()
	p.Press(t, "+", "+")
	p.Settle(t)
	if got := span(); got > whole/3 {
		t.Errorf("after + + %v s are shown, of %v", got, whole)
	}
	if n := browsertest.Eval[int](t, p, `[...document.querySelectorAll("[data-timebar] button")].filter(b => !b.disabled).length`); n != 5 {
		t.Errorf("%d buttons of the time bar can be pressed, want 5", n)
	}
	p.Press(t, "0")
	p.Settle(t)
	if got := span(); got != whole {
		t.Errorf("after 0 %v s are shown, of %v", got, whole)
	}
	focus("[data-timebar] button[aria-label='zoom in']")
	p.Press(t, kb.Enter)
	if got := span(); got >= whole {
		t.Errorf("the button does not zoom: %v s of %v", got, whole)
	}
	focus("[data-timebar] button[aria-label='reset zoom']")
	p.Press(t, kb.Enter)
	if got := span(); got != whole {
		t.Errorf("the button does not reset: %v s of %v", got, whole)
	}

	// decisions, one after the other, with their reasons
	focus("#plot-7-decisions [role=slider]")
	p.Press(t, kb.Home)
	launch := ""
	for range res.Decisions {
		p.Press(t, kb.ArrowRight)
		if launch = says("plot-7-decisions"); strings.Contains(launch, "launch ") {
			break
		}
	}
	if !strings.Contains(launch, "×c1.xlarge: test.short: need ") {
		t.Errorf("at the first launch the chart says %q", launch)
	}
	if tip := browsertest.Eval[string](t, p, `document.querySelector("#plot-7-decisions .tip:not([hidden])").textContent`); !strings.Contains(tip, "test.short: need ") {
		t.Errorf("beside the first launch stands %q", tip)
	}
	p.Press(t, kb.ArrowRight)
	if next := says("plot-7-decisions"); next == launch {
		t.Errorf("the next decision is %q again", next)
	}

	// the search
	rows := func() int {
		return browsertest.Eval[int](t, p, `document.querySelectorAll("#plot-7-decisions .rows tbody tr").length`)
	}
	found := func() string {
		return browsertest.Eval[string](t, p, `document.querySelector("#plot-7-decisions output").textContent`)
	}
	all := fmt.Sprintf("%[1]d of %[1]d decisions", len(res.Decisions))
	same(t, "before the search", found(), all)
	focus("#plot-7-decisions-search")
	for _, key := range "drain" {
		p.Press(t, string(key))
	}
	drains := 0
	for i := range res.Decisions {
		if len(res.Decisions[i].Decision.Drains) > 0 {
			drains++
		}
	}
	same(t, "drains", found(), fmt.Sprintf("%d of %d decisions", drains, len(res.Decisions)))
	if rows() != min(drains, 100) || drains == 0 {
		t.Errorf("%d rows of %d drains", rows(), drains)
	}
	p.Press(t, " ", "n", "e", "v", "e", "r")
	if rows() != 0 {
		t.Errorf("%d rows say never", rows())
	}

	// a series goes and comes back
	focus("#plot-1-demand .key")
	p.Press(t, " ")
	if pressed := browsertest.Eval[string](t, p, `document.querySelector("#plot-1-demand .key").getAttribute("aria-pressed")`); pressed != "false" {
		t.Errorf("a series is still shown: %q", pressed)
	}
	// the theme
	background := func() string {
		return browsertest.Eval[string](t, p, "getComputedStyle(document.body).backgroundColor")
	}
	light := background()
	focus("[data-theme-toggle]")
	p.Press(t, kb.Enter)
	if background() == light {
		t.Error("the page is still light")
	}
	p.Complaints(t)
}

// On paper a page is light, complete, and has a few sheets.
func TestPrint(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a browser")
	}
	p := browsertest.Open(t).Page(t, written(t, RunReport(synthetic(48*time.Hour, hourly), syntheticVerdicts(), shown)), browsertest.Dark)
	p.Settle(t)
	browsertest.Eval[bool](t, p, `window.seen = [], addEventListener("beforeprint", () => {
		window.seen.push(document.documentElement.dataset.theme, getComputedStyle(document.body).backgroundColor, document.querySelector(".uplot").clientWidth);
	}), true`)
	pdf := p.PDF(t)
	if pages := bytes.Count(pdf, []byte("/Type /Page\n")); !bytes.HasPrefix(pdf, []byte("%PDF-")) || pages < 3 || pages > 12 {
		t.Errorf("printed on %d sheets", pages)
	}
	same(t, "while printing", browsertest.Eval[string](t, p, `window.seen.join(" ")`), "light rgb(255, 255, 255) 700")
	if theme := browsertest.Eval[string](t, p, `String(document.documentElement.dataset.theme)`); theme != "undefined" {
		t.Errorf("after printing the theme is %q", theme)
	}
	p.Complaints(t)
}
