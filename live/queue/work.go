package queue

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// reply is what a call was answered, for a repetition of it.
type reply struct {
	reqID    string
	response api.WorkResponse
	ticket   *batch
}

// Work takes a worker's word about jobs that ended and jobs that run, and
// hands it jobs: at once if there are any, or anything else to say, and
// otherwise when there are, after wait_ms at the latest.
func (e *Engine) Work(ctx context.Context, r api.WorkRequest) (api.WorkResponse, error) {
	problem := cmp.Or(
		checkName("req_id", r.ReqID, 1), checkName("bundle_version", r.BundleVersion, 0),
		checkNumber("slots_free", r.SlotsFree, 0, 1<<20), checkNumber("max", r.Max, 0, 1<<20),
		checkNumber("done", len(r.Done), 0, api.BatchMax), checkNumber("types", len(r.Types), 0, api.BatchMax),
		checkNumber("wait_ms", r.WaitMS, 0, 1<<40),
	)
	if problem != nil {
		return api.WorkResponse{}, problem
	}
	w, past, now, err := e.enterAs(ctx, r.Session, r.Done)
	if err != nil {
		return api.WorkResponse{}, err
	}
	if again := e.repeat(w, r.ReqID); again != nil {
		answer := *again
		ticket := again.ticket
		e.leave()
		return e.stamp(answer.response), e.vouch(ctx, ticket, answer.response.Acks, answer.response.Lost, answer.response.Cancel)
	}
	c := &parkedCall{worker: w, ctx: ctx, reqID: r.ReqID, want: r.SlotsFree, types: r.Types, woken: make(chan struct{})}
	if r.Max > 0 {
		c.want = min(c.want, r.Max)
	}
	c.want = min(c.want, api.BatchMax)
	if len(c.types) == 0 {
		c.types = w.Types
	}
	e.noticed(w, r.TakenBackAt, now)
	c.response = e.hear(w, r.Seq, r.Running, r.Done, past, r.BundleVersion, r.Load, now)
	told := w.directive
	w.directive = c.response.Directive
	e.offer(c, c.want, now)
	wait := time.Duration(min(r.WaitMS, api.WaitMaxMS)) * time.Millisecond
	if wait <= 0 || c.says() || told != w.directive {
		c.remember(e)
		ticket := e.leave()
		return e.stamp(c.response), e.vouch(ctx, ticket, c.response.Acks, c.response.Lost, c.response.Cancel)
	}
	e.parked.park(c)
	e.leave()
	e.await(ctx, c.woken, wait)
	e.mu.Lock()
	e.parked.unpark(c)
	ticket := c.ticket
	if !c.answered {
		c.response.Directive = e.directiveFor(w, e.clock.now())
		w.directive = c.response.Directive
	}
	gone := e.err != nil
	if gone {
		defer e.mu.Unlock()
		return api.WorkResponse{}, e.gone()
	}
	e.mu.Unlock()
	if err := ctx.Err(); err != nil && ticket == nil {
		return api.WorkResponse{}, err
	}
	return e.stamp(c.response), e.vouch(ctx, ticket, c.response.Acks, c.response.Lost, c.response.Cancel)
}

// hear takes a worker's word about jobs that ended, then about those that run,
// and returns the answer to it without jobs.
func (e *Engine) hear(w *worker, seq int64, running []api.RunningJob, done []api.DoneJob, past counted, bundle string, load float64, now int64) api.WorkResponse {
	w.load = load
	if bundle != "" && bundle != w.BundleVersion {
		w.BundleVersion = strings.Clone(bundle)
		if err := e.noteWorker(w); err != nil {
			e.log().Error("remember a worker", "worker", w.ID, "error", err)
		}
	}
	answer := api.WorkResponse{Jobs: []api.LeasedJob{}, Acks: e.finish(w, done, past, now)}
	if seq != 0 && seq < w.seq { // a later call has overtaken it: what it says of running jobs is out of date
		answer.Lost, answer.Cancel = []int64{}, []int64{}
		if err := e.q.Renew(w.ID, now); err != nil {
			e.log().Error("renew", "worker", w.ID, "error", err)
		}
	} else {
		w.seq = max(w.seq, seq)
		answer.Lost, answer.Cancel = e.beat(w, running, now)
	}
	answer.Directive = e.directiveFor(w, now)
	answer.LeaseTTLMS, answer.NextBeatMS = e.leaseTTL().Milliseconds(), e.opt.BeatEvery.Milliseconds()
	return answer
}

// finish takes a worker's word about jobs that ended. past are completions that
// only the store knows of.
func (e *Engine) finish(w *worker, done []api.DoneJob, past counted, now int64) []api.Ack {
	acks := make([]api.Ack, len(done))
	for i := range done {
		d := &done[i]
		status := dispatch.Stale
		var f dispatch.Effect
		token := dispatch.Token(d.Token)
		// A token is easily guessed; that a worker has the job is not.
		if j := e.jobs.At(d.Job); j == nil || j.state != dispatch.Leased || j.worker == w {
			switch d.Outcome {
			case api.OutcomeOK:
				status, f = e.q.Complete(d.Job, token, now)
			case api.OutcomeError:
				status, f = e.q.Fail(d.Job, token, d.Final, now)
			case api.OutcomeReleased, api.OutcomeCancelled:
				status, f = e.q.Release(d.Job, token, now)
			}
		}
		e.arrive(now)
		if status == dispatch.Stale && past.repeats(d) {
			status = dispatch.Duplicate
		}
		if status == dispatch.Accepted {
			e.became(f, d, now)
		}
		acks[i] = api.Ack{Job: d.Job, Status: ackOf[status]}
	}
	return acks
}

var ackOf = [...]api.AckStatus{dispatch.Stale: api.AckStale, dispatch.Duplicate: api.AckDuplicate, dispatch.Accepted: api.AckAccepted}

// beat takes a worker's word about the jobs it runs.
func (e *Engine) beat(w *worker, running []api.RunningJob, now int64) (lost, cancel []int64) {
	claims := make([]dispatch.Claim, len(running))
	for i, r := range running {
		claims[i] = dispatch.Claim{ID: r.Job, Token: dispatch.Token(r.Token)}
	}
	report, err := e.q.Beat(w.ID, claims, now)
	if err != nil {
		e.log().Error("beat", "worker", w.ID, "error", err) // its name is ours and good
	}
	e.effects = append(e.effects, report.Effects...)
	e.book(now)
	lost, cancel = make([]int64, len(report.Lost)), append([]int64{}, report.Cancel...)
	for i, c := range report.Lost {
		lost[i] = c.ID
	}
	for _, r := range running {
		if j := e.jobs.At(r.Job); j != nil && j.state == dispatch.Leased && j.worker == w && r.Progress >= 0 && r.Progress <= 1 {
			j.progress = r.Progress
		}
	}
	return lost, cancel
}

// stamp puts the time into an answer.
func (e *Engine) stamp(r api.WorkResponse) api.WorkResponse {
	r.ServerTime = e.clock.read().UTC()
	return r
}

// Heartbeat is a Work call that wants nothing.
func (e *Engine) Heartbeat(ctx context.Context, r api.HeartbeatRequest) (api.HeartbeatResponse, error) {
	if err := checkName("bundle_version", r.BundleVersion, 0); err != nil {
		return api.HeartbeatResponse{}, err
	}
	if err := e.enter(ctx); err != nil {
		return api.HeartbeatResponse{}, err
	}
	now := e.clock.now()
	w, err := e.session(r.Session, now)
	if err != nil {
		e.mu.Unlock()
		return api.HeartbeatResponse{}, err
	}
	e.noticed(w, r.TakenBackAt, now)
	a := e.stamp(e.hear(w, r.Seq, r.Running, nil, nil, r.BundleVersion, r.Load, now))
	w.directive = a.Directive
	e.leave() // a beat need not be on disk
	if err := e.vouch(ctx, nil, nil, a.Lost, a.Cancel); err != nil {
		return api.HeartbeatResponse{}, err
	}
	return api.HeartbeatResponse{
		Directive: a.Directive, Lost: a.Lost, Cancel: a.Cancel, LeaseTTLMS: a.LeaseTTLMS, NextBeatMS: a.NextBeatMS, ServerTime: a.ServerTime,
	}, nil
}

// Complete takes a worker's word about jobs that ended, and says nothing of
// others.
func (e *Engine) Complete(ctx context.Context, r api.CompleteRequest) (api.CompleteResponse, error) {
	if err := checkNumber("done", len(r.Done), 1, api.BatchMax); err != nil {
		return api.CompleteResponse{}, err
	}
	w, past, now, err := e.enterAs(ctx, r.Session, r.Done)
	if err != nil {
		return api.CompleteResponse{}, err
	}
	answer := api.CompleteResponse{Acks: e.finish(w, r.Done, past, now)}
	if err := e.q.Renew(w.ID, now); err != nil {
		e.log().Error("renew", "worker", w.ID, "error", err)
	}
	if !slices.ContainsFunc(answer.Acks, func(a api.Ack) bool { return a.Status != api.AckStale }) {
		answer.Error = refuse(api.CodeStale, "done", "the leases are lost: other attempts count")
	}
	ticket := e.leave()
	answer.ServerTime = e.clock.read().UTC()
	return answer, e.vouch(ctx, ticket, answer.Acks, nil, nil)
}
