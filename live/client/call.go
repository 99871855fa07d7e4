package client

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// request is a call to be made, as often as it takes.
type request struct {
	method, path string                                      // the path with its query, names escaped
	body         any                                         // to be sent as JSON; nil: none
	key          string                                      // of the Idempotency-Key header
	wait         time.Duration                               // how long the queue may wait before it answers
	once         bool                                        // a repetition would do the thing twice: repeat only what never reached the queue
	accept       func(status int, body []byte) (bool, error) // nil: status 200 to 299 is success
}

// Bounds of a call.
const (
	answerWithin   = 30 * time.Second // beyond what the queue may wait
	answerBytesMax = 64 << 20
	packFrom       = 8 << 10 // bodies from so many bytes on are packed
	pauseFirst     = 100 * time.Millisecond
	pauseMax       = 5 * time.Second
)

// call makes a request whose answer is a T.
func call[T any](ctx context.Context, c *Client, r request) (T, error) {
	var answer T
	r.accept = func(status int, body []byte) (bool, error) {
		if status < 200 || status > 299 {
			return false, nil
		}
		return true, api.Unmarshal(body, &answer)
	}
	err := c.do(ctx, r)
	return answer, err
}

// do makes a request until it is answered, refused, or it has been tried for
// long enough.
func (c *Client) do(ctx context.Context, r request) error {
	var body []byte
	if r.body != nil {
		var err error
		if body, err = api.Marshal(r.body); err != nil {
			return fmt.Errorf("%s %s: %w", r.method, r.path, err)
		}
	}
	began := time.Now()
	for try := 0; ; try++ {
		err, again := c.try(ctx, r, body)
		if err == nil || !again || ctx.Err() != nil {
			return err
		}
		pause := pauseAfter(try, err)
		if time.Since(began)+pause > c.retryFor {
			return err
		}
		if try == 0 && c.onAway != nil {
			c.onAway(err)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// pauseAfter returns how long to wait after a try that failed: a random part of
// a bound that doubles, and no less than the queue asked for.
func pauseAfter(try int, err error) time.Duration {
	pause := rand.N(min(pauseFirst<<min(try, 10), pauseMax)) + 1
	var e *api.Error
	if errors.As(err, &e) {
		pause += e.RetryAfter()
	}
	return pause
}

// try makes a request once. Again reports whether another try may help.
func (c *Client) try(ctx context.Context, r request, body []byte) (err error, again bool) {
	ctx, cancel := context.WithTimeout(ctx, r.wait+answerWithin)
	defer cancel()
	answer, sent, err := c.send(ctx, r, body)
	if err != nil {
		return err, !r.once || !sent
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, answerBytesMax))
	if err != nil {
		return fmt.Errorf("%s %s: the answer broke off: %w", r.method, r.path, err), !r.once
	}
	good, err := r.accept(answer.StatusCode, text)
	if err != nil {
		return fmt.Errorf("%s %s: not the answer of a queue: %w", r.method, c.base+r.path, err), false
	}
	if good {
		return nil, false
	}
	e := errorOf(answer, text)
	return e, e.Status == http.StatusTooManyRequests || e.Status == http.StatusBadGateway || e.Status == http.StatusServiceUnavailable || e.Status == http.StatusGatewayTimeout
}

var packers = sync.Pool{New: func() any {
	z, _ := gzip.NewWriterLevel(nil, gzip.BestSpeed) // the level is one that exists
	return z
}}

// send sends a request. Sent reports whether it may have reached the queue.
func (c *Client) send(ctx context.Context, r request, body []byte) (answer *http.Response, sent bool, err error) {
	packed := len(body) >= packFrom
	if packed {
		var b bytes.Buffer
		z := packers.Get().(*gzip.Writer)
		z.Reset(&b)
		_, err = z.Write(body)
		err = errors.Join(err, z.Close())
		packers.Put(z)
		if err != nil {
			return nil, false, err
		}
		body = b.Bytes()
	}
	out, err := http.NewRequestWithContext(ctx, r.method, c.base+r.path, bytes.NewReader(body))
	if err != nil {
		return nil, false, err
	}
	out.Header.Set("User-Agent", c.agent)
	if r.body != nil {
		out.Header.Set("Content-Type", "application/json")
	}
	if packed {
		out.Header.Set("Content-Encoding", "gzip")
	}
	if r.key != "" {
		out.Header.Set(api.IdempotencyHeader, r.key)
	}
	if token := *c.token.Load(); token != "" {
		out.Header.Set("Authorization", "Bearer "+token)
	}
	answer, err = c.http.Do(out)
	return answer, !neverConnected(err), err
}

// errorOf returns the error in an answer that is not good. An answer without one
// comes from something between us and the queue.
func errorOf(answer *http.Response, text []byte) *api.Error {
	var body api.ErrorResponse
	if err := api.Unmarshal(text, &body); err != nil || body.Error.Code == "" {
		body.Error = api.Error{Code: api.CodeInternal, Message: strings.TrimSpace(fmt.Sprintf("%s: %.200q", answer.Status, text))}
		if answer.StatusCode >= 500 {
			body.Error.Code = api.CodeUnavailable
		}
	}
	body.Error.Status = answer.StatusCode
	return &body.Error
}

// neverConnected reports whether err says that no connection was made, so that
// nothing can have been done.
func neverConnected(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
