package reports

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/skynet-ec2/skynet/reports/chart"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/trial"
)

// pretend returns trials of a policy that costs factor × what the load of a day
// asks for, with noise of its own, and attains a share. The load is that of the
// seed, whoever decides.
func pretend(seeds, days int, factor, attained float64, own uint64) []*trial.Trial {
	var list []*trial.Trial
	for seed := range seeds {
		load := rand.New(rand.NewPCG(uint64(seed), 1))
		noise := rand.New(rand.NewPCG(uint64(seed), 2+own))
		t := &trial.Trial{Kept: attained >= 0.99, Judged: 24 * 3600e9 * 7, Rigid: &trial.Elasticity{UnderPct: 1, OverPct: 10 * factor, UnderTimePct: 5, OverTimePct: 90, UnstablePct: 50}}
		cost := 0.0
		for d := range days {
			work := 1e5 * (1 + float64(d%7)/5 + load.Float64()/10)
			day := sim.DayRow{
				LengthS: 86400, WorkCoreS: work, CostUSD: factor*work/1e3 + noise.NormFloat64()/10,
				Ready: 1e5, Busy: 8e4 / factor,
			}
			late := uint32(1000 * (1 - attained) * (0.9 + 0.2*load.Float64()))
			day.Classes = []sim.DayClass{{
				Judged: 1000, InTime: 1000 - int64(late),
				Times: sim.Times{First: 230, Counts: []uint32{500 - late, 400, 100, late}},
			}, {}}
			cost += day.CostUSD
			t.Days = append(t.Days, day)
		}
		slack, p95 := 1-0.8/factor, sim.TimesEdge(231)*factor
		t.Figures.Judged.CostUSD, t.Figures.CostUSD = cost, cost+1
		t.Figures.Slack.Mean = &slack
		t.Figures.Classes = map[string]*sim.ClassFigures{
			"upload": {On: "sojourn", TargetS: 30, Attain: 0.99, Attained: &attained, Sojourn: sim.TimeFigures{P95: &p95}},
			"rest":   {On: "sojourn", TargetS: 60, Attain: 0.9},
		}
		t.MissJobS = make([]trial.Miss, 2)
		t.LowerUSD = cost / factor
		if !t.Kept {
			t.Broken = []string{"upload"}
		}
		list = append(list, t)
	}
	return list
}

// contest of a policy that costs 1.2, one that costs 1.15 and one that is
// cheap and breaks its promise.
func contest(name string, seeds, days int) Contest {
	c := Contest{Scenario: name, Classes: []string{"upload", "rest"}}
	for s := range seeds {
		c.Seeds = append(c.Seeds, uint64(s+1))
	}
	for i, e := range []struct {
		name             string
		factor, attained float64
	}{{"skynet", 1.2, 0.995}, {"tuned", 1.15, 0.992}, {"static", 1, 0.9}} {
		c.Entries = append(c.Entries, Entry{Name: e.name, Label: e.name + "@3f9a1c", File: e.name + ".toml", Trials: pretend(seeds, days, e.factor, e.attained, uint64(i))})
	}
	return c
}

func tables(t *testing.T, c *Comparison) string {
	t.Helper()
	var b bytes.Buffer
	if err := Compare(&b, c, Options{}); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// A difference of 4 % is told from chance on the same weather, although days
// differ by more than twice; a policy that breaks its promise ranks last,
// however cheap.
func TestCompareTellsDifferences(t *testing.T) {
	var c Comparison
	c.Add(contest("week", 3, 7))
	skynet, tuned, static := c.Rows[0], c.Rows[1], c.Rows[2]
	if skynet.Against != nil {
		t.Error("the first policy is compared with itself")
	}
	got := tuned.Against.Cost
	if want := 1.15/1.2 - 1; math.Abs(float64(got.Mean)-want) > 0.002 || float64(got.Lo) > want || float64(got.Hi) < want || !(got.P < 0.001) {
		t.Errorf("tuned costs %+v more, want %.4f and sure of it", got, want)
	}
	if width := float64(got.Hi - got.Lo); width > 0.01 {
		t.Errorf("the interval is %v wide: days count as if they were chance", width)
	}
	if !(got.PHolm >= got.P) || !(tuned.Against.Reduction > 10) {
		t.Errorf("p %v, by Holm %v; variance reduced %v times", got.P, got.PHolm, tuned.Against.Reduction)
	}
	if skynet.Rank != 2 || tuned.Rank != 1 || static.Rank != 3 {
		t.Errorf("ranks %v, %v, %v; want 2, 1 and, for the broken promise, 3", skynet.Rank, tuned.Rank, static.Rank)
	}
	if math.Abs(float64(skynet.OverBound)-1.2) > 1e-9 || skynet.Kept != true || static.Kept || static.KeptRuns != 0 {
		t.Errorf("skynet ÷ bound %v, kept %v; static kept %v", skynet.OverBound, skynet.Kept, static.Kept)
	}
	if math.Abs(float64(static.Budget)-10) > 1e-9 || static.BudgetOf != "upload" {
		t.Errorf("static used %v of the budget of %s, want 10 times that of upload", static.Budget, static.BudgetOf)
	}
	if !(static.SpeedUp == 1) {
		t.Errorf("static is %v times as elastic as itself", static.SpeedUp)
	}
	if sum := skynet.Pairwise + tuned.Pairwise + static.Pairwise; math.Abs(float64(sum)-1.5) > 1e-9 {
		t.Errorf("pairwise scores sum to %v, want half of 3", sum)
	}
}

// The same trials give the same bytes, in every form.
func TestCompareRepeats(t *testing.T) {
	make := func() []string {
		c := &Comparison{Version: "v", Command: "skynet compare"}
		for i := range 3 {
			c.Add(contest(fmt.Sprint("week", i), 2, 7))
		}
		text, err := json.Marshal(c)
		if err != nil {
			t.Fatal(err)
		}
		var md, page bytes.Buffer
		if err := CompareMarkdown(&md, c, "Results"); err != nil {
			t.Fatal(err)
		}
		if err := c.pageTo(&page, "Results", c.plots()); err != nil {
			t.Fatal(err)
		}
		return []string{string(text), md.String(), page.String(), tables(t, c)}
	}
	first, second := make(), make()
	for i := range first {
		if first[i] != second[i] {
			t.Errorf("form %d differs from one time to the next", i)
		}
	}
}

// One seed of one day has no interval; nothing claims to know one.
func TestCompareOfOneDay(t *testing.T) {
	var c Comparison
	c.Add(contest("day", 1, 1))
	row := c.Rows[1]
	if !math.IsNaN(float64(row.CostUSD.Lo)) || !math.IsNaN(float64(row.Against.Cost.P)) {
		t.Errorf("cost %+v, difference %+v; want no interval", row.CostUSD, row.Against.Cost)
	}
	text, err := json.Marshal(&c)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(text, []byte(`"lo":null`)) {
		t.Errorf("%s has no null", text)
	}
	if out := tables(t, &c); !strings.Contains(out, "−4.1 % no interval") || strings.Contains(out, "NaN") {
		t.Errorf("got\n%s", out)
	}
}

// Runs that end on different days are compared over the days of all of them.
func TestCompareOfUnequalLengths(t *testing.T) {
	c := contest("week", 2, 7)
	last := c.Entries[1].Trials[0]
	last.Days = append(last.Days, sim.DayRow{LengthS: 60, CostUSD: 0.5, Classes: make([]sim.DayClass, 2)})
	var all Comparison
	all.Add(c)
	if all.Rows[0].Blocks != 7 || math.IsNaN(float64(all.Rows[1].CostUSD.Lo)) {
		t.Errorf("%d blocks, cost %+v; want 7 days", all.Rows[0].Blocks, all.Rows[1].CostUSD)
	}
	for i := range c.Entries {
		c.Entries[i].Trials[1].Days = nil // nothing was judged
	}
	all.Add(c)
	if row := all.Rows[3]; !math.IsNaN(float64(row.CostUSD.Lo)) {
		t.Errorf("cost %+v of no days, want no interval", row.CostUSD)
	}
}

func TestBlocks(t *testing.T) {
	days := func(hours ...float64) *trial.Trial {
		t := &trial.Trial{}
		for _, h := range hours {
			t.Days = append(t.Days, sim.DayRow{LengthS: h * 3600})
		}
		return t
	}
	for _, c := range []struct {
		hours []float64
		want  string
	}{
		{[]float64{24, 24, 24}, "[0 1 2] 3 day"},
		{[]float64{22, 24, 2}, "[0 1 1] 2 day"},
		{[]float64{2, 24, 24}, "[0 0 1] 2 day"},
		{[]float64{2, 1}, "[0 0] 1 day"},
		{[]float64{3}, "[0] 1 day"},
		{[]float64{24, 0.1}, "[0 0] 1 day"},
		{nil, "[] 0 day"},
	} {
		of, n, name := blocksOf(days(c.hours...), len(c.hours))
		if got := fmt.Sprint(of, " ", n, " ", name); got != c.want {
			t.Errorf("days of %v hours: %s, want %s", c.hours, got, c.want)
		}
	}
	of, n, name := blocksOf(days(make([]float64, 31)...), 31)
	if n != 4 || name != "week" || of[6] != 0 || of[7] != 1 || of[30] != 3 {
		t.Errorf("31 days: %v, %d of a %s; want 4 weeks, the last with 10 days", of, n, name)
	}
}

// What people read: two policies side by side, and a table of more.
func TestCompareText(t *testing.T) {
	c := contest("week", 3, 7)
	c.Entries = c.Entries[:2]
	var pair Comparison
	pair.Add(c)
	out := tables(t, &pair)
	for _, want := range []string{
		"week: n = 3 (seeds 1–3), intervals over 3 seeds × 7 days, floor $ 1",
		"✓ 3 of 3          ✓ 3 of 3\n", // no spaces at its end
		"judged cost", "−4.2 % ±0.", "p<0.001",
		"cost ÷ floor", "upload p95",
		"miss budget used               50 % (upload)     80 % (upload)",
		"the same weather makes the variance of the difference in cost ",
		"tuned: tuned@3f9a1c of tuned.toml\n",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	if strings.Contains(out, "rest") {
		t.Errorf("shows a class without jobs:\n%s", out)
	}
	var many Comparison
	for i := range 3 {
		many.Add(contest(fmt.Sprint("week", i), 3, 7))
	}
	out = tables(t, &many)
	for _, want := range []string{
		"against skynet", "−4.2 % ±", "✗ 0 of 3", "all scenarios", "Friedman p", "best other that kept all promises",
		"where both kept all promises skynet costs 1.043 (95 % interval 1.043 to 1.043, over 3 traces) of the best other",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("lacks %q:\n%s", want, out)
		}
	}
	if many.Ranking.Policies[1].MeanRank != 1 || many.Ranking.Policies[2].MeanRank != 3 {
		t.Errorf("ranking %+v", many.Ranking.Policies)
	}
}

// The report holds a plot of cost against p95, and a page that has everything.
func TestWriteCompare(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "report")
	c := &Comparison{}
	c.Add(contest("week", 3, 7))
	page, err := CompareReport(c, "A <title>").Write(dir)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"A &lt;title&gt;", "<svg", "static (promise broken)", "floor of work", "Fleets"} {
		if !bytes.Contains(text, []byte(want)) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if bytes.Contains(text, []byte("kept, and not beaten")) {
		t.Error("a front of one policy is in the legend, where no line can be")
	}
	for _, name := range []string{"5-cost-p95.svg", "5-cost-p95.png"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Size() < 1000 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Only who kept every promise is on the front, each cheaper than all that are
// faster.
func TestFront(t *testing.T) {
	b := &board{}
	for _, x := range []struct {
		p95, cost float64
		kept      bool
	}{{10, 5, true}, {20, 3, true}, {15, 6, true}, {5, 1, false}, {30, 3, true}, {2, 9, true}} {
		b.rows = append(b.rows, &CompareRow{
			Kept: x.kept, JudgedUSD: Range{Mean: Maybe(x.cost)},
			Classes: map[string]*CompareClass{"a": {P95S: Maybe(x.p95)}},
		})
	}
	s := b.front("a")
	if got := fmt.Sprint(s.X, s.Y); got != "[2 10 20] [9 5 3]" {
		t.Errorf("got %s", got)
	}
}

// An axis reaches to the ends of intervals, within reason: what goes on beyond is
// told.
func TestWiden(t *testing.T) {
	linear, logarithmic := chart.Axis{Max: 100}, chart.Axis{Scale: chart.Log, Min: 1, Max: 100}
	for _, c := range []struct {
		axis     chart.Axis
		ends     []span
		min, max float64
		beyond   bool
	}{
		{linear, nil, 0, 100, false},
		{linear, []span{{20, 100}}, 0, 100, false},
		{linear, []span{{-5, 120}, {0, 140}}, 0, 142, false},
		{linear, []span{{20, 120}, {0, 400}}, 0, 122, true},
		{linear, []span{{math.NaN(), math.NaN()}}, 0, 100, false},
		{chart.Axis{Min: 50, Max: 100}, []span{{40, 90}}, 39, 100, false},
		{chart.Axis{Min: 50, Max: 100}, []span{{10, 90}}, 50, 100, true},
		{chart.Axis{}, []span{{0, 400}}, 0, 0, false},
		{logarithmic, []span{{0.5, 200}}, 0.5 / 1.0965, 200 * 1.0965, false},
		{logarithmic, []span{{-1, 90}}, 1, 100, true},
		{logarithmic, []span{{2, 5000}}, 1, 100, true},
	} {
		a := c.axis
		if beyond := widen(&a, c.ends); math.Abs(a.Min-c.min) > 1e-3 || math.Abs(a.Max-c.max) > 0.1 || beyond != c.beyond {
			t.Errorf("from %v to %v, intervals %v: from %v to %v, beyond %v; want from %v to %v, %v",
				c.axis.Min, c.axis.Max, c.ends, a.Min, a.Max, beyond, c.min, c.max, c.beyond)
		}
	}
}

// A plot names six policies: the first, the front, then the cheapest that kept
// every promise; all others are grey.
func TestNamed(t *testing.T) {
	b := &board{Contest: Contest{Scenario: "week", Classes: []string{"a"}}}
	add := func(name string, p95, cost float64, kept bool) {
		attained := Maybe(1)
		b.rows = append(b.rows, &CompareRow{
			Name: name, Kept: kept, JudgedUSD: Range{Mean: Maybe(cost), Lo: Maybe(cost - 1), Hi: Maybe(cost + 1)}, LowerUSD: 1,
			Classes: map[string]*CompareClass{"a": {P95S: Maybe(p95), P95Lo: Maybe(p95), P95Hi: Maybe(p95), Attain: 0.9, Attained: attained, TargetS: 30}},
		})
	}
	add("first", 20, 50, false)
	add("slow", 25, 30, true)
	add("dear", 25, 90, true)
	add("cheap", 10, 10, true)
	add("fast", 5, 20, true)
	for i := range 4 {
		add(fmt.Sprint("broken", i), 30, float64(2+i), false)
	}
	var names []string
	for _, r := range b.named("a") {
		names = append(names, r.Name)
	}
	if got := strings.Join(names, " "); got != "first cheap fast slow dear broken0" {
		t.Errorf("named are %s", got)
	}
	var svg bytes.Buffer
	p := b.costAgainstP95()
	if err := p.figure.EmbedSVG(&svg); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(svg.String(), "3 others") || strings.Contains(svg.String(), "broken3") || len(p.table.rows) != 9 {
		t.Errorf("%d rows; want all 9, and three others in the plot", len(p.table.rows))
	}
}

func TestSpeedUpLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		draw := func(name string) *trial.Elasticity {
			e := &trial.Elasticity{}
			for _, x := range e.Figures() {
				*x = rapid.Float64Range(0.2, 90).Draw(t, name)
			}
			return e
		}
		e, baseline := draw("policy"), draw("baseline")
		if got := speedUp(baseline, baseline); math.Abs(got-1) > 1e-12 {
			t.Fatalf("the baseline speeds itself up %v times", got)
		}
		half := *e
		for _, x := range half.Figures() {
			*x /= 2
		}
		if a, b := speedUp(&half, baseline), speedUp(e, baseline); math.Abs(a-2*b) > 1e-9*a {
			t.Fatalf("half of all: %v, before %v", a, b)
		}
		if a, b := speedUp(e, baseline), speedUp(baseline, e); math.Abs(a*b-1) > 1e-9 {
			t.Fatalf("exchanged: %v and %v", a, b)
		}
	})
}

// The best of the others is one that a fleet could have and that kept all promises.
func TestBest(t *testing.T) {
	row := func(name string, cost float64, kept, clairvoyant bool) *CompareRow {
		return &CompareRow{Name: name, JudgedUSD: Range{Mean: Maybe(cost)}, OverBound: Maybe(cost), Kept: kept, Clairvoyant: clairvoyant}
	}
	b := &board{rows: []*CompareRow{
		row("first", 8, true, false), row("told", 3, true, true), row("broke", 4, false, false),
		row("dear", 12, true, false), row("cheap", 10, true, false),
	}}
	if got := b.best(); got.Rival != "cheap" || got.Ratio != 0.8 {
		t.Errorf("got %+v, want cheap at a ratio of 0.8", got)
	}
}

func TestPairwiseLaws(t *testing.T) {
	row := func(cost, theta float64) *CompareRow {
		return &CompareRow{
			JudgedUSD: Range{Mean: Maybe(cost)}, Budget: Maybe(cost),
			Rigid: &trial.Elasticity{UnderPct: theta, OverPct: theta, UnderTimePct: theta, OverTimePct: theta, UnstablePct: theta},
		}
	}
	b := &board{rows: []*CompareRow{row(1, 1), row(2, 2), row(3, 3)}}
	if got := []float64{b.pairwise(b.rows[0]), b.pairwise(b.rows[1]), b.pairwise(b.rows[2])}; fmt.Sprint(got) != "[1 0.5 0]" {
		t.Errorf("got %v, want 1, 0.5, 0", got)
	}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 6).Draw(t, "policies")
		b := &board{}
		for range n {
			b.rows = append(b.rows, row(float64(rapid.IntRange(1, 4).Draw(t, "cost")), float64(rapid.IntRange(1, 4).Draw(t, "theta"))))
		}
		sum := 0.0
		for _, r := range b.rows {
			sum += b.pairwise(r)
		}
		if math.Abs(sum-float64(n)/2) > 1e-9 {
			t.Fatalf("the scores of %d policies sum to %v", n, sum)
		}
	})
}

// Seeds that all are the same run are one run, not five: nothing tells what another
// day would be.
func TestCompareOfSeedsAlike(t *testing.T) {
	for _, days := range []int{1, 4} {
		of := contest("day", 5, days)
		for i := range of.Entries {
			e := &of.Entries[i]
			for s := range e.Trials {
				e.Trials[s] = e.Trials[0]
			}
			e.Trials[0].Figures.Digest = fmt.Sprint("run of ", e.Name)
		}
		one := contest("day", 1, days)
		for i := range one.Entries {
			one.Entries[i].Trials = of.Entries[i].Trials[:1]
		}
		var several, single Comparison
		several.Add(of)
		single.Add(one)
		got, want := several.Rows[1], single.Rows[1]
		near := func(x, y Range) bool { return fmt.Sprintf("%.9g", x) == fmt.Sprintf("%.9g", y) }
		if got.Runs != 5 || !near(got.Against.Cost.Range, want.Against.Cost.Range) || !near(got.JudgedUSD, want.JudgedUSD) || !near(got.Classes["upload"].attained(), want.Classes["upload"].attained()) {
			t.Errorf("%d days: five times the same: %+v, once: %+v", days, got.Against.Cost, want.Against.Cost)
		}
		if days == 1 && !math.IsNaN(float64(got.JudgedUSD.Lo)) {
			t.Errorf("one day, met five times: %+v", got.JudgedUSD)
		}
		if text := tables(t, &several); !strings.Contains(text, "every seed being the same run") {
			t.Errorf("that the seeds are alike is not said:\n%s", text)
		}
	}
}

// A policy compared with itself differs by exactly nothing, and shares its rank.
func TestCompareWithItself(t *testing.T) {
	of := contest("week", 3, 7)
	of.Entries = []Entry{of.Entries[0], of.Entries[0], of.Entries[1]}
	of.Entries[1].Name = "twin"
	var c Comparison
	c.Add(of)
	for _, x := range []Change{c.Rows[1].Against.Cost, c.Rows[1].Against.Slack, c.Rows[1].Against.Classes["upload"].Attained, c.Rows[1].Against.Classes["upload"].P95S} {
		if x.Mean != 0 || x.Lo != 0 || x.Hi != 0 || x.P != 1 || x.PHolm != 1 {
			t.Errorf("a policy differs from itself by %+v", x)
		}
	}
	if c.Rows[0].Rank != 2.5 || c.Rows[1].Rank != 2.5 || c.Rows[2].Rank != 1 {
		t.Errorf("ranks %v, %v, %v; want 2.5 twice and 1", c.Rows[0].Rank, c.Rows[1].Rank, c.Rows[2].Rank)
	}
}

// Where the first policy costs nothing, as one that keeps no instance, there is no
// relative difference; nothing else fails for it.
func TestCompareWithNothing(t *testing.T) {
	of := contest("week", 2, 3)
	for _, x := range of.Entries[0].Trials {
		x.Figures.CostUSD, x.Figures.Judged.CostUSD = 0, 0
		for d := range x.Days {
			x.Days[d].CostUSD, x.Days[d].Ready, x.Days[d].Busy = 0, 0, 0
		}
	}
	var c Comparison
	c.Add(of)
	c.Add(contest("other", 2, 3))
	if x := c.Rows[1].Against.Cost; !math.IsNaN(float64(x.Mean)) || !math.IsNaN(float64(x.P)) {
		t.Errorf("cheaper than nothing by %+v", x)
	}
	if _, err := json.Marshal(&c); err != nil {
		t.Error(err)
	}
	if text := tables(t, &c); strings.Contains(text, "NaN") || strings.Contains(text, "Inf") {
		t.Errorf("a table with what is no number:\n%s", text)
	}
	var md bytes.Buffer
	if err := CompareMarkdown(&md, &c, "Results"); err != nil || strings.Contains(md.String(), "NaN") || strings.Contains(md.String(), "Inf") {
		t.Errorf("Markdown with what is no number, %v:\n%s", err, md.String())
	}
}

// Where skynet stands beside the best of the others is as sure as the traces are
// many: scenarios of one trace do not make it surer.
func TestCompareBestRatio(t *testing.T) {
	var r CompareRanking
	r.ratio([]float64{0.8, 0.8, 0.9, 0.7}, []string{"a", "a", "b", "c"})
	// by hand: logarithms −0.22314, −0.10536, −0.35667 by trace, deviation 0.12572;
	// t with 2 degrees of freedom 4.30265; mean of the four −0.22708, in which the
	// traces weigh 1/2, 1/4 and 1/4
	half := 4.30265 * 0.12572 * math.Sqrt(1./4+1./16+1./16)
	if mean := -0.22708; math.Abs(float64(r.BestRatio)-math.Exp(mean)) > 1e-4 || math.Abs(float64(r.BestLo)-math.Exp(mean-half)) > 1e-3 || math.Abs(float64(r.BestHi)-math.Exp(mean+half)) > 1e-3 {
		t.Errorf("%v from %v to %v", r.BestRatio, r.BestLo, r.BestHi)
	}
	if text := r.saysBest("skynet"); !strings.Contains(text, "costs 0.797 (95 % interval 0.572 to 1.110, over 3 traces) of the best other") {
		t.Error(text)
	}
	r.ratio([]float64{0.8, 0.8, 0.9}, []string{"a", "a", "b"})
	if !math.IsNaN(float64(r.BestLo)) || math.IsNaN(float64(r.BestRatio)) || strings.Contains(r.saysBest("skynet"), "interval") {
		t.Errorf("two traces: %v from %v to %v", r.BestRatio, r.BestLo, r.BestHi)
	}
	if r.ratio(nil, nil); !math.IsNaN(float64(r.BestRatio)) {
		t.Errorf("of nothing: %v", r.BestRatio)
	}
}
