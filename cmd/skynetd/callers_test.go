package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/skynet-ec2/skynet/cmd/cli"
	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/client"
	"github.com/skynet-ec2/skynet/scenarios"
)

// The token that a fleet's file names orders at the controller too; nobody else's
// does, and a place that cannot be read is an error.
func TestTheFilesTokenOrders(t *testing.T) {
	t.Setenv(client.EnvToken, "")
	place := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(place, []byte("sesame-of-the-file"), 0o600); err != nil {
		t.Fatal(err)
	}
	v := &controllerVerb{App: &cli.App{Ctx: t.Context()}}
	callers, err := v.callersOf(&scenarios.Fleet{Token: "file:" + place})
	if err != nil {
		t.Fatal(err)
	}
	if c, known := callers("sesame-of-the-file"); !known || c.Role != api.RoleOperator {
		t.Errorf("the file's token: %+v, %v", c, known)
	}
	for _, other := range []string{"", "sesame"} {
		if c, known := callers(other); known {
			t.Errorf("%q is %+v", other, c)
		}
	}
	if _, err := v.callersOf(&scenarios.Fleet{Token: "file:" + place + "-gone"}); err == nil {
		t.Error("a token that cannot be read is no error")
	}
}
