package skynet

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/policy/statehash"
)

// state is everything the policy remembers. All else is worked out from it and the
// observation, so that saving and restoring it changes no later decision.
type state struct {
	// SteppedAt is when the last step was; QueueAt is the last reading of the queue
	// that was learned from.
	SteppedAt time.Time `json:"stepped_at"`
	QueueAt   time.Time `json:"queue_at"`
	// FirstAt is the first step that knew the queue; WarmAt is when late jobs began to
	// count (see warmedUp). Zero: not yet.
	FirstAt time.Time `json:"first_at"`
	WarmAt  time.Time `json:"warm_at"`
	// Kept is how many instances the last decision meant to stay; Missing is since when
	// most of these are no longer listed. Zero: they are.
	Kept    int       `json:"kept"`
	Missing time.Time `json:"missing"`

	// Samples counts the samples of the load that are complete; SampledS is how many
	// seconds the one in the making covers.
	Samples  int64   `json:"samples"`
	SampledS float64 `json:"sampled_s"`
	// Lines remembers a level for each priority seen so far, in order of priority.
	Lines []level `json:"lines,omitempty"`

	Shape shape `json:"shape"` // the seasonal profile of the load
	Off   off   `json:"off"`   // which forecasts are so low that nothing need stand ready
	Fan   fan   `json:"fan"`   // the forecast that is shown
	Steer steer `json:"steer"` // the books of each class
	Slack slack `json:"slack"` // of the slack rule
}

// newState returns what a policy remembers before its first step.
func newState(s *settings, classes int) state {
	return state{
		Fan:   newFan(),
		Steer: newSteer(s, classes),
	}
}

// MarshalJSON returns the whole state.
func (p *Policy) MarshalJSON() ([]byte, error) { return json.Marshal(&p.st) }

// StateHash returns the hash of the state that MarshalJSON writes.
func (p *Policy) StateHash() statehash.Hash { return statehash.Of(&p.st) }

// UnmarshalJSON restores what MarshalJSON returned. It refuses a state of other
// classes, and one that no policy can have come to, and leaves p as it was when
// it fails.
func (p *Policy) UnmarshalJSON(data []byte) error {
	st := newState(&p.set, len(p.env.Classes))
	classes := len(st.Steer.Classes)
	st.Steer.Classes = nil
	if err := json.Unmarshal(data, &st); err != nil {
		return fmt.Errorf("skynet: state: %w", err)
	}
	if err := st.check(classes); err != nil {
		return err
	}
	p.st = st
	return nil
}
