package dispatch

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// dice is where a run takes its choices from: a generator, or a fuzzer.
type dice interface{ IntN(n int) int }

// run drives a queue and the model through the same operations.
type run struct {
	t      testing.TB
	dice   dice
	q      *Queue
	m      *model
	now    int64
	given  []Claim // every lease ever given, for right and wrong claims
	by     []string
	newest map[int64]Token
	steps  int
	done   map[string]int // operations that had an effect, by name
}

func newRun(t testing.TB, d dice) *run {
	opt := Options{Epoch: 1, RememberFor: 2 * time.Minute, KeyFor: 5 * time.Minute, BackoffMax: time.Minute, Seed: uint64(d.IntN(1000)), AttemptsMax: 3}
	opt.Fair = d.IntN(2) == 1
	if d.IntN(3) == 0 {
		opt.AgeStep = 20 * time.Second
	}
	q, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return &run{t: t, dice: d, q: q, m: newModel(opt), done: map[string]int{}, newest: map[int64]Token{}}
}

var (
	someTypes   = []string{"photo", "video", "batch"}
	someTenants = []string{"", "ann", "bob", "cid"}
	someKeys    = []string{"", "", "", "album-1", "album-2"}
	someWorkers = []string{"w1", "w2", "w3"}
)

func one[T any](d dice, from []T) T { return from[d.IntN(len(from))] }

// operations, with how often each is chosen.
var operations = []struct {
	weight int
	do     func(*run)
}{
	{30, (*run).enqueue},
	{25, (*run).lease},
	{15, (*run).complete},
	{8, (*run).fail},
	{4, (*run).release},
	{8, (*run).beat},
	{2, (*run).renew},
	{1, (*run).goodbye},
	{6, (*run).expire},
	{4, (*run).cancel},
	{4, (*run).retry},
	{4, (*run).setPriority},
	{2, (*run).pause},
	{2, (*run).limit},
	{2, (*run).keyLimit},
	{1, (*run).weight},
	{2, (*run).snapshot},
	{2, (*run).lead},
	{1, (*run).reload},
	{1, (*run).sweep},
}

// mustHappen names everything that a test of random operations has to have
// seen succeed.
var mustHappen = []string{
	"enqueue", "enqueue delayed", "enqueue repeated", "lease", "lease nothing", "complete", "complete duplicate", "complete stale",
	"fail", "fail final", "fail duplicate", "fail dead", "release", "release duplicate", "beat lost", "beat cancel", "beat unnamed", "renew", "goodbye",
	"expire lost", "expire quarantined", "expire deadline", "expire cancelled", "cancel waiting", "cancel delayed", "cancel leased", "cancel dead",
	"retry dead", "retry quarantined", "retry delayed", "priority waiting", "priority leased", "priority delayed", "pause", "resume", "limit", "key limit", "weight",
	"snapshot", "adopt", "adopt refused", "reload", "sweep", "fail cancelled", "release cancelled",
}

func (r *run) step() {
	r.steps++
	switch r.dice.IntN(8) {
	case 0:
		r.now += int64(r.dice.IntN(15_000)) * int64(time.Millisecond)
	case 1, 2, 3:
		r.now += int64(r.dice.IntN(2000)) * int64(time.Millisecond)
	}
	total := 0
	for _, op := range operations {
		total += op.weight
	}
	n := r.dice.IntN(total)
	for _, op := range operations {
		if n -= op.weight; n < 0 {
			op.do(r)
			break
		}
	}
	r.compare()
}

func (r *run) same(what string, got, want any) {
	r.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Fatalf("%s at %v: model (-) and queue (+) differ:\n%s", what, time.Duration(r.now), diff)
	}
}

func (r *run) did(what string, effect bool) {
	if effect {
		r.done[what]++
	}
}

// compare checks everything that can be seen of queue and model, and what must
// hold of any queue.
func (r *run) compare() {
	r.t.Helper()
	if r.q.Totals() != r.m.totals {
		r.same("totals", r.q.Totals(), r.m.totals)
	}
	for s := range states {
		if got, want := r.q.Len(s), r.m.count(s); got != want {
			r.t.Fatalf("%d %v jobs, want %d", got, s, want)
		}
	}
	got := slices.Collect(r.q.Jobs)
	var want []Stored
	for _, j := range r.m.jobs {
		want = append(want, j.Stored)
	}
	if !slices.Equal(got, want) { // a hundred times faster than cmp
		r.same("jobs", got, want)
	}
	if r.steps%8 == 0 { // it is by far the slowest part of the model
		waiting := slices.Collect(r.q.Backlogs)
		if want := r.m.backlogs(); !slices.Equal(waiting, want) {
			r.same("backlogs", waiting, want)
		}
	}
	r.invariants()
	r.shares()

	at, ok := r.q.Wake()
	if want, something := r.m.wake(); something && (!ok || at > want) {
		r.t.Fatalf("Wake = %v, %v; something happens at %v", at, ok, want)
	}
	for _, s := range got {
		if s.Token < r.newest[s.ID] {
			r.t.Fatalf("job %d: token %x after %x", s.ID, s.Token, r.newest[s.ID])
		}
		r.newest[s.ID] = s.Token
	}
	held := 0
	for _, i := range r.q.workers.numberOf {
		held += r.q.workers.at(i).leaseCount
	}
	if held != r.q.Len(Leased) {
		r.t.Fatalf("workers hold %d jobs, %d are leased", held, r.q.Len(Leased))
	}
}

func (r *run) enqueue() {
	s := Spec{Type: one(r.dice, someTypes), Priority: uint8(r.dice.IntN(3)), Tenant: one(r.dice, someTenants), ConcurrencyKey: one(r.dice, someKeys), Estimate: time.Duration(r.dice.IntN(5))}
	if r.dice.IntN(20) == 0 {
		s.Tenant = fmt.Sprint("once ", r.dice.IntN(100)) // somebody to be forgotten
	}
	switch r.dice.IntN(5) {
	case 0:
		s.RunAt = r.now + int64(r.dice.IntN(60_000))*int64(time.Millisecond)
	case 1:
		s.IdempotencyKey = fmt.Sprint("key ", r.dice.IntN(20))
	case 2:
		s.MaxRun = time.Duration(r.dice.IntN(30)) * time.Second
	}
	id, added, err := r.q.Enqueue(s, r.now)
	if err != nil {
		r.t.Fatal(err)
	}
	wantID, wantAdded := r.m.enqueue(s, r.now)
	r.same("enqueue", []any{id, added}, []any{wantID, wantAdded})
	r.did("enqueue", added)
	r.did("enqueue delayed", added && s.RunAt > r.now)
	r.did("enqueue repeated", !added)
}

func (r *run) lease() {
	var types []string
	if r.dice.IntN(3) == 0 {
		types = []string{one(r.dice, someTypes), one(r.dice, someTypes)}
	}
	worker := one(r.dice, someWorkers)
	slots := 1 + r.dice.IntN(4)
	running := map[int64]bool{}
	for s := range r.q.Jobs {
		running[s.ID] = s.State == Leased
	}
	got, err := r.q.Lease(worker, types, slots, r.now, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	r.same("lease", got, r.m.lease(worker, types, slots, r.now))
	for _, g := range got {
		if running[g.ID] {
			r.t.Fatalf("job %d leased while it runs", g.ID)
		}
		running[g.ID] = true
		r.given = append(r.given, Claim{g.ID, g.Token})
		r.by = append(r.by, worker)
	}
	r.did("lease", len(got) > 0)
	r.did("lease nothing", len(got) == 0)
}

// claim returns a lease that was once given, mostly a late one.
func (r *run) claim() (Claim, string) {
	if len(r.given) == 0 {
		return Claim{1, 1}, "w1"
	}
	i := max(0, len(r.given)-1-r.dice.IntN(12))
	if r.dice.IntN(10) == 0 {
		i = r.dice.IntN(len(r.given))
	}
	return r.given[i], r.by[i]
}

func (r *run) outcome(what string, s, wantS Status, e, wantE Effect) {
	r.same(what, []any{s, e}, []any{wantS, wantE})
	r.did(strings.TrimSuffix(what+" "+s.String(), " accepted"), true)
	if s == Accepted {
		r.did(what+" "+e.State.String(), true)
	}
}

func (r *run) complete() {
	c, _ := r.claim()
	s, e := r.q.Complete(c.ID, c.Token, r.now)
	wantS, wantE := r.m.complete(c.ID, c.Token, r.now)
	r.outcome("complete", s, wantS, e, wantE)
}

func (r *run) fail() {
	c, _ := r.claim()
	final := r.dice.IntN(4) == 0
	s, e := r.q.Fail(c.ID, c.Token, final, r.now)
	wantS, wantE := r.m.fail(c.ID, c.Token, final, r.now)
	r.outcome("fail", s, wantS, e, wantE)
	r.did("fail final", final && s == Accepted)
}

func (r *run) release() {
	c, _ := r.claim()
	s, e := r.q.Release(c.ID, c.Token, r.now)
	wantS, wantE := r.m.release(c.ID, c.Token, r.now)
	r.outcome("release", s, wantS, e, wantE)
}

func (r *run) beat() {
	c, worker := r.claim()
	claims := []Claim{c}
	for s := range r.q.Jobs {
		if s.State == Leased && s.Worker == worker && s.ID != c.ID && r.dice.IntN(4) > 0 {
			claims = append(claims, Claim{s.ID, s.Token})
		}
	}
	got, err := r.q.Beat(worker, claims, r.now)
	if err != nil {
		r.t.Fatal(err)
	}
	r.same("beat", got, r.m.beat(worker, claims, r.now))
	r.did("beat lost", len(got.Lost) > 0)
	r.did("beat cancel", len(got.Cancel) > 0)
	r.did("beat unnamed", len(got.Effects) > 0)
}

func (r *run) renew() {
	worker := one(r.dice, someWorkers)
	if err := r.q.Renew(worker, r.now); err != nil {
		r.t.Fatal(err)
	}
	r.m.advance(r.now)
	r.m.hear(worker)
	r.did("renew", true)
}

func (r *run) goodbye() {
	worker := one(r.dice, someWorkers)
	got := r.q.Goodbye(worker, r.now)
	r.m.advance(r.now)
	r.same("goodbye", got, r.m.dismiss(worker, CauseReleased))
	r.did("goodbye", len(got) > 0)
}

func (r *run) expire() {
	if r.dice.IntN(3) == 0 {
		r.now += int64(r.dice.IntN(40_000)) * int64(time.Millisecond)
	}
	got := r.q.Expire(r.now, nil)
	r.same("expire", got, r.m.expire(r.now))
	for _, e := range got {
		r.did("expire lost", e.Cause == CauseLost)
		r.did("expire quarantined", e.State == Quarantined)
		r.did("expire deadline", e.Cause == CausePastDeadline)
		r.did("expire cancelled", e.State == Cancelled)
	}
}

// anyJob returns a job's id, its state, and true; mostly of one that exists.
func (r *run) anyJob() (int64, State) {
	if n := len(r.m.jobs); n > 0 && r.dice.IntN(10) > 0 {
		// Look for a rare state first.
		rare := State(1 + r.dice.IntN(int(states)-1))
		from := r.dice.IntN(n)
		for i := range n {
			if j := r.m.jobs[(from+i)%n]; j.State == rare {
				return j.ID, rare
			}
		}
		j := r.m.jobs[from]
		return j.ID, j.State
	}
	return int64(r.dice.IntN(50)), Unknown
}

func (r *run) cancel() {
	id, s := r.anyJob()
	got, err := r.q.Cancel(id, r.now)
	want, ok := r.m.cancel(id, r.now)
	r.same("cancel", []any{got, err == nil}, []any{want, ok})
	r.did("cancel "+s.String(), ok)
}

func (r *run) retry() {
	id, s := r.anyJob()
	got, err := r.q.Retry(id, r.now)
	want, ok := r.m.retry(id, r.now)
	r.same("retry", []any{got, err == nil}, []any{want, ok})
	r.did("retry "+s.String(), ok)
}

func (r *run) setPriority() {
	id, s := r.anyJob()
	p := uint8(r.dice.IntN(3))
	err := r.q.SetPriority(id, p, r.now)
	ok := r.m.setPriority(id, p, r.now)
	r.same("set priority", err == nil, ok)
	r.did("priority "+s.String(), ok)
}

func (r *run) pause() {
	kind := one(r.dice, someTypes)
	k := r.m.kind(kind)
	k.paused = !k.paused && r.dice.IntN(3) == 0
	do, name := r.q.Resume, "resume"
	if k.paused {
		do, name = r.q.Pause, "pause"
	}
	if err := do(kind); err != nil {
		r.t.Fatal(err)
	}
	r.did(name, true)
}

func (r *run) limit() {
	kind := one(r.dice, someTypes)
	var l Limit
	switch r.dice.IntN(4) {
	case 0:
		l.Running = 1 + r.dice.IntN(4)
	case 1:
		l.Every, l.Burst = time.Duration(r.dice.IntN(3000))*time.Millisecond, r.dice.IntN(4)
	}
	if err := r.q.SetLimit(kind, l); err != nil {
		r.t.Fatal(err)
	}
	r.m.kind(kind).limit = l
	r.did("limit", l != Limit{})
}

func (r *run) keyLimit() {
	key, n := one(r.dice, someKeys[3:]), r.dice.IntN(4)
	if err := r.q.SetKeyLimit(key, n); err != nil {
		r.t.Fatal(err)
	}
	r.m.keys[key] = n
	r.did("key limit", true)
}

func (r *run) weight() {
	tenant, n := one(r.dice, someTenants), 1+r.dice.IntN(4)
	if err := r.q.SetWeight(tenant, n); err != nil {
		r.t.Fatal(err)
	}
	r.m.weights[tenant] = int64(n)
	r.did("weight", n > 1)
}

// snapshot puts the restored queue in place of the one that was saved.
func (r *run) snapshot() {
	b := r.q.AppendSnapshot(nil)
	q, err := Restore(b, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	if !bytes.Equal(q.AppendSnapshot(nil), b) {
		r.t.Fatal("the snapshot of a restored queue differs from what it was restored from")
	}
	r.q = q
	r.did("snapshot", true)
}

// lead makes a new leader from a snapshot that is a few leases old, and lets
// the workers claim.
func (r *run) lead() {
	before := r.q.AppendSnapshot(nil)
	old, err := Restore(before, 0)
	if err != nil {
		r.t.Fatal(err)
	}
	worker := one(r.dice, someWorkers)
	grants, err := old.Lease(worker, nil, 2, r.now, nil)
	if err != nil {
		r.t.Fatal(err)
	}
	epoch := r.q.Options().Epoch + 1
	if r.q, err = Restore(before, epoch); err != nil {
		r.t.Fatal(err)
	}
	r.m.opt.Epoch = epoch
	claims := []Claim{{1 << 40, 1}}
	for _, g := range grants {
		claims = append(claims, Claim{g.ID, g.Token})
		r.given = append(r.given, Claim{g.ID, g.Token})
		r.by = append(r.by, worker)
	}
	if len(r.given) > 0 {
		claims = append(claims, one(r.dice, r.given))
	}
	got, err := r.q.Adopt(worker, claims, r.now)
	if err != nil {
		r.t.Fatal(err)
	}
	r.same("adopt", got, r.m.adopt(worker, claims, r.now))
	r.did("adopt", len(got) < len(claims))
	r.did("adopt refused", len(got) > 1)
}

// reload takes the jobs one by one, as from a store, where nothing but jobs
// would be lost by it.
func (r *run) reload() {
	q, err := New(r.q.Options())
	if err != nil {
		r.t.Fatal(err)
	}
	for s := range r.q.Jobs {
		if s.State == Done || s.State == Cancelled {
			continue
		}
		if err := q.Load(s); err != nil {
			r.t.Fatal(err)
		}
		if err := q.Load(s); err == nil {
			r.t.Fatalf("job %d was loaded twice", s.ID)
		}
		got, _ := q.Job(s.ID)
		r.same("reload", got, s)
	}
	r.did("reload", true)
}

// sweep forgets what need not be known, which nobody may notice.
func (r *run) sweep() {
	before := len(r.q.tenants.numberOf) + len(r.q.keys.numberOf)
	r.q.forgetTenants()
	r.q.forgetKeys()
	r.did("sweep", len(r.q.tenants.numberOf)+len(r.q.keys.numberOf) < before)
}

// TestQueueAgainstModel runs random operations on seeds 1, 2, 3 … until each of
// them has succeeded at least once and a dozen seeds have passed.
func TestQueueAgainstModel(t *testing.T) {
	happened := map[string]int{}
	missing := func() (names []string) {
		for _, name := range mustHappen {
			if happened[name] == 0 {
				names = append(names, name)
			}
		}
		return names
	}
	seed := uint64(1)
	for ; seed <= 12 || len(missing()) > 0 && seed <= 60; seed++ {
		ok := t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			r := newRun(t, rand.New(rand.NewPCG(seed, 1)))
			for range 1500 {
				r.step()
			}
			for name, n := range r.done {
				happened[name] += n
			}
		})
		if !ok {
			return
		}
	}
	if m := missing(); len(m) > 0 {
		slices.Sort(m)
		t.Errorf("never happened in %d seeds: %s", seed-1, strings.Join(m, ", "))
	}
}

// byteDice lets a fuzzer choose.
type byteDice struct{ b []byte }

func (d *byteDice) IntN(n int) int {
	if len(d.b) == 0 {
		return 0
	}
	v := int(d.b[0])
	d.b = d.b[1:]
	if n > 256 && len(d.b) > 0 {
		v = v<<8 | int(d.b[0])
		d.b = d.b[1:]
	}
	return v % n
}

// FuzzQueue drives queue and model through operations a fuzzer chooses.
func FuzzQueue(f *testing.F) {
	for seed := range uint64(4) {
		g := rand.New(rand.NewPCG(seed, 2))
		b := make([]byte, 1200)
		for i := range b {
			b[i] = byte(g.Uint32())
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d := &byteDice{b[:min(len(b), 4000)]}
		r := newRun(t, d)
		for len(d.b) > 0 {
			r.step()
		}
	})
}

// FuzzRestore feeds Restore bytes that are not, or no longer, a snapshot.
func FuzzRestore(f *testing.F) {
	r := newRun(f, rand.New(rand.NewPCG(9, 9)))
	for range 200 {
		r.step()
	}
	b := r.q.AppendSnapshot(nil)
	f.Add(b[len(snapshotMagic) : len(b)-4])
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, err := Restore(body, 0); err == nil && !bytes.HasPrefix(body, []byte(snapshotMagic)) {
			t.Fatal("restored from what is no snapshot")
		}
		q, err := Restore(seal(body), 0)
		if err != nil {
			return
		}
		b := q.AppendSnapshot(nil)
		again, err := Restore(b, 0)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(again.AppendSnapshot(nil), b) {
			t.Fatal("restoring is not exact")
		}
		if _, err := again.Lease("w", nil, 10, again.Now(), nil); err != nil {
			t.Fatal(err)
		}
		again.Expire(never, nil)
	})
}

// seal makes a snapshot of a body, with the right magic and checksum.
func seal(body []byte) []byte {
	return appendChecksum(append([]byte(snapshotMagic), body...), 0)
}
