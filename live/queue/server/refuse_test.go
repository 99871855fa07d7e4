package server_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"testing"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue/server"

	"github.com/klauspost/compress/zstd"
)

// TestRefusals says what a caller reads who made a mistake.
func TestRefusals(t *testing.T) {
	r := newRig(t)
	for _, tt := range []struct {
		name               string
		method, path, body string
		token              string
		status             int
		code               api.Code
		field, near        string
	}{
		{"no token", "POST", "/v1/jobs", `{}`, "", 401, api.CodeUnauthorized, "Authorization", ""},
		{"a wrong token", "POST", "/v1/jobs", `{}`, "sky-operator-x", 401, api.CodeUnauthorized, "Authorization", ""},
		{"another role's token", "POST", "/v1/jobs", `{}`, readerToken, 403, api.CodeForbidden, "Authorization", ""},
		{"an operator works", "POST", "/v1/work", `{}`, operatorToken, 403, api.CodeForbidden, "Authorization", ""},
		{"a worker looks", "GET", "/v1/jobs", ``, workerToken, 403, api.CodeForbidden, "Authorization", ""},
		{"no such path", "GET", "/v1/job", ``, producerToken, 404, api.CodeNotFound, "path", "/v1/jobs"},
		{"no such method", "PUT", "/v1/jobs", ``, producerToken, 405, api.CodeNoMethod, "method", ""},
		{"no such method, beside a pattern", "GET", "/v1/jobs/batch", ``, producerToken, 405, api.CodeNoMethod, "method", ""},
		{"an empty body", "POST", "/v1/jobs", ``, producerToken, 400, api.CodeMalformed, "", ""},
		{"half a body", "POST", "/v1/jobs", `{"type": "pho`, producerToken, 400, api.CodeMalformed, "type", ""},
		{"two bodies", "POST", "/v1/jobs", `{"type": "a"} {"type": "b"}`, producerToken, 400, api.CodeMalformed, "", ""},
		{"not text", "POST", "/v1/jobs", "{\"type\": \"\xff\"}", producerToken, 400, api.CodeMalformed, "type", ""},
		{"a name twice", "POST", "/v1/jobs", `{"type": "a", "type": "b"}`, producerToken, 400, api.CodeMalformed, "type", ""},
		{"a list", "POST", "/v1/jobs", `[]`, producerToken, 400, api.CodeInvalid, "body", ""},
		{"no type", "POST", "/v1/jobs", `{}`, producerToken, 400, api.CodeRequired, "type", ""},
		{"a misspelled field", "POST", "/v1/jobs", `{"type": "a", "priorty": 1}`, producerToken, 400, api.CodeUnknownField, "priorty", "priority"},
		{"another case", "POST", "/v1/jobs", `{"Type": "a"}`, producerToken, 400, api.CodeUnknownField, "Type", "type"},
		{"a word for a number", "POST", "/v1/jobs", `{"type": "a", "priority": "high"}`, producerToken, 400, api.CodeInvalid, "priority", ""},
		{"a fraction for a whole number", "POST", "/v1/jobs", `{"type": "a", "priority": 1.5}`, producerToken, 400, api.CodeInvalid, "priority", ""},
		{"a number beyond all numbers", "POST", "/v1/jobs", `{"type": "a", "estimate_s": 1e999}`, producerToken, 400, api.CodeInvalid, "estimate_s", ""},
		{"a priority out of bounds", "POST", "/v1/jobs", `{"type": "a", "priority": 256}`, producerToken, 400, api.CodeInvalid, "priority", ""},
		{"a time that is none", "POST", "/v1/jobs", `{"type": "a", "run_at": "tomorrow"}`, producerToken, 400, api.CodeInvalid, "run_at", ""},
		{"a time beyond counting", "POST", "/v1/jobs", `{"type": "a", "run_at": "9000-01-01T00:00:00Z"}`, producerToken, 400, api.CodeInvalid, "run_at", ""},
		{"control characters", "POST", "/v1/jobs", `{"type": "a\u0000"}`, producerToken, 400, api.CodeInvalid, "type", ""},
		{"a long name", "POST", "/v1/jobs", `{"type": "` + strings.Repeat("a", 256) + `"}`, producerToken, 400, api.CodeInvalid, "type", ""},
		{"large args", "POST", "/v1/jobs", `{"type": "a", "args": "` + strings.Repeat("a", 65<<10) + `"}`, producerToken, 413, api.CodeTooLarge, "args", ""},
		{"a large body", "POST", "/v1/jobs", `{"type": "` + strings.Repeat("a", 2<<20) + `"}`, producerToken, 413, api.CodeTooLarge, "body", ""},
		{"a deep body", "POST", "/v1/jobs", `{"type": "a", "args": ` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, producerToken, 400, api.CodeMalformed, "args[0][0][0][0][0][0][0]…", ""},
		{"the fourth job of a batch", "POST", "/v1/jobs/batch", `{"jobs": [{"type": "a"}, {"type": "a"}, {"type": "a"}, {"type": "a", "priority": -1}]}`, producerToken, 400, api.CodeInvalid, "jobs[3].priority", ""},
		{"a misspelled field in a batch", "POST", "/v1/jobs/batch", `{"jobs": [{"type": "a"}, {"typ": "a"}]}`, producerToken, 400, api.CodeUnknownField, "jobs[1].typ", "type"},
		{"an empty batch", "POST", "/v1/jobs/batch", `{"jobs": []}`, producerToken, 400, api.CodeRequired, "jobs", ""},
		{"a large batch", "POST", "/v1/jobs/batch", `{"jobs": [` + strings.Repeat(`{"type": "a"},`, 1000) + `{"type": "a"}]}`, producerToken, 413, api.CodeTooLarge, "jobs", ""},
		{"a job id that is none", "GET", "/v1/jobs/latest", ``, producerToken, 400, api.CodeInvalid, "job", ""},
		{"a job that is none", "GET", "/v1/jobs/4711", ``, producerToken, 404, api.CodeNotFound, "job", ""},
		{"a misspelled parameter", "GET", "/v1/jobs?stat=dead", ``, producerToken, 400, api.CodeUnknownField, "stat", "state"},
		{"a misspelled state", "GET", "/v1/jobs?state=deed", ``, producerToken, 400, api.CodeInvalid, "state", "dead"},
		{"a parameter twice", "GET", "/v1/jobs?limit=1&limit=2", ``, producerToken, 400, api.CodeInvalid, "limit", ""},
		{"a parameter out of bounds", "GET", "/v1/jobs?limit=1001", ``, producerToken, 400, api.CodeInvalid, "limit", ""},
		{"a query that is none", "GET", "/v1/jobs?%zz", ``, producerToken, 400, api.CodeMalformed, "query", ""},
		{"an empty selector", "POST", "/v1/jobs/cancel", `{"selector": {}, "confirm": 9}`, producerToken, 400, api.CodeRequired, "selector", ""},
		{"an unknown session", "POST", "/v1/work", `{"session": "x", "req_id": "1"}`, workerToken, 409, api.CodeUnknownSession, "session", ""},
		{"another cluster's worker", "POST", "/v1/workers", `{"instance_id": "i-9", "instance_type": "m", "slots": 1, "boot_id": "b", "cluster": "production"}`, workerToken, 403, api.CodeWrongCluster, "cluster", ""},
		{"another instance's worker", "POST", "/v1/workers", `{"instance_id": "i-9", "instance_type": "m", "slots": 1, "boot_id": "b", "cluster": "test"}`, boundToken, 403, api.CodeForbidden, "instance_id", ""},
		{"an outcome that is none", "POST", "/v1/work/complete", `{"session": "x", "done": [{"job": 1, "token": 1, "outcome": "errror"}]}`, workerToken, 400, api.CodeInvalid, "done[0].outcome", "error"},
		{"a directive for nobody", "POST", "/v1/directives", `{"op": "drain"}`, operatorToken, 400, api.CodeRequired, "all", ""},
		{"an order that is none", "POST", "/v1/directives", `{"all": true, "op": "drian"}`, operatorToken, 400, api.CodeInvalid, "op", "drain"},
		{"a schedule that is none", "PUT", "/v1/schedules/nightly", `{"cron": "at noon", "job": {"type": "a"}}`, operatorToken, 400, api.CodeInvalid, "cron", ""},
		{"a token with a useless bond", "POST", "/v1/tokens", `{"role": "operator", "tenant": "smith"}`, operatorToken, 400, api.CodeInvalid, "tenant", ""},
		{"bootstrap that is not offered", "POST", "/v1/tokens/bootstrap", `{"kind": "shared", "cluster": "test", "boot_id": "b"}`, "", 400, api.CodeInvalid, "kind", ""},
		{"history backwards", "GET", "/v1/history?from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", ``, readerToken, 400, api.CodeInvalid, "to", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := refused(t, r.send(tt.method, tt.path, tt.token, tt.body), tt.status, tt.code)
			if e.Field != tt.field || e.DidYouMean != tt.near {
				t.Errorf("field %q, did you mean %q; want %q, %q (%s)", e.Field, e.DidYouMean, tt.field, tt.near, e.Message)
			}
		})
	}
}

// TestAllProblemsAtOnce: whoever made three mistakes reads of three.
func TestAllProblemsAtOnce(t *testing.T) {
	r := newRig(t)
	e := refused(t, r.send("POST", "/v1/jobs", producerToken, `{"priority": 999, "max_run_ms": -1, "attempts_max": 2}`), 400, api.CodeRequired)
	if len(e.Problems) != 2 || e.Problems[0].Field != "priority" || e.Problems[1].Field != "max_run_ms" {
		t.Errorf("%s", indented(e))
	}
}

// TestBodiesUnpacked: packed bodies are read, and bounded by what they hold.
func TestBodiesUnpacked(t *testing.T) {
	r := newRig(t)
	pack := map[string]func(string) string{
		"gzip": func(s string) string {
			var b bytes.Buffer
			w := gzip.NewWriter(&b)
			w.Write([]byte(s))
			w.Close()
			return b.String()
		},
		"zstd": func(s string) string {
			w, err := zstd.NewWriter(nil)
			if err != nil {
				t.Fatal(err)
			}
			return string(w.EncodeAll([]byte(s), nil))
		},
	}
	for name, pack := range pack {
		if a := r.send("POST", "/v1/jobs", producerToken, pack(`{"type": "a"}`), "Content-Encoding", name); a.status != 200 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
		bomb := `{"type": "` + strings.Repeat("a", 64<<20) + `"}`
		refused(t, r.send("POST", "/v1/jobs", producerToken, pack(bomb), "Content-Encoding", name), 413, api.CodeTooLarge)
		refused(t, r.send("POST", "/v1/jobs", producerToken, "not packed", "Content-Encoding", name), 400, api.CodeMalformed)
	}
	refused(t, r.send("POST", "/v1/jobs", producerToken, `{}`, "Content-Encoding", "br"), 415, api.CodeMediaType)
	refused(t, r.send("POST", "/v1/jobs", producerToken, `<job/>`, "Content-Type", "text/xml"), 415, api.CodeMediaType)
}

// TestLines: a batch may be a job a line.
func TestLines(t *testing.T) {
	r := newRig(t)
	a := r.send("POST", "/v1/jobs/batch", producerToken, "{\"type\": \"a\"}\n\n{\"type\": \"b\"}\r\n", "Content-Type", "application/x-ndjson")
	if a.status != 200 || strings.Count(string(a.body), `"added":true`) != 2 {
		t.Errorf("%d %s", a.status, a.body)
	}
	e := refused(t, r.send("POST", "/v1/jobs/batch", producerToken, "{\"type\": \"a\"}\n{\"type\": 5}", "Content-Type", "application/x-ndjson"), 400, api.CodeInvalid)
	if e.Field != "jobs[1].type" {
		t.Errorf("field %q", e.Field)
	}
}

// TestIdempotencyKeyOfCall: the same call again adds nothing, and answers alike.
func TestIdempotencyKeyOfCall(t *testing.T) {
	r := newRig(t)
	body := `{"jobs": [{"type": "a"}, {"type": "b"}]}`
	first := r.send("POST", "/v1/jobs/batch", producerToken, body, api.IdempotencyHeader, "k1")
	again := r.send("POST", "/v1/jobs/batch", producerToken, body, api.IdempotencyHeader, "k1")
	if first.status != 200 || !bytes.Equal(first.body, again.body) {
		t.Errorf("%s, then %s", first.body, again.body)
	}
	other := r.send("POST", "/v1/jobs/batch", smithToken, body, api.IdempotencyHeader, "k1")
	if other.status != 200 || bytes.Equal(first.body, other.body) {
		t.Errorf("another tenant's key: %s, then %s", first.body, other.body)
	}
	if s := r.engine.Stats(""); s.Totals.Enqueued != 4 {
		t.Errorf("%d jobs, want 4", s.Totals.Enqueued)
	}
}

// TestOverload: who calls too often, or finds the queue busy, is told how long to
// keep still; a worker is told to nap.
func TestOverload(t *testing.T) {
	r := newRig(t, func(o *server.Options, _ *access.Options) { o.RatePerS, o.Burst = 1, 3 })
	for i := range 3 {
		if a := r.send("GET", "/v1/stats", readerToken, ""); a.status != 200 {
			t.Fatalf("call %d: %d %s", i, a.status, a.body)
		}
		if a := r.send("POST", "/v1/work", workerToken, `{"session": "x", "req_id": "1"}`); a.status != 409 {
			t.Fatalf("call %d: %d %s", i, a.status, a.body)
		}
	}
	a := r.send("GET", "/v1/stats", readerToken, "")
	e := refused(t, a, 429, api.CodeTooMany)
	if a.header.Get("Retry-After") == "" || e.RetryAfterMS < 1000 || e.Directive != nil {
		t.Errorf("Retry-After %q, %s", a.header.Get("Retry-After"), indented(e))
	}
	e = refused(t, r.send("POST", "/v1/work", workerToken, `{"session": "x", "req_id": "1"}`), 429, api.CodeTooMany)
	if e.Directive == nil || e.Directive.Op != api.OpNap || e.Directive.AfterMS < 1000 {
		t.Errorf("%s", indented(e))
	}
	if a := r.send("GET", "/v1/stats", operatorToken, ""); a.status != 200 {
		t.Errorf("another client: %d", a.status)
	}
	// those who guess tokens are slowed down by address
	r = newRig(t)
	statuses := map[int]int{}
	for i := range 400 {
		statuses[r.send("GET", "/v1/stats", fmt.Sprintf("guess-%d", i), "").status]++
	}
	if statuses[429] < 100 || statuses[401] < 150 || statuses[429]+statuses[401] != 400 {
		t.Errorf("%v", statuses)
	}
	if a := r.send("GET", "/v1/stats", readerToken, ""); a.status != 200 {
		t.Errorf("one with a good token, from the same address: %d", a.status)
	}
}

// TestStandby: a process that does not lead says so, and is not ready.
func TestStandby(t *testing.T) {
	r := newRig(t)
	r.server.Lead(nil)
	a := r.send("POST", "/v1/jobs", producerToken, `{"type": "a"}`)
	if refused(t, a, 503, api.CodeNotLeader); a.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	refused(t, r.send("GET", "/readyz", "", ""), 503, api.CodeNotLeader)
	for path, token := range map[string]string{"/healthz": "", "/v1/openapi.json": "", "/metrics": readerToken} {
		if a := r.send("GET", path, token, ""); a.status != 200 {
			t.Errorf("%s: %d", path, a.status)
		}
	}
	r.server.Lead(r.engine)
	if a := r.send("GET", "/readyz", "", ""); a.status != 200 {
		t.Errorf("/readyz: %d", a.status)
	}
}
