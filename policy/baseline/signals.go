package baseline

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// signals are what a rival's rule decides by: an observation in plain numbers.
//
// Rivals count slots (they say agents, pods, runners, executors), never
// throughput. A "unit" is one instance of the type the rival buys.
//
// The fleet is shown as if every release took effect at once: what was released
// and works on to the end of its paid window is not counted, nor is what
// drains. The jobs it runs are.
type signals struct {
	now  time.Time
	tick time.Duration

	// Jobs waiting and running.
	pending, running float64

	// slots and speed of one unit, and the seconds a mean job takes on it; 0
	// before anything is known of one.
	slots    int
	speed    float64
	serviceS float64

	// desired is what the rival asked for and has not given up, and least and
	// most are its limits, in units.
	desired, least, most int
	// desiredSlots is the same in slots: what a rival that mixes types asked for.
	desiredSlots int
	// ready and booting units; beside them draining ones, lost ones, and those
	// of them that nobody counts on any more: the others are desired still.
	ready, booting, draining, lost, gone int
	// readySlots of those ready, busySlots of all that are ready or released.
	readySlots, bootingSlots, busySlots int
	// bootP50 is the learned boot lag, in the median.
	bootP50 time.Duration
	// sinceUp and sinceDown since the rival last raised or lowered desired;
	// forever if it never did.
	sinceUp, sinceDown time.Duration
	// sinceRun since its rule ran last; forever before the first time.
	sinceRun time.Duration
	// every is its own period; 0: it has none.
	every time.Duration
	// missed says that it could not read when its rule was due: what it watches
	// has a gap.
	missed bool

	// kinds and instances as observed, for rules that need more; not to be
	// kept. The instances are not adjusted for what was released.
	kinds     []policy.KindView
	instances []policy.Instance
	refusals  []policy.Refusal
	// types it buys, the preferred first, by their places in the catalog; not to
	// be kept.
	types []int

	// ahead is what a clairvoyant rule is told will arrive; not to be kept.
	ahead []policy.Coming

	idle     idleTimes
	pool     idlePool
	pooled   bool // idle time is that of room in the fleet
	released int  // units released that work on to the end of their window
}

const forever = time.Duration(math.MaxInt64)

// idleFor returns how many units have been without a job for at least d, less
// those released already: instance by instance where only idle ones may be
// released, else as room in the fleet.
func (s *signals) idleFor(d time.Duration) int { return s.idleOlder(d, 0) }

// idleEach is idleFor, instance by instance whatever may be released.
func (s *signals) idleEach(d time.Duration) int { return max(0, s.unused(d, 0, false)-s.released) }

// idleOlder is idleFor of instances launched at least age ago.
func (s *signals) idleOlder(d, age time.Duration) int {
	n := s.unused(d, age, s.pooled)
	if s.pooled {
		n = min(n, s.pool.idleFor(d, s.now))
	}
	return max(0, n-s.released)
}

// unused counts ready instances of an age, all or those idle for d.
func (s *signals) unused(d, age time.Duration, all bool) int {
	n := 0
	for i := range s.instances {
		in := &s.instances[i]
		if in.Phase != policy.Ready || s.now.Sub(in.LaunchedAt) < age {
			continue
		}
		if all || in.Busy == 0 && s.now.Sub(s.idle.since(in.ID, s.now)) >= d {
			n++
		}
	}
	return n
}

// periods returns how many periods of the given length it lives through in one
// run of its rule: 1 at the first and after a silence of an hour.
func (s *signals) periods(length time.Duration) int {
	if length <= 0 || s.sinceRun >= time.Hour {
		return 1
	}
	return max(1, int((s.sinceRun+length/2)/length))
}

// freeSlots returns the slots of ready units that run nothing.
func (s *signals) freeSlots() int { return max(0, s.readySlots-s.busySlots) }

// room returns the jobs that ready slots would hold beside those they run, if
// each held so many.
func (s *signals) room(perSlot float64) float64 {
	return max(0, float64(perSlot*float64(s.readySlots))-float64(s.busySlots))
}

// load returns busy over ready slots; 0 without ready slots. Above 1, what was
// released is still at work.
func (s *signals) load() float64 {
	if s.readySlots == 0 {
		return 0
	}
	return float64(s.busySlots) / float64(s.readySlots)
}

// units returns how many units hold so many slots, rounded up.
func (s *signals) units(slots float64) int { return ceil(slots / float64(s.slots)) }

const beyond = 1_000_000 // units and slots no fleet has

// ceil returns x rounded up, within ±beyond; 0 for NaN.
func ceil(x float64) int { return whole(math.Ceil(x)) }

// floor returns x rounded down, within ±beyond; 0 for NaN.
func floor(x float64) int { return whole(math.Floor(x)) }

func whole(x float64) int {
	switch {
	case math.IsNaN(x):
		return 0
	case x > beyond:
		return beyond
	case x < -beyond:
		return -beyond
	}
	return int(x)
}

// readQueue fills what stands in the queue's part of the observation.
func (s *signals) readQueue(o *policy.Observation) {
	q := &o.Queue
	s.kinds = q.Kinds
	samples, work, plain := 0.0, 0.0, 0.0
	for i := range q.Kinds {
		k := &q.Kinds[i]
		s.pending += float64(k.Pending.Jobs)
		s.running += float64(k.InFlight.Jobs)
		samples += float64(k.Service.Samples)
		work += float64(float64(k.Service.Samples) * float64(k.Service.Mean))
		plain += float64(k.Service.Mean)
	}
	switch {
	case samples > 0:
		s.serviceS = work / samples / s.speed
	case len(q.Kinds) > 0:
		s.serviceS = plain / float64(len(q.Kinds)) / s.speed // a prior, before any completion
	}
}

// readFleet fills what stands in the fleet's part of the observation and
// returns the slots that count as there: ready and booting, and silent ones for
// a while.
func (s *signals) readFleet(o *policy.Observation) (have int) {
	f := &o.Fleet
	s.instances = f.Instances
	drainingSlots, lostSlots, goneSlots := 0, 0, 0
	for i := range f.Instances {
		in := &f.Instances[i]
		switch {
		case in.Phase == policy.Draining:
			drainingSlots += in.Slots
			continue
		case gone(in, s.now):
			goneSlots += in.Slots
			continue
		case in.Phase == policy.Lost:
			lostSlots += in.Slots
		case in.Phase == policy.Ready:
			s.readySlots += in.Slots
			s.busySlots += in.Busy
		default:
			s.bootingSlots += in.Slots
		}
		have += in.Slots
	}
	s.draining, s.gone = s.units(float64(drainingSlots)), s.units(float64(goneSlots))
	s.lost = s.units(float64(lostSlots + goneSlots))
	s.bootP50 = f.Boot.P50
	return have
}

// How long an instance may be unheard before it counts as gone: after its last
// report, and from its launch to its first. They are those of the policy
// "static".
const (
	silentMax = 5 * time.Minute
	unbornMax = 15 * time.Minute
)

// gone reports whether nobody counts on an instance any more.
func gone(in *policy.Instance, now time.Time) bool {
	switch in.Phase {
	case policy.Requested, policy.Booting:
		return now.Sub(in.LaunchedAt) > unbornMax
	case policy.Lost:
		return now.Sub(in.LastSeen) > silentMax
	}
	return false
}

// hide takes released slots out of sight: ready ones first, for those that boot
// were bought last.
func (s *signals) hide(slots int) {
	s.released = slots / s.slots
	fromReady := min(slots, s.readySlots)
	s.readySlots -= fromReady
	s.bootingSlots = max(0, s.bootingSlots-(slots-fromReady))
	s.ready, s.booting = s.units(float64(s.readySlots)), s.units(float64(s.bootingSlots))
}
