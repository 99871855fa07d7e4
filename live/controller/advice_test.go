package controller_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
)

// While the provider is in trouble nothing is drained or ended, if that is held,
// and large launches shrink, if those are. What was said stands in the journal,
// which replays all the same.
func TestAdviceHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.config("a")
		var advice controller.Advice
		c.Advise = func(time.Time) controller.Advice { return advice }
		k := w.open(c)
		w.minutes(k, 40, 16)
		before := len(w.region.Alive())
		advice = controller.Advice{Text: "EC2 has trouble", HoldEnds: true}
		held := 0
		for _, r := range w.minutes(k, 70, 1) {
			if r.Outcome.Drained > 0 || len(r.Terminated) > 0 {
				t.Errorf("drains %d and ends %v", r.Outcome.Drained, r.Terminated)
			}
			if strings.Contains(r.Outcome.Provider, "drains held") {
				held++
			}
		}
		if after := len(w.region.Alive()); held == 0 || after < before {
			t.Errorf("%d decisions held, %d instances became %d", held, before, after)
		}
		advice = controller.Advice{}
		w.minutes(k, 70, 1)
		calm := len(w.region.Alive())
		if calm >= before {
			t.Errorf("the trouble is over, and %d instances are %d", before, calm)
		}
		advice = controller.Advice{Text: "EC2 has trouble", HoldLaunches: true, LaunchMax: 1}
		held = 0
		for _, r := range w.minutes(k, 10, 30) {
			if r.Outcome.Launched > 1 {
				t.Errorf("launches %d", r.Outcome.Launched)
			}
			if strings.Contains(r.Outcome.Provider, "launches held") {
				held++
			}
		}
		if after := len(w.region.Alive()); held == 0 || after <= calm {
			t.Errorf("%d launches held, %d instances became %d", held, calm, after)
		}
		if !strings.Contains(w.journal.String(), `"provider":"EC2 has trouble: `) {
			t.Error("the journal says nothing of it")
		}
		w.replay()
	})
}
