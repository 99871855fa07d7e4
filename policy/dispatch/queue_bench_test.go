package dispatch

import (
	"fmt"
	"runtime"
	"testing"
)

// deep returns a queue with n jobs waiting, and the heap bytes it takes a job.
func deep(b *testing.B, opt Options, n int) (*Queue, float64) {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	q := newQueue(b, opt)
	for i := range int64(n) {
		s := Spec{Type: someTypes[i%3], Priority: uint8(i & 3), Tenant: someTenants[i%4]}
		if _, _, err := q.Enqueue(s, i); err != nil {
			b.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	return q, float64(after.HeapAlloc-before.HeapAlloc) / float64(max(n, 1))
}

// BenchmarkQueue lets one job live: enqueued, leased in batches of eight,
// completed, forgotten a thousand jobs later, while others wait behind.
func BenchmarkQueue(b *testing.B) {
	for _, c := range []struct {
		name string
		opt  Options
	}{{"plain", Options{}}, {"fair", Options{Fair: true}}} {
		for _, depth := range []int{0, 1_000_000} {
			b.Run(fmt.Sprintf("%s/depth=%d", c.name, depth), func(b *testing.B) {
				c.opt.RememberFor = 1000
				q, bytes := deep(b, c.opt, depth)
				now := q.Now()
				var grants []Grant
				b.ReportAllocs()
				b.ResetTimer()
				for i := 0; i < b.N; i += 8 {
					for k := range 8 {
						now++
						if _, _, err := q.Enqueue(Spec{Type: someTypes[k%3], Priority: uint8(k & 3), Tenant: someTenants[k/2]}, now); err != nil {
							b.Fatal(err)
						}
					}
					grants, _ = q.Lease("w", nil, 8, now, grants[:0])
					for _, g := range grants {
						q.Complete(g.ID, g.Token, now)
					}
				}
				if depth > 0 {
					b.ReportMetric(bytes, "B/job")
				}
			})
		}
	}
}

// BenchmarkSnapshot saves and restores a queue of a million waiting jobs.
func BenchmarkSnapshot(b *testing.B) {
	const jobs = 1_000_000
	q, _ := deep(b, Options{}, jobs)
	snapshot := q.AppendSnapshot(nil)
	b.Run("save", func(b *testing.B) {
		for b.Loop() {
			snapshot = q.AppendSnapshot(snapshot[:0])
		}
		b.ReportMetric(float64(len(snapshot))/jobs, "B/job")
	})
	b.Run("restore", func(b *testing.B) {
		for b.Loop() {
			if _, err := Restore(snapshot, 0); err != nil {
				b.Fatal(err)
			}
		}
	})
}
