package policy

import (
	"fmt"
	"time"
)

// Bounds on the bounds. A limit above them is a typing error until
// beyond_bounds = true says otherwise: a fleet_max of 10000 once stood in
// somebody's file and nobody saw it.
const (
	boundLaunch   = 500
	boundInFlight = 1000
	boundFleet    = 5000
	boundCores    = 100_000
	boundHour     = 5_000 * USD
	boundDay      = 50_000 * USD
	boundMonth    = 500_000 * USD
	boundDrain    = 500
	boundBoots    = 100

	boundStaleMin = MinTick
	boundStaleMax = 30 * time.Minute
	boundStallMin = 5 * time.Minute
	boundStallMax = 24 * time.Hour
)

// Validate returns every limit that contradicts another or lies out of bounds,
// in the spelling of a [guard] table. The upper bounds, Unlimited included,
// yield to BeyondBounds; the rest does not.
func (g Guard) Validate() []error {
	var v guardCheck
	v.beyond = g.BeyondBounds
	v.count("launch_max", g.LaunchMax, 1, boundLaunch)
	v.count("in_flight_max", g.InFlightMax, 1, boundInFlight)
	v.count("fleet_max", g.FleetMax, 1, boundFleet)
	v.count("cores_max", g.CoresMax, 1, boundCores)
	v.count("drain_max", g.DrainMax, 1, boundDrain)
	v.money("hour_max_usd", g.HourMax, boundHour)
	v.money("day_max_usd", g.DayMax, boundDay)
	v.money("month_max_usd", g.MonthMax, boundMonth)
	v.time("stale_after", g.StaleAfter, boundStaleMin, boundStaleMax)
	v.count("breaker_boots", g.BreakerBoots, 1, boundBoots)
	v.time("breaker_stall", g.BreakerStall, boundStallMin, boundStallMax)

	atLeast(&v, "in_flight_max", g.InFlightMax, "launch_max", g.LaunchMax, countValue)
	atLeast(&v, "fleet_max", g.FleetMax, "launch_max", g.LaunchMax, countValue)
	atLeast(&v, "day_max_usd", g.DayMax, "hour_max_usd", g.HourMax, moneyValue)
	atLeast(&v, "month_max_usd", g.MonthMax, "day_max_usd", g.DayMax, moneyValue)
	return v.problems
}

// guardCheck gathers the problems of a guard.
type guardCheck struct {
	beyond   bool
	problems []error
}

// bad reports the value of a key.
func (v *guardCheck) bad(key string, value any, allowed string) {
	v.problems = append(v.problems, &ParamError{"guard", key, value, allowed})
}

// count checks a number of instances, cores or launches.
func (v *guardCheck) count(key string, n, low, high int) {
	checkLimit(v, key, n, low, high, countValue)
}

// money checks an amount.
func (v *guardCheck) money(key string, m, high MicroUSD) {
	checkLimit(v, key, m, 1, high, moneyValue)
}

// time checks a duration.
func (v *guardCheck) time(key string, d, low, high time.Duration) {
	checkLimit(v, key, d, low, high, timeValue)
}

// checkLimit reports a limit below low, or above high without beyond_bounds.
func checkLimit[T ~int | ~int64](v *guardCheck, key string, x, low, high T, show func(T) any) {
	switch {
	case x < low:
		v.bad(key, show(x), fmt.Sprintf("at least %v", show(low)))
	case x > high && !v.beyond:
		v.bad(key, show(x), fmt.Sprintf("at most %v (beyond_bounds = true allows more)", show(high)))
	}
}

// atLeast reports a limit that is below another it should hold.
func atLeast[T ~int | ~int64](v *guardCheck, key string, x T, other string, y T, show func(T) any) {
	// a limit that is impossible by itself has been reported already
	if x > 0 && y > 0 && x < y {
		v.bad(key, show(x), fmt.Sprintf("at least guard.%s (%v)", other, show(y)))
	}
}

// countValue shows a number.
func countValue(n int) any {
	if n == Unlimited {
		return "unlimited"
	}
	return n
}

// moneyValue shows dollars as the file spells them, and a positive amount below
// a cent in full.
func moneyValue(m MicroUSD) any {
	if m == Unlimited {
		return "unlimited"
	}
	return m.Dollars()
}

// timeValue shows a duration.
func timeValue(d time.Duration) any {
	if d == Unlimited {
		return "unlimited"
	}
	return d
}
