package tune

import (
	"context"
	"math/rand/v2"

	"gonum.org/v1/gonum/optimize"

	"github.com/skynet-ec2/skynet/policy/detmath"
)

// population returns how many candidates a generation of CMA-ES has in d
// dimensions: 4 + ⌊3 ln d⌋.
func population(d int) int { return 4 + int(3*detmath.Log(float64(d))) }

// evolve runs CMA-ES from a point for at most so many generations. Each
// generation is handed to score whole, which returns the scores of its points in
// their order; all draws come from seed. The distribution may collapse earlier.
//
// gonum's method expects to be run by gonum's own loop, which evaluates points
// one by one as they come. This loop evaluates them a generation at a time and
// returns them in order, so that what comes of it depends on nothing but the
// scores.
func evolve(ctx context.Context, start []float64, step float64, generations int, seed, restart uint64, score func(ctx context.Context, generation int, points [][]float64) ([]float64, error)) error {
	n := population(len(start))
	method := &optimize.CmaEsChol{
		InitStepSize: step, Population: n, ForgetBest: true,
		Src: rand.NewPCG(seed, streamCMA+restart),
	}
	n = method.Init(len(start), n)
	tasks := make([]optimize.Task, n)
	for i := range tasks {
		tasks[i].Location = &optimize.Location{X: append([]float64(nil), start...)}
	}
	operations, results := make(chan optimize.Task, n+1), make(chan optimize.Task, n+1)
	go method.Run(operations, results, tasks)
	end := func() {
		results <- optimize.Task{Op: optimize.PostIteration, Location: &optimize.Location{X: make([]float64, len(start))}}
		close(results)
		for range operations { // until the method has ended
		}
	}
	for g := range generations {
		asked := make([]optimize.Task, n)
		points := make([][]float64, n)
		for range n {
			t := <-operations
			asked[t.ID] = t
			points[t.ID] = append([]float64(nil), t.X...)
		}
		scores, err := score(ctx, g, points)
		if err != nil {
			for i := range asked { // the method waits for its generation
				results <- asked[i]
			}
			<-operations
			end()
			return err
		}
		for i := range asked {
			asked[i].F = scores[i]
			results <- asked[i]
		}
		after := <-operations
		if after.Op == optimize.MethodDone || g == generations-1 {
			break
		}
		results <- after // a major iteration: the method draws the next generation
	}
	end()
	return nil
}
