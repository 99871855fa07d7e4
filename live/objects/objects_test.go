package objects_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/objects"
	"github.com/skynet-ec2/skynet/live/objects/s3test"
)

// parts is a part size that S3 itself would not take, so that little is sent.
var parts = objects.Options{PartSize: 64 << 10}

func put(ctx context.Context, s *objects.Store, at objects.URL, content []byte) error {
	return s.Put(ctx, at, bytes.NewReader(content), int64(len(content)), "text/plain")
}

func TestPutOnce(t *testing.T) {
	server := s3test.New(t, "photos")
	s := server.Open(t, parts)
	for name, content := range map[string][]byte{
		"empty": {}, "small": []byte("hello"), "one part": bytes.Repeat([]byte("x"), 64<<10), "parts": bytes.Repeat([]byte("0123456789"), 20_000),
	} {
		t.Run(name, func(t *testing.T) {
			at := objects.URL{Bucket: "photos", Key: "a/" + name}
			if err := put(t.Context(), s, at, content); err != nil {
				t.Fatal(err)
			}
			if err := put(t.Context(), s, at, []byte("a zombie's")); !errors.Is(err, objects.ErrExists) {
				t.Errorf("a small second put: %v", err)
			}
			if err := put(t.Context(), s, at, bytes.Repeat([]byte("zombie"), 20_000)); !errors.Is(err, objects.ErrExists) {
				t.Errorf("a large second put: %v", err)
			}
			o, err := s.Get(t.Context(), at)
			if err != nil {
				t.Fatal(err)
			}
			defer o.Close()
			got, err := io.ReadAll(o)
			if err != nil || !bytes.Equal(got, content) || o.Size != int64(len(content)) || o.ContentType != "text/plain" {
				t.Errorf("%d bytes, size %d, type %q, %v; want %d bytes", len(got), o.Size, o.ContentType, err, len(content))
			}
		})
	}
}

func TestFailedUploadLeavesNoParts(t *testing.T) {
	server := s3test.New(t, "photos")
	s := server.Open(t, parts)
	at := objects.URL{Bucket: "photos", Key: "taken"}
	if err := put(t.Context(), s, at, []byte("first")); err != nil {
		t.Fatal(err)
	}
	if err := put(t.Context(), s, at, bytes.Repeat([]byte("x"), 200_000)); !errors.Is(err, objects.ErrExists) {
		t.Fatal(err)
	}
	if n := server.Calls(http.MethodDelete); n != 1 {
		t.Errorf("%d uploads aborted", n)
	}
}

func TestErrorsSayWhatAndWhere(t *testing.T) {
	server := s3test.New(t, "photos")
	s := server.Open(t, objects.Options{})
	for _, at := range []objects.URL{{Bucket: "photos", Key: "nothing"}, {Bucket: "nobucket", Key: "x"}} {
		_, err := s.Get(t.Context(), at)
		if !errors.Is(err, objects.ErrNotFound) || !objects.Permanent(err) || !strings.Contains(err.Error(), at.String()) {
			t.Errorf("get %s: %v", at, err)
		}
	}
	server.SetDown(true)
	err := put(t.Context(), s, objects.URL{Bucket: "photos", Key: "k"}, []byte("x"))
	if err == nil || objects.Permanent(err) {
		t.Errorf("put while S3 is down: %v", err)
	}
}

func TestBucketRegion(t *testing.T) {
	server := s3test.New(t, "photos")
	s := server.Open(t, objects.Options{})
	if region, err := s.BucketRegion(t.Context(), "photos"); err != nil || region == "" {
		t.Errorf("%q, %v", region, err)
	}
	if s.Region() != "us-east-1" {
		t.Errorf("region %q", s.Region())
	}
}

func TestParseURL(t *testing.T) {
	for text, want := range map[string]objects.URL{
		"s3://photos":        {Bucket: "photos"},
		"s3://photos/":       {Bucket: "photos"},
		"s3://photos/a/b c":  {Bucket: "photos", Key: "a/b c"},
		"s3://my.bucket-1/k": {Bucket: "my.bucket-1", Key: "k"},
	} {
		if got, err := objects.ParseURL(text); err != nil || got != want {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "photos", "s3:/photos", "s3://", "s3://A/k", "s3://ab", "s3://a_b/k", "https://photos/k", "s3://photos/" + strings.Repeat("k", 1025)} {
		if got, err := objects.ParseURL(text); err == nil {
			t.Errorf("%q is %+v", text, got)
		}
	}
	for from, want := range map[string]string{"s3://bkt": "s3://bkt/n", "s3://bkt/p": "s3://bkt/p/n", "s3://bkt/p/": "s3://bkt/p/n"} {
		u, err := objects.ParseURL(from)
		if got := u.Under("n").String(); err != nil || got != want {
			t.Errorf("n under %s is %s, %v", from, got, err)
		}
	}
}

// Whoever has a signed address can put that one object, once, without credentials.
func TestSignPut(t *testing.T) {
	server := s3test.New(t, "photos")
	s := server.Open(t, parts)
	address, err := s.SignPut(t.Context(), objects.URL{Bucket: "photos", Key: "a/1/2"}, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil || u.Query().Get("X-Amz-Expires") != "3600" || !strings.Contains(u.Query().Get("X-Amz-SignedHeaders"), "if-none-match") {
		t.Errorf("%s, %v", address, err)
	}
	for name := range u.Query() {
		if strings.Contains(strings.ToLower(name), "checksum") {
			t.Errorf("%s binds a body that nobody knows yet: %s", name, address)
		}
	}
	for i, want := range []int{http.StatusOK, http.StatusPreconditionFailed} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, address, strings.NewReader("a result"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("If-None-Match", "*")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("put %d: %s", i+1, resp.Status)
		}
	}
	if content, there := server.Content("photos", "a/1/2"); !there || string(content) != "a result" {
		t.Errorf("%q, %v", content, there)
	}
}
