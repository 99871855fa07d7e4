package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A controller over a queue in SQS, without any of SkyNet's: it reads it, wants what
// waits there done, and tells outside how it fares. No secret is in its log.
func TestControllerOverSQS(t *testing.T) {
	if testing.Short() {
		t.Skip("starts a process: not in -short")
	}
	pings := make(chan string, 100)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case strings.HasPrefix(r.URL.Path, "/ping-hunter2"):
			pings <- r.URL.Path
		case r.URL.Path == "/hook-hunter2":
			w.WriteHeader(http.StatusOK)
		case r.Header.Get("X-Amz-Target") == "AmazonSQS.GetQueueAttributes":
			w.Header().Set("Content-Type", "application/x-amz-json-1.0")
			io.WriteString(w, `{"Attributes":{"ApproximateNumberOfMessages":"900","ApproximateNumberOfMessagesNotVisible":"0","ApproximateNumberOfMessagesDelayed":"0"}}`)
		default: // EC2, which has no instance
			io.WriteString(w, `<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>1</requestId><reservationSet/></DescribeInstancesResponse>`)
		}
	}))
	defer web.Close()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": web.URL, "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none",
		"PING_URL": web.URL + "/ping-hunter2", "SKYNET_TOKEN": "",
	} {
		t.Setenv(name, value)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"day.toml": guardedDay,
		"hook-url": web.URL + "/hook-hunter2",
		"skynet.toml": `fleet = "render"
scenario = "day.toml"
policy = "skynet"

[source]
kind = "sqs"

[[source.jobs]]
type = "photo"
queue = "` + web.URL + `/123456789012/photos"
service = "20s"

[ping]
url_secret = "env:PING_URL"

[[alert]]
url_secret = "file:hook-url"

[status]
to = "public"
title = "Photos"
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := begin(t, dir, controllerListens, "controller", "--config", "skynet.toml", "--listen", "127.0.0.1:0")
	select {
	case path := <-pings:
		if path != "/ping-hunter2" {
			t.Errorf("pinged %s:\n%s", path, p.text())
		}
	case <-time.After(time.Minute):
		t.Fatalf("no ping:\n%s", p.text())
	}
	var status struct {
		Last struct {
			Outcome struct{ Held string }
		}
		Queue struct{ Complete bool } `json:"queue_reading"`
	}
	if _, body := fetch(t, p.url+"/v1/status"); json.Unmarshal([]byte(body), &status) != nil || !status.Queue.Complete || status.Last.Outcome.Held != "mode observe" {
		t.Errorf("status:\n%s", body)
	}
	var page []byte
	for range 600 { // it is written while the tick goes on
		var err error
		if page, err = os.ReadFile(filepath.Join(dir, "public", "index.html")); err == nil {
			break
		}
		time.Sleep(100 * time.Millisecond)
	}
	if !strings.Contains(string(page), "<h1>Photos</h1>") || !strings.Contains(string(page), "<td>900</td>") {
		t.Errorf("the page:\n%s", page)
	}
	if code := p.stop(syscall.SIGTERM); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if strings.Contains(p.text(), "hunter2") {
		t.Errorf("a secret is in the log:\n%s", p.text())
	}
}
