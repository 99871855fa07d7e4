package source

import (
	"fmt"
	"math"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/observe"
)

// ledger is what has happened to jobs of one kind since the first reading, and
// what waits and runs now.
type ledger struct {
	kind             Kind
	arrived, started int64
	completed, late  int64
	estimated        int64
	estimate         float64 // core-seconds
	work, squared    float64 // core-seconds
	spread           spread

	seen             bool
	waiting, running int64 // at the last reading; running on the fleet's slots
	inFlight         int64 // whoever's
	next             int64 // running at this reading
	totals           [2]Figure
	parts            [2]float64 // of an arrival and of a completion, carried on
	pool             float64    // core-seconds worked since the last completion
	mean             float64    // core-seconds of a job; 0: not known yet
	line             line
}

// step books what must have happened between the last reading and this one.
func (l *ledger) step(now, last time.Time, c *Count, speed float64, late time.Duration) {
	total, before := c.Waiting+c.InFlight, l.waiting+l.inFlight
	l.service(c, speed)
	if !l.seen {
		l.seen = true
		l.totals = [2]Figure{c.Arrived.Total, c.Completed.Total}
		l.line.fill(now, now, c.Waiting, c.OldestS)
		l.hold(c)
		return
	}
	dt := now.Sub(last).Seconds()
	l.pool += float64(l.running) * dt * speed
	arrived, counted := l.events(0, c.Arrived, dt)
	done, told := l.events(1, c.Completed, dt)
	switch {
	case told && !counted:
		arrived = max(0, total-before+done)
	case counted && !told:
		done = max(0, before+arrived-total)
	case !told: // neither: what busy slots must have done, and at least what is missing
		if l.mean > 0 {
			done = l.carry(1, float64(l.inFlight)*dt*speed/l.mean)
		}
		done = max(done, before-total, l.inFlight-c.InFlight)
		arrived = max(0, total-before+done)
	}
	l.arrived += arrived
	if l.mean > 0 { // every job carries the estimate
		l.estimated += arrived
		l.estimate += float64(arrived) * l.mean
	}
	l.finish(done)
	starts := max(0, done+l.next-l.running)
	l.started += starts
	l.line.arrive(last, now, arrived)
	for _, w := range l.line.fill(last, now, c.Waiting, c.OldestS) {
		if w.wait > late {
			n := min(w.jobs, starts)
			l.late += n
			starts -= n
		}
	}
	l.hold(c)
}

// hold keeps what the next step compares with.
func (l *ledger) hold(c *Count) { l.waiting, l.inFlight, l.running = c.Waiting, c.InFlight, l.next }

// service learns the mean work of a job from what is configured or read.
func (l *ledger) service(c *Count, speed float64) {
	switch {
	case l.kind.Service > 0:
		l.mean = l.kind.Service.Seconds()
	case c.ServiceS.Known && c.ServiceS.Value > 0:
		l.mean = c.ServiceS.Value * speed
	}
}

// events returns how many there were in dt seconds; false: nobody counts them.
func (l *ledger) events(which int, e Events, dt float64) (n int64, counted bool) {
	last := l.totals[which]
	l.totals[which] = e.Total
	switch {
	case e.Total.Known && last.Known && e.Total.Value >= last.Value:
		return l.carry(which, e.Total.Value-last.Value), true
	case e.Total.Known && last.Known: // it began anew, and has counted this much since
		return l.carry(which, e.Total.Value), true
	case e.PerS.Known:
		return l.carry(which, e.PerS.Value*dt), true
	}
	return 0, false
}

// carry returns the whole part, and keeps the rest for the next time.
func (l *ledger) carry(which int, n float64) int64 {
	n += l.parts[which]
	whole := math.Floor(n)
	l.parts[which] = n - whole
	return int64(whole)
}

// finish books completions and their work. Jobs whose service time nobody states
// have done what the slots were busy for. Times are taken to be exponential: no
// source says how they vary.
func (l *ledger) finish(n int64) {
	if n <= 0 {
		return
	}
	l.completed += n
	mean := l.mean
	if mean == 0 {
		mean = l.pool / float64(n)
	}
	l.pool = 0
	l.work += float64(n) * mean
	l.squared += 2 * float64(n) * mean * mean
	l.spread.add(n, mean)
}

// emptied says why a fall to nothing in so much time cannot be; "": it can.
func (l *ledger) emptied(took time.Duration, c *Count, slots int) string {
	before := l.waiting + l.inFlight
	if !l.seen || before < zeroMin || c.Waiting+c.InFlight > 0 {
		return ""
	}
	if c.Completed.Total.Known && l.totals[1].Known && c.Completed.Total.Value-l.totals[1].Value >= float64(before)/2 {
		return "" // they were done, as is counted
	}
	could := 0.0
	if l.mean > 0 {
		// three times as fast as the slots were ever said to be, others' slots included
		could = 3 * float64(max(int64(slots), l.inFlight)) * max(took.Seconds(), 1) * speedMax / l.mean
	}
	if float64(before) <= could {
		return ""
	}
	return fmt.Sprintf("%s: no job at all, after %d %s ago, of which about %.0f could have been done", l.kind.Type, before, took.Round(time.Second), could)
}

// speedMax stands for the fastest slots there may be, as no kind is tied to a type.
const speedMax = 3

// observed is what the queue would have counted.
func (l *ledger) observed() api.ObservedKind {
	k := api.ObservedKind{
		Type: l.kind.Type, Priority: l.kind.Priority,
		Arrived: l.arrived, Started: l.started, StartedLate: l.late, Completed: l.completed,
		WorkS: l.work, WorkSquaredS2: l.squared, Works: l.spread.works(),
		Waiting: l.waiting, Leased: l.running, Arrivals: l.line.arrivals(),
	}
	k.ArrivedEstimated, k.ArrivedEstimateS = l.estimated, l.estimate
	if l.mean > 0 {
		k.WaitingEstimated, k.WaitingEstimateS = l.waiting, float64(l.waiting)*l.mean
	}
	return k
}

// spread is a histogram of exponential times.
type spread struct {
	jobs map[int64]int64
	turn int
}

// spreadSteps quantiles stand for the distribution, so that one in twenty jobs
// takes longer than its 95th percentile.
const spreadSteps = 20

// add adds n jobs of a mean of core-seconds.
func (s *spread) add(n int64, mean float64) {
	if s.jobs == nil {
		s.jobs = map[int64]int64{}
	}
	steps := min(n, spreadSteps)
	for i := range steps {
		share := n / steps
		if i < n%steps {
			share++
		}
		q := (float64(s.turn) + 0.5) / spreadSteps
		s.jobs[int64(observe.WorkBucket(int64(-math.Log(1-q)*mean*1e9)))] += share
		s.turn = (s.turn + 1) % spreadSteps
	}
}

// works returns the histogram, ascending.
func (s *spread) works() []api.Count { return counts(s.jobs) }
