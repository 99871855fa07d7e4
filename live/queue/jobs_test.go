package queue_test

import (
	"slices"
	"testing"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/live/queue"
)

// Page by page, every job is listed once, by id.
func TestJobsByPages(t *testing.T) {
	story(t, "pages", queue.Options{}, func(t *testing.T, e *queue.Engine) {
		all := submit(t, e, photos(997)...)
		mine := work(t, e, request(hire(t, e, "i-1", 40).Session, 40, 0)).Jobs
		for _, c := range []struct {
			state api.State
			want  []int64
		}{{"", all}, {api.StateLeased, all[:len(mine)]}, {api.StateWaiting, all[len(mine):]}, {api.StateDead, nil}} {
			for _, limit := range []int{1, 7, 100, 1000} {
				var got []int64
				for f := (queue.Filter{State: c.state, Limit: limit}); ; {
					page, err := e.Jobs(t.Context(), f)
					if err != nil || len(page.Jobs) > limit {
						t.Fatalf("%d jobs on a page of %d, %v", len(page.Jobs), limit, err)
					}
					for _, j := range page.Jobs {
						got = append(got, j.ID)
					}
					if f.After = page.Next; f.After == 0 {
						break
					}
				}
				if !slices.Equal(got, c.want) {
					t.Fatalf("state %q by %d: got %v, want %v", c.state, limit, got, c.want)
				}
			}
		}
	})
}
