package queue_test

import (
	"testing"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue"
)

// BenchmarkJobsPage lists the first page of a million jobs.
func BenchmarkJobsPage(b *testing.B) {
	e, err := queue.Open(b.Context(), queue.NewMemory(), queue.Options{Gather: -1})
	if err != nil {
		b.Fatal(err)
	}
	defer e.Kill()
	specs := make([]api.JobSpec, api.BatchMax)
	for i := range specs {
		specs[i].Type = "photo"
	}
	for n := 0; n < 1_000_000; n += len(specs) {
		if _, err := e.Enqueue(b.Context(), specs, ""); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		if _, err := e.Jobs(b.Context(), queue.Filter{Limit: 100}); err != nil {
			b.Fatal(err)
		}
	}
}
