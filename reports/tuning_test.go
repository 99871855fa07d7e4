package reports

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/sim/tune"
)

// tuned is a summary of weeks that cost so much over a floor of 100 dollars, and
// left so much of their one promise.
func tuned(margin float64, ratios ...float64) tune.Summary {
	s := tune.Summary{N: len(ratios)}
	p := tune.PromiseSummary{Name: "upload", Want: "≥ 99 % within 30 s"}
	for _, x := range ratios {
		s.Ratio.Values = append(s.Ratio.Values, x)
		s.Cost.Values = append(s.Cost.Values, 100*x)
		s.P95.Values = append(s.P95.Values, 12)
		s.Slack.Values = append(s.Slack.Values, 0.25)
		p.Margin.Values = append(p.Margin.Values, margin)
		p.Value.Values = append(p.Value.Values, 0.99+0.01*margin)
	}
	if margin >= 0 {
		s.Kept, p.Kept = s.N, s.N
	} else {
		s.Risk = tune.RiskBroken
	}
	s.Promises = []tune.PromiseSummary{p}
	return s
}

// outcome has a recommendation and the defaults.
func outcome(b, d tune.Summary, better bool) *tune.Outcome {
	o := &tune.Outcome{
		Policy: "skynet", Budget: 500, Runs: 480, Tried: 205, Telling: []string{"tau", "form", "theta"}, Feasible: true, Better: better,
		Rows: []tune.Row{
			{Names: []string{tune.Cheapest, tune.Recommended, tune.Fastest}, Params: tune.Raw{"tau": "5m0s", "form": "phi"}, Tuned: b, Held: b},
			{Names: []string{tune.Defaults}, Params: tune.Raw{"tau": "0s", "form": "auto"}, Tuned: d, Held: d},
		},
	}
	if !better {
		o.Advice = 1
	}
	return o
}

func TestWriteTuning(t *testing.T) {
	o := outcome(tuned(0.5, 1.1, 1.2, 1.3), tuned(0.4, 1.2, 1.3, 1.4), true)
	o.Rolling = tune.Rolling{Weeks: 3, Kept: 3, Saved: tune.Series{Values: []float64{0.08, 0.08, 0.08}}}
	report := &Tuning{
		Scenario: "photo-week", Outcome: o, Single: true, Class: "upload", Wrote: "tuned.toml", Next: "skynet simulate s.toml --policy tuned.toml",
	}
	var b bytes.Buffer
	if err := WriteTuning(&b, report, 61, Options{}); err != nil {
		t.Fatal(err)
	}
	const want = `photo-week: policy skynet, 205 candidates tried in 480 of 500 runs                                      1 m 1 s
PARETO judged on 3 weeks that nothing was tuned on
                                                               slack   tau  form        cost/week      p95 upload    kept  risk
* ABC cheapest that keeps its promises, recommended, fastest  25.0 %  5m0s   phi  $ 120.00 ±24.84  12.0 s ±0 s  3 of 3   low
  defaults                                                    25.0 %    0s  auto  $ 130.00 ±24.84  12.0 s ±0 s  3 of 3   low
HELD OUT  B against the defaults, paired: 7.7 % ±1.5 cheaper, promises kept in 3 of 3 weeks (defaults: 3)
GAP       cost ÷ floor 1.200 where it was tuned, 1.200 held out; the defaults' 1.300 and 1.300
ROLLING   chosen anew before each week: 8.0 % ±0.0 cheaper, promises kept in 3 of 3 weeks
wrote tuned.toml (B), with the scenario's hash, seeds and the figures above
next: skynet simulate s.toml --policy tuned.toml
`
	fold := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	for i, line := range strings.Split(want, "\n") {
		got := strings.Split(b.String(), "\n")
		if i >= len(got) || fold(got[i]) != fold(line) {
			t.Errorf("line %d differs:\n%s", i+1, cmp.Diff(want, b.String()))
			break
		}
	}
	for _, line := range strings.Split(b.String(), "\n")[2:5] {
		if len([]rune(line)) != len([]rune(strings.Split(b.String(), "\n")[2])) {
			t.Errorf("the table's rows end in different columns:\n%s", b.String())
		}
	}
}

// The verdict says what is so, whatever one would like to read.
func TestTuningVerdict(t *testing.T) {
	good, dear := tuned(0.5, 1.1, 1.2, 1.3), tuned(0.5, 1.3, 1.4, 1.5)
	broken := tuned(-0.5, 1.0, 1.1, 1.2)
	infeasible := outcome(broken, dear, false)
	infeasible.Feasible = false
	same := outcome(good, good, false)
	same.Rows = same.Rows[:1]
	same.Rows[0].Names = append(same.Rows[0].Names, tune.Defaults)
	risky := tuned(0.5, 1.0, 1.1, 1.2)
	risky.Kept--
	for _, c := range []struct {
		o    *tune.Outcome
		want string
	}{
		{outcome(risky, good, false), "B breaks a promise in more weeks than the defaults: use these. Against them, paired: 8.4 % ±1.7 cheaper, promises kept in 2 of 3 weeks (defaults: 3)"},
		{outcome(good, dear, true), "B against the defaults, paired: 14.3 % ±2.5 cheaper, promises kept in 3 of 3 weeks (defaults: 3)"},
		{outcome(dear, good, false), "B is not shown to beat the defaults: use these. Against them, paired: 16.7 % ±3.5 dearer, promises kept in 3 of 3 weeks (defaults: 3)"},
		{outcome(good, broken, true), `the defaults break "upload" (98.5 %, promised ≥ 99 % within 30 s), B does not. Against them, paired: 9.1 % ±2.1 dearer, promises kept in 3 of 3 weeks (defaults: 0)`},
		{outcome(broken, good, false), "B does not keep its promises: use the defaults. Against them, paired: 8.4 % ±1.7 cheaper, promises kept in 0 of 3 weeks (defaults: 3)"},
		{infeasible, `no candidate keeps its promises: B is the least broken, "upload" comes to 98.5 %`},
		{same, "the defaults are the best that was found: promises kept in 3 of 3 weeks"},
	} {
		if got := TuningVerdict(c.o); got != c.want {
			t.Errorf("says %q\nwant %q", got, c.want)
		}
	}
}

func TestRowNames(t *testing.T) {
	o := outcome(tuned(1, 1), tuned(1, 1), false)
	if got, want := rowName(o, 0), "  ABC cheapest that keeps its promises, least aggressive, fastest"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := rowName(o, 1), "* defaults"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	o.Feasible = false
	if got, want := rowName(o, 0), "  ABC least broken, least aggressive, fastest"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestTuningReport(t *testing.T) {
	o := outcome(tuned(1, 1), tuned(1, 1), true)
	o.Points = []tune.Point{
		{P95: 12, Ratio: 1.2, Keeps: true, Front: true},
		{P95: 9, Ratio: 1.4, Keeps: true, Front: true},
		{P95: 13, Ratio: 1.3, Keeps: true},
		{P95: 20, Ratio: 1.0},
		{P95: 11, Ratio: 1.1, Params: tune.Raw{"gain": 0.6}},
	}
	o.Rows[o.Advice].Params = tune.Raw{"gain": 0.6}
	advised := strings.TrimLeft(rowName(o, o.Advice), "* ") + " (promise broken)"
	o.Telling = []string{"gain"}
	o.Swings = []tune.Swing{
		{Param: "small", Value: 1.0, Down: tune.Moved{Value: 0.8, Cost: tune.Series{Values: []float64{0.001}}, Kept: 1, N: 1}, Up: tune.Moved{Value: 1.2, Cost: tune.Series{Values: []float64{0}}, Kept: 1, N: 1}},
		{Param: "large", Value: "5m0s", Down: tune.Moved{Value: "4m0s", Cost: tune.Series{Values: []float64{-0.04, -0.06}}, Kept: 1, N: 2}, Up: tune.Moved{Value: "6m0s", Cost: tune.Series{Values: []float64{0.07}}, Kept: 2, N: 2}},
	}
	report := &Tuning{Scenario: "photo-week", Outcome: o, Class: "upload", Wrote: "tuned.toml"}
	dir := t.TempDir()
	page, err := TuningReport(report).Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "files", strings.Join(files(t, dir), " "), "10-tornado.png 10-tornado.svg 5-front.png 5-front.svg index.html")
	for name, wants := range map[string][]string{
		filepath.Join(dir, "5-front.svg"):    {"on the front", "dominated", "breaks a promise", advised, "p95 of upload", "cost ÷ floor", "floor of work"},
		filepath.Join(dir, "10-tornado.svg"): {"Which parameters matter – skynet on photo-week", "−20 %", "+20 %", "large", "4m0s: −5.0 %", "6m0s: +7.0 %"},
		page:                                 {"Tuning of skynet on photo-week", "B against the defaults, paired", "What to choose from", "A star marks", "tuned.toml", ">gain<"},
	} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range wants {
			if !bytes.Contains(text, []byte(want)) {
				t.Errorf("%s does not say %q", name, want)
			}
		}
	}
	if text, err := os.ReadFile(page); err != nil || !bytes.Contains(text, []byte(">Parameters<")) {
		t.Errorf("the page has no table of parameters (%v)", err)
	}
	o.Telling = nil
	var bare bytes.Buffer
	if err := report.pageTo(&bare, nil); err != nil || strings.Contains(bare.String(), ">Parameters<") {
		t.Errorf("where candidates differ in nothing, the page has a table of it (%v)", err)
	}
	tornado := swingsPlot(report).other.(*chart.Tornado)
	if first := tornado.Rows[0]; first.Name != "large" || !first.Down.Marked || first.Up.Marked {
		t.Errorf("the first row is %+v, want the parameter that matters most, its broken end marked", first)
	}
}
