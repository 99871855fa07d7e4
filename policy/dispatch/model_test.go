package dispatch

import (
	"cmp"
	"math/bits"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy/draw"
)

// model is the queue once more, as dumb as possible: a list of jobs that is
// searched from end to end for everything. It knows no heap, no flow and no
// parking, and forgets nothing but ended jobs.
type model struct {
	opt     Options
	now     int64
	nextID  int64
	jobs    []*modelJob // by id
	kinds   map[string]*modelKind
	names   []string // of the kinds, in the order in which they came
	keys    map[string]int
	weights map[string]int64
	served  map[modelAccount]int64
	clocks  map[uint8]int64
	workers map[string]int64
	idem    map[string]*modelIdem
	totals  Totals
}

type modelJob struct {
	Stored
}

type modelKind struct {
	paused bool
	limit  Limit
	full   int64
}

type modelAccount struct {
	tenant   string
	priority uint8
}

type modelIdem struct {
	job   int64
	until int64 // never while the job lives
}

func newModel(opt Options) *model {
	return &model{
		opt: opt.withDefaults(), nextID: 1,
		kinds: map[string]*modelKind{}, keys: map[string]int{}, weights: map[string]int64{},
		served: map[modelAccount]int64{}, clocks: map[uint8]int64{}, workers: map[string]int64{}, idem: map[string]*modelIdem{},
	}
}

func (m *model) advance(now int64) {
	m.now = max(m.now, now)
	due := slices.Clone(m.jobs)
	slices.SortStableFunc(due, func(a, b *modelJob) int { return cmp.Compare(a.Due, b.Due) })
	for _, j := range due {
		if j.State == Delayed && j.Due <= m.now {
			j.Due = 0
			m.wait(j)
		}
	}
	m.jobs = slices.DeleteFunc(m.jobs, func(j *modelJob) bool {
		return (j.State == Done || j.State == Cancelled) && later(j.Since, m.opt.RememberFor) <= m.now
	})
	for name, e := range m.idem {
		if e.until <= m.now {
			delete(m.idem, name)
		}
	}
}

func (m *model) find(id int64) *modelJob {
	for _, j := range m.jobs {
		if j.ID == id {
			return j
		}
	}
	return nil
}

func (m *model) count(s State) (n int) {
	for _, j := range m.jobs {
		if j.State == s {
			n++
		}
	}
	return n
}

func (m *model) weight(tenant string) int64 { return max(1, m.weights[tenant]) }

func (m *model) waitingOf(a modelAccount) (n int) {
	for _, j := range m.jobs {
		if j.State == Waiting && j.Tenant == a.tenant && j.Priority == a.priority {
			n++
		}
	}
	return n
}

func (m *model) wait(j *modelJob) {
	if a := (modelAccount{j.Tenant, j.Priority}); m.waitingOf(a) == 0 {
		m.served[a] = max(m.served[a], m.clocks[j.Priority])
	}
	j.State = Waiting
}

func (m *model) kind(name string) *modelKind {
	if m.kinds[name] == nil {
		m.kinds[name] = &modelKind{}
		m.names = append(m.names, name)
	}
	return m.kinds[name]
}

func (m *model) enqueue(s Spec, now int64) (int64, bool) {
	m.advance(now)
	if e := m.idem[s.IdempotencyKey]; e != nil && s.IdempotencyKey != "" {
		m.totals.Repeated++
		return e.job, false
	}
	m.kind(s.Type)
	j := &modelJob{Stored: Stored{Spec: s, ID: m.nextID}}
	m.nextID++
	j.RunAt = max(s.RunAt, m.now)
	if j.AttemptsMax == 0 {
		j.AttemptsMax = m.opt.AttemptsMax
	}
	if s.IdempotencyKey != "" {
		m.idem[s.IdempotencyKey] = &modelIdem{j.ID, never}
	}
	m.totals.Enqueued++
	if j.RunAt > m.now {
		j.State, j.Due = Delayed, j.RunAt
	} else {
		m.wait(j)
	}
	m.jobs = append(m.jobs, j)
	return j.ID, true
}

func (m *model) running(what func(*modelJob) bool) (n int) {
	for _, j := range m.jobs {
		if j.State == Leased && what(j) {
			n++
		}
	}
	return n
}

func (m *model) mayStart(j *modelJob, types []string) bool {
	k := m.kinds[j.Type]
	if j.State != Waiting || k.paused || len(types) > 0 && !slices.Contains(types, j.Type) {
		return false
	}
	if n := k.limit.Running; n > 0 && m.running(func(o *modelJob) bool { return o.Type == j.Type }) >= n {
		return false
	}
	if e := int64(k.limit.Every); e > 0 && k.full-e*int64(max(1, k.limit.Burst)-1) > m.now {
		return false
	}
	if j.ConcurrencyKey == "" {
		return true
	}
	limit := m.keys[j.ConcurrencyKey]
	if limit == 0 {
		limit = m.opt.KeyLimit
	}
	return m.running(func(o *modelJob) bool { return o.ConcurrencyKey == j.ConcurrencyKey }) < limit
}

// pick returns the job that goes next: the first within each priority, then
// the first of those.
func (m *model) pick(types []string) *modelJob {
	firsts := map[uint8]*modelJob{}
	older := func(a, b *modelJob) bool { return a.RunAt < b.RunAt || a.RunAt == b.RunAt && a.ID < b.ID }
	for _, j := range m.jobs {
		if !m.mayStart(j, types) {
			continue
		}
		best := firsts[j.Priority]
		served := m.served[modelAccount{j.Tenant, j.Priority}]
		if !m.opt.Fair {
			served = 0
		}
		var bestServed int64
		if best != nil && m.opt.Fair {
			bestServed = m.served[modelAccount{best.Tenant, best.Priority}]
		}
		if best == nil || served < bestServed || served == bestServed && older(j, best) {
			firsts[j.Priority] = j
		}
	}
	var best *modelJob
	var bestAt int64
	for p := range 256 {
		j := firsts[uint8(p)]
		if j == nil {
			continue
		}
		at := int64(p)
		if m.opt.AgeStep > 0 {
			at = max(0, at-(m.now-j.RunAt)/int64(m.opt.AgeStep))
		}
		if best == nil || at < bestAt || at == bestAt && older(j, best) {
			best, bestAt = j, at
		}
	}
	return best
}

func (m *model) hear(worker string) { m.workers[worker] = later(m.now, m.opt.LeaseTTL) }

func (m *model) lease(worker string, types []string, slots int, now int64) []Grant {
	m.advance(now)
	m.hear(worker)
	var out []Grant
	for range slots {
		j := m.pick(types)
		if j == nil {
			break
		}
		if m.opt.Fair {
			a := modelAccount{j.Tenant, j.Priority}
			var weights int64
			seen := map[string]bool{}
			for _, o := range m.jobs {
				if o.State == Waiting && o.Priority == j.Priority && !seen[o.Tenant] {
					seen[o.Tenant] = true
					weights += m.weight(o.Tenant)
				}
			}
			m.clocks[j.Priority] = max(m.clocks[j.Priority], m.served[a]) + jobShare/weights
			m.served[a] += jobShare / m.weight(j.Tenant)
		}
		k := m.kinds[j.Type]
		if k.limit.Every > 0 {
			k.full = max(k.full, m.now) + int64(k.limit.Every)
		}
		j.Attempts++
		j.Token = max(j.Token+1, Token(m.opt.Epoch)<<32|1)
		m.lend(j, worker)
		m.totals.Leased++
		out = append(out, m.grant(j))
	}
	return out
}

func (m *model) lend(j *modelJob, worker string) {
	j.State, j.Worker, j.Started, j.Seen, j.EndedBy = Leased, worker, m.now, m.now, CauseNone
}

func (m *model) grant(j *modelJob) Grant {
	g := Grant{ID: j.ID, Token: j.Token, Type: j.Type, Tenant: j.Tenant, Priority: j.Priority, Attempt: j.Attempts, Arrival: j.RunAt, Until: m.workers[j.Worker]}
	if j.MaxRun > 0 {
		g.Deadline = j.Started + int64(j.MaxRun)
	}
	return g
}

func (m *model) effect(j *modelJob, c Cause) Effect {
	return Effect{ID: j.ID, Cause: c, Type: j.Type, Tenant: j.Tenant, Priority: j.Priority, Attempt: j.Attempts, Worker: j.Worker, Token: j.Token, Arrival: j.RunAt, Started: j.Started}
}

func (m *model) after(e Effect, j *modelJob) Effect {
	e.State, e.Due = j.State, j.Due
	return e
}

func (m *model) unlend(j *modelJob, how Cause) {
	j.State, j.Worker, j.Started, j.Seen, j.EndedBy = Unknown, "", 0, 0, how
}

func (m *model) end(j *modelJob, s State) {
	j.State, j.Since, j.Due, j.Cancelling = s, m.now, 0, false
	if s == Done {
		m.totals.Completed++
	} else {
		m.totals.Cancelled++
	}
	if j.IdempotencyKey != "" {
		m.idem[j.IdempotencyKey].until = later(m.now, m.opt.KeyFor)
		j.IdempotencyKey = ""
	}
}

func (m *model) holder(id int64, token Token, how Cause) (*modelJob, Status) {
	j := m.find(id)
	switch {
	case j == nil || j.Token != token:
		return nil, Stale
	case j.State == Leased:
		return j, Accepted
	case j.EndedBy == how:
		return nil, Duplicate
	}
	return nil, Stale
}

func (m *model) complete(id int64, token Token, now int64) (Status, Effect) {
	m.advance(now)
	j, status := m.holder(id, token, CauseCompleted)
	if j == nil {
		return status, Effect{}
	}
	e := m.effect(j, CauseCompleted)
	m.unlend(j, CauseCompleted)
	m.end(j, Done)
	return Accepted, m.after(e, j)
}

func (m *model) fail(id int64, token Token, final bool, now int64) (Status, Effect) {
	m.advance(now)
	j, status := m.holder(id, token, CauseFailed)
	if j == nil {
		return status, Effect{}
	}
	return Accepted, m.failed(j, CauseFailed, CauseFailed, final)
}

func (m *model) failed(j *modelJob, how, cause Cause, final bool) Effect {
	e := m.effect(j, cause)
	m.unlend(j, how)
	m.totals.Failed++
	j.Failures++
	switch {
	case j.Cancelling:
		e.Cause = CauseCancelled
		m.end(j, Cancelled)
	case final || j.Failures >= j.AttemptsMax:
		m.totals.Dead++
		j.State = Dead
	default:
		bound := m.opt.BackoffBase
		for range j.Failures - 1 {
			bound = min(2*bound, m.opt.BackoffMax)
		}
		const golden = 0x9e3779b97f4a7c15
		h := draw.Mix(m.opt.Seed + uint64(j.ID)*golden + golden)
		h, _ = bits.Mul64(draw.Mix(h+uint64(j.Failures)+golden), uint64(min(bound, m.opt.BackoffMax))+1)
		if h == 0 {
			m.wait(j)
		} else {
			j.State, j.Due = Delayed, m.now+int64(h)
		}
	}
	return m.after(e, j)
}

func (m *model) release(id int64, token Token, now int64) (Status, Effect) {
	m.advance(now)
	j, status := m.holder(id, token, CauseReleased)
	if j == nil {
		return status, Effect{}
	}
	return Accepted, m.giveBack(j, CauseReleased)
}

func (m *model) giveBack(j *modelJob, how Cause) Effect {
	e := m.effect(j, how)
	m.unlend(j, how)
	if how == CauseLost {
		j.Losses++
		m.totals.Lost++
	} else {
		j.Attempts--
		m.totals.Released++
	}
	switch {
	case j.Cancelling:
		e.Cause = CauseCancelled
		m.end(j, Cancelled)
	case how == CauseLost && j.Losses >= m.opt.LossesMax:
		m.totals.Quarantined++
		j.State = Quarantined
	default:
		m.wait(j)
	}
	return m.after(e, j)
}

func (m *model) beat(worker string, running []Claim, now int64) Report {
	m.advance(now)
	m.hear(worker)
	var report Report
	for _, c := range running {
		j := m.find(c.ID)
		if j == nil || j.State != Leased || j.Token != c.Token || j.Worker != worker {
			report.Lost = append(report.Lost, c)
			continue
		}
		j.Seen = m.now
		if j.Cancelling {
			report.Cancel = append(report.Cancel, j.ID)
		}
	}
	for _, j := range m.jobs {
		if j.State == Leased && j.Worker == worker && j.Seen+int64(m.opt.ConfirmWithin) <= m.now {
			report.Effects = append(report.Effects, m.giveBack(j, CauseReleased))
		}
	}
	return report
}

func (m *model) dismiss(worker string, how Cause) (out []Effect) {
	for _, j := range m.jobs {
		if j.State == Leased && j.Worker == worker {
			out = append(out, m.giveBack(j, how))
		}
	}
	delete(m.workers, worker)
	return out
}

func (m *model) expire(now int64) (out []Effect) {
	m.advance(now)
	for {
		var first string
		for name, until := range m.workers {
			if until <= m.now && (first == "" || name < first) {
				first = name
			}
		}
		if first == "" {
			break
		}
		out = append(out, m.dismiss(first, CauseLost)...)
	}
	late := slices.Clone(m.jobs)
	slices.SortStableFunc(late, func(a, b *modelJob) int {
		return cmp.Compare(a.Started+int64(a.MaxRun), b.Started+int64(b.MaxRun))
	})
	for _, j := range late {
		if j.State == Leased && j.MaxRun > 0 && j.Started+int64(j.MaxRun) <= m.now {
			m.totals.PastDeadline++
			out = append(out, m.failed(j, CauseLost, CausePastDeadline, false))
		}
	}
	return out
}

func (m *model) adopt(worker string, running []Claim, now int64) (notYours []Claim) {
	m.advance(now)
	m.hear(worker)
	for _, c := range running {
		j := m.find(c.ID)
		switch {
		case j != nil && j.State == Leased && j.Token == c.Token && j.Worker == worker:
			j.Seen = m.now
		case j != nil && c.Token > j.Token && c.Token.Epoch() < m.opt.Epoch && (j.State == Waiting || j.State == Delayed || j.State == Leased):
			j.Attempts++
			j.Token, j.Due = c.Token, 0
			m.lend(j, worker)
			m.totals.Adopted++
		default:
			notYours = append(notYours, c)
		}
	}
	return notYours
}

func (m *model) cancel(id, now int64) (Effect, bool) {
	m.advance(now)
	j := m.find(id)
	if j == nil || j.State == Done || j.State == Cancelled {
		return Effect{}, false
	}
	e := m.effect(j, CauseCancelled)
	if j.State == Leased {
		j.Cancelling = true
	} else {
		m.end(j, Cancelled)
	}
	return m.after(e, j), true
}

func (m *model) retry(id, now int64) (Effect, bool) {
	m.advance(now)
	j := m.find(id)
	if j == nil || j.State != Dead && j.State != Quarantined && j.State != Delayed {
		return Effect{}, false
	}
	if j.State == Delayed {
		j.RunAt = min(j.RunAt, m.now)
		j.Due = 0
	} else {
		j.Failures, j.Losses = 0, 0
	}
	e := m.effect(j, CauseRetried)
	m.wait(j)
	return m.after(e, j), true
}

func (m *model) setPriority(id int64, p uint8, now int64) bool {
	m.advance(now)
	j := m.find(id)
	if j == nil || j.State == Done || j.State == Cancelled {
		return false
	}
	if j.State == Waiting && j.Priority != p {
		j.State = Unknown
		j.Priority = p
		m.wait(j)
	}
	j.Priority = p
	return true
}

func (m *model) wake() (at int64, ok bool) {
	at = never
	for _, j := range m.jobs {
		if j.State == Delayed {
			at = min(at, j.Due)
		}
		if j.State == Leased && j.MaxRun > 0 {
			at = min(at, j.Started+int64(j.MaxRun))
		}
	}
	for _, until := range m.workers {
		at = min(at, until)
	}
	return at, at != never
}

func (m *model) backlogs() (out []Backlog) {
	for _, name := range m.names {
		for p := range 3 { // the priorities that occur
			b := Backlog{Type: name, Priority: uint8(p), Oldest: never, Paused: m.kinds[name].paused}
			for _, j := range m.jobs {
				if j.State == Waiting && j.Type == name && int(j.Priority) == p {
					b.Jobs++
					b.Estimate += time.Duration(j.Estimate)
					b.Oldest = min(b.Oldest, j.RunAt)
				}
			}
			if b.Jobs > 0 {
				b.Running = m.running(func(j *modelJob) bool { return j.Type == name })
				out = append(out, b)
			}
		}
	}
	return out
}
