package tune

import "context"

// rungs are how many weeks a candidate has met after each rung of the halving,
// and keepOneIn is the share that goes on to the next.
var rungs = []int{1, 2, 4, 8}

const keepOneIn = 3

// search spends budget runs on finding good candidates on the weeks given, all
// of which the defaults meet as well. It returns every candidate it tried.
func (a *archive) search(ctx context.Context, weeks []int, budget int, seed uint64, tell func(part string)) ([]int, error) {
	limit := a.spent + budget
	tell("defaults")
	if err := a.evaluate(ctx, grid([]int{0}, weeks)); err != nil {
		return nil, err
	}
	tried := []int{0}
	if start := a.add(a.space.Base); start != 0 {
		tried = append(tried, start)
	}
	tell("halving")
	tried, err := a.halve(ctx, tried, weeks, (limit-a.spent)*2/5, seed)
	if err != nil {
		return nil, err
	}
	tell("cma-es")
	return a.refine(ctx, tried, weeks, limit, seed, tell)
}

// grid returns every candidate's run of every week.
func grid(candidates, weeks []int) []ask {
	var asks []ask
	for _, w := range weeks {
		for _, c := range candidates {
			asks = append(asks, ask{c, w})
		}
	}
	return asks
}

// halve runs Halton points on one week, the best third of them on another, and
// so on. It returns the candidates with those tried before.
func (a *archive) halve(ctx context.Context, tried, weeks []int, budget int, seed uint64) ([]int, error) {
	unit := len(a.weeks[weeks[0]])
	n := halvingStart(budget/unit, len(weeks))
	if n == 0 {
		return tried, nil
	}
	candidates := tried[1:len(tried):len(tried)]
	for _, point := range haltonAround(a.entries[0].point, n, seed) {
		before := len(a.entries)
		if c := a.add(a.space.At(point)); c >= before {
			candidates = append(candidates, c)
		}
	}
	tried = append(tried[:1:1], candidates...)
	met := 0
	for _, to := range rungs {
		to = min(to, len(weeks))
		if to == met || len(candidates) == 0 {
			break
		}
		if err := a.evaluate(ctx, grid(candidates, weeks[met:to])); err != nil {
			return nil, err
		}
		met = to
		candidates = a.ranked(candidates, weeks[:met])
		candidates = candidates[:(len(candidates)+keepOneIn-1)/keepOneIn]
	}
	return tried, nil
}

// halvingStart returns how many points to begin with so that the halving takes
// at most so many runs of a week.
func halvingStart(runs, weeks int) int {
	n := 0
	for halvingRuns(n+1, weeks) <= runs {
		n++
	}
	return n
}

// halvingRuns returns how many runs the halving of n points takes.
func halvingRuns(n, weeks int) int {
	runs, met := 0, 0
	for _, to := range rungs {
		to = min(to, weeks)
		if to == met {
			break
		}
		runs += n * (to - met)
		met = to
		n = (n + keepOneIn - 1) / keepOneIn
	}
	return runs
}

const (
	// generationWeeks is how many weeks a generation of CMA-ES meets: the same
	// for all its candidates, other ones than the generation before.
	generationWeeks = 2
	// generationsMin is how many a restart needs to be worth it, restartsMax how
	// many starts there are at most.
	generationsMin = 8
	restartsMax    = 3
	// stepStart is the first step of CMA-ES in a cube of side 1.
	stepStart = 0.15
)

// refine restarts CMA-ES from the best candidates until the runs reach limit.
func (a *archive) refine(ctx context.Context, tried, weeks []int, limit int, seed uint64, tell func(part string)) ([]int, error) {
	unit := len(a.weeks[weeks[0]])
	meets := min(generationWeeks, len(weeks))
	cost := population(a.space.Dim()) * meets * unit
	if meets > 1 && (limit-a.spent)/cost < generationsMin {
		meets, cost = 1, cost/meets
	}
	generations := (limit - a.spent) / cost
	starts := min(max(generations/generationsMin, 1), restartsMax)
	if generations == 0 {
		return tried, nil
	}
	best := a.ranked(tried, weeks)
	seen := map[int]bool{}
	for _, c := range tried {
		seen[c] = true
	}
	next := 0 // the week a generation begins with
	for r := range min(starts, len(best)) {
		share := generations / starts
		if r == 0 {
			share += generations % starts
		}
		err := evolve(ctx, a.entries[best[r]].point, stepStart, share, seed, uint64(r), func(ctx context.Context, _ int, points [][]float64) ([]float64, error) {
			met := make([]int, meets)
			for i := range met {
				met[i] = weeks[(next+i)%len(weeks)]
			}
			next += meets
			candidates := make([]int, len(points))
			for i, point := range points {
				c := a.add(a.space.At(point))
				candidates[i] = c
				if !seen[c] {
					seen[c] = true
					tried = append(tried, c)
				}
			}
			if err := a.evaluate(ctx, grid(candidates, met)); err != nil {
				return nil, err
			}
			scores := make([]float64, len(points))
			for i, c := range candidates {
				scores[i], _ = a.against(c, met)
			}
			tell("cma-es")
			return scores, nil
		})
		if err != nil {
			return nil, err
		}
	}
	return tried, nil
}
