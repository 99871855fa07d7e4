package skynet

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/policy/statehash"
)

// state is everything the policy remembers. All else is derived from it and
// the observation, so saving and restoring it changes no later decision.
type state struct {
	// SteppedAt is the last step, QueueAt the last reading of the queue that was
	// learned from.
	SteppedAt time.Time `json:"stepped_at"`
	QueueAt   time.Time `json:"queue_at"`
	// FirstAt is the first step that knew the queue, WarmAt the first after
	// which lateness was avoidable.
	FirstAt time.Time `json:"first_at"`
	WarmAt  time.Time `json:"warm_at"`
	// Kept is the number of instances that were to stay, Missing when most of
	// them vanished from the list; zero: they did not.
	Kept    int       `json:"kept"`
	Missing time.Time `json:"missing"`

	// Samples taken, and what has arrived since the last one.
	Samples  int64   `json:"samples"`
	SampledS float64 `json:"sampled_s"`
	Lines    []level `json:"lines,omitempty"`

	Shape shape `json:"shape"`
	Off   off   `json:"off"`
	Fan   fan   `json:"fan"`
	Steer steer `json:"steer"`
	Slack slack `json:"slack"`
}

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
