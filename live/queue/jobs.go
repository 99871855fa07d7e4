package queue

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// Filter says which jobs a list shows.
type Filter = api.Filter

// apiStates names the states of the state machine.
var apiStates = map[dispatch.State]api.State{
	dispatch.Waiting: api.StateWaiting, dispatch.Delayed: api.StateDelayed, dispatch.Leased: api.StateLeased,
	dispatch.Dead: api.StateDead, dispatch.Quarantined: api.StateQuarantined, dispatch.Done: api.StateDone, dispatch.Cancelled: api.StateCancelled,
}

// describeJob returns what the queue knows of a job that has not ended.
func (e *Engine) describeJob(id int64, j *job) api.Job {
	s, _ := e.q.Job(id)
	a := api.Job{
		JobSpec: specOf(&s.Spec, j.key, j.groupID(), j.promise, j.bytesIn, j.args),
		ID:      id, State: apiStates[j.state], Attempts: s.Attempts, Failures: s.Failures, Losses: s.Losses,
		SubmittedAt: e.at(j.created), ArrivedAt: e.at(j.arrival), Progress: j.progress, Cancelling: s.Cancelling, Error: j.err,
	}
	if s.State == dispatch.Delayed {
		at := e.at(s.Due)
		a.NextAt = &at
	}
	if j.worker != nil {
		a.Worker = j.worker.ID
	}
	if j.started != 0 {
		at := e.at(j.started)
		a.StartedAt = &at
	}
	return a
}

// specOf returns a job as it was submitted.
func specOf(s *dispatch.Spec, key, group string, promise, bytesIn int64, args []byte) api.JobSpec {
	return api.JobSpec{
		Type: s.Type, Priority: int(s.Priority), Tenant: s.Tenant, Key: unscopedKey(s.Tenant, key), ConcurrencyKey: s.ConcurrencyKey, Group: group,
		EstimateS: s.Estimate.Seconds(), DueMS: promise / int64(time.Millisecond), MaxRunMS: s.MaxRun.Milliseconds(), AttemptsMax: s.AttemptsMax,
		BytesIn: bytesIn, Args: args,
	}
}

// unscopedKey returns what the tenant called the key; empty where only its hash
// is known.
func unscopedKey(tenant, scoped string) string {
	key, _ := strings.CutPrefix(scoped, strconv.Itoa(len(tenant))+":"+tenant)
	if key == scoped {
		return ""
	}
	return key
}

// describe returns what history knows of a job.
func (r *Record) describe() api.Job {
	at := func(ns int64) time.Time { return time.Unix(0, ns).UTC() }
	finished := at(r.Finished)
	a := api.Job{
		JobSpec: api.JobSpec{
			Type: r.Type, Priority: int(r.Priority), Tenant: r.Tenant, Group: r.Group,
			EstimateS: float64(r.Estimate) / 1e9, DueMS: r.Promise / int64(time.Millisecond), BytesIn: r.BytesIn,
		},
		ID: r.ID, State: apiStates[r.State], Attempts: r.Attempts, Failures: r.Failures, Losses: r.Losses,
		SubmittedAt: at(r.Created), ArrivedAt: at(r.Arrival), FinishedAt: &finished, Worker: r.Worker, Error: r.Error, ResultURI: r.Result,
	}
	if r.Started != 0 {
		started := at(r.Started)
		a.StartedAt = &started
	}
	if m := (api.Metrics{RunS: float64(r.Run) / 1e9, CPUS: float64(r.CPU) / 1e9, BytesIn: r.BytesIn, BytesOut: r.BytesOut, PeakMemoryBytes: r.PeakMemory}); m != (api.Metrics{}) && r.State == dispatch.Done {
		a.Metrics = &m
	}
	return a
}

// Job returns what is known of a job, once it has ended or wait has passed.
func (e *Engine) Job(ctx context.Context, id int64, wait time.Duration) (api.Job, error) {
	if err := e.enter(ctx); err != nil {
		return api.Job{}, err
	}
	if wait > 0 && e.notEnded(id) {
		ended := make(chan struct{})
		e.watchers[id] = append(e.watchers[id], ended)
		e.mu.Unlock()
		e.await(ctx, ended, wait)
		e.mu.Lock()
		if left := slices.DeleteFunc(e.watchers[id], func(c chan struct{}) bool { return c == ended }); len(left) > 0 {
			e.watchers[id] = left
		} else {
			delete(e.watchers, id)
		}
	}
	return e.lookAt(ctx, id)
}

// notEnded reports whether something may happen to a job by itself.
func (e *Engine) notEnded(id int64) bool {
	if j := e.jobs.At(id); j != nil {
		return j.state != dispatch.Dead && j.state != dispatch.Quarantined
	}
	return e.recent.by[id] == nil && e.cold.mayHave(id)
}

// lookAt unlocks the engine and returns what is known of a job.
func (e *Engine) lookAt(ctx context.Context, id int64) (api.Job, error) {
	if j := e.jobs.At(id); j != nil {
		answer := e.describeJob(id, j)
		return answer, e.settle(ctx, e.leave())
	}
	if r := e.recent.by[id]; r != nil {
		answer := r.describe()
		return answer, e.settle(ctx, e.leave())
	}
	if err := e.settle(ctx, e.leave()); err != nil {
		return api.Job{}, err
	}
	if id < 1 || id > api.IDMax {
		return api.Job{}, noJob(id)
	}
	ctx, cancel := context.WithTimeout(ctx, e.opt.CommitTimeout)
	defer cancel()
	if j, ok, err := e.store.ColdJob(ctx, id); err != nil {
		return api.Job{}, storeError(err)
	} else if ok {
		return e.describeCold(&j), nil
	}
	r, ok, err := e.store.Ended(ctx, id)
	switch {
	case err != nil:
		return api.Job{}, storeError(err)
	case !ok:
		return api.Job{}, noJob(id)
	}
	return r.describe(), nil
}

func (e *Engine) describeCold(j *Job) api.Job {
	return api.Job{
		JobSpec: specOf(&j.Spec, j.IdempotencyKey, j.Group, j.Promise, j.BytesIn, j.Args),
		ID:      j.ID, State: api.StateWaiting, SubmittedAt: e.at(j.Created), ArrivedAt: e.at(j.RunAt),
	}
}

func noJob(id int64) error { return refuse(api.CodeNotFound, "job", "there is no job %d", id) }

func storeError(err error) error {
	return refuse(api.CodeUnavailable, "", "the store does not answer: %v", err)
}

// Jobs lists jobs that have not ended, by id.
func (e *Engine) Jobs(ctx context.Context, f Filter) (api.JobsResponse, error) {
	limit := f.Limit
	if limit == 0 {
		limit = 100
	}
	if err := checkNumber("limit", limit, 1, api.BatchMax); err != nil {
		return api.JobsResponse{}, err
	}
	if err := e.enter(ctx); err != nil {
		return api.JobsResponse{}, err
	}
	want := api.Selector{State: f.State, Type: f.Type, Tenant: f.Tenant, Group: f.Group}
	answer := api.JobsResponse{Jobs: []api.Job{}}
	err := e.walk(ctx, &want, f.After, func(id int64, j *job) bool {
		if len(answer.Jobs) == limit {
			answer.Next = answer.Jobs[limit-1].ID
			return false
		}
		answer.Jobs = append(answer.Jobs, e.describeJob(id, j))
		return true
	})
	if err != nil {
		return api.JobsResponse{}, err
	}
	return answer, e.settle(ctx, e.leave())
}

// lookStep is how many jobs somebody looks at, who looks at many, before others
// are let in.
const lookStep = 4096

// walk calls each for the jobs in memory that a selector names and whose ids
// are greater than after, by id, until it returns false. The engine is locked,
// and let go now and then; each sees a job as it is when its turn comes. After
// an error the engine is not locked any longer.
func (e *Engine) walk(ctx context.Context, s *api.Selector, after int64, each func(id int64, j *job) bool) error {
	if len(s.Jobs) > 0 {
		for _, id := range slices.Compact(slices.Sorted(slices.Values(s.Jobs))) {
			if j := e.jobs.At(id); j != nil && id > after && e.matches(s, j) && !each(id, j) {
				break
			}
		}
		return nil
	}
	for among, more := e.among(s.State), true; ; {
		after, more = among.Step(after, lookStep, func(id int64, j *job) bool { return !e.matches(s, j) || each(id, j) })
		if !more {
			return nil
		}
		e.mu.Unlock()
		runtime.Gosched() // whoever waits for the lock shall have it
		if err := e.enter(ctx); err != nil {
			return err
		}
	}
}

// among returns a table of jobs in memory in which those of a state are, all of
// them if none is given.
func (e *Engine) among(s api.State) *jobTable {
	switch s {
	case api.StateDead, api.StateQuarantined:
		return &e.resting
	case api.StateLeased:
		return &e.running
	}
	return &e.jobs
}

// matches reports whether a selector names a job, its list of ids left out.
func (e *Engine) matches(s *api.Selector, j *job) bool {
	return (s.Type == "" || s.Type == j.tally.jobType) &&
		(s.Priority == nil || *s.Priority == int(j.tally.priority)) &&
		(s.Group == "" || s.Group == j.groupID()) &&
		(s.State == "" || s.State == apiStates[j.state]) &&
		(s.Tenant == "" || s.Tenant == j.tenant) &&
		(s.OlderThanS <= 0 || float64(e.clock.now()-j.arrival) > s.OlderThanS*1e9)
}

// Cancel ends a job. One that runs is stopped by its worker, which is told with
// its next word.
func (e *Engine) Cancel(ctx context.Context, id int64) (api.Job, error) {
	return e.change(ctx, id, e.cancelJob)
}

// Retry lets a dead or quarantined job stand in line again, and a delayed one
// at once.
func (e *Engine) Retry(ctx context.Context, id int64) (api.Job, error) {
	return e.change(ctx, id, e.retryJob)
}

// SetPriority moves a job to another priority.
func (e *Engine) SetPriority(ctx context.Context, id int64, priority int) (api.Job, error) {
	if err := checkNumber("priority", priority, 0, api.PriorityMax); err != nil {
		return api.Job{}, err
	}
	return e.change(ctx, id, func(id, now int64) error {
		j := e.jobs.At(id)
		err := e.q.SetPriority(id, uint8(priority), now)
		e.arrive(now)
		if err != nil {
			return err
		}
		state := j.state
		e.move(id, j, dispatch.Unknown, now)
		j.tally, j.sized = e.tallyOf(j.tally.jobType, uint8(priority)), nil
		e.move(id, j, state, now)
		e.noteChanged(id)
		return nil
	})
}

// change does something to a job and returns what it has become.
func (e *Engine) change(ctx context.Context, id int64, do func(id, now int64) error) (api.Job, error) {
	if err := e.warm(ctx, id); err != nil {
		return api.Job{}, err
	}
	if err := e.enter(ctx); err != nil {
		return api.Job{}, err
	}
	if e.jobs.At(id) == nil {
		answer, err := e.lookAt(ctx, id)
		if err == nil {
			err = refuse(api.CodeConflict, "job", "job %d is %s", id, answer.State)
		}
		return answer, err
	}
	if err := do(id, e.clock.now()); err != nil {
		state := apiStates[e.jobs.At(id).state]
		e.leave()
		return api.Job{}, refuse(api.CodeConflict, "job", "job %d is %s", id, state)
	}
	return e.lookAt(ctx, id)
}

func (e *Engine) cancelJob(id, now int64) error {
	w := e.jobs.At(id).worker
	f, err := e.q.Cancel(id, now)
	e.arrive(now)
	if err != nil {
		return err
	}
	e.became(f, nil, now)
	if f.State == dispatch.Leased {
		e.tell(w, id)
	}
	return nil
}

func (e *Engine) retryJob(id, now int64) error {
	f, err := e.q.Retry(id, now)
	e.arrive(now)
	if err != nil {
		return err
	}
	e.became(f, nil, now)
	return nil
}

// CancelSelected cancels the jobs that a selector names, or counts them.
func (e *Engine) CancelSelected(ctx context.Context, r api.SelectRequest) (api.SelectResponse, error) {
	return e.changeSelected(ctx, r, e.cancelJob)
}

// RetrySelected retries the jobs that a selector names, or counts them.
func (e *Engine) RetrySelected(ctx context.Context, r api.SelectRequest) (api.SelectResponse, error) {
	return e.changeSelected(ctx, r, e.retryJob)
}

func (e *Engine) changeSelected(ctx context.Context, r api.SelectRequest, do func(id, now int64) error) (api.SelectResponse, error) {
	s := &r.Selector
	problem := cmp.Or(checkNumber("selector.jobs", len(s.Jobs), 0, api.BatchMax), checkNumber("confirm", r.Confirm, 0, 1<<53))
	switch {
	case problem != nil:
		return api.SelectResponse{}, problem
	case s.Type == "" && s.Tenant == "" && s.Group == "" && s.State == "" && s.Priority == nil && len(s.Jobs) == 0 && s.OlderThanS == 0:
		return api.SelectResponse{}, refuse(api.CodeRequired, "selector", "a selector without any field would name every job")
	}
	if err := e.warmSelected(ctx, s); err != nil {
		return api.SelectResponse{}, err
	}
	if err := e.enter(ctx); err != nil {
		return api.SelectResponse{}, err
	}
	var ids []int64
	err := e.walk(ctx, s, 0, func(id int64, _ *job) bool {
		ids = append(ids, id)
		return true
	})
	if err != nil {
		return api.SelectResponse{}, err
	}
	if r.Confirm == 0 {
		return api.SelectResponse{Matched: len(ids), DryRun: true}, e.settle(ctx, e.leave())
	}
	if len(ids) > r.Confirm {
		e.mu.Unlock()
		return api.SelectResponse{}, refuse(api.CodeMoreMatch, "confirm", "%d jobs match, and %d were confirmed: nothing was changed", len(ids), r.Confirm)
	}
	answer := api.SelectResponse{Matched: len(ids)}
	now := e.clock.now()
	for i, id := range ids {
		if i%selectStep == selectStep-1 {
			// Others are let in, and do not have to wait until all that is
			// selected is written: each step is a commit.
			if err := e.settle(ctx, e.leave()); err != nil {
				return answer, err
			}
			if err := e.enter(ctx); err != nil {
				return answer, err
			}
			now = e.clock.now()
		}
		if j := e.jobs.At(id); j != nil && e.matches(s, j) && do(id, now) == nil {
			answer.Changed++
		}
	}
	return answer, e.settle(ctx, e.leave())
}

// selectStep is how many jobs a selection changes before it lets others in.
const selectStep = 1000
