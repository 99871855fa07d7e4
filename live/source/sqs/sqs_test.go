package sqs

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/live/source"
)

// cloud answers as SQS and CloudWatch do, to the calls that are made here.
type cloud struct {
	*testing.T
	attributes map[string]map[string]string // by queue's URL
	status     int                          // of SQS's answers; 0: 200
	points     map[string][]float64         // by metric, newest first, a minute apart
	late       time.Duration                // of the newest point
	asked      atomic.Int32                 // questions to CloudWatch
}

func (c *cloud) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=key/") {
		c.Errorf("a call is not signed")
	}
	body, _ := io.ReadAll(r.Body)
	switch target := r.Header.Get("X-Amz-Target"); target {
	case "AmazonSQS.GetQueueAttributes":
		var in struct {
			QueueUrl       string
			AttributeNames []string
		}
		if err := json.Unmarshal(body, &in); err != nil || len(in.AttributeNames) != 3 {
			c.Errorf("asked %s", body)
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		if c.status != 0 {
			w.WriteHeader(c.status)
			io.WriteString(w, `{"__type":"com.amazonaws.sqs#QueueDoesNotExist","message":"The specified queue does not exist."}`)
			return
		}
		json.NewEncoder(w).Encode(map[string]any{"Attributes": c.attributes[in.QueueUrl]})
	default:
		c.watch(w, r, body)
	}
}

// account leads to the cloud.
func (c *cloud) account() aws.Config {
	web := httptest.NewServer(c)
	c.Cleanup(web.Close)
	return aws.Config{Region: "us-east-1", BaseEndpoint: &web.URL, Credentials: credentials.NewStaticCredentialsProvider("key", "secret", "")}
}

const photos, videos = "https://sqs.us-east-1.amazonaws.com/123456789012/photos", "https://sqs.us-east-1.amazonaws.com/123456789012/videos"

func attributes(visible, flying, delayed string) map[string]string {
	return map[string]string{
		"ApproximateNumberOfMessages": visible, "ApproximateNumberOfMessagesNotVisible": flying, "ApproximateNumberOfMessagesDelayed": delayed,
	}
}

// The real client reads what the queues hold.
func TestCounts(t *testing.T) {
	c := &cloud{T: t, attributes: map[string]map[string]string{photos: attributes("1200", "32", "7"), videos: attributes("0", "0", "0")}}
	r, err := Open(c.account(), Config{URLs: []string{photos, videos}})
	if err != nil {
		t.Fatal(err)
	}
	got, err := r.Read(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]source.Count{{Waiting: 1200, InFlight: 32, Delayed: 7}, {}}, got.Kinds); diff != "" {
		t.Error(diff)
	}
	if got.WithWorkers || time.Since(got.At) > time.Minute {
		t.Errorf("read %+v", got)
	}
}

// What is not answered whole is an error, whichever queue it is.
func TestUnknown(t *testing.T) {
	missing := attributes("5", "1", "0")
	delete(missing, "ApproximateNumberOfMessagesNotVisible")
	for name, of := range map[string]struct {
		videos map[string]string
		status int
		want   string
	}{
		"an attribute is missing": {missing, 0, "videos: ApproximateNumberOfMessagesNotVisible: not in the answer"},
		"no number":               {attributes("many", "1", "0"), 0, `videos: ApproximateNumberOfMessages = "many": must be a whole number`},
		"below zero":              {attributes("-1", "1", "0"), 0, `= "-1": must be a whole number, at least 0`},
		"no attributes at all":    {nil, 0, "not in the answer"},
		"an error":                {nil, http.StatusBadRequest, "QueueDoesNotExist"},
	} {
		c := &cloud{T: t, attributes: map[string]map[string]string{photos: attributes("5", "1", "0"), videos: of.videos}, status: of.status}
		r, err := Open(c.account(), Config{URLs: []string{photos, videos}})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := r.Read(t.Context()); err == nil || !strings.Contains(err.Error(), of.want) || got.Kinds != nil {
			t.Errorf("%s: read %+v, %v; want %q", name, got, err, of.want)
		}
	}
}

func TestNoQueue(t *testing.T) {
	for _, urls := range [][]string{nil, {"photos"}, {"https://sqs.us-east-1.amazonaws.com/1/"}} {
		if _, err := Open(aws.Config{}, Config{URLs: urls}); err == nil {
			t.Errorf("%q is taken", urls)
		}
	}
}
