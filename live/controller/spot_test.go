package controller_test

import (
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
)

// EC2 tells an instance alone that it takes it back, two minutes before. The
// worker passes it on with its next word, or with its last one; the controller
// counts on the instance no more, and what is needed instead is launched before it
// is gone. Its jobs are done or given back: none is lost.
func TestSpotNoticeThatOnlyTheWorkerSees(t *testing.T) {
	for name, run := range map[string]time.Duration{"while it works": 40 * time.Second, "while it is idle": time.Second} {
		t.Run(name, func(t *testing.T) {
			storyWith(t, func(w *world) { w.run = run }, nil, func(w *world, r *region) {
				c := w.config("a")
				made := c.Policy
				c.Policy = func() (policy.Policy, error) {
					p, err := made()
					return &stormPolicy{Policy: p, market: policy.Spot}, err
				}
				k := w.open(c)
				rate := 20 / run.Seconds() // twenty busy slots of the fastest
				w.minutes(k, 40, rate)
				alive, ever := len(r.Alive()), r.ever()
				if alive < 5 {
					t.Fatalf("%d instances for twenty busy slots", alive)
				}
				r.weather(sim.Fault{Kind: sim.Interrupt, Probability: 0.6, To: time.Second})
				warned := time.Now()
				replaced := time.Duration(0)
				for replaced == 0 && time.Since(warned) < 5*time.Minute {
					w.minutes(k, 1, rate)
					for _, in := range r.alive() {
						if after := in.Launched.Sub(warned); after > 0 && (replaced == 0 || after < replaced) {
							replaced = after
						}
					}
				}
				known := 0
				for _, in := range k.Observation().Fleet.Instances {
					if !in.InterruptAt.IsZero() {
						known++
					}
				}
				f := &k.Observation().Fleet
				t.Logf("of %d instances %d are taken back; the first of %d new ones was launched %s after the notice", alive, known, r.ever()-ever, replaced)
				if known == 0 || f.Interrupted < known {
					t.Errorf("%d instances are known to be taken back, %d were counted", known, f.Interrupted)
				}
				if replaced == 0 || replaced > 90*time.Second {
					t.Errorf("replaced %s after the notice, which came two minutes before the end", replaced)
				}
				w.minutes(k, 10, rate)
				w.finished(k, 20)
				w.unharmed()
			})
		})
	}
}
