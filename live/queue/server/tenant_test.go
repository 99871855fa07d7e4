package server_test

import (
	"strings"
	"testing"

	"github.com/skynet-ec2/skynet/live/api"
)

// secretOfJones is in everything that tenant jones has: who reads it saw what is
// not theirs.
const secretOfJones = "jones-only"

// fillTenants gives jones a job in every state that one can be in, and a group;
// smith gets a job and a group, too. It returns the ids of what jones has.
func fillTenants(t testing.TB, r *rig) (jobs []int64, group string) {
	t.Helper()
	ctx := t.Context()
	jones, smith, worker := r.client(jonesToken), r.client(smithToken), r.client(workerToken)
	g, err := jones.NewGroup(ctx, api.GroupRequest{Name: secretOfJones})
	if err != nil {
		t.Fatal(err)
	}
	spec := func(n string) api.JobSpec {
		return api.JobSpec{Type: secretOfJones, Group: g.ID, Key: secretOfJones + n, ConcurrencyKey: secretOfJones + n, Args: []byte(`"` + secretOfJones + `"`)}
	}
	delayed := spec("delayed")
	delayed.DelayMS = 3_600_000
	added, err := jones.SubmitAll(ctx, []api.JobSpec{spec("done"), spec("dead"), spec("cancelled"), spec("leased"), spec("waiting"), delayed})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range added {
		jobs = append(jobs, a.ID)
	}
	if _, err := jones.Cancel(ctx, jobs[2]); err != nil {
		t.Fatal(err)
	}
	w := register(t, worker, "i-7", 3)
	work, err := worker.Work(ctx, api.WorkRequest{Session: w.Session, SlotsFree: 3, WaitMS: 1000})
	if err != nil || len(work.Jobs) != 3 {
		t.Fatalf("%v, %s", err, indented(work))
	}
	done := []api.DoneJob{
		{Job: work.Jobs[0].ID, Token: work.Jobs[0].Token, Outcome: api.OutcomeOK, ResultURI: "s3://" + secretOfJones},
		{Job: work.Jobs[1].ID, Token: work.Jobs[1].Token, Outcome: api.OutcomeError, Error: secretOfJones, Final: true},
	}
	if _, err := worker.Complete(ctx, api.CompleteRequest{Session: w.Session, Done: done}); err != nil {
		t.Fatal(err)
	}
	mine, err := smith.NewGroup(ctx, api.GroupRequest{Name: "smith's"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := smith.Submit(ctx, api.JobSpec{Type: "smiths", Group: mine.ID}); err != nil {
		t.Fatal(err)
	}
	return jobs, g.ID
}

// TestTenantsDoNotSeeEachOther asks, with smith's tokens, for all that jones has.
func TestTenantsDoNotSeeEachOther(t *testing.T) {
	r := newRig(t)
	jobs, group := fillTenants(t, r)
	unseen := func(a answer) {
		t.Helper()
		if strings.Contains(string(a.body), secretOfJones) {
			t.Errorf("jones's secret is told: %s", a.body)
		}
	}
	for _, token := range []string{smithToken, smithReader} {
		for _, path := range []string{"/v1/jobs", "/v1/groups", "/v1/stats", "/v1/jobs?group=" + group, "/v1/jobs?type=" + secretOfJones} {
			a := r.send("GET", path, token, "")
			if unseen(a); a.status != 200 {
				t.Errorf("%s: %d", path, a.status)
			}
		}
		for _, path := range []string{"/v1/workers", "/v1/queues", "/v1/schedules", "/v1/directives", "/v1/tokens", "/metrics"} {
			a := r.send("GET", path, token, "")
			refused(t, a, 403, api.CodeForbidden)
			unseen(a)
		}
		for _, path := range []string{"/v1/jobs?tenant=jones", "/v1/groups?tenant=jones"} {
			refused(t, r.send("GET", path, token, ""), 403, api.CodeForbidden)
		}
	}
	for _, format := range []string{"csv", "ndjson"} {
		a := r.send("GET", "/v1/history?format="+format, smithReader, "")
		if unseen(a); a.status != 200 {
			t.Errorf("history: %d %s", a.status, a.body)
		}
	}
	for _, id := range jobs {
		path := "/v1/jobs/" + itoa(id)
		for _, c := range [][2]string{{"GET", path}, {"GET", path + "?wait_ms=1"}, {"POST", path + "/cancel"}, {"POST", path + "/retry"}, {"POST", path + "/priority"}} {
			a := r.send(c[0], c[1], smithToken, `{"priority": 9}`)
			e := refused(t, a, 404, api.CodeNotFound)
			unseen(a)
			// it must not differ from a job that is not there
			other := refused(t, r.send(c[0], strings.Replace(c[1], "/jobs/"+itoa(id), "/jobs/999999", 1), smithToken, `{"priority": 9}`), 404, api.CodeNotFound)
			if strings.Replace(e.Message, itoa(id), "999999", 1) != other.Message {
				t.Errorf("%s tells that the job exists: %q against %q", c[1], e.Message, other.Message)
			}
		}
	}
	refused(t, r.send("GET", "/v1/groups/"+group, smithToken, ""), 404, api.CodeNotFound)
	e := refused(t, r.send("POST", "/v1/jobs", smithToken, `{"type": "a", "group": "`+group+`"}`), 404, api.CodeNotFound)
	if e.Field != "group" {
		t.Errorf("field %q", e.Field)
	}
	refused(t, r.send("POST", "/v1/jobs", smithToken, `{"type": "a", "tenant": "jones"}`), 403, api.CodeForbidden)
	refused(t, r.send("POST", "/v1/groups", smithToken, `{"tenant": "jones"}`), 403, api.CodeForbidden)
	// a selector reaches smith's jobs alone
	for _, selector := range []string{`{"group": "` + group + `"}`, `{"type": "` + secretOfJones + `"}`, `{"jobs": [` + itoa(jobs[3]) + `,` + itoa(jobs[4]) + `]}`} {
		for _, verb := range []string{"cancel", "retry"} {
			a := r.send("POST", "/v1/jobs/"+verb, smithToken, `{"selector": `+selector+`, "confirm": 1000}`)
			if !strings.Contains(string(a.body), `"matched":0`) {
				t.Errorf("%s %s: %s", verb, selector, a.body)
			}
		}
	}
	refused(t, r.send("POST", "/v1/jobs/cancel", smithToken, `{"selector": {"tenant": "jones"}, "confirm": 1000}`), 403, api.CodeForbidden)
	// a key that jones uses is free for smith
	a := r.send("POST", "/v1/jobs", smithToken, `{"type": "a", "key": "`+secretOfJones+`waiting"}`)
	if a.status != 200 || !strings.Contains(string(a.body), `"added":true`) {
		t.Errorf("jones's key: %d %s", a.status, a.body)
	}
	if s := r.engine.Stats("jones"); s.States[api.StateCancelled] > 1 || s.States[api.StateWaiting] != 1 {
		t.Errorf("jones's jobs were changed: %v", s.States)
	}
}
