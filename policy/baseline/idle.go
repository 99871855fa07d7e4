package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// An idleTime is since when an instance has had no job, as far as was seen at
// the ticks.
type idleTime struct {
	ID    policy.InstanceID `json:"id"`
	Since time.Time         `json:"since"`
}

// idleTimes are ordered by instance, as an observation is.
type idleTimes []idleTime

// since returns since when an instance has been idle; now if it is not known to
// be.
func (t idleTimes) since(id policy.InstanceID, now time.Time) time.Time {
	low, high := 0, len(t)
	for low < high {
		if mid := int(uint(low+high) >> 1); t[mid].ID < id {
			low = mid + 1
		} else {
			high = mid
		}
	}
	if low < len(t) && t[low].ID == id {
		return t[low].Since
	}
	return now
}

// updated returns the times after one more look at the fleet, in the space of
// spare. Instances must come in the order of their ids.
func (t idleTimes) updated(spare idleTimes, instances []policy.Instance, now time.Time) idleTimes {
	spare = spare[:0]
	last := policy.InstanceID(-1)
	for i := range instances {
		in := &instances[i]
		if in.Phase != policy.Ready || in.Busy > 0 || in.ID <= last {
			continue
		}
		last = in.ID
		spare = append(spare, idleTime{in.ID, t.since(in.ID, now)})
	}
	return spare
}

// An idlePool is since when so many units' worth of slots have been free at
// least, wherever they are: the first entry for one unit, the next for two, and
// so on. The queue gives a job to the slot that has been idle longest, so under
// any load every instance of many slots has a job now and then, and hardly one
// is ever idle for minutes; what the fleet has to spare shows only here.
type idlePool []time.Time

// updated returns the pool after so many units were seen free.
func (p idlePool) updated(free int, now time.Time) idlePool {
	p = p[:min(len(p), max(free, 0))]
	for len(p) < free {
		p = append(p, now)
	}
	return p
}

// idleFor returns how many units have been free for at least d.
func (p idlePool) idleFor(d time.Duration, now time.Time) int {
	n := 0
	for n < len(p) && now.Sub(p[n]) >= d {
		n++
	}
	return n
}
