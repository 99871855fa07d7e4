package tune

import (
	"math/rand/v2"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distmv"
	"gonum.org/v1/gonum/stat/samplemv"
)

// The streams of a tuning's seed.
const (
	streamHalton = 0x68616c746f6e
	streamCMA    = 0x636d61
)

// boxes are the widths of the boxes around the defaults that Halton points fill,
// a third of the points each: most of the whole cube is hopeless, and the best is
// seldom far from what works untuned. They follow each other in blocks: taken in
// turn, every third point has the same first digit in the sequence's base 3.
var boxes = []float64{1, 0.5, 0.25}

// haltonAround returns n points of the cube, scrambled by seed, that fill boxes
// around center.
func haltonAround(center []float64, n int, seed uint64) [][]float64 {
	d := len(center)
	src := rand.NewPCG(seed, streamHalton)
	batch := mat.NewDense(n, d, nil)
	samplemv.Halton{Kind: samplemv.Owen, Q: distmv.NewUnitUniform(d, src), Src: src}.Sample(batch)
	points := make([][]float64, n)
	for i := range points {
		width := boxes[i*len(boxes)/n]
		points[i] = make([]float64, d)
		for j := range d {
			u := batch.At(i, j)
			if width < 1 {
				u = center[j] + float64((u-0.5)*width)
			}
			points[i][j] = reflected(u)
		}
	}
	return points
}
