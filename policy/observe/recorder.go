package observe

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
)

// windows are the spans of Arrived and Completed, ascending.
var windows = [4]time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}

// Positions in windows.
const (
	window5m  = 1 // failures, retries and expired leases are told of this one
	window15m = 2
	window1h  = 3
)

// completedWindows is of how many of the windows completions are told.
const completedWindows = 3

// Recorder accumulates what a controller learns and builds Observations. It is
// not safe for concurrent use.
type Recorder struct {
	env    policy.Env
	origin time.Time // world time 0

	// Kinds of jobs; their types, each in each size; and the views that a policy
	// sees, in which sizes are put together. The maps tell where each of them is,
	// because a trace may have tens of thousands.
	kinds  []*Kind
	types  []*service
	views  []policy.KindView
	kindOf map[kindKey]*Kind
	typeAt map[typeKey]int
	viewAt map[viewKey]int

	// By type: mean work of a job in core-seconds, over a long time and in about the
	// last ten minutes, and the factor that corrects estimates.
	typeMean    []float64
	typeRecent  []float64
	calibration []float64

	// What was counted at each of the last ticks, in rings by tick.
	ticks       int                // recorded so far
	times       []int64            // world time of the tick
	rows        [][]windowedCounts // by kind; nil: no window looks back so far
	spareRows   [][]windowedCounts // to be used again
	windowTicks [len(windows)]int  // the tick at the start of each window, descending

	boots      bootLearner
	speeds     speedLearner
	fleetLog   eventLog
	slack      slackWindow
	profile    profile
	outcomes   []policy.Outcome
	refusals   []policy.Refusal
	calls      callLog // of EC2
	queueCalls callLog // reads of the queue
	progress   time.Time

	// Capacity that running jobs leave, in reference cores, by the step of FreeStep in
	// which they are done; 0 from freeEnd on.
	freeing [freeSteps]float64
	freeEnd int

	// Memory of the lists in the Observation.
	freeBuffer []policy.FreeCount
	ageBuffer  []policy.AgeCount
	sizeBuffer []policy.SizeCount
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

// ringTicks is how many ticks are kept: an hour of them at the shortest tick (10 s), and
// some to spare.
const ringTicks = 512

// New returns a Recorder for a world that starts at origin. Recorded work is in
// nanoseconds on the reference core.
func New(env policy.Env, origin time.Time) *Recorder {
	r := &Recorder{
		env: env, origin: origin, times: make([]int64, ringTicks), rows: make([][]windowedCounts, ringTicks),
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

// addType takes in a type of jobs and returns its index.
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
		k.seen = k.cumulative()
	}
	if done {
		r.progress = o.Now
	}
	o.Health.Progress = r.progress
}

// learn closes the step that ends at now: it learns how much work jobs are, and keeps
// what was counted for the windows.
func (r *Recorder) learn(now int64) {
	r.learnServices(now)
	r.recordTick(now)
	r.moveWindows(now)
}

// learnServices learns from what was completed and started since the last tick.
func (r *Recorder) learnServices(now int64) {
	kept := r.recentKept(now)
	for _, s := range r.types {
		s.forget(kept)
	}
	for _, k := range r.kinds {
		s := r.types[k.workType]
		s.learn(k.Completed-k.seen.completed, k.Work-k.seen.work, k.WorkSquared-k.seen.workSquared, k)
		s.addStarted(k.Started-k.seen.started-(k.Retried-k.seen.retried), k.leftEst.minus(k.seen.leftEst))
	}
	var jobs, work float64
	for _, s := range r.types {
		jobs += s.jobs
		work += s.work
	}
	prior := 1.0 // before any completion: one core-second, corrected within minutes
	if jobs > 0 {
		prior = work / jobs
	}
	for i, s := range r.types {
		s.update(prior)
		r.typeMean[i], r.typeRecent[i] = float64(s.view.Mean), s.recentMean()
		r.calibration[i] = s.calibration()
	}
}

// recentKept returns the part of what was recent at the last tick that still is.
func (r *Recorder) recentKept(now int64) float64 {
	var step time.Duration
	switch {
	case r.ticks > 0:
		step = time.Duration(now - r.times[(r.ticks-1)%ringTicks])
	case !r.progress.IsZero(): // what is recent was learned before a restart
		step = max(r.origin.Add(time.Duration(now)).Sub(r.progress), 0)
	}
	return detmath.Exp(-step.Seconds() / recentMemory)
}

// recordTick adds what arrived to the estimated work of every kind, and puts a row of
// the counters into the ring.
func (r *Recorder) recordTick(now int64) {
	slot := r.ticks % ringTicks
	r.times[slot] = now
	row := r.takeRow(slot)
	for i, k := range r.kinds {
		n, est, factor := k.Arrived-k.seen.arrived, k.arrivedEst.minus(k.seen.arrivedEst), r.calibration[k.workType]
		k.estimated += est.coreSeconds(n, r.typeMean[k.workType], factor)
		k.recentEstimated += est.coreSeconds(n, r.typeRecent[k.workType], factor)
		row[i] = k.windowed()
		r.setLateAfter(k)
	}
	r.ticks++
}

// takeRow puts a row for all present kinds into a slot of the ring.
func (r *Recorder) takeRow(slot int) []windowedCounts {
	row := r.rows[slot]
	if n := len(r.spareRows); row == nil && n > 0 {
		row, r.spareRows = r.spareRows[n-1], r.spareRows[:n-1]
	}
	row = slices.Grow(row[:0], len(r.kinds))[:len(r.kinds)]
	r.rows[slot] = row
	return row
}

// moveWindows makes the windows end at now. A window starts at the youngest tick that
// is at or before its span. Rows that no window needs any more are kept for new ticks.
func (r *Recorder) moveWindows(now int64) {
	latest := (r.ticks - 1) % ringTicks
	oldest := r.windowTicks[window1h]
	for w := range r.windowTicks {
		from := now - int64(windows[w])
		r.windowTicks[w] = max(r.windowTicks[w], r.ticks-ringTicks)
		for r.windowTicks[w]+1 < r.ticks && r.times[(r.windowTicks[w]+1)%ringTicks] <= from {
			r.windowTicks[w]++
		}
	}
	for ; oldest < r.windowTicks[window1h]; oldest++ {
		if slot := oldest % ringTicks; slot != latest && r.rows[slot] != nil {
			r.spareRows = append(r.spareRows, r.rows[slot])
			r.rows[slot] = nil
		}
	}
}

// setLateAfter works out the wait from which a start of this kind misses its target.
func (r *Recorder) setLateAfter(k *Kind) {
	if k.Class < 0 {
		return
	}
	c := &r.env.Classes[k.Class]
	k.LateAfter = int64(c.Target)
	if c.On == policy.Sojourn {
		k.LateAfter -= int64(r.meanService(k))
	}
}

// meanService returns the mean service time of a kind on the fastest type of the
// catalog: a job that is expected to be late there is late on any type.
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

// noCounts is what had been counted before the world began, and of a kind that was not
// known yet.
var noCounts windowedCounts

// countersBefore returns the counters of the kind at index i at the start of window w:
// zero when the world is younger than the window.
func (r *Recorder) countersBefore(i, w int, now int64) *windowedCounts {
	t := r.windowTicks[w] % ringTicks
	if r.times[t] > now-int64(windows[w]) || i >= len(r.rows[t]) {
		return &noCounts
	}
	return &r.rows[t][i]
}

// queue fills o.Queue from the counters.
func (r *Recorder) queue(o *policy.Observation, now int64) {
	for i := range r.views {
		v := &r.views[i]
		*v = policy.KindView{Type: v.Type, Priority: v.Priority, Class: v.Class}
	}
	r.ageBuffer = r.ageBuffer[:0]
	r.sizeBuffer = r.sizeBuffer[:0]
	for i, k := range r.kinds {
		r.addKind(&r.views[k.view], i, k, now)
	}
	o.Queue.Kinds = r.views
	o.Queue.At = o.Now
	o.Queue.Complete = true
}

// addKind adds the kind at index i to its view.
func (r *Recorder) addKind(v *policy.KindView, i int, k *Kind, now int64) {
	mean, recent, factor := r.typeMean[k.workType], r.typeRecent[k.workType], r.calibration[k.workType]
	pending, est := k.Waiting(), k.arrivedEst.minus(k.leftEst)
	work := est.coreSeconds(pending, mean, factor)
	v.Pending.Jobs += pending
	v.Pending.Work += policy.CoreSeconds(work)
	v.PendingLately += policy.CoreSeconds(est.coreSeconds(pending, recent, factor))
	v.InFlight.Jobs += k.Running()
	r.addAges(v, k, now)
	if k.Size > 0 && pending > 0 {
		start := len(r.sizeBuffer)
		r.sizeBuffer = append(r.sizeBuffer, v.PendingBySize...)
		r.sizeBuffer = append(r.sizeBuffer, policy.SizeCount{Size: k.Size, Jobs: pending, Work: policy.CoreSeconds(work)})
		v.PendingBySize = r.sizeBuffer[start:len(r.sizeBuffer):len(r.sizeBuffer)]
	}
	for w := range windows {
		before := r.countersBefore(i, w, now)
		v.Arrived[w].Jobs += k.Arrived - before.arrived
		v.Arrived[w].Work += policy.CoreSeconds(k.estimated - before.estimated)
		if w < completedWindows {
			v.Completed[w] += k.Completed - before.completed
		}
		if w == window5m {
			v.Failed += k.Failed - before.failed
			v.Retried += k.Retried - before.retried
			v.Expired += k.Expired - before.expired
		}
	}
	v.LastTick.Jobs += k.Arrived - k.seen.arrived
	v.LastTick.Work += policy.CoreSeconds(k.estimated - k.seen.estimated)
	v.LastTickLately += policy.CoreSeconds(k.recentEstimated - k.seen.recentEstimated)
	v.Started += k.Started - k.seen.started
	v.StartedLate += k.StartedLate - k.seen.startedLate
	if s := &r.types[k.workType].view; v.Service.Samples == 0 || s.Samples > v.Service.Samples {
		v.Service = *s
	}
}

// addAges merges the kind's ages into the view's, and counts the jobs that will miss their
// target.
func (r *Recorder) addAges(v *policy.KindView, k *Kind, now int64) {
	start := len(r.ageBuffer)
	grown, oldest := k.Ages.appendTo(r.ageBuffer, now)
	r.ageBuffer = grown
	v.OldestWait = max(v.OldestWait, oldest)
	own := r.ageBuffer[start:len(r.ageBuffer):len(r.ageBuffer)]
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
	// another size of the kind is there: merge the two sorted lists at the buffer's end
	merged := len(r.ageBuffer)
	a, b := v.PendingByAge, own
	for len(a) > 0 || len(b) > 0 {
		switch {
		case len(b) == 0 || len(a) > 0 && a[0].Age < b[0].Age:
			r.ageBuffer = append(r.ageBuffer, a[0])
			a = a[1:]
		case len(a) == 0 || b[0].Age < a[0].Age:
			r.ageBuffer = append(r.ageBuffer, b[0])
			b = b[1:]
		default:
			r.ageBuffer = append(r.ageBuffer, policy.AgeCount{Age: a[0].Age, Jobs: a[0].Jobs + b[0].Jobs})
			a, b = a[1:], b[1:]
		}
	}
	v.PendingByAge = r.ageBuffer[merged:len(r.ageBuffer):len(r.ageBuffer)]
}
