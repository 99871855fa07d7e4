package observe

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// AgeRing counts waiting jobs by the ten-second step they arrived in. It
// remembers ageRing steps; jobs that wait longer are counted together.
// The zero AgeRing is empty.
type AgeRing struct {
	first int64 // oldest step the ring holds
	older int64 // jobs that arrived before it
	total int64
	count [ageRing]int32
}

// ageRing steps of ten seconds cover AgeMax and ticks of up to 1.8 hours. It is
// a power of two.
const ageRing = 1024

func ageStep(arrival int64) int64 { return int64(uint64(arrival) / uint64(policy.AgeStep)) }

// Add counts a job that arrived at the given time (ns) and waits.
func (a *AgeRing) Add(arrival int64) {
	step := ageStep(arrival)
	if step >= a.first+ageRing {
		a.advance(step - ageRing/2)
	}
	a.total++
	if step < a.first {
		a.older++
		return
	}
	a.count[step&(ageRing-1)]++
}

// Remove forgets a job counted by Add.
func (a *AgeRing) Remove(arrival int64) {
	a.total--
	step := ageStep(arrival)
	if step < a.first {
		a.older--
		return
	}
	a.count[step&(ageRing-1)]--
}

// advance makes first the oldest step held.
func (a *AgeRing) advance(first int64) {
	if first <= a.first {
		return
	}
	if a.total == a.older { // every counter is zero
		a.first = first
		return
	}
	if first-a.first >= ageRing {
		a.older = a.total
		clear(a.count[:])
		a.first = first
		return
	}
	for ; a.first < first; a.first++ {
		c := &a.count[a.first&(ageRing-1)]
		a.older += int64(*c)
		*c = 0
	}
}

// appendTo appends the jobs by age at now, youngest first, and returns the
// result with the largest age.
func (a *AgeRing) appendTo(to []policy.AgeCount, now int64) ([]policy.AgeCount, time.Duration) {
	if a.total == 0 {
		a.advance(ageStep(now) - ageRing/2)
		return to, 0
	}
	a.advance(ageStep(now) - int64(policy.AgeMax/policy.AgeStep))
	left := a.total - a.older
	var oldest time.Duration
	edge := func(step int64) time.Duration { return time.Duration(now - step*int64(policy.AgeStep)) }
	start := len(to)
	for step := ageStep(now); left > 0 && step >= a.first; step-- {
		n := int64(a.count[step&(ageRing-1)])
		if n == 0 {
			continue
		}
		left -= n
		age := edge(step) // jobs of the step are at most this old
		oldest = age
		switch rest := age % policy.AgeStepCoarse; {
		case age <= policy.AgeFine:
			if rest := age % policy.AgeStep; rest != 0 {
				age += policy.AgeStep - rest
			}
		case rest != 0:
			age += policy.AgeStepCoarse - rest
		}
		if last := len(to) - 1; last >= start && to[last].Age == age {
			to[last].Jobs += n
			continue
		}
		to = append(to, policy.AgeCount{Age: age, Jobs: n})
	}
	if a.older > 0 {
		oldest = edge(a.first)
		const beyond = policy.AgeMax + policy.AgeStepCoarse
		if last := len(to) - 1; last >= start && to[last].Age == beyond {
			to[last].Jobs += a.older
		} else {
			to = append(to, policy.AgeCount{Age: beyond, Jobs: a.older})
		}
	}
	return to, oldest
}
