package policy

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sort"
	"time"
)

// Step is one line of a script: launch so many instances of a type, and
// perhaps drain them after a while.
type Step struct {
	// At is the time since the first tick; the step acts at the first tick at
	// or after it.
	At time.Duration
	// Launch is how many instances, at least 1.
	Launch int
	// Type is the name of their instance type.
	Type string
	// Keep is the time from their launch to their drain, which acts at the
	// first tick then. 0: they are never drained.
	Keep time.Duration
}

// Scripted does what a script says, whatever it observes. It is the fleet of
// differential tests: its bill can be computed by hand. Make it with
// NewScripted.
type Scripted struct {
	steps []Step
	types []int // catalog index of each step's type

	state scriptState

	launches []Launch
	drains   []InstanceID
	because  []Reason
}

// scriptState is everything a Scripted remembers.
type scriptState struct {
	// Origin is the first Observation.Now; zero before it.
	Origin time.Time `json:"origin"`
	// Next is the first step that has not acted.
	Next int `json:"next"`
	// Batches are launches whose instances are to be drained or not yet known.
	Batches []scriptBatch `json:"batches,omitempty"`
}

// scriptBatch is what one step launched.
type scriptBatch struct {
	Step int          `json:"step"`
	At   time.Time    `json:"at"`
	IDs  []InstanceID `json:"ids,omitempty"` // ascending
	// From is above the ids of all instances that were there before the launch:
	// one that stands since this very instant is not the script's.
	From InstanceID `json:"from,omitempty"`
	// Closed: all instances are known, or those missing count as refused.
	Closed bool `json:"closed,omitempty"`
}

// lateReply is how long a launch may take to appear in the fleet's list before
// its instances count as refused.
const lateReply = 15 * time.Minute

var (
	ruleScriptedLaunch = NewRule("scripted.launch", "%s: step %.0f, due at %.0f s, launches %.0f", true)
	ruleScriptedKeep   = NewRule("scripted.keep", "step %.0f: kept for %.0f s", false)
)

// NewScripted returns the policy that acts out the steps, in the order of their
// times; steps of one time act in the order given. All problems of the script
// are reported at once.
func NewScripted(env Env, steps []Step) (*Scripted, error) {
	s := &Scripted{steps: slices.Clone(steps)}
	var problems []error
	bad := func(i int, key string, value any, allowed string) {
		problems = append(problems, &ParamError{"policy", fmt.Sprintf("step[%d].%s", i+1, key), value, allowed})
	}
	for i := range steps {
		step := &steps[i]
		if step.At < 0 {
			bad(i, "at", step.At, "at least 0s")
		}
		if step.Launch < 1 {
			bad(i, "launch", step.Launch, "at least 1")
		}
		if env.Catalog.Index(step.Type) < 0 {
			bad(i, "type", step.Type, unknownType(&env.Catalog, step.Type))
		}
		if step.Keep < 0 {
			bad(i, "keep", step.Keep, "more than 0s, or left out")
		}
	}
	if len(problems) > 0 {
		return nil, errors.Join(problems...)
	}
	sort.SliceStable(s.steps, func(a, b int) bool { return s.steps[a].At < s.steps[b].At })
	for i := range s.steps {
		s.types = append(s.types, env.Catalog.Index(s.steps[i].Type))
	}
	return s, nil
}

// Step returns the drains and launches that are due at o.Now.
//
// A drain is asked for until the instance is seen draining or gone: a decision
// may be lost on its way. Launches are asked for once: what EC2 refuses is not
// part of the script any more.
func (s *Scripted) Step(o *Observation) Decision {
	st := &s.state
	if st.Origin.IsZero() {
		st.Origin = o.Now
	}
	s.launches, s.drains, s.because = s.launches[:0], s.drains[:0], s.because[:0]
	if o.Fleet.Complete {
		s.assignListed(o)
		st.Batches = slices.DeleteFunc(st.Batches, func(b scriptBatch) bool { return s.finished(&b, o) })
	}
	for i := range st.Batches {
		s.drainDue(&st.Batches[i], o)
	}
	for ; st.Next < len(s.steps) && o.Now.Sub(st.Origin) >= s.steps[st.Next].At; st.Next++ {
		step := &s.steps[st.Next]
		s.launches = append(s.launches, Launch{Type: s.types[st.Next], Count: step.Launch})
		s.because = append(s.because, ruleScriptedLaunch.Named(step.Type, float64(st.Next+1), step.At.Seconds(), float64(step.Launch)))
		st.Batches = append(st.Batches, scriptBatch{Step: st.Next, At: o.Now, From: afterAll(o)})
	}
	return Decision{Launches: s.launches, Drains: s.drains, Because: s.because}
}

// afterAll returns an id above those of all instances that are listed.
func afterAll(o *Observation) InstanceID {
	var from InstanceID
	for i := range o.Fleet.Instances {
		from = max(from, o.Fleet.Instances[i].ID+1)
	}
	return from
}

// assignListed gives newly listed instances to the steps they were launched by, and closes
// the batches whose instances are all known. An instance belongs to the first batch of its
// time and type that misses one.
func (s *Scripted) assignListed(o *Observation) {
	if !slices.ContainsFunc(s.state.Batches, func(b scriptBatch) bool { return !b.Closed }) {
		return
	}
	for i := range o.Fleet.Instances {
		in := &o.Fleet.Instances[i]
		if b := s.batchOf(in); b != nil {
			at, _ := slices.BinarySearch(b.IDs, in.ID)
			b.IDs = slices.Insert(b.IDs, at, in.ID)
		}
	}
	for i := range s.state.Batches {
		b := &s.state.Batches[i]
		b.Closed = b.Closed || o.Now.Sub(b.At) > lateReply || s.siblingsKnown(b)
	}
}

// batchOf returns the batch a listed instance is to be added to, or nil when it
// is known or not ours.
func (s *Scripted) batchOf(in *Instance) *scriptBatch {
	var open *scriptBatch
	for i := range s.state.Batches {
		b := &s.state.Batches[i]
		if b.Closed || !b.At.Equal(in.LaunchedAt) || s.types[b.Step] != in.Type || in.ID < b.From {
			continue
		}
		if _, known := slices.BinarySearch(b.IDs, in.ID); known {
			return nil
		}
		if open == nil && len(b.IDs) < s.steps[b.Step].Launch {
			open = b
		}
	}
	return open
}

// siblingsKnown reports whether every instance launched together with b, of its
// type, is known. Until then b must be remembered: a late instance could be
// taken for one of b's.
func (s *Scripted) siblingsKnown(b *scriptBatch) bool {
	for i := range s.state.Batches {
		other := &s.state.Batches[i]
		if other.At.Equal(b.At) && s.types[other.Step] == s.types[b.Step] && len(other.IDs) < s.steps[other.Step].Launch {
			return false
		}
	}
	return true
}

// finished reports whether nothing is left to do about a batch: it is closed, and its
// instances need no drain or are gone.
func (s *Scripted) finished(b *scriptBatch, o *Observation) bool {
	if !b.Closed || s.steps[b.Step].Keep == 0 {
		return b.Closed
	}
	for i := range o.Fleet.Instances {
		if _, ours := slices.BinarySearch(b.IDs, o.Fleet.Instances[i].ID); ours {
			return false
		}
	}
	return true
}

// drainDue drains the instances of a batch whose time is up.
func (s *Scripted) drainDue(b *scriptBatch, o *Observation) {
	step := &s.steps[b.Step]
	if step.Keep == 0 || o.Now.Sub(b.At) < step.Keep {
		return
	}
	before := len(s.drains)
	for i := range o.Fleet.Instances {
		in := &o.Fleet.Instances[i]
		if _, ours := slices.BinarySearch(b.IDs, in.ID); ours && in.Phase != Draining {
			s.drains = append(s.drains, in.ID)
		}
	}
	if len(s.drains) > before {
		s.because = append(s.because, ruleScriptedKeep.Because(float64(b.Step+1), step.Keep.Seconds()))
	}
}

// MarshalJSON returns how far the script has come and whom it launched.
func (s *Scripted) MarshalJSON() ([]byte, error) { return json.Marshal(&s.state) }

// UnmarshalJSON restores what MarshalJSON returned. It refuses a state of
// another script where it can tell.
func (s *Scripted) UnmarshalJSON(data []byte) error {
	var st scriptState
	if err := json.Unmarshal(data, &st); err != nil {
		return fmt.Errorf("scripted: state: %w", err)
	}
	if st.Next < 0 || st.Next > len(s.steps) {
		return fmt.Errorf("scripted: state: next = %d: must be 0 to %d, the steps of this script", st.Next, len(s.steps))
	}
	for i := range st.Batches {
		b := &st.Batches[i]
		if b.Step < 0 || b.Step >= st.Next {
			return fmt.Errorf("scripted: state: batch of step %d: must be 0 to %d", b.Step, st.Next-1)
		}
		if !slices.IsSorted(b.IDs) {
			return fmt.Errorf("scripted: state: ids of step %d: must ascend", b.Step)
		}
	}
	s.state = st
	return nil
}
