package sim

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/journal"
)

// Figures are the results of a run, as `simulate --json` writes them. Times
// are in seconds, money in dollars. A figure that has no value (a quantile of
// no jobs) is null.
type Figures struct {
	Scenario   string  `json:"scenario"`
	Policy     string  `json:"policy"`
	Seed       uint64  `json:"seed"`
	DurationS  float64 `json:"duration_s"`
	Digest     string  `json:"digest"`
	CostUSD    float64 `json:"cost_usd"`
	HoursPaid  float64 `json:"instance_hours_paid"`
	ReadyCoreS float64 `json:"core_seconds_ready"`
	BusyCoreS  float64 `json:"core_seconds_busy"`

	Slack     SlackFigures             `json:"slack"`
	Instances InstanceFigures          `json:"instances"`
	Jobs      JobFigures               `json:"jobs"`
	Classes   map[string]*ClassFigures `json:"classes"`
	Judged    JudgedFigures            `json:"judged"`
	Floor     FloorFigures             `json:"floor"`
	Paid      PaidFigures              `json:"paid"`
	Guard     GuardFigures             `json:"guard"`
	// Windows are the fleet in the scenario's windows of the week.
	Windows map[string]*WindowFigures `json:"windows,omitempty"`
	// Forecast is null when the policy does not forecast.
	Forecast *ForecastFigures `json:"forecast"`
	Ticks    int64            `json:"ticks"`

	WallS    float64 `json:"wall_s"`
	JobsPerS float64 `json:"jobs_per_s"`
}

// SlackFigures: Mean over the judged time; PerDay by clock day over the whole
// run (null for a day without ready capacity); Min24h and Max24h of the
// rolling 24-hour mean at ticks, null below 24 hours.
type SlackFigures struct {
	Mean   *float64   `json:"mean"`
	PerDay []*float64 `json:"per_day"`
	Min24h *float64   `json:"min_24h"`
	Max24h *float64   `json:"max_24h"`
}

// InstanceFigures count instances over the whole run. Min, Mean and Max are of
// the number alive at once (launch to termination).
type InstanceFigures struct {
	Launched    int     `json:"launched"`
	Terminated  int     `json:"terminated"`
	Drained     int     `json:"drained"`
	Undrained   int     `json:"undrained"`
	Refused     int     `json:"refused"`
	Interrupted int     `json:"interrupted"`
	Crashed     int     `json:"crashed"`
	NeverBooted int     `json:"never_booted"`
	Min         int     `json:"min"`
	Mean        float64 `json:"mean"`
	Max         int     `json:"max"`
	// LaunchedByType counts launches by type name.
	LaunchedByType map[string]int `json:"launched_by_type"`
	// CostByType is the bill in dollars by type name.
	CostByType map[string]float64 `json:"cost_by_type"`
}

// JobFigures count jobs over the whole run. Pending jobs wait or run at the
// end; lost ones used up their attempts. GaveUp tells that a run without a
// duration ended with jobs left, because none was done for seven days.
type JobFigures struct {
	Arrived   int64 `json:"arrived"`
	Completed int64 `json:"completed"`
	Pending   int64 `json:"pending"`
	Lost      int64 `json:"lost"`
	Retried   int64 `json:"retried"`
	GaveUp    bool  `json:"gave_up,omitempty"`
}

// TimeFigures summarise a time in seconds: nearest-rank percentiles, within
// 0.1 %. Null without jobs.
type TimeFigures struct {
	Mean *float64 `json:"mean"`
	P50  *float64 `json:"p50"`
	P95  *float64 `json:"p95"`
	P99  *float64 `json:"p99"`
	Max  *float64 `json:"max"`
}

// ClassFigures are a class's results over the jobs that arrived in the judged
// time. Attained is in time ÷ (done + already late at the end); WorstHour and
// WorstDay the lowest attainment of a clock hour or day of arrival, hours
// under 100 jobs left out.
type ClassFigures struct {
	Jobs      int64       `json:"jobs"`
	Wait      TimeFigures `json:"wait_s"`
	Sojourn   TimeFigures `json:"sojourn_s"`
	TargetS   float64     `json:"target_s"`
	On        string      `json:"on"`
	Attain    float64     `json:"attain"`
	Attained  *float64    `json:"attained"`
	WorstHour *float64    `json:"worst_hour"`
	WorstDay  *float64    `json:"worst_day"`
	// Late jobs, and the clock times the worst hour and day began.
	Late        int64  `json:"late"`
	WorstHourAt string `json:"worst_hour_at,omitempty"`
	WorstDayAt  string `json:"worst_day_at,omitempty"`
}

// JudgedFigures are over the judged time: windows, or seconds, that began in
// it.
type JudgedFigures struct {
	FromS   float64 `json:"from_s"`
	CostUSD float64 `json:"cost_usd"`
}

// FloorFigures compare the judged cost with the floor of work: the work that
// arrived in the judged time, done on the cheapest type at full load. It needs no
// search; the least that anybody could pay (package bound) may be below it, and is
// several times it where the fleet is small.
type FloorFigures struct {
	// WorkCoreS is the judged work in reference core-seconds.
	WorkCoreS float64 `json:"work_core_s"`
	CostUSD   float64 `json:"cost_usd"`
	// Over is the judged cost ÷ the floor; null without work.
	Over *float64 `json:"over"`
}

// PaidFigures split the paid slot-time of the whole run into fractions that
// sum to 1: busy, idle (slack), booting (or never booted), and paid but gone
// (crashed, or terminated before the paid window's end).
type PaidFigures struct {
	Busy  float64 `json:"busy"`
	Slack float64 `json:"slack"`
	Boot  float64 `json:"boot"`
	Gone  float64 `json:"gone"`
}

// WindowFigures are the fleet in a window of the week, over the whole run, at
// tick resolution. Null when the run never passed through it.
type WindowFigures struct {
	InstancesMean *float64 `json:"instances_mean"`
	InstancesMax  *int     `json:"instances_max"`
	SlotsReady    *float64 `json:"slots_ready_mean"`
	SlotsBusy     *float64 `json:"slots_busy_mean"`
}

// GuardFigures count decisions the guard reduced.
type GuardFigures struct {
	Clamped int64 `json:"clamped"`
	// Launches and Drains it removed.
	Launches int64 `json:"launches"`
	Drains   int64 `json:"drains"`
	// FirstAt is the calendar time of the first, empty without one.
	FirstAt string `json:"first_at,omitempty"`
}

// ForecastFigures judge a policy's forecasts of the load of one tick, made in the
// judged time, by what came.
type ForecastFigures struct {
	// P90Coverage is the share of Ticks whose load was within the 90th percentile
	// forecast for it; null without any.
	P90Coverage *float64 `json:"p90_coverage"`
	// Ticks are forecasts made in the judged time whose tick came.
	Ticks int64 `json:"ticks"`
	// Skill is 1 − the pinball loss of that percentile ÷ the loss of the simplest
	// forecast, the 90th percentile of the last 60 ticks; null where that loses
	// nothing.
	Skill *float64 `json:"skill"`
}

// TickRow is the world at one tick, for plots and --timeline. Cores are slots.
type TickRow struct {
	At time.Duration // since the trace's start
	// Slots by state; Demand is running plus waiting jobs.
	Ready, Busy, Booting, Draining, Demand int
	Instances                              int
	Pending                                int64
	// Launches, Drains and Undrains asked for at this tick, after the guard;
	// Clamped counts what the guard removed, Refused what EC2 did not sell.
	Launches, Drains, Undrains, Clamped, Refused int
	// Slack since the last tick and over the last 24 hours, NaN without ready
	// capacity.
	Slack, Slack24h float64
	// Cost billed so far (windows begun), and slot-seconds since the last tick
	// by use.
	Cost                                       policy.MicroUSD
	BusySlotS, IdleSlotS, BootSlotS, GoneSlotS float64
	// Forecast of work in reference cores for the tick when an instance launched
	// now could help, its 90th percentile, and what was then offered (filled in
	// later); NaN when the policy does not forecast.
	ForecastMean, ForecastHigh, ForecastActual float64
	// Offered is the estimated work per second that arrived since the last tick.
	Offered float64
	// Work is what arrived since the last tick, in reference core-seconds, from
	// when judging begins; Supply the ready capacity in reference cores, of
	// draining instances what runs on them. No controller knows the former.
	Work, Supply float64
}

// DecisionRow is a decision that changed something, or that the guard clamped.
type DecisionRow struct {
	At       time.Duration
	Decision policy.Decision // a copy
}

// LatencyRow are a class's quantiles by clock hour of arrival.
type LatencyRow struct {
	Hour          time.Duration // start of the hour, since the trace's start
	Class         int
	Jobs, Late    int64
	P50, P95, P99 time.Duration // of the measure the class is judged on
}

// LaunchedRow is an instance that EC2 gave, asked for or as a substitute.
type LaunchedRow struct {
	At   time.Duration // since the trace's start
	Type int           // in the catalog
}

// EndedRow is an instance that ended: when, its age then, and how much of its
// paid window was left.
type EndedRow struct {
	At          time.Duration // since the trace's start
	Type        int
	Age, Unused time.Duration
	Interrupted bool
}

// CDF is an empirical distribution of N jobs: Share of them within Value.
type CDF struct {
	N     int64
	Value []time.Duration
	Share []float64
}

// Result is a run: its figures and, where asked for, its history.
type Result struct {
	Config  *Config
	Figures Figures

	// With Options.Timeline:
	Ticks     []TickRow
	Decisions []DecisionRow
	Latency   []LatencyRow
	// LatencyEach is how long the hour of a LatencyRow is: an hour or, in runs of
	// more than two months, a day.
	LatencyEach time.Duration
	Launched    []LaunchedRow
	Ended       []EndedRow
	Days        []DayRow // judged ones
	// Sojourn and Wait of each class over the judged time.
	Sojourn, Wait []CDF
}

// Options of a run.
type Options struct {
	// Timeline keeps the history in the result: about 200 bytes a tick.
	Timeline bool
	// Jobs is called for every job in trace order once its fate is known.
	Jobs JobSink
	// Check asserts the simulator's invariants after every instant. It is slow.
	Check bool
	// Journal records every decision; nil: none. Run does not close it.
	Journal *journal.Writer
	// Progress is called now and then with the simulated time and jobs done.
	Progress func(at time.Duration, jobs int64)
}

// JobRow is one job's fate. Start, Finish and Instance are -1 where it never
// happened; Start is of the attempt that finished, or of the one that runs at
// the end; Attempts counts every start but those a spot interruption undid.
type JobRow struct {
	Job                    int64
	Type                   string
	Priority               int
	Arrival, Start, Finish time.Duration
	Attempts               int
	Instance               int64
}

// JobSink receives jobs in trace order.
type JobSink interface {
	Job(row *JobRow) error
}
