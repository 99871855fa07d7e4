package desk_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/desk"
	"github.com/skynet-ec2/skynet/policy"
)

// A zone that the fleet does not launch into cannot be cordoned; where EC2 chooses
// the zone, whoever cordons one hears what it means; what the controller knows of a
// wish refuses it, or is told with it. A wish that is refused is not kept.
func TestWishesAreLookedAt(t *testing.T) {
	for name, c := range map[string]struct {
		zones  []string
		body   string
		status int
		says   string
	}{
		"a zone":            {[]string{"us-east-1a", "us-east-1b"}, `{"kind":"cordon","zone":"us-east-1b","for_s":60,"reason":"x"}`, 200, `"zone":"us-east-1b"`},
		"another zone":      {[]string{"us-east-1a", "us-east-1b"}, `{"kind":"cordon","zone":"us-east-1z","for_s":60,"reason":"x"}`, 400, `the fleet launches into us-east-1a and us-east-1b only`},
		"EC2's own choice":  {nil, `{"kind":"cordon","zone":"us-east-1z","for_s":60,"reason":"x"}`, 200, `"note":"EC2 chooses the zone here`},
		"a limit":           {nil, `{"kind":"floor","instances":40,"for_s":60,"reason":"x"}`, 200, `"note":"fleet_max = 8"`},
		"what is not there": {nil, `{"kind":"drain","instance":"i-1","for_s":60,"reason":"x"}`, 400, `no such instance`},
	} {
		t.Run(name, func(t *testing.T) {
			store := controller.NewMemory(time.Now)
			catalog := policy.EC2in2008()
			h := desk.Handler(desk.Options{
				Fleet: "render", Book: store, Switch: store, Catalog: &catalog, Zones: c.zones,
				Caller: func(string) (access.Caller, bool) { return access.Caller{Role: api.RoleOperator}, true },
				Fits: func(w *controller.Wish) (string, error) {
					switch w.Kind {
					case policy.WishFloor:
						return "fleet_max = 8", nil
					case policy.WishDrain:
						return "", &controller.InvalidError{Reason: "no such instance"}
					}
					return "", nil
				},
			})
			answer := httptest.NewRecorder()
			h.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/v1/wishes", strings.NewReader(c.body)))
			if answer.Code != c.status || !strings.Contains(answer.Body.String(), c.says) {
				t.Errorf("%d %s, want %d with %s", answer.Code, answer.Body, c.status, c.says)
			}
			o, err := store.Orders(t.Context(), "render")
			if err != nil || len(o.Wishes) != map[bool]int{true: 1}[c.status == 200] {
				text, _ := json.Marshal(o.Wishes)
				t.Errorf("stands: %s, %v", text, err)
			}
		})
	}
}
