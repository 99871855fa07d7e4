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
	hourLeast  = 100     // jobs of an hour that counts
	hourMemory = 2 * day // of the worst one
	// hourAlarm is the part of what an hour may spend, at its present rate of
	// arrivals, after which catching up is worth its price.
	hourAlarm = 0.25
	// catchUp is the recovery time, in seconds, while an hour is in danger.
	catchUp = 60
)

// count adds the starts of step seconds that end in the given hour.
func (h *hours) count(hour int64, started, late, step float64) {
	h.Worst *= detmath.Exp(-step / hourMemory)
	if hour != h.Hour {
		if h.Started >= hourLeast {
			h.Worst = max(h.Worst, h.Late/h.Started)
		}
		*h = hours{Hour: hour, Worst: h.Worst}
	}
	h.Started += started
	h.Late += late
}

// endangered reports whether the running hour has spent so much of the allowed
// share of late jobs that what is late now may break it: more than a quarter of
// what it may spend if starts go on as they did, part of an hour having passed.
func (h *hours) endangered(allowed, part float64) bool {
	expected := h.Started / max(part, 0.05)
	return h.Late > float64(hourAlarm*allowed*max(expected, hourLeast))
}

// worstHour returns the late share that a class allows any hour, 0 when it
// promises nothing of the kind.
func (p *Policy) worstHour(class int) float64 {
	if w := p.env.Classes[class].WorstHour; w > 0 {
		return max(1-w, missFloor)
	}
	return 0
}

// recovery returns how long what is late may stay late, in seconds, once a
// launch could help: a short time only while the promise of the running hour is
// in danger. Otherwise bursts are not chased: a machine that comes when they
// are over is paid for nothing.
func (p *Policy) recovery() float64 {
	hour := p.clock / 3600
	part := hour - math.Floor(hour)
	for i := range p.st.Steer.Classes {
		allowed := p.worstHour(i)
		if allowed > 0 && p.st.Steer.Classes[i].Hours.endangered(allowed, part) {
			return min(p.set.recovery, catchUp)
		}
	}
	return p.set.recovery
}
