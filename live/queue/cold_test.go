package queue_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue"
)

// With room for 40 jobs in memory a thousand are submitted, of four priorities.
// Those that do not fit stay in the store. They can be seen and cancelled, all
// of them are done once, each priority in order, and a restart in the midst
// changes nothing.
func TestBeyondMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := queue.NewMemory()
		opt := queue.Options{JobsMax: 40}
		e := open(t, store, opt)
		g, err := e.NewGroup(t.Context(), api.GroupRequest{Size: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			specs := make([]api.JobSpec, 10)
			for k := range specs {
				specs[k] = api.JobSpec{Type: "photo", Priority: (i*7 + k) % 4, Group: g.ID, Key: fmt.Sprint(i, " ", k), EstimateS: 1}
			}
			submit(t, e, specs...)
			for _, id := range submit(t, e, specs[3]) {
				if want := int64(10*i + 4); id != want {
					t.Fatalf("the same key again is job %d, want %d", id, want)
				}
			}
		}
		if n := e.Colds(); n < 900 {
			t.Fatalf("%d jobs are in the store alone", n)
		}
		s := e.Stats("")
		sum := 0.0
		for _, p := range s.Pending {
			sum += p.EstimateS
		}
		if s.States[api.StateWaiting] != 1000 || sum != 1000 {
			t.Fatalf("%d jobs wait, with %v s of work", s.States[api.StateWaiting], sum)
		}
		if j, err := e.Job(t.Context(), 990, 0); err != nil || j.State != api.StateWaiting {
			t.Fatalf("%+v, %v", j, err)
		}
		if j, err := e.Cancel(t.Context(), 990); err != nil || j.State != api.StateCancelled {
			t.Fatalf("%+v, %v", j, err)
		}
		cancelled, err := e.CancelSelected(t.Context(), api.SelectRequest{Selector: api.Selector{Jobs: []int64{980, 981}}, Confirm: 2})
		if err != nil || cancelled.Changed != 2 {
			t.Fatalf("%+v, %v", cancelled, err)
		}
		w := hire(t, e, "i-1", 8)
		var order []int64
		last := map[int]int64{}
		for range 400 {
			a, err := e.Work(context.Background(), request(w.Session, 7, 100_000_000))
			if err != nil {
				t.Fatal(err)
			}
			if len(a.Jobs) == 0 {
				break
			}
			for _, j := range a.Jobs {
				if j.ID < last[j.Priority] {
					t.Fatalf("priority %d: job %d after %d", j.Priority, j.ID, last[j.Priority])
				}
				last[j.Priority] = j.ID
			}
			order = append(order, ids(a.Jobs)...)
			if len(order) > 300 && len(order) < 308 {
				e.Kill()
				e = open(t, store, opt)
				if wrong := e.Check(); len(wrong) > 0 {
					t.Fatal(wrong)
				}
			}
			work(t, e, request(w.Session, 0, 0, ok(a.Jobs...)...))
			synctest.Wait()
			if wrong := e.Check(); len(wrong) > 0 {
				t.Fatal(wrong)
			}
		}
		slices.Sort(order)
		if n := len(slices.Compact(order)); n != 997 || len(order) != 997 {
			t.Fatalf("%d jobs were handed out, %d of them different; want 997", len(order), n)
		}
		if g, err = e.Group(t.Context(), g.ID, 0); err != nil || g.Done != 997 || g.Cancelled != 3 || g.Waiting != 0 || !g.Ended {
			t.Fatalf("%+v, %v", g, err)
		}
	})
}
