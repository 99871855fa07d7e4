package skynet

import (
	"math"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
)

const (
	zLow, zHigh  = -1.0, 3.0
	missFloor    = 1e-3    // a promise of all jobs is steered as one of 99.9 %
	steerMemory  = 2 * day // of started and late jobs
	recentMemory = day / 2 // of those that tell whether a rise of z helped
	steerLeast   = 200     // jobs started before a class has a say
	flatRise     = 1.0     // a rise of z this large, and this old …
	flatAge      = day / 2
	flatWorth    = 0.15    // … must have lowered the late share by a factor of e to this
	flatBar      = 2 * day // or it is taken back, and not tried again for so long
	flatReturn   = 1.0     // z per day
)

var (
	ruleSteer     = policy.NewRule("steer.z", "%s: %.2f %% late of %.2f %% allowed, reserve multiplier %.2f", true)
	ruleSteerFlat = policy.NewRule("steer.flat", "%s: %.2f %% late although the reserve multiplier rose from %.2f to %.2f: it is taken back", true)
)

// steer is the multiplier of the reserve and the miss budget that moves it.
//
// Per class, late and started jobs are summed with a memory of two days. With ε
// the late share a class allows and k over the classes with enough jobs,
//
//	x = max_k ln((late_k/started_k + 0.05 ε_k)/ε_k)
//	z ← clip(z + G (x − ln(budget + 0.05)) Δ/day, −0.5, 3)
//
// which rests where the worst class spends the budget's share of its allowance.
// A class that promises something of every hour adds the late share of its worst
// hour lately against half of what an hour allows.
// Doubt buys more: z rises faster the more jobs are late, and falls slowly.
//
// Anti-windup: where bursts come faster than any launch, a larger z buys
// machines and saves nobody. When z has risen by one for half a day and the late
// share of the last half day has not fallen, the rise is taken back and not
// tried again for two days.
type steer struct {
	Z       float64 `json:"z"`
	Classes []spent `json:"classes"`
	// BaseZ, BaseX and BaseS: z and the recent x where the present rise began,
	// and how many seconds ago. BarS: for how many seconds z may not rise.
	BaseZ float64 `json:"base_z"`
	BaseX float64 `json:"base_x"`
	BaseS float64 `json:"base_s"`
	BarS  float64 `json:"bar_s"`
}

// spent is how much of its miss budget a class used, in jobs: over about two
// days, and over half a day.
type spent struct {
	Started       float64 `json:"started"`
	Late          float64 `json:"late"`
	StartedRecent float64 `json:"started_recent"`
	LateRecent    float64 `json:"late_recent"`
	Hours         hours   `json:"hours"`
	started, late float64 // since the last observation
}

func newSteer(s *settings, classes int) steer {
	return steer{Z: s.zStart, BaseZ: s.zStart, Classes: make([]spent, classes)}
}

// multiplier returns z.
func (p *Policy) multiplier() float64 { return p.st.Steer.Z }

// count adds the starts since the last observation, step seconds ago.
func (p *Policy) count(o *policy.Observation, step float64) {
	s := &p.st.Steer
	keep, keepRecent := detmath.Exp(-step/steerMemory), detmath.Exp(-step/recentMemory)
	for i := range s.Classes {
		c := &s.Classes[i]
		c.Started *= keep
		c.Late *= keep
		c.StartedRecent *= keepRecent
		c.LateRecent *= keepRecent
		c.started, c.late = 0, 0
	}
	for i := range o.Queue.Kinds {
		k := &o.Queue.Kinds[i]
		if p.promise(k) == nil {
			continue
		}
		c := &s.Classes[k.Class]
		c.started += float64(k.Started)
		c.late += float64(k.StartedLate)
	}
	hour := int64(math.Floor(p.clock / 3600))
	for i := range s.Classes {
		c := &s.Classes[i]
		c.Started += c.started
		c.Late += c.late
		c.StartedRecent += c.started
		c.LateRecent += c.late
		c.Hours.count(hour, c.started, c.late, step)
	}
}

// moveZ steers the multiplier over a sample of step seconds.
func (p *Policy) moveZ(step float64) {
	s := &p.st.Steer
	x, worst := p.pressure()
	p.worst = worst
	if worst < 0 {
		return
	}
	rest := detmath.Log(p.set.budget + 0.05)
	move := float64(float64(p.set.gain*(x-rest)) * step / day)
	recent := p.recent(worst)
	s.BaseS += step
	s.BarS = max(s.BarS-step, 0)
	if move <= 0 {
		s.BarS = 0
	}
	if s.BarS > 0 {
		// the rise that did not help is taken back
		if s.Z > s.BaseZ {
			s.Z = max(s.BaseZ, s.Z-float64(flatReturn*step/day))
		}
		return
	}
	s.Z = min(max(s.Z+move, zLow), zHigh)
	switch {
	case s.Z <= s.BaseZ || recent <= 0 || recent < s.BaseX-flatWorth:
		s.BaseZ, s.BaseX, s.BaseS = s.Z, recent, 0 // it helps, or nothing is tried
	case s.Z >= s.BaseZ+flatRise && s.BaseS >= flatAge:
		p.flatZ = s.Z
		s.BarS = flatBar
	}
}

// recent returns ln of how much of its allowance a class used over the last
// half day; 0 when too few jobs started to tell.
func (p *Policy) recent(class int) float64 {
	c := &p.st.Steer.Classes[class]
	if c.StartedRecent < steerLeast {
		return 0
	}
	miss := max(1-p.env.Classes[class].Attain, missFloor)
	return used(c.LateRecent/c.StartedRecent, miss)
}

// used returns ln of how much of an allowed late share is used, bounded below.
func used(late, allowed float64) float64 {
	return detmath.Log((late + float64(0.05*allowed)) / allowed)
}

// pressure returns ln of how much of its allowance the worst class uses, and
// which that is; −1 when no class has started enough jobs.
func (p *Policy) pressure() (x float64, worst int) {
	worst = -1
	for i := range p.st.Steer.Classes {
		c := &p.st.Steer.Classes[i]
		if c.Started < steerLeast {
			continue
		}
		miss := max(1-p.env.Classes[i].Attain, missFloor)
		own := used(c.Late/c.Started, miss)
		if allowed := p.hourAllows(i); allowed > 0 {
			own = max(own, used(c.Hours.Worst, hourAim*allowed))
		}
		if worst < 0 || own > x {
			x, worst = own, i
		}
	}
	return x, worst
}

// steerReason returns the sentence about z.
func (p *Policy) steerReason() (policy.Reason, bool) {
	if p.worst < 0 || !p.set.promises {
		return policy.Reason{}, false
	}
	c, s := &p.st.Steer.Classes[p.worst], &p.st.Steer
	class := &p.env.Classes[p.worst]
	late := 100 * c.Late / c.Started
	if p.flatZ != 0 {
		return ruleSteerFlat.Named(class.Name, late, s.BaseZ, p.flatZ), true
	}
	return ruleSteer.Named(class.Name, late, 100*(1-class.Attain), s.Z), true
}
