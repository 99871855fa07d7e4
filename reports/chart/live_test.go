package chart_test

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/reports/chart/browsertest"
)

// queue is a chart of the last hours before now.
func queue(now int) *chart.Chart {
	s := chart.Series{Name: "waiting", Kind: chart.Step, Hue: chart.Blue}
	for i := range 60 {
		s.X, s.Y = append(s.X, float64(60*(now-60+i))), append(s.Y, 20+10*math.Sin(float64(now+i)))
	}
	e := &chart.Events{Noun: "decision", Note: "What was decided.", Lanes: []chart.Lane{{Name: "launch", Hue: chart.Blue}}}
	for i := range 3 {
		e.List = append(e.List, chart.Event{At: float64(60 * (now - 10*i)), Lanes: []int{0}, Title: fmt.Sprint("launch ", now+i), Text: []string{fmt.Sprintf("queue.long: %d wait", now)}})
	}
	return &chart.Chart{
		ID: "queue", Title: "Queue", Caption: "Jobs that wait.", Events: e,
		Figure: &chart.Figure{
			X:      chart.Axis{Scale: chart.Clock, Origin: time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC), Label: "UTC", Min: float64(60 * (now - 60)), Max: float64(60 * now)},
			Panels: []chart.Panel{{Y: chart.Axis{Label: "jobs", Unit: chart.Count}, Series: []chart.Series{s}}},
		},
	}
}

// A page that stays open shows new data in the place of the old, with the zoom
// and the search that its reader has chosen.
func TestUpdate(t *testing.T) {
	if testing.Short() {
		t.Skip("opens a browser")
	}
	html, err := queue(600).HTML()
	if err != nil {
		t.Fatal(err)
	}
	data, err := queue(660).Data()
	if err != nil {
		t.Fatal(err)
	}
	page := filepath.Join(t.TempDir(), "index.html")
	text := `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Queue</title><style>` + chart.Style() +
		`</style></head><body><main><h1>Queue</h1><div class="timebar" data-timebar></div>` + string(html) + `</main><script>` + chart.Script() + `</script></body></html>`
	if err := os.WriteFile(page, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
	p := browsertest.Open(t).Page(t, "file://"+page, browsertest.Light)
	p.Settle(t)
	says := func(selector string) string {
		return browsertest.Eval[string](t, p, fmt.Sprintf("document.querySelector(%q).textContent", selector))
	}
	if got := says(".timebar .shown"); got != "Mon 5 Jan 2026 09:00 – Mon 5 Jan 2026 10:00" {
		t.Errorf("at first it shows %q", got)
	}
	browsertest.Eval[bool](t, p, `(() => { const s = document.querySelector("input[type=search]"); s.value = "660"; s.dispatchEvent(new Event("input")); return true; })()`)
	if got := says("output"); got != "0 of 3 decisions" {
		t.Errorf("at first the search finds %q", got)
	}
	browsertest.Eval[bool](t, p, fmt.Sprintf("charts.update('queue', %s); charts.moveTo(charts.view.high - 30); true", data))
	p.Settle(t)
	if got := says(".timebar .shown"); got != "Mon 5 Jan 2026 10:00 – Mon 5 Jan 2026 11:00" {
		t.Errorf("then it shows %q", got)
	}
	if got := says("output"); got != "3 of 3 decisions" {
		t.Errorf("then the search finds %q", got)
	}
	if got := browsertest.Eval[string](t, p, `document.querySelector("[role=slider]").getAttribute("aria-valuetext")`); !strings.HasPrefix(got, "Mon 5 Jan 2026 10:5") || !strings.Contains(got, "waiting ") {
		t.Errorf("at the crosshair it says %q", got)
	}
	if n := browsertest.Eval[int](t, p, `document.querySelectorAll("canvas").length`); n != 2 {
		t.Errorf("%d canvases, want 2: the marks and the panel", n)
	}
	if p.Texts(t) < 8 {
		t.Error("the axes have no numbers")
	}
	p.Axe(t)
	p.Complaints(t)
}
