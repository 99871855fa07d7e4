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

// slack is what the slack rule remembers: the ready and busy slot-seconds of
// the last 24 hours by quarter-hour, so that it knows what is about to leave
// the mean, and the load.
type slack struct {
	Quarter int64              `json:"quarter"` // counted from the epoch
	Ready   [slackRing]float64 `json:"ready"`   // by quarter-hour
	Busy    [slackRing]float64 `json:"busy"`
	// Load is the work that arrives, in slots, over about ten minutes, and Usual
	// what it is at this hour.
	Load  float64 `json:"load"`
	Usual shape   `json:"usual"`
	N     int64   `json:"n"`
}

// slackRing holds 24 hours of quarters and the one that is leaving.
const slackRing = 97

// The rule keeps the mean from half a point below its target to two above. It
// aims between, for what it cannot foresee is mostly excess: a backlog that is
// done early leaves paid hours idle.
const (
	slackAim = 0.004  // over the target: where the mean is to be in an hour
	slackLow = -0.003 // where it must be at any quarter of that hour
	slackTop = 0.013  // above this, nothing is bought or paid again for what only waits
	// slackLeast is the part of the target that is held at every hour: a mean
	// over 24 hours must not be made of days that idle and nights that queue. It
	// falls to slackSpare while the mean is at the top.
	slackLeast, slackSpare = 0.5, 0.2
	// slackLean is the part of the target that the next hours take at least, in
	// whole instances.
	slackLean = 2.0 / 3
	slackNear = 4  // quarters: an hour is what a launch pays for
	slackFar  = 24 // quarters: how far ahead what leaves the mean is looked at
	// slackLoadTau is the memory of the load, in seconds.
	slackLoadTau = 600
	// Of the profile's rise or fall the next hour is expected to follow a
	// quarter, later hours half: no day is like the others.
	slackTrust, slackTrustFar = 0.25, 0.5
)

// learnSlack adds step seconds of the fleet as it is seen now, and of what
// arrived. A gallery that is enqueued within a minute must not look like load
// that stays, so a sample counts for at most twice the load and a slot: what
// exceeds it waits, and counts as waiting.
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
		arrived = min(arrived, float64(2*s.Load)+1)
	}
	s.Load = smooth(s.Load, arrived, step, slackLoadTau, s.N)
	s.Usual.learn(o.Now.Add(p.env.UTCOffset-o.Tick/2), arrived)
	s.N++
}

// band is the fleet, in slots, within which the 24 h mean of slack stays right.
type band struct{ floor, ceiling float64 }

// slackBand returns the fleet the slack rule wants. With R and B the ready and
// busy slot-seconds of the last 24 hours, r and b those of them that leave the
// mean within u seconds, D the work expected to arrive by then, and W what
// waits, the mean is s in u seconds if
//
//	need(s, D) = ((B − b + D)/(1 − s) − (R − r))/u
//
// slots stay alive. Then
//
//	floor   = need(aim, D) for an hour, at least need(low, D) for any quarter of it
//	ceiling = the least need(top, D + W) for the quarters of an hour, or for the
//	          next one where nothing is paid in advance
//
// and with paid windows the ceiling also leaves room for what the hours after
// need: hours of little slack, yesterday, are about to leave the mean. The floor
// is at least what leaves half the target idle now (less while the mean is too
// high), and at most four times the load and an instance: a mean cannot be
// repaired in one afternoon at any price.
//
// There is no ceiling where promises count too, for they come first, nor while
// the mean is unknown.
func (p *Policy) slackBand(o *policy.Observation) band {
	none := band{0, math.Inf(1)}
	s := &p.st.Slack
	if !p.set.slack || s.N == 0 {
		return none
	}
	target := p.set.slackTarget
	aim, low, top := target+slackAim, max(target+slackLow, 0), target+slackTop

	var ready, busy, missing float64
	if h := &o.History; h.Complete {
		ready, busy = h.ReadySlotSeconds, h.BusySlotSeconds
		missing = max(24*time.Hour-h.SlackOver, 0).Seconds()
	}
	high := 0.0 // how far the mean is on its way from aim to top
	if ready > 0 {
		high = min(max((1-busy/ready-aim)/(top-aim), 0), 1)
	}
	least := s.Load / (1 - float64(target*(slackLeast-float64((slackLeast-slackSpare)*high))))
	most := float64(4*s.Load) + p.market.unitSlots

	length := quarter.Seconds()
	passed := min(max(float64(o.Now.Unix())/length-float64(s.Quarter), 0), 1)
	usual, known := s.Usual.at(p.clock - slackLoadTau/2)
	known = known && usual > 0
	// until there are 24 hours, the rest of them is taken to be as aimed at
	restBusy := float64(s.Load * missing)
	restReady := restBusy / (1 - aim)

	near := slackNear
	if !p.set.windows {
		near = 1
	}
	b := none
	safe, expected, later := 0.0, p.waitingWork(), 0.0
	waits := expected
	for k := 1; k <= slackFar; k++ {
		u := float64(float64(k) * length)
		expected += float64(p.slackLoad(k, usual, known) * length)
		if missing == 0 {
			r, w := s.leaving(k, passed)
			ready, busy = ready-r, busy-w
		}
		ready, busy := max(ready, 0), max(busy, 0)
		if k <= slackNear {
			done := busy + expected - waits
			safe = max(safe, (done/(1-low)-ready)/u)
			b.floor = (done/(1-aim) - ready) / u // the last one counts
		}
		switch room := (busy+expected+restBusy)/(1-top) - ready - restReady; {
		case k <= near:
			b.ceiling = min(b.ceiling, room/u)
		case k > slackNear && p.set.windows && missing == 0:
			later += float64(p.slackLoad(k, usual, known)*length) / (1 - float64(slackLean*target))
			b.ceiling = min(b.ceiling, (room-later)/float64(slackNear*length))
		}
	}
	safe = min(max(safe, least), most)
	b.ceiling = max(b.ceiling, safe)
	b.floor = min(max(min(b.floor, most), safe), b.ceiling)
	if p.set.promises || !o.History.Complete {
		b.ceiling = none.ceiling
	}
	return b
}

// slackLoad returns the load expected in the k-th quarter-hour from now, in
// slots, where usual is what the profile has for now.
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
	return s.Load * (1 + float64(trust*(min(max(then/usual, 0.25), 4)-1)))
}

// leaving returns the ready and busy slot-seconds that leave the last 24 hours
// during the k-th quarter-hour from now, where the part passed of the present
// one is over.
func (s *slack) leaving(k int, passed float64) (ready, busy float64) {
	a, b := modulo(s.Quarter-97+int64(k), slackRing), modulo(s.Quarter-96+int64(k), slackRing)
	return float64((1-passed)*s.Ready[a]) + float64(passed*s.Ready[b]),
		float64((1-passed)*s.Busy[a]) + float64(passed*s.Busy[b])
}
