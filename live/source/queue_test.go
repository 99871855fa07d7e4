package source_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/skynet-ec2/skynet/live/controller"
	"github.com/skynet-ec2/skynet/live/fleet"
	"github.com/skynet-ec2/skynet/live/source"
)

// The real controller scales a queue that is not its own: calm, a crowd, and quiet.
// Every job is done, and what is left of the fleet in the end is little. Where the
// workers say that they are idle, none is ended with a job on it.
func TestAnExistingQueueIsScaled(t *testing.T) {
	for name, kind := range map[string]struct {
		tells, counted, learns bool
	}{
		"depth alone":           {},
		"workers tell":          {tells: true},
		"completions counted":   {counted: true},
		"service time unstated": {tells: true, counted: true, learns: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				s.tells, s.counted = kind.tells, kind.counted
				k := s.controller(func(c *source.Config) {
					if kind.learns {
						c.Kinds[0].Service = 0
					}
				})
				s.minutes(k, 60, 2)
				calm := k.Observation().Fleet.ReadySlots
				if calm < 16 || calm > 64 {
					t.Errorf("%d slots ready for 16 busy ones", calm)
				}
				if o := k.Observation(); len(o.Queue.Kinds) != 1 || !o.Queue.Complete {
					t.Fatalf("the queue is seen as %+v", o.Queue)
				} else if mean := float64(o.Queue.Kinds[0].Service.Mean); mean < 16 || mean > 25 {
					t.Errorf("jobs of 20 core-seconds are taken for %.1f", mean)
				} else if got := o.Queue.Kinds[0].Arrived[2].Jobs; got < 1600 || got > 2000 {
					t.Errorf("%d arrivals over 15 minutes, there were 1800", got)
				}
				s.minutes(k, 15, 10)
				if crowd := k.Observation().Fleet.ReadySlots; crowd < 80 {
					t.Errorf("%d slots ready for 80 busy ones", crowd)
				}
				s.minutes(k, 150, 0)
				if s.done != s.arrived {
					t.Errorf("%d of %d done", s.done, s.arrived)
				}
				if n := len(s.region.Alive()); n > 2 {
					t.Errorf("%d instances long after the crowd", n)
				}
				if kind.tells && s.cut > 0 {
					t.Errorf("%d jobs were cut off", s.cut)
				}
			})
		})
	}
}

// A source that cannot be read is not an empty queue: nothing changes.
func TestABlindSourceHolds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		k := s.controller(nil)
		s.minutes(k, 30, 4)
		before := len(s.region.Alive())
		s.broken = errBlind
		for i, r := range s.minutes(k, 90, 0) {
			if k.Observation().Queue.Complete {
				t.Fatal("a queue that cannot be read is complete")
			}
			if i > 4 && (r.Decided.Instances() > 0 || len(r.Terminated) > 0) {
				t.Errorf("blind, launches %d and ends %v", r.Decided.Instances(), r.Terminated)
			}
		}
		if after := len(s.region.Alive()); after != before {
			t.Errorf("%d instances became %d", before, after)
		}
	})
}

// A queue of thousands that reads as empty a minute later is held as unknown, and
// believed after five minutes. One that the slots could have emptied is believed at
// once, and so is one whose completions are counted.
func TestAFallToNothing(t *testing.T) {
	for name, of := range map[string]struct {
		jobs      int64
		completed bool
		held      bool
	}{"thousands": {5000, false, true}, "a few": {19, false, false}, "thousands, done as counted": {5000, true, false}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				q := s.queue(nil)
				s.lies = &source.Count{Waiting: of.jobs}
				if of.completed {
					s.lies.Completed.Total = source.Known(100)
				}
				s.observe(q)
				time.Sleep(time.Minute)
				s.lies = &source.Count{}
				if of.completed {
					s.lies.Completed.Total = source.Known(100 + float64(of.jobs))
				}
				began := time.Now()
				_, err := q.Observe(t.Context(), request())
				if (err != nil) != of.held {
					t.Fatalf("%d jobs became none: %v", of.jobs, err)
				}
				if !of.held {
					return
				}
				if !strings.Contains(err.Error(), "after 5000") || !strings.Contains(err.Error(), "held as unknown until") {
					t.Errorf("says %v", err)
				}
				for err != nil {
					time.Sleep(10 * time.Second)
					_, err = q.Observe(t.Context(), request())
				}
				if took := time.Since(began); took != 5*time.Minute {
					t.Errorf("believed after %v", took)
				}
			})
		})
	}
}

// Readings that recover before the fall is believed leave no trace of it.
func TestAFallThatRecovers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		q := s.queue(nil)
		s.lies = &source.Count{Waiting: 5000}
		before := s.observe(q)
		s.lies = &source.Count{}
		for range 4 {
			time.Sleep(time.Minute)
			if _, err := q.Observe(t.Context(), request()); err == nil {
				t.Fatal("nothing is believed")
			}
		}
		s.lies = &source.Count{Waiting: 5001}
		after := s.observe(q)
		if got := after.Kinds[0]; got.Waiting != 5001 || got.Arrived-before.Kinds[0].Arrived != 1 || got.Completed != 0 {
			t.Errorf("counted %+v", got)
		}
	})
}

// Workers that all fall silent at once are an outage of what tells of them, at
// first. One of several that does is silent.
func TestWorkersThatVanish(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.tells = true
		k := s.controller(nil)
		s.minutes(k, 30, 4)
		before := len(s.region.Alive())
		s.mute = true
		for _, r := range s.minutes(k, 4, 4) {
			if r.Decided.Instances() > 0 || len(r.Terminated) > 0 {
				t.Errorf("no worker tells, and it launches %d and ends %v", r.Decided.Instances(), r.Terminated)
			}
		}
		s.mute = false
		s.minutes(k, 2, 4)
		if o := k.Observation(); !o.Queue.Complete || o.Health.SilentWorkers > 0 || len(s.region.Alive()) < before {
			t.Errorf("afterwards: complete %t, %d silent", o.Queue.Complete, o.Health.SilentWorkers)
		}
	})
}

// What is in flight elsewhere is no contradiction to a fleet of none: the first
// instance is launched.
func TestOthersWorkToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		s.elsewhere = 7
		k := s.controller(nil)
		s.minutes(k, 10, 4)
		if len(s.region.Alive()) == 0 {
			t.Errorf("no instance for %d jobs that wait", s.waiting)
		}
	})
}

// An instance that is to go and is not known to be idle stays: for ever, or until
// its grace is over.
func TestTheGraceOfADrain(t *testing.T) {
	for _, grace := range []time.Duration{0, 20 * time.Minute} {
		t.Run(grace.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				s.tells = true
				q := s.queue(func(c *source.Config) { c.DrainGrace = grace })
				id := launch(t, s)
				s.second()
				time.Sleep(2 * time.Minute)
				s.waiting = 1
				s.service = 100 * time.Hour
				s.workers[id].run = s.service // it never ends
				s.second()
				s.observe(q)
				drain(t, q, id)
				began := time.Now()
				for time.Since(began) < 3*time.Hour && !ended(s, q, id) {
					time.Sleep(time.Minute)
				}
				if took := time.Since(began); grace == 0 && took < 3*time.Hour || grace > 0 && took != grace {
					t.Errorf("may go after %v", took)
				}
			})
		})
	}
}

// An idle worker is known to be after two minutes of saying so; without a word of
// workers, after two minutes of nothing in flight anywhere. A gap in the readings
// begins them anew.
func TestKnownIdle(t *testing.T) {
	for _, tells := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			s := newSite(t)
			s.tells = tells
			q := s.queue(nil)
			id := launch(t, s)
			s.second()
			time.Sleep(5 * time.Minute)
			s.waiting = 3
			s.second()
			s.observe(q)
			drain(t, q, id)
			if ended(s, q, id) {
				t.Errorf("tells %t: ended with jobs on it", tells)
			}
			s.workers[id].ends = nil
			idle := func(after, every time.Duration) (took time.Duration) {
				began := time.Now()
				for !ended(s, q, id) && time.Since(began) < after {
					time.Sleep(every)
				}
				return time.Since(began)
			}
			if took := idle(time.Hour, 10*time.Second); took != 2*time.Minute {
				t.Errorf("tells %t: known to be idle after %v", tells, took)
			}
			time.Sleep(10 * time.Minute) // nobody looks
			if ended(s, q, id) {
				t.Errorf("tells %t: known to be idle by two readings far apart", tells)
			}
			if _, err := q.Direct(t.Context(), wanted(id)); err != nil {
				t.Fatal(err)
			}
			if took := idle(time.Hour, time.Minute); took < time.Hour {
				t.Errorf("tells %t: wanted again, and ended after %v", tells, took)
			}
		})
	}
}

// Whoever was told of a view of the fleet that is not whole keeps the last one.
func TestAnIncompleteViewIsNoEmptyFleet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSite(t)
		q := s.queue(nil)
		launch(t, s)
		time.Sleep(5 * time.Minute)
		s.region.Break(fleet.Listing, fleet.ErrorBefore)
		if _, err := q.Observe(t.Context(), request()); err == nil {
			t.Error("a fleet that was never seen is known")
		}
		if n := len(s.observe(q).Workers); n != 1 {
			t.Fatalf("%d workers, want 1", n)
		}
		s.region.Break(fleet.Listing, fleet.ErrorBefore)
		if v := q.Watch().Observe(t.Context()); v.Complete {
			t.Fatal("a broken list is complete")
		}
		if n := len(s.observe(q).Workers); n != 1 {
			t.Errorf("%d workers, want 1", n)
		}
	})
}

// A job that runs carries the estimate that it carried while it waited: the time that
// is configured, on a slot of speed 1, or what was measured, and none before that.
func TestWhatRunsIsEstimatedAsWhatWaits(t *testing.T) {
	for name, of := range map[string]struct {
		configured, measured, estimateS float64
	}{"configured": {20, 0, 20}, "measured": {0, 12, 30}, "unknown": {0, 0, 0}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newSite(t)
				q := s.queue(func(c *source.Config) { c.Kinds[0].Service = time.Duration(of.configured * float64(time.Second)) })
				launch(t, s)
				time.Sleep(5 * time.Minute)
				s.lies = &source.Count{Waiting: 4, InFlight: 3}
				if of.measured > 0 {
					s.lies.ServiceS = source.Known(of.measured)
				}
				o := s.observe(q)
				if k := o.Kinds[0]; k.WaitingEstimateS != 4*of.estimateS {
					t.Errorf("4 jobs wait with estimates of %v core-seconds, want %v each", k.WaitingEstimateS, of.estimateS)
				}
				if len(o.Workers) != 1 || len(o.Workers[0].Running) != 3 {
					t.Fatalf("three jobs run on one worker: %+v", o.Workers)
				}
				for _, j := range o.Workers[0].Running {
					if j.EstimateS != of.estimateS {
						t.Errorf("a job that runs is estimated at %v core-seconds, want %v", j.EstimateS, of.estimateS)
					}
				}
			})
		})
	}
}

var _ controller.Queue = (*source.Queue)(nil)
