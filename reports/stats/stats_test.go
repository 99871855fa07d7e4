package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/stat"
	"pgregory.net/rapid"
)

// Of intervals around the mean of normal cells, with effects of the seed and of
// the block, at least 93 % hold the truth, and where blocks are all that varies
// about 95 %.
func TestIntervalsCoverTheTruth(t *testing.T) {
	for _, c := range []struct {
		name          string
		seeds, blocks int
		seed, block   float64 // standard deviation of their effects; that of a cell is 1
		low, high     float64
	}{
		{"5 days, one seed", 1, 5, 0, 0, 0.93, 0.97},
		{"7 days, one seed", 1, 7, 0, 0, 0.93, 0.97},
		{"50 days, one seed", 1, 50, 0, 0, 0.93, 0.97},
		{"20 seeds of less than a day", 20, 1, 0, 0, 0.93, 0.97},
		{"days that recur with every seed", 5, 7, 0, 3, 0.92, 0.98},
		{"seeds that matter", 20, 7, 1, 0, 0.92, 1},
		{"neither matters", 5, 7, 0, 0, 0.93, 1},
		{"few days, many seeds", 20, 5, 0, 3, 0.93, 0.98},
		{"two seeds that hardly matter", 2, 16, 0, 3, 0.93, 0.98},
		{"both matter", 6, 6, 2, 2, 0.92, 1},
	} {
		r := rand.New(rand.NewPCG(1, 2))
		const tries = 1000
		held, zero := 0, 0
		for try := range tries {
			cells := make([][]float64, c.seeds)
			block := make([]float64, c.blocks)
			for b := range block {
				block[b] = c.block * r.NormFloat64()
			}
			total := 0.0
			for s := range cells {
				effect := c.seed * r.NormFloat64()
				for b := range c.blocks {
					x := effect + block[b] + r.NormFloat64()
					cells[s] = append(cells[s], x)
					total += x
				}
			}
			n := float64(c.seeds * c.blocks)
			d := NewDraws(c.seeds, c.blocks, 300, uint64(try))
			e := NewEstimate(total/n, d.Error(func(i int) float64 { return d.Sum(i, cells) / n }))
			if e.Lo <= 0 && 0 <= e.Hi {
				held++
			}
			if e.P >= 0.05 {
				zero++
			}
		}
		share := float64(held) / tries
		if share < c.low || share > c.high {
			t.Errorf("%s: %.3f of the intervals hold the truth, want %v to %v", c.name, share, c.low, c.high)
		}
		if held != zero {
			t.Errorf("%s: %d intervals hold 0, but p is 0.05 or more in %d", c.name, held, zero)
		}
	}
}

func TestDraws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seeds, blocks := rapid.IntRange(1, 6).Draw(t, "seeds"), rapid.IntRange(1, 9).Draw(t, "blocks")
		source := rapid.Uint64().Draw(t, "source")
		d, again := NewDraws(seeds, blocks, 20, source), NewDraws(seeds, blocks, 20, source)
		if seeds*blocks == 1 {
			if d.Len() != 0 {
				t.Fatal("one cell was resampled")
			}
			return
		}
		x := make([][]float64, seeds)
		for s := range x {
			x[s] = rapid.SliceOfN(rapid.Float64Range(-9, 9), blocks, blocks).Draw(t, "x")
		}
		e := d.Error(func(i int) float64 { return d.Sum(i, x) })
		least, most := float64(min(seeds, blocks)-1), float64(seeds+blocks-2)
		if least == 0 {
			least = most
		}
		if e.Size < 0 || e.Freedom < least-1e-9 || e.Freedom > most+1e-9 {
			t.Fatalf("%d seeds, %d blocks: error %+v", seeds, blocks, e)
		}
		if none := d.Error(func(int) float64 { return 3 }); none.Size != 0 || !(none.Freedom > 0) {
			t.Fatalf("of a constant: %+v", none)
		}
		for i := range d.Seed {
			if !slices.Equal(d.Seed[i], again.Seed[i]) || !slices.Equal(d.Block[i], again.Block[i]) {
				t.Fatal("the same source drew differently")
			}
			ones := make([][]float64, seeds)
			for s := range ones {
				ones[s] = slices.Repeat([]float64{1}, blocks)
			}
			if got := d.Sum(i, ones); got != float64(seeds*blocks) {
				t.Fatalf("a draw holds %v cells, want %d", got, seeds*blocks)
			}
		}
	})
}

// Degenerate cases: one unit has no interval; what does not vary is certain.
func TestEstimateOfLittle(t *testing.T) {
	if e := NewEstimate(3, NewDraws(1, 1, 9, 1).Error(nil)); !math.IsNaN(e.Lo) || !math.IsNaN(e.P) {
		t.Errorf("one unit gives %+v, want no interval", e)
	}
	if e := NewEstimate(3, Error{0, 4}); e.Lo != 3 || e.Hi != 3 || e.P != 0 {
		t.Errorf("no error gives %+v, want a certain 3", e)
	}
	if e := NewEstimate(0, Error{0, 4}); e.P != 1 {
		t.Errorf("no difference gives p = %v, want 1", e.P)
	}
}

func TestReduction(t *testing.T) {
	by := func(v ...float64) (table [][]float64) { // two days, the second far dearer under every policy
		for _, x := range v {
			table = append(table, []float64{x, 1000 + x})
		}
		return table
	}
	a := by(10, 20, 30, 40)
	if got := Reduction(a, by(11, 22, 31, 42)); got < 100 {
		t.Errorf("a difference that hardly varies: %v, want a large factor", got)
	}
	if got := Reduction(a, by(-10, -20, -30, -40)); got != 0.5 {
		t.Errorf("opposites: %v, want 0.5", got)
	}
	if got := Reduction(a, by(30, 10, 40, 20)); math.Abs(got-1) > 1e-12 {
		t.Errorf("what has nothing to do with each other: %v, want 1, whatever the days", got)
	}
	if got := Reduction(a, a); !math.IsNaN(got) {
		t.Errorf("the same: %v, want no value", got)
	}
	if got := Reduction(a[:1], by(11)); !math.IsNaN(got) {
		t.Errorf("of one seed: %v, want no value", got)
	}
}

// The example of Holm's paper in the form of R's p.adjust(method = "holm").
func TestHolm(t *testing.T) {
	got := Holm([]float64{0.01, 0.04, 0.03, math.NaN(), 0.005})
	want := []float64{0.03, 0.06, 0.06, math.NaN(), 0.02}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-12 || math.IsNaN(got[i]) != math.IsNaN(want[i]) {
			t.Errorf("got %v, want %v", got, want)
			break
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.SliceOfN(rapid.Float64Range(0, 1), 1, 12).Draw(t, "p")
		raised := Holm(p)
		for i := range p {
			if raised[i] < p[i] || raised[i] > 1 {
				t.Fatalf("%v became %v", p[i], raised[i])
			}
			for j := range p {
				if p[i] < p[j] && raised[i] > raised[j] {
					t.Fatalf("the order of %v and %v turned", p[i], p[j])
				}
			}
		}
		if least := slices.Min(p); slices.Min(raised) != math.Min(1, least*float64(len(p))) {
			t.Fatalf("the smallest of %v became %v", p, slices.Min(raised))
		}
		if len(p) == 1 && raised[0] != p[0] {
			t.Fatal("one comparison was corrected")
		}
	})
}

func TestRanks(t *testing.T) {
	if got := Ranks([]float64{3, 1, math.NaN(), 1, 2}); !slices.Equal(got, []float64{4, 1.5, 5, 1.5, 3}) {
		t.Errorf("got %v", got)
	}
}

// The critical values of Demšar's table 5(a): q of Nemenyi's test is the
// studentized range ÷ √2.
func TestNemenyi(t *testing.T) {
	for k, want := range map[int]float64{2: 1.960, 3: 2.343, 4: 2.569, 5: 2.728, 6: 2.850, 7: 2.949, 8: 3.031, 9: 3.102, 10: 3.164} {
		if got := studentizedRange(0.95, k) / math.Sqrt2; math.Abs(got-want) > 0.0015 {
			t.Errorf("%d policies: q = %.4f, want %.3f", k, got, want)
		}
	}
	// his example: 4 classifiers, 14 data sets, mean ranks 3.143, 2.000, 2.893,
	// 1.964; the critical difference is 1.25
	if cd := studentizedRange(0.95, 4) / math.Sqrt2 * math.Sqrt(4*5/(6*14.0)); math.Abs(cd-1.25) > 0.005 {
		t.Errorf("critical difference %.4f, want 1.25", cd)
	}
}

// Of few traces P is what tables of Friedman's test say (Hollander and Wolfe,
// "Nonparametric Statistical Methods"), and what can be counted by hand: two
// policies stand alike in three traces by chance once in four times.
func TestFriedmanOfFew(t *testing.T) {
	for _, c := range []struct {
		name  string
		table [][]float64
		want  float64
	}{
		{"two policies, three alike", [][]float64{{1, 2}, {1, 2}, {1, 2}}, 0.25},
		{"two policies, one tie", [][]float64{{1, 2}, {1, 1}, {1, 2}}, 0.5},
		{"three policies, three alike", [][]float64{{1, 2, 3}, {1, 2, 3}, {1, 2, 3}}, 1.0 / 36},
		{"three policies, 4.667", [][]float64{{1, 2, 3}, {1, 3, 2}, {1, 2, 3}}, 7.0 / 36},
		{"three policies, nothing between them", [][]float64{{1, 2, 3}, {2, 3, 1}, {3, 1, 2}}, 1},
		{"four policies, 7.4", [][]float64{{1, 2, 3, 4}, {1, 2, 3, 4}, {2, 1, 4, 3}}, 0.033},
		{"all alike", [][]float64{{1, 1, 1}, {2, 2, 2}, {3, 3, 3}}, 1},
		{"all alike, of many", slices.Repeat([][]float64{slices.Repeat([]float64{1}, 9)}, 9), 1},
	} {
		if got := Rank(c.table, nil).P; math.Abs(got-c.want) > 0.0006 {
			t.Errorf("%s: p = %.4f, want %.4f", c.name, got, c.want)
		}
	}
}

// Where policies are alike, p is 0.05 or less at most once in twenty times, or
// hardly more often where it is not counted.
func TestFriedmanOfChance(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, c := range []struct {
		traces, policies int
		most             float64
	}{{3, 2, 0.05}, {6, 2, 0.05}, {3, 3, 0.05}, {4, 9, 0.065}, {6, 38, 0.06}} {
		const tries = 1000
		found := 0
		for range tries {
			var table [][]float64
			for range c.traces {
				var row []float64
				for range c.policies {
					row = append(row, r.Float64())
				}
				table = append(table, Ranks(row))
			}
			if friedman(table) <= 0.05 {
				found++
			}
		}
		if share := float64(found) / tries; share > c.most+0.014 { // two errors of so many tries
			t.Errorf("%d traces, %d policies: %.4f of chance is called significant, want at most %v", c.traces, c.policies, share, c.most)
		}
	}
}

// Scenarios of one trace are one piece of evidence, however many there are.
func TestRankByTraces(t *testing.T) {
	table := [][]float64{{1, 2, 3}, {3, 2, 1}, {1, 3, 2}}
	want := Rank(table, nil)
	var more [][]float64
	var traces []string
	for i, row := range table {
		for range 3 - i {
			more, traces = append(more, row), append(traces, string(rune('a'+i)))
		}
	}
	if got := Rank(more, traces); !slices.Equal(got.Mean, want.Mean) || got.P != want.P || got.Critical != want.Critical || got.Traces != 3 {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := Rank(more, slices.Repeat([]string{"a"}, len(more))); !math.IsNaN(got.P) || got.Traces != 1 {
		t.Errorf("scenarios of one trace: %+v, want no test", got)
	}
}

// Ties make the sums of ranks few or many, by which traces come first. What is
// tested, and how, is the same in every order.
func TestRankInAnyOrder(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 60 {
		n, k := 6+r.IntN(5), 4+r.IntN(2)
		table := make([][]float64, n)
		for i := range table {
			values := 1 + r.IntN(4)
			for range k {
				table[i] = append(table[i], float64(r.IntN(values)))
			}
		}
		want := Rank(table, nil).P
		r.Shuffle(n, func(i, j int) { table[i], table[j] = table[j], table[i] })
		if got := Rank(table, nil).P; got != want {
			t.Fatalf("p = %v, in another order %v: %v", want, got, table)
		}
	}
}

func TestRankLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, k := rapid.IntRange(1, 8).Draw(t, "traces"), rapid.IntRange(1, 6).Draw(t, "policies")
		table := make([][]float64, n)
		for i := range table {
			for range k {
				table[i] = append(table[i], float64(rapid.IntRange(2, 9).Draw(t, "value")))
			}
			table[i][0] = 1
		}
		r := Rank(table, nil)
		sum := 0.0
		for _, m := range r.Mean {
			sum += m
		}
		if math.Abs(sum-float64(k*(k+1))/2) > 1e-9 || math.Abs(r.Mean[0]-1) > 1e-9 {
			t.Fatalf("mean ranks %v", r.Mean)
		}
		if n < 3 || k < 2 {
			if !math.IsNaN(r.P) || !math.IsNaN(r.Critical) {
				t.Fatal("too little was tested")
			}
			return
		}
		if r.P < 0 || r.P > 1 || !(r.Critical > 0) {
			t.Fatalf("p %v, critical difference %v", r.P, r.Critical)
		}
		turned := slices.Clone(table)
		slices.Reverse(turned)
		other := Rank(turned, nil)
		for j := range r.Mean {
			if math.Abs(r.Mean[j]-other.Mean[j]) > 1e-9 {
				t.Fatal("the order of traces matters")
			}
		}
	})
}

// What length and load explain is taken out, exactly; the rest has nothing of
// them.
func TestUnexplainedLaws(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seeds, blocks := rapid.IntRange(1, 4).Draw(t, "seeds"), rapid.IntRange(1, 6).Draw(t, "blocks")
		perLoad, perLength := rapid.Float64Range(1, 5).Draw(t, "per load"), rapid.Float64Range(-5, -1).Draw(t, "per length")
		// halves and tenths: of loads of a millionth, what is left is rounding
		whole := func(lo, hi int, by float64) *rapid.Generator[float64] {
			return rapid.Map(rapid.IntRange(lo, hi), func(n int) float64 { return float64(n) / by })
		}
		lengths := rapid.SliceOfN(whole(2, 48, 2), blocks, blocks).Draw(t, "lengths")
		var length, load, y, explained, both [][]float64
		for range seeds {
			ws := rapid.SliceOfN(whole(0, 1000, 10), blocks, blocks).Draw(t, "load")
			ys := rapid.SliceOfN(whole(-1000, 1000, 10), blocks, blocks).Draw(t, "y")
			var e, b []float64
			for i := range ws {
				e = append(e, perLength*lengths[i]+perLoad*ws[i])
				b = append(b, ys[i]+e[i])
			}
			length, load, y, explained, both = append(length, lengths), append(load, ws), append(y, ys), append(explained, e), append(both, b)
		}
		left := Unexplained(y, length, load)
		if left.Seeds > float64(seeds-1)+1e-9 || left.Blocks > float64(blocks-1)+1e-9 {
			t.Fatalf("%d seeds and %d blocks leave %v and %v degrees of freedom", seeds, blocks, left.Seeds, left.Blocks)
		}
		if seeds*blocks < 4 {
			if left.Seeds != float64(seeds-1) || left.Blocks != float64(blocks-1) || &left.Cells[0][0] != &y[0][0] {
				t.Fatal("two figures were fitted to three cells")
			}
			return
		}
		if !tells(left.Seeds, seeds) || !tells(left.Blocks, blocks) {
			t.Fatalf("too few degrees of freedom are left: %v and %v", left.Seeds, left.Blocks)
		}
		dot := func(l Left, t [][]float64) float64 {
			return floats.Dot(flat(l.Cells), flat(t)) / (1 + floats.Norm(flat(t), 2))
		}
		none := func(l Left) bool { return floats.Norm(flat(l.Cells), math.Inf(1)) < 1e-6 }
		// days that are nearly alike may be too few to explain by
		if none(Unexplained(explained, length, load)) {
			if math.Abs(dot(left, length)) > 1e-5 || math.Abs(dot(left, load)) > 1e-5 {
				t.Fatalf("residuals: %v with length, %v with load", dot(left, length), dot(left, load))
			}
			if of := Unexplained(both, length, load); floats.Distance(flat(of.Cells), flat(left.Cells), math.Inf(1)) > 1e-4 {
				t.Fatal("adding what is explained changes what is left")
			}
		}
		if blocks > 1 && slices.Max(lengths) < 2*slices.Min(lengths) && !none(Unexplained(length, length, load)) {
			t.Fatal("a fleet that never changes leaves something")
		}
	})
	length, load := [][]float64{{24, 18, 24, 12}}, [][]float64{{10, 50, 20, 90}}
	cost := [][]float64{{24 + 2*10, 18 + 2*50, 24 + 2*20, 12 + 2*90}}
	if left := floats.Norm(flat(Unexplained(cost, length, load).Cells), math.Inf(1)); left > 1e-6 {
		t.Errorf("of four days' costs that length and load explain, %v is left", left)
	}
}

// Seed and block effects of variance 1 leave sums whose squares are as many as
// there are degrees of freedom.
func TestUnexplainedFreedom(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	const seeds, blocks, tries = 4, 5, 4000
	length, load := make([][]float64, seeds), make([][]float64, seeds)
	for s := range seeds {
		ofSeed := 20 * r.NormFloat64()
		for b := range blocks {
			length[s] = append(length[s], 24-2*float64(b/4))
			load[s] = append(load[s], 100+ofSeed+30*float64(b)+5*r.NormFloat64())
		}
	}
	var left Left
	ofSeeds, ofBlocks := 0.0, 0.0
	for try := range 2 * tries {
		y := make([][]float64, seeds)
		effect := make([]float64, max(seeds, blocks))
		for i := range effect {
			effect[i] = r.NormFloat64()
		}
		for s := range seeds {
			for b := range blocks {
				i := s
				if try >= tries {
					i = b
				}
				y[s] = append(y[s], effect[i])
			}
		}
		left = Unexplained(y, length, load)
		bySeed, byBlock := make([]float64, seeds), make([]float64, blocks)
		for s, row := range left.Cells {
			for b, x := range row {
				bySeed[s] += x / blocks
				byBlock[b] += x / seeds
			}
		}
		if try < tries {
			ofSeeds += (seeds - 1) * stat.Variance(bySeed, nil) / tries
		} else {
			ofBlocks += (blocks - 1) * stat.Variance(byBlock, nil) / tries
		}
	}
	if math.Abs(ofSeeds-left.Seeds) > 0.1 || math.Abs(ofBlocks-left.Blocks) > 0.1 {
		t.Errorf("squares %.2f of seeds and %.2f of blocks, want %.2f and %.2f", ofSeeds, ofBlocks, left.Seeds, left.Blocks)
	}
}

// The interval of a total given the load holds the truth as often as it says,
// although days differ by far more than it is wide.
func TestIntervalsGivenTheLoad(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	const tries, blocks = 1500, 7
	held, width := 0, 0.0
	for try := range tries {
		x, y := make([]float64, blocks), make([]float64, blocks)
		truth, total := 0.0, 0.0
		for b := range x {
			x[b] = 100 + 50*r.NormFloat64()
			truth += 10 + 2*x[b]
			y[b] = 10 + 2*x[b] + r.NormFloat64()
			total += y[b]
		}
		d := NewDraws(1, blocks, 300, uint64(try))
		e := NewEstimate(total, d.SumError(Unexplained([][]float64{y}, [][]float64{slices.Repeat([]float64{24}, blocks)}, [][]float64{x})))
		if e.Lo <= truth && truth <= e.Hi {
			held++
		}
		width += e.Half() / tries
	}
	if share := float64(held) / tries; share < 0.93 || share > 0.97 {
		t.Errorf("%.3f of the intervals hold the truth, want 0.93 to 0.97", share)
	}
	if width > 10 { // the days alone would give ±250
		t.Errorf("the intervals are ±%.1f wide", width)
	}
}

// Few days or few seeds: the load must not explain what is chance between them,
// whether the trace is recorded, each seed having the same load, or drawn.
func TestIntervalsGivenTheLoadOfFew(t *testing.T) {
	for _, c := range []struct {
		name          string
		seeds, blocks int
		recorded      bool
		seed, block   float64 // standard deviation of their effects; that of a cell is 0.3
	}{
		{"2 recorded days, 20 seeds", 20, 2, true, 0, 1},
		{"2 recorded days, 2 seeds", 2, 2, true, 0, 1},
		{"3 recorded days, 5 seeds", 5, 3, true, 0, 1},
		{"4 recorded days, 2 seeds", 2, 4, true, 0, 1},
		{"2 days drawn by 5 seeds", 5, 2, false, 0, 1},
		{"3 days drawn by 20 seeds", 20, 3, false, 0, 1},
		{"one day drawn by 4 seeds", 4, 1, false, 1, 0},
		{"one day drawn by 5 seeds", 5, 1, false, 1, 0},
		{"4 days of one seed", 1, 4, false, 0, 1},
	} {
		r := rand.New(rand.NewPCG(7, 8))
		const tries = 1000
		held := 0
		for try := range tries {
			var y, length, load [][]float64
			common, ofBlock := make([]float64, c.blocks), make([]float64, c.blocks)
			for b := range common {
				common[b], ofBlock[b] = 100+30*r.NormFloat64(), c.block*r.NormFloat64()
			}
			truth, total := 0.0, 0.0
			for range c.seeds {
				ofSeed, drawn := c.seed*r.NormFloat64(), 10*r.NormFloat64()
				var ys, ls, ws []float64
				for b := range c.blocks {
					w := common[b]
					if !c.recorded {
						w += drawn + 5*r.NormFloat64()
					}
					ys, ls, ws = append(ys, 10+2*w+ofSeed+ofBlock[b]+0.3*r.NormFloat64()), append(ls, 24), append(ws, w)
					truth, total = truth+10+2*w, total+ys[b]
				}
				y, length, load = append(y, ys), append(length, ls), append(load, ws)
			}
			e := NewEstimate(total, NewDraws(c.seeds, c.blocks, 300, uint64(try)).SumError(Unexplained(y, length, load)))
			if e.Lo <= truth && truth <= e.Hi {
				held++
			}
		}
		if share := float64(held) / tries; share < 0.93 {
			t.Errorf("%s: %.3f of the intervals hold the truth, want 0.93", c.name, share)
		}
	}
}
