package skynet

import (
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// A line before an urgent one is urgent, whatever its own budget, and planned with
// all of it, and what waits in it to its deadline; one behind it waits for its
// deadline, planned with a share of it.
func TestWhatGoesBeforeAnUrgentLineIsUrgent(t *testing.T) {
	patient := func(priority int) policy.Class {
		return policy.Class{Priority: priority, On: policy.Wait, Target: 40 * time.Minute, Attain: 0.95}
	}
	urgent := policy.Class{Priority: 1, On: policy.Wait, Target: 30 * time.Second, Attain: 0.95}
	w := newWorld(policy.Hourly, []policy.Class{patient(0), urgent, patient(2)})
	if err := w.start(nil); err != nil {
		t.Fatal(err)
	}
	w.kind("batch", 0).perMinute = 10
	w.kind("click", 1).perMinute = 10
	w.kind("late", 2).perMinute = 10
	for range 3 {
		w.apply(w.policy.Step(w.observe()))
		w.pass()
	}
	lines := w.policy.lines
	if len(lines) != 3 {
		t.Fatalf("%d lines, want 3", len(lines))
	}
	for i, want := range []struct {
		urgent, patient bool
		budget          float64
	}{{true, true, 2400}, {true, false, 30}, {false, true, 0.8 * 2400}} {
		if ln := &lines[i]; ln.urgent != want.urgent || ln.patient != want.patient || ln.budget != want.budget {
			t.Errorf("line %d: urgent %v, patient %v, budget %v s; want %+v", i, ln.urgent, ln.patient, ln.budget, want)
		}
	}
}
