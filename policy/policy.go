package policy

import (
	"encoding/json"
	"time"
)

// Policy decides. See the package comment for the contract.
type Policy interface {
	// Step returns what to do about o. It does not keep o.
	Step(o *Observation) Decision
	// MarshalJSON returns the whole state, and UnmarshalJSON restores it
	// exactly into a policy made with the same parameters: from there on both
	// decide the same bytes.
	json.Marshaler
	json.Unmarshaler
}

// Env is what a policy is told about its world before the first Step. It does
// not change during a run.
type Env struct {
	Classes []Class
	Catalog Catalog
	// Tick is the nominal time between two decisions.
	Tick time.Duration
	// UTCOffset of the users' clock: hour-of-week profiles follow it.
	UTCOffset time.Duration
	// BootGuess is the boot lag to assume before the first boot was seen.
	BootGuess time.Duration
}
