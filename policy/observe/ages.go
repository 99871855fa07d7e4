package observe

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// AgeRing counts waiting jobs by the ten-second step they arrived in, and those
// that wait for longer than it has steps by ten minutes, up to a day; who waits
// for even longer is counted together. The zero AgeRing is empty.
type AgeRing struct {
	first int64 // oldest step that count holds
	total int64
	aged  int64 // jobs that arrived before first

	firstLong int64 // oldest long step that long holds
	older     int64 // jobs that arrived before it

	count [ageRing]int32
	long  [longRing]int32
}

const (
	// ageRing steps of ten seconds cover AgeCoarse and ticks of up to 1.8 hours. It
	// is a power of two.
	ageRing = 1024
	// longRing long steps cover AgeMax and more. It is a power of two.
	longRing = 256
	// longStep is how many steps make a long one.
	longStep = int64(policy.AgeStepLong / policy.AgeStep)
)

func ageStep(arrival int64) int64 { return int64(uint64(arrival) / uint64(policy.AgeStep)) }

// Add counts a job that arrived at the given time (ns) and waits.
func (a *AgeRing) Add(arrival int64) { a.addMany(arrival, 1) }

// addMany counts n jobs that arrived at the same time.
func (a *AgeRing) addMany(arrival, n int64) {
	if n <= 0 {
		return
	}
	step := ageStep(arrival)
	if step >= a.first+ageRing {
		a.advance(step - ageRing/2)
	}
	a.total += n
	if step < a.first {
		a.age(step, n)
		return
	}
	a.count[step&(ageRing-1)] += int32(min(n, math.MaxInt32))
}

// Remove forgets a job counted by Add.
func (a *AgeRing) Remove(arrival int64) {
	a.total--
	step := ageStep(arrival)
	if step < a.first {
		a.age(step, -1)
		return
	}
	a.count[step&(ageRing-1)]--
}

// age counts n jobs of a step before first.
func (a *AgeRing) age(step, n int64) {
	a.aged += n
	if long := step / longStep; long >= a.firstLong {
		a.long[long&(longRing-1)] += int32(min(n, math.MaxInt32))
	} else {
		a.older += n
	}
}

// advance makes first the oldest step held.
func (a *AgeRing) advance(first int64) {
	if first <= a.first {
		return
	}
	a.advanceLong(first/longStep - int64(policy.AgeMax/policy.AgeStepLong))
	for end := min(first, a.first+ageRing); a.first < end && a.aged < a.total; a.first++ {
		if c := &a.count[a.first&(ageRing-1)]; *c != 0 {
			n := int64(*c)
			*c = 0
			a.age(a.first, n)
		}
	}
	a.first = first
}

// advanceLong makes first the oldest long step held.
func (a *AgeRing) advanceLong(first int64) {
	if first <= a.firstLong {
		return
	}
	for end := min(first, a.firstLong+longRing); a.firstLong < end && a.older < a.aged; a.firstLong++ {
		c := &a.long[a.firstLong&(longRing-1)]
		a.older += int64(*c)
		*c = 0
	}
	a.firstLong = first
}

// appendTo appends the jobs by age at now, youngest first, and returns the
// result with the largest age.
func (a *AgeRing) appendTo(to []policy.AgeCount, now int64) ([]policy.AgeCount, time.Duration) {
	if a.total == 0 {
		a.advance(ageStep(now) - ageRing/2)
		return to, 0
	}
	a.advance(ageStep(now) - int64(policy.AgeCoarse/policy.AgeStep))
	start := len(to)
	left := a.total - a.aged
	// Jobs of a step are at most edge old. They are counted at age, which follows it
	// in buckets: rounding every edge up costs three times as much.
	step := ageStep(now)
	edge, age, oldest := stepAge(now, step), time.Duration(0), time.Duration(0)
	for ; left > 0 && step >= a.first; step-- {
		if edge > age {
			if edge <= policy.AgeFine {
				age += policy.AgeStep
			} else {
				age += policy.AgeStepCoarse
			}
		}
		if n := int64(a.count[step&(ageRing-1)]); n != 0 {
			left -= n
			oldest = edge
			to = countAge(to, start, age, n)
		}
		edge += policy.AgeStep
	}
	left = a.aged - a.older
	for long := (a.first - 1) / longStep; left > 0 && long >= a.firstLong; long-- {
		n := int64(a.long[long&(longRing-1)])
		if n == 0 {
			continue
		}
		left -= n
		oldest = stepAge(now, long*longStep)
		to = countAge(to, start, roundUp(oldest, policy.AgeStepCoarse), n)
	}
	if a.older > 0 {
		oldest = stepAge(now, a.firstLong*longStep)
		to = countAge(to, start, policy.AgeMax+policy.AgeStepLong, a.older)
	}
	return to, oldest
}

// stepAge returns the largest age at now of jobs that arrived in a step.
func stepAge(now, step int64) time.Duration { return time.Duration(now - step*int64(policy.AgeStep)) }

// countAge counts n jobs of an age, the largest so far, in the list that begins
// at start.
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
