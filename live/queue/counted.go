package queue

import (
	"context"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// counted are completions that the store has and the engine does not know of:
// the token that counted, by job.
type counted map[int64]dispatch.Token

// enterAs locks the engine for a call of a session, as enter does. Of jobs that
// the call reports as done and that ended under an earlier leader, or long ago,
// it looks up which attempt counted: the state machine has forgotten it, and a
// repetition must not be told that it came too late. Usually there are none,
// and nothing is read.
func (e *Engine) enterAs(ctx context.Context, session string, done []api.DoneJob) (*worker, counted, int64, error) {
	var past counted
	for {
		if err := e.enter(ctx); err != nil {
			return nil, nil, 0, err
		}
		now := e.clock.now()
		w, err := e.session(session, now)
		if err != nil {
			e.mu.Unlock()
			return nil, nil, 0, err
		}
		var ids []int64
		if past == nil {
			ids = e.forgotten(done)
		}
		if len(ids) == 0 {
			return w, past, now, nil
		}
		e.mu.Unlock()
		try, cancel := context.WithTimeout(ctx, e.opt.CommitTimeout)
		past, err = e.store.Completed(try, ids)
		cancel()
		switch {
		case ctx.Err() != nil:
			return nil, nil, 0, ctx.Err()
		case err != nil:
			return nil, nil, 0, storeError(err)
		}
		if past == nil {
			past = counted{}
		}
	}
}

// forgotten returns the jobs reported as done of which the engine knows nothing,
// though they may have been handed out.
func (e *Engine) forgotten(done []api.DoneJob) (ids []int64) {
	for i := range done {
		d := &done[i]
		if d.Outcome != api.OutcomeOK || d.Job < 1 || d.Job >= e.q.NextID() || d.Token == 0 || e.jobs.At(d.Job) != nil {
			continue
		}
		if _, known := e.q.Job(d.Job); !known {
			ids = append(ids, d.Job)
		}
	}
	return ids
}

// repeats reports whether a word is the repetition of a completion that counted.
func (c counted) repeats(d *api.DoneJob) bool {
	token, ok := c[d.Job]
	return ok && d.Outcome == api.OutcomeOK && token == dispatch.Token(d.Token)
}
