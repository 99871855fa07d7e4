package queue

import (
	"cmp"
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// Queues returns the job types the queue has heard of, by name.
func (e *Engine) Queues() api.QueuesResponse {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]api.Queue, 0, len(e.queues))
	for _, k := range e.queues {
		all = append(all, *k)
	}
	slices.SortFunc(all, func(a, b api.Queue) int { return strings.Compare(a.Type, b.Type) })
	return api.QueuesResponse{Queues: all}
}

// Pause stops handing out jobs of a type; those that run go on.
func (e *Engine) Pause(ctx context.Context, jobType string) (api.Queue, error) {
	return e.setQueue(ctx, jobType, func(k *api.Queue) { k.Paused = true })
}

// Resume ends a Pause.
func (e *Engine) Resume(ctx context.Context, jobType string) (api.Queue, error) {
	return e.setQueue(ctx, jobType, func(k *api.Queue) { k.Paused = false })
}

// Limit bounds a job type from now on; jobs that run go on.
func (e *Engine) Limit(ctx context.Context, jobType string, l api.Limit) (api.Queue, error) {
	if err := cmp.Or(
		checkNumber("running_max", l.RunningMax, 0, math.MaxInt32), checkNumber("burst", l.Burst, 0, 10_000),
		checkNumber("rate_per_s", l.RatePerS, 0, 1e9),
	); err != nil {
		return api.Queue{}, err
	}
	if day := (24 * time.Hour).Seconds(); l.RatePerS > 0 && l.RatePerS < 1/day {
		return api.Queue{}, refuse(api.CodeInvalid, "rate_per_s", "rate_per_s = %v: must be at least one start a day (%.7f), or 0", l.RatePerS, 1/day)
	}
	return e.setQueue(ctx, jobType, func(k *api.Queue) { k.Limit = l })
}

func (e *Engine) setQueue(ctx context.Context, jobType string, change func(*api.Queue)) (api.Queue, error) {
	if err := checkName("type", jobType, 1); err != nil {
		return api.Queue{}, err
	}
	if err := e.enter(ctx); err != nil {
		return api.Queue{}, err
	}
	if e.queues[jobType] == nil && len(e.queues) >= typesMax {
		e.mu.Unlock()
		return api.Queue{}, refuse(api.CodeUnavailable, "type", "the queue knows %d job types, the most there may be", typesMax)
	}
	k := e.heardOf(jobType)
	change(k)
	answer := *k
	err := e.apply(k)
	if err == nil {
		err = e.noteJSON("queue", jobType, k)
	}
	b := e.leave()
	if err != nil {
		return api.Queue{}, err
	}
	return answer, e.settle(ctx, b)
}

// apply tells the state machine how a job type is held back.
func (e *Engine) apply(k *api.Queue) error {
	l := dispatch.Limit{Running: k.Limit.RunningMax, Burst: k.Limit.Burst}
	if k.Limit.RatePerS > 0 {
		l.Every = max(1, time.Duration(float64(time.Second)/k.Limit.RatePerS))
	}
	if err := e.q.SetLimit(k.Type, l); err != nil {
		return err
	}
	if k.Paused {
		return e.q.Pause(k.Type)
	}
	return e.q.Resume(k.Type)
}

// noteJSON remembers a fact as JSON.
func (e *Engine) noteJSON(kind, key string, v any) error {
	text, err := json.Marshal(v)
	if err == nil {
		e.noteFact(kind, key, text)
	}
	return err
}

// KeyLimit bounds how many jobs of a concurrency key run at once.
func (e *Engine) KeyLimit(ctx context.Context, key string, l api.KeyLimit) (api.KeyLimit, error) {
	if err := cmp.Or(checkName("key", key, 1), checkNumber("running_max", l.RunningMax, 0, math.MaxInt32)); err != nil {
		return l, err
	}
	return l, e.set(ctx, "key-limit", key, l, l.RunningMax == 0, func() error { return e.q.SetKeyLimit(key, l.RunningMax) })
}

// Weight sets a tenant's share against one of weight 1.
func (e *Engine) Weight(ctx context.Context, tenant string, w api.Weight) (api.Weight, error) {
	if err := cmp.Or(checkName("tenant", tenant, 0), checkNumber("weight", w.Weight, 1, dispatch.WeightMax)); err != nil {
		return w, err
	}
	return w, e.set(ctx, "weight", tenant, w, w.Weight == 1, func() error { return e.q.SetWeight(tenant, w.Weight) })
}

// set changes something of the state machine and remembers it, unless it is
// what would be without.
func (e *Engine) set(ctx context.Context, kind, key string, v any, usual bool, do func() error) error {
	if err := e.enter(ctx); err != nil {
		return err
	}
	err := do()
	switch {
	case err != nil:
	case usual:
		e.noteFact(kind, key, nil)
	default:
		err = e.noteJSON(kind, key, v)
	}
	b := e.leave()
	if err != nil {
		return err
	}
	return e.settle(ctx, b)
}
