package skynet

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
)

var ruleChanceShort = policy.NewRule("chance.short", "%.1f cores are not enough for a job to find a free slot within %.0f s: %.1f are, with %.1f slots held", false)

// slotFloor is the least fleet in which the jobs of urgent lines have a good chance
// to find a free slot in time.
//
// The plan cannot tell. It is a fluid, in which work of an earlier line gets whatever
// capacity there is at once. Jobs do not stop for another: a click that goes before
// encodes of three minutes waits all the same until a slot is free.
//
// Consider a kind of job, in an urgent line, that may wait w seconds. In slots, let
//
//	n   be the fleet,
//	u   the load of its line and of the urgent lines before it, without what is in h,
//	h   what blockers hold on average when an instance launched now could help, where
//	    blockers are jobs that the kind has to wait for (see blockersOf),
//	k   the part of h that is held for certain, by blockers that run now and still
//	    will then,
//
// and let r be the rate, per second, at which one held slot becomes free.
//
// The line's own work comes and goes while blockers hold their slots. So it finds the u
// slots it needs unless blockers hold all the others, n − u; and then the first of
// these to become free is its own. A job waits for longer than w with the probability
//
//	C(n − u − k, h − k) · e^(−(n − u)·w·r)
//
// where C(m, a) is Erlang's probability that all m servers are busy under the offered
// load a, and 1 where a ≥ m. The k certain slots are no matter of chance, so C is taken
// of what is beside them. The floor is ⌊u + k + m⌋ with the least m ≥ 1 that makes
// this at most x·b·ε: ε is the late share that the class allows, b the parameter
// "budget", and x a factor that the late jobs themselves steer (see steer).
//
// (If all jobs had one exponential length, C(n, u + h) would be exact: Kella and
// Yechiali, non-preemptive priorities in M/M/c, 1985. Here blockers are longer.)
//
// The zero slotFloor asks for nothing.
type slotFloor struct {
	slots  float64 // the floor
	budget float64 // w of the kind that needs it, in seconds
	held   float64 // h
}

const (
	// The offered load of a kind is its mean over loadWindowMost, or over the time
	// since the start, but at least over loadWindowLeast.
	loadWindowMost  = time.Hour
	loadWindowLeast = 10 * time.Minute
	// longJobBudgets is how many times what others may wait a job of an urgent line must
	// run to block them: shorter ones are over soon, and the reserve has them.
	longJobBudgets = 8.0
	// lateOddsMost is the largest probability of waiting too long that is planned with.
	lateOddsMost = 0.9
	// heldLeast is the least load a of C(m, a), in slots: the formula needs one.
	heldLeast = 0.01
	// searchMost is the largest number of slots that is tried: in a larger fleet some
	// slot becomes free at any time.
	searchMost = 2000
	// quickBootJobs: one in so many jobs comes so soon after a tick that, to be in time,
	// it needs a boot that is quicker than its budget less a tick.
	quickBootJobs = 5.0
)

// How ln x is steered: where it starts (x is about 4, for not every hour is the
// worst), its bound, and by how much it moves for each day of budget.
const (
	logToleranceStart  = 1.4
	logToleranceMost   = 5.0
	logTolerancePerDay = 1.0
)

// kindLoad is what a kind of job asks for and holds. All loads are in slots.
type kindLoad struct {
	line        int     // index of its urgent line; linesMax for all lines that are not urgent
	budget      float64 // what its promise leaves for waiting, in seconds; 0: none
	allowedLate float64 // share that may be late
	meanHold    float64 // seconds that a job holds a slot on average; 0: unknown
	offered     float64 // offered load: slots that its jobs keep busy on average
	running     float64 // jobs
	waiting     float64 // jobs
	// Slots that its jobs hold on average when an instance launched now could help: by
	// jobs that run now, these and jobs that will have come, and all these with the jobs
	// that wait now. Filled in only for jobs that may block others.
	heldByRunning, held, heldWithWaiting float64
}

// minSlots returns the least fleet for the urgent lines, each kind of job by its own
// promise.
//
// A kind whose budget outlasts a tick and nearly all boots needs none: instances are
// launched in time for what waits. A kind that nothing blocks needs one instance, so
// that its jobs do not find an empty fleet; the plan sees to the rest.
func (p *Policy) minSlots(o *policy.Observation) slotFloor {
	most := slotFloor{}
	if !p.set.promises || p.quiet {
		return most
	}
	p.readKindLoads(o)
	load := 0.0 // of the line and the urgent lines before it
	for j := range p.lines {
		ln := &p.lines[j]
		if !ln.urgent {
			continue
		}
		load += float64(p.st.Lines[j].Head*p.forecast.ratio) + p.st.Lines[j].Tail
		if load == 0 {
			continue
		}
		share := float64(p.set.budget * detmath.Exp(ln.logTolerance)) // x·b
		for i := range p.kindLoads {
			kind := &p.kindLoads[i]
			if kind.line != j || kind.budget == 0 || p.hasStricterKind(i) || p.canWaitForBoot(o, kind) {
				continue
			}
			if floor := p.floorOf(kind, load, share); floor.slots > most.slots {
				most = floor
			}
		}
	}
	return most
}

// floorOf returns the least fleet for one kind, given the load of its line and the
// urgent lines before it, in slots, and the factor x·b on the late share it allows.
func (p *Policy) floorOf(kind *kindLoad, load, share float64) slotFloor {
	floor := slotFloor{slots: 1, budget: kind.budget}
	h := p.blockersOf(kind.line, kind.budget)
	if h.held == 0 {
		return floor
	}
	floor.held = h.held
	late := min(float64(share*kind.allowedLate), lateOddsMost)
	departures := float64(kind.budget * h.freeRate) // w·r
	// slotsForWait counts m from the k certain slots on. The factor e^(−k·w·r), which
	// they add on the left of the inequality, goes to its right side.
	late = min(late*detmath.Exp(float64(h.heldByRunning*departures)), lateOddsMost)
	m := slotsForWait(max(h.held-h.heldByRunning, heldLeast), departures, late)
	floor.slots = math.Floor(max(load-h.ownLoad, 0) + h.heldByRunning + m)
	return floor
}

// hasStricterKind reports whether another kind of the same line may wait for no
// longer and be late no more often than the kind at i. The floor of that one is then
// no lower. Of two with the same promise the first counts as the stricter.
func (p *Policy) hasStricterKind(i int) bool {
	f := &p.kindLoads[i]
	for k := range p.kindLoads {
		g := &p.kindLoads[k]
		if g.line != f.line || g.budget == 0 || g.budget > f.budget || g.allowedLate > f.allowedLate || k == i {
			continue
		}
		if g.offered == 0 || g.meanHold > g.budget {
			continue // by its budget the line might not count as mixed (blockersOf), and its floor be lower
		}
		if g.budget < f.budget || g.allowedLate < f.allowedLate || k < i {
			return true
		}
	}
	return false
}

// canWaitForBoot reports whether the jobs of a kind can wait for a tick and then for
// the boot of an instance, but for as many as may be late.
func (p *Policy) canWaitForBoot(o *policy.Observation, kind *kindLoad) bool {
	left, boot := kind.budget-p.tick, &o.Fleet.Boot
	if left < min(boot.P50.Seconds(), p.lag) { // the usual case, and the cheap one
		return false
	}
	return left >= bootWithin(boot, p.lag, 1-float64(quickBootJobs*kind.allowedLate))
}

// readKindLoads fills p.kindLoads with the kinds that were seen in the last hour.
func (p *Policy) readKindLoads(o *policy.Observation) {
	window := min(max(o.Now.Sub(p.st.FirstAt), loadWindowLeast), loadWindowMost).Seconds()
	p.kindLoads = p.kindLoads[:0]
	shortestBudget := math.Inf(1)
	for i := range o.Queue.Kinds {
		k := &o.Queue.Kinds[i]
		if k.Arrived[3].Jobs == 0 && k.Pending.Jobs == 0 && k.InFlight.Jobs == 0 {
			continue
		}
		f := kindLoad{line: p.lineIndex(k.Priority), running: float64(k.InFlight.Jobs), waiting: float64(k.Pending.Jobs)}
		if !p.lines[f.line].urgent {
			f.line = linesMax
		}
		if c := p.promise(k); c != nil && k.Arrived[3].Jobs+k.Pending.Jobs > 0 {
			f.budget, f.allowedLate = p.budgetOf(k, c), max(1-c.Attain, missFloor)
			shortestBudget = min(shortestBudget, f.budget)
		}
		if k.Service.Samples > 0 {
			f.meanHold = float64(k.Service.Mean) / p.market.unitSpeed
		}
		if f.meanHold > 0 {
			f.offered = float64(k.Arrived[3].Work) / p.market.unitSpeed / window
		}
		p.kindLoads = append(p.kindLoads, f)
	}
	p.projectHolds(shortestBudget)
}

// projectHolds fills in how many slots the jobs of each kind will hold when an
// instance launched now could help. It leaves out kinds of urgent lines that block
// nobody, for even the shortest budget outlasts the eighth part of their jobs.
func (p *Policy) projectHolds(shortestBudget float64) {
	for i := range p.kindLoads {
		f := &p.kindLoads[i]
		if f.meanHold <= 0 || f.line < linesMax && f.meanHold <= float64(longJobBudgets*shortestBudget) {
			continue
		}
		// the probability that a job is still there when an instance launched now could
		// help, for an exponential length
		stays := detmath.Exp(-(p.lag + p.tick) / f.meanHold)
		f.heldByRunning = float64(f.running * stays)
		f.held = f.heldByRunning + float64(f.offered*(1-stays))
		f.heldWithWaiting = f.held + float64(f.waiting*stays)
	}
}

// blockers are the jobs that a line's jobs have to wait for.
type blockers struct {
	held          float64 // slots held on average, h; 0: no blocker lasts longer than the budget
	heldByRunning float64 // of these for certain, k
	freeRate      float64 // at which one of them becomes free, per second, r
	ownLoad       float64 // offered load, in slots, of the blockers in the line itself and before it
}

// blockersOf returns what blocks jobs of a line that may wait for budget seconds:
//
//   - jobs of later lines, which the plan serves after it: those that run or wait now
//     and are not done when an instance launched now could help, and those that come
//     until then. (Of later lines that are urgent, only the long kinds that
//     projectHolds keeps.)
//   - in the line itself and before it, jobs that run for more than longJobBudgets
//     budgets, without those that wait now, which the plan has. They count only if the
//     line is mixed: if it has jobs shorter than the budget beside them.
func (p *Policy) blockersOf(line int, budget float64) (h blockers) {
	mixed := false
	for i := range p.kindLoads {
		f := &p.kindLoads[i]
		mixed = mixed || f.line == line && f.meanHold > 0 && f.meanHold <= budget && f.offered > 0
	}
	freed, long := 0.0, false
	for i := range p.kindLoads {
		f := &p.kindLoads[i]
		if f.meanHold <= 0 {
			continue
		}
		held := f.heldWithWaiting
		if f.line <= line {
			if !mixed || f.meanHold <= float64(longJobBudgets*budget) {
				continue
			}
			held = f.held
			h.ownLoad += f.offered
		}
		h.held += held
		h.heldByRunning += f.heldByRunning
		freed += held / f.meanHold
		long = long || held > 0 && f.meanHold > budget
	}
	if !long {
		return blockers{}
	}
	h.freeRate = freed / h.held
	return h
}

// slotsForWait returns the least number m ≥ 1 of slots with
//
//	C(m, held) · e^(−m·departures) ≤ late
//
// where held is their offered load, and departures how often one held slot becomes
// free, on average, while a job may wait.
//
// C follows from Erlang's loss probability B by C = m / ((m − a)/B + a) for the
// load a, and 1/B from m to m by 1/B(m) = 1 + (m/a)/B(m−1), 1/B(0) = 1.
func slotsForWait(held, departures, late float64) float64 {
	inverseLoss := 1.0 // 1/B
	step := 1 / held
	slots := 1.0
	perSlot := detmath.Exp(-departures)
	noneFree := perSlot // e^(−m·departures)
	for ; slots < searchMost; slots++ {
		inverseLoss = 1 + float64(float64(slots*step)*inverseLoss)
		if slots <= held { // C is 1
			if noneFree <= late {
				return slots
			}
		} else if float64(slots*noneFree) <= float64(late*(float64((slots-held)*inverseLoss)+held)) {
			return slots
		}
		noneFree *= perSlot
	}
	return math.Ceil(held)
}
