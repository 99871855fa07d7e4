package tune

import (
	"context"
	"sync"

	"github.com/skynet-ec2/skynet/sim"
)

// A Runner runs the tasks of a plan. It calls done once for each, from one
// goroutine at a time and in any order, and returns the first error, that of
// done included.
type Runner interface {
	Run(ctx context.Context, p *Plan, done func(task int, m *Metrics) error) error
}

// Evaluate simulates a candidate on a fold.
type Evaluate func(ctx context.Context, candidate Raw, fold *Fold) (*Metrics, error)

// Local runs plans in this process.
type Local struct {
	Evaluate Evaluate
	// Parallel is how many runs there are at once.
	Parallel int
}

// Run runs the plan's tasks, begun in their order.
func (l *Local) Run(ctx context.Context, p *Plan, done func(task int, m *Metrics) error) error {
	return l.RunPart(ctx, p, 0, len(p.Tasks), done)
}

// RunPart runs the tasks from the first to before the second index.
func (l *Local) RunPart(ctx context.Context, p *Plan, from, to int, done func(task int, m *Metrics) error) error {
	var one sync.Mutex
	return sim.Each(ctx, l.Parallel, to-from, func(ctx context.Context, i int) error {
		t := p.Tasks[from+i]
		m, err := l.Evaluate(ctx, p.Candidates[t.Candidate], &p.Folds[t.Fold])
		if err != nil {
			return err
		}
		one.Lock()
		defer one.Unlock()
		return done(from+i, m)
	})
}

// RunShard runs part i of a plan and returns its shard.
func (l *Local) RunShard(ctx context.Context, p *Plan, i int, done func()) (*Shard, error) {
	from, to := p.Part(i)
	results := make([]Metrics, to-from)
	err := l.RunPart(ctx, p, from, to, func(task int, m *Metrics) error {
		results[task-from] = *m
		done()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return ShardOf(p, i, results), nil
}
