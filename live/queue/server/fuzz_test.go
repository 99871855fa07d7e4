package server_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue/server"
)

// bodies are good bodies of the calls that take one.
var bodies = map[string]string{
	"registerWorker": `{"instance_id": "i-1", "instance_type": "c7i.large", "slots": 2, "cluster": "test", "boot_id": "b-1", "roles": ["photos"], "types": ["a"], "boot": {"launched_at": "2026-01-01T00:00:00Z", "uptime_ms": 20000}, "running": [{"job": 1, "token": 4294967297}]}`,
	"work":           `{"session": "SESSION", "req_id": "r-1", "wait_ms": 10, "slots_free": 1, "load": 0.5, "running": [{"job": 4, "token": 4294967297, "progress": 0.5}], "done": [{"job": 1, "token": 4294967297, "outcome": "ok", "result_uri": "s3://b/k", "metrics": {"run_s": 1.5, "bytes_in": 7}}]}`,
	"heartbeat":      `{"session": "SESSION", "running": [{"job": 1, "token": 4294967297}]}`,
	"complete":       `{"session": "SESSION", "done": [{"job": 1, "token": 4294967297, "outcome": "error", "error": "no", "final": true}]}`,
	"goodbye":        `{"session": "SESSION", "reason": "spot interruption"}`,
	"submitJob":      `{"type": "a", "priority": 3, "key": "k", "concurrency_key": "c", "delay_ms": 1000, "estimate_s": 2.5, "due_ms": 30000, "max_run_ms": 60000, "attempts_max": 3, "bytes_in": 1000, "args": {"x": [1, null, "y"]}}`,
	"submitBatch":    `{"jobs": [{"type": "a"}, {"type": "b", "run_at": "2026-01-01T00:00:00Z"}]}`,
	"prioritizeJob":  `{"priority": 9}`,
	"cancelJobs":     `{"selector": {"type": "a", "state": "waiting", "priority": 3, "older_than_s": 1.5, "jobs": [1, 2]}, "confirm": 2}`,
	"retryJobs":      `{"selector": {"state": "dead"}}`,
	"makeGroup":      `{"name": "gallery", "key": "g", "size": 2}`,
	"limitQueue":     `{"running_max": 3, "rate_per_s": 2.5, "burst": 4}`,
	"limitKey":       `{"running_max": 3}`,
	"weighTenant":    `{"weight": 3}`,
	"setSchedule":    `{"cron": "*/5 * * * *", "zone": "Europe/Berlin", "job": {"type": "a"}}`,
	"direct":         `{"role": "photos", "op": "update", "bundle": "v2", "percent": 10, "spread_ms": 1000, "lasts_ms": 60000, "reason": "a new release"}`,
	"makeToken":      `{"role": "producer", "name": "gallery", "tenant": "smith", "lasts_s": 3600}`,
	"observe":        `{"speeds": {"c7i.large": 1.5}, "late_after": [{"type": "a", "priority": 0}]}`,
	"bootstrap":      `{"kind": "shared", "cluster": "test", "boot_id": "b-1", "instance_id": "i-1", "at": "2026-01-01T00:00:00Z", "mac": "00"}`,
}

// filled returns a call's path with a value in its braces.
func filled(c api.Call, value string) string {
	head, rest, ok := strings.Cut(c.Path, "{")
	if !ok {
		return c.Path
	}
	_, tail, _ := strings.Cut(rest, "}")
	return head + value + tail
}

// FuzzCalls sends anything to any call, with any token, twice. Whatever it is,
// the answer is no fault of the queue, an error says so in JSON, and nothing of
// tenant jones reaches tenant smith.
func FuzzCalls(f *testing.F) {
	tokens := []string{"", operatorToken, producerToken, workerToken, readerToken, smithToken, smithReader, boundToken}
	for i, c := range api.Calls {
		for at, token := range tokens {
			if token == "" || strings.HasPrefix(token, "smith") || len(c.Roles) > 0 && strings.HasPrefix(token, string(c.Roles[0])) {
				f.Add(uint8(i), uint8(at), "1", "", "", []byte(bodies[c.Name]))
			}
		}
	}
	f.Add(uint8(5), uint8(2), "", "", "gzip", []byte("\x1f\x8b\x08"))
	f.Add(uint8(6), uint8(5), "", "", "lines", []byte("{\"type\":\"a\"}\n{"))
	f.Add(uint8(7), uint8(5), "../..", "limit=-1&state=deed&%zz", "zstd", []byte("(\xb5/\xfd"))
	r := newRig(f, func(o *server.Options, _ *access.Options) { o.RatePerS, o.Burst = 1e9, 1e9 })
	jobs, _ := fillTenants(f, r)
	session := register(f, r.client(workerToken), "i-1", 2).Session

	f.Fuzz(func(t *testing.T, which, who uint8, value, query, packing string, body []byte) {
		c := api.Calls[int(which)%len(api.Calls)]
		token := tokens[int(who)%len(tokens)]
		if value == "latest" {
			value = itoa(jobs[len(jobs)-1])
		}
		text := strings.ReplaceAll(string(body), "SESSION", session)
		for range 2 { // a replay is no worse than the first
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			in := (&http.Request{
				Method: c.Method, URL: &url.URL{Path: filled(c, value), RawQuery: query}, Header: http.Header{}, Host: "queue",
				Body: http.NoBody, RemoteAddr: "192.0.2.1:1", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			}).WithContext(ctx)
			if text != "" {
				in = withBody(in, text, packing)
			}
			if token != "" {
				in.Header.Set("Authorization", "Bearer "+token)
			}
			out := httptest.NewRecorder()
			r.server.ServeHTTP(out, in)
			late := ctx.Err() != nil
			cancel()
			if out.Code >= 500 && !(late && out.Code == 503) {
				t.Fatalf("%s %s: %d %s", c.Method, in.URL, out.Code, out.Body)
			}
			if out.Code >= 400 {
				var e api.ErrorResponse
				if err := json.Unmarshal(out.Body.Bytes(), &e); err != nil || e.Error.Code == "" || e.Error.Message == "" {
					t.Fatalf("%s %s: %d, not an error in JSON: %q", c.Method, in.URL, out.Code, out.Body)
				}
			}
			asked := strings.Contains(value+query+text, secretOfJones)
			if strings.HasPrefix(token, "smith") && !asked && strings.Contains(out.Body.String(), secretOfJones) {
				t.Fatalf("%s %s tells smith of jones: %s", c.Method, in.URL, out.Body)
			}
		}
	})
}

// withBody gives a request a body, said to be packed or not.
func withBody(in *http.Request, text, packing string) *http.Request {
	out := httptest.NewRequestWithContext(in.Context(), "POST", "/", strings.NewReader(text))
	in.Body, in.ContentLength = out.Body, out.ContentLength
	switch packing {
	case "":
	case "lines":
		in.Header.Set("Content-Type", "application/x-ndjson")
	case "gzip", "zstd":
		in.Header.Set("Content-Encoding", packing)
	default:
		in.Header.Set("Content-Type", packing)
	}
	return in
}
