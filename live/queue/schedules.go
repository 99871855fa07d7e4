package queue

import (
	"context"
	"encoding/json"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// plan is a schedule in force.
type plan struct {
	api.Schedule
	cron cron
	zone *time.Location
	next int64
}

// newPlan checks a schedule.
func newPlan(name string, s api.Schedule) (*plan, *api.Error) {
	if err := checkName("schedule", name, 1); err != nil {
		return nil, err
	}
	if s.Name != "" && s.Name != name {
		return nil, refuse(api.CodeInvalid, "name", "name %q: the path says %q", s.Name, name)
	}
	s.Name = name
	p := &plan{Schedule: s}
	var err error
	if p.cron, err = parseCron(s.Cron); err != nil {
		return nil, refuse(api.CodeInvalid, "cron", "cron: %v", err)
	}
	if p.zone, err = time.LoadLocation(s.Zone); err != nil {
		return nil, refuse(api.CodeInvalid, "zone", "zone %q: there is no such time zone", s.Zone)
	}
	if !s.Job.RunAt.IsZero() || s.Job.DelayMS != 0 || s.Job.Key != "" {
		return nil, refuse(api.CodeInvalid, "job", "a scheduled job must not have run_at, delay_ms or key")
	}
	var job submission
	if err := job.prepare(&p.Job); err != nil {
		err.Field = "job." + err.Field
		return nil, err
	}
	return p, nil
}

// plan sets when the schedule is due next: after it was last, or after now if
// it never was.
func (p *plan) plan(now int64) {
	from := time.Unix(0, now)
	if !p.LastAt.IsZero() {
		from = p.LastAt
	}
	p.NextAt = p.cron.next(from.In(p.zone)).UTC()
	p.next = p.NextAt.UnixNano()
}

// SetSchedule makes the queue submit a job again and again, in place of what
// the schedule of this name did before. A time that passed while nobody led is
// made up for once.
func (e *Engine) SetSchedule(ctx context.Context, name string, s api.Schedule) (api.Schedule, error) {
	s.LastAt, s.NextAt = time.Time{}, time.Time{}
	p, problem := newPlan(name, s)
	if problem != nil {
		return api.Schedule{}, problem
	}
	if err := e.enter(ctx); err != nil {
		return api.Schedule{}, err
	}
	p.plan(e.clock.now())
	e.plans[name] = p
	err := e.noteJSON("schedule", name, &p.Schedule)
	answer := p.Schedule
	poke(e.rouse)
	b := e.leave()
	if err != nil {
		return api.Schedule{}, err
	}
	return answer, e.settle(ctx, b)
}

// DeleteSchedule ends a schedule. Jobs that it submitted stay.
func (e *Engine) DeleteSchedule(ctx context.Context, name string) error {
	if err := e.enter(ctx); err != nil {
		return err
	}
	if e.plans[name] == nil {
		e.mu.Unlock()
		return refuse(api.CodeNotFound, "schedule", "there is no schedule %q", name)
	}
	delete(e.plans, name)
	e.noteFact("schedule", name, nil)
	return e.settle(ctx, e.leave())
}

// Schedules returns the schedules by name.
func (e *Engine) Schedules() api.SchedulesResponse {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := make([]api.Schedule, 0, len(e.plans))
	for _, p := range e.plans {
		all = append(all, p.Schedule)
	}
	slices.SortFunc(all, func(a, b api.Schedule) int { return strings.Compare(a.Name, b.Name) })
	return api.SchedulesResponse{Schedules: all}
}

// nextPlan returns when the next schedule is due.
func (e *Engine) nextPlan() int64 {
	next := int64(math.MaxInt64)
	for _, p := range e.plans {
		next = min(next, p.next)
	}
	return next
}

// runPlans submits the jobs that are due. The job and when the schedule was
// last due are written together: whoever leads next does not submit it again.
func (e *Engine) runPlans(now int64) {
	for name, p := range e.plans {
		if p.next > now {
			continue
		}
		var job submission
		problem := job.prepare(&p.Job)
		if g := p.Job.Group; g != "" {
			job.group = e.groups[g] // one that was forgotten counts no more
		}
		if problem == nil {
			if _, _, err := e.admit(&job, now); err != nil {
				e.log().Error("submit a scheduled job", "schedule", name, "error", err)
			}
		}
		p.LastAt = e.at(now)
		p.plan(now)
		if err := e.noteJSON("schedule", name, &p.Schedule); err != nil {
			e.log().Error("remember a schedule", "schedule", name, "error", err)
		}
	}
}

func (e *Engine) loadPlan(f Fact) error {
	var s api.Schedule
	if err := json.Unmarshal(f.Value, &s); err != nil {
		return err
	}
	p, problem := newPlan(f.Key, s)
	if problem != nil {
		return problem
	}
	p.plan(e.clock.now())
	if p.LastAt.IsZero() && !s.NextAt.IsZero() {
		p.NextAt, p.next = s.NextAt, s.NextAt.UnixNano() // it may have passed
	}
	e.plans[f.Key] = p
	return nil
}
