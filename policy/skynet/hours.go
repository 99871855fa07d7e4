package skynet

import (
	"math"

	"github.com/skynet-ec2/skynet/policy/detmath"
)

// hours is how a class fares by the clock hour. It holds the hour that runs, and
// the worst hour of late.
type hours struct {
	Hour    int64   `json:"hour"`    // that runs, counted from the epoch on the users' clock
	Started float64 `json:"started"` // jobs of that hour
	Late    float64 `json:"late"`    // of these
	// Worst is the largest late share of an hour, forgotten with the time constant
	// hourMemory.
	Worst float64 `json:"worst"`
}

const (
	hourJobsLeast = 100     // jobs that an hour must have started to count
	hourMemory    = 2 * day // time constant of Worst, in seconds
	// hourAim is the part of an hour's allowance, times the parameter "budget", that
	// the worst hour of two days may come to: the worst of a month is worse than that.
	hourAim = 0.5
	// hourPartLeast is the part of an hour that must have passed before its starts are
	// extrapolated from less.
	hourPartLeast = 0.05
)

// From which late share of an hour on, at its present rate of starts, the hour is in
// danger, so that catching up is worth its price.
const (
	// Where every hour is promised to have no more than the share a late, it is
	// hourAlarm·a²: with the first late jobs of a strict promise, later of a lax one.
	hourAlarm = 0.1
	// Where no hour is promised anything it is the part hourAlarmImplied of
	// hourMultiple times the late share that the class allows.
	hourAlarmImplied = 0.5
	hourMultiple     = 20
)

// The recovery time ρ, in seconds.
const (
	// While a promised hour is in danger it is catchUp times the late share that the
	// hour allows, but at least catchUpLeast and at most catchUpMost.
	catchUp      = 800.0
	catchUpLeast = 40.0
	catchUpMost  = 60.0 // also the most while a class is behind
	// While another hour is in danger.
	catchUpImplied = 120.0
	// At the least: a launch must have served for a while before it can have worked off
	// anything.
	recoverLeast = 5.0
)

// A class is behind if it had more than behindBy times the late jobs it allows, over
// about two days, of which at least behindSeen seconds were counted.
const (
	behindBy   = 1.5
	behindSeen = 6 * 3600.0
)

// count adds the starts of step seconds, the last of which lies in the given hour.
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

// endangered reports whether the running hour, of which the given part has passed,
// has more late jobs than the given share of those it will start at this rate.
func (h *hours) endangered(share, part float64) bool {
	expected := h.Started / max(part, hourPartLeast)
	return h.Late > float64(share*max(expected, hourJobsLeast))
}

// hourAllowedLate returns the late share that a class allows in any hour, 0 when it
// promises nothing of single hours.
func (p *Policy) hourAllowedLate(class int) float64 {
	if w := p.env.Classes[class].WorstHour; w > 0 {
		return max(1-w, missFloor)
	}
	return 0
}

// recoveryTime returns ρ for all lines, in seconds, and whether the running hour is
// in danger for a class.
//
// While it is, the policy chases the burst: what waits has a shorter time to recover,
// and the load of the last two minutes counts as the level if that is higher. At
// other times it does not, because instances that come when a burst is over are paid
// for nothing, and the late jobs of a burst are what the miss budget is for.
//
// A class that is behind has no such budget left. It catches up within a boot, and an
// hour of it is in danger as soon as more of it is late than the class allows.
func (p *Policy) recoveryTime() (recovery float64, inDanger bool) {
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
			recovery, inDanger = min(recovery, within), true
		}
	}
	return recovery, inDanger
}

// behind reports whether a class has had so many late jobs that its promise is in
// question, but not so many that it is out of reach.
func (p *Policy) behind(class int) bool {
	c := &p.st.Steer.Classes[class]
	return c.Started >= steerLeast && c.SeenS >= behindSeen &&
		c.Late > float64(behindBy*p.allowedLate(class)*c.Started) && !p.outOfReach(class)
}

// outOfReach reports whether a class has so many late jobs that its promise is out of
// reach: more than outOfReachOver times what it allows.
func (p *Policy) outOfReach(class int) bool {
	c := &p.st.Steer.Classes[class]
	return c.Started >= steerLeast && c.Late > float64(outOfReachOver*p.allowedLate(class)*c.Started)
}

// setLineRecovery sets ρ of each line.
//
// With paid hours it is that of recoveryTime for all lines, because what comes for a
// burst is paid for an hour. So it is where slack is all that is held.
//
// With billing per second what comes is paid only as long as it helps. A line that is
// short of its promise is served for less by coming sooner than by a larger reserve, so the
// reserve's multiplier moves both:
//
//	ρ(z) = max(ρ·(1 − z), 5 s)
//
// A line that is hardly ever late (z = −1) has twice ρ; one that needs a reserve of
// z = 1 has five seconds, and beyond that only the reserve grows. A line whose promise
// is out of reach has at least ρ, and so has every line until the policy is warmed up,
// when all that waits is late already. No line has more than what an hour in danger,
// or a class that is behind, calls for.
func (p *Policy) setLineRecovery() {
	for j := range p.lines {
		ln := &p.lines[j]
		ln.recovery = p.recovery
		if p.set.windows || !p.set.promises {
			continue
		}
		recovery := float64(p.set.recovery * (1 - ln.z))
		if ln.outOfReach || p.st.WarmAt.IsZero() {
			recovery = max(recovery, p.set.recovery)
		}
		if p.recovery < p.set.recovery { // an hour is in danger, or a class behind
			recovery = min(recovery, p.recovery)
		}
		ln.recovery = max(recovery, recoverLeast)
	}
}
