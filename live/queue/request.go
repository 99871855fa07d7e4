package queue

import "github.com/skynet-ec2/skynet/live/api"

// request is a call that bore an idempotency key. It is kept in memory for a day,
// and so as short as its answer can be told: a call's jobs have consecutive ids,
// but for those that were there already.
type request struct {
	Runs  []idRun `json:"runs"`
	Until int64   `json:"until"` // ns
}

// idRun are jobs of consecutive ids that were all added, or all there already.
type idRun struct {
	First int64 `json:"first"`
	Jobs  int64 `json:"jobs"`
	Added bool  `json:"added,omitzero"`
}

// newRequest returns what is kept of a call that was answered so.
func newRequest(answer []api.Submitted, until int64) *request {
	r := &request{Until: until}
	for _, s := range answer {
		if n := len(r.Runs); n > 0 {
			if last := &r.Runs[n-1]; last.Added == s.Added && last.First+last.Jobs == s.ID {
				last.Jobs++
				continue
			}
		}
		r.Runs = append(r.Runs, idRun{s.ID, 1, s.Added})
	}
	return r
}

// answer returns what the call was answered with.
func (r *request) answer() []api.Submitted {
	var all []api.Submitted
	for _, run := range r.Runs {
		for id := run.First; id < run.First+run.Jobs; id++ {
			all = append(all, api.Submitted{ID: id, Added: run.Added})
		}
	}
	return all
}
