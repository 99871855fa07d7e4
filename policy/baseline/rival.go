package baseline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/spell"
	"github.com/skynet-ec2/skynet/policy/statehash"
)

// build is how a rival is built apart from its rule. Its zero value holds when
// it cannot read, keeps nothing it was refused, and releases the newest first.
type build struct {
	name, doc string
	// params of its rule, before those of the actuator.
	params []policy.Param
	// every is the default of its own period; 0: none, every tick. A longer one
	// than the tick is waited for, a shorter one asks for early ticks where they
	// are honoured.
	every time.Duration
	// min and max are the defaults of the limits; a max of 0 is the actuator's.
	min, max int
	// unreadable is the default of that parameter.
	unreadable string
	// keeps says that what was asked for stays asked for until the rule
	// lowers it, as an ASG's desired capacity does: what EC2 refused or lost is
	// asked for again every tick.
	keeps bool
	// oldest releases the longest-lived first; otherwise the newest. Where hours
	// are paid whole and release is at their end, the nearest end goes first.
	oldest bool
	// mixes covers what is wanted with several types of its list (all of the
	// catalog when none is given), the cheapest first.
	mixes bool
}

// A rule decides by what it sees and by what it remembers, S: a struct of
// exported fields that JSON restores exactly.
type rule[S any] func(s *signals, memory *S) verdict

// spec returns the declaration of the policy, but for how it is made.
func (b *build) spec() policy.Spec {
	return policy.Spec{Name: b.name, Doc: b.doc, Params: append(b.params[:len(b.params):len(b.params)], b.common()...)}
}

// newSpec returns the policy that acts on a rule. prepare makes the rule from
// its parameters.
func newSpec[S any](b build, prepare func(env *policy.Env, v policy.Values) (rule[S], error)) policy.Spec {
	spec := b.spec()
	spec.New = func(env policy.Env, v policy.Values) (policy.Policy, error) {
		decide, err := prepare(&env, v)
		if err != nil {
			return nil, err
		}
		p := &rival[S]{decide: decide}
		if err := p.set(&b, env, v); err != nil {
			return nil, err
		}
		return p, nil
	}
	return spec
}

// foresight is over how long a time, and in spans of which length, a clairvoyant
// rule wants to be told what will arrive; 0: not now.
type foresight[S any] func(memory *S) (ahead, span time.Duration)

// newClairvoyant is newSpec of a rule that is told what will arrive.
func newClairvoyant[S any](b build, prepare func(env *policy.Env, v policy.Values) (rule[S], foresight[S])) policy.Spec {
	spec := b.spec()
	spec.Clairvoyant = true
	spec.New = func(env policy.Env, v policy.Values) (policy.Policy, error) {
		decide, asks := prepare(&env, v)
		p := &clairvoyant[S]{rival: rival[S]{decide: decide}, asks: asks}
		if err := p.set(&b, env, v); err != nil {
			return nil, err
		}
		return p, nil
	}
	return spec
}

// clairvoyant is a rival that is told what will arrive.
type clairvoyant[S any] struct {
	rival[S]
	asks foresight[S]
}

// Foresight returns over how long a time, and in spans of which length, it wants
// to be told what will arrive before its next step; 0: not then.
func (p *clairvoyant[S]) Foresight() (ahead, span time.Duration) { return p.asks(&p.state.Rule) }

// rival is a rule with the actuator.
type rival[S any] struct {
	actuator
	decide rule[S]
	state  state[S]
	seen   signals
	spare  idleTimes
}

// state is all a rival remembers.
type state[S any] struct {
	// Began is false before the first tick at which it could read.
	Began bool `json:"began"`
	// Desired slots.
	Desired int       `json:"desired"`
	UpAt    time.Time `json:"up_at"`
	DownAt  time.Time `json:"down_at"`
	RunAt   time.Time `json:"run_at"`
	Idle    idleTimes `json:"idle,omitempty"`
	Pool    idlePool  `json:"pool,omitempty"`
	Rule    S         `json:"rule"`
}

var (
	ruleUnread = policy.NewRule("baseline.unread", "the queue or the fleet cannot be read: it holds", false)
	ruleLimits = policy.NewRule("baseline.limits", "wanted %.0f slots, its limits allow %.0f", false)
	ruleKeep   = policy.NewRule("baseline.keep", "%.0f slots too many are paid for and stay to the end of their hour", false)
)

// Step returns what the rule wants, as launches, drains and undrains.
func (p *rival[S]) Step(o *policy.Observation) policy.Decision {
	p.begin(o)
	known := o.Queue.Complete && o.Fleet.Complete
	if !known && (p.unread == unreadHold || !p.state.Began) { // nobody believes what was never read
		p.because = append(p.because, ruleUnread.Because())
		p.decision.Because = p.because
		return p.decision
	}
	have := p.survey(o)
	var v verdict
	if p.every == 0 || p.seen.sinceRun >= p.every-min(p.every, p.seen.tick)/2 {
		v = p.decide(&p.seen, &p.state.Rule)
		p.state.RunAt = o.Now
	}
	p.follow(v, o.Now)
	p.act(o, p.seen.instances, have, p.state.Desired)
	return p.decision
}

// survey fills p.seen and returns the slots that are there.
func (p *rival[S]) survey(o *policy.Observation) (have int) {
	st := &p.state
	s := &p.seen
	*s = signals{
		now: o.Now, tick: o.Tick, ahead: o.Ahead,
		slots: p.unit.Slots, speed: p.unit.Speed, refusals: o.EC2.Refusals, types: p.types, every: p.every,
		least: p.least / p.unit.Slots, most: p.most / p.unit.Slots,
		sinceUp: since(st.UpAt, o.Now), sinceDown: since(st.DownAt, o.Now), sinceRun: since(st.RunAt, o.Now),
	}
	s.missed = s.sinceRun != forever && s.sinceRun > max(p.every, o.Tick)*3/2
	if o.Queue.Complete || p.unread == unreadLast {
		s.readQueue(o)
	}
	if o.Fleet.Complete || p.unread == unreadLast {
		have = s.readFleet(o)
		st.Idle, p.spare = st.Idle.updated(p.spare, o.Fleet.Instances, o.Now), st.Idle
		st.Pool = st.Pool.updated(s.freeSlots()/s.slots, o.Now)
	}
	s.idle, s.pool, s.pooled = st.Idle, st.Pool, !p.idleOnly
	if !st.Began {
		st.Began, st.Desired = true, have
	} else if !p.keeps {
		st.Desired = min(st.Desired, have) // what was refused is forgotten
	}
	if over := have - st.Desired; p.mixes && over > 0 && over < s.smallestNode() {
		st.Desired = have // no part of a node is released: it came with the rest
	}
	s.desired, s.desiredSlots = s.units(float64(st.Desired)), st.Desired
	s.hide(max(0, have-st.Desired))
	return have
}

func since(at, now time.Time) time.Duration {
	if at.IsZero() {
		return forever
	}
	return now.Sub(at)
}

// follow moves what is desired to what the rule wants, within the limits.
func (p *rival[S]) follow(v verdict, now time.Time) {
	st := &p.state
	want := st.Desired
	switch v.kind {
	case wants:
		want = v.slots
	case adds:
		want += v.slots
	}
	if v.because.Rule.Name() != "" {
		p.because = append(p.because, v.because)
	}
	got := min(max(want, p.least), p.most)
	if v.kind != holds && (want > p.most || want < p.least && got != st.Desired) {
		p.because = append(p.because, ruleLimits.Because(float64(want), float64(got)))
	}
	switch {
	case got > st.Desired:
		st.UpAt = now
	case got < st.Desired:
		st.DownAt = now
	}
	st.Desired = got
}

// MarshalJSON returns the state.
func (p *rival[S]) MarshalJSON() ([]byte, error) { return json.Marshal(&p.state) }

// StateHash returns the hash of the state that MarshalJSON writes.
func (p *rival[S]) StateHash() statehash.Hash { return statehash.Of(&p.state) }

// UnmarshalJSON restores the state. A state it does not know changes nothing.
func (p *rival[S]) UnmarshalJSON(data []byte) error {
	var st state[S]
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(&st); err != nil {
		return fmt.Errorf("%s: state: %w", p.name, err)
	}
	if st.Desired < -beyond*beyond || st.Desired > beyond*beyond {
		return fmt.Errorf("%s: state: desired = %d: must be within ±%d", p.name, st.Desired, beyond*beyond)
	}
	if c, ok := any(&st.Rule).(checked); ok {
		if err := c.check(); err != nil {
			return fmt.Errorf("%s: state: %w", p.name, err)
		}
	}
	p.state = st
	return nil
}

// chosenTypes returns the places in the catalog of the types a rival buys, the
// preferred first.
func chosenTypes(b *build, env *policy.Env, v policy.Values) ([]int, error) {
	c := &env.Catalog
	if len(c.Types) == 0 {
		return nil, &policy.ParamError{Policy: b.name, Name: "type", Value: "", Allowed: "given: the catalog has no types"}
	}
	var chosen []int
	for _, name := range v.Strings(&parType) {
		at := c.Index(name)
		if at < 0 {
			allowed := "types of catalog " + c.Name
			if near := spell.Nearest(name, c.Names()); near != "" {
				allowed += ": did you mean " + near + "?"
			}
			return nil, &policy.ParamError{Policy: b.name, Name: "type", Value: name, Allowed: allowed}
		}
		chosen = append(chosen, at)
	}
	if len(chosen) > 0 {
		return chosen, nil
	}
	order := c.ByUnitPrice()
	switch {
	case b.mixes:
		return order, nil
	case v.Choice(&parSize) == "largest":
		return order[:1], nil
	}
	last := 0
	for last+1 < len(order) && c.Types[order[last+1]].UnitPrice() == c.Types[order[0]].UnitPrice() {
		last++
	}
	return order[last : last+1], nil
}
