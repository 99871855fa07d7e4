package skynet

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
)

var ruleChanceShort = policy.NewRule("chance.short", "%.1f cores are not enough for a job to find a free slot within %.0f s: %.1f are, with %.1f slots held", false)

// slotFloor is the least fleet in which the jobs of urgent lines find a free slot
// in time. The plan is a fluid, in which work before others gets what room there
// is; a job waits until a slot is free, and what holds the slots, whatever its
// priority, holds them to its end.
//
// In n slots, u of them asked for on average by the line itself and those before
// it, beside what is counted in h, and h held by what stands in its way, a job of the line waits for longer than
// its budget b with the probability
//
//	C(n − u, h) · e^(−(n − u) b r)
//
// where C is Erlang's probability that all slots are held, 1 where h ≥ n − u, and r
// the rate at which one held slot becomes free. The line's own work comes and goes
// while the others hold theirs, so that it finds the u slots it needs as long as
// those hold no more than the rest: their number scatters by its own root, not by
// that of all. (For jobs of one exponential length in lines of strict priority
// C(n, u + h) in its place would be exact, Kella and Yechiali; here what holds a
// slot is longer.)
//
// Of h, the k slots that jobs hold which run now, and still will when a launch now
// could help, are no matter of luck: only the others come and go, so that C is
// taken of n − u − k and h − k. A fleet of none keeps everybody waiting for a boot.
type slotFloor struct {
	slots  float64 // the least fleet, in slots; 0: nothing needs one
	budget float64 // of the kind that needs it, in seconds
	held   float64 // slots held on average by what stands in its way, h
}

const (
	loadWindowMost  = time.Hour        // the load of what holds slots is that of the last hour
	loadWindowLeast = 10 * time.Minute // or of the time since the start, at least so long
	searchMost      = 2000             // slots: in a larger fleet some become free
	lateOddsMost    = 0.9              // a job's chance to wait too long, at the most
	heldLeast       = 0.01             // slots that come and go, at the least: a formula needs some
	longJobBudgets  = 8.0              // budgets that a job of the same line runs at least to stand in the way of others
	quickBootJobs   = 5.0              // one in so many jobs comes so soon after a tick that its boot must be quick

	logToleranceStart  = 1.4 // four times the late share aimed at: not every hour is the worst
	logToleranceMost   = 5.0
	logTolerancePerDay = 1.0 // per day of budget
)

// kindLoad is a kind's work as what holds slots.
type kindLoad struct {
	line                  int     // the urgent line it is in, or linesMax: of a line that is not urgent
	budget, allowedLate   float64 // what its own promise leaves for waiting, and the share that may be late; 0: none
	meanHold              float64 // for how many seconds a job holds a slot on average
	offered               float64 // slots asked for on average
	running, waiting      float64 // jobs
	held, heldWithWaiting float64 // held when a launch now could help: without those that wait now, and with them
	heldByRunning         float64 // of slots, those of jobs that run now
}

// minSlots returns the least fleet for the urgent lines, each kind of job by its
// own promise.
//
// A kind whose budget is longer than a boot, a tick and what is seldom
// more needs none: what waits is bought for in time. One that only work of less
// than its budget competes with needs an instance, for the plan sees the rest.
func (p *Policy) minSlots(o *policy.Observation) slotFloor {
	most := slotFloor{}
	if !p.set.promises || p.quiet {
		return most
	}
	p.readKindLoads(o)
	own := 0.0
	for j := range p.lines {
		ln := &p.lines[j]
		if !ln.urgent {
			continue
		}
		own += float64(p.st.Lines[j].Head*p.forecast.ratio) + p.st.Lines[j].Tail
		if own == 0 {
			continue
		}
		share := float64(p.set.budget * detmath.Exp(ln.logTolerance))
		for i := range p.kindLoads {
			f := &p.kindLoads[i]
			if f.line != j || f.budget == 0 || p.hasStricterKind(i) || p.canWaitForBoot(o, f) {
				continue
			}
			c := slotFloor{slots: 1, budget: f.budget}
			if h := p.blockersOf(j, f.budget); h.held > 0 {
				late := min(float64(share*f.allowedLate), lateOddsMost)
				c.held = h.held
				often := float64(f.budget * h.freeRate)
				// slotsFor counts from the k certain slots on: their part of
				// e^(−(n − u) b r) goes to the other side
				late = min(late*detmath.Exp(float64(h.heldByRunning*often)), lateOddsMost)
				// whole slots: a part of one is shared
				c.slots = math.Floor(max(own-h.ownLoad, 0) + h.heldByRunning + slotsForWait(max(h.held-h.heldByRunning, heldLeast), often, late))
			}
			if c.slots > most.slots {
				most = c
			}
		}
	}
	return most
}

// hasStricterKind reports whether another kind of the same line may wait for no longer and be
// late no more often than the kind at i, which then needs no more than that one.
func (p *Policy) hasStricterKind(i int) bool {
	f := &p.kindLoads[i]
	for k := range p.kindLoads {
		g := &p.kindLoads[k]
		if g.line != f.line || g.budget == 0 || g.budget > f.budget || g.allowedLate > f.allowedLate || k == i {
			continue
		}
		if g.offered == 0 || g.meanHold > g.budget { // without a short job of its own the line may not count as mixed
			continue
		}
		if g.budget < f.budget || g.allowedLate < f.allowedLate || k < i {
			return true
		}
	}
	return false
}

// canWaitForBoot reports whether a kind's jobs can wait for a tick and the boot of an
// instance.
func (p *Policy) canWaitForBoot(o *policy.Observation, f *kindLoad) bool {
	left, boot := f.budget-p.tick, &o.Fleet.Boot
	if left < min(boot.P50.Seconds(), p.lag) { // the usual case, and the cheap one
		return false
	}
	return left >= bootWithin(boot, p.lag, 1-float64(quickBootJobs*f.allowedLate))
}

// readKindLoads fills p.work with the kinds of the last hour.
func (p *Policy) readKindLoads(o *policy.Observation) {
	over := min(max(o.Now.Sub(p.st.FirstAt), loadWindowLeast), loadWindowMost).Seconds()
	p.kindLoads = p.kindLoads[:0]
	least := math.Inf(1)
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
			least = min(least, f.budget)
		}
		if k.Service.Samples > 0 {
			f.meanHold = float64(k.Service.Mean) / p.market.unitSpeed
		}
		if f.meanHold > 0 {
			f.offered = float64(k.Arrived[3].Work) / p.market.unitSpeed / over
		}
		p.kindLoads = append(p.kindLoads, f)
	}
	for i := range p.kindLoads {
		f := &p.kindLoads[i]
		if f.meanHold <= 0 || f.line < linesMax && f.meanHold <= float64(longJobBudgets*least) {
			continue // it is in nobody's way
		}
		stays := detmath.Exp(-(p.lag + p.tick) / f.meanHold)
		f.heldByRunning = float64(f.running * stays)
		f.held = f.heldByRunning + float64(f.offered*(1-stays))
		f.heldWithWaiting = f.held + float64(f.waiting*stays)
	}
}

// blockers are what holds slots that a line's jobs would have.
type blockers struct {
	held          float64 // held on average, when a launch now could help; 0: by no job longer than the budget
	heldByRunning float64 // of them, by jobs that run now
	freeRate      float64 // at which one of them becomes free, in 1/s
	ownLoad       float64 // slots asked for by those in the line itself and the lines before it
}

// blockersOf returns what holds slots in a line's way: the work that it goes before
// in the plan, and the jobs in its own line and those before that run for
// chanceLong times what it may wait, beside shorter ones. Counted is what runs
// now, and of later lines what waits, and is not done when a launch now could
// help, and what comes until then; the plan has what waits in the line itself.
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
		slots := f.heldWithWaiting
		if f.line <= line {
			if !mixed || f.meanHold <= float64(longJobBudgets*budget) {
				continue
			}
			slots = f.held
			h.ownLoad += f.offered
		}
		h.held += slots
		h.heldByRunning += f.heldByRunning
		freed += slots / f.meanHold
		long = long || slots > 0 && f.meanHold > budget
	}
	if !long {
		return blockers{}
	}
	h.freeRate = freed / h.held
	return h
}

// slotsForWait returns the least number of slots, of which so many are held on average,
// that a job finds none of for too long with at most the probability late, where a
// held slot becomes free often times while it may wait.
func slotsForWait(held, often, late float64) float64 {
	inverse := 1.0 // of Erlang's loss, from which his probability of waiting follows
	step := 1 / held
	slots := 1.0
	each := detmath.Exp(-often)
	stuck := each
	for ; slots < searchMost; slots++ {
		inverse = 1 + float64(float64(slots*step)*inverse)
		if slots <= held { // everybody waits
			if stuck <= late {
				return slots
			}
		} else if float64(slots*stuck) <= float64(late*(float64((slots-held)*inverse)+held)) {
			return slots
		}
		stuck *= each
	}
	return math.Ceil(held)
}
