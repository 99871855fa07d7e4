package desk_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/desk"
)

// Nothing of a desk is answered without a token, and nothing is ordered without an
// operator's.
func TestEveryOrderWantsATokenOfAnOperator(t *testing.T) {
	roles := map[string]api.Role{"reads": api.RoleReader, "works": api.RoleWorker, "produces": api.RoleProducer}
	h := desk.Handler(desk.Options{Fleet: "render", Caller: func(token string) (access.Caller, bool) {
		role, known := roles[token]
		return access.Caller{Role: role}, known
	}})
	call := func(method, path, token string) int {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(method, path, strings.NewReader("{"))
		if token != "" {
			r.Header.Set("Authorization", "Bearer "+token)
		}
		h.ServeHTTP(w, r)
		return w.Code
	}
	for _, route := range append(desk.Routes, "/v1/policies/rollback", "/v1/policies/1", "/v1/journals/x") {
		for _, method := range []string{"GET", "POST", "PUT", "PATCH", "DELETE"} {
			without := call(method, route, "")
			if without == http.StatusNotFound || without == http.StatusMethodNotAllowed || without == http.StatusMovedPermanently || without == http.StatusTemporaryRedirect {
				continue // there is no such call
			}
			if without != http.StatusUnauthorized {
				t.Errorf("%s %s without a token: %d", method, route, without)
			}
			if strangers := call(method, route, "nobody's"); strangers != http.StatusUnauthorized {
				t.Errorf("%s %s with a token of nobody: %d", method, route, strangers)
			}
			if method == "GET" {
				continue
			}
			for token := range roles { // map order: each stands by itself
				if got := call(method, route, token); got != http.StatusForbidden {
					t.Errorf("%s %s as one that %s: %d", method, route, token, got)
				}
			}
		}
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequest("GET", "/v1/orders", nil)
	r.Header.Set("Authorization", "Bearer works")
	h.ServeHTTP(w, r)
	if !strings.Contains(w.Body.String(), "reader or operator does") {
		t.Errorf("a worker's token is told %s", w.Body)
	}
	if got := call("POST", "/v1/stop", ""); got != http.StatusUnauthorized {
		t.Errorf("a stop without a token: %d", got)
	}
}
