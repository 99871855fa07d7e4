package skynet

import (
	"math"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// The figures of the example in the package's documentation, in its order.
func TestTheExampleInTheDocument(t *testing.T) {
	w := newWorld(policy.Hourly, []policy.Class{{Name: "photo", Priority: -1, Target: 2 * time.Minute, On: policy.Wait, Attain: 0.95}})
	if err := w.start(nil); err != nil {
		t.Fatal(err)
	}
	w.kind("photo", 0).perMinute = 600
	w.apply(w.policy.Step(w.observe()))
	w.pass()
	d := w.policy.Step(w.observe())

	p := w.policy
	ln := &p.lines[0]
	if !ln.urgent {
		t.Error("the line is not urgent")
	}
	for _, c := range []struct {
		what      string
		got, want float64
	}{
		{"boot lag", p.lag, 120},
		{"recovery time", p.recovery, 300},
		{"budget", ln.budget, 120},
		{"speed of the unit slot", p.market.unitSpeed, 2.5},
		{"waiting heads", ln.waitingHead, 3000},
		{"waiting tails", ln.waitingTail, 0},
		{"level", p.st.Lines[0].Head, 50},
		{"load planned for", p.forecast.high, 55},
		{"not yet due at 420 s", p.plan.lines[0].notDue[stepOf(420)], 6600},
		{"slots that are enough", p.plan.shortfall(capacity{useFleet: true, extraFrom: maxSteps}, p.lag, p.scaleOutChecks()), 65},
	} {
		if math.Abs(c.got-c.want) > 1e-9*c.want {
			t.Errorf("%s: %v, want %v", c.what, c.got, c.want)
		}
	}
	if len(d.Launches) != 1 || d.Launches[0].Count != 33 || w.env.Catalog.Types[d.Launches[0].Type].Name != "c1.medium" {
		t.Errorf("decided %s, want to launch 33 c1.medium", w.show(d, false))
	}
}
