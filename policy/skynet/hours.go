package skynet

import (
	"math"

	"github.com/skynet-ec2/skynet/policy/detmath"
)

// hours is how a class fares by the clock hour: the one that runs, and the
// worst of late.
type hours struct {
	Hour    int64   `json:"hour"` // counted from the epoch on the users' clock
	Started float64 `json:"started"`
	Late    float64 `json:"late"`
	// Worst is the largest late share of an hour, forgotten by a factor of e in
	// two days.
	Worst float64 `json:"worst"`
}

const (
	hourJobsLeast = 100     // jobs of an hour that counts
	hourMemory    = 2 * day // of the worst one
	// hourAim is the part of an hour's allowance that its worst may come to, times
	// the budget: the worst hour of a month is worse than that of two days.
	hourAim = 0.5
	// From what late share of an hour, at its present rate of starts, catching up
	// is worth its price: where an hour allows the share a, from hourAlarm·a², with
	// the first late jobs of a strict promise; where none was promised, from
	// hourAlarmImplied of hourMultiple times what the class allows.
	hourAlarm        = 0.1
	hourAlarmImplied = 0.5
	hourMultiple     = 20
	// The recovery time, in seconds, while a promised hour is in danger: catchUp
	// times the share it allows, within catchUpLeast and catchUpMost; while another
	// is: catchUpImplied; and at most while a class is behind: catchUpMost.
	catchUp        = 800.0
	catchUpLeast   = 40.0
	catchUpMost    = 60.0
	catchUpImplied = 120.0
	// recoverLeast is the shortest recovery, in seconds: a launch must have been
	// there for a while before it can have worked off anything.
	recoverLeast = 5.0
	// A class is behind that had more than behindBy times the late jobs it allows,
	// over two days, of which behindSeen seconds at least were counted.
	behindBy   = 1.5
	behindSeen = 6 * 3600.0
)

// count adds the starts of step seconds that end in the given hour.
func (h *hours) count(hour int64, started, late, step float64) {
	h.Worst *= detmath.Exp(-step / hourMemory)
	if hour != h.Hour {
		if h.Started >= hourJobsLeast {
			h.Worst = max(h.Worst, h.Late/h.Started)
		}
		*h = hours{Hour: hour, Worst: h.Worst}
	}
	h.Started += started
	h.Late += late
}

// endangered reports whether the running hour, of which the given part has
// passed, has more late jobs than share of those it will start at this rate.
func (h *hours) endangered(share, part float64) bool {
	expected := h.Started / max(part, 0.05)
	return h.Late > float64(share*max(expected, hourJobsLeast))
}

// hourAllowedLate returns the late share that a class allows any hour, 0 when it
// promises nothing of the kind.
func (p *Policy) hourAllowedLate(class int) float64 {
	if w := p.env.Classes[class].WorstHour; w > 0 {
		return max(1-w, missFloor)
	}
	return 0
}

// recoveryTime returns the recovery time, in seconds, that the running hour calls for
// because it goes badly for a class; false when it does not. Only then does the
// policy chase a burst: it gives what waits a shorter time to recover, and takes
// the load of the last two minutes for the level if that is higher. At other
// times a machine that comes when the burst is over is paid for nothing, and the
// late jobs are what the miss budget is for.
//
// A class that is behind has no such budget left: it catches up within a boot, and
// an hour of it is in danger as soon as it has more late jobs than it allows.
func (p *Policy) recoveryTime() (recovery float64, chase bool) {
	hour := p.clock / 3600
	part := hour - math.Floor(hour)
	recovery = p.set.recovery
	for i := range p.st.Steer.Classes {
		allowed := p.hourAllowedLate(i)
		alarm, within := float64(hourAlarm*allowed*allowed), min(max(float64(catchUp*allowed), catchUpLeast), catchUpMost)
		if c := &p.env.Classes[i]; alarm == 0 && c.Attain > 0 {
			alarm, within = float64(hourAlarmImplied*min(hourMultiple*p.allowedLate(i), 1)), catchUpImplied
			if p.behind(i) {
				alarm, within = p.allowedLate(i), min(catchUpMost, max(p.lag, bootLeast))
				recovery = min(recovery, within)
			}
		}
		if alarm > 0 && p.st.Steer.Classes[i].Hours.endangered(alarm, part) {
			recovery, chase = min(recovery, within), true
		}
	}
	return recovery, chase
}

// behind reports whether a class has had so many late jobs that what it is
// promised is in question, but not so many that it is out of reach.
func (p *Policy) behind(class int) bool {
	c := &p.st.Steer.Classes[class]
	return c.Started >= steerLeast && c.SeenS >= behindSeen &&
		c.Late > float64(behindBy*p.allowedLate(class)*c.Started) && !p.outOfReach(class)
}

// outOfReach reports whether a class has so many late jobs that what it is promised is
// out of reach.
func (p *Policy) outOfReach(class int) bool {
	c := &p.st.Steer.Classes[class]
	return c.Started >= steerLeast && c.Late > float64(outOfReachOver*p.allowedLate(class)*c.Started)
}

// setLineRecovery sets how long what is late in each line may stay late. With paid
// windows that is one time for all: who comes for a burst is paid for an hour. So it
// is where slack is all that is held.
// Per second, who comes is paid for as long as it helps, and what a line is short
// of its promise is had for less by coming sooner than by a larger reserve. So the
// multiplier of the reserve, z, moves both:
//
//	ρ(z) = max(ρ · (1 − z), 5 s)
//
// a line that is hardly ever late takes up to twice as long; one that needs a
// reserve of z = 1 takes five seconds, and from there on only the reserve grows. A
// line whose promise is out of reach has ρ at least, and so has every line in a cold
// start, when all that waits is late already. None has longer than what an hour in
// danger, or a class that is behind, calls for.
func (p *Policy) setLineRecovery() {
	for j := range p.lines {
		ln := &p.lines[j]
		ln.recovery = p.recovery
		if p.set.windows || !p.set.promises {
			continue
		}
		own := float64(p.set.recovery * (1 - ln.z))
		if ln.outOfReach || p.st.WarmAt.IsZero() {
			own = max(own, p.set.recovery)
		}
		if p.recovery < p.set.recovery { // an hour is in danger, or a class behind
			own = min(own, p.recovery)
		}
		ln.recovery = max(own, recoverLeast)
	}
}
