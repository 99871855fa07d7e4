package stats

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// Left is what lengths and loads do not explain of a table of cells.
type Left struct {
	Cells [][]float64
	// Seeds and Blocks are the degrees of freedom that their sums have left: what
	// was fitted to a few days leaves less between them than there was.
	Seeds, Blocks float64
}

// tells reports whether n seeds or blocks that have so many of their n−1 degrees of
// freedom left can tell a load from chance: two days cannot, for whatever sets them
// apart their loads explain. One left of two is too uncertain to build on.
func tells(left float64, n int) bool {
	return n == 1 || left >= 1.5 || left >= 0.6*float64(n-1)
}

// Unexplained returns what the lengths and loads of cells do not explain of y:
// the residuals of y = a × length + b × load by least squares. Where too few
// seeds or blocks could tell a load from chance, one of the two explains alone, that
// which leaves less; below four cells nothing does.
//
// Properties:
//   - the residuals are orthogonal to what explains
//   - y that is a multiple of the lengths or, unless they explain alone, of the
//     loads leaves nothing
//   - a seed or block effect of variance σ² leaves sums over seeds or blocks whose
//     squares, about their mean, are Seeds or Blocks times those of σ² each
func Unexplained(y, length, load [][]float64) Left {
	least := Left{y, float64(len(y) - 1), float64(len(y[0]) - 1)}
	if len(y)*len(y[0]) < 4 {
		return least
	}
	if both, ok := without(y, length, load); ok {
		return both
	}
	for _, one := range [][][]float64{load, length} {
		if l, ok := without(y, one); ok && floats.Norm(flat(l.Cells), 2) < floats.Norm(flat(least.Cells), 2) {
			least = l
		}
	}
	return least
}

// without returns what tables leave of y, and whether there are seeds and blocks
// enough to say so.
func without(y [][]float64, tables ...[][]float64) (l Left, ok bool) {
	seeds, blocks := len(y), len(y[0])
	basis := orthonormal(tables)
	l.Seeds, l.Blocks = freedom(basis, seeds, blocks)
	if !tells(l.Seeds, seeds) || !tells(l.Blocks, blocks) {
		return l, false
	}
	l.Cells = residuals(y, basis)
	return l, true
}

// flat lists a table's cells, seed by seed.
func flat(table [][]float64) []float64 {
	var list []float64
	for _, row := range table {
		list = append(list, row...)
	}
	return list
}

// orthonormal returns vectors of cells that span the tables. A table that is
// nearly a multiple of those before it, as a load that is the same at all times,
// or nothing, adds none.
func orthonormal(tables [][][]float64) [][]float64 {
	var basis [][]float64
	for _, t := range tables {
		v := flat(t)
		size := floats.Norm(v, 2)
		for _, q := range basis {
			floats.AddScaled(v, -floats.Dot(v, q), q)
		}
		if left := floats.Norm(v, 2); left > 1e-6*size {
			floats.Scale(1/left, v)
			basis = append(basis, v)
		}
	}
	return basis
}

// residuals returns y without its part in the span of a basis.
func residuals(y, basis [][]float64) [][]float64 {
	v := flat(y)
	scale := floats.Norm(v, math.Inf(1))
	for _, q := range basis {
		floats.AddScaled(v, -floats.Dot(v, q), q)
	}
	for i := range v {
		if math.Abs(v[i]) < 1e-10*scale {
			v[i] = 0 // what is left of rounding
		}
	}
	left := make([][]float64, len(y))
	for s := range y {
		left[s], v = v[:len(y[s])], v[len(y[s]):]
	}
	return left
}

// freedom returns the degrees of freedom that the sums over seeds and over blocks
// have left without a basis: of n sums, about their mean, the squared norm of
// K (I − Σ g g'), K taking the mean and g being the sums of a vector of the basis
// in the unit of those of a vector of as many equal effects.
func freedom(basis [][]float64, seeds, blocks int) (ofSeeds, ofBlocks float64) {
	var bySeed, byBlock [][]float64
	for _, q := range basis {
		s, b := make([]float64, seeds), make([]float64, blocks)
		for i, x := range q {
			s[i/blocks] += x / math.Sqrt(float64(blocks))
			b[i%blocks] += x / math.Sqrt(float64(seeds))
		}
		bySeed, byBlock = append(bySeed, s), append(byBlock, b)
	}
	return keptFreedom(bySeed, seeds), keptFreedom(byBlock, blocks)
}

func keptFreedom(sums [][]float64, n int) float64 {
	total := 0.0
	column := make([]float64, n)
	for j := range n {
		clear(column)
		column[j] = 1
		for _, g := range sums {
			floats.AddScaled(column, -g[j], g)
		}
		mean := floats.Sum(column) / float64(n)
		for _, x := range column {
			total += (x - mean) * (x - mean)
		}
	}
	return total
}
