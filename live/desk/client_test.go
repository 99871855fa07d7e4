package desk_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/live/access"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/live/desk"
)

// A refused journal is an error of the interface, as that of any other call: its
// code can be told, and its text is no JSON.
func TestARefusedJournalIsAnErrorOfTheInterface(t *testing.T) {
	s := httptest.NewServer(desk.Handler(desk.Options{Fleet: "render", Caller: func(string) (access.Caller, bool) { return access.Caller{}, false }}))
	defer s.Close()
	c, err := desk.FromEnvAt(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	r, err := c.Pages(t.Context(), time.Time{}, time.Time{})
	if err == nil {
		r.Close()
		t.Fatal("a journal without a token")
	}
	if !client.IsCode(err, "unauthorized") || strings.Contains(err.Error(), "{") {
		t.Errorf("%d is told as %v", http.StatusUnauthorized, err)
	}
}
