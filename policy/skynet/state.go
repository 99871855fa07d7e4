package skynet

import (
	"encoding/json"
	"fmt"
	"time"
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

// UnmarshalJSON restores what MarshalJSON returned. It refuses a state of other
// classes, and leaves p as it was when it fails.
func (p *Policy) UnmarshalJSON(data []byte) error {
	st := newState(&p.set, len(p.env.Classes))
	classes := len(st.Steer.Classes)
	st.Steer.Classes = nil
	if err := json.Unmarshal(data, &st); err != nil {
		return fmt.Errorf("skynet: state: %w", err)
	}
	if n := len(st.Steer.Classes); n != classes {
		return fmt.Errorf("skynet: state: %d classes: must be %d", n, classes)
	}
	if n := len(st.Lines); n > linesMax {
		return fmt.Errorf("skynet: state: %d lines: must be at most %d", n, linesMax)
	}
	if min(st.Samples, st.Slack.N, st.Fan.Samples) < 0 {
		return fmt.Errorf("skynet: state: %d samples, %d of slack, %d of the forecast: must not be negative", st.Samples, st.Slack.N, st.Fan.Samples)
	}
	for i := range st.Lines {
		if s := &st.Lines[i].Spread; s.Samples < 0 || s.Phi.N < 0 {
			return fmt.Errorf("skynet: state: %d and %d samples of line %d: must not be negative", s.Samples, s.Phi.N, i)
		}
	}
	p.st = st
	return nil
}
