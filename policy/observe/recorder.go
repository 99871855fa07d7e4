package observe

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
)

// Recorder accumulates what a controller learns and builds Observations. It is
// not safe for concurrent use.
type Recorder struct {
	env    policy.Env
	origin time.Time // world time 0

	kinds []*Kind
	types []*service
	views []policy.KindView
	// where each of them is; a trace may have tens of thousands
	kindOf map[kindKey]*Kind
	typeAt map[typeKey]int
	viewAt map[viewKey]int

	// rings by tick
	times []int64     // world time of the tick
	rows  [][]counted // by kind; nil: no window looks back so far
	spare [][]counted // rows to be used again
	head  int         // ticks recorded so far
	tails [4]int      // the first tick of each window, descending

	boots    bootLearner
	speeds   speedLearner
	fleetLog eventLog
	slack    slackWindow
	profile  profile
	outcomes []policy.Outcome
	refusals []policy.Refusal
	calls    callLog
	// reads of the queue
	queueCalls callLog
	progress   time.Time

	freeing [freeSteps]float64
	freeEnd int // freeing is zero from here on
	free    []policy.FreeCount
	ages    []policy.AgeCount
	sizes   []policy.SizeCount

	typeMean    []float64 // current mean work by type in core-seconds
	typeRecent  []float64 // that of about the last ten minutes
	calibration []float64 // by how much a type's estimates are multiplied
}

// What tells kinds, types and views apart.
type (
	kindKey struct {
		jobType  string
		priority int
		size     uint8
	}
	typeKey struct {
		jobType string
		size    uint8
	}
	viewKey struct {
		jobType  string
		priority int
	}
)

// ringTicks holds an hour of ticks at the shortest tick, and a spare.
const ringTicks = 512

// New returns a Recorder for a world that starts at origin. Recorded work is in
// nanoseconds on the reference core.
func New(env policy.Env, origin time.Time) *Recorder {
	r := &Recorder{
		env: env, origin: origin, times: make([]int64, ringTicks), rows: make([][]counted, ringTicks),
		kindOf: map[kindKey]*Kind{}, typeAt: map[typeKey]int{}, viewAt: map[viewKey]int{},
	}
	r.boots.guess = env.BootGuess
	r.profile.offset = env.UTCOffset
	r.speeds = newSpeedLearner(r.catalogSpeeds())
	return r
}

// Kind returns the counters for jobs of this type, priority and size bucket,
// new ones on first use. The pointer stays valid.
func (r *Recorder) Kind(jobType string, priority int, size uint8) *Kind {
	key := kindKey{jobType, priority, size}
	if k := r.kindOf[key]; k != nil {
		return k
	}
	k := &Kind{
		Type: jobType, Priority: priority, Size: size,
		Class: policy.ClassOf(r.env.Classes, jobType, priority),
	}
	k.LateAfter = 1<<63 - 1
	if k.Class >= 0 {
		k.LateAfter = int64(r.env.Classes[k.Class].Target)
	}
	var known bool
	if k.workType, known = r.typeAt[typeKey{jobType, size}]; !known {
		k.workType = r.addType(&service{jobType: jobType, size: size})
	}
	if k.view, known = r.viewAt[viewKey{jobType, priority}]; !known {
		k.view = len(r.views)
		r.viewAt[viewKey{jobType, priority}] = k.view
		r.views = append(r.views, policy.KindView{Type: jobType, Priority: priority, Class: k.Class})
	}
	r.kinds = append(r.kinds, k)
	r.kindOf[key] = k
	return k
}

// addType takes in a type of jobs and returns where it is.
func (r *Recorder) addType(s *service) int {
	at := len(r.types)
	r.types = append(r.types, s)
	r.typeMean = append(r.typeMean, 0)
	r.typeRecent = append(r.typeRecent, 0)
	r.calibration = append(r.calibration, 1)
	key := typeKey{s.jobType, s.size}
	if _, known := r.typeAt[key]; !known {
		r.typeAt[key] = at
	}
	return at
}

// expected returns the work, in core-seconds, that a job of this kind is expected to
// take: what its estimate, in nanoseconds on the reference core, comes to once it is
// corrected; where it carries none (0), the mean of its type.
func (r *Recorder) expected(k *Kind, estimate int64) float64 {
	if estimate <= 0 {
		return r.typeMean[k.workType]
	}
	return float64(estimate) * 1e-9 * r.calibration[k.workType]
}

// Sample is what a world measured over the step that ends now.
type Sample struct {
	// ReadySlotS and BusySlotS are slot-seconds of ready capacity and of busy
	// slots; a draining instance counts only its busy slots in both.
	ReadySlotS, BusySlotS float64
	// Silent workers have not reported for a lease.
	Silent int
}

// Begin starts the observation at world time now (ns): it learns from what
// completed and fills o.Queue. The caller then fills o.Fleet.Instances, calls
// Running for every job that runs, and calls End.
func (r *Recorder) Begin(o *policy.Observation, now int64) {
	o.Now = r.origin.Add(time.Duration(now))
	o.Tick = r.env.Tick
	r.learn(now)
	r.queue(o, now)
}

// End completes the observation begun at now.
func (r *Recorder) End(o *policy.Observation, now int64, s Sample) {
	slack, ready := r.addSlack(now, s.ReadySlotS, s.BusySlotS)
	r.fleet(o, now)
	r.history(o, now, slack, ready)
	r.ec2(o)
	r.calls.fill(&o.EC2, now)
	o.Health.At, o.Health.Complete = o.Now, true
	o.Health.SilentWorkers = s.Silent
	read := r.queueCalls.sum(now)
	o.Health.QueueCalls, o.Health.QueueErrors = read.calls, read.errors
	done := false
	for _, k := range r.kinds {
		done = done || k.Completed != k.seen.completed
		k.seen = k.now()
	}
	if done {
		r.progress = o.Now
	}
	o.Health.Progress = r.progress
}

// keepsRecent returns the part of what was recent at the last tick that still is.
func (r *Recorder) keepsRecent(now int64) float64 {
	var step time.Duration
	switch {
	case r.head > 0:
		step = time.Duration(now - r.times[(r.head-1)%ringTicks])
	case !r.progress.IsZero(): // it was learned before a restart
		step = max(r.origin.Add(time.Duration(now)).Sub(r.progress), 0)
	}
	return detmath.Exp(-step.Seconds() / recentMemory)
}

// learn closes the step: estimates, windows, lateness.
func (r *Recorder) learn(now int64) {
	var n, sum float64
	keep := r.keepsRecent(now)
	for _, s := range r.types {
		s.forget(keep)
	}
	for _, k := range r.kinds {
		s := r.types[k.workType]
		s.learn(k.Completed-k.seen.completed, k.Work-k.seen.work, k.WorkSquared-k.seen.workSquared, k)
		s.start(k.Started-k.seen.started-(k.Retried-k.seen.retried), k.leftEst.minus(k.seen.leftEst))
	}
	for _, s := range r.types {
		n += s.n
		sum += s.sum
	}
	prior := 1.0 // before any completion: one core-second, corrected within minutes
	if n > 0 {
		prior = sum / n
	}
	for i, s := range r.types {
		s.update(prior)
		r.typeMean[i], r.typeRecent[i] = float64(s.view.Mean), s.recent()
		r.calibration[i] = s.calibration()
	}
	slot := r.head % ringTicks
	r.times[slot] = now
	row := r.row(slot)
	for i, k := range r.kinds {
		n, est, times := k.Arrived-k.seen.arrived, k.arrivedEst.minus(k.seen.arrivedEst), r.calibration[k.workType]
		k.estimated += est.core(n, r.typeMean[k.workType], times)
		k.lately += est.core(n, r.typeRecent[k.workType], times)
		row[i] = k.counted()
		r.late(k)
	}
	r.head++
	// a window's tail is the youngest tick at or before its start
	last := r.tails[len(r.tails)-1]
	for w := range r.tails {
		from := now - int64(windows[w])
		r.tails[w] = max(r.tails[w], r.head-ringTicks)
		for r.tails[w]+1 < r.head && r.times[(r.tails[w]+1)%ringTicks] <= from {
			r.tails[w]++
		}
	}
	for ; last < r.tails[len(r.tails)-1]; last++ {
		if gone := last % ringTicks; gone != slot && r.rows[gone] != nil {
			r.spare = append(r.spare, r.rows[gone])
			r.rows[gone] = nil
		}
	}
}

// row puts a row of the kinds that there are into a slot of the ring.
func (r *Recorder) row(slot int) []counted {
	row := r.rows[slot]
	if n := len(r.spare); row == nil && n > 0 {
		row, r.spare = r.spare[n-1], r.spare[:n-1]
	}
	row = slices.Grow(row[:0], len(r.kinds))[:len(r.kinds)]
	r.rows[slot] = row
	return row
}

// late keeps the wait from which a start of this kind misses its target.
func (r *Recorder) late(k *Kind) {
	if k.Class < 0 {
		return
	}
	c := &r.env.Classes[k.Class]
	k.LateAfter = int64(c.Target)
	if c.On == policy.Sojourn {
		k.LateAfter -= int64(r.meanService(k))
	}
}

// meanService returns the mean service time of a kind on the fastest type of
// the catalog: an expectation that is late there is late anywhere.
func (r *Recorder) meanService(k *Kind) time.Duration {
	speed := 0.0
	for i := range r.env.Catalog.Types {
		speed = max(speed, r.env.Catalog.Types[i].Speed)
	}
	if speed == 0 {
		return 0
	}
	return policy.CoreSeconds(r.typeMean[k.workType]).On(speed)
}

// nothing was counted before the world began, or of a kind that was not known yet.
var nothing counted

// before returns the counters of a kind at the start of window w: zero when the
// world is younger than the window.
func (r *Recorder) before(i, w int, now int64) *counted {
	t := r.tails[w] % ringTicks
	if r.times[t] > now-int64(windows[w]) || i >= len(r.rows[t]) {
		return &nothing
	}
	return &r.rows[t][i]
}

// queue fills o.Queue from the counters.
func (r *Recorder) queue(o *policy.Observation, now int64) {
	for i := range r.views {
		v := &r.views[i]
		*v = policy.KindView{Type: v.Type, Priority: v.Priority, Class: v.Class}
	}
	r.ages = r.ages[:0]
	r.sizes = r.sizes[:0]
	for i, k := range r.kinds {
		r.addKind(&r.views[k.view], i, k, now)
	}
	o.Queue.Kinds = r.views
	o.Queue.At = o.Now
	o.Queue.Complete = true
}

func (r *Recorder) addKind(v *policy.KindView, i int, k *Kind, now int64) {
	mean, recent, times := r.typeMean[k.workType], r.typeRecent[k.workType], r.calibration[k.workType]
	pending, est := k.Waiting(), k.arrivedEst.minus(k.leftEst)
	work := est.core(pending, mean, times)
	v.Pending.Jobs += pending
	v.Pending.Work += policy.CoreSeconds(work)
	v.PendingLately += policy.CoreSeconds(est.core(pending, recent, times))
	v.InFlight.Jobs += k.Running()
	r.addAges(v, k, now)
	if k.Size > 0 && pending > 0 {
		start := len(r.sizes)
		r.sizes = append(r.sizes, v.PendingBySize...)
		r.sizes = append(r.sizes, policy.SizeCount{Size: k.Size, Jobs: pending, Work: policy.CoreSeconds(work)})
		v.PendingBySize = r.sizes[start:len(r.sizes):len(r.sizes)]
	}
	for w := range windows {
		was := r.before(i, w, now)
		v.Arrived[w].Jobs += k.Arrived - was.arrived
		v.Arrived[w].Work += policy.CoreSeconds(k.estimated - was.estimated)
		if w < 3 {
			v.Completed[w] += k.Completed - was.completed
		}
		if w == 1 {
			v.Failed += k.Failed - was.failed
			v.Retried += k.Retried - was.retried
			v.Expired += k.Expired - was.expired
		}
	}
	v.LastTick.Jobs += k.Arrived - k.seen.arrived
	v.LastTick.Work += policy.CoreSeconds(k.estimated - k.seen.estimated)
	v.LastTickLately += policy.CoreSeconds(k.lately - k.seen.lately)
	v.Started += k.Started - k.seen.started
	v.StartedLate += k.StartedLate - k.seen.startedLate
	if s := &r.types[k.workType].view; v.Service.Samples == 0 || s.Samples > v.Service.Samples {
		v.Service = *s
	}
}

// addAges merges the kind's ages into the view's and counts who will miss.
func (r *Recorder) addAges(v *policy.KindView, k *Kind, now int64) {
	start := len(r.ages)
	grown, oldest := k.Ages.appendTo(r.ages, now)
	r.ages = grown
	v.OldestWait = max(v.OldestWait, oldest)
	own := r.ages[start:len(r.ages):len(r.ages)]
	for h, horizon := range [...]time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute} {
		for i := len(own) - 1; i >= 0 && time.Duration(k.LateAfter)-own[i].Age < horizon; i-- {
			v.WillMiss[h] += own[i].Jobs
		}
	}
	if v.PendingByAge == nil {
		v.PendingByAge = own
		return
	}
	if len(own) == 0 {
		return
	}
	// two size buckets of one kind: merge the sorted lists at the end of ages
	merged := len(r.ages)
	a, b := v.PendingByAge, own
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Age < b[0].Age:
			r.ages = append(r.ages, a[0])
			a = a[1:]
		case len(a) == 0 || b[0].Age < a[0].Age:
			r.ages = append(r.ages, b[0])
			b = b[1:]
		default:
			r.ages = append(r.ages, policy.AgeCount{Age: a[0].Age, Jobs: a[0].Jobs + b[0].Jobs})
			a, b = a[1:], b[1:]
		}
	}
	v.PendingByAge = r.ages[merged:len(r.ages):len(r.ages)]
}
