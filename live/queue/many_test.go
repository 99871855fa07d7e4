package queue_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue"
)

// sizes is a store that notes how many jobs its commits change or remove.
type sizes struct {
	queue.Store
	all []int
}

func (s *sizes) Commit(ctx context.Context, b *queue.Batch) error {
	if n := len(b.Changed) + len(b.Removed); n > 0 {
		s.all = append(s.all, n)
	}
	return s.Store.Commit(ctx, b)
}

// A bulk change of many jobs is written in pieces, so that no call of a worker
// has to wait for all of it; and a list or a tenant's statistics find what lies
// beyond what is looked at in one go.
func TestManyJobs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &sizes{Store: queue.NewMemory()}
		e := open(t, store, queue.Options{})
		const many = 9500
		for n := 0; n < many; n += 500 {
			submit(t, e, slices.Repeat([]api.JobSpec{{Type: "photo", Tenant: "a"}}, 500)...)
		}
		last := submit(t, e, api.JobSpec{Type: "video", Tenant: "b"})[0]
		page, err := e.Jobs(t.Context(), queue.Filter{Type: "video"})
		if err != nil || len(page.Jobs) != 1 || page.Jobs[0].ID != last || page.Next != 0 {
			t.Fatalf("%+v, %v; want job %d alone", page, err, last)
		}
		for tenant, want := range map[string]int64{"a": many, "b": 1} {
			if s := e.Stats(tenant); s.States[api.StateWaiting] != want {
				t.Errorf("tenant %s: %d wait, want %d", tenant, s.States[api.StateWaiting], want)
			}
		}
		photos := api.Selector{Type: "photo"}
		if a, err := e.CancelSelected(t.Context(), api.SelectRequest{Selector: photos}); err != nil || a.Matched != many || !a.DryRun {
			t.Fatalf("%+v, %v", a, err)
		}
		if _, err := e.CancelSelected(t.Context(), api.SelectRequest{Selector: photos, Confirm: many - 1}); code(err) != api.CodeMoreMatch {
			t.Fatalf("%v; want %s", err, api.CodeMoreMatch)
		}
		if len(store.all) > 0 {
			t.Fatalf("jobs were changed: %v", store.all)
		}
		a, err := e.CancelSelected(t.Context(), api.SelectRequest{Selector: photos, Confirm: many})
		if err != nil || a.Matched != many || a.Changed != many {
			t.Fatalf("%+v, %v", a, err)
		}
		sum := 0
		for _, n := range store.all {
			if sum += n; n > 1000 {
				t.Errorf("a commit changes %d jobs, want at most 1000", n)
			}
		}
		if sum != many {
			t.Errorf("%d jobs are changed in the store, want %d", sum, many)
		}
		if wrong := e.Check(); len(wrong) > 0 {
			t.Error(wrong)
		}
		if state(t, e, last).State != api.StateWaiting {
			t.Error("the video was cancelled too")
		}
	})
}
