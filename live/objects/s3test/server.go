// Package s3test serves S3 on this machine, for tests.
package s3test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/skynet-ec2/skynet/live/objects"
)

// A Server is an S3 server in memory. Beyond gofakes3 it refuses to complete a
// multipart upload whose key is taken where the request wants that, as S3 does.
type Server struct {
	URL     string
	backend gofakes3.Backend
	server  http.Handler

	mu    sync.Mutex
	down  bool
	calls map[string]int // by method, and "complete" for the end of a multipart upload
	drop  func(r *http.Request) bool
}

// Start starts a server with the buckets. It stops with the test.
func Start(t testing.TB, buckets ...string) *Server {
	t.Helper()
	backend := s3mem.New()
	for _, b := range buckets {
		if err := backend.CreateBucket(b); err != nil {
			t.Fatal(err)
		}
	}
	s := &Server{backend: backend, server: gofakes3.New(backend).Server(), calls: map[string]int{}}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	s.URL = web.URL
	return s
}

// New starts a server, to which the environment leads the AWS SDK until the
// test ends.
func New(t testing.TB, buckets ...string) *Server {
	t.Helper()
	s := Start(t, buckets...)
	for _, variable := range s.Env() {
		name, value, _ := strings.Cut(variable, "=")
		t.Setenv(name, value)
	}
	return s
}

// Env returns the environment that leads the AWS SDK and the AWS CLI to the
// server.
func (s *Server) Env() []string {
	return []string{
		"AWS_ENDPOINT_URL_S3=" + s.URL, "AWS_ACCESS_KEY_ID=test", "AWS_SECRET_ACCESS_KEY=test", "AWS_REGION=us-east-1",
		"AWS_EC2_METADATA_DISABLED=true", "AWS_CONFIG_FILE=/dev/null", "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
	}
}

// Open returns a client of the server.
func (s *Server) Open(t testing.TB, o objects.Options) *objects.Store {
	t.Helper()
	store, err := objects.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// SetDown makes every call fail, as a server would that is out of order.
func (s *Server) SetDown(down bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = down
}

// DropAnswer loses the answer to each call for which which returns true, once
// the call has done its work.
func (s *Server) DropAnswer(which func(*http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop = which
}

// Calls returns how often a method was called.
func (s *Server) Calls(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

// Content returns an object's bytes; ok is false where there is none.
func (s *Server) Content(bucket, key string) (content []byte, ok bool) {
	o, err := s.backend.GetObject(bucket, key, nil)
	if err != nil {
		return nil, false
	}
	defer o.Contents.Close()
	content, err = io.ReadAll(o.Contents)
	return content, err == nil
}

// Write makes an object.
func (s *Server) Write(t testing.TB, bucket, key string, content []byte) {
	t.Helper()
	_, err := s.backend.PutObject(bucket, key, nil, bytes.NewReader(content), int64(len(content)), nil)
	if err != nil {
		t.Fatal(err)
	}
}

// ServeHTTP is as http.Handler says.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	complete := r.Method == http.MethodPost && r.URL.Query().Has("uploadId")
	s.mu.Lock()
	s.calls[r.Method]++
	if complete {
		s.calls["complete"]++
	}
	down, drop := s.down, s.drop != nil && s.drop(r)
	s.mu.Unlock()
	switch {
	case down:
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	case complete && r.Header.Get("If-None-Match") == "*" && s.taken(r):
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(http.StatusPreconditionFailed)
		io.WriteString(w, `<Error><Code>PreconditionFailed</Code><Message>the key is taken</Message></Error>`)
		return
	case drop:
		s.server.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
	s.server.ServeHTTP(w, r)
}

// taken reports whether there is an object under a request's key.
func (s *Server) taken(r *http.Request) bool {
	bucket, key, err := split(r.URL.Path)
	if err != nil {
		return false
	}
	_, there := s.Content(bucket, key)
	return there
}

// split returns bucket and key of a path.
func split(path string) (bucket, key string, err error) {
	for i := 1; i < len(path); i++ {
		if path[i] == '/' {
			return path[1:i], path[i+1:], nil
		}
	}
	return "", "", errors.New("no key")
}
