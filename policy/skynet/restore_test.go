package skynet

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// tangled is a world in which a class spans lines, a line holds several classes,
// work without a class shares a line with promised work, and a class promises
// every hour something.
func tangled(t testing.TB, b policy.Billing, v policy.Values) *world {
	w := newWorld(b, []policy.Class{
		{Name: "photo", Types: []string{"photo"}, Priority: -1, Target: 30 * time.Second, On: policy.Sojourn, Attain: 0.99, WorstHour: 0.95},
		{Name: "print", Types: []string{"print"}, Priority: -1, Target: time.Minute, On: policy.Wait, Attain: 0.9},
		{Name: "video", Types: []string{"video"}, Priority: -1, Target: 20 * time.Minute, On: policy.Wait, Attain: 0.95},
	})
	if err := w.start(v); err != nil {
		t.Fatal(err)
	}
	w.kind("photo", 0)
	w.kind("print", 0).mean = 5
	w.kind("photo", 3)
	w.kind("video", 3).mean = 200
	w.kind("sweep", 3).mean = 8
	w.kind("print", 7).mean = 30
	return w
}

// shakeKinds also makes kinds fall silent for long and come back.
func (w *world) shakeKinds(r *rand.Rand) {
	w.shake(r)
	for i := range w.kinds {
		if r.IntN(150) == 0 {
			w.kinds[i].perMinute = 0
			w.kinds[i].waiting = nil
		}
	}
}

// After any number of ticks a policy restored from its state goes on as one that
// was never interrupted: the same decisions and the same state, tick by tick.
func TestARestoredPolicyGoesOnAsTheFirst(t *testing.T) {
	for seed := range uint64(6) {
		billing, v := policy.Hourly, policy.Values(nil)
		if seed%2 == 1 {
			billing = policy.PerSecond
		}
		if seed >= 4 {
			v = policy.Values{"reserve": "promises+slack", "gain": 0.0}
		}
		t.Run(fmt.Sprint(billing.Name, seed), func(t *testing.T) {
			r := rand.New(rand.NewPCG(seed, 1))
			w := tangled(t, billing, v)
			cut := 50 + r.IntN(1200)
			var restored *Policy
			moved := false
			for i := range cut + 400 {
				w.shakeKinds(r)
				o := w.observe()
				if i == cut {
					restored, _ = New(w.env, v)
					if err := json.Unmarshal([]byte(bytesOf(t, w.policy)), restored); err != nil {
						t.Fatal(err)
					}
				}
				d := w.policy.Step(o)
				if restored != nil {
					if got, want := bytesOf(t, restored.Step(o)), bytesOf(t, d); got != want {
						t.Fatalf("%s: restored decides\n%s\nwant\n%s", w.clock(), got, want)
					}
					if got, want := bytesOf(t, restored), bytesOf(t, w.policy); got != want {
						t.Fatalf("%s: restored state differs", w.clock())
					}
				}
				w.apply(d)
				w.pass()
			}
			for i := range w.policy.st.Steer.Classes {
				moved = moved || w.policy.st.Steer.Classes[i].Z != w.policy.set.zStart
			}
			if still := v != nil; moved == still {
				t.Errorf("z moved: %v, with gain %v", moved, w.policy.set.gain)
			}
		})
	}
}

func TestUnmarshalRefusesWhatCannotBe(t *testing.T) {
	w := tangled(t, policy.Hourly, nil)
	for range 30 {
		w.apply(w.policy.Step(w.observe()))
		w.pass()
	}
	sound := bytesOf(t, w.policy)
	for _, c := range []struct{ old, impossible, want string }{
		{`"debt":0`, `"debt":-1`, "steer.classes[0].debt = -1: must be from 0 to 2"},
		{`"z":0.5`, `"z":9`, "steer.classes[0].z = 9: must be from -1 to 8"},
		{`"hour_z":1.1`, `"hour_z":-2`, "steer.classes[0].hour_z = -2"},
		{`"per_day":0`, `"per_day":-3`, "steer.classes[0] = -3: must be from 0 to"},
		{`"samples":29`, `"samples":-1`, "samples = -1: must be from 0 to"},
		{`"samples":29`, `"samples":9223372036854775807`, "samples = 9223372036854775807"},
		{`"kept":0`, `"kept":-5`, "kept = -5"},
		{`"priority":3`, `"priority":0`, "line 1 has priority 0: must be more than 0"},
		{`"mean_2m":0`, `"mean_2m":-0.1`, "lines[0].spread.quantile = -0.1"},
		{`"weights":[0,`, `"weights":[-0.5,`, "lines[0].spread.quantile.weights = -0.5"},
		{`"total":0`, `"total":1e300`, "off = 1e+300"},
	} {
		bad := strings.Replace(sound, c.old, c.impossible, 1)
		if bad == sound {
			t.Errorf("the state holds no %s", c.old)
			continue
		}
		if err := w.policy.UnmarshalJSON([]byte(bad)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %s: error %v, want one with %q", c.impossible, c.old, err, c.want)
		}
		if bytesOf(t, w.policy) != sound {
			t.Fatal("a refused state changed the policy")
		}
	}
	if err := w.policy.UnmarshalJSON([]byte(sound)); err != nil {
		t.Errorf("its own state: %v", err)
	}
}
