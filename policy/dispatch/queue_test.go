package dispatch

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"
)

// A queue without limits, tenants and ageing hands out jobs exactly as a Line,
// whatever is returned, cancelled or given another priority meanwhile.
func TestQueueOrderIsLineOrder(t *testing.T) {
	for seed := range uint64(10) {
		g := rand.New(rand.NewPCG(seed, 4))
		var l Line
		q := newQueue(t, Options{})
		held := map[int64]Grant{}
		var ids []int64 // of held, in order
		now := int64(0)
		priorities := map[int64]uint8{}
		for range 20_000 {
			now += int64(g.IntN(2))
			switch n := g.IntN(10); {
			case n < 4:
				p := uint8(g.IntN(4))
				id, _, err := q.Enqueue(Spec{Type: one(g, someTypes), Tenant: one(g, someTenants), Priority: p}, now)
				if err != nil {
					t.Fatal(err)
				}
				priorities[id] = p
				l.Push(p, Job{ID: id, Arrival: now})
			case n < 7:
				grants, err := q.Lease("w", nil, 1+g.IntN(3), now, nil)
				if err != nil {
					t.Fatal(err)
				}
				for _, got := range grants {
					want, p, ok := l.Pop()
					if !ok || got.ID != want.ID || got.Priority != p {
						t.Fatalf("seed %d: queue gave job %d of priority %d, line %d of %d", seed, got.ID, got.Priority, want.ID, p)
					}
					held[got.ID] = got
					ids = append(ids, got.ID)
				}
			case n < 9 && len(ids) > 0:
				i := g.IntN(len(ids))
				c := held[ids[i]]
				ids[i] = ids[len(ids)-1]
				ids = ids[:len(ids)-1]
				if g.IntN(2) == 0 {
					q.Complete(c.ID, c.Token, now)
				} else {
					q.Release(c.ID, c.Token, now)
					l.Return(priorities[c.ID], Job{ID: c.ID, Arrival: c.Arrival})
				}
			case len(priorities) > 0:
				id := int64(1 + g.IntN(len(priorities)))
				s, ok := q.Job(id)
				if !ok || s.State != Waiting {
					continue
				}
				if _, ok := l.Remove(priorities[id], s.RunAt, id); !ok {
					t.Fatalf("seed %d: job %d waits in the queue, not in the line", seed, id)
				}
				if g.IntN(2) == 0 {
					if _, err := q.Cancel(id, now); err != nil {
						t.Fatal(err)
					}
					continue
				}
				priorities[id] = uint8(g.IntN(4))
				if err := q.SetPriority(id, priorities[id], now); err != nil {
					t.Fatal(err)
				}
				l.Return(priorities[id], Job{ID: id, Arrival: s.RunAt})
			}
		}
		if q.Len(Waiting) != l.Len() {
			t.Fatalf("seed %d: %d jobs wait in the queue, %d in the line", seed, q.Len(Waiting), l.Len())
		}
	}
}

func newQueue(t testing.TB, opt Options) *Queue {
	q, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// No tenant is starved by newcomers, and weights are kept, whatever the types.
func TestFairShares(t *testing.T) {
	q := newQueue(t, Options{Fair: true})
	weights := map[string]int{"one": 1, "two": 2, "five": 5}
	for name, w := range weights {
		if err := q.SetWeight(name, w); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 30_000 {
		name := []string{"one", "two", "five"}[i%3]
		if _, _, err := q.Enqueue(Spec{Type: someTypes[i/3%3], Tenant: name}, 0); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]int{}
	grants, err := q.Lease("w", nil, 8000, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range grants {
		got[g.Tenant]++
	}
	for name, w := range weights {
		if want := 1000 * w; math.Abs(float64(got[name]-want)) > 2 {
			t.Errorf("of 8000 jobs %q had %d, want %d", name, got[name], want)
		}
	}
	// A new tenant asks for one job before each lease. The old ones still get
	// about half of the leases.
	old := 0
	for i := range 1000 {
		if _, _, err := q.Enqueue(Spec{Type: "photo", Tenant: fmt.Sprint("new ", i)}, 0); err != nil {
			t.Fatal(err)
		}
		grants, _ := q.Lease("w", nil, 2, 0, nil)
		for _, g := range grants {
			if !strings.HasPrefix(g.Tenant, "new") {
				old++
			}
		}
	}
	if old < 900 {
		t.Errorf("beside a stream of new tenants the old ones had %d of 2000 leases", old)
	}
}

// Tenants and keys that have left are forgotten.
func TestNamesAreForgotten(t *testing.T) {
	q := newQueue(t, Options{Fair: true, RememberFor: time.Second})
	now := int64(0)
	for i := range 20_000 {
		now += int64(time.Second)
		s := Spec{Type: "photo", Tenant: fmt.Sprint("t", i), ConcurrencyKey: fmt.Sprint("k", i)}
		if _, _, err := q.Enqueue(s, now); err != nil {
			t.Fatal(err)
		}
		grants, err := q.Lease("w", nil, 1, now, nil)
		if err != nil || len(grants) != 1 {
			t.Fatal(grants, err)
		}
		q.Complete(grants[0].ID, grants[0].Token, now)
	}
	if n, k := len(q.tenants.things), len(q.keys.things); n > 3000 || k > 3000 {
		t.Errorf("after 20000 tenants with one job each the queue knows %d tenants and %d keys", n, k)
	}
}

// A waiting job costs at most 150 bytes.
func TestQueueMemory(t *testing.T) {
	const jobs = 300_000
	heap := func() uint64 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	before := heap()
	q := newQueue(t, Options{})
	for i := range int64(jobs) {
		if _, _, err := q.Enqueue(Spec{Type: "photo", Priority: uint8(i & 3), Tenant: "ann"}, i); err != nil {
			t.Fatal(err)
		}
	}
	if per := float64(heap()-before) / jobs; per > 150 {
		t.Errorf("%.0f bytes a job", per)
	}
	runtime.KeepAlive(q)
}

func TestBackoff(t *testing.T) {
	const base, ceiling = time.Second, 10 * time.Minute
	for n := 1; n <= 80; n++ {
		bound := time.Duration(min(float64(ceiling), float64(base)*math.Pow(2, float64(n-1))))
		var sum time.Duration
		for job := range int64(400) {
			d := Backoff(7, job, n, base, ceiling)
			if d < 0 || d > bound {
				t.Fatalf("failure %d of job %d waits %v, bound %v", n, job, d, bound)
			}
			sum += d / 400
		}
		if mean := float64(sum) / float64(bound); mean < 0.42 || mean > 0.58 {
			t.Errorf("after %d failures jobs wait %.2f of the bound on average, want 0.5", n, mean)
		}
	}
	if Backoff(1, 1, 3, base, ceiling) == Backoff(2, 1, 3, base, ceiling) {
		t.Error("the seed makes no difference")
	}
	if d := Backoff(1, 1, 1, math.MaxInt64, math.MaxInt64); d < 0 {
		t.Errorf("the longest back-off is %v", d)
	}
}

func TestBadInput(t *testing.T) {
	q := newQueue(t, Options{})
	long := strings.Repeat("x", 256)
	for _, c := range []struct {
		name string
		err  error
		want []string
	}{
		{"options", func() error {
			_, err := New(Options{LeaseTTL: -1, AgeStep: -time.Minute, LossesMax: 300})
			return err
		}(), []string{"LeaseTTL = -1ns", "AgeStep = -1m0s", "LossesMax = 300: must be from 0 to 255"}},
		{"spec", func() error {
			_, _, err := q.Enqueue(Spec{Tenant: long, Estimate: -1, AttemptsMax: 1 << 16}, 0)
			return err
		}(), []string{"type of 0 bytes: must be 1 to 255", "tenant of 256 bytes", "estimate -1ns", "attempts 65536"}},
		{"lease", func() error { _, err := q.Lease("", nil, 1, 0, nil); return err }(), []string{"lease: worker name of 0 bytes"}},
		{"beat", func() error { _, err := q.Beat(long, nil, 0); return err }(), []string{"beat: worker name of 256 bytes"}},
		{"renew", q.Renew("", 0), []string{"renew: worker name"}},
		{"adopt", func() error { _, err := q.Adopt("", nil, 0); return err }(), []string{"adopt: worker name"}},
		{"pause", q.Pause(""), []string{"pause: type of 0 bytes"}},
		{"resume", q.Resume(long), []string{"resume: type of 256 bytes"}},
		{"weight", q.SetWeight("ann", 0), []string{"weight 0", "1 to 1000"}},
		{"key limit", q.SetKeyLimit("", 1), []string{"of 0 bytes"}},
		{"limit", q.SetLimit("photo", Limit{Running: -1}), []string{`limit "photo": running = -1`}},
		{"burst", q.SetLimit("photo", Limit{Burst: 1 << 20}), []string{"burst = 1048576"}},
		{"cancel", func() error { _, err := q.Cancel(9, 0); return err }(), []string{"cancel job 9: not in the queue"}},
		{"retry", func() error { _, err := q.Retry(9, 0); return err }(), []string{"retry job 9: not in the queue"}},
		{"priority", q.SetPriority(9, 1, 0), []string{"set priority of job 9: not in the queue"}},
		{"load", q.Load(Stored{Spec: Spec{Type: "photo"}, ID: 3, State: Leased}), []string{"load job 3: leased without worker"}},
		{"load of the future", q.Load(Stored{Spec: Spec{Type: "photo"}, ID: 3, State: Waiting, Token: 9 << 32}), []string{"token of epoch 9"}},
	} {
		if c.err == nil {
			t.Errorf("%s: no error", c.name)
			continue
		}
		for _, want := range c.want {
			if !strings.Contains(c.err.Error(), want) {
				t.Errorf("%s: %q does not say %q", c.name, c.err, want)
			}
		}
	}
	if q.Len(Waiting)+q.Len(Leased) != 0 {
		t.Error("bad input left a job")
	}
}

// A snapshot that was cut or changed anywhere is refused.
func TestRestoreRefusesDamage(t *testing.T) {
	q := newQueue(t, Options{})
	for i := range 20 {
		if _, _, err := q.Enqueue(Spec{Type: "photo", Tenant: fmt.Sprint(i % 3)}, int64(i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := q.Lease("w", nil, 3, 30, nil); err != nil {
		t.Fatal(err)
	}
	b := q.AppendSnapshot(nil)
	for n := range b {
		if _, err := Restore(b[:n], 0); err == nil {
			t.Fatalf("restored from the first %d of %d bytes", n, len(b))
		}
		b[n] ^= 0x10
		if _, err := Restore(b, 0); err == nil {
			t.Fatalf("restored with byte %d changed", n)
		}
		b[n] ^= 0x10
		// With the checksum made good, cutting must still not panic.
		if body := b[len(snapshotMagic) : len(b)-4]; n < len(body) {
			if _, err := Restore(seal(body[:n]), 0); err == nil {
				t.Fatalf("restored from %d of %d bytes of body", n, len(body))
			}
		}
	}
	if _, err := Restore(b, 0); err != nil {
		t.Fatal(err)
	}
}
