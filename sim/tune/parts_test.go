package tune

import (
	"context"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/skynet-ec2/skynet/policy"
)

func near(a, b, tolerance float64) bool {
	return math.Abs(a-b) <= tolerance*math.Max(math.Abs(a), math.Abs(b))
}

// Means 1, 2 and 3 with deviations 1, 1 and 2. δ is 1 and 2, so both rivals want
// (σ/δ)² = 1, and the best σ_b √(1²/1² + 1²/2²) = √1.25.
func TestAllocateByHand(t *testing.T) {
	shares := ocbaShares([]float64{1, 2, 3}, []float64{1, 1, 2})
	sum := 2 + math.Sqrt(1.25)
	for i, want := range []float64{math.Sqrt(1.25) / sum, 1 / sum, 1 / sum} {
		if !near(shares[i], want, 1e-12) {
			t.Errorf("share %d is %v, want %v", i, shares[i], want)
		}
	}
	got := allocate([]float64{1, 2, 3}, []float64{1, 1, 2}, []int{10, 10, 10}, 970)
	if want := []int{358, 321, 321}; !slices.Equal(got, want) { // 1000 × 0.3586, 0.3207, 0.3207
		t.Errorf("1000 runs as %v, want %v", got, want)
	}
}

func TestAllocateLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := rapid.IntRange(1, 9).Draw(t, "k")
		means := rapid.SliceOfN(rapid.Float64Range(-10, 10), k, k).Draw(t, "means")
		deviations := rapid.SliceOfN(rapid.Float64Range(0, 5), k, k).Draw(t, "deviations")
		spent := rapid.SliceOfN(rapid.IntRange(0, 20), k, k).Draw(t, "spent")
		n := rapid.IntRange(0, 60).Draw(t, "n")
		got := allocate(means, deviations, spent, n)
		sum, before := 0, 0
		for i := range got {
			if got[i] < spent[i] {
				t.Fatalf("candidate %d had %d runs and is given %d", i, spent[i], got[i])
			}
			sum += got[i]
			before += spent[i]
		}
		if sum != before+n {
			t.Fatalf("%d runs given, want %d", sum, before+n)
		}
		shares, total := ocbaShares(means, deviations), 0.0
		for _, s := range shares {
			if !(s >= 0) {
				t.Fatalf("shares %v", shares)
			}
			total += s
		}
		if !near(total, 1, 1e-9) {
			t.Fatalf("shares %v sum to %v", shares, total)
		}
	})
}

func TestSpace(t *testing.T) {
	space, err := NewSpace(&bowl, policy.Values{"limit": 60.0}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if want := []string{"x", "y", "n", "c", "inert"}; !slices.Equal(space.Names(), want) {
		t.Errorf("searches %v, want %v: what is fixed never moves", space.Names(), want)
	}
	rapid.Check(t, func(t *rapid.T) {
		point := rapid.SliceOfN(rapid.Float64Range(-3, 3), space.Dim(), space.Dim()).Draw(t, "point")
		v := space.At(point)
		if _, problems := bowl.Check(space.RawOf(v)); len(problems) > 0 {
			t.Fatalf("%v: %v", point, problems)
		}
		if v["limit"] != 60.0 {
			t.Fatalf("limit = %v", v["limit"])
		}
		again := space.At(space.Point(v))
		for _, name := range []string{"x", "y", "n", "inert"} {
			// a step of rounding may be lost on the way through the cube
			if a, b := v[name].(float64), again[name].(float64); !near(a, b, 2e-3) && math.Abs(a-b) > 1.001e9 {
				t.Fatalf("%s = %v, through the cube %v", name, a, b)
			}
		}
		if v["c"] != again["c"] {
			t.Fatalf("c = %v, through the cube %v", v["c"], again["c"])
		}
	})
	if _, err := NewSpace(&bowl, nil, []string{"x", "y", "x"}); err == nil || err.Error() != `parameter "x" is named twice` {
		t.Errorf("x twice: error %v", err)
	}
	for _, c := range []struct{ only, want string }{
		{"inrt", `policy bowl has no parameter "inrt" (did you mean "inert"?); those that are searched: x, y, n, c, inert`},
		{"limit", `parameter "limit" of policy bowl is fixed: it is not searched`},
	} {
		if _, err := NewSpace(&bowl, nil, []string{c.only}); err == nil || err.Error() != c.want {
			t.Errorf("%s: error %v, want %s", c.only, err, c.want)
		}
	}
}

func TestLogScale(t *testing.T) {
	y := bowl.Param("y") // 1 s to 1 h
	for u, want := range map[float64]time.Duration{0: time.Second, 0.5: time.Minute, 1: time.Hour} {
		if got := time.Duration(valueAt(y, u).(float64)); got != want {
			t.Errorf("at %v: %v, want %v", u, got, want)
		}
	}
	zero := policy.Param{Name: "z", Kind: policy.Number, Min: 0, Max: 100, Log: true}
	if got := valueAt(&zero, 0).(float64); got != 0.01 {
		t.Errorf("a logarithmic parameter from 0 begins at %v, want 0.01", got)
	}
}

// Halton points fill boxes around the center evenly.
func TestHalton(t *testing.T) {
	center := []float64{0.5, 0.5, 0.5}
	const n = 600
	points := haltonAround(center, n, 1)
	for k, width := range boxes {
		var counts [3][4]int
		for i := k * n / len(boxes); i < (k+1)*n/len(boxes); i++ {
			for j, x := range points[i] {
				at := (x-0.5)/width + 0.5
				if at < 0 || at > 1 {
					t.Fatalf("point %d: %v lies outside its box of width %v", i, points[i], width)
				}
				counts[j][min(int(4*at), 3)]++
			}
		}
		for j := range counts {
			for q, c := range counts[j] {
				if c < 40 || c > 60 {
					t.Errorf("box of width %v, coordinate %d: %d of 200 points in quarter %d, want about 50", width, j, c, q)
				}
			}
		}
	}
	if a, b := haltonAround(center, 5, 1), haltonAround(center, 5, 1); !slices.Equal(a[4], b[4]) {
		t.Error("the same seed gives other points")
	}
}

func TestHalvingBudget(t *testing.T) {
	// 9 points on 1 week, 3 on a second, 1 on two more: 9 + 3 + 2.
	if got := halvingRuns(9, 4); got != 14 {
		t.Errorf("halving 9 points takes %d runs, want 14", got)
	}
	for runs := range 200 {
		for weeks := 1; weeks <= 8; weeks++ {
			n := halvingStart(runs, weeks)
			if halvingRuns(n, weeks) > runs || halvingRuns(n+1, weeks) <= runs {
				t.Fatalf("%d points for %d runs on %d weeks take %d", n, runs, weeks, halvingRuns(n, weeks))
			}
		}
	}
}

// The best third after each rung goes on, and the best point of all gets to the
// end.
func TestHalvingKeepsTheBest(t *testing.T) {
	w := &world{shared: 0.3}
	tn := newTuning(bowlConfig(w, 500, 1, 2))
	if err := tn.evaluate(t.Context(), grid([]int{0}, tn.search)); err != nil {
		t.Fatal(err)
	}
	tried, err := tn.halve(t.Context(), []int{0}, tn.search, 100, 1)
	if err != nil {
		t.Fatal(err)
	}
	most, best, cheapest := 0, 0, math.Inf(1)
	for _, c := range tried[1:] {
		m, err := (&world{}).evaluate(context.Background(), tn.entries[c].raw, &Fold{})
		if err != nil {
			t.Fatal(err)
		}
		if r := m.Ratio(); r < cheapest {
			best, cheapest = c, r
		}
		most = max(most, len(tn.entries[c].weeks))
	}
	if got := len(tn.entries[best].weeks); got != most || most < 4 {
		t.Errorf("the best of %d points met %d weeks, the most any met is %d: want the most, at least 4", len(tried), got, most)
	}
	if tn.spent > len(tn.search)+100 {
		t.Errorf("%d runs, want at most %d", tn.spent, len(tn.search)+100)
	}
}

// CMA-ES finds the bottom of a tilted bowl, hands over whole generations, and
// ends when its caller fails.
func TestEvolve(t *testing.T) {
	bottom := []float64{0.3, 0.8, 0.55, 0.4}
	cost := func(x []float64) float64 {
		sum := 0.0
		for i := range x {
			d := x[i] - bottom[i]
			sum += float64(i+1) * d * d
		}
		return sum + 3*(x[0]-bottom[0])*(x[0]-bottom[0]+x[1]-bottom[1])
	}
	run := func(seed uint64) ([]float64, float64) {
		var best []float64
		least := math.Inf(1)
		err := evolve(t.Context(), []float64{0.5, 0.5, 0.5, 0.5}, stepStart, 60, seed, 0, func(_ context.Context, _ int, points [][]float64) ([]float64, error) {
			if len(points) != population(4) {
				t.Fatalf("a generation of %d, want %d", len(points), population(4))
			}
			scores := make([]float64, len(points))
			for i, x := range points {
				scores[i] = cost(x)
				if scores[i] < least {
					least, best = scores[i], x
				}
			}
			return scores, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return best, least
	}
	best, least := run(1)
	if least > 1e-3 {
		t.Errorf("found %v at %v, want %v at 0", best, least, bottom)
	}
	if again, _ := run(1); !slices.Equal(best, again) {
		t.Errorf("the same seed found %v and %v", best, again)
	}
	generations := 0
	err := evolve(t.Context(), bottom, stepStart, 10, 1, 0, func(_ context.Context, g int, points [][]float64) ([]float64, error) {
		generations++
		if g == 2 {
			return nil, errStopped
		}
		return make([]float64, len(points)), nil
	})
	if err != errStopped || generations != 3 {
		t.Errorf("error %v after %d generations, want the caller's after 3", err, generations)
	}
}

func TestPopulation(t *testing.T) {
	for d, want := range map[int]int{1: 4, 2: 6, 8: 10, 16: 12, 20: 12} {
		if got := population(d); got != want {
			t.Errorf("population(%d) = %d, want %d", d, got, want)
		}
	}
}

func TestScoreIsAsymmetric(t *testing.T) {
	m := Metrics{CostUSD: 130, FloorUSD: 100}
	with := func(margin float64) float64 {
		m.Promises = []Promise{{Margin: margin}}
		return m.Score()
	}
	for margin, want := range map[float64]float64{0: 1.3, 0.5: 1.3, 5: 1.3, -0.01: 1.4, -0.5: 6.3, -1000: 101.3} {
		if got := with(margin); !near(got, want, 1e-12) {
			t.Errorf("a promise with margin %v: score %v, want %v", margin, got, want)
		}
	}
}

func TestRiskAndFront(t *testing.T) {
	summary := func(ratio, latency, slack float64, margins ...float64) Summary {
		e := &entry{weeks: map[int][]*Metrics{}}
		a := &archive{entries: []*entry{e}}
		var weeks []int
		for i, m := range margins {
			a.weeks = append(a.weeks, Week{{Seed: uint64(i)}})
			p95 := latency
			e.weeks[i] = []*Metrics{{
				CostUSD: ratio, FloorUSD: 1, P95S: &p95, TargetS: 1, Slack: &slack,
				Promises: []Promise{{Name: "p", Margin: m, Kept: m >= 0}},
			}}
			weeks = append(weeks, i)
		}
		return a.summarize(0, weeks)
	}
	for _, c := range []struct {
		margins []float64
		risk    Risk
		keeps   bool
	}{
		{[]float64{0.5, 0.5, 0.5}, RiskLow, true},
		{[]float64{0.5, 0.55, 0.45}, RiskLow, true},
		{[]float64{0.5, 0.75, 0.4}, RiskTight, true}, // three weeks know their deviation badly: two more and it would be low
		{[]float64{0.5, 0.75, 0.4, 0.5, 0.6}, RiskLow, true},
		{[]float64{0.9}, RiskTight, true},    // one week tells nothing of others
		{[]float64{0.0, 0.0}, RiskLow, true}, // jobs.lost ≤ 0: nothing left, and nothing moves
		{[]float64{0.5, 0.05, 0.02}, RiskTight, true},
		{[]float64{0.5, 0.5, -0.1}, RiskBroken, true},
		{[]float64{0.1, -0.5}, RiskBroken, false},
	} {
		if s := summary(1, 1, 0.2, c.margins...); s.Risk != c.risk || s.Keeps() != c.keeps {
			t.Errorf("margins %v: %v and keeps %v, want %v and %v", c.margins, s.Risk, s.Keeps(), c.risk, c.keeps)
		}
	}
	sums := []Summary{
		summary(1.0, 0.9, 0.2, 1), // cheapest
		summary(1.1, 0.5, 0.2, 1), // faster
		summary(1.1, 0.9, 0.3, 1), // more in reserve
		summary(1.2, 0.6, 0.2, 1), // dominated by the second
		summary(0.8, 0.1, 0.5, -1),
	}
	if got := front(sums); !slices.Equal(got, []int{0, 1, 2}) {
		t.Errorf("front %v, want the first three: the last breaks its promise", got)
	}
}

// The recommended is the least aggressive within one standard error, by the weeks
// that candidates have both met.
func TestChoose(t *testing.T) {
	a := bowlArchive(t)
	type row struct {
		x      float64   // its place; the defaults' is 0.2
		ratios []float64 // by week, from the first
		margin float64
	}
	weeks := []int{0, 1, 2, 3, 4, 5}
	choose := func(rows ...row) chosen {
		var candidates []int
		var sums []Summary
		for _, r := range rows {
			c := a.add(policy.Values{"x": r.x})
			e := a.entries[c]
			e.weeks = map[int][]*Metrics{}
			for i, x := range r.ratios {
				m := r.margin * []float64{1, 0.9, 1.1}[i%3]
				p95 := 2 - r.x // the further out the faster
				e.weeks[i] = []*Metrics{{CostUSD: x, FloorUSD: 1, P95S: &p95, TargetS: 1, Promises: []Promise{{Name: "p", Margin: m, Kept: m >= 0}}}}
			}
			candidates = append(candidates, c)
			sums = append(sums, a.summarize(c, weeks))
		}
		pick, _ := a.choose(candidates, sums, weeks)
		return pick
	}
	const low, broken = 0.5, -1
	cheap := []float64{1, 1.02, 1.04}
	at := func(x float64) int { return a.add(policy.Values{"x": x}) }
	for _, c := range []struct {
		why                   string
		rows                  []row
		cheapest, recommended float64
	}{
		{"the cheapest, where nothing is near", []row{{0.9, cheap, low}, {0.5, []float64{1.02, 1.04, 1.06}, low}}, 0.9, 0.9},
		// it is dearer by 0.03, -0.02 and 0.01: 0.0067 with an error of 0.0145
		{"nearer to the defaults, within an error", []row{{0.9, cheap, low}, {0.3, []float64{1.03, 1, 1.05}, low}}, 0.9, 0.3},
		{"the nearest to the defaults", []row{{0.9, cheap, low}, {0.6, []float64{1.03, 1, 1.05}, low}, {0.3, []float64{1.03, 1.0, 1.05}, low}}, 0.9, 0.3},
		{"not what breaks its promise", []row{{0.9, cheap, low}, {0.3, []float64{0.5, 0.5, 0.5}, broken}}, 0.9, 0.9},
		// weeks differ by far more than the candidates do in any of them
		{"the weather is no error", []row{{0.9, []float64{1, 2, 3}, low}, {0.3, []float64{1.05, 2.05, 3.05}, low}}, 0.9, 0.9},
		{"easy weeks are no merit", []row{{0.3, []float64{1.1, 1.1, 1.1}, low}, {0.9, []float64{1, 1, 1, 2, 2, 2}, low}}, 0.9, 0.9},
		{"hard weeks are no fault", []row{{0.9, []float64{1.1, 1.1}, low}, {0.3, []float64{1, 1, 1, 2, 2, 2}, low}}, 0.3, 0.3},
	} {
		got := choose(c.rows...)
		if got.cheapest != at(c.cheapest) || got.recommended != at(c.recommended) {
			t.Errorf("%s: cheapest is candidate %d, recommended %d; want x = %v and %v", c.why, got.cheapest, got.recommended, c.cheapest, c.recommended)
		}
	}
	// The fastest is at most a quarter dearer, in the weeks that both have met.
	got := choose(row{0.5, []float64{1, 1, 1, 3, 3}, low}, row{0.8, []float64{1.2, 1.2, 1.2}, low}, row{0.9, []float64{1.3, 1.3, 1.3}, low})
	if got.fastest != at(0.8) {
		t.Errorf("the fastest is candidate %d, want x = 0.8", got.fastest)
	}
}

// Finalists are compared on the weeks of the choice, unless one has hardly met any;
// for a plot, on those that all of them have met.
func TestDeciding(t *testing.T) {
	tune := newTuning(bowlConfig(&world{}, 100, 2, 3))
	c := tune.add(policy.Values{"x": 0.7})
	meet := func(c int, ratio float64, weeks ...int) {
		for _, w := range weeks {
			tune.entries[c].weeks[w] = []*Metrics{{CostUSD: ratio + float64(w), FloorUSD: 1}}
		}
	}
	meet(0, 1, 0, 1, tune.choice[0], tune.choice[1])
	meet(c, 1.5, 0, tune.choice[0])
	all := slices.Concat(tune.search, tune.choice)
	if got := tune.deciding([]int{0, c}); !slices.Equal(got, all) {
		t.Errorf("with one week of the choice they are compared on weeks %v, want all %v", got, all)
	}
	meet(c, 1.5, tune.choice[1])
	if got := tune.deciding([]int{0, c}); !slices.Equal(got, tune.choice) {
		t.Errorf("they are compared on weeks %v, want those of the choice, %v", got, tune.choice)
	}
	sums := []Summary{tune.summarize(0, all), tune.summarize(c, all)}
	level := tune.level([]int{0, c}, sums, all)
	if d := level[1].Ratio.Mean() - level[0].Ratio.Mean(); math.Abs(d-0.5) > 1e-12 || level[0].N != 3 {
		t.Errorf("side by side they differ by %v over %d weeks, want 0.5 over 3", d, level[0].N)
	}
}

func bowlArchive(t *testing.T) *archive {
	t.Helper()
	return newTuning(bowlConfig(&world{}, 100, 1, 1)).archive
}

// A budget of 500 affords an ablation of the sixteen parameters of skynet, the
// least budget does not; no part is left without runs.
func TestShares(t *testing.T) {
	if s := SharesOf(500, 1); s != (Shares{300, 100, 100}) || !s.simplifies(16) {
		t.Errorf("500 runs are spent as %+v, ablation %v", s, s.simplifies(16))
	}
	for scenarios := 1; scenarios < 5; scenarios++ {
		for budget := BudgetMin(scenarios); budget < 2000; budget++ {
			s := SharesOf(budget, scenarios)
			a, b, c := s.WeeksOf()
			if s.Search < 1 || s.Select < 1 || s.Judge < 1 || (s.Search+s.Select+s.Judge)*scenarios > budget || a < 2 || b < 1 || c < 2 {
				t.Fatalf("%d runs of %d scenarios are spent as %+v on %d, %d and %d weeks", budget, scenarios, s, a, b, c)
			}
		}
	}
	if SharesOf(BudgetMin(1), 1).simplifies(16) {
		t.Error("the least budget affords an ablation")
	}
}
