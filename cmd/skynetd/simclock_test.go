package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// A controller refuses a simulated region in which time flies, and nothing else.
func TestRegionTime(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		status       int
		refused      string
	}{
		{"sixty times as fast", `{"now":"2026-01-01T00:00:00Z","speed":60}`, 200, "lives at 60 times the speed"},
		{"the same speed", `{"now":"2026-01-01T00:00:00Z","speed":1}`, 200, ""},
		{"no speed", `{"now":"2026-01-01T00:00:00Z"}`, 200, ""},
		{"EC2", `<Response><Errors/></Response>`, 400, ""},
		{"something else", `hello`, 200, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path != "/_sim/clock" {
					t.Errorf("asked for %s", r.URL.Path)
				}
				w.WriteHeader(c.status)
				fmt.Fprint(w, c.answer)
			}))
			defer s.Close()
			err := checkRegionTime(t.Context(), s.URL)
			if c.refused == "" && err != nil || c.refused != "" && (err == nil || !strings.Contains(err.Error(), c.refused)) {
				t.Errorf("%v", err)
			}
		})
	}
	if err := checkRegionTime(t.Context(), "http://127.0.0.1:1"); err != nil {
		t.Errorf("nobody listens: %v", err)
	}
}
