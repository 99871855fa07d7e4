package policy

import "time"

var (
	ruleGuardStale  = NewRule("guard.stale", "%s: read %.0f s ago, at most %.0f s: hold", true)
	ruleGuardUnread = NewRule("guard.unread", "%s: the reading is not complete: hold", true)
	ruleGuardClash  = NewRule("guard.clash", "the queue says %.0f jobs run, the workers %.0f, and %.0f instances are listed: hold", false)
	ruleGuardBoots  = NewRule("guard.breaker.boots", "asked for %g, allowed %g (%.0f launches never became workers)", false)
	ruleGuardStall  = NewRule("guard.breaker.stall", "asked for %g, allowed %g (nothing completed for %.0f s, %.0f jobs run, %.0f wait)", false)
)

// hold reports whether nothing may change because too little is known, and why:
// the queue's or the fleet's reading is old or incomplete, or the two contradict
// each other. A fleet listed as empty while jobs run is a failed listing, and
// workers busy with jobs the queue does not know are a failed reading of it.
func (g *Guard) hold(o *Observation, s *tally) (Reason, bool) {
	if g.StaleAfter == Unlimited {
		return Reason{}, false
	}
	if why, bad := g.unfit(o, "queue", o.Queue.Reading); bad {
		return why, true
	}
	if why, bad := g.unfit(o, "fleet", o.Fleet.Reading); bad {
		return why, true
	}
	if s.running == 0 && s.busy > 0 || s.running > 0 && s.alive == 0 {
		return ruleGuardClash.Because(float64(s.running), float64(s.busy), float64(s.alive)), true
	}
	return Reason{}, false
}

// holdLaunches reports whether nothing may be launched because what was spent
// is not known.
func (g *Guard) holdLaunches(o *Observation) (Reason, bool) {
	if g.StaleAfter == Unlimited || g.DayMax == Unlimited && g.MonthMax == Unlimited {
		return Reason{}, false
	}
	return g.unfit(o, "money", o.Money.Reading)
}

// unfit reports whether a reading is no ground for change, and why.
func (g *Guard) unfit(o *Observation, name string, r Reading) (Reason, bool) {
	switch {
	case r.Fresh(o.Now, g.StaleAfter):
		return Reason{}, false
	case !r.Complete:
		return ruleGuardUnread.Named(name), true
	}
	return ruleGuardStale.Named(name, o.Now.Sub(r.At).Seconds(), g.StaleAfter.Seconds()), true
}

// breakerAllows returns how many instances the circuit breaker lets through, Unlimited while
// the circuit is closed; and why not more. The first two figures of the reason are for the
// caller to fill in: how many instances were asked for and how many are allowed.
//
// Instances that do not become workers open the circuit half: one at a time goes
// through, and the first that registers closes it. Work that does not complete opens it
// wholly, because more instances would only start more such work. What counts is how long
// jobs have waited and not how many do: new workers take jobs from a queue that is as
// stuck as before.
func (g *Guard) breakerAllows(o *Observation, s *tally) (int, Reason) {
	if g.BreakerStall != Unlimited && s.running > 0 && s.oldestWait >= g.BreakerStall {
		stalled := s.oldestWait
		if since := o.Now.Sub(o.Health.Progress); !o.Health.Progress.IsZero() {
			stalled = min(stalled, since)
		}
		if stalled >= g.BreakerStall {
			return 0, ruleGuardStall.Because(0, 0, stalled.Round(time.Second).Seconds(), float64(s.running), float64(s.waiting))
		}
	}
	failed := max(o.Fleet.Boot.Failed, s.overdue)
	if g.BreakerBoots != Unlimited && failed >= g.BreakerBoots {
		probe := 0
		if s.hopeful == 0 {
			probe = 1
		}
		return probe, ruleGuardBoots.Because(0, 0, float64(failed))
	}
	return Unlimited, Reason{}
}
