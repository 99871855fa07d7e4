package api

import (
	"encoding/json"
	"time"
)

// JobSpec is a job that somebody wants done. Only type is required.
type JobSpec struct {
	Type           string          `json:"type"`                      // 1 to 255 bytes
	Priority       int             `json:"priority,omitempty"`        // 0 (first) to 255
	Tenant         string          `json:"tenant,omitempty"`          // whom it is for; a token bound to a tenant fills it in and allows no other
	Key            string          `json:"key,omitempty"`             // idempotency: a second job with the key is the first one, while that lives and 24 h longer. Keys of different tenants are different
	ConcurrencyKey string          `json:"concurrency_key,omitempty"` // jobs with the same key run a few at a time (the call limitKey)
	Group          string          `json:"group,omitempty"`           // id of a group that counts it
	RunAt          time.Time       `json:"run_at,omitzero"`           // not before; zero or past: at once
	DelayMS        int64           `json:"delay_ms,omitempty"`        // the same as a duration from now; not together with run_at
	EstimateS      float64         `json:"estimate_s,omitempty"`      // core-seconds on the reference core that somebody expects; 0: nobody does
	DueMS          int64           `json:"due_ms,omitempty"`          // promised to be done so long after its arrival; for reports and traces, the queue does not order by it
	MaxRunMS       int64           `json:"max_run_ms,omitempty"`      // one attempt may take so long, beats or not; 0: as long as it likes
	AttemptsMax    int             `json:"attempts_max,omitempty"`    // failures that make it dead; 0: the queue's
	BytesIn        int64           `json:"bytes_in,omitempty"`        // size of its input; 0: not known
	Args           json.RawMessage `json:"args,omitempty"`            // what the handler is told: any JSON, at most 64 KiB
}

// Submitted says what became of a JobSpec.
type Submitted struct {
	ID    int64 `json:"id"`
	Added bool  `json:"added"` // false: the job with this key was there already
}

// BatchRequest submits up to BatchMax jobs. All of them are taken, or none: then
// the error's field names the first that is impossible, such as
// "jobs[3].priority", and problems names the others.
//
// The body may be NDJSON instead (Content-Type: application/x-ndjson), one
// JobSpec a line.
type BatchRequest struct {
	Jobs []JobSpec `json:"jobs"`
}

// BatchResponse answers each job of a batch, in its order.
type BatchResponse struct {
	Jobs []Submitted `json:"jobs"`
}

// State says where a job is in its life.
type State string

// The states of a job. Dead and quarantined jobs wait for a person's retry or
// cancel.
const (
	StateWaiting     State = "waiting"     // in line
	StateDelayed     State = "delayed"     // its time has not come: submitted for later, or backing off
	StateLeased      State = "leased"      // a worker has it
	StateDead        State = "dead"        // failed as often as it may
	StateQuarantined State = "quarantined" // workers fell silent over it too often: it may kill them
	StateDone        State = "done"
	StateCancelled   State = "cancelled"
)

// States are all states, in the order of a job's life.
var States = []State{StateWaiting, StateDelayed, StateLeased, StateDead, StateQuarantined, StateDone, StateCancelled}

// Ended reports whether nothing will happen to a job in state s by itself.
func (s State) Ended() bool {
	return s == StateDead || s == StateQuarantined || s == StateDone || s == StateCancelled
}

// Job is what the queue knows of a job.
type Job struct {
	JobSpec
	ID          int64      `json:"id"`
	State       State      `json:"state"`
	Attempts    int        `json:"attempts"` // leases so far, released ones not counted
	Failures    int        `json:"failures"` // attempts that failed
	Losses      int        `json:"losses"`   // leases lost because a worker fell silent
	SubmittedAt time.Time  `json:"submitted_at"`
	ArrivedAt   time.Time  `json:"arrived_at"`            // from when it may run
	NextAt      *time.Time `json:"next_at,omitempty"`     // of a delayed job: when it may run
	StartedAt   *time.Time `json:"started_at,omitempty"`  // of the latest attempt
	FinishedAt  *time.Time `json:"finished_at,omitempty"` // of a job that ended
	Worker      string     `json:"worker,omitempty"`      // that has it, or had it last
	Progress    float64    `json:"progress,omitempty"`    // of a leased job, as its worker says
	Cancelling  bool       `json:"cancelling,omitempty"`  // its worker will be told
	Error       string     `json:"error,omitempty"`       // of the latest attempt that failed
	ResultURI   string     `json:"result_uri,omitempty"`  // of a done job
	Metrics     *Metrics   `json:"metrics,omitempty"`     // of the attempt that finished it
}

// Filter says which jobs a list shows: those that match every field that is set.
type Filter struct {
	State  State
	Type   string
	Tenant string
	Group  string
	Limit  int   // jobs at most; 0 means 100
	After  int64 // only greater ids
}

// JobsResponse lists jobs by id.
type JobsResponse struct {
	Jobs []Job `json:"jobs"`
	Next int64 `json:"next,omitempty"` // pass it as after to go on; 0: there are no more
}

// PriorityRequest moves a job to another priority.
type PriorityRequest struct {
	Priority int `json:"priority"` // 0 to 255
}

// Selector names jobs by what they have in common. A job must match every field
// that is set; the zero Selector is refused.
type Selector struct {
	Type       string  `json:"type,omitempty"`
	Tenant     string  `json:"tenant,omitempty"`
	Group      string  `json:"group,omitempty"`
	State      State   `json:"state,omitempty"`
	Priority   *int    `json:"priority,omitempty"`
	Jobs       []int64 `json:"jobs,omitempty"`         // at most BatchMax ids
	OlderThanS float64 `json:"older_than_s,omitempty"` // arrived more than so long ago
}

// SelectRequest cancels or retries every job that a selector names. Without
// confirm it only counts them. With confirm it acts if no more than so many
// match, and is refused with code "more_match" otherwise.
type SelectRequest struct {
	Selector Selector `json:"selector"`
	Confirm  int      `json:"confirm,omitempty"`
}

// SelectResponse says how many jobs matched, and how many of them were changed.
type SelectResponse struct {
	Matched int  `json:"matched"`
	Changed int  `json:"changed"` // 0 when only counted
	DryRun  bool `json:"dry_run"`
}

// GroupRequest makes a group: jobs that belong together, such as one click that
// watermarks 10 000 photos. Jobs join it by naming its id.
type GroupRequest struct {
	Name   string `json:"name,omitempty"`   // for people
	Tenant string `json:"tenant,omitempty"` // a token bound to a tenant fills it in
	Key    string `json:"key,omitempty"`    // idempotency: a second group with the key is the first one
	Size   int64  `json:"size,omitempty"`   // jobs that will join, if known: the group ends when so many have ended
}

// Group is how far a group is. It has ended when at least size jobs joined (one,
// if size is not known) and every one of them ended.
type Group struct {
	ID        string    `json:"id"`
	Name      string    `json:"name,omitempty"`
	Tenant    string    `json:"tenant,omitempty"`
	Size      int64     `json:"size,omitempty"`
	Jobs      int64     `json:"jobs"` // that joined
	Done      int64     `json:"done"`
	Cancelled int64     `json:"cancelled"`
	Failed    int64     `json:"failed"` // dead or quarantined
	Leased    int64     `json:"leased"`
	Waiting   int64     `json:"waiting"` // or delayed
	Ended     bool      `json:"ended"`
	CreatedAt time.Time `json:"created_at"`
}

// GroupsResponse lists groups, the newest first.
type GroupsResponse struct {
	Groups []Group `json:"groups"`
}
