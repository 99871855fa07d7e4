package stats

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

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
	a := []float64{10, 20, 30, 40}
	if got := Reduction(a, []float64{11, 22, 31, 42}); got < 100 {
		t.Errorf("a difference that hardly varies: %v, want a large factor", got)
	}
	if got := Reduction(a, []float64{-10, -20, -30, -40}); got != 0.5 {
		t.Errorf("opposites: %v, want 0.5", got)
	}
	if got := Reduction(a, a); !math.IsNaN(got) {
		t.Errorf("the same: %v, want no value", got)
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
		r := Rank(table)
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
		other := Rank(turned)
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
		perLoad, perLength := rapid.Float64Range(-5, 5).Draw(t, "per load"), rapid.Float64Range(-5, 5).Draw(t, "per length")
		lengths := rapid.SliceOfN(rapid.Float64Range(1, 24), blocks, blocks).Draw(t, "lengths")
		var length, load, y, explained, both [][]float64
		for range seeds {
			ws := rapid.SliceOfN(rapid.Float64Range(0, 100), blocks, blocks).Draw(t, "load")
			ys := rapid.SliceOfN(rapid.Float64Range(-100, 100), blocks, blocks).Draw(t, "y")
			var e, b []float64
			for i := range ws {
				e = append(e, perLength*lengths[i]+perLoad*ws[i])
				b = append(b, ys[i]+e[i])
			}
			length, load, y, explained, both = append(length, lengths), append(load, ws), append(y, ys), append(explained, e), append(both, b)
		}
		left, lost := Unexplained(y, length, load)
		if seeds*blocks < 4 {
			if lost != 1 || &left[0][0] != &y[0][0] {
				t.Fatal("two figures were fitted to three cells")
			}
			return
		}
		ofExplained, _ := Unexplained(explained, length, load)
		ofBoth, _ := Unexplained(both, length, load)
		var withLength, withLoad float64
		for s := range left {
			for b := range left[s] {
				withLength += left[s][b] * length[s][b]
				withLoad += left[s][b] * load[s][b]
				if math.Abs(ofExplained[s][b]) > 1e-6 {
					t.Fatalf("what is explained leaves %v", ofExplained[s][b])
				}
				if math.Abs(ofBoth[s][b]-left[s][b]) > 1e-4 {
					t.Fatal("adding what is explained changes what is left")
				}
			}
		}
		if math.Abs(withLength) > 1e-5 || math.Abs(withLoad) > 1e-4 {
			t.Fatalf("residuals: %v with length, %v with load", withLength, withLoad)
		}
	})
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
		left, lost := Unexplained([][]float64{y}, [][]float64{slices.Repeat([]float64{24}, blocks)}, [][]float64{x})
		e := NewEstimate(total, d.Error(func(i int) float64 { return d.Sum(i, left) }).Times(lost))
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
