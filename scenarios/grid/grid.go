package grid

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

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
	// Tune is how many sets of parameters each policy but the first is given to
	// try before it is judged, in every scenario; 0: none is tuned. See tune.
	Tune int
	// Yardstick is what costs are compared with; the zero Yardstick: the floor
	// of work.
	Yardstick Yardstick
	// Version of the program, as far as it decides what a policy of this name
	// comes to, or, for "", a bound; nil: all are of one version.
	Version func(policy string) string
	// Store is where finished cells are kept.
	Store *Store
	// Done is told of every cell that was finished, or found in the store. It
	// may be called from several goroutines.
	Done func(found bool)

	worlds map[*scenarios.Scenario]string // what tells them apart
	traces map[*scenarios.Scenario]string // what tells their traces apart
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
	// Tuning says how the policy's parameters were found; nil where they were not
	// searched for.
	Tuning *trial.Tuning
	Trials []*trial.Trial // by seed
	// Own are the trials with the parameters that it has untuned; nil without
	// Tuning.
	Own []*trial.Trial
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

// Cells is how many runs the grid has, those that tune included.
func (g *Grid) Cells() int {
	runs := len(g.Scenarios) * max(1, len(g.Policies)) * g.Runs
	for _, s := range g.Scenarios {
		rows, _ := g.rows(s)
		for i := range rows {
			if g.space(i, rows[i].Policy) != nil {
				runs += g.Tune + g.Runs // its own parameters are judged too
			}
		}
	}
	return runs
}

// Check returns everything that is wrong with the grid before any of it runs: a
// policy that cannot decide in a scenario, a trace that is not there.
func (g *Grid) Check() []error {
	var all []error
	g.worlds, g.traces = map[*scenarios.Scenario]string{}, map[*scenarios.Scenario]string{}
	for _, s := range g.Scenarios {
		_, errs := g.rows(s)
		all = append(all, errs...)
		world, err := worldOf(s)
		if err != nil {
			all = append(all, fmt.Errorf("%s: %w", s.Path, err))
		}
		g.worlds[s] = world
		if err == nil {
			if g.traces[s], err = s.TraceKey(); err != nil {
				all = append(all, fmt.Errorf("%s: %w", s.Path, err))
			}
		}
	}
	return all
}

// TraceOf tells the traces that a scenario of a checked grid is run on from those
// of others.
func (g *Grid) TraceOf(s *scenarios.Scenario) string {
	if s.Generate == nil {
		return g.traces[s]
	}
	return fmt.Sprintf("%s, seed %d", g.traces[s], g.Seeds(s)[0])
}

// rows returns the policies of a scenario, without results.
func (g *Grid) rows(s *scenarios.Scenario) ([]Row, []error) {
	if len(g.Policies) == 0 {
		return []Row{{Name: s.PolicyLabel(), Policy: s.Decides()}}, nil
	}
	var rows []Row
	var all []error
	for _, c := range g.Policies {
		p, err := s.PolicyWith(c.Path, c.Of, c.Set)
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
		if g.Tune > 0 {
			fmt.Fprintf(h, "tuned by %d\n", g.Tune)
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
	own := slices.Clone(rows)
	w, err := g.tune(ctx, s, hash, rows)
	if err != nil {
		return nil, err
	}
	cells := slices.Clone(rows)
	for i := range rows {
		if t := rows[i].Tuning; t != nil && len(t.Params) > 0 {
			cells = append(cells, own[i])
		}
	}
	if err := g.judge(ctx, &stage{s, w, hash, g.Seeds(s)}, cells); err != nil {
		return nil, err
	}
	untuned := cells[len(rows):]
	for i := range rows {
		rows[i].Trials = cells[i].Trials
		switch t := rows[i].Tuning; {
		case t == nil:
		case len(t.Params) == 0:
			rows[i].Own = rows[i].Trials
			for range g.Runs {
				g.done(false) // they are the same runs
			}
		default:
			rows[i].Own, untuned = untuned[0].Trials, untuned[1:]
		}
	}
	return rows, ctx.Err()
}

// judge fills in the trials of rows.
func (g *Grid) judge(ctx context.Context, st *stage, rows []Row) error {
	version := ""
	if g.Yardstick.Name == planned {
		version = " " + g.version("") // its trials hold how closely they followed the plan
	}
	var todo []missing
	for i := range rows {
		p := rows[i].Policy
		rows[i].Trials = make([]*trial.Trial, len(st.seeds))
		for k, seed := range st.seeds {
			key := Key{"trial", st.hash, p.Hash(), seed, g.Yardstick.Name, g.version(p.Name) + version}
			var t trial.Trial
			found, err := g.Store.load(key, &t)
			switch {
			case err != nil:
				return err
			case found:
				rows[i].Trials[k] = &t
				g.done(true)
			default:
				todo = append(todo, missing{key, i, k})
			}
		}
	}
	bounds, err := g.bounds(ctx, st)
	if err == nil && len(todo) > 0 {
		err = g.fill(ctx, st, rows, bounds, todo)
	}
	if err != nil {
		return err
	}
	for i := range rows {
		for k, t := range rows[i].Trials {
			// a kept trial may be older than the bound
			b := boundOf(bounds[k], t.Figures.Floor.CostUSD)
			t.LowerUSD, t.Certified, t.PlanUSD = b.LowerUSD, b.Certified, b.PlanUSD
		}
	}
	return nil
}

// planned is the name of a yardstick with the supply of a plan.
const planned = "plan"

// stage is a scenario whose cells are run.
type stage struct {
	scenario *scenarios.Scenario
	world    *scenarios.World // nil until something needs it
	hash     string
	seeds    []uint64
}

// open opens the stage's world with the traces of some of its seeds in memory.
func (st *stage) open(ctx context.Context, wanted []bool) error {
	if st.world == nil {
		var err error
		if st.world, err = st.scenario.World(); err != nil {
			return err
		}
	}
	var keep []uint64
	for k, want := range wanted {
		if want {
			keep = append(keep, st.seeds[k])
		}
	}
	return st.world.Keep(ctx, keep...)
}

// bounds returns the bound of every seed, from the store where it is there; nil
// ones without a yardstick.
func (g *Grid) bounds(ctx context.Context, st *stage) ([]*Bound, error) {
	bounds := make([]*Bound, len(st.seeds))
	if g.Yardstick.Of == nil {
		return bounds, nil
	}
	keys, wanted := make([]Key, len(st.seeds)), make([]bool, len(st.seeds))
	for k, seed := range st.seeds {
		keys[k] = Key{Kind: "bound", Scenario: st.hash, Seed: seed, Bound: g.Yardstick.Name, Version: g.version("")}
		var b Bound
		found, err := g.Store.load(keys[k], &b)
		if err != nil {
			return nil, err
		}
		if wanted[k] = !found; found {
			bounds[k] = &b
		}
	}
	if !slices.Contains(wanted, true) {
		return bounds, nil
	}
	if err := st.open(ctx, wanted); err != nil {
		return nil, err
	}
	return bounds, sim.Each(ctx, g.Parallel, len(st.seeds), func(ctx context.Context, k int) (err error) {
		if !wanted[k] {
			return nil
		}
		if bounds[k], err = g.Yardstick.Of(ctx, st.world, st.seeds[k]); err != nil {
			return err
		}
		return g.Store.save(keys[k], bounds[k])
	})
}

// boundOf returns what a trial is compared with: a bound, or the floor of work
// where there is none.
func boundOf(b *Bound, floorUSD float64) trial.Bound {
	if b != nil && b.LowerUSD > 0 {
		return trial.Bound{LowerUSD: b.LowerUSD, Certified: true, PlanUSD: b.PlanUSD, Plan: b.Supply}
	}
	return trial.Bound{LowerUSD: floorUSD}
}

// fill runs the cells that are missing.
func (g *Grid) fill(ctx context.Context, st *stage, rows []Row, bounds []*Bound, todo []missing) error {
	wanted := make([]bool, len(st.seeds))
	for _, m := range todo {
		wanted[m.seed] = true
	}
	if err := st.open(ctx, wanted); err != nil {
		return err
	}
	return sim.Each(ctx, g.Parallel, len(todo), func(ctx context.Context, i int) error {
		m := todo[i]
		row := &rows[m.row]
		r, err := st.world.Run(ctx, row.Policy, st.seeds[m.seed], sim.Options{Timeline: true})
		if err != nil {
			return err
		}
		if r.Figures.Jobs.Arrived == 0 {
			return scenarios.NoJobs(st.scenario, st.seeds[m.seed])
		}
		t := trial.Of(r, st.scenario.Judge(&r.Figures), boundOf(bounds[m.seed], r.Figures.Floor.CostUSD))
		if err := g.Store.save(m.key, t); err != nil {
			return err
		}
		row.Trials[m.seed] = t
		g.done(false)
		return nil
	})
}

// version returns that of the program for a policy, or for a bound.
func (g *Grid) version(policy string) string {
	if g.Version == nil {
		return ""
	}
	return g.Version(policy)
}

func (g *Grid) done(found bool) {
	if g.Done != nil {
		g.Done(found)
	}
}
