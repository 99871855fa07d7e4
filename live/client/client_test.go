package client

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
)

// script answers one call after another as it is told, and keeps what was asked.
type script struct {
	mu      sync.Mutex
	answers []func(w http.ResponseWriter, body string)
	asked   []asked
}

type asked struct {
	path, key, token, body string
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var in io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		z, err := gzip.NewReader(r.Body)
		if err != nil {
			panic(err)
		}
		in = z
	}
	body, _ := io.ReadAll(in)
	s.mu.Lock()
	s.asked = append(s.asked, asked{r.Method + " " + r.URL.RequestURI(), r.Header.Get(api.IdempotencyHeader), r.Header.Get("Authorization"), string(body)})
	answer := s.answers[min(len(s.asked), len(s.answers))-1]
	s.mu.Unlock()
	answer(w, string(body))
}

// seen returns what was asked so far.
func (s *script) seen() []asked {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

func says(status int, text string) func(http.ResponseWriter, string) {
	return func(w http.ResponseWriter, _ string) {
		w.WriteHeader(status)
		io.WriteString(w, text)
	}
}

// hangsUp reads a call and breaks the connection: it may have been carried out.
func hangsUp(http.ResponseWriter, string) { panic(http.ErrAbortHandler) }

const secret = "sky-operator-secret-secret-secret-secret"

func against(t *testing.T, retryFor time.Duration, answers ...func(http.ResponseWriter, string)) (*Client, *script) {
	t.Helper()
	s := &script{answers: answers}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	c, err := New(Options{URL: web.URL + "/", Token: secret, RetryFor: retryFor})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c, s
}

// TestRepeatsTheSame: a call whose answer was lost is repeated word for word.
func TestRepeatsTheSame(t *testing.T) {
	ctx := t.Context()
	c, s := against(t, 10*time.Second, hangsUp, says(503, `{"error": {"code": "not_leader", "message": "x", "retry_after_ms": 10}}`), says(502, "<html>"), says(200, `{"id": 7, "added": true}`))
	away := 0
	c.OnAway(func(error) { away++ })
	added, err := c.Submit(ctx, api.JobSpec{Type: "a"})
	if err != nil || added.ID != 7 {
		t.Fatalf("%+v, %v", added, err)
	}
	if away != 1 {
		t.Errorf("told %d times that the queue is away, want once", away)
	}
	if len(s.seen()) != 4 {
		t.Errorf("asked %d times, want 4", len(s.seen()))
	}
	for _, a := range s.seen() {
		if a != s.seen()[0] || a.key == "" || a.token != "Bearer "+secret {
			t.Errorf("%+v, then %+v", s.seen()[0], a)
		}
	}
	c, s = against(t, 10*time.Second, hangsUp, says(200, `{"jobs": []}`))
	if _, err := c.Work(ctx, api.WorkRequest{Session: "s"}); err != nil {
		t.Fatal(err)
	}
	var r api.WorkRequest
	if err := json.Unmarshal([]byte(s.seen()[0].body), &r); err != nil || r.ReqID == "" || s.seen()[1] != s.seen()[0] {
		t.Errorf("%+v, then %+v (%v)", s.seen()[0], s.seen()[1], err)
	}
	if _, err := c.Work(ctx, api.WorkRequest{Session: "s"}); err != nil {
		t.Fatal(err)
	}
	if s.seen()[2].body == s.seen()[1].body {
		t.Error("two calls share a req_id")
	}
}

// TestDoesNotRepeat: what would happen twice, and what the queue has refused, is
// asked once.
func TestDoesNotRepeat(t *testing.T) {
	ctx := t.Context()
	c, s := against(t, 10*time.Second, hangsUp)
	if _, err := c.MakeToken(ctx, api.TokenRequest{Role: api.RoleReader}); err == nil || len(s.seen()) != 1 {
		t.Errorf("%v, asked %d times", err, len(s.seen()))
	}
	c, s = against(t, 10*time.Second, says(400, `{"error": {"code": "unknown_field", "message": "unknown field \"typ\"", "field": "typ", "did_you_mean": "type", "problems": [{"code": "invalid", "message": "priority = 999: must be from 0 to 255"}]}}`))
	_, err := c.Submit(ctx, api.JobSpec{})
	var e *api.Error
	if !errors.As(err, &e) || e.Status != 400 || !IsCode(err, api.CodeUnknownField) || !e.BadInput() || len(s.seen()) != 1 {
		t.Errorf("%v, asked %d times", err, len(s.seen()))
	}
	if want := `unknown field "typ" (did you mean "type"?); priority = 999: must be from 0 to 255`; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
	c, s = against(t, -1, says(503, `{"error": {"code": "unavailable", "message": "x"}}`))
	if _, err := c.Stats(ctx); !IsCode(err, api.CodeUnavailable) || len(s.seen()) != 1 {
		t.Errorf("%v, asked %d times", err, len(s.seen()))
	}
	c, s = against(t, 10*time.Second, says(302, ""))
	if _, err := c.Stats(ctx); err == nil || len(s.seen()) != 1 {
		t.Errorf("a redirect is followed: %v, asked %d times", err, len(s.seen()))
	}
}

// TestGivesUp: repetitions end with their time, and with the caller's.
func TestGivesUp(t *testing.T) {
	c, _ := against(t, 300*time.Millisecond, says(503, `{"error": {"code": "unavailable", "message": "x"}}`))
	if _, err := c.Stats(t.Context()); !IsCode(err, api.CodeUnavailable) {
		t.Errorf("%v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	c, _ = against(t, time.Hour, func(w http.ResponseWriter, _ string) { cancel(); says(503, "")(w, "") })
	if _, err := c.Stats(ctx); err == nil {
		t.Error("no error")
	}
}

// TestNewerQueue: what a newer queue says beyond what is known is ignored.
func TestNewerQueue(t *testing.T) {
	c, _ := against(t, -1, says(200, `{"jobs": [{"id": 1, "token": 4294967297, "type": "a", "color": "red"}], "directive": {"op": "dance", "with": "me"}, "acks": [], "mood": {"x": [1]}}`))
	work, err := c.Work(t.Context(), api.WorkRequest{Session: "s"})
	if err != nil || len(work.Jobs) != 1 || work.Jobs[0].Token != 1<<32+1 || work.Directive.Op != "dance" {
		t.Errorf("%+v, %v", work, err)
	}
}

// TestOlderQueue: what an older queue does not say is zero.
func TestOlderQueue(t *testing.T) {
	c, _ := against(t, -1, says(200, `{}`))
	work, err := c.Work(t.Context(), api.WorkRequest{Session: "s"})
	if err != nil || len(work.Jobs) != 0 || work.Directive.Op != "" {
		t.Errorf("%+v, %v", work, err)
	}
}

func TestStaleIsAnAnswer(t *testing.T) {
	c, _ := against(t, 10*time.Second, says(409, `{"acks": [{"job": 1, "status": "stale"}], "error": {"code": "stale", "message": "x"}}`))
	answer, err := c.Complete(t.Context(), api.CompleteRequest{Session: "s"})
	if err != nil || len(answer.Acks) != 1 || answer.Acks[0].Status != api.AckStale {
		t.Errorf("%+v, %v", answer, err)
	}
	c, _ = against(t, 10*time.Second, says(409, `{"error": {"code": "unknown_session", "message": "x"}}`))
	if _, err := c.Complete(t.Context(), api.CompleteRequest{Session: "s"}); !IsCode(err, api.CodeUnknownSession) {
		t.Errorf("%v", err)
	}
}

// TestSubmitAll: any number of jobs goes in batches, large ones packed.
func TestSubmitAll(t *testing.T) {
	c, s := against(t, -1, func(w http.ResponseWriter, body string) {
		var batch api.BatchRequest
		if err := json.Unmarshal([]byte(body), &batch); err != nil {
			says(400, err.Error())(w, "")
			return
		}
		var answer api.BatchResponse
		for _, j := range batch.Jobs {
			var id int64
			fmt.Sscan(j.Key, &id)
			answer.Jobs = append(answer.Jobs, api.Submitted{ID: id, Added: true})
		}
		json.NewEncoder(w).Encode(answer)
	})
	jobs := make([]api.JobSpec, 2500)
	for i := range jobs {
		jobs[i] = api.JobSpec{Type: "a", Key: fmt.Sprint(i)}
	}
	large := []byte(`"` + strings.Repeat("x", 60<<10) + `"`)
	for i := range 300 { // 18 MB
		jobs[i].Args = large
	}
	added, err := c.SubmitAll(t.Context(), jobs)
	if err != nil || len(added) != 2500 {
		t.Fatalf("%d, %v", len(added), err)
	}
	for i, a := range added {
		if a.ID != int64(i) {
			t.Fatalf("job %d was answered as %d", i, a.ID)
		}
	}
	for _, a := range s.seen() {
		if len(a.body) > api.BodyMaxBytes || strings.Count(a.body, `"type"`) > api.BatchMax {
			t.Errorf("a batch of %d jobs, %d bytes", strings.Count(a.body, `"type"`), len(a.body))
		}
	}
	if n := len(s.seen()); n < 5 || n > 6 {
		t.Errorf("%d batches", n)
	}
}

// TestBrokenStream: a history that breaks off is an error, not the end.
func TestBrokenStream(t *testing.T) {
	c, _ := against(t, -1, func(w http.ResponseWriter, _ string) {
		io.WriteString(w, "{\"id\": 1}\n")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	seen := 0
	err := c.History(t.Context(), time.Time{}, time.Time{}, func(api.Finished) error { seen++; return nil })
	if err == nil || seen != 1 {
		t.Errorf("%d jobs, %v", seen, err)
	}
}

func TestSecretsStaySecret(t *testing.T) {
	c, err := New(Options{URL: "http://127.0.0.1:1", Token: secret, RetryFor: -1})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Stats(t.Context())
	if err == nil || strings.Contains(err.Error(), secret) || strings.Contains(fmt.Sprintf("%+v", c), secret) {
		t.Errorf("%v, %+v", err, c)
	}
	for _, url := range []string{"queue", "ftp://queue", "http://", "http://user:pass@queue", "http://queue?token=x", "\x00"} {
		if _, err := New(Options{URL: url}); err == nil {
			t.Errorf("%q is taken for a queue's URL", url)
		}
	}
}
