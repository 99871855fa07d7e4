package grid

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/trial"
)

// Grid is what to run: every scenario under every policy, with every seed.
type Grid struct {
	Scenarios []*scenarios.Scenario
	// Policies are made for each scenario, whose catalog they may name types
	// of; none: the scenario's own.
	Policies []Contender
	// Runs is how many seeds from Seed, or from each scenario's own, are run.
	Runs     int
	Seed     *uint64
	Parallel int
	// Yardstick is what costs are compared with; the zero Yardstick: the floor
	// of work.
	Yardstick Yardstick
	// Version of the program, and where finished cells are kept.
	Version string
	Store   *Store
	// Done is told of every cell that was finished, or found in the store. It
	// may be called from several goroutines.
	Done func(found bool)

	worlds map[*scenarios.Scenario]string // what tells them apart
}

// Contender is a policy as the user named it.
type Contender struct {
	Name string // for people, unless every scenario's own decides
	Path string // of its file; empty: its defaults
	// Policy's own name where Path is empty, and parameters in the place of those
	// of its file or its defaults.
	Of  string
	Set []scenarios.Setting
}

// Yardstick computes the bounds that costs are compared with.
type Yardstick struct {
	// Name tells it from others: "floor", "lower", "plan".
	Name string
	// Of returns the bound of a world with one seed; the zero Bound: there is
	// none but the floor of work. Nil: the floor of work bounds all.
	Of func(ctx context.Context, w *scenarios.World, seed uint64) (*Bound, error)
}

// Bound is what a run's judged cost is compared with. The zero Bound says
// nothing, and the floor of work stands in for it.
type Bound struct {
	LowerUSD float64 `json:"lower_usd"`
	// PlanUSD is what the best plan that knows the future cost; 0: no plan.
	PlanUSD float64 `json:"plan_usd,omitempty"`
	// Supply of that plan in reference cores, by changes.
	Supply trial.Supply `json:"supply,omitempty"`
}

// Row is a scenario under one policy.
type Row struct {
	Name   string // of the policy, for people
	Policy *scenarios.Policy
	Trials []*trial.Trial // by seed
}

// Seeds returns the seeds of a scenario's runs.
func (g *Grid) Seeds(s *scenarios.Scenario) []uint64 {
	first := s.Seed
	if g.Seed != nil {
		first = *g.Seed
	}
	seeds := make([]uint64, g.Runs)
	for i := range seeds {
		seeds[i] = first + uint64(i)
	}
	return seeds
}

// Cells is how many runs the grid has.
func (g *Grid) Cells() int { return len(g.Scenarios) * max(1, len(g.Policies)) * g.Runs }

// Check returns everything that is wrong with the grid before any of it runs: a
// policy that cannot decide in a scenario, a trace that is not there.
func (g *Grid) Check() []error {
	var all []error
	g.worlds = map[*scenarios.Scenario]string{}
	for _, s := range g.Scenarios {
		_, errs := g.rows(s)
		all = append(all, errs...)
		world, err := worldOf(s)
		if err != nil {
			all = append(all, fmt.Errorf("%s: %w", s.Path, err))
		}
		g.worlds[s] = world
	}
	return all
}

// rows returns the policies of a scenario, without results.
func (g *Grid) rows(s *scenarios.Scenario) ([]Row, []error) {
	if len(g.Policies) == 0 {
		return []Row{{Name: s.PolicyLabel(), Policy: s.Decides()}}, nil
	}
	catalog := s.Catalog()
	var rows []Row
	var all []error
	for _, c := range g.Policies {
		p, err := scenarios.PolicyWith(c.Path, c.Of, &catalog, c.Set)
		if err == nil {
			err = s.Try(p)
		}
		if err != nil {
			all = append(all, err)
			continue
		}
		rows = append(rows, Row{Name: c.Name, Policy: p})
	}
	return rows, all
}

// Run runs a grid that was checked, one scenario after the other, and calls each with the rows
// of a scenario once they are complete. It returns the first error, or that of
// ctx; what was finished by then is in the store.
func (g *Grid) Run(ctx context.Context, each func(s *scenarios.Scenario, rows []Row) error) error {
	for _, s := range g.Scenarios {
		rows, err := g.scenario(ctx, s)
		if err != nil {
			return err
		}
		if err := each(s, rows); err != nil {
			return err
		}
	}
	return nil
}

// worldOf tells a scenario's world from every other: its name, what its file and
// the files that it refers to say, and the content of its trace.
func worldOf(s *scenarios.Scenario) (string, error) {
	trace, err := s.TraceHash()
	if err != nil {
		return "", err
	}
	if s.TraceReplaced() {
		trace += " replaced"
	}
	return fmt.Sprintf("%s %s, trace %s", s.Name, s.Hash(), trace), nil
}

// Digest returns the first digits of a SHA-256 over every world, policy and seed
// of a grid that was checked: what its results depend on besides the program.
func (g *Grid) Digest() string {
	h := sha256.New()
	for _, s := range g.Scenarios {
		rows, _ := g.rows(s)
		fmt.Fprintf(h, "%s, seeds %d\n", g.worlds[s], g.Seeds(s))
		for _, r := range rows {
			fmt.Fprintf(h, "%s\n", r.Policy.Hash())
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))[:16]
}

// missing is a cell that is not in the store.
type missing struct {
	key  Key
	row  int
	seed int
}

// scenario runs the cells of one scenario.
func (g *Grid) scenario(ctx context.Context, s *scenarios.Scenario) ([]Row, error) {
	rows, errs := g.rows(s)
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	hash, known := g.worlds[s]
	if !known {
		return nil, fmt.Errorf("grid: %s was not checked", s.Path)
	}
	seeds := g.Seeds(s)
	var todo []missing
	for i := range rows {
		rows[i].Trials = make([]*trial.Trial, len(seeds))
		for k, seed := range seeds {
			key := Key{"trial", hash, rows[i].Policy.Hash(), seed, g.Yardstick.Name, g.Version}
			var t trial.Trial
			found, err := g.Store.load(key, &t)
			switch {
			case err != nil:
				return nil, err
			case found:
				rows[i].Trials[k] = &t
				g.done(true)
			default:
				todo = append(todo, missing{key, i, k})
			}
		}
	}
	if len(todo) == 0 {
		return rows, ctx.Err()
	}
	return rows, g.fill(ctx, s, hash, seeds, rows, todo)
}

// fill runs the cells that are missing.
func (g *Grid) fill(ctx context.Context, s *scenarios.Scenario, hash string, seeds []uint64, rows []Row, todo []missing) error {
	w, err := s.World()
	if err != nil {
		return err
	}
	wanted := make([]bool, len(seeds))
	for _, m := range todo {
		wanted[m.seed] = true
	}
	var keep []uint64
	for k, want := range wanted {
		if want {
			keep = append(keep, seeds[k])
		}
	}
	if err := w.Keep(ctx, keep...); err != nil {
		return err
	}
	bounds := make([]*Bound, len(seeds))
	if g.Yardstick.Of != nil {
		err := sim.Each(ctx, g.Parallel, len(seeds), func(ctx context.Context, k int) (err error) {
			if wanted[k] {
				bounds[k], err = g.bound(ctx, w, hash, seeds[k])
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return sim.Each(ctx, g.Parallel, len(todo), func(ctx context.Context, i int) error {
		m := todo[i]
		row := &rows[m.row]
		r, err := w.Run(ctx, row.Policy, seeds[m.seed], sim.Options{Timeline: true})
		if err != nil {
			return err
		}
		if r.Figures.Jobs.Arrived == 0 {
			return scenarios.NoJobs(s, seeds[m.seed])
		}
		bound := trial.Bound{LowerUSD: r.Figures.Floor.CostUSD}
		if b := bounds[m.seed]; b != nil && b.LowerUSD > 0 {
			bound = trial.Bound{LowerUSD: b.LowerUSD, Certified: true, PlanUSD: b.PlanUSD, Plan: b.Supply}
		}
		t := trial.Of(r, s.Judge(&r.Figures), bound)
		if err := g.Store.save(m.key, t); err != nil {
			return err
		}
		row.Trials[m.seed] = t
		g.done(false)
		return nil
	})
}

func (g *Grid) done(found bool) {
	if g.Done != nil {
		g.Done(found)
	}
}

// bound returns the bound of a world with one seed, from the store if it is
// there.
func (g *Grid) bound(ctx context.Context, w *scenarios.World, hash string, seed uint64) (*Bound, error) {
	key := Key{Kind: "bound", Scenario: hash, Seed: seed, Bound: g.Yardstick.Name, Version: g.Version}
	var b Bound
	if found, err := g.Store.load(key, &b); found || err != nil {
		return &b, err
	}
	made, err := g.Yardstick.Of(ctx, w, seed)
	if err != nil {
		return nil, err
	}
	return made, g.Store.save(key, made)
}
