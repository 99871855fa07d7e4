package queue

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/dispatch"
	"github.com/skynet-ec2/skynet/policy/observe"
)

// seen counts what happened to the jobs of one type, priority and size since the
// engine leads. A controller makes windows and sketches of it, the same way as
// the simulator does.
type seen struct {
	lateAfter int64 // ns of waiting from which a start is late

	arrived, estimated, started, startedLate, completed, failed, returned, lost int64

	estimate      int64 // ns, of the arrived jobs that have one
	work, squares float64
	works         map[int]int64 // completed jobs by observe.WorkBucket
}

func newSeen(lateAfter int64) seen { return seen{lateAfter: lateAfter, works: map[int]int64{}} }

// moved counts a job's change of state, which is not booked yet.
func (s *seen) moved(j *job, to dispatch.State, now int64) {
	switch {
	case to == dispatch.Leased:
		s.started++
		if now-j.arrival > s.lateAfter {
			s.startedLate++
		}
	case j.state == dispatch.Leased && to != dispatch.Done:
		s.returned++
	}
	if to == dispatch.Waiting && !j.arrived {
		s.arrived++
		if j.estimate > 0 {
			s.estimated++
			s.estimate += j.estimate
		}
	}
}

// done counts a completed job that ran so many nanoseconds on a slot of the
// given speed.
func (s *seen) done(ran int64, speed float64) {
	work := float64(ran) * speed
	s.completed++
	s.work += work / 1e9
	s.squares += work / 1e9 * (work / 1e9)
	s.works[observe.WorkBucket(int64(work))]++
}

// ranOn counts that a job ran for so many nanoseconds.
func (e *Engine) ranOn(k ranKey, ns int64) {
	r := e.rans[k]
	if r == nil {
		r = ran{}
		e.rans[k] = r
	}
	r[observe.WorkBucket(ns)]++
}

// slotTime is how many slots there are of a kind, and for how long there have
// been.
type slotTime struct {
	slots int64
	since int64 // when their number last changed
	total int64 // slot-nanoseconds up to then
}

// change books that there are n slots more from now on.
func (t *slotTime) change(now, n int64) {
	t.total += t.slots * max(0, now-t.since)
	t.slots += n
	t.since = now
}

// seconds returns the slot-seconds up to now.
func (t *slotTime) seconds(now int64) float64 {
	t.change(now, 0)
	return float64(t.total) / 1e9
}

// recount books how many slots of a worker are ready from now on: all of one that
// works, those with leases of one that is to end, none of one that is silent.
func (e *Engine) recount(w *worker, now int64) {
	op := e.directiveFor(w, now).Op
	w.drains = op == api.OpDrain || op == api.OpShutdown
	e.count(w, now)
}

// count is recount for a worker that is to do what it was to do before.
func (e *Engine) count(w *worker, now int64) {
	n := int64(w.Slots)
	switch {
	case e.silent(w, now):
		n = 0
	case w.drains:
		n = int64(w.busy)
	}
	if n != w.ready {
		e.ready.change(now, n-w.ready)
		w.ready = n
	}
}

// speedOf returns the speed of a slot of an instance type.
func (e *Engine) speedOf(instanceType string) float64 {
	if v, known := e.speeds[instanceType]; known {
		return v
	}
	return 1
}

// Observe returns what a controller decides by. Speeds and waits of the request
// hold from now on.
func (e *Engine) Observe(r api.ObserveRequest) (api.Observed, error) {
	lateAfter := make(map[lateKey]int64, len(r.LateAfter))
	for _, l := range r.LateAfter {
		if err := cmp.Or(checkName("late_after.type", l.Type, 1), checkNumber("late_after.priority", l.Priority, 0, 255), checkNumber("late_after.size", l.Size, 0, 15)); err != nil {
			return api.Observed{}, err
		}
		if !(l.AfterS >= 0) {
			return api.Observed{}, refuse(api.CodeInvalid, "late_after.after_s", "after_s %v: must be at least 0", l.AfterS)
		}
		lateAfter[lateKey{tallyKey{l.Type, uint8(l.Priority)}, uint8(l.Size)}] = nanoseconds(l.AfterS)
	}
	for name, v := range r.Speeds {
		if !(v > 0) || math.IsInf(v, 0) {
			return api.Observed{}, refuse(api.CodeInvalid, "speeds", "speed %v of %q: must be above 0", v, name)
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.err != nil {
		return api.Observed{}, refuse(api.CodeNotLeader, "", "this queue does not lead: %v", e.err)
	}
	e.speeds, e.lateAfter = r.Speeds, lateAfter
	now := e.clock.now()
	for _, w := range e.workers {
		e.count(w, now) // time alone makes silent
	}
	o := api.Observed{
		At: e.at(now), Epoch: e.epoch, BusyS: e.held.seconds(now), ReadyS: e.ready.seconds(now),
		Kinds: []api.ObservedKind{}, Workers: []api.ObservedWorker{},
	}
	index := map[*sized]int{}
	for _, k := range e.kinds() {
		t := e.tallyOf(k.jobType, k.priority)
		if e.cold.counts[k] != nil || len(t.sizes) == 0 {
			e.sizedOf(t, 0) // nobody knows of what size they are
		}
		for _, size := range slices.Sorted(maps.Keys(t.sizes)) {
			s := t.sizes[size]
			s.seen.lateAfter = e.lateFrom(k, size)
			index[s] = len(o.Kinds)
			o.Kinds = append(o.Kinds, e.observed(k, s, now))
		}
	}
	e.observedRuns(&o)
	e.observedWorkers(&o, index, now)
	o.TakenBack = e.noticesAt(now)
	return o, nil
}

// observed describes the jobs of one kind and size.
func (e *Engine) observed(k tallyKey, t *sized, now int64) api.ObservedKind {
	s := &t.seen
	o := api.ObservedKind{
		Type: k.jobType, Priority: int(k.priority), Size: int(t.size),
		Arrived: s.arrived, ArrivedEstimated: s.estimated, ArrivedEstimateS: float64(s.estimate) / 1e9,
		Started: s.started, StartedLate: s.startedLate, Completed: s.completed,
		Failed: s.failed, Returned: s.returned, Lost: s.lost,
		WorkS: s.work, WorkSquaredS2: s.squares,
		Waiting: t.waiting, Leased: t.leased,
	}
	if q := e.queues[k.jobType]; q != nil {
		o.Paused = q.Paused
	}
	o.Works = countsOf(s.works)
	estimate, unknown := t.estimate, t.unknown
	arrivals := map[int64]int64{}
	for second, n := range t.ages {
		arrivals[second/10] += n
	}
	if c := e.cold.counts[k]; c != nil && c.Jobs > 0 && t.size == 0 {
		o.Waiting += c.Jobs
		estimate += c.Estimate
		unknown += c.Unknown
		arrivals[min(c.Oldest, now)/int64(policy.AgeStep)] += c.Jobs // none of them is older
	}
	o.WaitingEstimated, o.WaitingEstimateS = o.Waiting-unknown, float64(estimate)/1e9
	o.Arrivals = countsOf(arrivals)
	return o
}

// countsOf lists counts in the order of what they count.
func countsOf[K int | int64](of map[K]int64) (counts []api.Count) {
	for k, n := range of {
		counts = append(counts, api.Count{Of: int64(k), Jobs: n})
	}
	slices.SortFunc(counts, func(a, b api.Count) int { return cmp.Compare(a.Of, b.Of) })
	return counts
}

// observedRuns lists how long jobs ran on which instance types.
func (e *Engine) observedRuns(o *api.Observed) {
	for k, r := range e.rans {
		o.Runs = append(o.Runs, api.ObservedRun{Type: k.jobType, Size: int(k.size), InstanceType: k.instanceType, Times: countsOf(r)})
	}
	slices.SortFunc(o.Runs, func(a, b api.ObservedRun) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.Size, b.Size), cmp.Compare(a.InstanceType, b.InstanceType))
	})
}

// observedWorkers lists the workers and their leases.
func (e *Engine) observedWorkers(o *api.Observed, index map[*sized]int, now int64) {
	running := map[*worker][]api.ObservedJob{}
	for _, j := range e.running.From(1) {
		if j.worker != nil {
			running[j.worker] = append(running[j.worker], api.ObservedJob{
				Kind: index[j.sized], ElapsedS: float64(now-j.started) / 1e9, EstimateS: float64(j.estimate) / 1e9,
			})
		}
	}
	for _, w := range e.workers {
		jobs := running[w]
		slices.SortFunc(jobs, func(a, b api.ObservedJob) int {
			return cmp.Or(cmp.Compare(b.ElapsedS, a.ElapsedS), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.EstimateS, b.EstimateS))
		})
		o.Workers = append(o.Workers, api.ObservedWorker{
			WorkerID: w.ID, InstanceID: w.InstanceID, InstanceType: w.InstanceType, Zone: w.Zone, Slots: w.Slots,
			RegisteredAt: w.RegisteredAt, SeenAt: e.at(w.seen), Boot: w.Boot,
			Directive: e.directiveFor(w, now).Op, Running: jobs,
		})
	}
	slices.SortFunc(o.Workers, func(a, b api.ObservedWorker) int {
		return cmp.Or(cmp.Compare(a.InstanceID, b.InstanceID), a.RegisteredAt.Compare(b.RegisteredAt), cmp.Compare(a.WorkerID, b.WorkerID))
	})
}
