package policy

import "time"

// Observation is everything a controller knows at one tick. It is plain data:
// each section carries the time it was read and whether the reading was
// complete. A failed reading is unknown, never zero: its section keeps the
// last known values with their old time, or stays incomplete.
//
// The zero Observation knows nothing; a policy given it does nothing.
type Observation struct {
	Now time.Time `json:"now"`
	// Tick is the nominal time between two decisions.
	Tick time.Duration `json:"tick"`
	// FastTicks says that Decision.NextTick is honoured.
	FastTicks bool `json:"fast_ticks,omitempty"`

	Queue   QueueView   `json:"queue"`
	Fleet   FleetView   `json:"fleet"`
	EC2     EC2View     `json:"ec2"`
	Money   MoneyView   `json:"money"`
	History HistoryView `json:"history"`
	Health  HealthView  `json:"health"`

	// Wishes of operators that are in force, in the order they were made. Policies
	// need not look at them: Obey makes their decisions honour them.
	Wishes []Wish `json:"wishes,omitempty"`

	// Ahead is what will arrive, span by span from now on. Only a simulation knows
	// it, and tells it to policies that are clairvoyant alone (Spec.Clairvoyant);
	// everywhere else it is empty.
	Ahead []Coming `json:"ahead,omitempty"`
}

// Coming is what arrives in a span of time to come.
type Coming struct {
	// Until is when the span ends, from now; it begins where the one before ends.
	Until time.Duration `json:"until"`
	// Arrivals by class, with the work that they will turn out to be.
	Arrivals []Flow `json:"arrivals,omitempty"`
}

// Reading says when a section was read and whether all of it was.
type Reading struct {
	At       time.Time `json:"at"`
	Complete bool      `json:"complete"`
}

// Fresh reports whether the reading is complete and at most maxAge old.
func (r Reading) Fresh(now time.Time, maxAge time.Duration) bool {
	return r.Complete && now.Sub(r.At) <= maxAge
}

// QueueView is the queue by job type and priority.
type QueueView struct {
	Reading
	Kinds []KindView `json:"kinds,omitempty"`
}

// Flow is a number of jobs and the work they were estimated to be.
type Flow struct {
	Jobs int64       `json:"jobs"`
	Work CoreSeconds `json:"work"`
}

// AgeCount is the part of a kind's pending jobs whose wait is at most Age and
// above the Age before it.
type AgeCount struct {
	Age  time.Duration `json:"age"`
	Jobs int64         `json:"jobs"`
}

// SizeCount is the part of a kind's pending jobs in one size bucket.
type SizeCount struct {
	Size uint8       `json:"size"` // traces' bucket of bytes_in; 0: unknown
	Jobs int64       `json:"jobs"`
	Work CoreSeconds `json:"work"` // estimated
}

// KindView is what the queue knows of one job type at one priority.
type KindView struct {
	Type     string `json:"type"`
	Priority int    `json:"priority"`
	// Class is the index of the class the kind belongs to.
	Class int `json:"class"`

	// Pending jobs wait for a slot; work is estimated from what completed
	// before, or from an estimate the job carries, corrected by what such jobs took.
	Pending Flow `json:"pending"`
	// PendingLately is the work of Pending where a job without an estimate is taken to
	// need what such jobs took in about the last ten minutes, as far as enough did.
	PendingLately CoreSeconds `json:"pending_lately"`
	// OldestWait of a pending job; 0 when none is pending.
	OldestWait time.Duration `json:"oldest_wait"`
	// PendingByAge splits Pending by wait, youngest first, and leaves out
	// buckets without jobs. Buckets are AgeStep wide up to AgeFine, then
	// AgeStepCoarse wide up to AgeCoarse, then AgeStepLong wide up to AgeMax; one
	// last bucket holds everything older.
	PendingByAge []AgeCount `json:"pending_by_age,omitempty"`
	// PendingBySize splits Pending by size bucket where sizes are known.
	PendingBySize []SizeCount `json:"pending_by_size,omitempty"`
	// WillMiss counts pending jobs that miss their target if they are not
	// started within 1, 5 and 15 minutes.
	WillMiss [3]int64 `json:"will_miss"`
	// InFlight jobs run now; Work is what is left of them, estimated as for Pending.
	InFlight Flow `json:"in_flight"`

	// Arrived over 1, 5, 15 and 60 minutes.
	Arrived [4]Flow `json:"arrived"`
	// LastTick is what arrived since the last observation.
	LastTick Flow `json:"last_tick"`
	// LastTickLately is the work of LastTick, estimated as PendingLately.
	LastTickLately CoreSeconds `json:"last_tick_lately"`
	// Started and StartedLate count jobs since the last observation: all that
	// started, and those that had then already missed, or were then expected
	// to miss, their target.
	Started     int64 `json:"started"`
	StartedLate int64 `json:"started_late"`
	// Completed over 1, 5 and 15 minutes.
	Completed [3]int64 `json:"completed"`
	// Failed, Retried and Expired (lost leases) over 5 minutes.
	Failed  int64 `json:"failed"`
	Retried int64 `json:"retried"`
	Expired int64 `json:"expired"`
	// Service is what completions of this job type have taught.
	Service ServiceView `json:"service"`
}

// Edges of KindView.PendingByAge.
const (
	AgeStep       = 10 * time.Second
	AgeFine       = 6 * time.Minute
	AgeStepCoarse = time.Minute
	AgeCoarse     = 60 * time.Minute
	AgeStepLong   = 10 * time.Minute
	AgeMax        = 24 * time.Hour
)

// ServiceView is the learned distribution of a job type's work.
type ServiceView struct {
	Samples int64       `json:"samples"`
	Mean    CoreSeconds `json:"mean"`
	P95     CoreSeconds `json:"p95"`
	// SCV is the squared coefficient of variation, variance over mean squared.
	SCV float64 `json:"scv"`
}

// Market is how an instance is bought.
type Market uint8

const (
	OnDemand Market = iota
	Spot
)

// String returns "on-demand" or "spot".
func (m Market) String() string {
	if m == Spot {
		return "spot"
	}
	return "on-demand"
}

// MarshalText writes the market as its word.
func (m Market) MarshalText() ([]byte, error) { return []byte(m.String()), nil }

// UnmarshalText reads "on-demand" or "spot".
func (m *Market) UnmarshalText(text []byte) error {
	return unmarshalWord(m, text, "market", OnDemand, Spot)
}

// Phase is where an instance is in its life.
type Phase uint8

const (
	// Requested: asked for, not confirmed. It counts as capacity on its way
	// and as money.
	Requested Phase = iota
	// Booting: EC2 confirmed it; it has not asked the queue for work yet.
	Booting
	// Ready: it takes jobs.
	Ready
	// Draining: it takes no new job and ends when its last one is done.
	Draining
	// Lost: it has stopped reporting; its jobs return at their leases' end.
	Lost
)

var phaseWords = [...]string{"requested", "booting", "ready", "draining", "lost"}

// String returns the phase in lower case.
func (p Phase) String() string { return phaseWords[p] }

// MarshalText writes the phase as its word.
func (p Phase) MarshalText() ([]byte, error) { return []byte(p.String()), nil }

// UnmarshalText reads a phase's word.
func (p *Phase) UnmarshalText(text []byte) error {
	return unmarshalWord(p, text, "phase", Requested, Booting, Ready, Draining, Lost)
}

// InstanceID numbers the instances of a fleet in launch order, from 0. In
// production the actuator keeps the map to EC2's own ids.
type InstanceID int64

// Instance is one instance as the controller knows it.
type Instance struct {
	ID     InstanceID `json:"id"`
	Type   int        `json:"type"` // index into the catalog
	Market Market     `json:"market,omitempty"`
	Phase  Phase      `json:"phase"`
	Zone   string     `json:"zone,omitempty"`
	// LaunchedAt is when the launch was asked for: billing starts there.
	LaunchedAt time.Time `json:"launched_at"`
	// PaidUntil is the end of the window that is paid already.
	PaidUntil time.Time `json:"paid_until"`
	// Slots is how many jobs it can run at once, and Busy how many it runs.
	Slots int `json:"slots"`
	Busy  int `json:"busy"`
	// IdleIn is the estimated time until its last running job is done; 0 when
	// idle.
	IdleIn time.Duration `json:"idle_in,omitempty"`
	// LastSeen is when its worker last reported; zero before the first time.
	LastSeen time.Time `json:"last_seen"`
	// InterruptAt is when a spot instance will be taken back; zero without
	// notice.
	InterruptAt time.Time `json:"interrupt_at"`
}

// FreeCount is the capacity of the busy slots that are estimated to become free within
// After, but not within the After before it.
type FreeCount struct {
	After time.Duration `json:"after"`
	// Capacity in reference cores: slots times speed.
	Capacity float64 `json:"capacity"`
}

// FleetView is the fleet: what EC2 lists, joined with what was asked for.
type FleetView struct {
	Reading
	// Instances alive, in launch order. Launches that were sent but not yet
	// confirmed are in it with phase Requested.
	Instances []Instance `json:"instances,omitempty"`
	// Slots by state; a draining instance counts under Draining only.
	ReadySlots    int `json:"ready_slots"`
	BusySlots     int `json:"busy_slots"`
	BootingSlots  int `json:"booting_slots"`
	DrainingSlots int `json:"draining_slots"`
	// Freeing is the estimated release of busy slots of ready instances, by
	// steps of FreeStep; the sum of its capacities is what is busy.
	Freeing []FreeCount `json:"freeing,omitempty"`
	// Load is busy over ready slots, 0 without ready slots.
	Load float64 `json:"load"`
	// JobsPerInstance completed per ready instance since the last observation.
	JobsPerInstance float64 `json:"jobs_per_instance"`
	// Boot is the learned boot lag.
	Boot BootView `json:"boot"`
	// Speeds are those of a slot as completions have taught them, in reference
	// cores, by catalog index; none: the catalog's hold.
	Speeds []float64 `json:"speeds,omitempty"`
	// Launched and Terminated over 5 and 60 minutes.
	Launched   [2]int `json:"launched"`
	Terminated [2]int `json:"terminated"`
	// Interrupted spot instances over 60 minutes.
	Interrupted int `json:"interrupted"`
}

// FreeStep is the step of FleetView.Freeing.
const FreeStep = 10 * time.Second

// BootView is what boots so far have taught.
type BootView struct {
	Samples int           `json:"samples"`
	P50     time.Duration `json:"p50"`
	P99     time.Duration `json:"p99"`
	// Failed counts launches over the last 60 minutes that never reported.
	Failed int `json:"failed"`
	// Overdue counts instances booting for longer than the learned p99.
	Overdue int `json:"overdue"`
}

// Refusal is a type EC2 would not sell.
type Refusal struct {
	Type   int       `json:"type"`
	Market Market    `json:"market,omitempty"`
	Zone   string    `json:"zone,omitempty"`
	At     time.Time `json:"at"`
	// Asked and Refused instances in the call.
	Asked   int `json:"asked"`
	Refused int `json:"refused"`
	// Why is "capacity", "quota", "throttled" or "unavailable"; only capacity
	// says anything about the type.
	Why string `json:"why"`
}

// EC2View is what EC2 last said and will let us do.
type EC2View struct {
	Reading
	// Refusals over the last 60 minutes, oldest first.
	Refusals []Refusal `json:"refusals,omitempty"`
	// Quota is the most instances the account may run; 0: unknown.
	Quota int `json:"quota,omitempty"`
	// Calls, Errors and Throttled over 5 minutes.
	Calls     int `json:"calls"`
	Errors    int `json:"errors"`
	Throttled int `json:"throttled"`
}

// MoneyView is what instances cost and what was spent.
type MoneyView struct {
	Reading
	// OnDemand and Spot prices per hour now, by catalog index; nil Spot: no
	// spot market.
	OnDemand []MicroUSD `json:"on_demand,omitempty"`
	Spot     []MicroUSD `json:"spot,omitempty"`
	// Spent in this clock hour, day and month: windows (or seconds) begun.
	SpentHour  MicroUSD `json:"spent_hour"`
	SpentDay   MicroUSD `json:"spent_day"`
	SpentMonth MicroUSD `json:"spent_month"`
	// Budgets for the hour, day and month; 0: none.
	BudgetHour  MicroUSD `json:"budget_hour,omitempty"`
	BudgetDay   MicroUSD `json:"budget_day,omitempty"`
	BudgetMonth MicroUSD `json:"budget_month,omitempty"`
}

// HistoryView is the past as a profile and a memory of decisions.
type HistoryView struct {
	Reading
	// ProfileMean and ProfileP90 are the work that arrives in this hour of the
	// week, in reference cores, from earlier weeks; 0 when none was seen.
	ProfileMean float64 `json:"profile_mean"`
	ProfileP90  float64 `json:"profile_p90"`
	// NextMean is ProfileMean of the coming hour.
	NextMean float64 `json:"next_mean"`
	// Level is the work of the last hour over the profile's; 1 when unknown.
	Level float64 `json:"level"`
	// Trend is the work of the last 15 minutes over that of the last 60.
	Trend float64 `json:"trend"`
	// Slack24h is the mean slack of the last 24 hours (or since the start) and
	// SlackOver the time it covers.
	Slack24h  float64       `json:"slack_24h"`
	SlackOver time.Duration `json:"slack_over"`
	// ReadySlotSeconds and BusySlotSeconds are what slots came to in that time:
	// Slack24h is 1 − busy ÷ ready.
	ReadySlotSeconds float64 `json:"ready_slot_seconds"`
	BusySlotSeconds  float64 `json:"busy_slot_seconds"`
	// Decisions are the last ones and what became of them, oldest first.
	Decisions []Outcome `json:"decisions,omitempty"`
}

// Outcome is what became of one decision.
type Outcome struct {
	At time.Time `json:"at"`
	// Asked is how many instances the decision wanted launched; Launched are
	// those confirmed or on their way, Refused those that EC2 would not sell.
	Asked    int `json:"asked"`
	Launched int `json:"launched"`
	Refused  int `json:"refused"`
	// Drained is how many instances the decision took out of service.
	Drained int `json:"drained"`
}

// HealthView says how far the other sections can be believed.
type HealthView struct {
	Reading
	// SilentWorkers are ready instances that have not reported for a lease.
	SilentWorkers int `json:"silent_workers"`
	// QueueErrors over 5 minutes among QueueCalls.
	QueueCalls  int `json:"queue_calls"`
	QueueErrors int `json:"queue_errors"`
	// Progress is when a job last completed; zero before the first.
	Progress time.Time `json:"progress"`
}
