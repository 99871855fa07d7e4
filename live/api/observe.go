package api

import "time"

// ObserveRequest is how a controller asks for what it decides by. What it says
// holds for what is counted from then on, until it is said anew.
type ObserveRequest struct {
	Speeds    map[string]float64 `json:"speeds,omitempty"`     // of a slot by instance type, in reference cores, above 0; a type not named counts 1
	LateAfter []LateAfter        `json:"late_after,omitempty"` // by type, priority and size; of one not named, no start is late
}

// LateAfter is the wait from which a start of a job counts as late.
type LateAfter struct {
	Type     string  `json:"type"`
	Priority int     `json:"priority"`       // 0 to 255
	Size     int     `json:"size,omitempty"` // as of ObservedKind
	AfterS   float64 `json:"after_s"`        // at least 0
}

// Observed is what a queue has counted since its leader began, and what it holds
// now. Counters only grow while the epoch stays the same.
type Observed struct {
	At    time.Time `json:"at"`
	Epoch uint32    `json:"epoch"`
	BusyS float64   `json:"busy_s"` // slot-seconds for which leases were held
	// ReadyS are the slot-seconds of workers that took jobs, and of those that drain
	// as long as leases were held; 0: nobody counts them.
	ReadyS  float64          `json:"ready_s,omitempty"`
	Kinds   []ObservedKind   `json:"kinds"`   // by type, priority, size
	Workers []ObservedWorker `json:"workers"` // by instance, then registration
	Runs    []ObservedRun    `json:"runs,omitempty"`
	// TakenBack are the instances whose workers, there or gone, had word that EC2
	// takes them back, by instance.
	TakenBack []TakenBack `json:"taken_back,omitempty"`
}

// ObservedKind counts the jobs of one type and priority whose inputs are of one
// size.
type ObservedKind struct {
	Type     string `json:"type"`
	Priority int    `json:"priority"`
	Size     int    `json:"size,omitempty"` // bucket of bytes_in, 1 to 15, each four times the one before from 256 KiB on; 0: unknown

	Arrived          int64   `json:"arrived"`            // jobs that could run for the first time
	ArrivedEstimated int64   `json:"arrived_estimated"`  // of those, that carry an estimate
	ArrivedEstimateS float64 `json:"arrived_estimate_s"` // core-seconds those were estimated at
	Started          int64   `json:"started"`            // leases
	StartedLate      int64   `json:"started_late"`       // after more than their LateAfter
	Completed        int64   `json:"completed"`          // jobs
	Failed           int64   `json:"failed"`             // attempts
	Returned         int64   `json:"returned"`           // leases that ended without their job
	Lost             int64   `json:"lost"`               // of those, by the silence of their worker
	WorkS            float64 `json:"work_s"`             // of completed jobs, core-seconds on the reference core
	WorkSquaredS2    float64 `json:"work_squared_s2"`    // sum of its squares
	Works            []Count `json:"works,omitempty"`    // completed jobs by policy/observe's bucket of work
	Waiting          int64   `json:"waiting"`            // now
	Leased           int64   `json:"leased"`             // now
	WaitingEstimated int64   `json:"waiting_estimated"`  // of the waiting, that carry an estimate
	WaitingEstimateS float64 `json:"waiting_estimate_s"` // core-seconds those were estimated at
	Arrivals         []Count `json:"arrivals,omitempty"` // waiting jobs by arrival, in steps of ten seconds since 1970
	Paused           bool    `json:"paused,omitempty"`   // none is handed out
}

// ObservedRun is how long jobs of one type and size ran on an instance type since
// the leader began: what speeds are learned from.
type ObservedRun struct {
	Type         string  `json:"type"`
	Size         int     `json:"size,omitempty"` // as of ObservedKind
	InstanceType string  `json:"instance_type"`
	Times        []Count `json:"times"` // completed jobs by policy/observe's bucket of the time they ran
}

// Count is how many have a number.
type Count struct {
	Of   int64 `json:"of"`
	Jobs int64 `json:"jobs"`
}

// ObservedWorker is a worker and what it runs.
type ObservedWorker struct {
	WorkerID     string        `json:"worker_id"`
	InstanceID   string        `json:"instance_id"`
	InstanceType string        `json:"instance_type"`
	Zone         string        `json:"zone,omitempty"`
	Slots        int           `json:"slots"`
	RegisteredAt time.Time     `json:"registered_at"`
	SeenAt       time.Time     `json:"seen_at"` // when it was last heard of
	Boot         *Boot         `json:"boot,omitempty"`
	Directive    Op            `json:"directive"` // what it is told to do
	Running      []ObservedJob `json:"running,omitempty"`
}

// TakenBack is EC2's notice to an instance, as its worker passed it on.
type TakenBack struct {
	InstanceID string    `json:"instance_id"`
	At         time.Time `json:"at"`
}

// ObservedJob is a lease.
type ObservedJob struct {
	Kind      int     `json:"kind"`                 // index into Kinds
	ElapsedS  float64 `json:"elapsed_s"`            // since it was handed out
	EstimateS float64 `json:"estimate_s,omitempty"` // core-seconds on the reference core that the job was estimated at as a whole; 0: nobody did
}
