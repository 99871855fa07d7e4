package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/tune"
)

// bench is the scenarios that a tuning runs candidates on.
type bench struct {
	scenarios []*scenarios.Scenario
	policy    *scenarios.Policy // where it starts
	inputs    tune.Inputs
	worlds    worlds
}

// openBench loads scenarios, all of which must run the same policy, or that of a
// file.
func (a *app) openBench(paths []string, policyFile string) (*bench, error) {
	b := &bench{}
	b.inputs.Version = buildVersion().short()
	if path := sameFileTwice(paths); path != "" {
		return nil, inputError(fmt.Errorf("%s: is given twice", path))
	}
	for _, path := range paths {
		s, err := scenarios.LoadWith(a.ctx, path, scenarios.Replace{Policy: policyFile})
		if err != nil {
			return nil, a.listProblems(err)
		}
		if err := a.fetch(s); err != nil {
			return nil, err
		}
		p := s.Decides()
		switch {
		case p.Spec == nil:
			return nil, inputError(fmt.Errorf("%s: policy scripted has no parameters to tune", path))
		case b.policy == nil:
			b.policy = p
		case p.Label() != b.policy.Label():
			return nil, inputError(fmt.Errorf("%s runs %s and %s runs %s: say with --policy which to tune", paths[0], b.policy.Label(), path, p.Label()))
		}
		trace, err := s.TraceHash()
		if err != nil {
			return nil, fmt.Errorf("%s: trace: %w", path, err)
		}
		b.scenarios = append(b.scenarios, s)
		b.inputs.Scenarios = append(b.inputs.Scenarios, tune.Input{Path: path, SHA256: s.Hash(), TraceSHA256: trace})
	}
	b.inputs.Policy = b.policy.Name
	b.worlds.of, b.worlds.room = b.scenarios, worldsJobs
	return b, nil
}

// noteDoubts tells the user in which ways what the scenario's policy file says of
// itself does not hold here.
func (a *app) noteDoubts(s *scenarios.Scenario) error {
	doubts, err := s.Decides().Doubts(s, buildVersion().short())
	if err != nil || a.quiet {
		return err
	}
	for _, doubt := range doubts {
		fmt.Fprintf(a.stderr, "note: %s\n", doubt)
	}
	return nil
}

func (b *bench) names() string {
	var names []string
	for _, s := range b.scenarios {
		names = append(names, s.Name)
	}
	return strings.Join(names, ", ")
}

// classes returns the names of the first scenario's classes.
func (b *bench) classes() []string {
	var names []string
	for i := range b.scenarios[0].Classes {
		names = append(names, b.scenarios[0].Classes[i].Name)
	}
	return names
}

// evaluate simulates a candidate on a fold.
func (b *bench) evaluate(ctx context.Context, candidate tune.Raw, fold *tune.Fold) (*tune.Metrics, error) {
	p, err := scenarios.NewPolicy(b.policy.Name, candidate)
	if err != nil {
		return nil, err
	}
	world, err := b.worlds.open(ctx, fold)
	if err != nil {
		return nil, err
	}
	result, err := world.Run(ctx, p, fold.Seed, sim.Options{})
	if err != nil {
		return nil, err
	}
	return metricsOf(b.scenarios[fold.Scenario], &result.Figures, fold.Part != nil), nil
}

// metricsOf returns what a tuning cares about.
func metricsOf(s *scenarios.Scenario, f *sim.Figures, part bool) *tune.Metrics {
	m := &tune.Metrics{CostUSD: f.Judged.CostUSD, FloorUSD: f.Floor.CostUSD, Slack: f.Slack.Mean}
	for i := range s.Classes {
		c := f.Classes[s.Classes[i].Name]
		if i == 0 {
			m.TargetS = c.TargetS
			m.P95S = c.Sojourn.P95
			if c.On == "wait" {
				m.P95S = c.Wait.P95
			}
		}
		m.Attained = append(m.Attained, c.Attained)
	}
	verdicts := s.Judge(f)
	if part {
		verdicts = s.JudgePart(f)
	}
	for i := range verdicts {
		v := &verdicts[i]
		m.Promises = append(m.Promises, tune.Promise{Name: v.Name, Want: v.Want, Value: v.Value, Margin: v.Margin, Kept: v.Kept})
	}
	return m
}

// worldsJobs is how many jobs of generated weeks stay in memory, about half a
// gigabyte: a photo-week is three million.
const worldsJobs = 40_000_000

// worlds opens the world of a fold once for all the runs that come for it. Its
// methods may be called from several goroutines.
type worlds struct {
	of   []*scenarios.Scenario
	room int64 // jobs of weeks in memory

	mu     sync.Mutex
	opened []*openWorld // the least recently wanted first
}

// openWorld is a world that is being opened, or is open.
type openWorld struct {
	scenario int
	seed     uint64
	jobs     int64 // in memory, once it is open
	once     sync.Once
	world    *scenarios.World
	err      error
}

// open returns the world of a fold with its trace in memory.
func (w *worlds) open(ctx context.Context, fold *tune.Fold) (*scenarios.World, error) {
	s := w.of[fold.Scenario]
	seed := fold.Seed
	if s.Generate == nil {
		seed = 0 // one trace for all
	}
	x := w.find(fold.Scenario, seed)
	x.once.Do(func() {
		if x.world, x.err = s.World(); x.err == nil {
			x.err = x.world.Keep(ctx, seed)
		}
		if x.err == nil {
			w.admit(x)
		}
	})
	if x.err != nil {
		return nil, x.err
	}
	if p := fold.Part; p != nil {
		return x.world.Part(time.Duration(p.From), time.Duration(p.Judge), time.Duration(p.To)), nil
	}
	return x.world, nil
}

// find returns the entry of a world, the most recently wanted from now on.
func (w *worlds) find(scenario int, seed uint64) *openWorld {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := slices.IndexFunc(w.opened, func(x *openWorld) bool { return x.scenario == scenario && x.seed == seed })
	x := &openWorld{scenario: scenario, seed: seed}
	if at >= 0 {
		x = w.opened[at]
		w.opened = slices.Delete(w.opened, at, at+1)
	}
	w.opened = append(w.opened, x)
	return x
}

// admit counts the jobs of a world that is open, and forgets those least recently
// wanted that there is no room for. Who runs on one holds it.
func (w *worlds) admit(x *openWorld) {
	w.mu.Lock()
	defer w.mu.Unlock()
	x.jobs = x.world.Kept()
	var sum int64
	for i := len(w.opened) - 1; i >= 0; i-- {
		sum += w.opened[i].jobs
		if sum > w.room && w.opened[i] != x {
			w.opened = slices.Delete(w.opened, 0, i+1)
			return
		}
	}
}

// The windows of a recorded trace: weeks, each with the week before it to warm
// up, or two halves where it is shorter than four.
const (
	window     = 7 * 24 * time.Hour
	windowsMin = 4
	// weathers is how often a window is judged, each time in other weather.
	weathers = 5
)

// weeks returns the weeks that a budget's shares want.
func (t *tuner) weeks(s tune.Shares) (search, choice, judge []tune.Week, err error) {
	a, b, c := s.WeeksOf()
	return t.weeksOf(a, b, c)
}

// weeksOf returns so many weeks to search on, to choose on and to judge by, each
// with a fold of every scenario.
func (t *tuner) weeksOf(searches, choices, judges int) (search, choice, judge []tune.Week, err error) {
	search, choice, judge = make([]tune.Week, searches), make([]tune.Week, choices), make([]tune.Week, judges)
	for i, s := range t.bench.scenarios {
		early, late, err := t.bench.parts(t.app.ctx, i)
		if err != nil {
			return nil, nil, nil, err
		}
		if n := weathers * len(late); s.Generate == nil && n < len(judge) {
			judge = judge[:n]
		}
		for k := range searches + choices {
			fold := tune.Fold{Scenario: i, Seed: t.seed + uint64(k)}
			if s.Generate == nil {
				fold.Part, fold.Seed = early[k%len(early)], t.seed+uint64(k/len(early))
			}
			if k < searches {
				search[k] = append(search[k], fold)
			} else {
				choice[k-searches] = append(choice[k-searches], fold)
			}
		}
		for k := range judge {
			fold := tune.Fold{Scenario: i, Seed: t.seed + uint64(searches+choices+k)}
			if s.Generate == nil {
				fold.Part, fold.Seed = late[k%len(late)], t.seed+uint64(searches+choices+k/len(late))
			}
			judge[k] = append(judge[k], fold)
		}
	}
	return search, choice, judge, nil
}

// parts returns the windows of a recorded trace that tune and those that judge:
// the later ones judge.
func (b *bench) parts(ctx context.Context, i int) (early, late []*tune.Part, err error) {
	s := b.scenarios[i]
	if s.Generate != nil {
		return nil, nil, nil
	}
	world, err := b.worlds.open(ctx, &tune.Fold{Scenario: i})
	if err != nil {
		return nil, nil, err
	}
	span, err := world.Span()
	if err != nil {
		return nil, nil, err
	}
	first := int64(s.JudgeFrom)
	if span < windowsMin*window {
		half := int64(span / 2)
		if first >= half {
			return nil, nil, inputError(fmt.Errorf("%s: judged from %v on, a trace of %v: too short to tune on one part and judge on the other", s.Path, s.JudgeFrom, span.Round(time.Second)))
		}
		return []*tune.Part{{Judge: first, To: half}}, []*tune.Part{{Judge: half}}, nil
	}
	n := int(span / window)
	for k := range n {
		at := int64(k) * int64(window)
		p := &tune.Part{From: max(at-int64(window), 0), Judge: max(at, first), To: at + int64(window)}
		if k < (n+1)/2 {
			early = append(early, p)
		} else {
			late = append(late, p)
		}
	}
	return early, late, nil
}

// rounded returns x with six digits that matter.
func rounded(x float64) float64 {
	x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'g', 6, 64), 64)
	return x
}
