package policy_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/baseline"
)

// TestRestoredPolicyDecidesTheSame: a policy saved at any step and restored in
// a fresh value decides the same bytes as the one that went on.
func TestRestoredPolicyDecidesTheSame(t *testing.T) {
	env := policy.Env{Catalog: policy.EC2in2008(), Tick: time.Minute, BootGuess: 2 * time.Minute}
	var script []policy.Step
	for i := range 40 {
		script = append(script, policy.Step{
			At: time.Duration(i%13) * 7 * time.Minute, Launch: 1 + i%3, Type: env.Catalog.Types[i%5].Name, Keep: time.Duration(i%4) * 11 * time.Minute,
		})
	}
	makers := map[string]func() (policy.Policy, error){
		"scripted": func() (policy.Policy, error) { return policy.NewScripted(env, script) },
	}
	for _, s := range baseline.Specs() {
		makers[s.Name] = func() (policy.Policy, error) { return s.New(env, policy.Values{}) }
	}
	for name, fresh := range makers {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			r := rand.New(rand.NewPCG(7, 8))
			went := remake(t, fresh)
			for step := range 300 {
				kept := remake(t, fresh)
				state, err := json.Marshal(went)
				if err != nil {
					t.Fatal(err)
				}
				if err := json.Unmarshal(state, kept); err != nil {
					t.Fatal(err)
				}
				w.o.Queue.Kinds[0].Pending.Work = policy.CoreSeconds(r.IntN(5000))
				w.o.Fleet.Complete = r.IntN(10) > 0
				d := went.Step(&w.o)
				want, got := asJSON(t, d), asJSON(t, kept.Step(&w.o))
				if got != want {
					t.Fatalf("step %d: restored from %s\ngot  %s\nwant %s", step, state, got, want)
				}
				if after := asJSON(t, kept); after != asJSON(t, went) {
					t.Fatalf("step %d: state %s, want %s", step, after, asJSON(t, went))
				}
				w.refuse = r.IntN(3)
				w.apply(&d)
				for i := range w.o.Fleet.Instances {
					if w.o.Fleet.Instances[i].Phase == policy.Ready {
						w.o.Fleet.Instances[i].Busy = r.IntN(2)
					}
				}
				w.pass(w.o.Tick)
				w.read("queue fleet money")
			}
		})
	}
}

func remake(t *testing.T, fresh func() (policy.Policy, error)) policy.Policy {
	t.Helper()
	p, err := fresh()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestBadStates: a state that cannot be this policy's is refused, and the
// policy stays as it was.
func TestBadStates(t *testing.T) {
	env := policy.Env{Catalog: policy.EC2in2008(), Tick: time.Minute}
	scripted, err := policy.NewScripted(env, []policy.Step{{Launch: 1, Type: "m1.small"}})
	if err != nil {
		t.Fatal(err)
	}
	static, err := policy.NewStatic(env, 1, "m1.small")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		p           policy.Policy
		state, want string
	}{
		{scripted, `{"next":2}`, "next = 2: must be 0 to 1"},
		{scripted, `{"next":-1}`, "next = -1"},
		{scripted, `{"next":0,"batches":[{"step":0}]}`, "batch of step 0"},
		{scripted, `{"next":1,"batches":[{"step":0,"ids":[2,1]}]}`, "must ascend"},
		{scripted, `[]`, "cannot unmarshal"},
		{static, `{"next":2}`, "must be {}"},
	} {
		before := asJSON(t, c.p)
		if err := c.p.UnmarshalJSON([]byte(c.state)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.state, err, c.want)
		}
		if after := asJSON(t, c.p); after != before {
			t.Errorf("%s: state is now %s, was %s", c.state, after, before)
		}
	}
}
