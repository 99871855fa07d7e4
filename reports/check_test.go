package reports

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/trial"
)

// series returns a figure by its values; NaN stands for none.
func series(metric, class string, t trial.Tolerance, values ...float64) trial.Series {
	s := trial.Series{Metric: metric, Class: class, Tolerance: t}
	for _, v := range values {
		if math.IsNaN(v) {
			s.Values = append(s.Values, nil)
		} else {
			s.Values = append(s.Values, &v)
		}
	}
	s.Mean = trial.MeanOf(s.Values)
	return s
}

func noLine(string) int { return 0 }

// TestCheckOutcomes: what is beyond its tolerance and no chance is a regression
// or an improvement.
func TestCheckOutcomes(t *testing.T) {
	cost := trial.Tolerance{Relative: 0.02}
	points := trial.Tolerance{Absolute: 0.01}
	none := math.NaN()
	for _, x := range []struct {
		name          string
		before, after trial.Series
		want          Outcome
	}{
		{"the same", series("cost_usd", "", cost, 100, 110, 120), series("cost_usd", "", cost, 100, 110, 120), Same},
		{"dearer, within tolerance", series("cost_usd", "", cost, 100, 100, 100), series("cost_usd", "", cost, 102, 102, 102), Same},
		{"dearer on every seed", series("cost_usd", "", cost, 100, 110, 120), series("cost_usd", "", cost, 103, 113.3, 123.6), Regression},
		{"dearer on one of them", series("cost_usd", "", cost, 100, 110, 120), series("cost_usd", "", cost, 100, 110, 150), Unproven},
		{"cheaper", series("cost_usd", "", cost, 100, 110, 120), series("cost_usd", "", cost, 90, 99, 108), Improvement},
		{"slower", series("classes.a.wait_s.p95", "a", cost, 10, 11, 12), series("classes.a.wait_s.p95", "a", cost, 12, 13, 14.1), Regression},
		{"fewer in time", series("classes.a.attained", "a", points, 0.99, 0.98, 0.97), series("classes.a.attained", "a", points, 0.97, 0.96, 0.951), Regression},
		{"more in time", series("classes.a.attained", "a", points, 0.97, 0.96, 0.951), series("classes.a.attained", "a", points, 0.99, 0.98, 0.97), Improvement},
		{"a worse hour", series("classes.a.worst_hour", "a", points, 0.97, 0.96, 0.951), series("classes.a.worst_hour", "a", points, 0.9, 0.9, 0.9), Regression},
		{"no value any more", series("classes.a.wait_s.p95", "a", cost, 10, 11, 12), series("classes.a.wait_s.p95", "a", cost, 10, none, 12), Regression},
		{"none before", series("classes.a.wait_s.p95", "a", cost, none, none, none), series("classes.a.wait_s.p95", "a", cost, 10, 11, 12), Same},
		{"never any", series("classes.a.wait_s.p95", "a", cost, none, none), series("classes.a.wait_s.p95", "a", cost, none, none), Same},
		{"one seed", series("cost_usd", "", cost, 100), series("cost_usd", "", cost, 200), Unproven},
		{"from nothing", series("classes.a.wait_s.p95", "a", trial.Tolerance{Relative: 0.1, Absolute: 0.1}, 0, 0, 0), series("classes.a.wait_s.p95", "a", cost, 1, 1.1, 1.2), Regression},
		{"hardly from nothing", series("classes.a.wait_s.p95", "a", trial.Tolerance{Relative: 0.1, Absolute: 0.1}, 0, 0, 0), series("classes.a.wait_s.p95", "a", cost, 0.05, 0.06, 0.05), Same},
		{"a zero tolerance", series("cost_usd", "", trial.Tolerance{}, 100, 110, 120), series("cost_usd", "", cost, 100.01, 110.01, 120.01), Regression},
	} {
		var c CheckCase
		c.Compare([]trial.Series{x.before}, []trial.Series{x.after}, noLine)
		if f := c.Figures[0]; f.Outcome != x.want {
			t.Errorf("%s: %s, want %s: %s", x.name, f.Outcome, x.want, f.says())
		}
		if _, err := json.Marshal(&c); err != nil {
			t.Errorf("%s: %v", x.name, err)
		}
	}
}

// TestCheckCompareProperties: exchanged, a regression is an improvement; what is
// within tolerance is the same.
func TestCheckCompareProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 10).Draw(t, "n")
		before, after := make([]float64, n), make([]float64, n)
		for i := range n {
			before[i] = rapid.Float64Range(50, 150).Draw(t, "before")
			after[i] = before[i] + rapid.Float64Range(-30, 30).Draw(t, "change")
		}
		tolerance := trial.Tolerance{Absolute: rapid.Float64Range(0, 20).Draw(t, "tolerance")}
		metric := rapid.SampledFrom([]string{"cost_usd", "classes.a.attained"}).Draw(t, "metric")
		compare := func(x, y []float64) *CheckFigure {
			var c CheckCase
			c.Compare([]trial.Series{series(metric, "", tolerance, x...)}, []trial.Series{series(metric, "", tolerance, y...)}, noLine)
			return c.Figures[0]
		}
		f, back := compare(before, after), compare(after, before)
		opposite := map[Outcome]Outcome{Same: Same, Unproven: Unproven, Regression: Improvement, Improvement: Regression}
		if back.Outcome != opposite[f.Outcome] {
			t.Fatalf("%s, exchanged %s", f.Outcome, back.Outcome)
		}
		if within := math.Abs(float64(f.Change.Mean)) <= f.Tolerance; within != (f.Outcome == Same) && math.Abs(math.Abs(float64(f.Change.Mean))-f.Tolerance) > 1e-6 {
			t.Fatalf("change %v, tolerance %v: %s", f.Change.Mean, f.Tolerance, f.Outcome)
		}
		if same := compare(before, before); same.Outcome != Same {
			t.Fatalf("equal series: %s", same.Outcome)
		}
	})
}

// TestCheckHolm: a p that is small by itself may be chance among many.
func TestCheckHolm(t *testing.T) {
	tolerance := trial.Tolerance{Relative: 0.01}
	var before, after []trial.Series
	before = append(before, series("cost_usd", "", tolerance, 100, 100, 100, 100))
	after = append(after, series("cost_usd", "", tolerance, 104, 102, 107, 101))
	var alone CheckCase
	alone.Compare(before, after, noLine)
	if f := alone.Figures[0]; f.Outcome != Unproven && float64(f.Change.P) >= 0.05 {
		t.Fatalf("alone: %s, p %v", f.Outcome, f.Change.P)
	}
	for i := range 20 {
		m := fmt.Sprintf("classes.c%d.wait_s.p95", i)
		before = append(before, series(m, "c", tolerance, 5, 6, 7, 8))
		after = append(after, series(m, "c", tolerance, 5, 6, 7, 8))
	}
	var among CheckCase
	among.Compare(before, after, noLine)
	a, b := alone.Figures[0].Change, among.Figures[0].Change
	if a.P != b.P || b.PHolm <= a.PHolm {
		t.Errorf("p %v and %v, corrected %v and %v", a.P, b.P, a.PHolm, b.PHolm)
	}
}

// checked returns a check with one scenario of everything: kept, broken, worse,
// better, skipped.
func checked() *Check {
	cost, share := trial.Tolerance{Relative: 0.02}, trial.Tolerance{Absolute: 0.001}
	seeds := []uint64{1, 2, 3}
	promise := func(name string, kept bool, line int) CheckPromise {
		return CheckPromise{Verdict: sim.Verdict{Name: name, Want: "≥ 99 % within 30 s", Got: "99.2 %", Kept: kept}, Line: line, KeptOn: 2, Seeds: 3}
	}
	bad := &CheckCase{
		Scenario: "photo-week", File: "scenarios/photo-week.toml", Policy: "skynet@abcdef", Before: "skynet", Seed: 1, Seeds: seeds,
		Promises: []CheckPromise{promise("upload", false, 24), promise("jobs.lost", true, 90), {Verdict: sim.Verdict{Name: "launches by 2h", Want: "≥ 4", Got: "1"}, Line: 99}},
		Notes:    []string{"its former baseline could not be compared with"},
	}
	bad.Compare(
		[]trial.Series{series("cost_usd", "", cost, 700, 710, 720), series("classes.upload.sojourn_s.p95", "upload", cost, 12, 13, 14), series("classes.upload.attained", "upload", share, 0.997, 0.996, 0.995)},
		[]trial.Series{series("cost_usd", "", cost, 740, 750, 761), series("classes.upload.sojourn_s.p95", "upload", cost, 10, 11, 12.1), series("classes.upload.attained", "upload", share, 0.991, 0.990, 0.9892)},
		func(string) int { return 22 })
	good := &CheckCase{
		Scenario: "flash|crowd", File: "scenarios/flash|crowd.toml", Policy: "skynet", Before: "skynet", Seed: 7, Seeds: seeds, Identical: true,
		Promises: []CheckPromise{promise("up<load>", true, 3)}, Figures: []*CheckFigure{},
	}
	good.Compare([]trial.Series{series("cost_usd", "", cost, 1, 2, 3)}, []trial.Series{series("cost_usd", "", cost, 1, 2, 3)}, noLine)
	c := &Check{
		Version: "skynet v1", Command: "skynet check", Against: "baseline", Own: true, Runs: 6,
		Scenarios: []*CheckCase{good, bad, {Scenario: "recorded", File: "scenarios/recorded.toml", Skipped: "recording https://example.com/x.csv: the server says 404"}},
	}
	c.Conclude()
	return c
}

func TestCheckConclude(t *testing.T) {
	c := checked()
	if c.Good || c.Broken != 2 || c.Regressions != 2 || c.Improvements != 1 || c.Skipped != 1 {
		t.Errorf("good %t, broken %d, regressions %d, stale %d, skipped %d", c.Good, c.Broken, c.Regressions, c.Improvements, c.Skipped)
	}
	// What is better alone fails only when strict.
	for _, strict := range []bool{false, true} {
		better := &CheckCase{}
		better.Compare([]trial.Series{series("cost_usd", "", trial.Tolerance{}, 10, 11, 12)}, []trial.Series{series("cost_usd", "", trial.Tolerance{}, 5, 6, 7)}, noLine)
		c := &Check{Own: true, Strict: strict, Scenarios: []*CheckCase{better}}
		if c.Conclude(); c.Good == strict || better.mark() == markBroken != strict {
			t.Errorf("strict %t: good %t, %s", strict, c.Good, better.mark())
		}
	}
	// With a reason what regressed is accepted, and what is broken is not.
	c = checked()
	c.Reason = "cheaper disks"
	if c.Conclude(); c.Good {
		t.Error("a broken promise was accepted")
	}
	c.Scenarios = c.Scenarios[1:2]
	c.Scenarios[0].Promises = nil
	c.Broken, c.Regressions, c.Improvements, c.Skipped = 0, 0, 0, 0
	if c.Conclude(); !c.Good {
		t.Error("a regression was not accepted")
	}
}

func TestCheckText(t *testing.T) {
	var b strings.Builder
	if err := CheckText(&b, checked(), Options{Reproduce: "skynet check", Width: 140}); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(b.String(), "\u202f", " ")
	for _, want := range []string{
		"✓ flash|crowd         1 kept    $ 2.00    $ 2.00                      =                              identical\n",
		"✗ photo-week   2 of 3 broken  $ 750.33  $ 710.00  +5.7 %",
		"broken, 2 regressions, baseline stale\n",
		"· recorded ",
		"upload attained 99.60 % → 99.01 %, −0.59 pp ",
		"photo-week: policy skynet@abcdef (before: skynet), promises on seed 1, figures on seeds 1–3\n",
		"  ✗ scenarios/photo-week.toml:24: upload: 99.2 % (≥ 99 % within 30 s), kept on 2 of 3 seeds\n",
		"  ✗ scenarios/photo-week.toml:99: launches by 2h: 1 (≥ 4)\n",
		"  ✗ scenarios/photo-week.toml: cost $ 710.00 → $ 750.33, +5.7 %",
		"a regression, the tolerance is 2.0 %\n",
		"  · scenarios/photo-week.toml:22: upload p95 13.0 s → 11.0 s, −15.1 %",
		"baseline stale\n",
		"  · scenarios/recorded.toml: not run: recording https://example.com/x.csv: the server says 404\n",
		"3 scenarios, 4 promises, 6 runs: 2 broken promises, 2 regressions, 1 improvement, 1 scenario not run\n",
		`baselines become current with skynet check --update --reason "…"` + "\n",
		"reproduce: skynet check\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("there is no %q in\n%s", want, text)
		}
	}
}

// TestCheckJUnit: a case for each promise and figure, readable as XML.
func TestCheckJUnit(t *testing.T) {
	c := checked()
	c.Scenarios[1].Promises[0].Name = "up\x00<load>&\"]]>"
	var b bytes.Buffer
	if err := CheckJUnit(&b, c); err != nil {
		t.Fatal(err)
	}
	var got junitSuites
	if err := xml.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, &b)
	}
	var cases []string
	for _, s := range got.Suites {
		for _, k := range s.Cases {
			state := "ok"
			switch {
			case k.Failure != nil:
				state = k.Failure.Type
			case k.Skipped != nil:
				state = "skipped"
			}
			cases = append(cases, fmt.Sprintf("%s/%s:%d %s", k.Class, k.Name, k.Line, state))
		}
	}
	if diff := cmp.Diff([]string{
		"flash|crowd/up<load> ≥ 99 % within 30 s:3 ok", "flash|crowd/cost against before:0 ok",
		"photo-week/up <load>&\"]]> ≥ 99 % within 30 s:24 promise", "photo-week/jobs.lost ≥ 99 % within 30 s:90 ok", "photo-week/launches by 2h ≥ 4:99 promise",
		"photo-week/cost against before:0 regression", "photo-week/upload p95 against before:22 ok", "photo-week/upload attained against before:22 regression",
		"recorded/scenario:0 skipped",
	}, cases); diff != "" {
		t.Error(diff)
	}
	if got.Tests != 9 || got.Failures != 4 || got.Skipped != 1 {
		t.Errorf("%d tests, %d failures, %d skipped", got.Tests, got.Failures, got.Skipped)
	}
}

// TestCheckAnnotations: at most ten, the worst first, escaped.
func TestCheckAnnotations(t *testing.T) {
	place := func(file string) string { return "sub/" + file }
	annotate := func(c *Check) []string {
		var b strings.Builder
		if err := CheckAnnotations(&b, c, place); err != nil {
			t.Fatal(err)
		}
		return strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	}
	lines := annotate(checked())
	if len(lines) != 6 {
		t.Errorf("%d annotations:\n%s", len(lines), strings.Join(lines, "\n"))
	}
	want := "::error file=sub/scenarios/photo-week.toml,line=24,title=photo-week%3A promise broken::upload: 99.2 %25 (≥ 99 %25 within 30 s), kept on 2 of 3 seeds"
	if lines[0] != want {
		t.Errorf("%s\nwant %s", lines[0], want)
	}
	c := checked()
	for i := range 30 {
		c.Scenarios[1].Promises = append(c.Scenarios[1].Promises, CheckPromise{Verdict: sim.Verdict{Name: fmt.Sprintf("a\n::b %d", i)}})
	}
	lines = annotate(c)
	if len(lines) != 10 || lines[9] != "::error title=skynet check::27 more: see the job's summary" {
		t.Errorf("%d annotations:\n%s", len(lines), strings.Join(lines, "\n"))
	}
	for _, l := range lines {
		if !strings.HasPrefix(l, "::error ") {
			t.Errorf("a name broke out of its annotation: %q", l)
		}
	}
}

// TestCheckMarkdown: the marker first, money before latency, details folded.
func TestCheckMarkdown(t *testing.T) {
	var b strings.Builder
	marker := CheckMarker("scenarios --only 'x' -->")
	if err := CheckMarkdown(&b, checked(), marker); err != nil {
		t.Fatal(err)
	}
	text := strings.ReplaceAll(b.String(), "\u202f", " ")
	if !strings.HasPrefix(text, marker+"\n### ✗ skynet check\n") || strings.Count(marker, "-->") != 1 {
		t.Errorf("begins with %q", text[:80])
	}
	at := -1
	for _, want := range []string{
		"| scenario | cost before | cost after | change | promises | verdict |\n",
		"| ✗ photo-week | $ 710.00 | $ 750.33 | +5.7 %",
		`| ✓ flash\|crowd | $ 2.00 | $ 2.00 | = | 1 kept | identical |`,
		"- **photo-week**: ✗ upload: 99.2 %",
		"| scenario | class | p95 before | p95 after | change | in time before | after |\n",
		"| photo-week | upload | 13.0 s | 11.0 s |",
		"<details><summary>photo-week: policy skynet&#64;abcdef (before: skynet), seeds 1–3</summary>",
		"| ✓ up&lt;load&gt; |",
		"<sub>Compared with baseline",
	} {
		i := strings.Index(text, want)
		if i < 0 {
			t.Errorf("there is no %q in\n%s", want, text)
		} else if i < at {
			t.Errorf("%q comes too early", want)
		}
		at = max(at, i)
	}
}

// TestCheckMarkdownIsShort: below 60 kB whatever there is to say, and says what
// it leaves out.
func TestCheckMarkdownIsShort(t *testing.T) {
	c := checked()
	for i := range 500 {
		k := *c.Scenarios[1]
		k.Scenario = fmt.Sprintf("%s-%d", strings.Repeat("scenario", 30), i)
		k.Notes = []string{strings.Repeat("note ", 1000)}
		c.Scenarios = append(c.Scenarios, &k)
	}
	var b strings.Builder
	if err := CheckMarkdown(&b, c, CheckMarker("scenarios")); err != nil {
		t.Fatal(err)
	}
	if b.Len() >= 60_000 || b.Len() < 40_000 {
		t.Errorf("%d bytes", b.Len())
	}
	if !strings.Contains(b.String(), "lines left out for want of room") || !strings.HasSuffix(b.String(), "</sub>\n") {
		t.Errorf("ends with %q", b.String()[b.Len()-300:])
	}
	if strings.Count(b.String(), "<details>") != strings.Count(b.String(), "</details>") {
		t.Error("a fold is not closed")
	}
}
