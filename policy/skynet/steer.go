package skynet

import (
	"math"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
)

const (
	zLow, zHigh = -1.0, 8.0 // bounds of the multiplier z

	missFloor   = 1e-3    // least late share: a promise of all jobs is steered as one of 99.9 %
	steerLeast  = 200     // jobs of about two days that a class must have started to have a say
	steerMemory = 2 * day // time constant, in seconds, of a class's started and late jobs
	rateMemory  = 3 * day // time constant, in seconds, of its jobs a day
	absentFor   = day     // seconds without a job after which its days are counted anew
	debtMost    = 2.0     // days of budget: the most that one disaster can cost
	debtTime    = day / 2 // time constant, in seconds, with which a debt is paid
)

// A promise about every hour has a second multiplier. It starts higher than that of
// the class by hourZMore and moves hourGain times as fast.
const (
	hourZMore = 0.6
	hourGain  = 2.0
)

// When a promise is given up. A class that is late more than outOfReachOver times as
// often as it allows is on trial: when z has risen by trialRise, for trialTime seconds at
// least, and the late share has not fallen below the part trialWorth of what it was,
// the reserve does not help. Then z does not rise for risePause seconds, and what it
// rose is taken back at takeBackPerDay.
const (
	outOfReachOver = 8.0
	trialRise      = 4.0
	trialTime      = 2 * day
	trialWorth     = 0.85
	risePause      = 2 * day
	takeBackPerDay = 1.0
)

var (
	ruleSteer     = policy.NewRule("steer.z", "%s: %.2f %% late of %.2f %% allowed, reserve multiplier %.2f", true)
	ruleSteerFlat = policy.NewRule("steer.flat", "%s: %.2f %% late although the reserve multiplier rose from %.2f to %.2f: it is taken back", true)
)

// steer is what moves the multipliers of the reserve, z: the books of each class, in
// the order of policy.Env.Classes.
//
// The books are kept in days of miss budget. With N the jobs that the class starts a
// day, ε the late share it allows, b the parameter "budget", and G the parameter
// "gain", each observation of started and late jobs, Δ after the last, does
//
//	debt ← min(debt + late/(b·ε·N), 2)
//	paid = debt · Δ/(½ day)
//	debt ← debt − paid
//	z    ← clip(z + G·(1 + max(z, 0)/2)·(paid − started/N), −1, 8)
//
// So z rests only where the share b·ε of the jobs started is late, counted by jobs
// and not by time, whatever hour they fall in. What a burst costs beyond two days of
// budget is forgotten, for no reserve could have met it. And a debt is paid slowly, so
// that one bad minute moves z by little. (This is integral control of the late share;
// the bound on the debt keeps the integral from winding up.)
//
// The same books, as debts are made and not as they are paid, steer the odds that an
// urgent job finds no free slot; see chance.go. Per day of budget,
//
//	ln x ← clip(ln x + started/N − late/(b·ε·N), 0, 5)
//
// A class that promises something of every hour has a second multiplier, HourZ. It
// rises and falls with the logarithm of how much of what an hour allows its worst hour
// of late has used.
type steer struct {
	Classes []classBooks `json:"classes"`
}

// classBooks say how a class spends its miss budget.
type classBooks struct {
	// Started and Late jobs over about two days: each counts less as time passes.
	Started float64 `json:"started"`
	Late    float64 `json:"late"`
	// PerDay is the jobs started a day, over about three days or over the SeenS
	// seconds that were counted, where that is less. A class that comes back after
	// absentFor is counted anew. IdleS is how many seconds ago a job last started.
	PerDay float64 `json:"per_day"`
	SeenS  float64 `json:"seen_s"`
	IdleS  float64 `json:"idle_s"`
	Debt   float64 `json:"debt"` // late jobs not paid for, in days of budget
	Z      float64 `json:"z"`
	HourZ  float64 `json:"hour_z"` // counts only where every hour is promised something
	Hours  hours   `json:"hours"`
	// LogTolerance is ln x: the odds that an urgent job finds no free slot may be x
	// times the late share aimed at.
	LogTolerance float64 `json:"lax"`
	// Spare is the balance of late jobs in lines that are not urgent (see spare.go):
	// so many more may be late, or below 0 so many too many were.
	Spare float64 `json:"spare"`
	// Where the present rise of Z began: Z, the late share then, and how many seconds
	// ago. BarS is for how many seconds from now Z may not rise.
	BaseZ    float64 `json:"base_z"`
	BaseLate float64 `json:"base_late"`
	BaseS    float64 `json:"base_s"`
	BarS     float64 `json:"bar_s"`

	started, late float64 // jobs of urgent lines since the last observation
}

// newSteer returns the books of so many classes before any job.
func newSteer(s *settings, classes int) steer {
	st := steer{Classes: make([]classBooks, classes)}
	for i := range st.Classes {
		c := &st.Classes[i]
		c.Z, c.HourZ, c.BaseZ = s.zStart, min(s.zStart+hourZMore, zHigh), s.zStart
		c.LogTolerance = logToleranceStart
	}
	return st
}

// steerLines gives each line the largest z that a class in it asks for, and the smallest
// tolerance. A line in which no class has a promise starts from z_start.
func (p *Policy) steerLines(o *policy.Observation) {
	for i := range p.lines {
		p.lines[i].z, p.lines[i].logTolerance = zLow-1, logToleranceMost // below all z: not set
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

// countStarts enters the starts since the last observation, step seconds ago, into the
// books, and lets every class settle them.
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
			continue // it waits for its deadline: no reserve could have changed that
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

// updatePerDay counts the starts of step seconds in the jobs a day.
//
// A class that is new, or was absent for days, is not measured by the days without it.
// Else N would be so small that each job earned a great deal of budget, and z would
// fall to its least within the hour.
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

// settleBooks makes debts and payments of the started and late jobs of the last step
// seconds, and moves the multipliers of the class; see steer.
func (p *Policy) settleBooks(class int, step float64) {
	c := &p.st.Steer.Classes[class]
	perDay := c.PerDay
	if c.Started < steerLeast || perDay <= 0 || p.set.gain == 0 {
		return
	}
	owed := c.late / (p.aimedLate(class) * perDay) // in days of budget
	c.Debt = min(c.Debt+owed, debtMost)
	paid := float64(c.Debt * min(step/debtTime, 1))
	c.Debt -= paid
	c.LogTolerance = min(max(c.LogTolerance+float64(logTolerancePerDay*(c.started/perDay-owed)), 0), logToleranceMost)
	gain := p.set.gain * (1 + float64(0.5*max(c.Z, 0)))
	p.moveZ(c, p.allowedLate(class), float64(gain*(paid-c.started/perDay)), step)
	if allowed := p.hourAllowedLate(class); allowed > 0 {
		rest := detmath.Log(p.set.budget + shareUsedLeast) // logShareUsed where the budget is used
		x := logShareUsed(c.Hours.Worst, float64(hourAim*allowed))
		c.HourZ = min(max(c.HourZ+float64(float64(hourGain*p.set.gain*(x-rest))*step/day), zLow), zHigh)
	}
}

// moveZ moves the z of a class that allows the given late share, after step seconds.
// A class that is out of reach is on trial: a rise that does not help is taken back.
func (p *Policy) moveZ(c *classBooks, allowed, move, step float64) {
	late := c.Late / c.Started
	c.BaseS += step
	c.BarS = max(c.BarS-step, 0)
	if c.BarS > 0 && move > 0 {
		if c.Z > c.BaseZ {
			c.Z = max(c.BaseZ, c.Z-float64(takeBackPerDay*step/day))
		}
		return
	}
	c.Z = min(max(c.Z+move, zLow), zHigh)
	if c.BaseLate == 0 {
		c.BaseLate = late // a class that was over its allowance from its first jobs on
	}
	switch {
	case c.Z <= c.BaseZ || late <= float64(outOfReachOver*allowed):
		c.BaseZ, c.BaseLate, c.BaseS = c.Z, late, 0 // nothing is on trial
	case c.Z < c.BaseZ+trialRise || c.BaseS < trialTime: // the trial goes on
	case late <= float64(trialWorth*c.BaseLate):
		c.BaseZ, c.BaseLate, c.BaseS = c.Z, late, 0 // the rise helped: the next begins
	default:
		p.abandonedZ = c.Z
		c.BarS = risePause
	}
}

// allowedLate returns the late share that a class allows.
func (p *Policy) allowedLate(class int) float64 {
	return max(1-p.env.Classes[class].Attain, missFloor)
}

// aimedLate returns the late share of a class that is aimed at, b·ε.
func (p *Policy) aimedLate(class int) float64 { return p.set.budget * p.allowedLate(class) }

// hourZ returns the multiplier that a class asks for because of single hours; the least
// one where it promises nothing of them.
func (p *Policy) hourZ(class int) float64 {
	if p.hourAllowedLate(class) == 0 {
		return zLow
	}
	return p.st.Steer.Classes[class].HourZ
}

// shareUsedLeast keeps logShareUsed finite where nobody is late.
const shareUsedLeast = 0.05

// logShareUsed returns ln(late ÷ allowed + shareUsedLeast): how much of an allowed
// late share is used.
func logShareUsed(late, allowed float64) float64 {
	return detmath.Log((late + float64(shareUsedLeast*allowed)) / allowed)
}

// classWithLargestReserve returns the index of the class that asks for the largest z; −1
// when none has started enough jobs to have a say.
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

// steerReason returns the sentence about the class that asks for the largest z, and
// whether there is one.
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
