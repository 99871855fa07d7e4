package queue

import (
	"cmp"
	"maps"
	"runtime"
	"slices"
	"sort"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// Stats returns what the queue looks like now; with a tenant, that tenant's jobs
// alone, without ages, flows and workers, which are not kept by tenant, at the
// cost of a look at every job in memory.
func (e *Engine) Stats(tenant string) api.Stats {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := e.clock.now()
	s := api.Stats{
		At: e.at(now), Cluster: e.opt.Cluster, Leader: e.err == nil, Epoch: e.epoch, UptimeS: e.clock.read().Sub(e.began).Seconds(),
		States: map[api.State]int64{}, Pending: []api.Pending{}, Flows: []api.Flow{}, Services: []api.Service{},
	}
	for _, state := range api.States {
		s.States[state] = 0
	}
	if tenant != "" {
		e.tenantStats(&s, tenant, now)
		return s
	}
	for state, name := range apiStates {
		s.States[name] = int64(e.q.Len(state))
	}
	s.States[api.StateWaiting] += e.cold.jobs
	var means map[string]float64
	s.Services, means = e.sketches(now)
	for _, k := range e.kinds() {
		t := e.tallies[k]
		if p := e.pendingOf(k, t, means, now); p.Waiting+p.Delayed+p.Leased > 0 {
			s.Pending = append(s.Pending, p)
		}
		if t != nil {
			if f, some := t.flows(now); some {
				s.Flows = append(s.Flows, f)
			}
		}
	}
	s.Speeds = maps.Clone(e.speeds)
	s.Workers = e.workerCounts(now)
	s.Totals = e.totals()
	return s
}

// kinds returns all types and priorities, in order.
func (e *Engine) kinds() []tallyKey {
	all := make([]tallyKey, 0, len(e.tallies))
	for k := range e.tallies {
		all = append(all, k)
	}
	for k := range e.cold.counts {
		if e.tallies[k] == nil {
			all = append(all, k)
		}
	}
	slices.SortFunc(all, func(a, b tallyKey) int {
		return cmp.Or(cmp.Compare(a.jobType, b.jobType), cmp.Compare(a.priority, b.priority))
	})
	return all
}

func (e *Engine) pendingOf(k tallyKey, t *tally, means map[string]float64, now int64) api.Pending {
	p := api.Pending{Type: k.jobType, Priority: int(k.priority), Ages: make([]int64, len(api.AgeBoundsS)+1)}
	if q := e.queues[k.jobType]; q != nil {
		p.Paused = q.Paused
	}
	var estimate, unknown int64
	oldest := now
	if t != nil {
		p.Waiting, p.Delayed, p.Leased = t.waiting, t.delayed, t.leased
		estimate, unknown = t.estimate, t.unknown
		for second, n := range t.ages {
			arrival := min(second*int64(time.Second), now)
			oldest = min(oldest, arrival)
			p.Ages[ageBucket(now-arrival)] += n
		}
	}
	if c := e.cold.counts[k]; c != nil && c.Jobs > 0 {
		p.Waiting += c.Jobs
		estimate += c.Estimate
		unknown += c.Unknown
		oldest = min(oldest, c.Oldest)
		p.Ages[ageBucket(now-c.Oldest)] += c.Jobs // none of them is older
	}
	p.EstimateS = float64(estimate) / 1e9
	if mean, known := means[k.jobType]; known {
		p.EstimateS += float64(mean * float64(unknown))
	} else {
		p.Unknown = unknown
	}
	if p.Waiting > 0 {
		p.OldestS = float64(now-oldest) / 1e9
	}
	return p
}

// ageBucket returns which of the age buckets an age belongs to.
func ageBucket(ns int64) int { return sort.SearchFloat64s(api.AgeBoundsS, float64(ns)/1e9) }

// flows returns what came and went; some is false if nothing did in the last
// hour.
func (t *tally) flows(now int64) (f api.Flow, some bool) {
	f = api.Flow{Type: t.jobType, Priority: int(t.priority)}
	for i, d := range []time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour} {
		c := t.over(now, d)
		for _, w := range []struct {
			into *api.Windows
			v    float64
		}{
			{&f.Arrived, float64(c.Arrived)},
			{&f.ArrivedS, float64(c.ArrivedWork) / 1e9},
			{&f.Completed, float64(c.Completed)},
			{&f.Failed, float64(c.Failed)},
			{&f.Retried, float64(c.Retried)},
			{&f.Lost, float64(c.Lost)},
		} {
			*[]*float64{&w.into.M1, &w.into.M5, &w.into.M15, &w.into.M60}[i] = w.v
		}
		some = some || c != MinuteCounts{}
	}
	return f, some
}

func (e *Engine) workerCounts(now int64) (c api.WorkerCounts) {
	for _, w := range e.workers {
		if e.silent(w, now) {
			c.Silent++
			continue
		}
		c.Workers++
		if holdsBack(e.directiveFor(w, now)) {
			c.Draining++
		}
		c.Slots += int64(w.Slots)
		c.SlotsBusy += int64(w.busy)
	}
	return c
}

// totals returns what ever happened, under earlier leaders too.
func (e *Engine) totals() api.Totals {
	t, b := e.q.Totals(), e.before
	return api.Totals{
		Enqueued: b.Enqueued + t.Enqueued + e.cold.admitted, Repeated: b.Repeated + t.Repeated, Leased: b.Leased + t.Leased, Completed: b.Completed + t.Completed,
		Failed: b.Failed + t.Failed, PastDeadline: b.PastDeadline + t.PastDeadline, Released: b.Released + t.Released, Lost: b.Lost + t.Lost,
		Dead: b.Dead + t.Dead, Quarantined: b.Quarantined + t.Quarantined, Cancelled: b.Cancelled + t.Cancelled, Adopted: b.Adopted + t.Adopted,
	}
}

// tenantStats fills in what is known of one tenant's jobs. It lets others in
// while it looks: a job that changes meanwhile is counted as it was or as it is.
func (e *Engine) tenantStats(s *api.Stats, tenant string, now int64) {
	pending := map[tallyKey]*api.Pending{}
	count := func(_ int64, j *job) bool {
		if j.tenant != tenant {
			return true
		}
		s.States[apiStates[j.state]]++
		p := pending[j.tally.tallyKey]
		if p == nil {
			p = &api.Pending{Type: j.tally.jobType, Priority: int(j.tally.priority), Ages: make([]int64, len(api.AgeBoundsS)+1)}
			pending[j.tally.tallyKey] = p
		}
		switch j.state {
		case dispatch.Waiting:
			p.Waiting++
			p.Unknown += unknown(j.estimate)
			p.EstimateS += float64(j.estimate) / 1e9
			age := max(0, now-j.arrival)
			p.Ages[ageBucket(age)]++
			p.OldestS = max(p.OldestS, float64(age)/1e9)
		case dispatch.Delayed:
			p.Delayed++
		case dispatch.Leased:
			p.Leased++
		}
		return true
	}
	for after, more := int64(0), true; more; {
		if after, more = e.jobs.Step(after, lookStep, count); more {
			e.mu.Unlock()
			runtime.Gosched() // whoever waits for the lock shall have it
			e.mu.Lock()
		}
	}
	for _, k := range e.kinds() {
		if p := pending[k]; p != nil && p.Waiting+p.Delayed+p.Leased > 0 {
			s.Pending = append(s.Pending, *p)
		}
	}
}
