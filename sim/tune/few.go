package tune

import (
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
)

// Tried is what became of a set of values.
type Tried int

// The zero Tried is a set that makes no sense: it costs nothing, and another is
// drawn in its place.
const (
	Senseless Tried = iota
	Worse           // than the best before it
	Better
)

// streamFew is that of TryFew's moves.
const streamFew = 0x666577

const (
	// reach is the standard deviation of a move, in a cube of side 1: the one
	// parameter of the method, which its authors advise to leave at this.
	reach = 0.2
	// drawsMax is how many draws TryFew makes for each set that it may try: a
	// space of a few choices is soon exhausted.
	drawsMax = 8
)

// TryFew has at most n sets of values tried, one after the other and none twice:
// a search for those who can afford too few for Run, of as many parameters as
// there may be. The first is the base, whatever it comes to. A third of the others
// are Halton points in boxes around it. Each of the rest moves some of the
// parameters of the best so far, fewer and fewer of them, in the end one
// (dynamically dimensioned search: Tolson and Shoemaker, Water Resources Research
// 43, 2007). Counts and times that may be 0 are moved on a scale that is
// logarithmic but for its beginning: so few sets cannot find out otherwise that,
// of 50 instances that are always kept, all but one or two cost too much.
//
// The sets are a function of the space, n, seed, and of what try returned for
// those before; an error of try ends the search.
func (s *Space) TryFew(n int, seed uint64, try func(policy.Values) (Tried, error)) error {
	f := &few{space: s, best: s.Base, seen: map[string]bool{}, left: n, draws: n * drawsMax, try: try}
	if err := f.meet(s.Base); err != nil {
		return err
	}
	center := f.point(s.Base)
	for round, rest := uint64(0), f.left-f.left/3; f.left > rest && f.draws > 0; round++ {
		for _, point := range haltonAround(center, f.left-rest, seed+round) {
			if err := f.meet(f.at(point)); err != nil {
				return err
			}
		}
	}
	random := rand.New(rand.NewPCG(seed, streamFew))
	for moves := f.left; f.left > 0 && f.draws > 0; {
		step := float64(moves - f.left + 1)
		share := 1 - detmath.Log(step)/detmath.Log(float64(moves+1))
		if err := f.meet(f.moved(share, random)); err != nil {
			return err
		}
	}
	return nil
}

// few is a search that is under way.
type few struct {
	space *Space
	best  policy.Values
	seen  map[string]bool // sets that were drawn
	left  int             // sets that may be tried
	draws int             // sets that may be drawn
	try   func(policy.Values) (Tried, error)
}

// meet has a set tried that was drawn, unless it was drawn before.
func (f *few) meet(v policy.Values) error {
	f.draws--
	key := f.space.RawOf(v).Key()
	if f.seen[key] {
		return nil
	}
	f.seen[key] = true
	tried, err := f.try(v)
	if err != nil {
		return err
	}
	if tried != Senseless {
		f.left--
	}
	if tried == Better {
		f.best = v
	}
	return nil
}

// moved returns the best set with each parameter moved with the probability
// share, and with one of them moved in any case.
func (f *few) moved(share float64, random *rand.Rand) policy.Values {
	v := maps.Clone(f.best)
	if v == nil {
		v = policy.Values{}
	}
	point := f.point(f.best)
	surely := random.IntN(len(f.space.params))
	for i, p := range f.space.params {
		if !(random.Float64() < share) && i != surely {
			continue
		}
		if p.Kind == policy.Choice {
			at := slices.Index(p.Choices, f.best.Choice(p))
			v[p.Name] = p.Choices[(at+1+random.IntN(len(p.Choices)-1))%len(p.Choices)]
			continue
		}
		v[p.Name] = fewAt(p, reflected(point[i]+float64(reach*normal(random))))
	}
	return v
}

// point returns where values lie in the cube that TryFew searches.
func (f *few) point(v policy.Values) []float64 {
	point := f.space.Point(v)
	for i, p := range f.space.params {
		if one, bent := bend(p); bent {
			point[i] = detmath.Log(1+(v.Number(p)-p.Min)/one) / detmath.Log(1+(p.Max-p.Min)/one)
		}
	}
	return point
}

// at returns the values at a point of that cube.
func (f *few) at(point []float64) policy.Values {
	v := f.space.At(point)
	for i, p := range f.space.params {
		v[p.Name] = fewAt(p, reflected(point[i]))
	}
	return v
}

// fewAt returns the value of a parameter at a coordinate of that cube.
func fewAt(p *policy.Param, u float64) any {
	one, bent := bend(p)
	if !bent {
		return valueAt(p, u)
	}
	return rounded(p, p.Min+float64(one*(detmath.Exp(float64(u*detmath.Log(1+(p.Max-p.Min)/one)))-1)))
}

// bend returns whether a parameter is a count or a time on a linear scale, and
// up to where TryFew leaves it nearly linear: 1, or a hundredth of the longest
// time.
func bend(p *policy.Param) (one float64, bent bool) {
	switch {
	case p.Log:
		return 0, false
	case p.Kind == policy.Integer:
		return 1, true
	}
	return p.Max / 100, p.Kind == policy.Duration
}

// normal returns a draw of the standard normal distribution. The uniform one is
// open at both ends: no draw is infinite.
func normal(random *rand.Rand) float64 {
	return detmath.NormalQuantile((float64(random.Uint64()>>12) + 0.5) / (1 << 52))
}
