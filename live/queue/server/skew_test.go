package server_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/skynet-ec2/skynet/live/api"
)

// withMore returns a JSON text with a field in every object that no release
// knows yet.
func withMore(t *testing.T, text string) string {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	var add func(v any) any
	add = func(v any) any {
		switch v := v.(type) {
		case map[string]any:
			for name, e := range v {
				v[name] = add(e)
			}
			v["of_the_next_release"] = map[string]any{"x": []any{1, "y"}}
		case []any:
			for i, e := range v {
				v[i] = add(e)
			}
		}
		return v
	}
	more, err := json.Marshal(add(v))
	if err != nil {
		t.Fatal(err)
	}
	return string(more)
}

// TestWorkersOfOtherReleases: a worker that says less, as one of the release
// before does, and one that says more, as one of the next does, live a whole life
// beside each other.
func TestWorkersOfOtherReleases(t *testing.T) {
	r := newRig(t)
	for release, change := range map[string]func(string) string{
		"before": func(s string) string { return s },
		"next":   func(s string) string { return withMore(t, s) },
	} {
		t.Run(release, func(t *testing.T) {
			call := func(method, path, body string, into any) {
				t.Helper()
				a := r.send(method, path, workerToken, change(body))
				if a.status != 200 {
					t.Fatalf("%s: %d %s", path, a.status, a.body)
				}
				if err := json.Unmarshal(a.body, into); err != nil {
					t.Fatal(err)
				}
			}
			producer := r.client(producerToken)
			for range 3 {
				if _, err := producer.Submit(t.Context(), api.JobSpec{Type: release}); err != nil {
					t.Fatal(err)
				}
			}
			var me api.RegisterResponse
			call("POST", "/v1/workers", `{"instance_id": "i-`+release+`", "instance_type": "m", "slots": 3, "cluster": "test", "boot_id": "`+release+`", "boot": {}}`, &me)
			var work api.WorkResponse
			call("POST", "/v1/work", `{"session": "`+me.Session+`", "req_id": "1", "slots_free": 3, "wait_ms": 1000, "types": ["`+release+`"]}`, &work)
			if len(work.Jobs) != 3 {
				t.Fatalf("%s", indented(work))
			}
			name := func(i int) string { return fmt.Sprintf(`"job": %d, "token": %d`, work.Jobs[i].ID, work.Jobs[i].Token) }
			var beat api.HeartbeatResponse
			call("POST", "/v1/work/heartbeat", `{"session": "`+me.Session+`", "running": [{`+name(0)+`}, {`+name(1)+`}, {`+name(2)+`}]}`, &beat)
			if len(beat.Lost) > 0 {
				t.Errorf("%s", indented(beat))
			}
			var ended api.CompleteResponse
			call("POST", "/v1/work/complete", `{"session": "`+me.Session+`", "done": [{`+name(0)+`, "outcome": "ok", "metrics": {}}]}`, &ended)
			call("POST", "/v1/work", `{"session": "`+me.Session+`", "req_id": "2", "done": [{`+name(1)+`, "outcome": "ok"}], "running": [{`+name(2)+`}]}`, &work)
			if len(ended.Acks) != 1 || ended.Acks[0].Status != api.AckAccepted || len(work.Acks) != 1 || work.Acks[0].Status != api.AckAccepted {
				t.Errorf("%s, %s", indented(ended), indented(work))
			}
			var bye api.GoodbyeResponse
			call("DELETE", "/v1/workers/"+me.WorkerID, `{"session": "`+me.Session+`"}`, &bye)
			if len(bye.Released) != 1 {
				t.Errorf("%s", indented(bye))
			}
		})
	}
}

// TestProducersOfTheNextRelease: where a field that is not understood could
// change what a job is, it is refused by name.
func TestProducersOfTheNextRelease(t *testing.T) {
	r := newRig(t)
	for _, c := range api.Calls {
		if c.Request == nil || c.Lenient {
			continue
		}
		token := producerToken
		if c.Roles[0] == api.RoleOperator {
			token = operatorToken
		}
		if strings.HasPrefix(c.Path, "/v1/jobs/{") {
			if _, err := r.client(producerToken).Submit(t.Context(), api.JobSpec{Type: "a"}); err != nil {
				t.Fatal(err)
			}
		}
		e := refused(t, r.send(c.Method, filled(c, "1"), token, withMore(t, bodies[c.Name])), 400, api.CodeUnknownField)
		if !strings.HasSuffix(e.Field, "of_the_next_release") {
			t.Errorf("%s: field %q", c.Name, e.Field)
		}
	}
}
