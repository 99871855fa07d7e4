package queue

import (
	"time"

	"github.com/skynet-ec2/skynet/policy/byid"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// job is what the engine keeps of a job that has not ended, beside what the
// state machine keeps.
type job struct {
	tally    *tally
	sized    *sized // among the tally's sizes
	group    *group
	worker   *worker // that has it, or had it last
	args     []byte
	tenant   string
	key      string // idempotency key, as the state machine knows it
	err      string // of the latest attempt that failed
	created  int64
	arrival  int64
	promise  int64
	estimate int64
	bytesIn  int64
	handOut  int64 // while leased
	started  int64 // of the latest lease
	progress float64
	state    dispatch.State
	arrived  bool // it could run at least once
}

// jobTable is jobs by their ids.
type jobTable = byid.Table[*job]

func (j *job) groupID() string {
	if j.group == nil {
		return ""
	}
	return j.group.ID
}

// tallyKey is a job type and priority.
type tallyKey struct {
	jobType  string
	priority uint8
}

// tally counts the jobs of one type and priority.
type tally struct {
	tallyKey
	waiting, delayed, leased int64
	estimate                 int64           // ns, of the waiting jobs that have one
	unknown                  int64           // waiting jobs without
	ages                     map[int64]int64 // waiting jobs by the second in which they arrived
	flow                     [flowSteps]flowStep
	minute                   Minute           // not written yet
	sizes                    map[uint8]*sized // by traces' bucket of bytes_in
}

// Flows are counted in steps of ten seconds, over an hour.
const (
	flowStepLong = int64(10 * time.Second)
	flowSteps    = 361
)

type flowStep struct {
	at int64 // number of the step since 1970
	MinuteCounts
}

func (e *Engine) tallyOf(jobType string, priority uint8) *tally {
	k := tallyKey{jobType, priority}
	t := e.tallies[k]
	if t == nil {
		t = &tally{tallyKey: k, ages: map[int64]int64{}, sizes: map[uint8]*sized{}}
		e.tallies[k] = t
	}
	return t
}

// note counts something that happened at now.
func (t *tally) note(now int64, c MinuteCounts) *Minute {
	at := now / flowStepLong
	s := &t.flow[at%flowSteps]
	if s.at != at {
		*s = flowStep{at: at}
	}
	s.Add(c)
	var full *Minute
	if began := now - now%int64(time.Minute); t.minute.At != began {
		if t.minute.At != 0 {
			m := t.minute
			full = &m
		}
		t.minute = Minute{At: began, Type: t.jobType, Priority: t.priority}
	}
	t.minute.Add(c)
	return full
}

// over sums up the last d.
func (t *tally) over(now int64, d time.Duration) (sum MinuteCounts) {
	last := now / flowStepLong
	for at := last - int64(d)/flowStepLong + 1; at <= last; at++ {
		if s := &t.flow[at%flowSteps]; s.at == at {
			sum.Add(s.MinuteCounts)
		}
	}
	return sum
}

// note counts something that happened to a job.
func (e *Engine) note(t *tally, now int64, c MinuteCounts) {
	if full := t.note(now, c); full != nil {
		b := e.open()
		b.Minutes = append(b.Minutes, *full)
	}
}

// flushMinutes moves what was counted of this minute into the next batch.
func (e *Engine) flushMinutes(now int64) {
	for _, t := range e.tallies {
		if t.minute.MinuteCounts != (MinuteCounts{}) {
			b := e.open()
			b.Minutes = append(b.Minutes, t.minute)
			t.minute.MinuteCounts = MinuteCounts{}
		}
	}
}

// move books a job's change of state.
func (e *Engine) move(id int64, j *job, to dispatch.State, now int64) {
	t := j.tally
	if j.sized == nil {
		j.sized = e.sizedOf(t, j.bytesIn)
	}
	j.sized.moved(j, to, now)
	switch j.state {
	case dispatch.Waiting:
		t.waiting--
		t.age(j.arrival, -1)
		t.expect(j.estimate, -1)
	case dispatch.Delayed:
		t.delayed--
	case dispatch.Leased:
		t.leased--
		e.held.change(now, -1)
		e.running.Remove(id)
	case dispatch.Dead, dispatch.Quarantined:
		e.resting.Remove(id)
	}
	if g := j.group; g != nil {
		g.count(j.state, -1)
		g.count(to, 1)
		if ends(j.state) || ends(to) || j.state == dispatch.Unknown {
			e.noteGroup(g)
		}
	}
	j.state = to
	switch to {
	case dispatch.Waiting:
		t.waiting++
		t.age(j.arrival, 1)
		t.expect(j.estimate, 1)
		if !j.arrived {
			j.arrived = true
			e.note(t, now, MinuteCounts{Arrived: 1, ArrivedWork: j.estimate})
		}
	case dispatch.Delayed:
		t.delayed++
	case dispatch.Leased:
		t.leased++
		e.held.change(now, 1)
		e.running.Put(id, j)
	case dispatch.Dead, dispatch.Quarantined:
		e.resting.Put(id, j)
	}
}

// ends reports whether a group need not wait for a job in this state.
func ends(s dispatch.State) bool {
	return s == dispatch.Done || s == dispatch.Cancelled || s == dispatch.Dead || s == dispatch.Quarantined
}

func (t *tally) age(arrival, n int64) {
	second := arrival / int64(time.Second)
	if t.ages[second] += n; t.ages[second] == 0 {
		delete(t.ages, second)
	}
}

func (t *tally) expect(estimate, n int64) {
	if estimate == 0 {
		t.unknown += n
	} else {
		t.estimate += n * estimate
	}
}

// arrive books the delayed jobs whose time has come. It is due after every
// call of the state machine that names an instant, before what else it did.
func (e *Engine) arrive(now int64) {
	e.due = e.q.TakeDue(e.due[:0])
	for _, id := range e.due {
		if j := e.jobs.At(id); j != nil && j.state == dispatch.Delayed {
			e.move(id, j, dispatch.Waiting, now)
		}
	}
}
