package client

import (
	"context"
	"fmt"
	"iter"
	"net/url"
	"strconv"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// Submit submits a job.
func (c *Client) Submit(ctx context.Context, job api.JobSpec) (api.Submitted, error) {
	return call[api.Submitted](ctx, c, request{method: "POST", path: "/v1/jobs", body: job, key: NewKey()})
}

// batchBytesMax bounds what SubmitAll sends in one batch.
const batchBytesMax = api.BodyMaxBytes / 2

// SubmitAll submits any number of jobs, in batches, and returns what became of
// each, in their order. On an error it returns those that were taken before it.
func (c *Client) SubmitAll(ctx context.Context, jobs []api.JobSpec) ([]api.Submitted, error) {
	all := make([]api.Submitted, 0, len(jobs))
	for len(jobs) > 0 {
		n, bytes := 0, 0
		for n < len(jobs) && n < api.BatchMax && (n == 0 || bytes+weight(jobs[n]) <= batchBytesMax) {
			bytes += weight(jobs[n])
			n++
		}
		added, err := c.SubmitBatch(ctx, jobs[:n], "")
		if err != nil {
			return all, err
		}
		all = append(all, added...)
		jobs = jobs[n:]
	}
	return all, nil
}

// weight returns at least how many bytes a job takes on the wire.
func weight(j api.JobSpec) int {
	return 256 + len(j.Type) + len(j.Tenant) + len(j.Key) + len(j.ConcurrencyKey) + len(j.Group) + len(j.Args)
}

// SubmitBatch submits up to api.BatchMax jobs, all of them or none. The same key
// within 24 h answers as the first call did; "" makes one up.
func (c *Client) SubmitBatch(ctx context.Context, jobs []api.JobSpec, key string) ([]api.Submitted, error) {
	if key == "" {
		key = NewKey()
	}
	answer, err := call[api.BatchResponse](ctx, c, request{method: "POST", path: "/v1/jobs/batch", body: api.BatchRequest{Jobs: jobs}, key: key})
	if err == nil && len(answer.Jobs) != len(jobs) {
		err = fmt.Errorf("POST /v1/jobs/batch: %d answers to %d jobs", len(answer.Jobs), len(jobs))
	}
	return answer.Jobs, err
}

func jobPath(id int64, verb string) string { return "/v1/jobs/" + strconv.FormatInt(id, 10) + verb }

// Job returns a job.
func (c *Client) Job(ctx context.Context, id int64) (api.Job, error) {
	return call[api.Job](ctx, c, request{method: "GET", path: jobPath(id, "")})
}

// waitQuery asks the queue to wait as long as it does.
const waitQuery = "?wait_ms=" + "20000"

const waitTime = 20 * time.Second

// WaitJob returns a job once it has ended, or when ctx ends.
func (c *Client) WaitJob(ctx context.Context, id int64) (api.Job, error) {
	for {
		job, err := call[api.Job](ctx, c, request{method: "GET", path: jobPath(id, waitQuery), wait: waitTime})
		if err != nil || job.State.Ended() {
			return job, err
		}
	}
}

// Jobs lists jobs that match a filter, by id.
func (c *Client) Jobs(ctx context.Context, f api.Filter) (api.JobsResponse, error) {
	q := url.Values{}
	for name, value := range map[string]string{"state": string(f.State), "type": f.Type, "tenant": f.Tenant, "group": f.Group} {
		if value != "" {
			q.Set(name, value)
		}
	}
	if f.Limit > 0 {
		q.Set("limit", strconv.Itoa(f.Limit))
	}
	if f.After > 0 {
		q.Set("after", strconv.FormatInt(f.After, 10))
	}
	return call[api.JobsResponse](ctx, c, request{method: "GET", path: "/v1/jobs?" + q.Encode()})
}

// EachJob yields every job that matches a filter, by id, f.Limit at a time.
func (c *Client) EachJob(ctx context.Context, f api.Filter) iter.Seq2[api.Job, error] {
	return func(yield func(api.Job, error) bool) {
		for {
			page, err := c.Jobs(ctx, f)
			if err != nil {
				yield(api.Job{}, err)
				return
			}
			for _, job := range page.Jobs {
				if !yield(job, nil) {
					return
				}
			}
			if page.Next == 0 {
				return
			}
			f.After = page.Next
		}
	}
}

// Cancel cancels a job; one that runs is stopped at its worker's next beat.
func (c *Client) Cancel(ctx context.Context, id int64) (api.Job, error) {
	return call[api.Job](ctx, c, request{method: "POST", path: jobPath(id, "/cancel")})
}

// Retry lets a dead or quarantined job stand in line again, and a delayed one at
// once.
func (c *Client) Retry(ctx context.Context, id int64) (api.Job, error) {
	return call[api.Job](ctx, c, request{method: "POST", path: jobPath(id, "/retry")})
}

// SetPriority moves a job to another priority.
func (c *Client) SetPriority(ctx context.Context, id int64, priority int) (api.Job, error) {
	return call[api.Job](ctx, c, request{method: "POST", path: jobPath(id, "/priority"), body: api.PriorityRequest{Priority: priority}})
}

// CancelSelected counts, or cancels, the jobs that a selector names.
func (c *Client) CancelSelected(ctx context.Context, r api.SelectRequest) (api.SelectResponse, error) {
	return call[api.SelectResponse](ctx, c, request{method: "POST", path: "/v1/jobs/cancel", body: r})
}

// RetrySelected counts, or retries, the jobs that a selector names.
func (c *Client) RetrySelected(ctx context.Context, r api.SelectRequest) (api.SelectResponse, error) {
	return call[api.SelectResponse](ctx, c, request{method: "POST", path: "/v1/jobs/retry", body: r})
}

// NewGroup makes a group. Where r.Key is empty it is made up.
func (c *Client) NewGroup(ctx context.Context, r api.GroupRequest) (api.Group, error) {
	if r.Key == "" {
		r.Key = NewKey()
	}
	return call[api.Group](ctx, c, request{method: "POST", path: "/v1/groups", body: r})
}

func groupPath(id string) string { return "/v1/groups/" + url.PathEscape(id) }

// Group returns how far a group is.
func (c *Client) Group(ctx context.Context, id string) (api.Group, error) {
	return call[api.Group](ctx, c, request{method: "GET", path: groupPath(id)})
}

// WaitGroup returns a group once it has ended, or when ctx ends.
func (c *Client) WaitGroup(ctx context.Context, id string) (api.Group, error) {
	for {
		g, err := call[api.Group](ctx, c, request{method: "GET", path: groupPath(id) + waitQuery, wait: waitTime})
		if err != nil || g.Ended {
			return g, err
		}
	}
}

// Groups lists a tenant's groups, or all, the newest first.
func (c *Client) Groups(ctx context.Context, tenant string) ([]api.Group, error) {
	path := "/v1/groups"
	if tenant != "" {
		path += "?tenant=" + url.QueryEscape(tenant)
	}
	answer, err := call[api.GroupsResponse](ctx, c, request{method: "GET", path: path})
	return answer.Groups, err
}
