package tune

import (
	"cmp"
	"context"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/skynet-ec2/skynet/policy/detmath"
)

// population returns how many candidates a generation of CMA-ES has in d
// dimensions: 4 + ⌊3 ln d⌋.
func population(d int) int { return 4 + int(3*detmath.Log(float64(d))) }

// evolve runs CMA-ES from a point for at most so many generations. Each
// generation is handed to score whole, which returns the scores of its points in
// their order. All draws come from seed and restart. It ends early when the
// distribution has collapsed.
func evolve(ctx context.Context, start []float64, step float64, generations int, seed, restart uint64, score func(ctx context.Context, generation int, points [][]float64) ([]float64, error)) error {
	c := newCMA(start, step, rand.New(rand.NewPCG(seed, streamCMA+restart)))
	for g := range generations {
		scores, err := score(ctx, g, c.ask())
		if err != nil {
			return err
		}
		if !c.tell(scores) {
			break
		}
	}
	return nil
}

// cma is the evolution strategy with covariance matrix adaptation as Hansen's
// tutorial (arXiv 1604.00772) gives it, with weights of the better half only and
// the Cholesky factor in the place of the covariance's square root (Krause et al.
// 2016).
//
// gonum's CmaEsChol (v0.17) is not used: it draws its samples without the step
// size, so it can neither begin small in a cube of side 1 nor adapt.
type cma struct {
	random *rand.Rand

	mean   []float64
	sigma  float64     // the step
	c      [][]float64 // covariance
	a      [][]float64 // its lower Cholesky factor
	ps, pc []float64   // paths of the step and of the covariance
	told   int         // generations

	weights          []float64
	muEff            float64
	cs, cc, c1, cMu  float64
	damping, chiMean float64

	z, y [][]float64 // the generation: standard normals, and those times a
}

func newCMA(start []float64, step float64, random *rand.Rand) *cma {
	d := len(start)
	n := float64(d)
	c := &cma{
		random: random, mean: slices.Clone(start), sigma: step,
		ps: make([]float64, d), pc: make([]float64, d),
		c: identity(d), a: identity(d),
	}
	pop := population(d)
	sum, squares := 0.0, 0.0
	for i := range pop / 2 {
		w := detmath.Log(float64(pop+1)/2) - detmath.Log(float64(i+1))
		c.weights = append(c.weights, w)
		sum += w
	}
	for i := range c.weights {
		c.weights[i] /= sum
		squares += float64(c.weights[i] * c.weights[i])
	}
	c.muEff = 1 / squares
	c.cs = (c.muEff + 2) / (n + c.muEff + 5)
	c.cc = (4 + c.muEff/n) / (n + 4 + 2*c.muEff/n)
	c.c1 = 2 / (float64((n+1.3)*(n+1.3)) + c.muEff)
	c.cMu = min(1-c.c1, 2*(c.muEff-2+1/c.muEff)/(float64((n+2)*(n+2))+c.muEff))
	c.damping = 1 + float64(2*max(0, math.Sqrt((c.muEff-1)/(n+1))-1)) + c.cs
	c.chiMean = math.Sqrt(n) * (1 - 1/(4*n) + 1/float64(21*n*n))
	c.z, c.y = make([][]float64, pop), make([][]float64, pop)
	return c
}

func identity(d int) [][]float64 {
	m := make([][]float64, d)
	for i := range m {
		m[i] = make([]float64, d)
		m[i][i] = 1
	}
	return m
}

// ask returns the points of the next generation.
func (c *cma) ask() [][]float64 {
	d := len(c.mean)
	points := make([][]float64, len(c.z))
	for k := range points {
		z, y, x := make([]float64, d), make([]float64, d), make([]float64, d)
		for i := range z {
			z[i] = normal(c.random)
		}
		for i := range y {
			for j := range i + 1 {
				y[i] += float64(c.a[i][j] * z[j])
			}
			x[i] = c.mean[i] + float64(c.sigma*y[i])
		}
		c.z[k], c.y[k], points[k] = z, y, x
	}
	return points
}

// tell moves the distribution to where the scores of the generation were low. It
// returns false when nothing is left to search.
func (c *cma) tell(scores []float64) bool {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(x, y int) int { return cmp.Compare(scores[x], scores[y]) })
	d := len(c.mean)
	z, y := make([]float64, d), make([]float64, d) // weighted means of the better half
	for k, w := range c.weights {
		for i := range d {
			z[i] += float64(w * c.z[order[k]][i])
			y[i] += float64(w * c.y[order[k]][i])
		}
	}
	c.told++
	norm := 0.0
	for i := range d {
		c.mean[i] += float64(c.sigma * y[i])
		c.ps[i] = float64((1-c.cs)*c.ps[i]) + float64(math.Sqrt(c.cs*(2-c.cs)*c.muEff)*z[i])
		norm += float64(c.ps[i] * c.ps[i])
	}
	norm = math.Sqrt(norm)
	// A path that is long only because the run is young does not count.
	young := math.Sqrt(1 - detmath.Pow(1-c.cs, float64(2*c.told)))
	moves := 0.0
	if norm/young < (1.4+2/(float64(d)+1))*c.chiMean {
		moves = 1
	}
	for i := range d {
		c.pc[i] = float64((1-c.cc)*c.pc[i]) + float64(moves*math.Sqrt(c.cc*(2-c.cc)*c.muEff)*y[i])
	}
	old := 1 - c.c1 - c.cMu + float64((1-moves)*c.c1*c.cc*(2-c.cc))
	for i := range d {
		for j := range i + 1 {
			sum := float64(old*c.c[i][j]) + float64(c.c1*c.pc[i]*c.pc[j])
			for k, w := range c.weights {
				sum += float64(c.cMu * w * c.y[order[k]][i] * c.y[order[k]][j])
			}
			c.c[i][j], c.c[j][i] = sum, sum
		}
	}
	c.sigma *= detmath.Exp(min(1, c.cs/c.damping*(norm/c.chiMean-1)))
	widest := 0.0
	for i := range d {
		widest = max(widest, c.c[i][i])
	}
	const least = 1e-4 // of the cube's side: below what parameters are rounded to
	return c.factor() && c.sigma*math.Sqrt(widest) > least
}

// factor computes the Cholesky factor of the covariance; false where it has none
// any more.
func (c *cma) factor() bool {
	for i := range c.c {
		for j := range i + 1 {
			sum := c.c[i][j]
			for k := range j {
				sum -= float64(c.a[i][k] * c.a[j][k])
			}
			if i != j {
				c.a[i][j] = sum / c.a[j][j]
				continue
			}
			if !(sum > 1e-14) {
				return false
			}
			c.a[i][i] = math.Sqrt(sum)
		}
	}
	return true
}
