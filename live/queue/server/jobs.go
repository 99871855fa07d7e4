package server

import (
	"fmt"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// wholeQueue refuses callers that are bound to a tenant.
func (c *call) wholeQueue() error {
	if c.caller.Tenant == "" {
		return nil
	}
	return &api.Error{Code: api.CodeForbidden, Field: "Authorization", Message: "a token bound to a tenant sees that tenant's jobs alone"}
}

// settleTenant fills in the tenant that a caller is bound to, and refuses
// another.
func (c *call) settleTenant(field string, tenant *string) error {
	switch bound := c.caller.Tenant; {
	case bound == "" || *tenant == bound:
	case *tenant == "":
		*tenant = bound
	default:
		return &api.Error{Code: api.CodeForbidden, Field: field, Message: fmt.Sprintf("the token is bound to tenant %q", bound)}
	}
	return nil
}

// settle fills in what a caller's token says of jobs, and refuses groups that it
// may not see.
func (c *call) settle(jobs []api.JobSpec, field func(i int, name string) string) error {
	var groups []string
	for i := range jobs {
		if err := c.settleTenant(field(i, "tenant"), &jobs[i].Tenant); err != nil {
			return err
		}
		g := jobs[i].Group
		if g == "" || c.caller.Tenant == "" || slices.Contains(groups, g) {
			continue
		}
		if _, err := c.seenGroup(g, field(i, "group")); err != nil {
			return err
		}
		groups = append(groups, g)
	}
	return nil
}

// idempotencyKey returns the key of a whole call, which is the tenant's own.
func (c *call) idempotencyKey() (string, error) {
	key := c.r.Header.Get(api.IdempotencyHeader)
	if key == "" {
		return "", nil
	}
	var p problems
	p.name(api.IdempotencyHeader, key, false)
	return c.caller.Tenant + "\n" + key, p.err() // no name holds a newline
}

func (c *call) enqueue(jobs []api.JobSpec, field func(i int, name string) string) ([]api.Submitted, error) {
	if err := c.settle(jobs, field); err != nil {
		return nil, err
	}
	key, err := c.idempotencyKey()
	if err != nil {
		return nil, err
	}
	return c.engine.Enqueue(c.ctx(), jobs, key)
}

func (c *call) submitJob() error {
	job, err := take(c, bodyBytesMax, checkOneSpec)
	if err != nil {
		return err
	}
	added, err := c.enqueue([]api.JobSpec{job}, func(_ int, name string) string { return name })
	if err != nil {
		return err
	}
	return c.answer(added[0])
}

func (c *call) submitBatch() error {
	jobs, err := takeBatch(c)
	if err != nil {
		return err
	}
	added, err := c.enqueue(jobs, func(i int, name string) string { return fmt.Sprintf("jobs[%d].%s", i, name) })
	if err != nil {
		return err
	}
	return c.answer(api.BatchResponse{Jobs: added})
}

// listMax is how many jobs a list holds unless the caller says otherwise.
const listMax = 100

func (c *call) listJobs() error {
	f := api.Filter{
		State: api.State(c.query.words["state"]), Type: c.query.words["type"], Tenant: c.query.words["tenant"],
		Group: c.query.words["group"], Limit: int(c.query.numbers["limit"]), After: c.query.numbers["after"],
	}
	setDefault(&f.Limit, listMax)
	if err := c.settleTenant("tenant", &f.Tenant); err != nil {
		return err
	}
	answer, err := c.engine.Jobs(c.ctx(), f)
	if err != nil {
		return err
	}
	return c.answer(answer)
}

// seenJob returns the job in the path, if the caller may see it.
func (c *call) seenJob() (api.Job, error) {
	id, err := c.id("job")
	if err != nil {
		return api.Job{}, err
	}
	job, err := c.engine.Job(c.ctx(), id, 0)
	if err == nil && c.caller.Tenant != "" && job.Tenant != c.caller.Tenant {
		err = &api.Error{Code: api.CodeNotFound, Field: "job", Message: fmt.Sprintf("there is no job %d", id)}
	}
	return job, err
}

func (c *call) job() error {
	job, err := c.seenJob()
	if err != nil {
		return err
	}
	if wait := c.wait(); wait > 0 && !job.State.Ended() {
		ctx, cancel := c.patience(wait)
		defer cancel()
		if job, err = c.engine.Job(ctx, job.ID, wait); err != nil {
			return err
		}
	}
	return c.answer(job)
}

// wait returns how long the caller would wait.
func (c *call) wait() time.Duration {
	return time.Duration(c.query.numbers["wait_ms"]) * time.Millisecond
}

func (c *call) cancelJob() error {
	job, err := c.seenJob()
	if err != nil {
		return err
	}
	return c.answerJob(c.engine.Cancel(c.ctx(), job.ID))
}

func (c *call) retryJob() error {
	job, err := c.seenJob()
	if err != nil {
		return err
	}
	return c.answerJob(c.engine.Retry(c.ctx(), job.ID))
}

func (c *call) prioritizeJob() error {
	job, err := c.seenJob()
	if err != nil {
		return err
	}
	r, err := take(c, bodyBytesMax, checkPriority)
	if err != nil {
		return err
	}
	return c.answerJob(c.engine.SetPriority(c.ctx(), job.ID, r.Priority))
}

func (c *call) answerJob(job api.Job, err error) error {
	if err != nil {
		return err
	}
	return c.answer(job)
}

func (c *call) takeSelect() (api.SelectRequest, error) {
	r, err := take(c, bodyBytesMax, checkSelect)
	if err == nil {
		err = c.settleTenant("selector.tenant", &r.Selector.Tenant)
	}
	return r, err
}

func (c *call) cancelJobs() error {
	r, err := c.takeSelect()
	if err != nil {
		return err
	}
	answer, err := c.engine.CancelSelected(c.ctx(), r)
	if err != nil {
		return err
	}
	return c.answer(answer)
}

func (c *call) retryJobs() error {
	r, err := c.takeSelect()
	if err != nil {
		return err
	}
	answer, err := c.engine.RetrySelected(c.ctx(), r)
	if err != nil {
		return err
	}
	return c.answer(answer)
}

func (c *call) makeGroup() error {
	r, err := take(c, bodyBytesMax, checkGroup)
	if err == nil {
		err = c.settleTenant("tenant", &r.Tenant)
	}
	if err != nil {
		return err
	}
	g, err := c.engine.NewGroup(c.ctx(), r)
	if err != nil {
		return err
	}
	return c.answer(g)
}

func (c *call) listGroups() error {
	tenant := c.query.words["tenant"]
	if err := c.settleTenant("tenant", &tenant); err != nil {
		return err
	}
	answer, err := c.engine.Groups(c.ctx(), tenant)
	if err != nil {
		return err
	}
	return c.answer(answer)
}

// seenGroup returns a group, if the caller may see it.
func (c *call) seenGroup(id, field string) (api.Group, error) {
	g, err := c.engine.Group(c.ctx(), id, 0)
	if err == nil && c.caller.Tenant != "" && g.Tenant != c.caller.Tenant {
		err = &api.Error{Code: api.CodeNotFound, Field: field, Message: fmt.Sprintf("there is no group %q", id)}
	}
	return g, err
}

func (c *call) group() error {
	id, err := c.word("group")
	if err != nil {
		return err
	}
	g, err := c.seenGroup(id, "group")
	if err != nil {
		return err
	}
	if wait := c.wait(); wait > 0 && !g.Ended {
		ctx, cancel := c.patience(wait)
		defer cancel()
		if g, err = c.engine.Group(ctx, g.ID, wait); err != nil {
			return err
		}
	}
	return c.answer(g)
}
