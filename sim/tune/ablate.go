package tune

import (
	"context"

	"github.com/skynet-ec2/skynet/policy"
)

// ablateWeeks is how many weeks each parameter is put back on.
const ablateWeeks = 2

// ablate puts each parameter of a candidate back to its default, one at a time,
// and returns by how much that raises the score: what the parameter's new value
// is worth. Then it adds a candidate with all those put back that are worth
// nothing: many parameters move in a search only because nothing holds them.
func (a *archive) ablate(ctx context.Context, c int, weeks []int) (simpler int, worth map[string]float64, err error) {
	weeks = weeks[:min(ablateWeeks, len(weeks))]
	e := a.entries[c]
	without := make([]int, a.space.Dim())
	candidates := []int{c}
	for j, p := range a.space.params {
		without[j] = a.add(a.putBack(e.values, p))
		candidates = append(candidates, without[j])
	}
	if err := a.evaluate(ctx, grid(candidates, weeks)); err != nil {
		return c, nil, err
	}
	worth = map[string]float64{}
	base, _ := a.against(c, weeks)
	values := e.values
	for j, p := range a.space.params {
		score, _ := a.against(without[j], weeks)
		worth[p.Name] = score - base
		if score <= base {
			values = a.putBack(values, p)
		}
	}
	simpler = a.add(values)
	return simpler, worth, a.evaluate(ctx, grid([]int{simpler}, weeks))
}

// steps are how far the points of between lie on the way from the defaults, at
// 0, to a candidate, at 1: a little beyond it too.
var steps = []float64{0.5, 0.75, 1.25}

// between adds candidates on the way from the defaults to another and beyond, and
// runs them on weeks: a search ends at one compromise of cost and promises, the
// way to it has others.
func (a *archive) between(ctx context.Context, c int, weeks []int) ([]int, error) {
	weeks = weeks[:min(ablateWeeks, len(weeks))]
	from, to := a.entries[0].point, a.entries[c].point
	var list []int
	for _, t := range steps {
		point := make([]float64, len(from))
		for j := range point {
			// a way leads from value to value, not through the middle of a word
			point[j] = from[j] + float64(t*(to[j]-from[j]))
			if p := a.space.params[j]; p.Kind == policy.Choice || from[j] == to[j] {
				point[j] = to[j]
			}
		}
		v := a.space.At(point)
		for j, p := range a.space.params {
			if from[j] == to[j] { // what was not moved keeps its exact value
				v = a.putBack(v, p)
			}
		}
		list = append(list, a.add(v))
	}
	return list, a.evaluate(ctx, grid(list, weeks))
}

// putBack returns values with a parameter at its default.
func (a *archive) putBack(v policy.Values, p *policy.Param) policy.Values {
	w := policy.Values{}
	for name, x := range v { // map order: into another map
		if name != p.Name {
			w[name] = x
		}
	}
	return w
}
