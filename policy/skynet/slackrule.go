package skynet

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// slack is what the slack rule remembers of the last 24 hours: the ready and
// busy slot-seconds by quarter-hour, so that it knows what is about to leave
// the mean.
type slack struct {
	Quarter int64       `json:"quarter"` // counted from the epoch
	Ready   [96]float64 `json:"ready"`   // by quarter-hour, a ring
	Busy    [96]float64 `json:"busy"`
	// Load is the mean number of busy slots over about ten minutes.
	Load float64 `json:"load"`
	N    int64   `json:"n"`
}

const (
	// slackMargin is how far above its target the mean is aimed: it may end half
	// a point below and two above, and errs on excess.
	slackMargin = 0.0055
	// slackLeast is the part of the target that is held at every hour: a mean
	// over 24 hours must not be made of days that idle and nights that queue.
	slackLeast = 0.5
	// slackLoadTau is the memory of the load the floor stands on, in seconds.
	slackLoadTau = 600
)

// learnSlack adds step seconds of the fleet as it is seen now.
func (p *Policy) learnSlack(o *policy.Observation, step float64) {
	s := &p.st.Slack
	q := quarterOf(o.Now)
	for n := min(q-s.Quarter, 96); n > 0; n-- {
		at := wrap(q-n+1, 96)
		s.Ready[at], s.Busy[at] = 0, 0
	}
	s.Quarter = q
	at := wrap(q, 96)
	s.Ready[at] += float64(float64(o.Fleet.ReadySlots) * step)
	s.Busy[at] += float64(float64(o.Fleet.BusySlots) * step)
	s.Load = follow(s.Load, float64(o.Fleet.BusySlots), step, slackLoadTau, s.N)
	s.N++
}

// slackFloor returns the slots the fleet must not fall below for the 24 h mean
// of slack to be right in span seconds from now. With R and B the ready and
// busy slot-seconds of the last 24 hours, r and b those of them that leave the
// mean within the span, and the present load m,
//
//	floor = ((B − b + m·span)/(1 − aim) − (R − r))/span
//
// at least what leaves half the target idle now, and at most four times m and
// an instance: a mean cannot be repaired in one afternoon at any price.
func (p *Policy) slackFloor(o *policy.Observation) float64 {
	if !p.set.slack || p.st.Slack.N == 0 {
		return 0
	}
	span := 3600.0
	if p.set.windows {
		span = 7200
	}
	s := &p.st.Slack
	var ready, busy float64
	if h := &o.History; h.Complete && h.SlackOver > 0 {
		ready, busy = h.ReadySlotSeconds, h.BusySlotSeconds
		if h.SlackOver >= 24*time.Hour {
			for n := range int64(span / quarter.Seconds()) {
				at := wrap(s.Quarter+1+n, 96) // the oldest quarter-hours
				ready -= s.Ready[at]
				busy -= s.Busy[at]
			}
		}
	}
	aim := min(p.set.slackTarget+slackMargin, 0.9)
	load := s.Load
	floor := ((max(busy, 0)+float64(load*span))/(1-aim) - max(ready, 0)) / span
	return math.Min(math.Max(floor, load/(1-float64(slackLeast*p.set.slackTarget))), float64(4*load)+p.market.unitSlots)
}
