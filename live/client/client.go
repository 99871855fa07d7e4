// Package client calls a queue over HTTP, for workers, producers and operators
// alike. It links no store.
//
//	c, err := client.FromEnv() // SKYNET_URL, SKYNET_TOKEN
//	if err != nil {
//		return err
//	}
//	added, err := c.Submit(ctx, api.JobSpec{Type: "resize", Args: args})
//	job, err := c.WaitJob(ctx, added.ID)
//
// A call that meets a queue which is away, starting, busy or a standby is
// repeated, with growing pauses of random length, for Options.RetryFor. A
// repetition never does a thing twice: submissions carry an idempotency key and
// calls for work a req_id, made up unless given; the other calls that change
// something say what shall be, not what shall be added.
//
// Errors of the queue are *api.Error; those of the network are as net/http has
// them. The token is in none of them.
package client

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// The environment that FromEnv reads.
const (
	EnvURL   = "SKYNET_URL"   // of the queue; default DefaultURL
	EnvToken = "SKYNET_TOKEN" // bearer token
	EnvCA    = "SKYNET_CA"    // PEM file of the authorities that may vouch for the queue; default: the system's
)

// DefaultURL is where a queue listens unless told otherwise.
const DefaultURL = "http://127.0.0.1:7420"

// Options say which queue to call and how. The zero Options call DefaultURL
// without a token.
type Options struct {
	URL      string        // such as "https://queue.example.org:7420"
	Token    string        // bearer token; SetToken may change it
	RetryFor time.Duration // how long a call is repeated while the queue is away; default 30 s, negative: not at all
	TLS      *tls.Config   // nil: the system's authorities
	Agent    string        // of the User-Agent header; default "skynet"
}

// A Client calls one queue. It is safe for concurrent use.
type Client struct {
	base     string
	agent    string
	retryFor time.Duration
	token    *atomic.Pointer[string]
	http     *http.Client
	onAway   func(error) // may be nil
}

// New returns a client. It fails if the URL is not one.
func New(opt Options) (*Client, error) {
	if opt.URL == "" {
		opt.URL = DefaultURL
	}
	u, err := url.Parse(opt.URL)
	if err == nil && u.User != nil {
		opt.URL = u.Redacted()
	}
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.RawQuery != "" || u.User != nil {
		return nil, &api.Error{Code: api.CodeInvalid, Status: http.StatusBadRequest, Message: fmt.Sprintf("%q is not the URL of a queue, such as %s", opt.URL, DefaultURL)}
	}
	switch {
	case opt.RetryFor == 0:
		opt.RetryFor = 30 * time.Second
	case opt.RetryFor < 0:
		opt.RetryFor = 0
	}
	if opt.Agent == "" {
		opt.Agent = "skynet"
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = opt.TLS
	transport.ForceAttemptHTTP2 = true
	transport.MaxIdleConnsPerHost = 256
	transport.MaxIdleConns = 1024
	c := &Client{
		base: strings.TrimRight(u.String(), "/"), agent: opt.Agent, retryFor: opt.RetryFor, token: new(atomic.Pointer[string]),
		http: &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }},
	}
	c.SetToken(opt.Token)
	return c, nil
}

// FromEnv returns a client of the queue that the environment names.
func FromEnv() (*Client, error) {
	secure, err := TLSFromEnv()
	if err != nil {
		return nil, err
	}
	return New(Options{URL: os.Getenv(EnvURL), Token: os.Getenv(EnvToken), TLS: secure})
}

// TLSFromEnv returns what the environment says about whom to trust; nil where it
// says nothing.
func TLSFromEnv() (*tls.Config, error) {
	file := os.Getenv(EnvCA)
	if file == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", EnvCA, err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: %s holds no PEM certificate", EnvCA, file)
	}
	return &tls.Config{RootCAs: roots}, nil
}

// SetToken changes the bearer token of calls that begin from now on.
func (c *Client) SetToken(token string) { c.token.Store(&token) }

// Through sends calls through t from now on: a test's, or one that traces. It
// must be called before the first call.
func (c *Client) Through(t http.RoundTripper) { c.http.Transport = t }

// OnAway has f told why a call was not answered, before it is repeated for the
// first time: somebody may be waiting. It must be called before the first call.
func (c *Client) OnAway(f func(err error)) { c.onAway = f }

// URL returns the queue's.
func (c *Client) URL() string { return c.base }

// RetryFor returns a client that shares everything with c, and repeats calls for
// d; 0: not at all.
func (c *Client) RetryFor(d time.Duration) *Client {
	other := *c
	other.retryFor = d
	return &other
}

// Close closes connections that are not in use.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// NewKey returns a random text for an idempotency key or a req_id.
func NewKey() string { return rand.Text() }

// IsCode reports whether err is an error of the queue with the code.
func IsCode(err error, code api.Code) bool {
	var e *api.Error
	return errors.As(err, &e) && e.Code == code
}

// Register introduces a worker.
func (c *Client) Register(ctx context.Context, r api.RegisterRequest) (api.RegisterResponse, error) {
	if r.APIVersion == "" {
		r.APIVersion = api.Version
	}
	return call[api.RegisterResponse](ctx, c, request{method: "POST", path: "/v1/workers", body: r})
}

// Work reports, beats and asks for work; it may take r.WaitMS. Where r.ReqID is
// empty it is made up, and the repetitions of this call share it.
func (c *Client) Work(ctx context.Context, r api.WorkRequest) (api.WorkResponse, error) {
	if r.ReqID == "" {
		r.ReqID = NewKey()
	}
	return call[api.WorkResponse](ctx, c, request{method: "POST", path: "/v1/work", body: r, wait: time.Duration(r.WaitMS) * time.Millisecond})
}

// Heartbeat says that the worker lives and what it runs.
func (c *Client) Heartbeat(ctx context.Context, r api.HeartbeatRequest) (api.HeartbeatResponse, error) {
	return call[api.HeartbeatResponse](ctx, c, request{method: "POST", path: "/v1/work/heartbeat", body: r})
}

// Complete reports jobs that ended. That all their leases were lost is an answer
// like another, not an error: its acks say so.
func (c *Client) Complete(ctx context.Context, r api.CompleteRequest) (api.CompleteResponse, error) {
	var answer api.CompleteResponse
	err := c.do(ctx, request{method: "POST", path: "/v1/work/complete", body: r, accept: func(status int, body []byte) (bool, error) {
		if status != http.StatusOK && status != http.StatusConflict {
			return false, nil
		}
		if err := api.Unmarshal(body, &answer); err != nil {
			return false, err
		}
		return status == http.StatusOK || len(answer.Acks) > 0, nil
	}})
	answer.Error = nil
	return answer, err
}

// Goodbye ends a worker; its jobs go back.
func (c *Client) Goodbye(ctx context.Context, workerID string, r api.GoodbyeRequest) (api.GoodbyeResponse, error) {
	return call[api.GoodbyeResponse](ctx, c, request{method: "DELETE", path: "/v1/workers/" + url.PathEscape(workerID), body: r})
}

// Bootstrap exchanges a credential of the instance for a worker token. It does
// not set the token.
func (c *Client) Bootstrap(ctx context.Context, r api.BootstrapRequest) (api.NewToken, error) {
	return call[api.NewToken](ctx, c, request{method: "POST", path: "/v1/tokens/bootstrap", body: r})
}
