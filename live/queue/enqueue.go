package queue

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// Bounds of a job beyond those of api.
const (
	delayMax    = 10 * 365 * 24 * time.Hour
	estimateMax = 1e9     // core-seconds
	typesMax    = 1 << 16 // job types a queue knows
	attemptsMax = 1<<16 - 1
	runMax      = 365 * 24 * time.Hour
)

// Enqueue takes all of the jobs or none, and returns what became of each once
// that is written. A call with an idempotency key that was used within KeyFor
// is answered as the first one was. The key is the caller's to keep apart from
// those of others.
func (e *Engine) Enqueue(ctx context.Context, specs []api.JobSpec, idempotencyKey string) ([]api.Submitted, error) {
	if len(specs) == 0 || len(specs) > api.BatchMax {
		return nil, checkNumber("jobs", len(specs), 1, api.BatchMax)
	}
	if err := checkName("Idempotency-Key", idempotencyKey, 0); err != nil {
		return nil, err
	}
	prepared := make([]submission, len(specs))
	for i := range specs {
		if err := prepared[i].prepare(&specs[i]); err != nil {
			if len(specs) > 1 {
				err.Field = fmt.Sprintf("jobs[%d].%s", i, err.Field)
			}
			return nil, err
		}
	}
	if err := e.enter(ctx); err != nil {
		return nil, err
	}
	out, err := e.enqueue(prepared, idempotencyKey)
	b := e.leave()
	if err != nil {
		return nil, err
	}
	return out, e.settle(ctx, b)
}

// submission is a job on its way in.
type submission struct {
	spec  dispatch.Spec
	from  *api.JobSpec
	delay time.Duration // or 0
	group *group
}

// prepare checks a job as far as that is possible without the queue.
func (s *submission) prepare(from *api.JobSpec) *api.Error {
	s.from = from
	err := cmp.Or(
		checkName("type", from.Type, 1), checkName("tenant", from.Tenant, 0), checkName("key", from.Key, 0),
		checkName("concurrency_key", from.ConcurrencyKey, 0), checkName("group", from.Group, 0),
		checkNumber("priority", from.Priority, 0, api.PriorityMax),
		checkNumber("delay_ms", from.DelayMS, 0, delayMax.Milliseconds()),
		checkNumber("estimate_s", from.EstimateS, 0, estimateMax),
		checkNumber("due_ms", from.DueMS, 0, runMax.Milliseconds()),
		checkNumber("max_run_ms", from.MaxRunMS, 0, runMax.Milliseconds()),
		checkNumber("attempts_max", from.AttemptsMax, 0, attemptsMax),
		checkNumber("bytes_in", from.BytesIn, 0, 1<<60),
	)
	switch {
	case err != nil:
		return err
	case len(from.Args) > api.ArgsMaxBytes:
		return refuse(api.CodeTooLarge, "args", "args of %d bytes: must be at most %d", len(from.Args), api.ArgsMaxBytes)
	case !from.RunAt.IsZero() && from.DelayMS != 0:
		return refuse(api.CodeInvalid, "delay_ms", "delay_ms and run_at are given: one of them must be left out")
	case !from.RunAt.IsZero() && (from.RunAt.Year() < 1970 || from.RunAt.Year() > 2200):
		return refuse(api.CodeInvalid, "run_at", "run_at = %v: must be from 1970 to 2200", from.RunAt)
	}
	s.delay = time.Duration(from.DelayMS) * time.Millisecond
	s.spec = dispatch.Spec{
		Type: from.Type, Priority: uint8(from.Priority), Tenant: from.Tenant, ConcurrencyKey: from.ConcurrencyKey,
		IdempotencyKey: scopedKey(from.Tenant, from.Key),
		Estimate:       time.Duration(nanoseconds(from.EstimateS)), MaxRun: time.Duration(from.MaxRunMS) * time.Millisecond, AttemptsMax: from.AttemptsMax,
	}
	if !from.RunAt.IsZero() {
		s.spec.RunAt = from.RunAt.UnixNano()
	}
	return nil
}

// scopedKey returns a tenant's key so that it differs from those of others: one
// that is short as it is, a longer one by its hash.
func scopedKey(tenant, key string) string {
	if key == "" {
		return ""
	}
	s := strconv.Itoa(len(tenant)) + ":" + tenant + key
	if len(s) > api.NameMax {
		sum := sha256.Sum256([]byte(s))
		return "sha256:" + hex.EncodeToString(sum[:])
	}
	return s
}

func (e *Engine) enqueue(jobs []submission, idempotencyKey string) ([]api.Submitted, error) {
	now := e.clock.now()
	if r := e.requests[idempotencyKey]; r != nil && idempotencyKey != "" && r.Until > now {
		before := r.answer()
		if len(before) != len(jobs) {
			return nil, refuse(api.CodeConflict, api.IdempotencyHeader, "the key came with %d jobs before, and with %d now", len(before), len(jobs))
		}
		return before, nil
	}
	for i := range jobs {
		s := &jobs[i]
		if name := s.from.Group; name != "" {
			if s.group = e.groups[name]; s.group == nil || s.group.Tenant != s.spec.Tenant {
				field := "group"
				if len(jobs) > 1 {
					field = fmt.Sprintf("jobs[%d].group", i)
				}
				return nil, refuse(api.CodeNotFound, field, "there is no group %q of tenant %q", name, s.spec.Tenant)
			}
		}
	}
	if len(e.queues)+len(jobs) > typesMax {
		for i := range jobs {
			if e.queues[jobs[i].spec.Type] == nil {
				return nil, refuse(api.CodeUnavailable, "type", "the queue knows %d job types, nearly the most there may be (%d)", len(e.queues), typesMax)
			}
		}
	}
	out := make([]api.Submitted, len(jobs))
	for i := range jobs {
		id, added, err := e.admit(&jobs[i], now)
		if err != nil {
			return nil, err
		}
		out[i] = api.Submitted{ID: id, Added: added}
	}
	if idempotencyKey != "" {
		r := newRequest(out, now+int64(e.q.Options().KeyFor))
		e.requests[idempotencyKey] = r
		text, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		e.noteFact("request", idempotencyKey, text)
	}
	return out, nil
}

// admit adds one job.
func (e *Engine) admit(s *submission, now int64) (id int64, added bool, err error) {
	b := e.open()
	b.weight++
	spec := s.spec
	if s.delay > 0 {
		spec.RunAt = now + int64(s.delay)
	}
	e.heardOf(spec.Type)
	if e.goesCold(&spec, now) {
		return e.admitCold(s, spec, now)
	}
	id, added, err = e.q.Enqueue(spec, now)
	e.arrive(now)
	if err != nil || !added {
		return id, added, err
	}
	j := &job{
		tally: e.tallyOf(spec.Type, spec.Priority), group: s.group, tenant: spec.Tenant, key: spec.IdempotencyKey,
		created: now, arrival: max(now, spec.RunAt), promise: s.from.DueMS * int64(time.Millisecond),
		estimate: int64(spec.Estimate), bytesIn: s.from.BytesIn,
	}
	if len(s.from.Args) > 0 {
		j.args = append([]byte(nil), s.from.Args...)
	}
	e.jobs.Put(id, j)
	b.added = append(b.added, id)
	to := dispatch.Waiting
	if j.arrival > now {
		to = dispatch.Delayed
	}
	e.move(id, j, to, now)
	if s.group != nil {
		s.group.Jobs++
		e.noteGroup(s.group)
	}
	return id, true, nil
}

// heardOf makes the queue list a job type.
func (e *Engine) heardOf(jobType string) *api.Queue {
	k := e.queues[jobType]
	if k == nil {
		k = &api.Queue{Type: jobType}
		e.queues[jobType] = k
	}
	return k
}
