package tune

import (
	"context"

	"github.com/skynet-ec2/skynet/policy"
)

// SwingShare is by how much of its value a swing moves a parameter.
const SwingShare = 0.2

// swingWeeks is how many weeks each moved parameter is run on.
const swingWeeks = 2

// Swing is what becomes of the advised candidate when one of its parameters is a
// fifth smaller or larger and all others stay: how much hangs on it.
type Swing struct {
	Param string
	// Value is the advised one.
	Value any
	Down  Moved
	Up    Moved
}

// Moved is the advised candidate with one parameter at another value.
type Moved struct {
	Value any
	// Cost is cost ÷ floor over that of the advised candidate, less 1, and P95 the
	// p95 of the first class, each by week.
	Cost Series
	P95  Series
	// Kept of N weeks kept every promise.
	Kept int
	N    int
}

// swingParams are the parameters that can be moved: numbers that are not 0.
func swingParams(spec *policy.Spec, v policy.Values) []*policy.Param {
	var list []*policy.Param
	for i := range spec.Params {
		p := &spec.Params[i]
		if p.Fixed || p.Kind == policy.Choice || p.Kind == policy.TypeList || !(p.Max > p.Min) || v.Number(p) == 0 {
			continue
		}
		list = append(list, p)
	}
	return list
}

// SwingRuns returns how many runs the swings of a policy take at most, on weeks
// of so many scenarios.
func SwingRuns(spec *policy.Spec, scenarios int) int {
	numbers := 0
	for i := range spec.Params {
		if p := &spec.Params[i]; !p.Fixed && p.Kind != policy.Choice && p.Kind != policy.TypeList {
			numbers++
		}
	}
	return (2*numbers + 1) * swingWeeks * scenarios
}

// swings moves each parameter of a candidate, one at a time, down and up.
func (t *tuning) swings(ctx context.Context, c int, weeks []int) ([]Swing, error) {
	t.report(Status{Part: "swings"})
	weeks = weeks[:min(swingWeeks, len(weeks))]
	from := t.entries[c].values
	type pair struct{ down, up int }
	var list []Swing
	var at []pair
	candidates := []int{c}
	for _, p := range swingParams(t.space.Spec, from) {
		x := from.Number(p)
		put := func(x float64) (int, any) {
			v := t.putBack(from, p)
			v[p.Name] = rounded(p, x)
			i := t.add(v)
			return i, t.entries[i].raw[p.Name]
		}
		s := Swing{Param: p.Name}
		var to pair
		_, s.Value = put(x)
		to.down, s.Down.Value = put(float64(x * (1 - SwingShare)))
		to.up, s.Up.Value = put(float64(x * (1 + SwingShare)))
		list, at = append(list, s), append(at, to)
		candidates = append(candidates, to.down, to.up)
	}
	if err := t.evaluate(ctx, grid(candidates, weeks)); err != nil {
		return nil, err
	}
	for i := range list {
		t.moved(&list[i].Down, at[i].down, c, weeks)
		t.moved(&list[i].Up, at[i].up, c, weeks)
	}
	return list, nil
}

// moved fills in what a candidate came to beside another.
func (t *tuning) moved(m *Moved, c, base int, weeks []int) {
	for _, w := range weeks {
		if of := meanOf(t.entries[base].weeks[w], (*Metrics).Ratio); of > 0 {
			m.Cost.add(meanOf(t.entries[c].weeks[w], (*Metrics).Ratio)/of-1, t.weeks[w].arrivals())
		}
	}
	s := t.summarize(c, weeks)
	m.P95, m.Kept, m.N = s.P95, s.Kept, s.N
}
