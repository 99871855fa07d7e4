package alert

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/live/secret"
)

// Receiver is who is told.
type Receiver struct {
	// URL is posted to. It is a secret: chats give whoever knows it a voice.
	URL secret.Value
	// Key signs every post; none: they are not signed. See Signature.
	Key secret.Value
	// Chat: a text alone, as Slack and its likes take it.
	Chat bool
	// Least is the weight from which alerts are sent.
	Least Severity
	// Again is how long until an alert that goes on is sent again; 0: 4 h.
	Again time.Duration
}

// The headers of a post.
const (
	TimestampHeader = "X-SkyNet-Timestamp" // seconds since 1970
	SignatureHeader = "X-SkyNet-Signature" // Signature of it
)

// Signature returns what signs a post: sha256= and the hexadecimal HMAC-SHA256 of
// the timestamp, a dot, and the body.
func Signature(key secret.Value, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, []byte(key.Reveal()))
	mac.Write([]byte(timestamp + "."))
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}

const (
	postTime           = 10 * time.Second // bounds a call
	backoffMin         = time.Second      // after the first failure; doubled after each
	backoffMax         = 5 * time.Minute
	lifeTime           = 24 * time.Hour // after which an alert that could not be sent is given up
	againDefault       = 4 * time.Hour
	answerMax    int64 = 1 << 10
)

// Sender sends alerts to one receiver, one after the other.
type Sender struct {
	to     Receiver
	client *http.Client
	log    *slog.Logger
	wake   chan struct{}

	mu    sync.Mutex
	wait  map[string]Alert // to be sent, by key: the latest of each
	tried map[string]bool  // of wait: it was posted, and may have arrived
	sent  map[string]sent  // that are firing as far as the receiver knows
}

// sent is when an alert was last handed over for sending, and as what.
type sent struct{ at, since time.Time }

// NewSender returns a sender to a receiver. Run it.
func NewSender(to Receiver, log *slog.Logger) *Sender {
	if to.Again == 0 {
		to.Again = againDefault
	}
	return &Sender{to: to, client: &http.Client{Timeout: postTime}, log: log, wake: make(chan struct{}, 1), wait: map[string]Alert{}, tried: map[string]bool{}, sent: map[string]sent{}}
}

// take takes an alert in. One that the receiver has been told of is not sent again
// until it is resolved, or Again is over; one that was resolved before it could be
// sent is not sent at all.
func (s *Sender) take(a Alert) {
	if a.Severity < s.to.Least {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	told, known := s.sent[a.Key]
	if waiting, is := s.wait[a.Key]; is && waiting.Status == Firing && !known && !s.tried[a.Key] {
		if a.Status == Resolved {
			delete(s.wait, a.Key)
		} else {
			s.wait[a.Key] = a
		}
		return
	}
	switch {
	case a.Status == Resolved && !known && !s.tried[a.Key]:
		return
	case a.Status == Firing && known && told.since.Equal(a.Since) && time.Since(told.at) < s.to.Again:
		return
	}
	s.wait[a.Key] = a
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run sends until ctx ends.
func (s *Sender) Run(ctx context.Context) {
	failures := 0
	for {
		key, a, any := s.next()
		if !any {
			select {
			case <-s.wake:
				continue
			case <-ctx.Done():
				return
			}
		}
		err, again := s.post(ctx, &a)
		if err != nil && ctx.Err() != nil {
			return
		}
		if err != nil {
			s.log.Warn("an alert cannot be sent", "alert", a.Key, "error", err, "again", again)
		}
		if err != nil && again && time.Since(a.Since) < lifeTime {
			select {
			case <-time.After(min(backoffMin<<min(failures, 20), backoffMax)):
				failures++
				continue
			case <-ctx.Done():
				return
			}
		}
		failures = 0
		s.done(key, &a)
	}
}

// next returns what is to be sent first: the oldest.
func (s *Sender) next() (key string, a Alert, any bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(s.wait)) {
		if x := s.wait[k]; !any || x.Since.Before(a.Since) {
			key, a, any = k, x, true
		}
	}
	if any {
		s.tried[key] = true
	}
	return key, a, any
}

// done notes that an alert was sent, or never will be. What came of the same key
// meanwhile is still to be sent.
func (s *Sender) done(key string, a *Alert) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.tried, key)
	if now := s.wait[key]; now.Status == a.Status && now.Since.Equal(a.Since) {
		delete(s.wait, key)
	}
	if a.Status == Resolved {
		delete(s.sent, key)
	} else {
		s.sent[key] = sent{time.Now(), a.Since}
	}
}

// body returns what is posted.
func (s *Sender) body(a *Alert) ([]byte, error) {
	if s.to.Chat {
		return json.Marshal(map[string]string{"text": a.Text})
	}
	return json.Marshal(a)
}

// post posts an alert. again: it may succeed later.
func (s *Sender) post(ctx context.Context, a *Alert) (err error, again bool) {
	body, err := s.body(a)
	if err != nil {
		return err, false
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.to.URL.Reveal(), bytes.NewReader(body))
	if err != nil {
		return errors.New("the URL cannot be called"), false // the error would show it
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "skynetd")
	if !s.to.Key.IsZero() {
		at := strconv.FormatInt(time.Now().Unix(), 10)
		req.Header.Set(TimestampHeader, at)
		req.Header.Set(SignatureHeader, Signature(s.to.Key, at, body))
	}
	status, err := call(s.client, req)
	switch {
	case err != nil:
		return err, true
	case status/100 == 2:
		return nil, false
	case status == http.StatusRequestTimeout || status == http.StatusTooManyRequests || status >= 500:
		return fmt.Errorf("answered with %d", status), true
	}
	return fmt.Errorf("answered with %d", status), false
}

// call makes a call and returns its status. Its errors do not show the URL.
func call(client *http.Client, req *http.Request) (status int, err error) {
	resp, err := client.Do(req)
	var shown *url.Error
	if errors.As(err, &shown) {
		return 0, shown.Err
	}
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	io.Copy(io.Discard, io.LimitReader(resp.Body, answerMax))
	return resp.StatusCode, nil
}
