package queue

import (
	"fmt"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// check compares the books with the state machine, job by job.
func (e *Engine) check() (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	type counts struct{ waiting, delayed, leased, estimate, unknown int64 }
	want := map[tallyKey]counts{}
	ages := map[tallyKey]map[int64]int64{}
	open := map[int64]int{}
	busy := map[string]int{}
	live := 0
	for s := range e.q.Jobs {
		if s.State == dispatch.Done || s.State == dispatch.Cancelled {
			if e.jobs.At(s.ID) != nil {
				say("job %d has ended and is still booked", s.ID)
			}
			continue
		}
		live++
		j := e.jobs.At(s.ID)
		if j == nil {
			say("job %d is not booked", s.ID)
			continue
		}
		if j.state != s.State || j.tenant != s.Tenant || j.key != s.IdempotencyKey || j.arrival != s.RunAt || j.tally.tallyKey != (tallyKey{s.Type, s.Priority}) {
			say("job %d is booked as %+v, and is %+v", s.ID, j, s)
		}
		k := tallyKey{s.Type, s.Priority}
		c := want[k]
		switch s.State {
		case dispatch.Waiting:
			c.waiting++
			c.estimate += int64(s.Estimate)
			c.unknown += unknown(s.Estimate)
			if ages[k] == nil {
				ages[k] = map[int64]int64{}
			}
			ages[k][s.RunAt/int64(time.Second)]++
		case dispatch.Delayed:
			c.delayed++
		case dispatch.Leased:
			c.leased++
			open[j.handOut]++
			busy[s.Worker]++
			if j.worker == nil || j.worker.ID != s.Worker || j.started != s.Started {
				say("job %d is booked as %s's since %d, and is %s's since %d", s.ID, j.worker.ID, j.started, s.Worker, s.Started)
			}
		case dispatch.Dead, dispatch.Quarantined:
			if e.resting.At(s.ID) != j {
				say("job %d rests and is not booked so", s.ID)
			}
		}
		want[k] = c
	}
	if live != e.jobs.Len() {
		say("%d jobs are booked, %d live", e.jobs.Len(), live)
	}
	if n := e.q.Len(dispatch.Dead) + e.q.Len(dispatch.Quarantined); n != e.resting.Len() {
		say("%d jobs are booked as resting, %d do", e.resting.Len(), n)
	}
	for k, t := range e.tallies {
		if got := (counts{t.waiting, t.delayed, t.leased, t.estimate, t.unknown}); got != want[k] {
			say("%v: counted %+v, want %+v", k, got, want[k])
		}
		if fmt.Sprint(t.ages) != fmt.Sprint(ages[k]) && len(t.ages)+len(ages[k]) > 0 {
			say("%v: ages %v, want %v", k, t.ages, ages[k])
		}
	}
	for id, n := range e.handOuts {
		gathering := e.pending != nil && slices.ContainsFunc(e.pending.Handed, func(h HandOut) bool { return h.ID == id })
		if n != open[id] || n == 0 && !gathering {
			say("hand-out %d: %d open leases, want %d", id, n, open[id])
		}
		delete(open, id)
	}
	if len(open) > 0 {
		say("leases of unknown hand-outs: %v", open)
	}
	for id, w := range e.workers {
		if w.busy != busy[id] {
			say("worker %s has %d leases, want %d", id, w.busy, busy[id])
		}
	}
	return wrong
}
