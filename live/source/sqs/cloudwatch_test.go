package sqs

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go/encoding/cbor"

	"github.com/skynet-ec2/skynet/live/source"
)

// watch answers as CloudWatch does.
func (c *cloud) watch(w http.ResponseWriter, r *http.Request, body []byte) {
	if !strings.HasSuffix(r.URL.Path, "/operation/GetMetricData") {
		c.Errorf("called %s", r.URL.Path)
		return
	}
	c.asked.Add(1)
	if c.points == nil {
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	in, err := cbor.Decode(body)
	if err != nil {
		c.Error(err)
	}
	text := func(v cbor.Value) string { s, _ := v.(cbor.String); return string(s) }
	var results cbor.List
	for _, q := range in.(cbor.Map)["MetricDataQueries"].(cbor.List) {
		q := q.(cbor.Map)
		metric := q["MetricStat"].(cbor.Map)["Metric"].(cbor.Map)
		dimension := metric["Dimensions"].(cbor.List)[0].(cbor.Map)
		if text(metric["Namespace"]) != "AWS/SQS" || text(dimension["Name"]) != "QueueName" || text(dimension["Value"]) != "photos" {
			c.Errorf("asked %v", q)
		}
		var times, values cbor.List
		for i, v := range c.points[text(metric["MetricName"])] {
			at := time.Now().Add(-c.late - time.Duration(i)*time.Minute)
			times = append(times, &cbor.Tag{ID: 1, Value: cbor.Float64(float64(at.UnixMilli()) / 1000)})
			values = append(values, cbor.Float64(v))
		}
		results = append(results, cbor.Map{"Id": q["Id"], "Timestamps": times, "Values": values})
	}
	w.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	w.Header().Set("Content-Type", "application/cbor")
	w.Write(cbor.Encode(cbor.Map{"MetricDataResults": results}))
}

// CloudWatch adds the age of the oldest message and the rate of deletions, while
// its points are fresh. Without them both are unknown, and the counts stand.
func TestCloudWatch(t *testing.T) {
	points := map[string][]float64{"ApproximateAgeOfOldestMessage": {240, 180}, "NumberOfMessagesDeleted": {120, 60}}
	for name, of := range map[string]struct {
		points       map[string][]float64
		late         time.Duration
		waiting      string
		oldest, perS source.Figure
		within       float64
	}{
		"fresh":              {points, 2 * time.Minute, "5", source.Known(360), source.Known(2), 5},
		"old":                {points, 7 * time.Minute, "5", source.Figure{}, source.Figure{}, 0},
		"of an empty queue":  {points, 2 * time.Minute, "0", source.Figure{}, source.Known(2), 0},
		"no points":          {map[string][]float64{}, 0, "5", source.Figure{}, source.Figure{}, 0},
		"it does not answer": {nil, 0, "5", source.Figure{}, source.Figure{}, 0},
		"an age of nothing":  {map[string][]float64{"ApproximateAgeOfOldestMessage": {0}}, time.Minute, "5", source.Figure{}, source.Figure{}, 0},
	} {
		c := &cloud{T: t, attributes: map[string]map[string]string{photos: attributes(of.waiting, "1", "0")}, points: of.points, late: of.late}
		r, err := Open(c.account(), Config{URLs: []string{photos}, CloudWatch: true})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 { // it is asked once a minute
			got, err := r.Read(t.Context())
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			k := got.Kinds[0]
			if k.OldestS.Known != of.oldest.Known || k.OldestS.Value < of.oldest.Value-1 || k.OldestS.Value > of.oldest.Value+of.within {
				t.Errorf("%s: the oldest is %+v, want %+v", name, k.OldestS, of.oldest)
			}
			if k.Completed.PerS != of.perS || k.InFlight != 1 {
				t.Errorf("%s: completions %+v, want %+v", name, k.Completed, of.perS)
			}
		}
		if n := c.asked.Load(); n != 1 {
			t.Errorf("%s: asked %d times within a minute", name, n)
		}
	}
}
