package controller_test

import (
	"testing"
	"testing/synctest"

	"github.com/skynet-ec2/skynet/live/controller"
)

// Whoever is shown every tick can count what there is: launched less ended, be it
// at a tick or between two.
func TestSeenShowsEveryEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t)
		c := w.config("a")
		launched, terminated, reaped := 0, 0, 0
		c.Seen = func(_ *controller.Controller, r *controller.Result) {
			launched += r.Outcome.Launched
			terminated += len(r.Terminated)
			reaped += len(r.Reaped)
		}
		k := w.open(c)
		w.minutes(k, 40, 12)
		w.minutes(k, 150, 0.05)
		if _, err := k.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		if alive := len(w.region.Alive()); launched-terminated-reaped != alive || terminated+reaped == 0 {
			t.Errorf("%d launched, %d ended at ticks and %d between them, and %d are alive", launched, terminated, reaped, alive)
		}
		t.Logf("%d launched, %d ended at ticks, %d between", launched, terminated, reaped)
	})
}
