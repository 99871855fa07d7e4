package skynet

import (
	"math"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
)

const (
	zLow, zHigh = -1.0, 8.0
	missFloor   = 1e-3    // a promise of all jobs is steered as one of 99.9 %
	steerMemory = 2 * day // of started and late jobs
	rateMemory  = 3 * day // of jobs a day
	steerLeast  = 200     // jobs started before a class has a say
	absentFor   = day     // without a job, after which a class counts its days anew
	debtMost    = 2.0     // days of budget: what one disaster can cost
	debtTime    = day / 2 // in which a debt is paid
)

// A promise about every hour starts with a reserve larger by hourMore, and moves
// it hourGain times as fast.
const (
	hourZMore = 0.6
	hourGain  = 2.0
)

// What is out of reach: a class this many times over its allowance gets no
// larger reserve when a rise of z by flatRise, over flatAge, has not lowered its
// late share by the factor flatWorth.
const (
	outOfReachOver = 8.0
	trialRise      = 4.0
	trialTime      = 2 * day
	trialWorth     = 0.85
	risePause      = 2 * day // it is not tried again for so long
	takeBackPerDay = 1.0     // z per day
)

var (
	ruleSteer     = policy.NewRule("steer.z", "%s: %.2f %% late of %.2f %% allowed, reserve multiplier %.2f", true)
	ruleSteerFlat = policy.NewRule("steer.flat", "%s: %.2f %% late although the reserve multiplier rose from %.2f to %.2f: it is taken back", true)
)

// steer is the multiplier of the reserve, z: the largest of those that the
// classes ask for.
//
// A class keeps books of its late jobs, in days of its budget. With N the jobs
// it starts a day, ε the late share it allows and b the part of that aimed at,
//
//	debt ← min(debt + late/(b ε N), 2)
//	paid = debt · Δ/(½ day),  debt ← debt − paid
//	z ← clip(z + G (1 + max(z, 0)/2) (paid − started/N), −1, 8)
//
// so that z rests only where late jobs are b ε of those started: exactly, by
// jobs, whatever the hour they fall in. A burst that no reserve could have met
// is forgotten but for two days of budget, and what is paid, is paid slowly, so
// that a bad minute moves z by little.
//
// The same books, unpaid, steer the late share that the chance to find a free
// slot may have (see chance):
//
//	ln x ← clip(ln x + started/N − late/(b ε N), 0, 5)
//
// A class that promises something of every hour has a second multiplier, which
// rises and falls with ln of the late share of its worst hour lately over half
// of what an hour allows.
type steer struct {
	Classes []classBooks `json:"classes"`
}

// classBooks is how a class spends its miss budget.
type classBooks struct {
	// Started and late jobs over about two days.
	Started float64 `json:"started"`
	Late    float64 `json:"late"`
	// PerDay is the jobs started a day, over about three days, or over SeenS where
	// that is less: the seconds counted, of a class that comes after a day or more
	// without a job those since. IdleS is how many seconds ago the last started.
	PerDay float64 `json:"per_day"`
	SeenS  float64 `json:"seen_s"`
	IdleS  float64 `json:"idle_s"`
	Debt   float64 `json:"debt"` // days of budget
	Z      float64 `json:"z"`
	HourZ  float64 `json:"hour_z"`
	Hours  hours   `json:"hours"`
	// Lax is ln of how many times the late share aimed at a job's chance to find
	// every slot held may be.
	LogTolerance float64 `json:"lax"`
	// Spare is the balance of late jobs (see spare.go): how many more may be late, or
	// below 0 how many too many were.
	Spare float64 `json:"spare"`
	// Where the present rise of Z began: Z, the late share then, and how many
	// seconds ago. BarS: for how many seconds Z may not rise.
	BaseZ    float64 `json:"base_z"`
	BaseLate float64 `json:"base_late"`
	BaseS    float64 `json:"base_s"`
	BarS     float64 `json:"bar_s"`

	started, late float64 // since the last sample
}

func newSteer(s *settings, classes int) steer {
	st := steer{Classes: make([]classBooks, classes)}
	for i := range st.Classes {
		c := &st.Classes[i]
		c.Z, c.HourZ, c.BaseZ = s.zStart, min(s.zStart+hourZMore, zHigh), s.zStart
		c.LogTolerance = logToleranceStart
	}
	return st
}

// steerLines gives each line the largest z that a class in it asks for; what no
// class has a say in starts from z_start.
func (p *Policy) steerLines(o *policy.Observation) {
	for i := range p.lines {
		p.lines[i].z, p.lines[i].logTolerance = zLow-1, logToleranceMost
	}
	for i := range o.Queue.Kinds {
		k := &o.Queue.Kinds[i]
		if p.promise(k) != nil {
			ln := p.lineOf(k.Priority)
			c := &p.st.Steer.Classes[k.Class]
			ln.z = max(ln.z, c.Z, p.hourZ(k.Class))
			ln.logTolerance = min(ln.logTolerance, c.LogTolerance)
			ln.outOfReach = ln.outOfReach || p.outOfReach(k.Class)
		}
	}
	for i := range p.lines {
		if ln := &p.lines[i]; ln.z < zLow {
			ln.z = p.set.zStart
		}
	}
}

// countStarts adds the starts since the last observation, step seconds ago.
func (p *Policy) countStarts(o *policy.Observation, step float64) {
	s := &p.st.Steer
	keep := detmath.Exp(-step / steerMemory)
	for i := range s.Classes {
		c := &s.Classes[i]
		c.Started *= keep
		c.Late *= keep
		c.started, c.late = 0, 0
	}
	p.decaySpare(step)
	for i := range o.Queue.Kinds {
		k := &o.Queue.Kinds[i]
		if p.promise(k) == nil {
			continue
		}
		p.countSpare(k)
		if !p.lineOf(k.Priority).urgent {
			continue // it waits for its deadline, whatever the reserve
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
		c.updatePerDay(step)
		c.Hours.count(hour, c.started, c.late, step)
		p.settleBooks(i, step)
	}
	p.leadingClass = p.classWithLargestReserve()
}

// updatePerDay adds the starts of step seconds to the jobs a day. A class that is
// new, or was away for days, is not measured by the days without it: its jobs
// would each earn so much budget that z fell to its least within the hour.
func (c *classBooks) updatePerDay(step float64) {
	if c.started == 0 {
		c.IdleS += step
	} else {
		if c.IdleS >= absentFor {
			c.SeenS = 0
		}
		c.IdleS = 0
	}
	c.SeenS += step
	weight := min(max(step/rateMemory, step/c.SeenS), 1)
	c.PerDay += float64(weight * (float64(c.started*day/step) - c.PerDay))
}

// settleBooks lets a class settle its books after step seconds.
func (p *Policy) settleBooks(class int, step float64) {
	c := &p.st.Steer.Classes[class]
	perDay := c.PerDay
	if c.Started < steerLeast || perDay <= 0 || p.set.gain == 0 {
		return
	}
	miss := p.allowedLate(class)
	owed := c.late / (p.aimedLate(class) * perDay)
	c.Debt = min(c.Debt+owed, debtMost)
	paid := float64(c.Debt * min(step/debtTime, 1))
	c.Debt -= paid
	c.LogTolerance = min(max(c.LogTolerance+float64(logTolerancePerDay*(c.started/perDay-owed)), 0), logToleranceMost)
	gain := p.set.gain * (1 + float64(0.5*max(c.Z, 0)))
	p.moveZ(c, miss, float64(gain*(paid-c.started/perDay)), step)
	if allowed := p.hourAllowedLate(class); allowed > 0 {
		rest := detmath.Log(p.set.budget + 0.05)
		x := logShareUsed(c.Hours.Worst, float64(hourAim*allowed))
		c.HourZ = min(max(c.HourZ+float64(float64(hourGain*p.set.gain*(x-rest))*step/day), zLow), zHigh)
	}
}

// moveZ moves the z of a class that allows the late share miss, unless it is
// out of reach.
func (p *Policy) moveZ(c *classBooks, miss, move, step float64) {
	late := c.Late / c.Started
	c.BaseS += step
	c.BarS = max(c.BarS-step, 0)
	if c.BarS > 0 && move > 0 {
		// the rise that did not help is taken back
		if c.Z > c.BaseZ {
			c.Z = max(c.BaseZ, c.Z-float64(takeBackPerDay*step/day))
		}
		return
	}
	c.Z = min(max(c.Z+move, zLow), zHigh)
	if c.BaseLate == 0 {
		c.BaseLate = late // a class that began over its allowance
	}
	switch {
	case c.Z <= c.BaseZ || late <= float64(outOfReachOver*miss):
		c.BaseZ, c.BaseLate, c.BaseS = c.Z, late, 0 // nothing is tried, or nothing is hopeless
	case c.Z < c.BaseZ+trialRise || c.BaseS < trialTime:
	case late <= float64(trialWorth*c.BaseLate):
		c.BaseZ, c.BaseLate, c.BaseS = c.Z, late, 0 // it helps
	default:
		p.abandonedZ = c.Z
		c.BarS = risePause
	}
}

// allowedLate returns the late share that a class allows.
func (p *Policy) allowedLate(class int) float64 {
	return max(1-p.env.Classes[class].Attain, missFloor)
}

// aimedLate returns the late share of a class that is aimed at, b ε.
func (p *Policy) aimedLate(class int) float64 { return p.set.budget * p.allowedLate(class) }

// hourZ returns the multiplier that the hours of a class ask for; the lowest
// where it promises nothing of the kind.
func (p *Policy) hourZ(class int) float64 {
	if p.hourAllowedLate(class) == 0 {
		return zLow
	}
	return p.st.Steer.Classes[class].HourZ
}

// logShareUsed returns ln of how much of an allowed late share is used, bounded below.
func logShareUsed(late, allowed float64) float64 {
	return detmath.Log((late + float64(0.05*allowed)) / allowed)
}

// classWithLargestReserve returns the class that asks for the largest reserve; −1 when none
// has started enough jobs to have a say.
func (p *Policy) classWithLargestReserve() int {
	worst, z := -1, 0.0
	for i := range p.st.Steer.Classes {
		if p.st.Steer.Classes[i].Started < steerLeast {
			continue
		}
		if own := max(p.st.Steer.Classes[i].Z, p.hourZ(i)); worst < 0 || own > z {
			worst, z = i, own
		}
	}
	return worst
}

// steerReason returns the sentence about z.
func (p *Policy) steerReason() (policy.Reason, bool) {
	if p.leadingClass < 0 || !p.set.promises {
		return policy.Reason{}, false
	}
	c := &p.st.Steer.Classes[p.leadingClass]
	class := &p.env.Classes[p.leadingClass]
	late := 100 * c.Late / c.Started
	if p.abandonedZ != 0 {
		return ruleSteerFlat.Named(class.Name, late, c.BaseZ, p.abandonedZ), true
	}
	return ruleSteer.Named(class.Name, late, 100*(1-class.Attain), max(c.Z, p.hourZ(p.leadingClass))), true
}
