package baseline

import (
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// By hand: 6 jobs run; 40 photos of 3 s wait, whose target of 30 s is less than
// a tick; 3 videos of 600 s wait, whose target is 20 minutes.
func TestDemand(t *testing.T) {
	env := testEnv()
	s := signals{
		tick: time.Minute, speed: 1, running: 6,
		kinds: []policy.KindView{
			{Class: 0, Pending: policy.Flow{Jobs: 40, Work: 120}},
			{Class: 1, Pending: policy.Flow{Jobs: 3, Work: 1800}},
		},
	}
	for _, c := range []struct {
		name    string
		jobs    bool
		workoff time.Duration
		speed   float64
		want    float64
	}{
		{"its own targets", false, 0, 1, 6 + 120.0/60 + 1800.0/1200},
		{"within five minutes", false, 5 * time.Minute, 1, 6 + 120.0/300 + 3}, // no more slots than jobs
		{"a slot for every job", true, 0, 1, 6 + 40 + 3},
		{"twice as fast", false, 0, 2, 6 + 120.0/120 + 1800.0/2400},
	} {
		s.speed = c.speed
		d := demand{c.jobs, c.workoff, env.Classes}
		near(t, c.name, d.slots(&s), c.want, 1e-12)
	}
	s.kinds[0].Class, s.speed = -1, 1 // of no class: within a tick
	d := demand{classes: env.Classes}
	near(t, "no class", d.slots(&s), 6+120.0/60+1800.0/1200, 1e-12)
}
