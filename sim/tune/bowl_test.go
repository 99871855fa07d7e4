package tune

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// bowl is a policy whose cost is known: a bowl over its parameters, with weather
// that all candidates share, and a little that they do not. The cheapest costs
// bowlFloor × 1 at x = 0.7, y = 5 m, n = 7, c = b.
var bowl = policy.Spec{
	Name: "bowl",
	Params: []policy.Param{
		{Name: "x", Kind: policy.Number, Min: 0, Max: 1, Default: 0.2},
		{Name: "y", Kind: policy.Duration, Min: float64(time.Second), Max: float64(time.Hour), Default: float64(time.Minute), Log: true},
		{Name: "n", Kind: policy.Integer, Min: 1, Max: 20, Default: 3},
		{Name: "c", Kind: policy.Choice, Choices: []string{"a", "b", "z"}},
		{Name: "inert", Kind: policy.Number, Min: 0, Max: 1, Default: 0.5},
		{Name: "limit", Kind: policy.Integer, Min: 1, Max: 100, Default: 50, Fixed: true},
		{Name: "types", Kind: policy.TypeList, Fixed: true},
	},
}

const bowlFloor = 100

// world is a synthetic world of the bowl.
type world struct {
	// needs x for the promise; 0: every x keeps it.
	needs float64
	// shared and own are the standard deviations of the weather that all
	// candidates of a fold share and of what is a candidate's own.
	shared, own float64
	runs        atomic.Int64
	stopAt      int64 // fail at this run; 0: never
}

var errStopped = errors.New("stopped")

func (w *world) evaluate(_ context.Context, c Raw, f *Fold) (*Metrics, error) {
	if n := w.runs.Add(1); n == w.stopAt {
		return nil, errStopped
	}
	v, problems := bowl.Check(c)
	if len(problems) > 0 {
		return nil, problems[0]
	}
	x := v.Number(bowl.Param("x"))
	y := math.Log(v.Number(bowl.Param("y")) / float64(5*time.Minute))
	n := v.Number(bowl.Param("n")) - 7
	ratio := 1 + 2*(x-0.7)*(x-0.7) + y*y/20 + n*n/200
	if v.Choice(bowl.Param("c")) != "b" {
		ratio += 0.1
	}
	shared := rand.New(rand.NewPCG(f.Seed, uint64(f.Scenario))).NormFloat64()
	key := uint64(0)
	for _, b := range []byte(c.Key()) {
		key = key*31 + uint64(b)
	}
	own := rand.New(rand.NewPCG(f.Seed, key)).NormFloat64()
	ratio += w.shared*shared + w.own*own
	slack, p95 := x/2, 30*(1.3-x)
	m := &Metrics{CostUSD: bowlFloor * ratio, FloorUSD: bowlFloor, Slack: &slack, P95S: &p95, TargetS: 30, Attained: []*float64{&x}}
	if w.needs > 0 {
		m.Promises = []Promise{{Name: "x", Want: "enough", Value: &x, Margin: (x - w.needs) / w.needs, Kept: x >= w.needs}}
	}
	return m, nil
}

// tuning of the bowl with a budget.
func bowlConfig(w *world, budget, scenarios, parallel int) *Config {
	space, err := NewSpace(&bowl, policy.Values{"limit": 60.0}, nil)
	if err != nil {
		panic(err)
	}
	cfg := &Config{
		Space: space, Budget: budget, Seed: 1,
		Runner: &Local{Evaluate: w.evaluate, Parallel: parallel},
		Inputs: Inputs{Version: "v", Policy: "bowl"},
	}
	for i := range scenarios {
		cfg.Inputs.Scenarios = append(cfg.Inputs.Scenarios, Input{Path: string(rune('a' + i)), SHA256: "s", TraceSHA256: "t"})
	}
	a, b, c := SharesOf(budget, scenarios).WeeksOf()
	seed := uint64(1)
	for _, part := range []struct {
		n  int
		to *[]Week
	}{{a, &cfg.Search}, {b, &cfg.Select}, {c, &cfg.Judge}} {
		for range part.n {
			var week Week
			for s := range scenarios {
				week = append(week, Fold{Scenario: s, Seed: seed})
			}
			*part.to = append(*part.to, week)
			seed++
		}
	}
	return cfg
}
