package observe

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// AgeRing counts waiting jobs by when they arrived: in fine steps of AgeStep (ten
// seconds) as far back as it has these, before that in coarse steps of AgeStepLong (ten
// minutes) up to a day, and before that all together. The zero AgeRing is empty.
type AgeRing struct {
	total int64 // jobs in all

	fineFrom   int64 // oldest fine step that fine holds
	beforeFine int64 // jobs that arrived before it

	coarseFrom   int64 // oldest coarse step that coarse holds
	beforeCoarse int64 // jobs, of beforeFine, that arrived before it

	fine   [fineSteps]int32
	coarse [coarseSteps]int32
}

const (
	// fineSteps cover AgeCoarse, and ticks of up to 1.8 hours. It is a power of two.
	fineSteps = 1024
	// coarseSteps cover AgeMax and more. It is a power of two.
	coarseSteps        = 256
	fineStepsPerCoarse = int64(policy.AgeStepLong / policy.AgeStep)
)

// ageStep returns the fine step of an arrival, in nanoseconds of world time.
func ageStep(arrival int64) int64 { return int64(uint64(arrival) / uint64(policy.AgeStep)) }

// Add counts a job that arrived at the given time (ns) and waits.
func (a *AgeRing) Add(arrival int64) { a.addMany(arrival, 1) }

// addMany counts n jobs that arrived at the same time.
func (a *AgeRing) addMany(arrival, n int64) {
	if n <= 0 {
		return
	}
	step := ageStep(arrival)
	if step >= a.fineFrom+fineSteps {
		a.advance(step - fineSteps/2)
	}
	a.total += n
	if step < a.fineFrom {
		a.addCoarse(step, n)
		return
	}
	a.fine[step&(fineSteps-1)] += int32(min(n, math.MaxInt32))
}

// Remove forgets a job counted by Add.
func (a *AgeRing) Remove(arrival int64) {
	a.total--
	step := ageStep(arrival)
	if step < a.fineFrom {
		a.addCoarse(step, -1)
		return
	}
	a.fine[step&(fineSteps-1)]--
}

// addCoarse counts n jobs of a fine step before fineFrom; n may be negative.
func (a *AgeRing) addCoarse(step, n int64) {
	a.beforeFine += n
	if at := step / fineStepsPerCoarse; at >= a.coarseFrom {
		a.coarse[at&(coarseSteps-1)] += int32(min(n, math.MaxInt32))
	} else {
		a.beforeCoarse += n
	}
}

// advance makes first the oldest fine step held. What is older is counted in coarse steps.
func (a *AgeRing) advance(first int64) {
	if first <= a.fineFrom {
		return
	}
	a.advanceCoarse(first/fineStepsPerCoarse - int64(policy.AgeMax/policy.AgeStepLong))
	for end := min(first, a.fineFrom+fineSteps); a.fineFrom < end && a.beforeFine < a.total; a.fineFrom++ {
		if c := &a.fine[a.fineFrom&(fineSteps-1)]; *c != 0 {
			n := int64(*c)
			*c = 0
			a.addCoarse(a.fineFrom, n)
		}
	}
	a.fineFrom = first
}

// advanceCoarse makes first the oldest coarse step held.
func (a *AgeRing) advanceCoarse(first int64) {
	if first <= a.coarseFrom {
		return
	}
	for end := min(first, a.coarseFrom+coarseSteps); a.coarseFrom < end && a.beforeCoarse < a.beforeFine; a.coarseFrom++ {
		c := &a.coarse[a.coarseFrom&(coarseSteps-1)]
		a.beforeCoarse += int64(*c)
		*c = 0
	}
	a.coarseFrom = first
}

// appendTo appends the waiting jobs by age at world time now, youngest first, to a list,
// and returns the list and the largest age.
func (a *AgeRing) appendTo(to []policy.AgeCount, now int64) ([]policy.AgeCount, time.Duration) {
	if a.total == 0 {
		a.advance(ageStep(now) - fineSteps/2)
		return to, 0
	}
	a.advance(ageStep(now) - int64(policy.AgeCoarse/policy.AgeStep))
	start := len(to)
	left := a.total - a.beforeFine
	// Jobs of a step are at most edge old. They are counted at age, the edge rounded up to
	// the buckets of the Observation. Age follows edge step by step, because rounding
	// every edge costs three times as much.
	step := ageStep(now)
	edge, age, oldest := stepAge(now, step), time.Duration(0), time.Duration(0)
	for ; left > 0 && step >= a.fineFrom; step-- {
		if edge > age {
			if edge <= policy.AgeFine {
				age += policy.AgeStep
			} else {
				age += policy.AgeStepCoarse
			}
		}
		if n := int64(a.fine[step&(fineSteps-1)]); n != 0 {
			left -= n
			oldest = edge
			to = countAge(to, start, age, n)
		}
		edge += policy.AgeStep
	}
	left = a.beforeFine - a.beforeCoarse
	for at := (a.fineFrom - 1) / fineStepsPerCoarse; left > 0 && at >= a.coarseFrom; at-- {
		n := int64(a.coarse[at&(coarseSteps-1)])
		if n == 0 {
			continue
		}
		left -= n
		oldest = stepAge(now, at*fineStepsPerCoarse)
		to = countAge(to, start, roundUp(oldest, policy.AgeStepCoarse), n)
	}
	if a.beforeCoarse > 0 {
		oldest = stepAge(now, a.coarseFrom*fineStepsPerCoarse)
		to = countAge(to, start, policy.AgeMax+policy.AgeStepLong, a.beforeCoarse)
	}
	return to, oldest
}

// stepAge returns the largest age, at world time now, of jobs that arrived in a fine step.
func stepAge(now, step int64) time.Duration { return time.Duration(now - step*int64(policy.AgeStep)) }

// countAge counts n jobs of an age in the list that begins at start. No age in it is
// larger.
func countAge(to []policy.AgeCount, start int, age time.Duration, n int64) []policy.AgeCount {
	if last := len(to) - 1; last >= start && to[last].Age >= age {
		to[last].Jobs += n
		return to
	}
	return append(to, policy.AgeCount{Age: age, Jobs: n})
}

// roundUp returns the least multiple of by that is no less than age.
func roundUp(age, by time.Duration) time.Duration {
	if rest := age % by; rest != 0 {
		return age + by - rest
	}
	return age
}
