package queue_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/live/queue/postgres"
	"github.com/skynet-ec2/skynet/live/queue/postgres/pgtest"
	"github.com/skynet-ec2/skynet/live/queue/sqlite"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// The engine against the state machine alone: a plain dispatch.Queue is taken
// through the same operations, in memory and without a store, and after each of
// them the two must know the same jobs. policy/dispatch compares that queue in
// turn with a list that is searched from end to end. Now and then the engine is
// killed, at rest or in the midst of an operation, and another one opens what
// it left; the plain queue forgets what a new leader does not know.

// pair is an engine and the plain queue beside it.
type pair struct {
	t     testing.TB
	dice  *rand.Rand
	open  func() queue.Store
	opt   queue.Options
	now   atomic.Int64
	e     *queue.Engine
	store queue.Store
	q     *dispatch.Queue

	sessions map[string]string // by worker
	counted  map[doneAs]bool
	given    []api.LeasedJob
	to       []string
	keys     map[string]dispatchKey
	limits   map[string]api.Limit
	paused   map[string]bool
	keyMax   map[string]int
	weights  map[string]int
	calls    int
	done     map[string]int
}

type dispatchKey struct {
	job, until int64
}

var start = time.Date(2026, 11, 30, 8, 0, 0, 0, time.UTC)

func newPair(t testing.TB, seed uint64, open func() queue.Store) *pair {
	p := &pair{
		t: t, dice: rand.New(rand.NewPCG(seed, 7)), open: open, sessions: map[string]string{}, counted: map[doneAs]bool{}, keys: map[string]dispatchKey{},
		limits: map[string]api.Limit{}, paused: map[string]bool{}, keyMax: map[string]int{}, weights: map[string]int{}, done: map[string]int{},
	}
	p.now.Store(start.UnixNano())
	o := dispatch.Options{RememberFor: 2 * time.Minute, KeyFor: 5 * time.Minute, BackoffMax: time.Minute, Seed: seed, AttemptsMax: 3, Fair: p.dice.IntN(2) == 1}
	if p.dice.IntN(3) == 0 {
		o.AgeStep = 20 * time.Second
	}
	p.opt = queue.Options{Dispatch: o, LeadFor: 40 * time.Millisecond, Now: func() time.Time { return time.Unix(0, p.now.Load()) }, WorkersFor: time.Hour}
	p.lead()
	p.q = p.plain()
	return p
}

// lead opens an engine.
func (p *pair) lead() {
	p.store = p.open()
	e, err := queue.Open(p.t.Context(), p.store, p.opt)
	if err != nil {
		p.t.Fatal(err)
	}
	p.e = e
}

// plain returns an empty queue of the engine's epoch.
func (p *pair) plain() *dispatch.Queue {
	o := p.opt.Dispatch
	o.Epoch = p.e.Epoch()
	q, err := dispatch.New(o)
	if err != nil {
		p.t.Fatal(err)
	}
	q.Expire(p.now.Load(), nil)
	return q
}

// stop ends the engine as a crash does.
func (p *pair) stop() {
	p.e.Kill()
	p.store.Close()
}

// reload returns what a new leader knows of a queue.
func (p *pair) reload(old *dispatch.Queue) *dispatch.Queue {
	q := p.plain()
	now := p.now.Load()
	check := func(err error) {
		if err != nil {
			p.t.Fatal(err)
		}
	}
	for key, k := range p.keys {
		if k.until > now {
			check(q.LoadKey(key, k.job, k.until))
		}
	}
	for kind, l := range p.limits {
		check(q.SetLimit(kind, limit(l)))
	}
	for kind, paused := range p.paused {
		if paused {
			check(q.Pause(kind))
		}
	}
	for key, n := range p.keyMax {
		check(q.SetKeyLimit(key, n))
	}
	for tenant, n := range p.weights {
		check(q.SetWeight(tenant, n))
	}
	for s := range old.Jobs {
		if s.State == dispatch.Done || s.State == dispatch.Cancelled {
			continue
		}
		if s.State == dispatch.Leased {
			s.Seen = now
		}
		check(q.Load(s))
	}
	q.StartIDs(old.NextID())
	return q
}

func limit(l api.Limit) dispatch.Limit {
	d := dispatch.Limit{Running: l.RunningMax, Burst: l.Burst}
	if l.RatePerS > 0 {
		d.Every = time.Duration(float64(time.Second) / l.RatePerS)
	}
	return d
}

func (p *pair) same(what string, got, want any) {
	p.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		p.t.Fatalf("%s at %v: plain queue (-) and engine (+) differ:\n%s", what, time.Duration(p.now.Load()-start.UnixNano()), diff)
	}
}

func (p *pair) did(what string, effect bool) {
	if effect {
		p.done[what]++
	}
}

// differs returns how the jobs that the engine knows differ from those of a
// queue.
func (p *pair) differs(q *dispatch.Queue) string {
	got, want := p.e.Stored(), slices.Collect(q.Jobs)
	if slices.Equal(got, want) {
		return ""
	}
	return cmp.Diff(want, got)
}

func (p *pair) compare(what string) {
	p.t.Helper()
	if diff := p.differs(p.q); diff != "" {
		p.t.Fatalf("after %s at %v: plain queue (-) and engine (+) differ:\n%s", what, time.Duration(p.now.Load()-start.UnixNano()), diff)
	}
	if wrong := p.e.Check(); len(wrong) > 0 {
		p.t.Fatalf("after %s: %s", what, strings.Join(wrong, "\n"))
	}
}

// op is an operation that was chosen: on the engine, and on the plain queue. The
// latter compares, unless the engine died.
type op struct {
	name  string
	live  func(ctx context.Context) (any, error)
	plain func() any
}

var differentialOps = []struct {
	weight int
	choose func(*pair) op
}{
	{30, (*pair).enqueue},
	{50, (*pair).work},
	{6, (*pair).goodbye},
	{6, (*pair).cancel},
	{6, (*pair).retry},
	{5, (*pair).setPriority},
	{3, (*pair).pause},
	{3, (*pair).limit},
	{2, (*pair).keyLimit},
	{1, (*pair).weight},
}

func (p *pair) step(crashes bool) {
	p.t.Helper()
	switch p.dice.IntN(12) {
	case 0:
		p.pass(time.Duration(p.dice.IntN(40_000)) * time.Millisecond)
	case 1, 2, 3:
		p.pass(time.Duration(p.dice.IntN(3000)) * time.Millisecond)
	}
	if crashes && p.dice.IntN(60) == 0 {
		p.stop()
		p.lead()
		p.q = p.reload(p.q)
		p.did("restart", true)
		p.compare("a restart")
	}
	total := 0
	for _, o := range differentialOps {
		total += o.weight
	}
	n := p.dice.IntN(total)
	for _, o := range differentialOps {
		if n -= o.weight; n < 0 {
			p.do(o.choose(p), crashes && p.dice.IntN(40) == 0)
			return
		}
	}
}

// pass lets time pass.
func (p *pair) pass(d time.Duration) {
	now := p.now.Add(int64(d))
	if err := p.e.Tick(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	for _, f := range p.q.Expire(now, nil) {
		p.ended(f)
		p.did("expire "+f.Cause.String(), true)
		p.did("expire "+f.State.String(), true)
	}
	p.compare("time passed")
}

// ended remembers the idempotency key of a job that ended.
func (p *pair) ended(f dispatch.Effect) {
	if f.State != dispatch.Done && f.State != dispatch.Cancelled {
		return
	}
	for key, k := range p.keys {
		if k.job == f.ID {
			p.keys[key] = dispatchKey{f.ID, p.now.Load() + int64(p.opt.Dispatch.KeyFor)}
		}
	}
}

// do does an operation on both, or kills the engine while it does it.
func (p *pair) do(o op, kill bool) {
	p.t.Helper()
	if !kill {
		got, err := o.live(p.t.Context())
		if err != nil {
			got = errorOf(err)
		}
		p.same(o.name, got, o.plain())
		p.compare(o.name)
		return
	}
	before := p.reloadable()
	var wg sync.WaitGroup
	wg.Go(func() { o.live(context.Background()) })
	time.Sleep(time.Duration(p.dice.IntN(1500)) * time.Microsecond)
	p.stop()
	wg.Wait()
	keys, limits, paused, keyMax, weights := clone(p.keys), clone(p.limits), clone(p.paused), clone(p.keyMax), clone(p.weights)
	sessions, counted := clone(p.sessions), clone(p.counted)
	o.plain()
	p.lead()
	after := p.reload(p.q)
	if diff := p.differs(after); diff != "" {
		// It was not written: then nothing of it may have been.
		p.keys, p.limits, p.paused, p.keyMax, p.weights = keys, limits, paused, keyMax, weights
		p.sessions, p.counted = sessions, counted
		var err error
		if p.q, err = dispatch.Restore(before, 0); err != nil {
			p.t.Fatal(err)
		}
		after = p.reload(p.q)
		if other := p.differs(after); other != "" {
			p.t.Fatalf("killed in %s: neither done (-, +):\n%s\nnor undone:\n%s", o.name, diff, other)
		}
		p.did("killed, undone", true)
	} else {
		p.did("killed, done", true)
	}
	p.q = after
	p.settle()
	p.compare("a kill in " + o.name)
}

// settle makes both agree on what is not told by the jobs: a call that was
// killed may have changed limits and sessions.
func (p *pair) settle() {
	for _, kind := range someTypes {
		k := dispatch.Limit{}
		for _, known := range p.e.Queues().Queues {
			if known.Type != kind {
				continue
			}
			p.limits[kind], p.paused[kind] = known.Limit, known.Paused
			k = limit(known.Limit)
			do := p.q.Resume
			if known.Paused {
				do = p.q.Pause
			}
			if err := errors.Join(p.q.SetLimit(kind, k), do(kind)); err != nil {
				p.t.Fatal(err)
			}
		}
	}
	for _, key := range someKeys[3:] {
		p.do(p.keyLimitTo(key, p.keyMax[key]), false)
	}
	for _, tenant := range someTenants {
		p.do(p.weightTo(tenant, max(1, p.weights[tenant])), false)
	}
	for worker, session := range p.sessions {
		if _, ok := p.e.WorkerOf(session); !ok {
			delete(p.sessions, worker)
		}
	}
}

func (p *pair) reloadable() []byte { return p.q.AppendSnapshot(nil) }

func clone[K comparable, V any](m map[K]V) map[K]V {
	c := make(map[K]V, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}

// errorOf returns what of an error can be compared.
func errorOf(err error) any {
	var e *api.Error
	if errors.As(err, &e) {
		return e.Code
	}
	return err.Error()
}

func one[T any](d *rand.Rand, from []T) T { return from[d.IntN(len(from))] }

var (
	someTypes   = []string{"photo", "video", "batch"}
	someTenants = []string{"", "ann", "bob", "cid"}
	someKeys    = []string{"", "", "", "album-1", "album-2"}
	someWorkers = []string{"a", "b", "c"}
)

func (p *pair) enqueue() op {
	specs := make([]api.JobSpec, 1+p.dice.IntN(3))
	for i := range specs {
		s := api.JobSpec{Type: one(p.dice, someTypes), Priority: p.dice.IntN(3), Tenant: one(p.dice, someTenants), ConcurrencyKey: one(p.dice, someKeys), EstimateS: float64(p.dice.IntN(5))}
		switch p.dice.IntN(5) {
		case 0:
			s.DelayMS = int64(p.dice.IntN(60_000))
		case 1:
			s.Key = fmt.Sprint("key ", p.dice.IntN(20))
		case 2:
			s.MaxRunMS = int64(p.dice.IntN(30)) * 1000
		case 3:
			s.Args = []byte(`{"x":1}`)
		}
		specs[i] = s
	}
	return op{
		"enqueue",
		func(ctx context.Context) (any, error) { return p.e.Enqueue(ctx, specs, "") },
		func() any {
			var out []api.Submitted
			now := p.now.Load()
			for _, s := range specs {
				d := dispatch.Spec{
					Type: s.Type, Priority: uint8(s.Priority), Tenant: s.Tenant, ConcurrencyKey: s.ConcurrencyKey,
					Estimate: time.Duration(s.EstimateS * 1e9), MaxRun: time.Duration(s.MaxRunMS) * time.Millisecond,
				}
				if s.Key != "" {
					d.IdempotencyKey = fmt.Sprint(len(s.Tenant), ":", s.Tenant, s.Key)
				}
				if s.DelayMS > 0 {
					d.RunAt = now + s.DelayMS*int64(time.Millisecond)
				}
				id, added, err := p.q.Enqueue(d, now)
				if err != nil {
					p.t.Fatal(err)
				}
				if d.IdempotencyKey != "" && added {
					p.keys[d.IdempotencyKey] = dispatchKey{id, 0}
				}
				out = append(out, api.Submitted{ID: id, Added: added})
				p.did("enqueue", added)
				p.did("enqueue repeated", !added)
				p.did("enqueue delayed", added && s.DelayMS > 0)
			}
			return out
		},
	}
}

// worker returns a worker's session, hiring it if need be.
func (p *pair) worker() (name, session string) {
	boot := one(p.dice, someWorkers)
	if p.sessions[boot] == "" {
		r, err := p.e.Register(p.t.Context(), api.RegisterRequest{InstanceID: "i-" + boot, InstanceType: "m1.small", Slots: 4, Cluster: "default", BootID: boot})
		if err != nil {
			p.t.Fatal(err)
		}
		p.sessions[boot] = r.Session
		if err := p.q.Renew(r.WorkerID, p.now.Load()); err != nil {
			p.t.Fatal(err)
		}
		p.did("register", true)
	}
	w, ok := p.e.WorkerOf(p.sessions[boot])
	if !ok {
		p.t.Fatalf("the session of %s is not known", boot)
	}
	return w.WorkerID, p.sessions[boot]
}

// answer is what of a WorkResponse can be compared.
type answer struct {
	Jobs   []string
	Lost   []int64
	Cancel []int64
	Acks   []api.Ack
}

func (p *pair) work() op {
	name, session := p.worker()
	p.calls++
	r := api.WorkRequest{Session: session, ReqID: fmt.Sprint(p.calls), SlotsFree: p.dice.IntN(4)}
	if p.dice.IntN(3) == 0 {
		r.Types = []string{one(p.dice, someTypes), one(p.dice, someTypes)}
	}
	for range p.dice.IntN(3) {
		if len(p.given) == 0 {
			break
		}
		i := max(0, len(p.given)-1-p.dice.IntN(12))
		d := api.DoneJob{Job: p.given[i].ID, Token: p.given[i].Token, Outcome: one(p.dice, []api.Outcome{api.OutcomeOK, api.OutcomeOK, api.OutcomeError, api.OutcomeReleased, api.OutcomeCancelled})}
		d.Final = d.Outcome == api.OutcomeError && p.dice.IntN(4) == 0
		r.Done = append(r.Done, d)
	}
	for i := max(0, len(p.given)-12); i < len(p.given); i++ {
		if p.to[i] == name && p.dice.IntN(4) > 0 || p.dice.IntN(20) == 0 {
			r.Running = append(r.Running, api.RunningJob{Job: p.given[i].ID, Token: p.given[i].Token})
		}
	}
	return op{
		"work",
		func(ctx context.Context) (any, error) {
			a, err := p.e.Work(ctx, r)
			got := answer{Lost: a.Lost, Cancel: a.Cancel, Acks: a.Acks}
			for _, j := range a.Jobs {
				got.Jobs = append(got.Jobs, fmt.Sprint(j.ID, " ", dispatch.Token(j.Token), " ", j.Attempt, " ", j.Type, " ", j.Priority, " ", j.LeaseMS, " ", j.DeadlineMS))
			}
			return got, err
		},
		func() any { return p.plainWork(name, &r) },
	}
}

// doneAs is an attempt that ended its job.
type doneAs struct {
	job   int64
	token uint64
}

func (p *pair) plainWork(name string, r *api.WorkRequest) answer {
	now := p.now.Load()
	want := answer{Lost: []int64{}, Cancel: []int64{}, Acks: []api.Ack{}}
	for _, d := range r.Done {
		status, f := dispatch.Stale, dispatch.Effect{}
		if s, _ := p.q.Job(d.Job); s.State != dispatch.Leased || s.Worker == name {
			switch d.Outcome {
			case api.OutcomeOK:
				status, f = p.q.Complete(d.Job, dispatch.Token(d.Token), now)
			case api.OutcomeError:
				status, f = p.q.Fail(d.Job, dispatch.Token(d.Token), d.Final, now)
			default:
				status, f = p.q.Release(d.Job, dispatch.Token(d.Token), now)
			}
		}
		p.ended(f)
		// History knows what counted when the state machine has forgotten it.
		count := doneAs{d.Job, d.Token}
		switch {
		case d.Outcome == api.OutcomeOK && status == dispatch.Accepted:
			p.counted[count] = true
		case d.Outcome == api.OutcomeOK && status == dispatch.Stale && p.counted[count]:
			status = dispatch.Duplicate
			p.did("ok duplicate of what was forgotten", true)
		}
		want.Acks = append(want.Acks, api.Ack{Job: d.Job, Status: api.AckStatus(status.String())})
		p.did(string(d.Outcome)+" "+status.String(), true)
		p.did(string(d.Outcome)+" to "+f.State.String(), status == dispatch.Accepted)
	}
	var claims []dispatch.Claim
	for _, c := range r.Running {
		claims = append(claims, dispatch.Claim{ID: c.Job, Token: dispatch.Token(c.Token)})
	}
	report, err := p.q.Beat(name, claims, now)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, f := range report.Effects {
		p.ended(f)
	}
	for _, c := range report.Lost {
		want.Lost = append(want.Lost, c.ID)
	}
	want.Cancel = append(want.Cancel, report.Cancel...)
	p.did("beat lost", len(want.Lost) > 0)
	p.did("beat cancel", len(want.Cancel) > 0)
	p.did("beat unnamed", len(report.Effects) > 0)
	var grants []dispatch.Grant
	if r.SlotsFree > 0 {
		if grants, err = p.q.Lease(name, r.Types, r.SlotsFree, now, nil); err != nil {
			p.t.Fatal(err)
		}
	}
	for _, g := range grants {
		deadline := int64(0)
		if g.Deadline != 0 {
			deadline = max(1, (g.Deadline-now)/int64(time.Millisecond))
		}
		want.Jobs = append(want.Jobs, fmt.Sprint(g.ID, " ", g.Token, " ", g.Attempt, " ", g.Type, " ", g.Priority, " ", (g.Until-now)/int64(time.Millisecond), " ", deadline))
		p.given = append(p.given, api.LeasedJob{ID: g.ID, Token: uint64(g.Token)})
		p.to = append(p.to, name)
	}
	p.did("lease", len(grants) > 0)
	p.did("lease nothing", r.SlotsFree > 0 && len(grants) == 0)
	return want
}

func (p *pair) goodbye() op {
	name, session := p.worker()
	boot := ""
	for b, s := range p.sessions {
		if s == session {
			boot = b
		}
	}
	return op{
		"goodbye",
		func(ctx context.Context) (any, error) {
			a, err := p.e.Goodbye(ctx, name, api.GoodbyeRequest{Session: session})
			return a.Released, err
		},
		func() any {
			released := []int64{}
			for _, f := range p.q.Goodbye(name, p.now.Load()) {
				released = append(released, f.ID)
				p.ended(f)
			}
			delete(p.sessions, boot)
			p.did("goodbye", len(released) > 0)
			return released
		},
	}
}

// anyJob returns a job's id, mostly of one that exists, and looks for a rare
// state first.
func (p *pair) anyJob() int64 {
	jobs := slices.Collect(p.q.Jobs)
	if len(jobs) == 0 || p.dice.IntN(10) == 0 {
		return int64(1 + p.dice.IntN(60))
	}
	rare := dispatch.State(1 + p.dice.IntN(7))
	from := p.dice.IntN(len(jobs))
	for i := range jobs {
		if j := jobs[(from+i)%len(jobs)]; j.State == rare {
			return j.ID
		}
	}
	return jobs[from].ID
}

// changes makes an operation on one job, of which the state that it has after
// is compared.
func (p *pair) changes(name string, live func(context.Context, int64) (api.Job, error), plain func(id, now int64) (dispatch.Effect, error)) op {
	id := p.anyJob()
	return op{
		name,
		func(ctx context.Context) (any, error) {
			j, err := live(ctx, id)
			return j.State, err
		},
		func() any {
			was, known := p.q.Job(id)
			if f, err := plain(id, p.now.Load()); err == nil {
				p.ended(f)
				p.did(name+" "+was.State.String(), true)
				s, _ := p.q.Job(id)
				return api.State(s.State.String())
			}
			if known || p.everEnded(id) {
				return api.CodeConflict
			}
			return api.CodeNotFound
		},
	}
}

// everEnded reports whether a job has ended and was forgotten.
func (p *pair) everEnded(id int64) bool {
	_, known := p.q.Job(id)
	return !known && id < p.q.NextID()
}

func (p *pair) cancel() op {
	return p.changes("cancel", func(ctx context.Context, id int64) (api.Job, error) { return p.e.Cancel(ctx, id) },
		func(id, now int64) (dispatch.Effect, error) { return p.q.Cancel(id, now) })
}

func (p *pair) retry() op {
	return p.changes("retry", func(ctx context.Context, id int64) (api.Job, error) { return p.e.Retry(ctx, id) },
		func(id, now int64) (dispatch.Effect, error) { return p.q.Retry(id, now) })
}

func (p *pair) setPriority() op {
	to := p.dice.IntN(3)
	return p.changes("priority", func(ctx context.Context, id int64) (api.Job, error) { return p.e.SetPriority(ctx, id, to) },
		func(id, now int64) (dispatch.Effect, error) {
			return dispatch.Effect{}, p.q.SetPriority(id, uint8(to), now)
		})
}

func (p *pair) pause() op {
	kind := one(p.dice, someTypes)
	pause := !p.paused[kind] && p.dice.IntN(3) == 0
	live, plain, name := p.e.Resume, p.q.Resume, "resume"
	if pause {
		live, plain, name = p.e.Pause, p.q.Pause, "pause"
	}
	return op{
		name,
		func(ctx context.Context) (any, error) {
			k, err := live(ctx, kind)
			return k.Paused, err
		},
		func() any {
			if err := plain(kind); err != nil {
				p.t.Fatal(err)
			}
			p.paused[kind] = pause
			p.did(name, true)
			return pause
		},
	}
}

func (p *pair) limit() op {
	kind := one(p.dice, someTypes)
	var l api.Limit
	switch p.dice.IntN(4) {
	case 0:
		l.RunningMax = 1 + p.dice.IntN(4)
	case 1:
		l.RatePerS, l.Burst = 0.5+float64(p.dice.IntN(3)), p.dice.IntN(4)
	}
	return op{
		"limit",
		func(ctx context.Context) (any, error) {
			k, err := p.e.Limit(ctx, kind, l)
			return k.Limit, err
		},
		func() any {
			if err := p.q.SetLimit(kind, limit(l)); err != nil {
				p.t.Fatal(err)
			}
			p.limits[kind] = l
			p.did("limit", l != api.Limit{})
			return l
		},
	}
}

func (p *pair) keyLimit() op { return p.keyLimitTo(one(p.dice, someKeys[3:]), p.dice.IntN(4)) }

func (p *pair) keyLimitTo(key string, n int) op {
	return op{
		"key limit",
		func(ctx context.Context) (any, error) { return p.e.KeyLimit(ctx, key, api.KeyLimit{RunningMax: n}) },
		func() any {
			if err := p.q.SetKeyLimit(key, n); err != nil {
				p.t.Fatal(err)
			}
			p.keyMax[key] = n
			p.did("key limit", true)
			return api.KeyLimit{RunningMax: n}
		},
	}
}

func (p *pair) weight() op { return p.weightTo(one(p.dice, someTenants), 1+p.dice.IntN(4)) }

func (p *pair) weightTo(tenant string, n int) op {
	return op{
		"weight",
		func(ctx context.Context) (any, error) { return p.e.Weight(ctx, tenant, api.Weight{Weight: n}) },
		func() any {
			if err := p.q.SetWeight(tenant, n); err != nil {
				p.t.Fatal(err)
			}
			p.weights[tenant] = n
			p.did("weight", n > 1)
			return api.Weight{Weight: n}
		},
	}
}

// differentialMust names everything that a run has to have seen.
var differentialMust = []string{
	"register", "enqueue", "enqueue delayed", "enqueue repeated", "lease", "lease nothing",
	"ok accepted", "ok duplicate", "ok duplicate of what was forgotten", "ok stale", "error accepted", "error duplicate", "error to delayed", "error to dead", "released accepted", "cancelled accepted",
	"released to waiting", "ok to done", "beat lost", "beat cancel", "beat unnamed", "goodbye",
	"expire lost", "expire past deadline", "expire quarantined", "cancel waiting", "cancel delayed", "cancel leased", "cancel dead",
	"retry dead", "retry delayed", "retry quarantined", "priority waiting", "priority leased", "priority delayed",
	"pause", "resume", "limit", "key limit", "weight", "restart", "killed, done", "killed, undone",
}

func TestAgainstPlainQueue(t *testing.T) {
	for _, c := range []struct {
		name  string
		steps int // of a seed
		fresh func(t *testing.T) func() queue.Store
	}{
		{"memory", 700, freshMemory},
		{"sqlite", 300, freshSQLite},
		{"postgres", 300, freshPostgres},
	} {
		t.Run(c.name, func(t *testing.T) {
			happened := map[string]int{}
			missing := func() (names []string) {
				for _, name := range differentialMust {
					if happened[name] == 0 {
						names = append(names, name)
					}
				}
				return names
			}
			for seed := uint64(1); ; seed++ {
				if m := missing(); len(m) == 0 {
					return
				} else if seed > 40 {
					t.Fatalf("never happened in %d seeds: %s", seed-1, strings.Join(m, ", "))
				}
				ok := t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
					p := newPair(t, seed, c.fresh(t))
					defer p.stop()
					for range c.steps {
						p.step(true)
					}
					for name, n := range p.done {
						happened[name] += n
					}
				})
				if !ok {
					return
				}
			}
		})
	}
}

// freshMemory makes a store that ends with the test.
func freshMemory(*testing.T) func() queue.Store {
	m := queue.NewMemory()
	return func() queue.Store { return m }
}

// freshSQLite makes a store in a file that ends with the test.
func freshSQLite(t *testing.T) func() queue.Store {
	file := filepath.Join(t.TempDir(), "queue.db")
	return func() queue.Store {
		s, err := sqlite.Open(t.Context(), file)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}

// freshPostgres starts a PostgreSQL that ends with the test.
func freshPostgres(t *testing.T) func() queue.Store {
	server, err := pgtest.Start("fsync=off")
	if errors.Is(err, pgtest.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Stop() })
	return func() queue.Store {
		s, err := postgres.Open(t.Context(), server.URL(server.Port, "postgres"))
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}
