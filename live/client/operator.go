package client

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// Ready returns nil if the queue leads and its store answers.
func (c *Client) Ready(ctx context.Context) error {
	return c.do(ctx, request{method: "GET", path: "/readyz", accept: success})
}

func success(status int, _ []byte) (bool, error) { return status >= 200 && status <= 299, nil }

// Stats returns what the queue looks like now.
func (c *Client) Stats(ctx context.Context) (api.Stats, error) {
	return call[api.Stats](ctx, c, request{method: "GET", path: "/v1/stats"})
}

// Observe returns what a controller decides by. The request says what counts
// from now on as a late start, and how fast slots are.
func (c *Client) Observe(ctx context.Context, r api.ObserveRequest) (api.Observed, error) {
	return call[api.Observed](ctx, c, request{method: "POST", path: "/v1/observe", body: r})
}

// StreamStats calls see with what the queue looks like, every so often (200 ms
// to 60 s), until ctx ends, see fails or the connection does. It returns why.
func (c *Client) StreamStats(ctx context.Context, every time.Duration, see func(api.Stats) error) error {
	answer, err := c.open(ctx, fmt.Sprintf("/v1/stats/stream?every_ms=%d", every.Milliseconds()))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, answerBytesMax)
	for lines.Scan() {
		data, ok := bytes.CutPrefix(lines.Bytes(), []byte("data: "))
		if !ok {
			continue
		}
		var s api.Stats
		if err := api.Unmarshal(data, &s); err != nil {
			return fmt.Errorf("GET /v1/stats/stream: %w", err)
		}
		if err := see(s); err != nil {
			return err
		}
	}
	return errors.Join(ctx.Err(), lines.Err())
}

// open starts a call whose answer is read as it comes.
func (c *Client) open(ctx context.Context, path string) (*http.Response, error) {
	answer, _, err := c.send(ctx, request{method: "GET", path: path}, nil)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusOK {
		return answer, nil
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err != nil {
		return nil, err
	}
	return nil, errorOf(answer, text)
}

// History calls yield for every job that ended in [from, to), roughly in the
// order in which they ended. Zero instants are no bounds. An error of yield ends
// it and is returned; so is an answer that breaks off.
func (c *Client) History(ctx context.Context, from, to time.Time, yield func(api.Finished) error) error {
	q := url.Values{"format": {api.HistoryNDJSON}}
	for name, at := range map[string]time.Time{"from": from, "to": to} {
		if !at.IsZero() {
			q.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	answer, err := c.open(ctx, "/v1/history?"+q.Encode())
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var f api.Finished
		if err := api.Unmarshal(lines.Bytes(), &f); err != nil {
			return fmt.Errorf("GET /v1/history: %w", err)
		}
		if err := yield(f); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("GET /v1/history: the answer broke off: %w", err)
	}
	return nil
}

// Workers lists the workers.
func (c *Client) Workers(ctx context.Context) ([]api.Worker, error) {
	answer, err := call[api.WorkersResponse](ctx, c, request{method: "GET", path: "/v1/workers"})
	return answer.Workers, err
}

// Queues lists the job types and how they are held back.
func (c *Client) Queues(ctx context.Context) ([]api.Queue, error) {
	answer, err := call[api.QueuesResponse](ctx, c, request{method: "GET", path: "/v1/queues"})
	return answer.Queues, err
}

func queuePath(jobType, verb string) string { return "/v1/queues/" + url.PathEscape(jobType) + verb }

// Pause stops handing out jobs of a type; those that run go on.
func (c *Client) Pause(ctx context.Context, jobType string) (api.Queue, error) {
	return call[api.Queue](ctx, c, request{method: "POST", path: queuePath(jobType, "/pause")})
}

// Resume ends a pause.
func (c *Client) Resume(ctx context.Context, jobType string) (api.Queue, error) {
	return call[api.Queue](ctx, c, request{method: "POST", path: queuePath(jobType, "/resume")})
}

// Limit bounds how many jobs of a type run and how often one starts.
func (c *Client) Limit(ctx context.Context, jobType string, l api.Limit) (api.Queue, error) {
	return call[api.Queue](ctx, c, request{method: "POST", path: queuePath(jobType, "/limit"), body: l})
}

// KeyLimit bounds how many jobs of a concurrency key run.
func (c *Client) KeyLimit(ctx context.Context, key string, l api.KeyLimit) (api.KeyLimit, error) {
	return call[api.KeyLimit](ctx, c, request{method: "POST", path: "/v1/keys/" + url.PathEscape(key) + "/limit", body: l})
}

// Weight sets a tenant's share.
func (c *Client) Weight(ctx context.Context, tenant string, w api.Weight) (api.Weight, error) {
	return call[api.Weight](ctx, c, request{method: "POST", path: "/v1/tenants/" + url.PathEscape(tenant) + "/weight", body: w})
}

// Schedules lists the schedules by name.
func (c *Client) Schedules(ctx context.Context) ([]api.Schedule, error) {
	answer, err := call[api.SchedulesResponse](ctx, c, request{method: "GET", path: "/v1/schedules"})
	return answer.Schedules, err
}

// SetSchedule makes or replaces the schedule s.Name.
func (c *Client) SetSchedule(ctx context.Context, s api.Schedule) (api.Schedule, error) {
	return call[api.Schedule](ctx, c, request{method: "PUT", path: "/v1/schedules/" + url.PathEscape(s.Name), body: s})
}

// DeleteSchedule ends a schedule.
func (c *Client) DeleteSchedule(ctx context.Context, name string) error {
	return c.do(ctx, request{method: "DELETE", path: "/v1/schedules/" + url.PathEscape(name), accept: success})
}

// Direct tells workers what to do.
func (c *Client) Direct(ctx context.Context, r api.DirectiveRequest) (api.PostedDirective, error) {
	return call[api.PostedDirective](ctx, c, request{method: "POST", path: "/v1/directives", body: r, once: true})
}

// Directives lists the directives in force, the oldest first.
func (c *Client) Directives(ctx context.Context) ([]api.PostedDirective, error) {
	answer, err := call[api.DirectivesResponse](ctx, c, request{method: "GET", path: "/v1/directives"})
	return answer.Directives, err
}

// DeleteDirective takes a directive back.
func (c *Client) DeleteDirective(ctx context.Context, id string) error {
	return c.do(ctx, request{method: "DELETE", path: "/v1/directives/" + url.PathEscape(id), accept: success})
}

// MakeToken makes a bearer token.
func (c *Client) MakeToken(ctx context.Context, r api.TokenRequest) (api.NewToken, error) {
	return call[api.NewToken](ctx, c, request{method: "POST", path: "/v1/tokens", body: r, once: true})
}

// Tokens lists the tokens that are good, without the tokens.
func (c *Client) Tokens(ctx context.Context) ([]api.TokenRecord, error) {
	answer, err := call[api.TokensResponse](ctx, c, request{method: "GET", path: "/v1/tokens"})
	return answer.Tokens, err
}

// RevokeToken makes a token no longer good, by its id.
func (c *Client) RevokeToken(ctx context.Context, id string) error {
	return c.do(ctx, request{method: "DELETE", path: "/v1/tokens/" + url.PathEscape(id), accept: success})
}

// Healthy returns nil if the queue's process answers, whether it leads or not.
func (c *Client) Healthy(ctx context.Context) error {
	return c.do(ctx, request{method: "GET", path: "/healthz", accept: success})
}

// Metrics returns the queue's figures as Prometheus reads them.
func (c *Client) Metrics(ctx context.Context) (string, error) {
	var text string
	err := c.do(ctx, request{method: "GET", path: "/metrics", accept: func(status int, body []byte) (bool, error) {
		text = string(body)
		return success(status, body)
	}})
	return text, err
}
