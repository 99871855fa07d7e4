package ec2api_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/cloud"
	"github.com/skynet-ec2/skynet/sim/ec2api"
	"github.com/skynet-ec2/skynet/sim/ec2api/ec2test"
)

// A region that is restored from its log is the one that wrote it: what it lists,
// what it bills, which workers run, and what it answers to a token.
func TestRestore(t *testing.T) {
	for seed := range uint64(8) {
		var log bytes.Buffer
		w := withSpot(world())
		w.Seed = seed
		w.Faults = []sim.Fault{{Kind: sim.Interrupt, Probability: 0.5, From: 40 * time.Minute}, {Kind: sim.LostReply, Probability: 0.2, Delay: time.Minute, From: time.Minute, To: time.Hour}}
		play(t, cloud.Config{World: w, ListLag: 3 * time.Second, Unthrottled: true}, ec2api.Options{Log: &log, Launcher: &recorder{}}, func(r *region) {
			began := time.Now()
			chance := rand.New(rand.NewPCG(seed, 1))
			var known []string
			for i := range 60 {
				switch chance.IntN(6) {
				case 0, 1:
					got, _ := r.run([]string{"m1.small", "c1.xlarge"}[chance.IntN(2)], int32(1+chance.IntN(3)), fmt.Sprint(i))
					known = append(known, ids(got)...)
				case 2:
					got, _ := r.run("c1.medium", 1, "", asSpot)
					known = append(known, ids(got)...)
				case 3:
					if len(known) > 0 {
						r.terminate(known[chance.IntN(len(known))])
					}
				case 4:
					r.admin("PUT", "capacity", fmt.Sprintf(`{"type": "m1.small", "count": %d}`, chance.IntN(9)), nil)
					r.fault(`{"kind": "price", "factor": 1.5, "for": "5m"}`)
					r.fault(`{"kind": "call", "action": "RunInstances", "code": "InternalError", "after": true, "count": 1}`)
				case 5:
					if len(known) > 0 {
						r.server.Exited(known[chance.IntN(len(known))], chance.IntN(2) == 0)
					}
				}
				time.Sleep(time.Duration(1+chance.IntN(90)) * time.Second)
			}
			want := r.picture()

			torn := append(bytes.Clone(log.Bytes()), `{"at": "20`...)
			c, err := cloud.New(cloud.Config{World: w, Start: began, ListLag: 3 * time.Second, Unthrottled: true})
			if err != nil {
				r.Fatal(err)
			}
			last, good, err := ec2api.Restore(c, bytes.NewReader(torn))
			if err != nil || good != int64(log.Len()) || last.At.After(time.Now()) || last.At.Before(began) {
				r.Fatalf("%v; %d of %d bytes, %+v", err, good, log.Len(), last)
			}
			restarted := &recorder{since: time.Now()}
			server, err := ec2api.New(c, ec2api.Options{Clock: ec2test.Clock{Time: time.Now, After: time.AfterFunc}, Launcher: restarted})
			if err != nil {
				r.Fatal(err)
			}
			defer server.Close()
			r.server = server
			r.Client = r.client(ec2api.TestSecretKey)
			if got := r.picture(); got != want {
				r.Errorf("seed %d: restored\n%s\nwas\n%s", seed, got, want)
			}
			// every worker that ran is started again; the picture shows each twice
			if n := strings.Count(want, `"works":true`) / 2; len(restarted.log) != n || n == 0 {
				r.Errorf("seed %d: %d workers were started again, want %d", seed, len(restarted.log), n)
			}
		})
	}
}

// picture is what can be seen of a region.
func (r *region) picture() string {
	var parts []any
	for _, path := range []string{"bill", "instances"} {
		var v any
		r.admin("GET", path, "", &v)
		parts = append(parts, v)
	}
	parts = append(parts, ids(r.all()))
	text, err := json.Marshal(parts)
	if err != nil {
		r.Fatal(err)
	}
	return string(text)
}

func TestRestoreRefusesNonsense(t *testing.T) {
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, c := range []struct{ log, says string }{
		{"{\n", "line 1"},
		{`{"at": "2026-11-01T00:00:01Z"}` + "\n", "line 1: it says nothing"},
		{`{"at": "2026-10-01T00:00:01Z", "action": "RunInstances"}` + "\n", "line 1: at 2026-10-01"},
		{`{"at": "2026-11-01T00:00:01Z", "action": "Reboot"}` + "\n", "unknown action"},
		{`{"at": "2026-11-01T00:00:01Z", "admin": "PUT /_sim/capacity", "body": "{}"}` + "\n", "must be one of"},
	} {
		r, err := cloud.New(cloud.Config{World: world(), Start: start})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := ec2api.Restore(r, strings.NewReader(c.log)); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v, want it to say %q", c.log, err, c.says)
		}
	}
}
