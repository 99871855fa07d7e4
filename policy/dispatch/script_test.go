package dispatch

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
)

// desk is what a script of testdata/both needs of whoever hands out jobs.
type desk interface {
	enqueue(s Spec) (id int64)
	lease(worker string, slots int) []Grant
	complete(id int64) bool
	giveBack(id int64) bool
	crash(worker string) (returned []int64)
	cancel(id int64) bool
	pass(d time.Duration)
}

// TestScripts plays testdata/both against a loop of workers around a Line, as
// the simulator runs, and against a Queue, and testdata/queue against a Queue.
// `go test ./policy/dispatch -run Scripts -rewrite` rewrites what they expect.
func TestScripts(t *testing.T) {
	datadriven.Walk(t, "testdata/both", func(t *testing.T, path string) {
		t.Run("line", func(t *testing.T) {
			s := &script{desk: newToy()}
			datadriven.RunTest(t, path, s.run)
		})
		t.Run("queue", func(t *testing.T) {
			s := &script{desk: newQueueDesk(t, Options{})}
			datadriven.RunTest(t, path, s.run)
		})
	})
	datadriven.Walk(t, "testdata/queue", func(t *testing.T, path string) {
		s := &script{desk: newQueueDesk(t, Options{})}
		datadriven.RunTest(t, path, s.run)
	})
}

// toy is the least that can run jobs in the order of a Line.
type toy struct {
	line   Line
	now    int64
	nextID int64
	waits  map[int64]toyJob // by id, with their place in the line
	runs   map[int64]toyJob
}

type toyJob struct {
	Job
	priority uint8
	worker   string
}

func newToy() *toy {
	return &toy{nextID: 1, waits: map[int64]toyJob{}, runs: map[int64]toyJob{}}
}

func (d *toy) enqueue(s Spec) int64 {
	j := Job{ID: d.nextID, Arrival: d.now}
	d.nextID++
	d.line.Push(s.Priority, j)
	d.waits[j.ID] = toyJob{Job: j, priority: s.Priority}
	return j.ID
}

func (d *toy) lease(worker string, slots int) (out []Grant) {
	for range slots {
		j, p, ok := d.line.Pop()
		if !ok {
			break
		}
		j.Attempt++
		delete(d.waits, j.ID)
		d.runs[j.ID] = toyJob{j, p, worker}
		out = append(out, Grant{ID: j.ID, Priority: p, Attempt: int(j.Attempt)})
	}
	return out
}

func (d *toy) complete(id int64) bool {
	_, ok := d.runs[id]
	delete(d.runs, id)
	return ok
}

func (d *toy) back(j toyJob) {
	delete(d.runs, j.ID)
	d.waits[j.ID] = j
	d.line.Return(j.priority, j.Job)
}

func (d *toy) giveBack(id int64) bool {
	j, ok := d.runs[id]
	if ok {
		j.Attempt--
		d.back(j)
	}
	return ok
}

func (d *toy) crash(worker string) (ids []int64) {
	for _, id := range slices.Sorted(maps.Keys(d.runs)) {
		if j := d.runs[id]; j.worker == worker {
			d.back(j)
			ids = append(ids, id)
		}
	}
	return ids
}

func (d *toy) cancel(id int64) bool {
	j, ok := d.waits[id]
	if !ok {
		return false
	}
	delete(d.waits, id)
	_, ok = d.line.Remove(j.priority, j.Arrival, id)
	return ok
}

func (d *toy) pass(t time.Duration) { d.now += int64(t) }

// queueDesk is a Queue that remembers the tokens it gave.
type queueDesk struct {
	t      *testing.T
	q      *Queue
	now    int64
	tokens map[int64]Token
}

func newQueueDesk(t *testing.T, opt Options) *queueDesk {
	q, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return &queueDesk{t: t, q: q, tokens: map[int64]Token{}}
}

func (d *queueDesk) enqueue(s Spec) int64 {
	id, _, err := d.q.Enqueue(s, d.now)
	if err != nil {
		d.t.Fatal(err)
	}
	return id
}

func (d *queueDesk) lease(worker string, slots int) []Grant { return d.leaseOf(worker, nil, slots) }

func (d *queueDesk) leaseOf(worker string, types []string, slots int) []Grant {
	grants, err := d.q.Lease(worker, types, slots, d.now, nil)
	if err != nil {
		d.t.Fatal(err)
	}
	for _, g := range grants {
		d.tokens[g.ID] = g.Token
	}
	return grants
}

func (d *queueDesk) complete(id int64) bool {
	s, _ := d.q.Complete(id, d.tokens[id], d.now)
	return s == Accepted
}

func (d *queueDesk) giveBack(id int64) bool {
	s, _ := d.q.Release(id, d.tokens[id], d.now)
	return s == Accepted
}

// crash lets everybody else beat until the worker's leases have expired.
func (d *queueDesk) crash(worker string) (ids []int64) {
	until := d.q.workers.at(d.q.workers.numberOf[worker]).until
	for name := range d.q.workers.numberOf {
		if name != "" && name != worker {
			if err := d.q.Renew(name, until); err != nil {
				d.t.Fatal(err)
			}
		}
	}
	d.now = max(d.now, until)
	for _, e := range d.q.Expire(d.now, nil) {
		ids = append(ids, e.ID)
	}
	return ids
}

func (d *queueDesk) cancel(id int64) bool {
	if s, _ := d.q.Job(id); s.State != Waiting {
		return false
	}
	_, err := d.q.Cancel(id, d.now)
	return err == nil
}

func (d *queueDesk) pass(t time.Duration) { d.now += int64(t) }

// script runs commands at a desk.
type script struct{ desk desk }

func (s *script) run(t *testing.T, d *datadriven.TestData) string {
	a := arguments{t, d}
	switch d.Cmd {
	case "enqueue":
		first := s.desk.enqueue(a.spec())
		last := first
		for range a.int("n", 1) - 1 {
			last = s.desk.enqueue(a.spec())
		}
		if last > first {
			return fmt.Sprintf("jobs %d to %d", first, last)
		}
		return fmt.Sprintf("job %d", first)
	case "lease":
		if q, ok := s.desk.(*queueDesk); ok {
			return granted(q.leaseOf(a.word("worker", "w1"), a.words("types"), a.int("slots", 1)))
		}
		return granted(s.desk.lease(a.word("worker", "w1"), a.int("slots", 1)))
	case "complete":
		return yes(s.desk.complete(a.id()))
	case "release":
		return yes(s.desk.giveBack(a.id()))
	case "cancel":
		return yes(s.desk.cancel(a.id()))
	case "crash":
		return fmt.Sprint("back: ", s.desk.crash(a.word("worker", "w1")))
	case "pass":
		s.desk.pass(a.duration("time", time.Second))
		return "ok"
	}
	if q, ok := s.desk.(*queueDesk); ok {
		return q.run(t, d)
	}
	d.Fatalf(t, "unknown command %q", d.Cmd)
	return ""
}

// run plays the commands that only a queue understands.
func (d *queueDesk) run(t *testing.T, data *datadriven.TestData) string {
	a := arguments{t, data}
	var err error
	switch data.Cmd {
	case "options":
		*d = *newQueueDesk(t, Options{
			Fair: a.has("fair"), AgeStep: a.duration("age-step", 0), AttemptsMax: a.int("attempts", 0), KeyLimit: a.int("key-limit", 0),
			BackoffBase: a.duration("backoff", 0), RememberFor: a.duration("remember", 0), KeyFor: a.duration("key-for", 0), Seed: 1,
		})
	case "try":
		token := d.tokens[a.id()]
		if a.has("token") {
			n, err := strconv.ParseUint(a.word("token", ""), 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			token = Token(n)
		}
		return d.try(a, token)
	case "beat":
		return d.beat(a)
	case "renew":
		err = d.q.Renew(a.word("worker", "w1"), d.now)
	case "goodbye":
		return effects(d.q.Goodbye(a.word("worker", "w1"), d.now))
	case "expire":
		return effects(d.q.Expire(d.now, nil))
	case "drop":
		e, err := d.q.Cancel(a.id(), d.now)
		return effectOr(e, err)
	case "retry":
		e, err := d.q.Retry(a.id(), d.now)
		return effectOr(e, err)
	case "priority":
		err = d.q.SetPriority(a.id(), uint8(a.int("to", 0)), d.now)
	case "pause":
		err = d.q.Pause(a.word("type", "photo"))
	case "resume":
		err = d.q.Resume(a.word("type", "photo"))
	case "limit":
		err = d.q.SetLimit(a.word("type", "photo"), Limit{Running: a.int("running", 0), Every: a.duration("every", 0), Burst: a.int("burst", 0)})
	case "key-limit":
		err = d.q.SetKeyLimit(a.word("key", ""), a.int("running", 0))
	case "weight":
		err = d.q.SetWeight(a.word("tenant", ""), a.int("is", 1))
	case "leader":
		d.q, err = Restore(d.q.AppendSnapshot(nil), uint32(a.int("epoch", 2)))
	case "fresh-leader": // knows the jobs, not the leases
		q, _ := New(Options{Epoch: uint32(a.int("epoch", 2))})
		for s := range d.q.Jobs {
			if s.State == Leased {
				s.State, s.Token, s.Attempts, s.Worker, s.Started, s.Seen = Waiting, 0, 0, "", 0, 0
			}
			err = errors.Join(err, q.Load(s))
		}
		d.q = q
	case "adopt":
		no, err := d.q.Adopt(a.word("worker", "w1"), d.claims(a), d.now)
		return fmt.Sprintf("not yours: %v, err %v", ids(no), err)
	case "jobs":
		var b strings.Builder
		for s := range d.q.Jobs {
			fmt.Fprintf(&b, "%d %v\n", s.ID, s.State)
		}
		return b.String()
	case "wake":
		at, ok := d.q.Wake()
		if !ok {
			return "never"
		}
		return time.Duration(at).String()
	default:
		data.Fatalf(t, "unknown command %q", data.Cmd)
	}
	if err != nil {
		return err.Error()
	}
	return "ok"
}

func (d *queueDesk) try(a arguments, token Token) string {
	var s Status
	var e Effect
	switch what := a.word("to", ""); what {
	case "complete":
		s, e = d.q.Complete(a.id(), token, d.now)
	case "fail":
		s, e = d.q.Fail(a.id(), token, a.has("final"), d.now)
	case "release":
		s, e = d.q.Release(a.id(), token, d.now)
	default:
		a.d.Fatalf(a.t, "cannot try to %q", what)
	}
	if s != Accepted {
		return s.String()
	}
	return fmt.Sprint(s, ": ", effectOr(e, nil))
}

func (d *queueDesk) claims(a arguments) (claims []Claim) {
	for _, w := range a.words("running") {
		id, err := strconv.ParseInt(w, 10, 64)
		if err != nil {
			a.t.Fatal(err)
		}
		claims = append(claims, Claim{id, d.tokens[id]})
	}
	return claims
}

func (d *queueDesk) beat(a arguments) string {
	r, err := d.q.Beat(a.word("worker", "w1"), d.claims(a), d.now)
	if err != nil {
		return err.Error()
	}
	var parts []string
	if len(r.Lost) > 0 {
		parts = append(parts, fmt.Sprint("lost ", ids(r.Lost)))
	}
	if len(r.Cancel) > 0 {
		parts = append(parts, fmt.Sprint("cancel ", r.Cancel))
	}
	if len(r.Effects) > 0 {
		parts = append(parts, effects(r.Effects))
	}
	return cmp.Or(strings.Join(parts, "\n"), "ok")
}

func ids(claims []Claim) (ids []int64) {
	for _, c := range claims {
		ids = append(ids, c.ID)
	}
	return ids
}

func granted(grants []Grant) string {
	var b strings.Builder
	for _, g := range grants {
		fmt.Fprintf(&b, "job %d priority %d attempt %d\n", g.ID, g.Priority, g.Attempt)
	}
	return cmp.Or(b.String(), "nothing")
}

func effects(all []Effect) string {
	var b strings.Builder
	for _, e := range all {
		fmt.Fprintln(&b, effectOr(e, nil))
	}
	return cmp.Or(b.String(), "nothing")
}

func effectOr(e Effect, err error) string {
	if err != nil {
		return err.Error()
	}
	s := fmt.Sprintf("job %d %v (%v)", e.ID, e.State, e.Cause)
	if e.Due != 0 {
		s += fmt.Sprintf(" due %v", time.Duration(e.Due))
	}
	return s
}

func yes(b bool) string {
	if b {
		return "ok"
	}
	return "no"
}

// arguments reads a command's arguments.
type arguments struct {
	t *testing.T
	d *datadriven.TestData
}

func (a arguments) has(key string) bool { return a.d.HasArg(key) }

func (a arguments) word(key, otherwise string) string {
	if a.has(key) {
		a.d.ScanArgs(a.t, key, &otherwise)
	}
	return otherwise
}

func (a arguments) words(key string) []string {
	for _, arg := range a.d.CmdArgs {
		if arg.Key == key {
			return arg.Vals
		}
	}
	return nil
}

func (a arguments) int(key string, otherwise int) int {
	if a.has(key) {
		a.d.ScanArgs(a.t, key, &otherwise)
	}
	return otherwise
}

func (a arguments) id() int64 { return int64(a.int("job", 0)) }

func (a arguments) duration(key string, otherwise time.Duration) time.Duration {
	if !a.has(key) {
		return otherwise
	}
	d, err := time.ParseDuration(a.word(key, ""))
	if err != nil {
		a.t.Fatal(err)
	}
	return d
}

func (a arguments) spec() Spec {
	return Spec{
		Type: a.word("type", "photo"), Priority: uint8(a.int("priority", 0)), Tenant: a.word("tenant", ""),
		ConcurrencyKey: a.word("key", ""), IdempotencyKey: a.word("once", ""),
		RunAt: int64(a.duration("run-at", 0)), MaxRun: a.duration("max-run", 0), AttemptsMax: a.int("attempts", 0),
	}
}
