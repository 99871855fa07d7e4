package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"

	"github.com/getkin/kin-openapi/openapi3"
)

// document reads the OpenAPI document that a queue serves, and checks that it is
// one.
func document(t *testing.T, r *rig) *openapi3.T {
	t.Helper()
	a := r.send("GET", "/v1/openapi.json", "", "")
	doc, err := openapi3.NewLoader().LoadFromData(a.body)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context(), openapi3.IsOpenAPI31OrLater()); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(doc.OpenAPI, "3.1") {
		t.Errorf("OpenAPI %s, want 3.1", doc.OpenAPI)
	}
	return doc
}

// TestEveryRouteIsDescribed: what the document names the server serves, and
// nothing else.
func TestEveryRouteIsDescribed(t *testing.T) {
	r := newRig(t)
	doc := document(t, r)
	var described, served []string
	for path, item := range doc.Paths.Map() {
		for method := range item.Operations() {
			described = append(described, method+" "+path)
		}
	}
	for _, c := range api.Calls {
		served = append(served, c.Method+" "+c.Path)
	}
	slices.Sort(described)
	slices.Sort(served)
	if !slices.Equal(described, served) {
		t.Errorf("described %q\nserved %q", described, served)
	}
	methods := []string{"GET", "PUT", "POST", "DELETE", "PATCH"}
	for path := range doc.Paths.Map() {
		for _, method := range methods {
			a := r.send(method, strings.NewReplacer("{", "", "}", "").Replace(path), "", "")
			if there := a.status != 404 && a.status != 405; there != slices.Contains(described, method+" "+path) {
				t.Errorf("%s %s: status %d", method, path, a.status)
			}
		}
	}
}

// TestEveryFieldIsTaken: every property that the document gives a request is
// known to the server, and one more is not where the document says so.
func TestEveryFieldIsTaken(t *testing.T) {
	r := newRig(t)
	doc := document(t, r)
	tokens := map[api.Role]string{api.RoleOperator: operatorToken, api.RoleProducer: producerToken, api.RoleWorker: workerToken}
	if _, err := r.client(producerToken).Submit(t.Context(), api.JobSpec{Type: "a"}); err != nil { // job 1
		t.Fatal(err)
	}
	fields := 0
	for _, c := range api.Calls {
		if c.Request == nil {
			continue
		}
		token := ""
		if len(c.Roles) > 0 {
			token = tokens[c.Roles[0]]
		}
		schema := doc.Paths.Value(c.Path).GetOperation(c.Method).RequestBody.Value.Content.Get("application/json").Schema.Value
		for name := range schema.Properties {
			fields++
			a := r.send(c.Method, filled(c, "1"), token, `{"`+name+`": null}`)
			if strings.Contains(string(a.body), string(api.CodeUnknownField)) {
				t.Errorf("%s: %s is described and not known", c.Name, name)
			}
		}
		a := r.send(c.Method, filled(c, "1"), token, `{"no_such_field": 1}`)
		refusedIt := strings.Contains(string(a.body), string(api.CodeUnknownField))
		if described := schema.AdditionalProperties.Has != nil && !*schema.AdditionalProperties.Has; refusedIt != described || refusedIt == c.Lenient {
			t.Errorf("%s: refuses what it does not know: %t; the document says %t", c.Name, refusedIt, described)
		}
	}
	if fields < 80 {
		t.Errorf("only %d fields were tried", fields)
	}
}

// witness passes calls on and compares what is sent and answered with the
// document.
type witness struct {
	t   *testing.T
	doc *openapi3.T

	mu   sync.Mutex
	seen map[string]bool // operations
}

func (w *witness) RoundTrip(out *http.Request) (*http.Response, error) {
	var sent []byte
	if out.Body != nil {
		var err error
		if sent, err = io.ReadAll(out.Body); err != nil {
			return nil, err
		}
		out.Body = io.NopCloser(bytes.NewReader(sent))
	}
	in, err := http.DefaultTransport.RoundTrip(out)
	if err != nil {
		return nil, err
	}
	op := w.operation(out.Method, out.URL)
	if op == nil {
		w.t.Errorf("%s %s is not described", out.Method, out.URL.Path)
		return in, nil
	}
	w.mu.Lock()
	w.seen[op.OperationID] = true
	w.mu.Unlock()
	if len(sent) > 0 {
		w.check(op.OperationID+" request", op.RequestBody.Value.Content, sent)
	}
	if strings.Contains(in.Header.Get("Content-Type"), "json") && !strings.Contains(in.Header.Get("Content-Type"), "ndjson") {
		text, err := io.ReadAll(in.Body)
		if err != nil {
			return nil, err
		}
		in.Body.Close()
		in.Body = io.NopCloser(bytes.NewReader(text))
		answer := op.Responses.Status(in.StatusCode)
		if answer == nil {
			answer = op.Responses.Value(fmt.Sprintf("%dXX", in.StatusCode/100))
		}
		if answer == nil {
			w.t.Errorf("%s: status %d is not described", op.OperationID, in.StatusCode)
			return in, nil
		}
		w.check(op.OperationID+" answer", answer.Value.Content, text)
	}
	return in, nil
}

var brace = regexp.MustCompile(`\\\{\w+\\\}`)

func (w *witness) operation(method string, u *url.URL) *openapi3.Operation {
	var best string
	for path := range w.doc.Paths.Map() {
		pattern := "^" + brace.ReplaceAllString(regexp.QuoteMeta(path), "[^/]+") + "$"
		if regexp.MustCompile(pattern).MatchString(u.EscapedPath()) && (best == "" || strings.Count(path, "{") < strings.Count(best, "{")) {
			best = path
		}
	}
	if best == "" {
		return nil
	}
	return w.doc.Paths.Value(best).GetOperation(method)
}

func (w *witness) check(what string, content openapi3.Content, text []byte) {
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		w.t.Errorf("%s: %v", what, err)
		return
	}
	schema := content.Get("application/json").Schema
	if err := schema.Value.VisitJSON(value, openapi3.EnableJSONSchema2020()); err != nil {
		w.t.Errorf("%s: %v\n%s", what, err, text)
	}
	w.walk(what, schema, value)
}

// walk reports what a value holds and its schema does not describe.
func (w *witness) walk(what string, schema *openapi3.SchemaRef, value any) {
	switch v := value.(type) {
	case []any:
		for _, e := range v {
			if schema.Value.Items != nil {
				w.walk(what, schema.Value.Items, e)
			}
		}
	case map[string]any:
		if len(schema.Value.Properties) == 0 {
			return // anything goes: args, counts by name
		}
		for name, e := range v {
			property := schema.Value.Properties[name]
			if property == nil {
				w.t.Errorf("%s: %s is told and not described", what, name)
				continue
			}
			w.walk(what, property, e)
		}
	}
}

// TestCallsAsDescribed makes every call there is with the client, and compares
// all that goes over the wire with the document.
func TestCallsAsDescribed(t *testing.T) {
	r := newRig(t)
	w := &witness{t: t, doc: document(t, r), seen: map[string]bool{"openapi": true}}
	as := func(token string) *client.Client {
		c := r.client(token)
		c.Through(w)
		return c
	}
	everyCall(t, as(operatorToken), as(workerToken), as(readerToken), as(""))
	for _, c := range api.Calls {
		if !w.seen[c.Name] {
			t.Errorf("%s was not called", c.Name)
		}
	}
}

// everyCall makes every call.
func everyCall(t *testing.T, operator, worker, reader, nobody *client.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	good := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	group, err := operator.NewGroup(ctx, api.GroupRequest{Name: "gallery", Tenant: "smith", Size: 3})
	good(err)
	one, err := operator.Submit(ctx, api.JobSpec{Type: "a", Tenant: "smith", Group: group.ID, Key: "k", EstimateS: 2, DueMS: 1000, MaxRunMS: 60_000, BytesIn: 10, Args: []byte(`{"x": [1]}`)})
	good(err)
	more, err := operator.SubmitBatch(ctx, []api.JobSpec{{Type: "a", Tenant: "smith", Group: group.ID}, {Type: "a", Tenant: "smith", Group: group.ID}, {Type: "later", DelayMS: 60_000}}, "")
	good(err)
	_, err = operator.SetSchedule(ctx, api.Schedule{Name: "nightly", Cron: "0 3 * * *", Job: api.JobSpec{Type: "a"}})
	good(err)
	_, err = reader.Schedules(ctx)
	good(err)
	me, err := worker.Register(ctx, api.RegisterRequest{
		InstanceID: "i-1", InstanceType: "c7i.large", Market: "spot", Zone: "eu-1a", Slots: 4, Cluster: cluster, Roles: []string{"photos"},
		BundleVersion: "v1", Release: 7, BadReleases: []int64{6}, BootID: "b-1", Boot: &api.Boot{LaunchedAt: time.Now(), UptimeMS: 20_000},
	})
	good(err)
	directive, err := operator.Direct(ctx, api.DirectiveRequest{Role: "photos", Op: api.OpReload, Reason: "a test"})
	good(err)
	_, err = reader.Directives(ctx)
	good(err)
	work, err := worker.Work(ctx, api.WorkRequest{Session: me.Session, SlotsFree: 2, WaitMS: 1000, Load: 0.5})
	good(err)
	if len(work.Jobs) != 2 {
		t.Fatalf("%s", indented(work))
	}
	good(operator.DeleteDirective(ctx, directive.ID))
	_, err = worker.Heartbeat(ctx, api.HeartbeatRequest{Session: me.Session, Running: []api.RunningJob{
		{Job: work.Jobs[0].ID, Token: work.Jobs[0].Token, Progress: 0.5}, {Job: work.Jobs[1].ID, Token: work.Jobs[1].Token}, {Job: 99, Token: 1},
	}})
	good(err)
	done := []api.DoneJob{
		{Job: work.Jobs[0].ID, Token: work.Jobs[0].Token, Outcome: api.OutcomeOK, ResultURI: "s3://b/k", Metrics: &api.Metrics{RunS: 1, CPUS: 0.9, BytesIn: 10, BytesOut: 5, PeakMemoryBytes: 7}},
		{Job: work.Jobs[1].ID, Token: work.Jobs[1].Token, Outcome: api.OutcomeError, Error: "no", Final: true},
	}
	_, err = worker.Complete(ctx, api.CompleteRequest{Session: me.Session, Done: done})
	good(err)
	stale, err := worker.Complete(ctx, api.CompleteRequest{Session: me.Session, Done: []api.DoneJob{{Job: more[1].ID, Token: 1, Outcome: api.OutcomeOK}}})
	good(err)
	if len(stale.Acks) != 1 || stale.Acks[0].Status != api.AckStale {
		t.Errorf("%s", indented(stale))
	}
	_, err = reader.Job(ctx, one.ID)
	good(err)
	_, err = reader.Jobs(ctx, api.Filter{State: api.StateDead, Limit: 5})
	good(err)
	_, err = reader.Group(ctx, group.ID)
	good(err)
	_, err = reader.Groups(ctx, "smith")
	good(err)
	_, err = operator.Retry(ctx, work.Jobs[1].ID)
	good(err)
	_, err = operator.SetPriority(ctx, more[1].ID, 7)
	good(err)
	_, err = operator.Cancel(ctx, more[2].ID)
	good(err)
	_, err = operator.RetrySelected(ctx, api.SelectRequest{Selector: api.Selector{State: api.StateDead}, Confirm: 10})
	good(err)
	_, err = operator.CancelSelected(ctx, api.SelectRequest{Selector: api.Selector{Type: "a"}})
	good(err)
	_, err = operator.CancelSelected(ctx, api.SelectRequest{Selector: api.Selector{Type: "a"}, Confirm: 10})
	good(err)
	_, err = operator.WaitGroup(ctx, group.ID)
	good(err)
	_, err = operator.WaitJob(ctx, one.ID)
	good(err)
	_, err = operator.Pause(ctx, "a")
	good(err)
	_, err = operator.Resume(ctx, "a")
	good(err)
	_, err = operator.Limit(ctx, "a", api.Limit{RunningMax: 2, RatePerS: 1.5, Burst: 2})
	good(err)
	_, err = operator.KeyLimit(ctx, "k", api.KeyLimit{RunningMax: 2})
	good(err)
	_, err = operator.Weight(ctx, "smith", api.Weight{Weight: 2})
	good(err)
	_, err = reader.Queues(ctx)
	good(err)
	_, err = reader.Stats(ctx)
	good(err)
	_, err = operator.Observe(ctx, api.ObserveRequest{Speeds: map[string]float64{"c7i.large": 1.5}, LateAfter: []api.LateAfter{{Type: "a", Priority: 0}}})
	good(err)
	_, err = reader.Workers(ctx)
	good(err)
	seen := 0
	stop := fmt.Errorf("seen enough")
	if err := reader.StreamStats(ctx, 200*time.Millisecond, func(s api.Stats) error {
		if seen++; seen == 2 {
			return stop
		}
		return nil
	}); err != stop {
		t.Error(err)
	}
	ended := 0
	good(reader.History(ctx, time.Time{}, time.Time{}, func(f api.Finished) error { ended++; return nil }))
	if ended == 0 {
		t.Error("the history is empty")
	}
	token, err := operator.MakeToken(ctx, api.TokenRequest{Role: api.RoleReader, Tenant: "smith", LastsS: 60})
	good(err)
	_, err = operator.Tokens(ctx)
	good(err)
	good(operator.RevokeToken(ctx, token.ID))
	good(operator.DeleteSchedule(ctx, "nightly"))
	_, err = worker.Goodbye(ctx, me.WorkerID, api.GoodbyeRequest{Session: me.Session, Reason: "a test"})
	good(err)
	if _, err := nobody.Bootstrap(ctx, api.BootstrapRequest{Kind: api.BootstrapEC2, Cluster: cluster, BootID: "b"}); !client.IsCode(err, api.CodeInvalid) {
		t.Errorf("bootstrap that is not offered: %v", err)
	}
	good(nobody.Ready(ctx))
	good(nobody.Healthy(ctx))
	if text, err := reader.Metrics(ctx); err != nil || !strings.Contains(text, "skynet_queue_leader 1") {
		t.Errorf("%v: %.200s", err, text)
	}
}
