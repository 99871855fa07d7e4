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
	// hourAim is the part of an hour's allowance that its worst may come to, times
	// the budget: the worst hour of a month is worse than that of two days.
	hourAim = 0.5
	// hourAlarm is the part of what an hour may spend, at its present rate of
	// starts, after which catching up is worth its price: early where the hour
	// itself was promised something, and late where it was not. There an hour is
	// taken to allow hourMultiple times the late share of the class.
	hourAlarm        = 0.1
	hourAlarmImplied = 0.5
	hourMultiple     = 20
	// catchUp is the recovery time, in seconds, while an hour is in danger.
	catchUp = 120
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

// endangered reports whether the running hour, of which the given part has
// passed, has more late jobs than share of those it will start at this rate.
func (h *hours) endangered(share, part float64) bool {
	expected := h.Started / max(part, 0.05)
	return h.Late > float64(share*max(expected, hourLeast))
}

// hourAllows returns the late share that a class allows any hour, 0 when it
// promises nothing of the kind.
func (p *Policy) hourAllows(class int) float64 {
	if w := p.env.Classes[class].WorstHour; w > 0 {
		return max(1-w, missFloor)
	}
	return 0
}

// hourInDanger reports whether the running hour goes badly for any class. Only
// then does the policy chase a burst: it gives what waits a shorter time to
// recover, and takes the load of the last two minutes for the level if that is
// higher. At other times a machine that comes when the burst is over is paid for
// nothing, and the late jobs are what the miss budget is for.
func (p *Policy) hourInDanger() bool {
	hour := p.clock / 3600
	part := hour - math.Floor(hour)
	for i := range p.st.Steer.Classes {
		alarm := float64(hourAlarm * p.hourAllows(i))
		if c := &p.env.Classes[i]; alarm == 0 && c.Attain > 0 {
			alarm = float64(hourAlarmImplied * min(hourMultiple*p.allowed(i), 1))
		}
		if alarm > 0 && p.st.Steer.Classes[i].Hours.endangered(alarm, part) {
			return true
		}
	}
	return false
}

// recovery returns how long what is late may stay late, in seconds, once a
// launch could help.
func (p *Policy) recovery() float64 {
	if p.chase {
		return min(p.set.recovery, catchUp)
	}
	return p.set.recovery
}
