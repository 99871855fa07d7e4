package server_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/skynet-ec2/skynet/live/api"
)

// open are the calls that need no token: they tell nothing of anybody's jobs, or,
// like bootstrap, prove by themselves who calls.
var open = []string{"bootstrap", "healthz", "readyz", "openapi"}

// Every call that the interface describes is opened by a token of its roles, and by
// no other: without one it is refused before its body is looked at. Of the calls
// that change something only bootstrap needs none.
func TestEveryCallWantsItsToken(t *testing.T) {
	r := newRig(t)
	tokens := map[api.Role]string{api.RoleOperator: operatorToken, api.RoleProducer: producerToken, api.RoleWorker: workerToken, api.RoleReader: readerToken}
	tried := 0
	for _, c := range api.Calls {
		path := strings.NewReplacer("{worker}", "w1", "{job}", "1", "{group}", "g1", "{type}", "photo", "{key}", "k", "{tenant}", "smith", "{schedule}", "s", "{directive}", "1", "{token}", "abc").Replace(c.Path)
		if len(c.Roles) == 0 {
			if !slices.Contains(open, c.Name) {
				t.Errorf("%s %s is open to all", c.Method, c.Path)
			}
			continue
		}
		tried++
		for _, token := range []string{"", "wrong-token-wrong-token-wrong-token-wrong"} {
			if a := r.send(c.Method, path, token, "{"); a.status != http.StatusUnauthorized {
				t.Errorf("%s %s with token %q: %d", c.Method, c.Path, token, a.status)
			}
		}
		for role, token := range tokens { // map order: each stands by itself
			if slices.Contains(c.Roles, role) {
				continue
			}
			if a := r.send(c.Method, path, token, "{"); a.status != http.StatusForbidden {
				t.Errorf("%s %s as %s: %d", c.Method, c.Path, role, a.status)
			}
		}
	}
	if tried < 30 {
		t.Errorf("%d calls were tried", tried)
	}
}
