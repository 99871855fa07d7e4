package journal

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// State is the line of a policy's state, before decision Before.
type State struct {
	Before int64     `json:"before"`
	At     time.Time `json:"at"`
	// Hash of the state.
	Hash string `json:"hash"`
	// State as the policy wrote it.
	State json.RawMessage `json:"state"`
}

// Record is the line of one decision.
type Record struct {
	// ID numbers the decisions of a fleet, and goes on from file to file.
	ID int64
	At time.Time
	// Observation that was decided on. A Reader overwrites it at its next call.
	Observation policy.Observation
	// Decision after the guard, as it was written: see Decode.
	Decision string
	// Guard that the decision passed where it is not that of the header; else nil.
	Guard *policy.Guard
	// Removed is what the guard took away from what the policy asked for.
	Removed Removed
	// StateHash is the hash of the policy's state after the decision.
	StateHash string
	// Outcome is nil when it was never written: the process died, or is still at
	// it.
	Outcome *Outcome
}

// Removed counts what the guard removed from a decision. The zero Removed is
// nothing.
type Removed struct {
	Launches int `json:"launches,omitempty"` // instances
	Drains   int `json:"drains,omitempty"`
}

// Outcome is what became of a decision as far as it was known when it had been
// applied, or by the next tick. The zero Outcome is nothing done.
type Outcome struct {
	// Launched instances, confirmed or on their way, and instances that EC2
	// refused, of first choices and of substitutes.
	Launched int `json:"launched"`
	Refused  int `json:"refused"`
	// Short is how many of the refused nothing stood in for, counted in instances
	// of the last choice of each launch.
	Short int `json:"short,omitempty"`
	// Drained and undrained instances: those that could be.
	Drained   int `json:"drained"`
	Undrained int `json:"undrained"`
	// Held says why nothing was applied: the mode, a stop, a leader that is none
	// any more; empty: it was.
	Held string `json:"held,omitempty"`
	// Provider is what the provider said of itself, and what was held for it;
	// empty: nothing, or nobody asked.
	Provider string `json:"provider,omitempty"`
	// Errors of applying it, in order.
	Errors []string `json:"errors,omitempty"`
}

// Decision is a policy.Decision as a journal holds it: its reasons are data of
// their own, so that those of another program can be read.
type Decision struct {
	Launches []policy.Launch     `json:"launches,omitempty"`
	Drains   []policy.InstanceID `json:"drains,omitempty"`
	Undrains []policy.InstanceID `json:"undrains,omitempty"`
	NextTick time.Duration       `json:"next_tick,omitempty"`
	Because  []Reason            `json:"because,omitempty"`
}

// Reason is a policy.Reason as a journal holds it.
type Reason struct {
	Rule    string    `json:"rule"`
	Name    string    `json:"name,omitempty"`
	Figures []float64 `json:"figures,omitempty"` // null in JSON, 0 here: not finite
	Text    string    `json:"text"`
}

// String returns "rule: sentence".
func (r *Reason) String() string { return r.Rule + ": " + r.Text }

// Decode returns the decision that was recorded.
func (r *Record) Decode() (*Decision, error) {
	var d Decision
	if err := json.Unmarshal([]byte(r.Decision), &d); err != nil {
		return nil, fmt.Errorf("decision #%d: %w", r.ID, err)
	}
	return &d, nil
}

// DecisionOf returns d as a journal holds it.
func DecisionOf(d *policy.Decision) *Decision {
	own := Decision{Launches: d.Launches, Drains: d.Drains, Undrains: d.Undrains, NextTick: d.NextTick}
	for i := range d.Because {
		r := &d.Because[i]
		own.Because = append(own.Because, Reason{Rule: r.Rule.Name(), Name: r.Name, Text: r.Text()})
	}
	return &own
}

// recordJSON is a Record as encoding/json reads it, where the codec gave up.
type recordJSON struct {
	ID          *int64             `json:"id"`
	At          time.Time          `json:"at"`
	Observation policy.Observation `json:"observation"`
	Decision    json.RawMessage    `json:"decision"`
	Guard       *policy.Guard      `json:"guard"`
	Removed     Removed            `json:"removed"`
	StateHash   string             `json:"state_hash"`
	Outcome     *Outcome           `json:"outcome"`
}
