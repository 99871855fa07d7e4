package policy

import (
	"math"
	"time"
)

// Guard is the last line of every decision and stands again just before the
// EC2 call. It only removes.
//
// The zero value of every limit is its strictest: the zero Guard allows
// nothing. Unlimited turns a limit off. Open limits the size of the fleet only;
// Bounded sets every limit to what suits a fleet of a given size.
type Guard struct {
	// LaunchMax instances may be launched by one decision, whatever EC2 refuses
	// and whichever substitutes stand in.
	LaunchMax int `json:"launch_max"`
	// InFlightMax instances may be requested or booting at once.
	InFlightMax int `json:"in_flight_max"`
	// FleetMax instances may be alive at once, draining ones included.
	FleetMax int `json:"fleet_max"`
	// CoresMax cores may be alive at once, as the catalog counts them.
	CoresMax int `json:"cores_max"`
	// HourMax bounds the price of an hour of everything alive and launched.
	HourMax MicroUSD `json:"hour_max_micro_usd"`
	// DayMax and MonthMax bound what was spent in this clock day and month
	// plus the price of an hour of everything alive and launched.
	DayMax   MicroUSD `json:"day_max_micro_usd"`
	MonthMax MicroUSD `json:"month_max_micro_usd"`
	// DrainMax instances may be drained by one decision.
	DrainMax int `json:"drain_max"`
	// StaleAfter is the age up to which a reading is a ground for change. An
	// older or incomplete reading of the queue or the fleet, or two readings
	// that contradict each other, hold everything; one of the money holds
	// launches where DayMax or MonthMax is set.
	StaleAfter time.Duration `json:"stale_after"`
	// BreakerBoots launches that never became workers, with none that did
	// since, open the circuit: until one does, at most one instance at a time
	// is launched, to probe. A launch counts when it was given up, and while it
	// boots for more than twice the learned p99.
	BreakerBoots int `json:"breaker_boots"`
	// BreakerStall without a completion, while jobs run and others have waited
	// all that time, opens the circuit: no launch until a job completes. It
	// must be longer than the longest job.
	BreakerStall time.Duration `json:"breaker_stall"`
	// BeyondBounds says that limits beyond those of Validate are meant.
	BeyondBounds bool `json:"beyond_bounds,omitempty"`
}

// Unlimited is the value that turns a limit of a Guard off.
const Unlimited = math.MaxInt64

// Open returns the guard of a scenario without limits of its own: at most
// fleetMax instances alive, everything else Unlimited.
func Open(fleetMax int) Guard {
	return Guard{
		LaunchMax: Unlimited, InFlightMax: Unlimited, FleetMax: fleetMax, CoresMax: Unlimited,
		HourMax: Unlimited, DayMax: Unlimited, MonthMax: Unlimited,
		DrainMax: Unlimited, StaleAfter: Unlimited,
		BreakerBoots: Unlimited, BreakerStall: Unlimited,
	}
}

// Bounded returns the guard that suits a fleet of up to fleetMax instances
// (1 to 5000): the values of limits an operator did not set. A fifth of the
// fleet, at least one instance, may be launched or drained by one decision and
// twice that be in flight; money is limited by the bounds of Validate alone.
func Bounded(fleetMax int) Guard {
	fifth := min(max(1, fleetMax/5), boundLaunch)
	return Guard{
		LaunchMax: fifth, InFlightMax: min(2*fifth, fleetMax), FleetMax: fleetMax,
		CoresMax: min(64*fleetMax, boundCores),
		HourMax:  boundHour, DayMax: boundDay, MonthMax: boundMonth,
		DrainMax: fifth, StaleAfter: 3 * time.Minute,
		BreakerBoots: 10, BreakerStall: 30 * time.Minute,
	}
}
