package policy

import "time"

// Decision is what a policy asks for. The zero Decision changes nothing and
// is always safe to apply.
//
// Its slices belong to the policy and are valid until its next Step.
type Decision struct {
	// Launches in order of preference: most urgent first.
	Launches []Launch `json:"launches,omitempty"`
	// Drains are instances to take out of service: no new jobs, termination
	// when idle. An instance still booting ends at once. Reversible and free
	// until the instance has ended.
	Drains []InstanceID `json:"drains,omitempty"`
	// Undrains are draining instances to put back into service.
	Undrains []InstanceID `json:"undrains,omitempty"`
	// NextTick asks to be stepped again after this time, at least MinTick,
	// instead of the usual tick; 0: the usual tick. Honoured only where
	// Observation.FastTicks says so.
	NextTick time.Duration `json:"next_tick,omitempty"`
	// Because lists the reasons, in the order they arose.
	Because []Reason `json:"because,omitempty"`
}

// MinTick is the shortest time between two decisions.
const MinTick = 10 * time.Second

// Launch asks for instances of one type, with what to take instead.
type Launch struct {
	Type   int    `json:"type"` // index into the catalog
	Market Market `json:"market,omitempty"`
	Zone   string `json:"zone,omitempty"` // empty: any
	Count  int    `json:"count"`
	// Else are equivalents in order of preference. What EC2 refuses of Count is
	// asked for again as the first, what it refuses of that as the second, and
	// so on.
	Else []Substitute `json:"else,omitempty"`
}

// Substitute stands in for refused instances of a Launch: Num of this type for
// every Den refused, rounded up.
type Substitute struct {
	Type   int    `json:"type"`
	Market Market `json:"market,omitempty"`
	Num    int    `json:"num"`
	Den    int    `json:"den"`
}

// Count returns how many substitutes stand in for n refused instances.
func (s Substitute) Count(n int) int {
	if s.Den <= 0 || n <= 0 {
		return 0
	}
	return (n*s.Num + s.Den - 1) / s.Den
}

// IsZero reports whether the decision changes nothing.
func (d *Decision) IsZero() bool {
	return len(d.Launches) == 0 && len(d.Drains) == 0 && len(d.Undrains) == 0
}

// Instances returns how many instances the decision launches if EC2 sells
// every first choice.
func (d *Decision) Instances() int {
	n := 0
	for i := range d.Launches {
		n += d.Launches[i].Count
	}
	return n
}
