package grid

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/trial"
	"github.com/skynet-ec2/skynet/sim/tune"
	"github.com/skynet-ec2/skynet/traces"
)

// learnMin is the least time before the judged one that a policy is tuned on:
// below a day there is no night, or no evening, to see.
const learnMin = 24 * time.Hour

// space returns the parameters of the contender at a place of the grid that a
// tuning may move; nil if it is not tuned: it is the first, which the others are
// compared with, or declares none. What a sweep set stays as it is.
func (g *Grid) space(at int, p *scenarios.Policy) *tune.Space {
	if g.Tune == 0 || at == 0 || p.Spec == nil {
		return nil
	}
	whole, err := tune.NewSpace(p.Spec, p.Values, nil)
	if err != nil {
		return nil // it has nothing to search
	}
	set := g.Policies[at].Set
	free := slices.DeleteFunc(whole.Names(), func(name string) bool {
		return slices.ContainsFunc(set, func(s scenarios.Setting) bool { return s.Key == name })
	})
	if len(free) == 0 {
		return nil
	}
	part, err := tune.NewSpace(p.Spec, p.Values, free)
	if err != nil {
		panic("grid: " + err.Error()) // free names are what the whole space has
	}
	return part
}

// tune puts the best of Tune sets of parameters into the rows of a scenario that
// are tuned. They are tried on what lies before the judged time, with the first
// seed: from a cold start, judged after two fifths of it; where that is less than
// a day, or has no jobs, on the judged time itself. Policies are tuned at once,
// the sets of each one after the other, so the choice is the same whatever the
// parallelism. It returns the scenario's world if it opened it.
func (g *Grid) tune(ctx context.Context, s *scenarios.Scenario, hash string, rows []Row) (*scenarios.World, error) {
	var tuned []int
	for i := range rows {
		if g.space(i, rows[i].Policy) != nil {
			tuned = append(tuned, i)
		}
	}
	if len(tuned) == 0 {
		return nil, ctx.Err()
	}
	l, err := g.lessonOf(s, hash)
	if err != nil {
		return nil, err
	}
	return l.world, sim.Each(ctx, g.Parallel, len(tuned), func(ctx context.Context, i int) (err error) {
		row := &rows[tuned[i]]
		row.Policy, row.Tuning, err = g.tuned(ctx, l, row.Policy, g.space(tuned[i], row.Policy))
		return err
	})
}

// tuned returns the best of Tune sets of a policy's parameters.
func (g *Grid) tuned(ctx context.Context, l *lesson, own *scenarios.Policy, space *tune.Space) (*scenarios.Policy, *trial.Tuning, error) {
	best := own
	t := &trial.Tuning{FromS: l.judge.Seconds(), ToS: l.to.Seconds(), Hindsight: l.to == 0, Params: map[string]string{}}
	err := space.TryFew(g.Tune, l.seed, func(v policy.Values) (tune.Tried, error) {
		p := own
		if t.Sets > 0 {
			p = own.With(v)
		}
		if l.scenario.Try(p) != nil {
			return tune.Senseless, nil // values that exclude each other
		}
		a, err := g.attempt(ctx, l, p)
		if err != nil {
			return tune.Senseless, err
		}
		if t.Sets++; a.Kept {
			t.KeptSets++
		}
		if t.Sets == 1 {
			t.Own, t.Chosen = *a, *a
			return tune.Better, nil
		}
		if !a.Better(&t.Chosen) {
			return tune.Worse, nil
		}
		best, t.Chosen = p, *a
		return tune.Better, nil
	})
	if err != nil {
		return nil, nil, err
	}
	for range g.Tune - t.Sets { // there were not as many
		g.done(false)
	}
	for _, x := range best.Beside(own) {
		t.Params[x.Key] = x.Value
	}
	return best, t, nil
}

// attempt runs a policy on a lesson, or finds that in the store.
func (g *Grid) attempt(ctx context.Context, l *lesson, p *scenarios.Policy) (*trial.Attempt, error) {
	key := Key{Kind: "attempt", Scenario: l.hash, Policy: p.Hash(), Seed: l.seed, Version: g.version(p.Name)}
	var a trial.Attempt
	if found, err := g.Store.load(key, &a); err != nil || found {
		g.done(found)
		return &a, err
	}
	f, verdicts, err := l.run(ctx, p)
	if err != nil {
		return nil, err
	}
	a = trial.AttemptOf(f, verdicts)
	if err := g.Store.save(key, &a); err != nil {
		return nil, err
	}
	g.done(false)
	return &a, nil
}

// lesson is what the policies of a scenario are tuned on.
type lesson struct {
	scenario *scenarios.Scenario
	world    *scenarios.World // the whole
	hash     string           // what tells the lesson from every other
	seed     uint64
	// The lesson is judged from judge to to; to 0: it is all of the scenario,
	// judged as that is.
	judge, to time.Duration

	open sync.Once
	part *scenarios.World
	err  error
}

// lessonOf returns the lesson of a scenario.
func (g *Grid) lessonOf(s *scenarios.Scenario, hash string) (*lesson, error) {
	w, err := s.World()
	if err != nil {
		return nil, err
	}
	l := &lesson{scenario: s, world: w, hash: hash + ", hindsight", seed: g.Seeds(s)[0], judge: s.JudgeFrom}
	if s.JudgeFrom < learnMin {
		return l, nil
	}
	judge := s.JudgeFrom * 2 / 5
	busy, err := arrives(w.Part(0, judge, s.JudgeFrom), l.seed, judge)
	if err == nil && busy {
		l.judge, l.to = judge, s.JudgeFrom
		l.hash = fmt.Sprintf("%s, judged from %v to %v", hash, l.judge, l.to)
	}
	return l, err
}

// arrives reports whether a job arrives in a world from a time on.
func arrives(w *scenarios.World, seed uint64, from time.Duration) (bool, error) {
	src, err := w.Source(seed)
	if err != nil {
		return false, err
	}
	defer src.Close()
	var b traces.Batch
	for {
		err := src.Next(&b)
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err
		case b.Arrival[b.Len()-1] >= int64(from):
			return true, nil
		}
	}
}

// run has a policy decide in the lesson. The first run reads the trace into
// memory.
func (l *lesson) run(ctx context.Context, p *scenarios.Policy) (*sim.Figures, []sim.Verdict, error) {
	l.open.Do(func() {
		if l.err = l.world.Keep(ctx, l.seed); l.err != nil {
			return
		}
		l.part = l.world
		if l.to > 0 {
			l.part = l.world.Part(0, l.judge, l.to)
		}
	})
	if l.err != nil {
		return nil, nil, l.err
	}
	r, err := l.part.Run(ctx, p, l.seed, sim.Options{})
	if err != nil {
		return nil, nil, err
	}
	if r.Figures.Jobs.Arrived == 0 {
		return nil, nil, scenarios.NoJobs(l.scenario, l.seed)
	}
	if l.to == 0 {
		return &r.Figures, l.scenario.Judge(&r.Figures), nil
	}
	return &r.Figures, l.scenario.JudgePart(&r.Figures), nil
}
