// Package imdstest stands in for an instance's metadata service in tests: IMDSv2,
// with the content that a test gives it.
package imdstest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// session is the token of every caller.
const session = "session"

// A Service is the metadata service of one instance. It is safe for concurrent
// use.
type Service struct {
	URL string

	mu      sync.Mutex
	content map[string]string // by path below /latest/
}

// New starts a service, without content. It ends with the test.
func New(t *testing.T) *Service {
	s := &Service{content: map[string]string{}}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	s.URL = web.URL
	return s
}

// Set gives the service what it answers at a path below /latest/.
func (s *Service) Set(path, content string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.content[path] = content
}

// ServeHTTP answers as the metadata service does.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	content, there := s.content[strings.TrimPrefix(r.URL.Path, "/latest/")]
	s.mu.Unlock()
	switch {
	case r.Method == http.MethodPut && r.URL.Path == "/latest/api/token":
		w.Header().Set("X-Aws-Ec2-Metadata-Token-Ttl-Seconds", "600")
		fmt.Fprint(w, session)
	case r.Header.Get("X-Aws-Ec2-Metadata-Token") != session:
		w.WriteHeader(http.StatusUnauthorized)
	case !there:
		w.WriteHeader(http.StatusNotFound)
	default:
		fmt.Fprint(w, content)
	}
}
