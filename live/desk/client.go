package desk

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/live/controller"
)

// EnvController names the environment's URL of the controller.
const EnvController = "SKYNET_CONTROLLER"

// DefaultURL is where a controller listens unless told otherwise.
const DefaultURL = "http://127.0.0.1:7421"

// A Client calls a controller. Errors of it are *api.Error.
type Client struct {
	url, token string
	c          *client.Client
	http       *http.Client
}

// FromEnv returns a client of the controller that the environment names:
// SKYNET_CONTROLLER, with SKYNET_TOKEN and SKYNET_CA as for the queue.
func FromEnv() (*Client, error) {
	at := os.Getenv(EnvController)
	if at == "" {
		at = DefaultURL
	}
	return FromEnvAt(at)
}

// FromEnvAt is FromEnv of the controller at a URL.
func FromEnvAt(at string) (*Client, error) {
	secure, err := client.TLSFromEnv()
	if err != nil {
		return nil, err
	}
	c, err := client.New(client.Options{URL: at, Token: os.Getenv(client.EnvToken), RetryFor: -1, TLS: secure})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", EnvController, err)
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = secure
	return &Client{c.URL(), os.Getenv(client.EnvToken), c, &http.Client{Transport: transport}}, nil
}

// URL returns the controller's.
func (c *Client) URL() string { return c.url }

// Fares is how a controller fares, as it tells whoever asks.
type Fares struct {
	Fleet  string `json:"fleet"`
	Mode   string `json:"mode"`
	Policy string `json:"policy"`
	// Stop says who has stopped it, and why; nil: nobody has.
	Stop *controller.Stopped `json:"stop,omitempty"`
	// Drift is how far the simulator was from what happened on the last day that was
	// compared; nil: none was.
	Drift *controller.Drift `json:"drift,omitempty"`
}

// Fares returns how the controller fares. It takes no token.
func (c *Client) Fares(ctx context.Context) (Fares, error) {
	return client.Call[Fares](ctx, c.c, "GET", "/v1/status", nil)
}

// Orders returns what stands.
func (c *Client) Orders(ctx context.Context) (View, error) {
	return client.Call[View](ctx, c.c, "GET", "/v1/orders", nil)
}

// Version returns a version with its text.
func (c *Client) Version(ctx context.Context, number int) (controller.Version, error) {
	return client.Call[controller.Version](ctx, c.c, "GET", fmt.Sprintf("/v1/policies/%d", number), nil)
}

// Deploy deploys a policy.
func (c *Client) Deploy(ctx context.Context, d Deployment) (controller.Version, error) {
	return client.Call[controller.Version](ctx, c.c, "POST", "/v1/policies", d)
}

// Rollback returns to the version before.
func (c *Client) Rollback(ctx context.Context, r Rollback) (RolledBack, error) {
	return client.Call[RolledBack](ctx, c.c, "POST", "/v1/policies/rollback", r)
}

// Wish asks something of the fleet.
func (c *Client) Wish(ctx context.Context, w WishRequest) (Wished, error) {
	return client.Call[Wished](ctx, c.c, "POST", "/v1/wishes", w)
}

// End ends wishes.
func (c *Client) End(ctx context.Context, r EndRequest) (Wishes, error) {
	return client.Call[Wishes](ctx, c.c, "POST", "/v1/wishes/end", r)
}

// Stop stops the controller.
func (c *Client) Stop(ctx context.Context, r StopRequest) (controller.Stopped, error) {
	return client.Call[controller.Stopped](ctx, c.c, "POST", "/v1/stop", r)
}

// Resume takes the row's stop back, and returns what it was.
func (c *Client) Resume(ctx context.Context, why string) (controller.Stopped, error) {
	return client.Call[controller.Stopped](ctx, c.c, "POST", "/v1/resume", StopRequest{Why: why})
}

// Acts returns the latest acts.
func (c *Client) Acts(ctx context.Context, most int) (Acts, error) {
	return client.Call[Acts](ctx, c.c, "GET", fmt.Sprintf("/v1/acts?most=%d", most), nil)
}

// Journals lists the journal's files.
func (c *Client) Journals(ctx context.Context) (Journals, error) {
	return client.Call[Journals](ctx, c.c, "GET", "/v1/journals", nil)
}

// Pages opens the lines of the journal from one instant to another, as the
// controller's store has them. The caller closes them.
func (c *Client) Pages(ctx context.Context, from, to time.Time) (io.ReadCloser, error) {
	q := url.Values{}
	for name, at := range map[string]time.Time{"from": from, "to": to} {
		if !at.IsZero() {
			q.Set(name, at.UTC().Format(time.RFC3339Nano))
		}
	}
	a, err := c.get(ctx, "/v1/journal?"+q.Encode())
	if err != nil {
		return nil, fmt.Errorf("journal of %s: %w", c.url, err)
	}
	return a.Body, nil
}

// get asks for something that is no JSON.
func (c *Client) get(ctx context.Context, path string) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, "GET", c.url+path, nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("Authorization", "Bearer "+c.token)
	a, err := c.http.Do(r)
	if err != nil {
		return nil, err
	}
	if a.StatusCode != http.StatusOK {
		defer a.Body.Close()
		why, _ := io.ReadAll(io.LimitReader(a.Body, 64<<10))
		var refused struct {
			Error *api.Error `json:"error"`
		}
		if json.Unmarshal(why, &refused) == nil && refused.Error != nil && refused.Error.Message != "" {
			refused.Error.Status = a.StatusCode
			return nil, refused.Error
		}
		return nil, fmt.Errorf("%s: %s", a.Status, bytes.TrimSpace(why[:min(len(why), 500)]))
	}
	return a, nil
}

// Journal copies a file of the journal, compressed as it is, to w.
func (c *Client) Journal(ctx context.Context, name string, w io.Writer) error {
	a, err := c.get(ctx, "/v1/journals/"+url.PathEscape(name))
	if err != nil {
		return fmt.Errorf("journal %s: %w", name, err)
	}
	defer a.Body.Close()
	_, err = io.Copy(w, a.Body)
	return err
}
