package skynet

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

var (
	ruleSlackShort  = policy.NewRule("slack.short", "need %.1f cores to hold %.0f %% slack over 24 h (now %.1f %%), have %.1f", false)
	ruleSlackEnough = policy.NewRule("slack.enough", "of %.1f cores %.1f are bought: with more, over %.1f %% would idle over 24 h (now %.1f %%)", false)
)

// slack is what the slack rule remembers: the slot-seconds of the last 24 hours by
// quarter-hour, to know what is about to leave their mean; and the load.
type slack struct {
	Quarter int64 `json:"quarter"` // the quarter-hour that runs, counted from the epoch
	// Ready and busy slot-seconds by quarter-hour, modulo slackRing. A slot counts as
	// one here, however fast it is: that is how slack is defined.
	Ready [slackRing]float64 `json:"ready"`
	Busy  [slackRing]float64 `json:"busy"`
	// Load is the load that arrives, in unit slots, over about ten minutes; Usual is its
	// profile, and N counts its samples.
	Load  float64 `json:"load"`
	Usual shape   `json:"usual"`
	N     int64   `json:"n"`
}

// slackRing is 24 hours of quarter-hours, and the one that is leaving them.
const slackRing = quartersPerDay + 1

// The rule keeps the 24 h mean of slack from half a point below its target to two
// above. It aims low in that band, for what it cannot foresee mostly makes more slack:
// a backlog that is done early leaves paid hours idle.
const (
	// Added to the target: where the mean is to be in an hour; where it must be at any
	// quarter of that hour; and above what nothing is bought, or paid for again, for
	// work that can wait.
	slackAim = 0.004
	slackLow = -0.003
	slackTop = 0.013

	// slackLeast is the part of the target that is idle at every hour: a mean over 24
	// hours must not be made of days that idle and nights that queue. It falls to
	// slackSpare while the mean is at the top.
	slackLeast, slackSpare = 0.5, 0.2
	// slackLean is the part of the target that hours after the next one take at least:
	// they consist of whole instances.
	slackLean = 2.0 / 3

	slackNear = 4  // quarter-hours that a launch with paid hours pays for
	slackFar  = 24 // quarter-hours ahead up to which what leaves the mean is looked at

	slackLoadTau = 600 // time constant of Load, in seconds
	// slackLoadMost is how many times the load, plus an instance, the floor may be at
	// most: a mean of 24 hours cannot be repaired in one afternoon at any price.
	slackLoadMost = 4
	// slackJump is how many times the load, plus a slot, a sample of it may be.
	slackJump = 2

	// The load of the next hour is expected to follow a quarter of what the profile
	// rises or falls, that of later hours half: no day is like the others.
	slackTrust, slackTrustFar = 0.25, 0.5
)

// learnSlack adds step seconds of the fleet as it is seen now, and what arrived in
// them.
//
// A gallery that is submitted within a minute must not look like load that stays. So a
// sample of the load is at most slackJump times the load and a slot. What exceeds that
// waits, and is counted as waiting.
func (p *Policy) learnSlack(o *policy.Observation, step float64) {
	s := &p.st.Slack
	q := quarterOf(o.Now)
	for n := min(q-s.Quarter, slackRing); n > 0; n-- {
		at := modulo(q-n+1, slackRing)
		s.Ready[at], s.Busy[at] = 0, 0
	}
	s.Quarter = q
	at := modulo(q, slackRing)
	s.Ready[at] += float64(float64(o.Fleet.ReadySlots) * step)
	s.Busy[at] += float64(float64(o.Fleet.BusySlots) * step)
	arrived := 0.0
	for i := range p.lines {
		arrived += p.lines[i].arrivedHead + p.lines[i].arrivedTail
	}
	arrived /= step
	if s.N > 0 {
		arrived = min(arrived, float64(slackJump*s.Load)+1)
	}
	s.Load = smooth(s.Load, arrived, step, slackLoadTau, s.N)
	s.Usual.learn(o.Now.Add(p.env.UTCOffset-o.Tick/2), arrived)
	s.N++
}

// band is the least and the largest fleet, in slots, with which the 24 h mean of
// slack stays in its band.
type band struct{ floor, ceiling float64 }

// slackBand returns the band that the slack rule wants.
//
// Let R and B be the ready and busy slot-seconds of the last 24 hours, r and b what of
// them leaves the mean within the next u seconds, D the work expected to arrive by
// then, and W the work that waits. If the fleet is held at
//
//	need(s, D) = ((B − b + D)/(1 − s) − (R − r)) / u
//
// slots, then u seconds from now the mean is s: then B − b + D slot-seconds were busy,
// and R − r + need·u were ready. From that,
//
//	floor   = need(aim, D) for an hour ahead, and at least need(low, D) for each
//	          quarter-hour of it
//	ceiling = the least need(top, D + W) of the quarter-hours of an hour ahead; of the
//	          next one alone where nothing is paid in advance
//
// With paid windows the ceiling also leaves room for what the hours after that will
// need: where little was idle yesterday, that leaves the mean soon, and slack must not
// have been used up by then. The floor is at least what leaves half the target idle
// now, less while the mean is too high; and it is at most four times the load and an
// instance.
//
// There is no ceiling where promises count too, for they come first, nor while the
// mean is unknown.
func (p *Policy) slackBand(o *policy.Observation) band {
	none := band{0, math.Inf(1)}
	if !p.set.slack || p.st.Slack.N == 0 {
		return none
	}
	m := meanOf(&o.History)
	least, most := p.slackBounds(m)
	ahead := p.slackAhead(m, o.Now)
	safe := min(max(ahead.safe, least), most)
	b := band{ceiling: max(ahead.ceiling, safe)}
	b.floor = min(max(min(ahead.floor, most), safe), b.ceiling)
	if p.set.promises || !o.History.Complete {
		b.ceiling = none.ceiling
	}
	return b
}

// slackMean is what the 24 h mean of slack is made of.
type slackMean struct {
	ready, busy float64 // slot-seconds, R and B
	missing     float64 // seconds of the 24 hours that have not passed since the start
}

// meanOf returns what the mean is made of; nothing where it is not known.
func meanOf(h *policy.HistoryView) (m slackMean) {
	if h.Complete {
		m.ready, m.busy = h.ReadySlotSeconds, h.BusySlotSeconds
		m.missing = max(24*time.Hour-h.SlackOver, 0).Seconds()
	}
	return m
}

// slackBounds returns the least and the largest floor that the load allows now, in
// slots.
func (p *Policy) slackBounds(m slackMean) (least, most float64) {
	load, target := p.st.Slack.Load, p.set.slackTarget
	aim, top := target+slackAim, target+slackTop
	high := 0.0 // how far the mean is on its way from aim to top
	if m.ready > 0 {
		high = min(max((1-m.busy/m.ready-aim)/(top-aim), 0), 1)
	}
	least = load / (1 - float64(target*(slackLeast-float64((slackLeast-slackSpare)*high))))
	most = float64(slackLoadMost*load) + p.market.unitSlots
	return least, most
}

// slackOutlook is what the mean asks for in the hours ahead, in slots.
type slackOutlook struct {
	floor   float64 // need(aim, D) for an hour ahead
	safe    float64 // the largest need(low, D) of its quarter-hours
	ceiling float64
}

// slackAhead goes through the quarter-hours ahead and works out what each asks for.
func (p *Policy) slackAhead(m slackMean, now time.Time) slackOutlook {
	s := &p.st.Slack
	target := p.set.slackTarget
	aim, low, top := target+slackAim, max(target+slackLow, 0), target+slackTop
	length := quarter.Seconds()
	passed := min(max(float64(now.Unix())/length-float64(s.Quarter), 0), 1)
	usual, known := s.Usual.at(p.clock - slackLoadTau/2)
	known = known && usual > 0
	// until there are 24 hours, the rest of them is taken to have been as aimed at
	restBusy := float64(s.Load * m.missing)
	restReady := restBusy / (1 - aim)
	near := slackNear
	if !p.set.windows {
		near = 1
	}
	ahead := slackOutlook{ceiling: math.Inf(1)}
	waiting := p.waitingWork()
	expected := waiting // D + W
	later := 0.0        // slot-seconds that the hours after the next one need
	for k := 1; k <= slackFar; k++ {
		u := float64(float64(k) * length)
		expected += float64(p.slackLoad(k, usual, known) * length)
		if m.missing == 0 {
			ready, busy := s.leaving(k, passed)
			m.ready, m.busy = m.ready-ready, m.busy-busy
		}
		ready, busy := max(m.ready, 0), max(m.busy, 0)
		if k <= slackNear {
			done := busy + expected - waiting
			ahead.safe = max(ahead.safe, (done/(1-low)-ready)/u)
			ahead.floor = (done/(1-aim) - ready) / u // that of the whole hour is the last
		}
		switch room := (busy+expected+restBusy)/(1-top) - ready - restReady; {
		case k <= near:
			ahead.ceiling = min(ahead.ceiling, room/u)
		case k > slackNear && p.set.windows && m.missing == 0:
			later += float64(p.slackLoad(k, usual, known)*length) / (1 - float64(slackLean*target))
			ahead.ceiling = min(ahead.ceiling, (room-later)/float64(slackNear*length))
		}
	}
	return ahead
}

// slackLoad returns the load expected in the k-th quarter-hour from now, in slots. usual is
// what the profile has for now, if that is known.
func (p *Policy) slackLoad(k int, usual float64, known bool) float64 {
	s := &p.st.Slack
	if !known {
		return s.Load
	}
	then, ok := s.Usual.at(p.clock + float64((float64(k)-0.5)*quarter.Seconds()))
	if !ok {
		return s.Load
	}
	trust := slackTrust
	if k > slackNear {
		trust = slackTrustFar
	}
	return s.Load * (1 + float64(trust*(min(max(then/usual, profileRatioLeast), profileRatioMost)-1)))
}

// leaving returns the ready and busy slot-seconds that leave the last 24 hours during the
// k-th quarter-hour from now. The part passed of the present quarter-hour is over, so
// that what leaves lies across two of the ring.
func (s *slack) leaving(k int, passed float64) (ready, busy float64) {
	a, b := modulo(s.Quarter-slackRing+int64(k), slackRing), modulo(s.Quarter-quartersPerDay+int64(k), slackRing)
	return float64((1-passed)*s.Ready[a]) + float64(passed*s.Ready[b]),
		float64((1-passed)*s.Busy[a]) + float64(passed*s.Busy[b])
}
