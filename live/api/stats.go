package api

import "time"

// Stats is what the queue looks like at one instant: what a controller decides
// by and a person looks at. A token bound to a tenant sees that tenant's jobs
// alone, and no workers.
type Stats struct {
	At       time.Time          `json:"at"`
	Cluster  string             `json:"cluster"`
	Leader   bool               `json:"leader"`
	Epoch    uint32             `json:"epoch"`
	UptimeS  float64            `json:"uptime_s"`         // of this process, as the leader
	States   map[State]int64    `json:"states"`           // jobs by state, every state named
	Pending  []Pending          `json:"pending"`          // by type, then priority
	Flows    []Flow             `json:"flows"`            // by type, then priority
	Services []Service          `json:"services"`         // by type, then instance type
	Speeds   map[string]float64 `json:"speeds,omitempty"` // of a slot by instance type, in reference cores, as the controller last said: learned from completions
	Workers  WorkerCounts       `json:"workers"`
	Totals   Totals             `json:"totals"`
	Errors   map[string]int64   `json:"errors,omitempty"` // refused calls by error code, since start
}

// AgeBoundsS are the upper bounds, in seconds, of the age buckets of Pending;
// the last bucket has none.
var AgeBoundsS = []float64{1, 5, 15, 30, 60, 300, 900, 3600, 14400}

// Pending is what waits of one type and priority, and what runs.
type Pending struct {
	Type      string  `json:"type"`
	Priority  int     `json:"priority"`
	Waiting   int64   `json:"waiting"`    // jobs in line
	Delayed   int64   `json:"delayed"`    // jobs whose time has not come
	Leased    int64   `json:"leased"`     // jobs that run
	EstimateS float64 `json:"estimate_s"` // core-seconds expected of the waiting jobs: their own estimates, else the mean of their type
	Unknown   int64   `json:"unknown"`    // waiting jobs of which nothing could be expected; they count 0 above
	OldestS   float64 `json:"oldest_s"`   // how long the first of them waits; 0: none does
	Ages      []int64 `json:"ages"`       // waiting jobs by age, one bucket more than AgeBoundsS
	Paused    bool    `json:"paused,omitempty"`
}

// Flow counts what came and went of one type and priority over the last
// minutes.
type Flow struct {
	Type      string  `json:"type"`
	Priority  int     `json:"priority"`
	Arrived   Windows `json:"arrived"`   // jobs that could run for the first time
	ArrivedS  Windows `json:"arrived_s"` // core-seconds expected of them
	Completed Windows `json:"completed"`
	Failed    Windows `json:"failed"`  // attempts
	Retried   Windows `json:"retried"` // leases after the first
	Lost      Windows `json:"lost"`    // leases that expired
}

// Windows is a count over the last 1, 5, 15 and 60 minutes.
type Windows struct {
	M1  float64 `json:"m1"`
	M5  float64 `json:"m5"`
	M15 float64 `json:"m15"`
	M60 float64 `json:"m60"`
}

// Service is how long jobs of one type take on one instance type, of those
// completed lately (an hour, or the last thousand).
type Service struct {
	Type         string  `json:"type"`
	InstanceType string  `json:"instance_type"`
	Jobs         int64   `json:"jobs"`
	MeanS        float64 `json:"mean_s"`
	P50S         float64 `json:"p50_s"`
	P95S         float64 `json:"p95_s"`
	P99S         float64 `json:"p99_s"`
	SCV          float64 `json:"scv"` // squared coefficient of variation
}

// WorkerCounts counts workers and their slots.
type WorkerCounts struct {
	Workers   int64 `json:"workers"` // heard of within a lease's time
	Silent    int64 `json:"silent"`  // not heard of for longer, not gone either
	Draining  int64 `json:"draining"`
	Slots     int64 `json:"slots"`
	SlotsBusy int64 `json:"slots_busy"`
}

// Totals count what ever happened, across leaders.
type Totals struct {
	Enqueued     int64 `json:"enqueued"`
	Repeated     int64 `json:"repeated"` // submissions that met their idempotency key
	Leased       int64 `json:"leased"`
	Completed    int64 `json:"completed"`
	Failed       int64 `json:"failed"`        // attempts
	PastDeadline int64 `json:"past_deadline"` // of those
	Released     int64 `json:"released"`
	Lost         int64 `json:"lost"`
	Dead         int64 `json:"dead"`
	Quarantined  int64 `json:"quarantined"`
	Cancelled    int64 `json:"cancelled"`
	Adopted      int64 `json:"adopted"`
}

// The formats of the call history.
const (
	HistoryCSV     = "csv"     // the simulator's trace: arrival_s, service_s, type, priority, …; done jobs by arrival
	HistoryParquet = "parquet" // the same as Parquet
	HistoryNDJSON  = "ndjson"  // a Finished a line, every job that ended, by the time it ended
)

// Finished is a job that ended: one line of NDJSON history.
type Finished struct {
	ID           int64     `json:"id"`
	Type         string    `json:"type"`
	Priority     int       `json:"priority"`
	Tenant       string    `json:"tenant,omitempty"`
	Group        string    `json:"group,omitempty"`
	State        State     `json:"state"` // done or cancelled: dead and quarantined jobs are in the queue still
	Attempts     int       `json:"attempts"`
	SubmittedAt  time.Time `json:"submitted_at"`
	ArrivedAt    time.Time `json:"arrived_at"`
	StartedAt    time.Time `json:"started_at,omitzero"` // of the last attempt; zero: it never ran
	FinishedAt   time.Time `json:"finished_at"`
	RunS         float64   `json:"run_s,omitempty"` // that attempt's time in the handler, as the worker measured it
	CPUS         float64   `json:"cpu_s,omitempty"`
	EstimateS    float64   `json:"estimate_s,omitempty"` // as submitted
	DueMS        int64     `json:"due_ms,omitempty"`     // as submitted
	BytesIn      int64     `json:"bytes_in,omitempty"`
	BytesOut     int64     `json:"bytes_out,omitempty"`
	Worker       string    `json:"worker,omitempty"`
	InstanceID   string    `json:"instance_id,omitempty"`
	InstanceType string    `json:"instance_type,omitempty"`
	BootID       string    `json:"boot_id,omitempty"`
	Error        string    `json:"error,omitempty"`
	ResultURI    string    `json:"result_uri,omitempty"`
}

// DeliveryMax is for how long after its handler's end a job is believed to have kept
// its slot while its result was delivered and reported. What took longer was an
// outage, and says nothing of the job.
const DeliveryMax = 10 * time.Second

// SlotTime returns for how long a job kept its slot, which is what a simulation runs
// it for: from the lease until the queue heard that it was done, and so with the
// delivery of its result, of which the handler's time knows nothing. run is the
// handler's time, held the lease's; where one of them is 0, it is not known, and the
// other counts.
func SlotTime(run, held time.Duration) time.Duration {
	switch {
	case run <= 0:
		return held
	case held <= 0:
		return run
	}
	return min(max(held, run), run+DeliveryMax)
}
