package stats

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
)

// Draws are resamples of a table of seeds and blocks: some draw seeds with
// replacement and take every block, the others draw blocks and take every seed.
// So it is known how much of a figure's error comes from either, and a day that
// recurs with every seed counts as one day, not as one of many.
//
// Properties:
//   - the same seeds, blocks, number and source give the same draws
//   - every draw holds as many seeds and as many blocks as the table
//   - a table of one seed and one block has no draws: nothing varies
type Draws struct {
	Seeds, Blocks int
	// Seed and Block say by draw how often each was drawn. The first OfSeeds
	// draws resample seeds, the others blocks.
	Seed, Block [][]float64
	OfSeeds     int
}

// NewDraws returns n resamples of a table's seeds and n of its blocks, or none
// of what there is but one of, drawn from source.
func NewDraws(seeds, blocks, n int, source uint64) *Draws {
	d := &Draws{Seeds: seeds, Blocks: blocks}
	r := rand.New(rand.NewPCG(source, 0x626c6f636b73))
	draw := func(n int) []float64 {
		times := make([]float64, n)
		for range n {
			times[r.IntN(n)]++
		}
		return times
	}
	every := func(n int) []float64 { return slices.Repeat([]float64{1}, n) }
	if seeds > 1 {
		for range n {
			d.Seed, d.Block = append(d.Seed, draw(seeds)), append(d.Block, every(blocks))
		}
		d.OfSeeds = n
	}
	if blocks > 1 {
		for range n {
			d.Seed, d.Block = append(d.Seed, every(seeds)), append(d.Block, draw(blocks))
		}
	}
	return d
}

// Len is the number of draws.
func (d *Draws) Len() int { return len(d.Seed) }

// Sum returns for draw i the total of a table, given by seed and block.
func (d *Draws) Sum(i int, cells [][]float64) float64 {
	total := 0.0
	for s, row := range cells {
		if d.Seed[i][s] == 0 {
			continue
		}
		sum := 0.0
		for b, x := range row {
			sum += d.Block[i][b] * x
		}
		total += d.Seed[i][s] * sum
	}
	return total
}

// Error is the standard error of a figure with its degrees of freedom. The zero
// Error is that of a figure of which nothing is known.
type Error struct{ Size, Freedom float64 }

// Times returns the error of a figure in another unit.
func (e Error) Times(factor float64) Error { return Error{e.Size * math.Abs(factor), e.Freedom} }

// Error returns the standard error of a statistic, given its value for every
// draw. Of S seeds and B blocks, with variances v and w over the draws of
// either, it is the root of v S/(S−1) + w B/(B−1), since a bootstrap of few
// finds too little; its degrees of freedom are Satterthwaite's. Where too many
// draws have no value, nothing is known.
//
// Properties:
//   - it is 0 where nothing varies
//   - the degrees of freedom lie between those of the dimension that varies
//     alone, S−1 or B−1, and their sum
func (d *Draws) Error(statistic func(draw int) float64) Error {
	return d.errorWith(statistic, float64(d.Seeds-1), float64(d.Blocks-1))
}

// SumError returns the standard error of the total of what lengths and loads
// leave of cells. It is Error's, but that S−1 and B−1 are less by what was
// fitted to them.
func (d *Draws) SumError(l Left) Error {
	return d.errorWith(func(draw int) float64 { return d.Sum(draw, l.Cells) }, l.Seeds, l.Blocks)
}

// errorWith is Error with n and m degrees of freedom of seeds and blocks.
func (d *Draws) errorWith(statistic func(draw int) float64, n, m float64) Error {
	values := make([]float64, d.Len())
	for i := range values {
		values[i] = statistic(i)
	}
	v, w := variance(values[:d.OfSeeds]), variance(values[d.OfSeeds:])
	switch {
	case d.Len() == 0:
		return Error{}
	case d.OfSeeds == 0:
		v, n = 0, 1
	case d.OfSeeds == d.Len():
		w, m = 0, 1
	}
	v, w = v*float64(d.Seeds)/n, w*float64(d.Blocks)/m
	if math.IsNaN(v) || math.IsNaN(w) {
		return Error{}
	}
	total := v + w
	if total == 0 {
		return Error{Freedom: float64(max(d.Seeds, d.Blocks) - 1)}
	}
	return Error{math.Sqrt(total), total * total / (v*v/n + w*w/m)}
}

// variance of the values that are numbers. Fewer than nine in ten of them are
// not enough to tell.
func variance(values []float64) float64 {
	kept := values[:0:0]
	for _, v := range values {
		if !math.IsNaN(v) && !math.IsInf(v, 0) {
			kept = append(kept, v)
		}
	}
	if len(kept) < 2 || len(kept)*10 < len(values)*9 {
		return math.NaN()
	}
	return stat.Variance(kept, nil)
}

// Estimate is a figure with its 95 % interval.
type Estimate struct {
	Value float64
	// Lo and Hi bound the interval; NaN where one unit is all there is.
	Lo, Hi float64
	// P is how often a figure as far from 0 or farther would be met by chance;
	// NaN without an interval.
	P float64
}

// Half is half the interval's width: the ± of people.
func (e Estimate) Half() float64 { return (e.Hi - e.Lo) / 2 }

// NewEstimate returns a value with the interval that its standard error and
// Student's t give.
//
// Properties:
//   - P < 0.05 exactly where the interval leaves 0 out
//   - with an error of 0 the interval is the value, and P is 0 unless it is 0
//   - of normal cells, 93 % of the intervals or more hold the truth, whether
//     there are 5 blocks or 50, and whether seeds or blocks matter
func NewEstimate(value float64, err Error) Estimate {
	e := Estimate{Value: value, Lo: math.NaN(), Hi: math.NaN(), P: math.NaN()}
	if !(err.Freedom > 0) || math.IsNaN(err.Size) || math.IsNaN(value) {
		return e
	}
	t := distuv.StudentsT{Mu: 0, Sigma: 1, Nu: err.Freedom}
	half := t.Quantile(0.975) * err.Size
	e.Lo, e.Hi = value-half, value+half
	switch {
	case err.Size > 0:
		e.P = 2 * t.CDF(-math.Abs(value)/err.Size)
	case value == 0:
		e.P = 1
	default:
		e.P = 0
	}
	return e
}

// Reduction returns by how much pairing shrinks the variance of a difference:
// (Var(A) + Var(B)) ÷ Var(A−B) over the seeds of each block, for tables by seed and
// block. That one day costs more than another is no weather, and unpaired runs would
// have the same days. NaN where a policy is compared with itself, or one seed is all
// there is.
func Reduction(a, b [][]float64) float64 {
	if len(a) < 2 {
		return math.NaN()
	}
	var of, ofDifference float64
	x, y, difference := make([]float64, len(a)), make([]float64, len(a)), make([]float64, len(a))
	for block := range a[0] {
		for s := range a {
			x[s], y[s] = a[s][block], b[s][block]
			difference[s] = x[s] - y[s]
		}
		of += stat.Variance(x, nil) + stat.Variance(y, nil)
		ofDifference += stat.Variance(difference, nil)
	}
	if ofDifference == 0 {
		return math.NaN()
	}
	return of / ofDifference
}
