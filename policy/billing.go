package policy

import "time"

// Billing is a rule that turns an instance's life into money. The two rules
// EC2 has known are Hourly and PerSecond. The zero Billing is invalid.
type Billing struct {
	// Name as scenarios spell it.
	Name string `json:"name"`
	// Quantum is what time is rounded up to.
	Quantum time.Duration `json:"quantum"`
	// Minimum is what an instance is billed at least.
	Minimum time.Duration `json:"minimum"`
}

// Hourly is EC2's rule from 2006 to October 2017 (and SUSE's to this day):
// every started hour from launch to termination is paid whole, each instance
// on its own clock.
var Hourly = Billing{Name: "hourly", Quantum: time.Hour, Minimum: time.Hour}

// PerSecond is EC2's rule for Linux since 2 October 2017: seconds from launch
// rounded up, at least 60.
var PerSecond = Billing{Name: "per-second", Quantum: time.Second, Minimum: time.Minute}

// BillingByName returns the rule a scenario names.
func BillingByName(name string) (Billing, bool) {
	switch name {
	case Hourly.Name:
		return Hourly, true
	case PerSecond.Name:
		return PerSecond, true
	}
	return Billing{}, false
}

// Paid returns the time billed for a life of the given length.
//
// Properties:
//   - Paid(l) >= l and Paid(l) >= b.Minimum
//   - Paid(l) is a multiple of b.Quantum
//   - Paid is monotone, and Paid(Paid(l)) == Paid(l)
func (b Billing) Paid(life time.Duration) time.Duration {
	if life < b.Minimum {
		life = b.Minimum
	}
	if rest := life % b.Quantum; rest != 0 {
		life += b.Quantum - rest
	}
	return life
}

// Bill returns what a life of the given length costs at a price per hour,
// rounded once, to the nearest millionth of a dollar.
func (b Billing) Bill(life time.Duration, perHour MicroUSD) MicroUSD {
	return MicroUSD(MulDiv(int64(b.Paid(life)), int64(perHour), int64(time.Hour)))
}

// PaidUntil returns the end of the window already paid at now by an instance
// launched at launch. At the very end of a window that end itself is returned:
// an instance terminated then owes no new one.
func (b Billing) PaidUntil(launch, now time.Time) time.Time {
	return launch.Add(b.Paid(now.Sub(launch)))
}

// Windows reports whether keeping an instance to the end of its paid window
// is worth planning for: true when the quantum is longer than a few ticks.
func (b Billing) Windows() bool { return b.Quantum >= 10*time.Minute }
