package policy

import "time"

// Guard is the last line of every decision and stands again just before the
// EC2 call. It only removes. The zero Guard allows nothing; Open allows
// everything up to a fleet size.
type Guard struct {
	// LaunchMax instances may be launched by one decision.
	LaunchMax int `json:"launch_max"`
	// InFlightMax instances may be requested or booting at once.
	InFlightMax int `json:"in_flight_max"`
	// FleetMax instances may be alive at once, draining ones included.
	FleetMax int `json:"fleet_max"`
	// CoresMax cores may be alive at once.
	CoresMax int `json:"cores_max"`
	// Spending limits per clock hour, day and month.
	HourMax, DayMax, MonthMax MicroUSD
	// DrainMax instances may be drained by one decision.
	DrainMax int `json:"drain_max"`
	// StaleAfter is the age from which the queue's or the fleet's reading is
	// no ground for any change. 0: any age, and incomplete readings, will do.
	StaleAfter time.Duration `json:"stale_after"`
	// BreakerBoots opens the circuit when this many launches of the last hour
	// never became workers and none did since. 0: never.
	BreakerBoots int `json:"breaker_boots"`
	// BreakerStall opens the circuit when nothing completed for this long
	// while jobs are running and the queue does not shrink. 0: never.
	BreakerStall time.Duration `json:"breaker_stall"`
}
