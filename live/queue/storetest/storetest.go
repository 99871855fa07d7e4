// Package storetest is what every queue.Store must pass.
package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/skynet-ec2/skynet/live/queue"
	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// Open opens the same data again with each call, as another process would. The
// test closes what it opened.
type Open func() queue.Store

// Run checks a kind of store. fresh makes an empty one.
func Run(t *testing.T, fresh func(t *testing.T) Open) {
	for _, c := range []struct {
		name string
		test func(*testing.T, Open)
	}{
		{"lead", lead},
		{"fields", fields},
		{"changes", changes},
		{"atomic", atomic},
		{"repeated", repeated},
		{"fenced", fenced},
		{"cold", cold},
		{"history", history},
		{"completed", completed},
		{"completion repeated after a take-over", takenOver},
		{"minutes", minutes},
		{"tend", tend},
		{"deadline", deadline},
		{"random", random},
	} {
		t.Run(c.name, func(t *testing.T) {
			reopen := fresh(t)
			c.test(t, func() queue.Store {
				s := reopen()
				t.Cleanup(func() { s.Close() })
				return s
			})
		})
	}
}

const hour = int64(time.Hour)

// day is an instant from which the tests count: noon.
var day = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC).UnixNano()

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func leads(t *testing.T, s queue.Store) uint32 {
	t.Helper()
	epoch, err := s.Lead(t.Context(), "test", time.Hour)
	must(t, err)
	return epoch
}

func lead(t *testing.T, open Open) {
	a, b := open(), open()
	first := leads(t, a)
	if first == 0 {
		t.Error("the first epoch is 0")
	}
	if _, err := b.Lead(t.Context(), "b", time.Hour); !errors.Is(err, queue.ErrHeld) {
		t.Errorf("a second leader: %v, want ErrHeld", err)
	}
	must(t, a.Renew(t.Context(), first, time.Hour))
	must(t, a.Resign(t.Context(), first))
	second, err := b.Lead(t.Context(), "b", 20*time.Millisecond)
	if err != nil || second <= first {
		t.Fatalf("epoch %d after %d, %v", second, first, err)
	}
	for _, err := range []error{a.Renew(t.Context(), first, time.Hour), a.Resign(t.Context(), first)} {
		if !errors.Is(err, queue.ErrFenced) {
			t.Errorf("the earlier leader: %v, want ErrFenced", err)
		}
	}
	time.Sleep(30 * time.Millisecond)
	third, err := a.Lead(t.Context(), "a", time.Hour)
	if err != nil || third <= second {
		t.Errorf("epoch %d after %d, whose time was up: %v", third, second, err)
	}
}

// everything is a batch in which every field of everything is set, besides one
// in which hardly any is.
func everything(epoch uint32) *queue.Batch {
	full := queue.Job{
		Stored: dispatch.Stored{
			Spec: dispatch.Spec{
				Type: "photo", Priority: 200, Tenant: "tänant", IdempotencyKey: "4:key", ConcurrencyKey: "album 7", RunAt: day,
				Estimate: 3 * time.Second, MaxRun: time.Minute, AttemptsMax: 7,
			},
			ID: 1, State: dispatch.Delayed, Token: dispatch.Token(1)<<32 | 3, Attempts: 3, Failures: 2, Losses: 1, Due: day + hour,
			EndedBy: dispatch.CauseFailed,
		},
		Created: day - 1, Promise: int64(30 * time.Second), Group: "g1", BytesIn: 1 << 40, Args: []byte(`{"a":"\u0000"}`), Error: "it didn't",
	}
	plain := queue.Job{Stored: dispatch.Stored{Spec: dispatch.Spec{Type: "p", RunAt: 1}, ID: 2, State: dispatch.Waiting}, Created: 1}
	marked := queue.Job{Stored: dispatch.Stored{Spec: dispatch.Spec{Type: "p", RunAt: 1}, ID: 3, State: dispatch.Waiting, Cancelling: true}, Created: 1}
	dead := queue.Job{Stored: dispatch.Stored{Spec: dispatch.Spec{Type: "p", RunAt: 1}, ID: 4, State: dispatch.Dead, Failures: 1}, Created: 1}
	poison := queue.Job{Stored: dispatch.Stored{Spec: dispatch.Spec{Type: "p", RunAt: 1}, ID: 5, State: dispatch.Quarantined, Losses: 3}, Created: 1}
	return &queue.Batch{
		Epoch: epoch, Number: 1, NextID: 1000,
		Added: []queue.Job{full, plain, marked, dead, poison},
		Ended: []queue.Record{record(101, day), {ID: 102, Type: "p", State: dispatch.Cancelled, Created: 1, Arrival: 2, Finished: day + 1}},
		Handed: []queue.HandOut{
			{ID: 1 << 33, Leases: []queue.Lease{{Worker: "w1", Job: 2, Token: 1<<32 | 1, Started: day}, {Worker: "w1", Job: 1, Token: 1<<32 | 4, Started: day + 5}}},
			{ID: 9, Leases: []queue.Lease{{Worker: "w2", Job: 3, Token: 7, Started: 1}, {Worker: "w1", Job: 5, Token: 2, Started: 4}}},
		},
		Keys:    []queue.Key{{Key: "1:k", Job: 101, Until: day + 24*hour}},
		Facts:   []queue.Fact{{Kind: "queue", Key: "photo", Value: []byte(`{}`)}, {Kind: "queue", Key: "video", Value: []byte{0, 255}}},
		Minutes: []queue.Minute{minute(day)},
	}
}

func minute(at int64) queue.Minute {
	return queue.Minute{At: at, Type: "photo", Priority: 3, MinuteCounts: queue.MinuteCounts{
		Arrived: 1, ArrivedWork: 2, Completed: 3, Failed: 4, Retried: 5, Lost: 6, Cancelled: 7, Wait: 8, Service: 9, ServiceSquare: 1.5,
	}}
}

func record(id, finished int64) queue.Record {
	return queue.Record{
		ID: id, Type: "photo", Priority: 9, Tenant: "t", Group: "g", State: dispatch.Done, Attempts: 2, Failures: 1, Losses: 1, Token: 1<<32 | 5,
		Created: day - 10, Arrival: day - 9, Started: day - 5, Finished: finished, Run: 4, CPU: 3, Estimate: 2, Promise: 11, BytesIn: 12, BytesOut: 13, PeakMemory: 14,
		Worker: "w1", Instance: "i-1", InstanceType: "c1.xlarge", Boot: "b", Error: "e", Result: "s3://b/k",
	}
}

// content is what a store yields.
type content struct {
	NextID   int64
	Facts    map[string]string
	Keys     map[string]queue.Key
	Jobs     map[int64]queue.Job
	HandOuts map[int64]queue.HandOut
}

func contentOf(t *testing.T, s queue.Store) content {
	t.Helper()
	c := content{Facts: map[string]string{}, Keys: map[string]queue.Key{}, Jobs: map[int64]queue.Job{}, HandOuts: map[int64]queue.HandOut{}}
	stage := 0
	at := func(n int) {
		if n < stage {
			t.Fatalf("Load yields out of order: %d after %d", n, stage)
		}
		stage = n
	}
	var err error
	c.NextID, err = s.Load(t.Context(), queue.Loaded{
		Fact:    func(f queue.Fact) error { at(0); c.Facts[f.Kind+" "+f.Key] = string(f.Value); return nil },
		Key:     func(k queue.Key) error { at(1); c.Keys[k.Key] = k; return nil },
		HandOut: func(h queue.HandOut) error { at(2); c.HandOuts[h.ID] = h; return nil },
		Job:     func(j *queue.Job) error { at(3); c.Jobs[j.ID] = *j; return nil },
	})
	must(t, err)
	return c
}

func same(t *testing.T, what string, got, want any) {
	t.Helper()
	if reflect.DeepEqual(want, got) { // a hundred times faster
		return
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("%s: want (-), got (+):\n%s", what, diff)
	}
}

// wanted returns the content that batches leave.
func wanted(t *testing.T, batches ...*queue.Batch) content {
	t.Helper()
	m := queue.NewMemory()
	for range batches[0].Epoch {
		_, err := m.Lead(t.Context(), "", -1)
		must(t, err)
	}
	for _, b := range batches {
		must(t, m.Commit(t.Context(), b))
	}
	return contentOf(t, m)
}

func fields(t *testing.T, open Open) {
	s := open()
	b := everything(leads(t, s))
	must(t, s.Commit(t.Context(), b))
	same(t, "content", contentOf(t, s), wanted(t, b))
	same(t, "content opened again", contentOf(t, open()), wanted(t, b))
	for i := range b.Ended {
		r, ok, err := s.Ended(t.Context(), b.Ended[i].ID)
		must(t, err)
		if !ok {
			t.Fatalf("no record of job %d", b.Ended[i].ID)
		}
		same(t, "record", r, b.Ended[i])
	}
	if _, ok, err := s.Ended(t.Context(), 1); ok || err != nil {
		t.Errorf("a record of a job that lives: %v, %v", ok, err)
	}
}

func changes(t *testing.T, open Open) {
	s := open()
	a := everything(leads(t, s))
	must(t, s.Commit(t.Context(), a))
	job := a.Added[0]
	job.Priority, job.RunAt, job.State, job.Token, job.Attempts, job.Failures, job.Losses, job.Due, job.EndedBy, job.Cancelling, job.Error = 1, 5, dispatch.Waiting, 1<<32|9, 4, 3, 2, 0, dispatch.CauseLost, true, "again"
	again := a.Added[1]
	again.ID = 77
	b := &queue.Batch{
		Epoch: a.Epoch, Number: 2, NextID: 2000,
		Added: []queue.Job{again}, Changed: []queue.Job{job}, Removed: []int64{2, 3}, Returned: []int64{9, 12345},
		Keys:  []queue.Key{{Key: "1:k", Job: 500, Until: day + 48*hour}},
		Facts: []queue.Fact{{Kind: "queue", Key: "photo"}, {Kind: "queue", Key: "video", Value: []byte("new")}, {Kind: "x", Key: "never was"}},
		Ended: []queue.Record{record(2, day+5), record(3, day+6)},
	}
	must(t, s.Commit(t.Context(), b))
	same(t, "content", contentOf(t, open()), wanted(t, a, b))
}

func atomic(t *testing.T, open Open) {
	s := open()
	a := everything(leads(t, s))
	must(t, s.Commit(t.Context(), a))
	before := contentOf(t, s)
	fresh := a.Added[1]
	fresh.ID = 60
	twice := a.Added[1]
	missing := a.Added[1]
	missing.ID = 61
	taken := fresh
	taken.ID, taken.IdempotencyKey = 62, a.Added[0].IdempotencyKey
	for name, bad := range map[string]queue.Batch{
		"added twice":        {Added: []queue.Job{fresh, twice}},
		"changed, not there": {Added: []queue.Job{fresh}, Changed: []queue.Job{missing}},
		"removed, not there": {Added: []queue.Job{fresh}, Removed: []int64{61}},
		"idempotency key":    {Added: []queue.Job{fresh, taken}},
		"a number left out":  {Added: []queue.Job{fresh}, Number: 7},
		"handed out twice":   {Added: []queue.Job{fresh}, Handed: a.Handed[:1]},
	} {
		bad.Epoch, bad.NextID = a.Epoch, 1
		if bad.Number == 0 {
			bad.Number = 2
		}
		if err := s.Commit(t.Context(), &bad); err == nil {
			t.Fatalf("%s: no error", name)
		}
		same(t, name, contentOf(t, s), before)
	}
	must(t, s.Commit(t.Context(), &queue.Batch{Epoch: a.Epoch, Number: 2, Added: []queue.Job{fresh}}))
	if contentOf(t, s).NextID != 1000 {
		t.Error("the next id went back")
	}
}

func repeated(t *testing.T, open Open) {
	s := open()
	a := everything(leads(t, s))
	must(t, s.Commit(t.Context(), a))
	must(t, s.Commit(t.Context(), a))
	b := &queue.Batch{Epoch: a.Epoch, Number: 2, Removed: []int64{2}, Minutes: a.Minutes}
	must(t, s.Commit(t.Context(), b))
	must(t, open().Commit(t.Context(), b))
	same(t, "content", contentOf(t, s), wanted(t, a, b))
}

func fenced(t *testing.T, open Open) {
	old, now := open(), open()
	a := everything(leads(t, old))
	must(t, old.Resign(t.Context(), a.Epoch))
	b := everything(leads(t, now))
	if err := old.Commit(t.Context(), a); !errors.Is(err, queue.ErrFenced) {
		t.Fatalf("commit of an earlier leader: %v, want ErrFenced", err)
	}
	must(t, now.Commit(t.Context(), b))
	a.Number = 2
	if err := old.Commit(t.Context(), a); !errors.Is(err, queue.ErrFenced) {
		t.Fatalf("commit of an earlier leader: %v, want ErrFenced", err)
	}
	same(t, "content", contentOf(t, old), wanted(t, b))
}

func cold(t *testing.T, open Open) {
	s := open()
	b := &queue.Batch{Epoch: leads(t, s), Number: 1, NextID: 100}
	var want []queue.Job
	for i := range int64(40) {
		j := queue.Job{
			Stored:  dispatch.Stored{Spec: dispatch.Spec{Type: fmt.Sprint("type ", i%2), Priority: uint8(i % 3), RunAt: 1000 - i%5}, ID: i + 1, State: dispatch.Waiting},
			Created: 1, Cold: i%4 != 0,
		}
		if i%2 == 0 {
			j.Estimate, j.Group = time.Second, "g"
		}
		b.Added = append(b.Added, j)
		if j.Cold {
			want = append(want, j)
		}
	}
	must(t, s.Commit(t.Context(), b))
	place := func(j *queue.Job) queue.Place { return queue.Place{Priority: j.Priority, RunAt: j.RunAt, ID: j.ID} }
	slices.SortFunc(want, func(a, b queue.Job) int {
		if place(&a).Before(place(&b)) {
			return -1
		}
		return 1
	})
	var got []queue.Job
	for after := (queue.Place{}); ; {
		some, err := s.Cold(t.Context(), after, 7)
		must(t, err)
		if len(some) == 0 {
			break
		}
		got = append(got, some...)
		after = place(&some[len(some)-1])
	}
	same(t, "cold jobs", got, want)
	if n := len(contentOf(t, s).Jobs); n != 10 {
		t.Errorf("Load yields %d jobs, want the 10 that are not cold", n)
	}
	counts, err := s.Colds(t.Context())
	must(t, err)
	sum := map[string]queue.ColdCount{}
	for _, c := range counts {
		sum[fmt.Sprint(c.Type, c.Priority, c.Group)] = c
	}
	wantSum := map[string]queue.ColdCount{}
	for i := range want {
		j := &want[i]
		k := fmt.Sprint(j.Type, j.Priority, j.Group)
		c, there := wantSum[k]
		if !there {
			c = queue.ColdCount{Type: j.Type, Priority: j.Priority, Group: j.Group, Oldest: j.RunAt}
		}
		c.Count(j)
		wantSum[k] = c
	}
	same(t, "counts", sum, wantSum)
	one, ok, err := s.ColdJob(t.Context(), want[3].ID)
	must(t, err)
	if !ok {
		t.Fatal("no cold job by its id")
	}
	same(t, "cold job", one, want[3])
	if _, ok, err := s.ColdJob(t.Context(), 1); ok || err != nil {
		t.Errorf("a job that is not cold: %v, %v", ok, err)
	}
	warm := want[3]
	warm.Cold = false
	must(t, s.Commit(t.Context(), &queue.Batch{Epoch: b.Epoch, Number: 2, Changed: []queue.Job{warm}}))
	if _, ok, _ := s.ColdJob(t.Context(), warm.ID); ok {
		t.Error("the job is still cold")
	}
	same(t, "job that came in", contentOf(t, s).Jobs[warm.ID], warm)
}

func history(t *testing.T, open Open) {
	s := open()
	b := &queue.Batch{Epoch: leads(t, s), Number: 1}
	for i := range int64(50) {
		b.Ended = append(b.Ended, record(i+1, day+(i*37%50)*3*hour))
	}
	must(t, s.Commit(t.Context(), b))
	from, to := day+4*hour, day+100*hour
	var want, got []queue.Record
	for _, r := range b.Ended {
		if r.Finished >= from && r.Finished < to {
			want = append(want, r)
		}
	}
	slices.SortFunc(want, func(a, b queue.Record) int { return int((a.Finished - b.Finished) / hour) })
	must(t, s.History(t.Context(), from, to, func(r *queue.Record) error {
		got = append(got, *r)
		return nil
	}))
	same(t, "history", got, want)

	enough := errors.New("enough")
	n := 0
	err := s.History(t.Context(), 0, 1<<62, func(*queue.Record) error {
		if n++; n == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n != 3 {
		t.Errorf("history stopped after %d with %v", n, err)
	}
}

func minutes(t *testing.T, open Open) {
	s := open()
	at := day - day%int64(time.Minute)
	a, b, c := minute(at), minute(at+int64(time.Minute)), minute(at)
	c.Priority = 4
	epoch := leads(t, s)
	must(t, s.Commit(t.Context(), &queue.Batch{Epoch: epoch, Number: 1, Minutes: []queue.Minute{b, a, c}}))
	must(t, s.Commit(t.Context(), &queue.Batch{Epoch: epoch, Number: 2, Minutes: []queue.Minute{a}}))
	a.Add(a.MinuteCounts)
	var got []queue.Minute
	must(t, s.Minutes(t.Context(), at, at+1, func(m queue.Minute) error {
		got = append(got, m)
		return nil
	}))
	same(t, "minutes", got, []queue.Minute{a, c})
}

func tend(t *testing.T, open Open) {
	s := open()
	b := &queue.Batch{Epoch: leads(t, s), Number: 1, Keys: []queue.Key{{Key: "a", Job: 1, Until: day}, {Key: "b", Job: 2, Until: day + 1}}}
	for i := range int64(5) {
		b.Ended = append(b.Ended, record(i+1, day+i*24*hour))
		b.Minutes = append(b.Minutes, minute(day+i*24*hour))
	}
	must(t, s.Commit(t.Context(), b))
	must(t, s.Tend(t.Context(), day, day+2*24*hour, day+3*24*hour))
	must(t, s.Tend(t.Context(), day, day+2*24*hour, day+3*24*hour))
	var ids []int64
	must(t, s.History(t.Context(), 0, 1<<62, func(r *queue.Record) error {
		ids = append(ids, r.ID)
		return nil
	}))
	same(t, "records", ids, []int64{3, 4, 5})
	n := 0
	must(t, s.Minutes(t.Context(), 0, 1<<62, func(queue.Minute) error { n++; return nil }))
	if n != 2 {
		t.Errorf("%d minutes are left, want 2", n)
	}
	if _, ok, err := s.Ended(t.Context(), 1); ok || err != nil {
		t.Errorf("a record of a day that was dropped: %v, %v", ok, err)
	}
	same(t, "keys", contentOf(t, s).Keys, map[string]queue.Key{"b": b.Keys[1]})
	must(t, s.Commit(t.Context(), &queue.Batch{Epoch: b.Epoch, Number: 2, Ended: []queue.Record{record(9, day)}})) // its day was dropped
	if _, ok, err := s.Ended(t.Context(), 9); !ok || err != nil {
		t.Errorf("a record of a day that was dropped before: %v, %v", ok, err)
	}
}

func deadline(t *testing.T, open Open) {
	s := open()
	b := everything(leads(t, s))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	nothing := func(*queue.Record) error { return nil }
	_, loadErr := s.Load(ctx, queue.Loaded{})
	_, leadErr := s.Lead(ctx, "late", time.Hour)
	_, coldErr := s.Cold(ctx, queue.Place{}, 1)
	_, _, coldJobErr := s.ColdJob(ctx, 1)
	_, coldsErr := s.Colds(ctx)
	_, _, endedErr := s.Ended(ctx, 1)
	_, completedErr := s.Completed(ctx, []int64{1})
	for name, err := range map[string]error{
		"Commit": s.Commit(ctx, b), "Load": loadErr, "Lead": leadErr, "Cold": coldErr, "ColdJob": coldJobErr, "Colds": coldsErr, "Ended": endedErr, "Completed": completedErr,
		"Renew": s.Renew(ctx, b.Epoch, time.Hour), "Resign": s.Resign(ctx, b.Epoch), "History": s.History(ctx, 0, 1<<62, nothing),
		"Minutes": s.Minutes(ctx, 0, 1<<62, func(queue.Minute) error { return nil }), "Tend": s.Tend(ctx, day, day, day),
	} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s with a context that has ended: %v, want context.Canceled", name, err)
		}
	}
	must(t, s.Commit(t.Context(), b))
	same(t, "content", contentOf(t, s), wanted(t, b))
}
