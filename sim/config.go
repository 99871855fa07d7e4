package sim

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Config is a world to run a policy in.
type Config struct {
	// Name of the scenario, for results and messages.
	Name string
	// Start of the trace on the calendar, UTC.
	Start time.Time
	// UTCOffset of the users' clock: clock hours and days of the results, and
	// the policy's profiles, follow it.
	UTCOffset time.Duration
	// JudgeFrom is the time before which the run is billed and shown, not
	// judged.
	JudgeFrom time.Duration
	// Duration of the run; 0: until the trace ends and the last job is done.
	Duration time.Duration
	// Tick is the time between two decisions.
	Tick time.Duration
	// FastTicks honours Decision.NextTick.
	FastTicks bool
	// Seed of every random quantity.
	Seed uint64
	// ReferenceSpeed of the core the trace's service times were measured on.
	ReferenceSpeed float64

	Classes []policy.Class
	Catalog policy.Catalog
	// Zones instances are spread over; empty: one zone, "a".
	Zones []string
	// Boot lag by type name; "" is the default for all types.
	Boot map[string]BootModel
	// MaxInstances the account may run: more are refused as quota.
	MaxInstances int
	// Standing are the instances that are there when the run begins, in the order
	// of their launch.
	Standing []Standing
	// Spot market; nil: none.
	Spot *SpotMarket
	// Lease of a job and the beat of a worker: a crashed worker's job returns
	// Lease after its last beat.
	Lease, Beat time.Duration
	// MaxAttempts after which a job is lost; 0: never.
	MaxAttempts int

	Faults []Fault

	// Failures of jobs by type.
	Failures []Failure

	// Windows of the week to report the fleet in.
	Windows []Window

	// Guard the decisions pass; nil: policy.Open(MaxInstances).
	Guard *policy.Guard
	// Budgets shown to the policy; 0: none.
	BudgetHour, BudgetDay, BudgetMonth policy.MicroUSD
}

// BootModel is a distribution of boot lags: launch to first request for work.
type BootModel struct {
	// Model is "fixed", "lognormal" or "empirical".
	Model string
	// Value of a fixed lag.
	Value time.Duration
	// Median, P99 and Max of a lognormal lag; a draw above Max becomes Max.
	Median, P99, Max time.Duration
	// Samples of an empirical lag, ascending; a draw takes one of them.
	Samples []time.Duration
	// NeverBoots is the probability that an instance never becomes a worker.
	NeverBoots float64
}

// Standing are instances of a type that were launched before the run. What they
// were paid before it began is not on its bill.
type Standing struct {
	// Type is an index into the catalog.
	Type   int
	Market policy.Market
	Count  int
	// Age is how long before the start they were launched.
	Age time.Duration
	// ReadyIn is how long after the start they ask for work first; 0: they are
	// ready when it begins.
	ReadyIn time.Duration
}

// SpotMarket is how spot prices move and how often instances are taken back.
type SpotMarket struct {
	// Discount is the mean spot price as a fraction of on-demand (0.35).
	Discount float64
	// Volatility is the standard deviation of the log price around its mean.
	Volatility float64
	// Revert is the time constant with which the price returns to its mean.
	Revert time.Duration
	// InterruptRate is interruptions per instance-hour while the price is
	// below on-demand; above it, every instance is taken back.
	InterruptRate float64
	// Notice before an interruption.
	Notice time.Duration
	// Series replaces the model by recorded prices: step functions by type.
	Series map[string][]PricePoint
}

// PricePoint is a price per hour from a time on.
type PricePoint struct {
	At    time.Duration
	Price policy.MicroUSD
}

// Failure is how often jobs end without success.
type Failure struct {
	// Types it concerns; empty: all.
	Types []string
	// Rate is the probability that an attempt fails at its end; the job waits
	// again at once.
	Rate float64
	// Poison is the probability that a job fails every attempt.
	Poison float64
}

// Window is a part of the run, or of every week, whose fleet is reported apart.
type Window struct {
	Name string
	// Weekly: From and To are times since Monday midnight on the users' clock,
	// and the window recurs; To before From runs over the week's end. Otherwise
	// they are times since the trace's start.
	Weekly   bool
	From, To time.Duration
}

// holds reports whether a world time, and the users' clock time of the week it
// is, lie in the window.
func (w *Window) holds(at, ofWeek time.Duration) bool {
	if !w.Weekly {
		return at >= w.From && at < w.To
	}
	if w.From <= w.To {
		return ofWeek >= w.From && ofWeek < w.To
	}
	return ofWeek >= w.From || ofWeek < w.To
}

// FaultKind names what goes wrong.
type FaultKind string

const (
	// Refuse: EC2 will not sell the types (in the zones).
	Refuse FaultKind = "refuse"
	// Throttle: a share Probability of launch calls is throttled.
	Throttle FaultKind = "throttle"
	// APIOutage: every EC2 call fails, listing included.
	APIOutage FaultKind = "api-outage"
	// LostReply: launches happen, but their reply is lost with Probability;
	// they are seen Delay later in the list, or when their workers ask for work.
	LostReply FaultKind = "lost-reply"
	// Stale: the signals keep the values last read before From.
	Stale FaultKind = "stale"
	// Zero: the signals read zero, and claim to be complete.
	Zero FaultKind = "zero"
	// Blind: the signals cannot be read.
	Blind FaultKind = "blind"
	// SlowBoot: boot lags are Factor times as long.
	SlowBoot FaultKind = "slow-boot"
	// DeadBoot: a share Probability of launches never becomes a worker.
	DeadBoot FaultKind = "dead-boot"
	// SlowWork: service times are Factor times as long.
	SlowWork FaultKind = "slow-work"
	// Crash: workers crash at Rate per instance-hour, or a share Probability
	// of them at From.
	Crash FaultKind = "crash"
	// Interrupt: a share Probability of spot instances is taken back at From.
	Interrupt FaultKind = "spot-interruption"
	// Partition: a share Probability of workers run but cannot report; their
	// results count when it heals, but for jobs whose leases have ended by then.
	Partition FaultKind = "partition"
	// StoreDown: results cannot be delivered: nothing completes, workers hold
	// their finished jobs and their leases.
	StoreDown FaultKind = "store-down"
	// QueueOutage: nothing is handed out, reported or read; workers finish
	// what they run and wait.
	QueueOutage FaultKind = "queue-outage"
	// PriceChange: on-demand prices of the types are Factor times as high.
	PriceChange FaultKind = "price"
)

// FaultKinds lists every kind, in the order of the documentation.
func FaultKinds() []FaultKind {
	return []FaultKind{
		Refuse, Throttle, APIOutage, LostReply, Stale, Zero, Blind, SlowBoot, DeadBoot,
		SlowWork, Crash, Interrupt, Partition, StoreDown, QueueOutage, PriceChange,
	}
}

// Fault is something that goes wrong from From until To.
type Fault struct {
	Kind     FaultKind
	From, To time.Duration
	// Types and Zones it concerns; empty: all.
	Types []string
	Zones []string
	// Signals a Stale, Zero or Blind fault concerns: "queue", "fleet", "money",
	// "history"; empty: queue.
	Signals []string
	// Probability, Factor, Rate (per instance-hour) and Delay, as the kind says.
	Probability float64
	Factor      float64
	Rate        float64
	Delay       time.Duration
}
