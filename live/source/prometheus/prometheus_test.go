package prometheus

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/live/secret"
	"github.com/skynet-ec2/skynet/live/source"
)

// answers serves what queries answer: the "data" of the API's JSON. A query that is
// not there answers with no data.
func answers(t *testing.T, by map[string]string) *httptest.Server {
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.ParseForm()
		query := r.Form.Get("query")
		if r.URL.Path != "/api/v1/query" || r.Form.Get("time") == "" || r.Header.Get("Authorization") != "Bearer hunter2" {
			t.Errorf("asked %s for %v", r.URL.Path, r.Form)
		}
		data, there := by[query]
		if !there && strings.HasPrefix(query, "timestamp(") {
			data, there = vector(float64(time.Now().Unix())), true
		}
		switch {
		case data == "error":
			w.WriteHeader(http.StatusUnprocessableEntity)
			io.WriteString(w, `{"status":"error","errorType":"execution","error":"query timed out"}`)
		case !there:
			io.WriteString(w, `{"status":"success","data":{"resultType":"vector","result":[]}}`)
		default:
			fmt.Fprintf(w, `{"status":"success","data":%s}`, data)
		}
	}))
	t.Cleanup(web.Close)
	return web
}

// vector is the data of series with values.
func vector(values ...any) string {
	var all []string
	for i, v := range values {
		all = append(all, fmt.Sprintf(`{"metric":{"instance_id":"i-%d"},"value":[%d,"%v"]}`, i, time.Now().Unix(), v))
	}
	return `{"resultType":"vector","result":[` + strings.Join(all, ",") + `]}`
}

func open(t *testing.T, url string, q Queries, workers string) *Reader {
	t.Helper()
	r, err := Open(Config{URL: url, Token: secret.Of("hunter2"), Kinds: []Queries{q}, Workers: workers, Instance: "instance_id"})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// Every figure that is asked for is in the reading.
func TestFigures(t *testing.T) {
	web := answers(t, map[string]string{
		"depth": vector(12.2), "flying": `{"resultType":"scalar","result":[1,"3"]}`, "oldest": vector(90), "service": vector(2.5),
		"arrived": vector(1000), "done_rate": vector(0.25), "busy": vector(2, 0),
	})
	got, err := open(t, web.URL, Queries{
		Depth: "depth", InFlight: "flying", OldestS: "oldest", ServiceS: "service", Arrived: "arrived", CompletedPerS: "done_rate",
	}, "busy").Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := source.Reading{
		At: got.At, WithWorkers: true, Workers: []source.Worker{{Instance: "i-0", Busy: 2}, {Instance: "i-1"}},
		Kinds: []source.Count{{
			Waiting: 13, InFlight: 3, OldestS: source.Known(90), ServiceS: source.Known(2.5),
			Arrived: source.Events{Total: source.Known(1000)}, Completed: source.Events{PerS: source.Known(0.25)},
		}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// What is not one number that can be is an error, and never zero.
func TestUnknown(t *testing.T) {
	for name, of := range map[string]struct {
		answers map[string]string
		want    string
	}{
		"no data":           {map[string]string{}, "depth: depth answers with 0 series"},
		"NaN":               {map[string]string{"depth": vector("NaN")}, "depth: depth is no number (NaN)"},
		"infinite":          {map[string]string{"depth": vector("+Inf")}, "must be from 0"},
		"below zero":        {map[string]string{"depth": vector(-1)}, "is -1: must be from 0"},
		"two series":        {map[string]string{"depth": vector(1, 2)}, "answers with 2 series, not with one"},
		"a text":            {map[string]string{"depth": `{"resultType":"string","result":[1,"7"]}`}, "unexpected value type"},
		"an error":          {map[string]string{"depth": "error"}, "query timed out"},
		"an old sample":     {map[string]string{"depth": vector(1), "timestamp(depth)": vector(time.Now().Unix() - 180)}, " s ago, at most 120: unknown"},
		"a rate of NaN":     {map[string]string{"depth": vector(1), "rate": vector("NaN")}, "completed_per_s: rate is NaN"},
		"worker without id": {map[string]string{"depth": vector(1), "rate": vector(1), "busy": `{"resultType":"vector","result":[{"metric":{"job":"x"},"value":[1,"0"]}]}`}, `has no label instance_id`},
		"worker of NaN":     {map[string]string{"depth": vector(1), "rate": vector(1), "busy": vector("NaN")}, "workers: busy: i-0 is no number"},
		"workers fail":      {map[string]string{"depth": vector(1), "rate": vector(1), "busy": "error"}, "workers: busy fails"},
	} {
		web := answers(t, of.answers)
		got, err := open(t, web.URL, Queries{Depth: "depth", CompletedPerS: "rate"}, "busy").Read(t.Context())
		if err == nil || !strings.Contains(err.Error(), of.want) || got.Kinds != nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: read %+v, %v; want %q", name, got, err, of.want)
		}
	}
	gone := answers(t, nil)
	gone.Close()
	if _, err := open(t, gone.URL, Queries{Depth: "depth"}, "").Read(t.Context()); err == nil {
		t.Error("a server that is gone answers")
	}
}
