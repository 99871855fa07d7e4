package api

import (
	"encoding/json"
	"time"
)

// RegisterRequest is what a worker says of itself when it starts: the answer to
// "who are you?". The same boot_id again is the same worker: it gets its
// worker_id and a new session, and keeps its leases.
type RegisterRequest struct {
	InstanceID    string       `json:"instance_id"`              // of the instance it runs on, such as "i-0abc…"; a host name elsewhere. Must be the token's, if that is bound to one
	InstanceType  string       `json:"instance_type"`            // such as "c7i.xlarge"
	Market        string       `json:"market,omitempty"`         // "on-demand" or "spot"; "" is unknown
	Zone          string       `json:"zone,omitempty"`           // availability zone
	Slots         int          `json:"slots"`                    // jobs it can run at once, 1 to 1000
	Cluster       string       `json:"cluster"`                  // that it believes it belongs to; another than the queue's is refused
	Roles         []string     `json:"roles,omitempty"`          // what it is for; directives may name a role
	Types         []string     `json:"types,omitempty"`          // job types it has handlers for; empty: any
	BundleVersion string       `json:"bundle_version,omitempty"` // the release it runs
	Release       int64        `json:"release,omitempty"`        // that release's number, which only grows; 0: unknown
	BadReleases   []int64      `json:"bad_releases,omitempty"`   // releases that were tried here and rolled back
	BootID        string       `json:"boot_id"`                  // new for each start of the worker's process
	Boot          *Boot        `json:"boot,omitempty"`           // how long the start took, of the first process on an instance
	Running       []RunningJob `json:"running,omitempty"`        // jobs it still has from before its restart, or from before the queue's; as in WorkRequest
	APIVersion    string       `json:"api_version,omitempty"`    // the Version it was built with
}

// Boot tells how long an instance took to become a worker. The controller learns
// its boot lag from it. Durations come from the worker's monotonic clock; 0 is
// unknown.
type Boot struct {
	LaunchedAt time.Time `json:"launched_at,omitzero"` // when EC2 accepted the launch (pendingTime of the identity document); zero: unknown
	UptimeMS   int64     `json:"uptime_ms,omitempty"`  // of the operating system, at registration
	AuthMS     int64     `json:"auth_ms,omitempty"`    // to get a token
	FetchMS    int64     `json:"fetch_ms,omitempty"`   // to download the bundle
	UnpackMS   int64     `json:"unpack_ms,omitempty"`  // to verify and extract it
	StartMS    int64     `json:"start_ms,omitempty"`   // from exec to registration
}

// RegisterResponse admits a worker.
type RegisterResponse struct {
	WorkerID         string    `json:"worker_id"`          // names the worker to people and in paths
	Session          string    `json:"session"`            // proves in every further call that it is this worker; keep it secret
	HeartbeatEveryMS int64     `json:"heartbeat_every_ms"` // beat at least so often
	LeaseTTLMS       int64     `json:"lease_ttl_ms"`       // silent for so long, it loses its jobs
	Lost             []int64   `json:"lost"`               // of running: not yours any more
	APIVersion       string    `json:"api_version"`        // the queue's Version
	ServerTime       time.Time `json:"server_time"`
}

// WorkRequest is the one call of a worker's life: it reports what is done, says
// what still runs, and asks for more. The queue answers at once if there is
// anything to say and otherwise when there is, or after wait_ms.
//
// Do not abort an open call in order to report a completion: use a second
// connection. A call whose answer was lost is repeated with the same req_id and
// gets the same jobs.
type WorkRequest struct {
	Session       string       `json:"session"`
	ReqID         string       `json:"req_id"`                   // new for each call; the same in a repetition. 1 to 255 bytes
	Seq           int64        `json:"seq,omitempty"`            // grows with every call for work and heartbeat of the session: of one that is overtaken by a later one, running is out of date and gives nothing back. 0: not known
	WaitMS        int64        `json:"wait_ms,omitempty"`        // how long the call may wait for work, 0 to WaitMaxMS
	Max           int          `json:"max,omitempty"`            // jobs wanted at most; 0: as many as slots_free
	Types         []string     `json:"types,omitempty"`          // job types wanted; empty: those of the registration
	SlotsFree     int          `json:"slots_free"`               // jobs it could start now; 0 asks for none, which makes the call a beat
	BundleVersion string       `json:"bundle_version,omitempty"` // the release it runs
	Release       int64        `json:"release,omitempty"`        // that release's number
	BadReleases   []int64      `json:"bad_releases,omitempty"`   // as in RegisterRequest, when there is a new one
	Load          float64      `json:"load,omitempty"`           // load average over one minute
	TakenBackAt   time.Time    `json:"taken_back_at,omitzero"`   // when EC2 takes its instance back; zero: there was no such notice
	Running       []RunningJob `json:"running,omitempty"`        // every job it runs. What is not named for 10 s is taken to have never arrived
	Done          []DoneJob    `json:"done,omitempty"`           // jobs that ended, until the queue has acknowledged them
}

// RunningJob is a worker's word that it runs a job.
type RunningJob struct {
	Job      int64   `json:"job"`
	Token    uint64  `json:"token"`
	Progress float64 `json:"progress,omitempty"` // done so far, 0 to 1
}

// Outcome says how an attempt ended.
type Outcome string

// The outcomes of an attempt.
const (
	OutcomeOK        Outcome = "ok"
	OutcomeError     Outcome = "error"     // the job failed; it is tried again unless final, or tried often enough
	OutcomeReleased  Outcome = "released"  // given back undone; spends no attempt
	OutcomeCancelled Outcome = "cancelled" // stopped because the queue said so
)

// DoneJob is a worker's word that an attempt ended. It is repeated until it is
// acknowledged; a repetition answers "duplicate".
type DoneJob struct {
	Job       int64    `json:"job"`
	Token     uint64   `json:"token"`
	Outcome   Outcome  `json:"outcome"`
	Error     string   `json:"error,omitempty"`      // of an error: what went wrong; cut after ErrorMax bytes
	Final     bool     `json:"final,omitempty"`      // of an error: trying again is pointless
	ResultURI string   `json:"result_uri,omitempty"` // of ok: where the result is
	Metrics   *Metrics `json:"metrics,omitempty"`
}

// Metrics is what an attempt used. History keeps it; 0 is unknown.
type Metrics struct {
	RunS            float64 `json:"run_s,omitempty"` // seconds the handler took, on the worker's monotonic clock
	CPUS            float64 `json:"cpu_s,omitempty"` // processor seconds it used
	BytesIn         int64   `json:"bytes_in,omitempty"`
	BytesOut        int64   `json:"bytes_out,omitempty"`
	PeakMemoryBytes int64   `json:"peak_memory_bytes,omitempty"`
}

// WorkResponse is what the queue has to say to a worker.
type WorkResponse struct {
	Jobs       []LeasedJob `json:"jobs"`         // run these
	Directive  Directive   `json:"directive"`    // and then do this
	Lost       []int64     `json:"lost"`         // claimed to run, but not yours any more: stop, report nothing
	Cancel     []int64     `json:"cancel"`       // yours, but not wanted any more: stop, report "cancelled"
	Acks       []Ack       `json:"acks"`         // one for each done job, in order
	LeaseTTLMS int64       `json:"lease_ttl_ms"` // from now
	NextBeatMS int64       `json:"next_beat_ms"` // be heard of again within so long
	ServerTime time.Time   `json:"server_time"`
}

// LeasedJob is a job handed to a worker.
type LeasedJob struct {
	ID         int64           `json:"id"`
	Type       string          `json:"type"`
	Priority   int             `json:"priority"`
	Tenant     string          `json:"tenant,omitempty"`
	Group      string          `json:"group,omitempty"`
	Attempt    int             `json:"attempt"` // 1 for the first
	Token      uint64          `json:"token"`   // to be shown with every word about the job; grows with each lease of it
	LeaseUntil time.Time       `json:"lease_until"`
	LeaseMS    int64           `json:"lease_ms"`              // how long the lease lasts without a beat
	Deadline   *time.Time      `json:"deadline,omitempty"`    // the lease ends then, beats or not
	DeadlineMS int64           `json:"deadline_ms,omitempty"` // how long until then; 0: there is none
	Args       json.RawMessage `json:"args,omitempty"`        // as submitted
	ResultPut  string          `json:"result_put,omitempty"`  // presigned URL to PUT the result to, where the queue gives one
}

// Op is what a worker is told to do.
type Op string

// The operations of a directive. The zero Op is OpWork.
const (
	OpWork     Op = "work"     // go on
	OpNap      Op = "nap"      // keep still for after_ms, except for beats
	OpDrain    Op = "drain"    // take no more jobs, finish those that run, keep beating
	OpShutdown Op = "shutdown" // drain, say goodbye, end; the instance may be terminated
	OpUpdate   Op = "update"   // drain, then run the release named by bundle
	OpReload   Op = "reload"   // read the configuration again
)

// Directive tells a worker what to do beyond its jobs. The zero Directive lets
// it work.
type Directive struct {
	Op      Op     `json:"op"`
	AfterMS int64  `json:"after_ms,omitempty"` // act after so long (of nap: for so long); already jittered
	Bundle  string `json:"bundle,omitempty"`   // of update: the release's version
	Reason  string `json:"reason,omitempty"`   // for people
}

// AckStatus answers a worker's word about a job.
type AckStatus string

// The answers to a done job. None of them calls for a repetition.
const (
	AckAccepted  AckStatus = "accepted"
	AckDuplicate AckStatus = "duplicate" // heard before
	AckStale     AckStatus = "stale"     // the lease was lost: another attempt counts
)

// Ack acknowledges a done job: it need not be reported again.
type Ack struct {
	Job    int64     `json:"job"`
	Status AckStatus `json:"status"`
}

// HeartbeatRequest is a WorkRequest that reports nothing done and wants nothing.
type HeartbeatRequest struct {
	Session       string       `json:"session"`
	Seq           int64        `json:"seq,omitempty"` // as in WorkRequest
	SlotsFree     int          `json:"slots_free,omitempty"`
	BundleVersion string       `json:"bundle_version,omitempty"`
	Load          float64      `json:"load,omitempty"`
	TakenBackAt   time.Time    `json:"taken_back_at,omitzero"` // as in WorkRequest
	Running       []RunningJob `json:"running,omitempty"`      // every job it runs
}

// HeartbeatResponse is what a WorkResponse says of running jobs.
type HeartbeatResponse struct {
	Directive  Directive `json:"directive"`
	Lost       []int64   `json:"lost"`
	Cancel     []int64   `json:"cancel"`
	LeaseTTLMS int64     `json:"lease_ttl_ms"`
	NextBeatMS int64     `json:"next_beat_ms"`
	ServerTime time.Time `json:"server_time"`
}

// CompleteRequest reports jobs that ended, and says nothing of others.
type CompleteRequest struct {
	Session string    `json:"session"`
	Done    []DoneJob `json:"done"`
}

// CompleteResponse acknowledges them, one by one and in order. If every one of
// them is stale the status is 409 and error says so; there is nothing to repeat.
type CompleteResponse struct {
	Acks       []Ack     `json:"acks"`
	Error      *Error    `json:"error,omitempty"`
	ServerTime time.Time `json:"server_time"`
}

// GoodbyeRequest ends a worker. Jobs it still has go back at once, their
// attempts not spent.
type GoodbyeRequest struct {
	Session string `json:"session"`
	Reason  string `json:"reason,omitempty"` // for people, such as "spot interruption"
	// TakenBackAt is when EC2 takes the worker's instance back; zero: there was no
	// such notice.
	TakenBackAt time.Time `json:"taken_back_at,omitzero"`
}

// GoodbyeResponse says what was given back.
type GoodbyeResponse struct {
	Released []int64 `json:"released"` // jobs
}

// Worker is what the queue knows of a worker.
type Worker struct {
	WorkerID      string    `json:"worker_id"`
	InstanceID    string    `json:"instance_id"`
	InstanceType  string    `json:"instance_type"`
	Market        string    `json:"market,omitempty"`
	Zone          string    `json:"zone,omitempty"`
	Cluster       string    `json:"cluster"`
	Roles         []string  `json:"roles"`
	Slots         int       `json:"slots"`
	SlotsBusy     int       `json:"slots_busy"` // leases it holds
	Load          float64   `json:"load"`
	BundleVersion string    `json:"bundle_version,omitempty"`
	Release       int64     `json:"release,omitempty"`
	BadReleases   []int64   `json:"bad_releases"`
	BootID        string    `json:"boot_id"`
	Boot          *Boot     `json:"boot,omitempty"`
	RegisteredAt  time.Time `json:"registered_at"`
	SeenS         float64   `json:"seen_s"` // since it was last heard of
	Silent        bool      `json:"silent"` // for longer than a lease lasts
	Directive     Directive `json:"directive"`
	Completed     int64     `json:"completed"` // jobs, since it registered
	Failed        int64     `json:"failed"`    // attempts, since it registered
}

// WorkersResponse lists the workers, by instance and registration.
type WorkersResponse struct {
	Workers []Worker `json:"workers"`
}
