package reports

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"image/png"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
)

var hourly = policy.Hourly

// newNormals returns a source of normal numbers.
func newNormals(seed uint64) func() float64 {
	return rand.New(rand.NewPCG(seed, 1)).NormFloat64
}

func TestWrite(t *testing.T) {
	res := synthetic(26*time.Hour, hourly)
	dirs := []string{filepath.Join(t.TempDir(), "a", "b"), t.TempDir()}
	for _, dir := range dirs {
		page, err := RunReport(res, syntheticVerdicts(), shown).Write(dir)
		if err != nil {
			t.Fatal(err)
		}
		if page != filepath.Join(dir, "index.html") {
			t.Errorf("page %s", page)
		}
	}
	names := files(t, dirs[0])
	want := "1-demand 2-slack 3-sojourn 4-latency 6-cost 7-decisions 8-forecast 9-ended"
	for _, plot := range strings.Fields(want) {
		for _, extension := range []string{".svg", ".png"} {
			text, err := os.ReadFile(filepath.Join(dirs[0], plot+extension))
			if err != nil {
				t.Error(err)
				continue
			}
			if again, _ := os.ReadFile(filepath.Join(dirs[1], plot+extension)); !bytes.Equal(text, again) {
				t.Errorf("%s%s: two reports of one run differ", plot, extension)
			}
			if extension == ".png" {
				if _, err := png.Decode(bytes.NewReader(text)); err != nil {
					t.Errorf("%s: %v", plot, err)
				}
			}
		}
	}
	// a plot that is shown without its page says of which run it is
	if text, err := os.ReadFile(filepath.Join(dirs[0], "1-demand.svg")); err != nil || !bytes.Contains(text, []byte("Demand, ready and booting cores – "+subjectOf(res))) {
		t.Errorf("1-demand.svg does not say that it is of %s (%v)", subjectOf(res), err)
	}
	if len(names) != 17 {
		t.Errorf("the folder holds %v", names)
	}
	a, _ := os.ReadFile(filepath.Join(dirs[0], "index.html"))
	b, _ := os.ReadFile(filepath.Join(dirs[1], "index.html"))
	if !bytes.Equal(a, b) {
		t.Error("two pages of one run differ")
	}
}

// outside the script and the style sheet, which are ours, a page asks for
// nothing.
var (
	ours  = regexp.MustCompile(`(?s)<script>.*?</script>|<style>.*?</style>|<link rel="icon" href="data:,">`)
	asked = regexp.MustCompile(`(?i)<(script|link|img|iframe|object|embed)\b|url\(|@import|<[^>]*\bsrc=|https?://`)
)

// The page needs nothing from elsewhere, escapes what it is given, says first
// whether promises were kept, and stays small for a year.
func TestPage(t *testing.T) {
	res := synthetic(8760*time.Hour, hourly)
	res.Config.Name = `<script>alert("x")</script>`
	res.Figures.Scenario = res.Config.Name
	res.Config.Classes[0].Name = `up & "load" <b>`
	res.Figures.Classes[res.Config.Classes[0].Name] = res.Figures.Classes["upload"]
	res.Config.Catalog.Types[4].Name = "</script><img src=x onerror=alert(1)>"
	verdicts := syntheticVerdicts()
	verdicts[2].Kept = false
	list := plots(res, Options{SlackTarget: 0.25}, onScreen)
	var b bytes.Buffer
	if err := pageTo(&b, res, verdicts, shown); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	if n := b.Len(); n > 1<<20 {
		t.Errorf("the page has %d bytes, want at most 1 MiB", n)
	}
	rest := ours.ReplaceAllString(page, "")
	for _, allowed := range []string{`xmlns="http://www.w3.org/2000/svg"`, `<script type="application/json"`} {
		rest = strings.ReplaceAll(rest, allowed, "")
	}
	if found := asked.FindString(rest); found != "" {
		t.Errorf("the page asks for something: %q", found)
	}
	if strings.Contains(page, `<b>`) || strings.Contains(page, `alert("x")`) || strings.Contains(page, "<img") {
		t.Error("a name is not escaped")
	}
	verdict, plot := strings.Index(page, "1 of 3 promises broken"), strings.Index(page, "<figure>")
	if verdict < 0 || plot < 0 || verdict > plot {
		t.Errorf("the verdict is at %d, the first plot at %d", verdict, plot)
	}
	const n = 8
	if figures, captions, tables := strings.Count(page, "<figure>"), strings.Count(page, "<figcaption>"), strings.Count(page, "<details>"); figures != n || captions != n || tables != n {
		t.Errorf("%d figures, %d captions and %d tables, want %d each", figures, captions, tables, n)
	}
	if !strings.Contains(page, "prefers-color-scheme:dark") {
		t.Error("no dark colours")
	}
	for _, p := range list {
		if len(p.table.rows) == 0 || len(p.table.rows) > rowsMax {
			t.Errorf("%s: a table of %d rows", p.name, len(p.table.rows))
		}
		for _, row := range p.table.rows {
			if len(row) != len(p.table.columns) {
				t.Errorf("%s: a row of %d cells for %d columns", p.name, len(row), len(p.table.columns))
			}
		}
	}
}

// The page of a year stays small with as many classes as are drawn, faults all
// the time, and a decision every ten minutes whose reasons have no words in common.
func TestPageSize(t *testing.T) {
	res := synthetic(8760*time.Hour, hourly)
	for i := 2; i < 2*classesMax; i++ {
		class := res.Config.Classes[0]
		class.Name = fmt.Sprintf("a class with quite a long name, number %d", i)
		res.Config.Classes = append(res.Config.Classes, class)
		res.Figures.Classes[class.Name] = res.Figures.Classes["upload"]
		res.Sojourn, res.Wait = append(res.Sojourn, res.Sojourn[0]), append(res.Wait, res.Wait[0])
		for _, r := range res.Latency[:365] {
			r.Class = i
			res.Latency = append(res.Latency, r)
		}
	}
	for i := range 300 {
		from := time.Duration(i) * 29 * time.Hour
		res.Config.Faults = append(res.Config.Faults, sim.Fault{Kind: sim.Refuse, From: from, To: from + time.Hour})
	}
	res.Decisions = nil
	for i := 0; i < len(res.Ticks); i += 10 {
		d := policy.Decision{Launches: []policy.Launch{{Type: 4, Count: i%97 + 1}}}
		for k := range 4 {
			d.Because = append(d.Because, hostileRule.Named(strings.Repeat(string(rune('a'+i%26)), 3+i%40)+fmt.Sprint(i*k)))
		}
		res.Decisions = append(res.Decisions, sim.DecisionRow{At: res.Ticks[i].At, Decision: d})
	}
	var b bytes.Buffer
	if err := pageTo(&b, res, syntheticVerdicts(), shown); err != nil {
		t.Fatal(err)
	}
	if n := b.Len(); n > 1<<20 {
		t.Errorf("the page has %d bytes, want at most 1 MiB", n)
	}
}

// Every plot is drawn for runs in which little or nothing happened.
func TestPlotsDegenerate(t *testing.T) {
	nan := math.NaN()
	blank := func() *sim.Result {
		res := synthetic(2*time.Hour, hourly)
		return &sim.Result{Config: res.Config, Figures: sim.Figures{}}
	}
	oneTick := blank()
	oneTick.Ticks = []sim.TickRow{{Slack: nan, Slack24h: nan}}
	allNaN := synthetic(2*time.Hour, hourly)
	for i := range allNaN.Ticks {
		r := &allNaN.Ticks[i]
		r.Slack, r.Slack24h, r.BusySlotS, r.IdleSlotS, r.BootSlotS, r.GoneSlotS = nan, nan, nan, nan, nan, nan
	}
	instant := synthetic(2*time.Hour, hourly)
	for i := range instant.Latency {
		r := &instant.Latency[i]
		r.P50, r.P95, r.P99 = 0, 0, 0
	}
	instant.Sojourn = []sim.CDF{{Value: []time.Duration{0}, Share: []float64{1}}, {}}
	instant.Wait = instant.Sojourn
	noClass := synthetic(2*time.Hour, policy.PerSecond)
	noClass.Config.Classes, noClass.Sojourn, noClass.Wait = nil, nil, nil
	many := synthetic(2*time.Hour, hourly)
	for range 20 {
		many.Config.Classes = append(many.Config.Classes, many.Config.Classes[0])
		many.Sojourn = append(many.Sojourn, many.Sojourn[0])
	}
	for i := range many.Config.Classes {
		many.Latency = append(many.Latency, sim.LatencyRow{Class: i, Jobs: 1, P99: time.Second})
	}
	many.Config.Faults = []sim.Fault{{Kind: sim.Refuse, From: time.Hour, To: math.MaxInt64}, {Kind: sim.Crash, From: 90 * time.Minute, To: 90 * time.Minute}}
	flood := synthetic(2*time.Hour, hourly)
	flood.Ticks[60].Demand, flood.Ticks[60].Pending = math.MaxInt64, math.MaxInt64
	before := synthetic(2*time.Hour, hourly)
	before.Latency[0].Hour = -30 * time.Minute

	// as dots too: that takes longest, and package chart paints odd numbers
	painted := map[string]bool{"nothing": true, "one tick": true, "all NaN": true, "a year": true}
	for name, res := range map[string]*sim.Result{
		"nothing": blank(), "one tick": oneTick, "all NaN": allNaN, "instant": instant, "no class": noClass, "many classes": many,
		"flood": flood, "hour before": before, "a year": synthetic(8760*time.Hour, policy.PerSecond), "ten years by the day": decade(),
	} {
		t.Run(name, func(t *testing.T) {
			for _, p := range plots(res, Options{SlackTarget: 0.25}, onScreen) {
				var b bytes.Buffer
				if err := p.figure.SVG(&b); err != nil {
					t.Fatalf("%s: %v", p.name, err)
				}
				if text := b.String(); strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
					t.Errorf("%s: a place is not a number", p.name)
				}
				d := xml.NewDecoder(&b)
				for {
					if _, err := d.Token(); errors.Is(err, io.EOF) {
						break
					} else if err != nil {
						t.Fatalf("%s: %v", p.name, err)
					}
				}
				if painted[name] {
					if err := p.figure.PNG(io.Discard); err != nil {
						t.Errorf("%s: %v", p.name, err)
					}
				}
				if p.caption == "" || p.figure.Title == "" {
					t.Errorf("%s: no caption or title", p.name)
				}
			}
			if err := pageTo(io.Discard, res, nil, Options{}); err != nil {
				t.Error(err)
			}
		})
	}
}

// decade has one tick a day.
func decade() *sim.Result {
	res := synthetic(24*time.Hour, hourly)
	res.Config.Tick = 24 * time.Hour
	for i := range res.Ticks {
		res.Ticks[i].At = time.Duration(i) * 60 * time.Hour
	}
	res.Figures.DurationS = 3650 * 24 * 3600
	return res
}

// What was paid per day sums to what was paid, and the parts of a day to the
// day.
func TestCostAddsUp(t *testing.T) {
	res := synthetic(100*time.Hour, hourly)
	figure := costPlot(res).figure
	series := figure.Panels[0].Series
	sum := 0.0
	for i := range series[0].Y {
		for k := 1; k < len(series); k++ {
			if series[k].Low[i] != series[k-1].Y[i] {
				t.Errorf("bar %d: part %d begins at %v, not where the part below ends, %v", i, k, series[k].Low[i], series[k-1].Y[i])
			}
		}
		sum += series[len(series)-1].Y[i]
	}
	if paid := res.Ticks[len(res.Ticks)-1].Cost.Dollars(); math.Abs(sum-paid) > 1e-6 {
		t.Errorf("the bars sum to %v, paid was %v", sum, paid)
	}
}

// Stretches begin at full hours of the users' clock and hold every tick once.
func TestBuckets(t *testing.T) {
	res := synthetic(5*time.Hour, hourly)
	res.Config.Start = res.Config.Start.Add(20 * time.Minute)
	for name, parts := range map[string][]bucket{"buckets": buckets(res, time.Hour), "steps": steps(res, time.Hour)} {
		n := 0
		for i, b := range parts {
			if at := calendar(res, b.from); at.Minute() != 0 {
				t.Errorf("%s: %d begins at %s", name, i, at)
			}
			for _, r := range b.ticks {
				inside := r.At >= b.from && r.At < b.from+b.width
				if name == "steps" && r.At > 0 {
					inside = r.At > b.from && r.At <= b.from+b.width
				}
				if !inside {
					t.Errorf("%s: tick at %v in the stretch from %v", name, r.At, b.from)
				}
			}
			n += len(b.ticks)
		}
		if n != len(res.Ticks) || len(parts) != 6 {
			t.Errorf("%s: %d ticks of %d in %d stretches", name, n, len(res.Ticks), len(parts))
		}
	}
}

// An instance that ended just at the end of its paid hour was not early.
func TestEndedAtWindowsEnd(t *testing.T) {
	res := synthetic(time.Hour, hourly)
	res.Ended = []sim.EndedRow{{Age: time.Hour}, {Age: 30 * time.Minute, Unused: 30 * time.Minute}, {Age: time.Second, Unused: time.Hour - time.Second}}
	y := endedPlot(res).figure.Panels[0].Series[0].Y
	for i, want := range map[int]float64{0: 1, 29: 1, 59: 1} {
		if y[i] != want {
			t.Errorf("minute %d: %v instances, want %v", i, y[i], want)
		}
	}
}

func TestDecisionText(t *testing.T) {
	catalog := policy.EC2in2008()
	d := policy.Decision{
		Launches: []policy.Launch{{Type: catalog.Index("c1.xlarge"), Count: 8}, {Type: 99, Count: 1}},
		Drains:   make([]policy.InstanceID, 2), Undrains: make([]policy.InstanceID, 1),
		Because: []policy.Reason{shortRule.Because(12, 4)},
	}
	same(t, "decision", decisionText(&d, &catalog), "launch 8×c1.xlarge, launch 1×type 99, drain 2, undrain 1")
	same(t, "because", because(&d), "test.short: need 12 slots, have 4")
	same(t, "sleep", decisionText(&policy.Decision{}, &catalog), "sleep")
}
