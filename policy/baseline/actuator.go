package baseline

import (
	"cmp"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// actuator turns slots that are desired into launches, undrains and drains. It
// is the same for every rival.
//
//   - What is ready and what boots counts; what drains does not.
//   - More is taken back from what drains first, then launched.
//   - Less is drained, the idle first. Where hours are paid whole, an instance
//     leaves at the end of its hour, and only if its jobs are done by then;
//     until then it works on, and is what a later rise takes first.
//   - An instance is released only if what stays is no less than desired.
type actuator struct {
	build
	env         policy.Env
	types       []int // it buys the first
	unit        *policy.InstanceType
	least, most int // slots
	stepMax     int
	idleOnly    bool
	unread      string
	atEnd       bool
	lead        time.Duration

	decision   policy.Decision
	launches   []policy.Launch
	instead    []policy.Substitute
	drains     []policy.InstanceID
	undrains   []policy.InstanceID
	because    []policy.Reason
	candidates []candidate
}

// candidate is an instance that may be released now.
type candidate struct {
	id     policy.InstanceID
	slots  int
	rank   int // the lower the sooner
	left   time.Duration
	launch time.Time
}

// set reads the actuator's parameters.
func (a *actuator) set(b *build, env policy.Env, v policy.Values) error {
	a.build, a.env = *b, env
	var err error
	if a.types, err = chosenTypes(b, &env, v); err != nil {
		return err
	}
	a.unit = &a.env.Catalog.Types[a.types[0]]
	defaults := b.common()
	byName := func(p *policy.Param) *policy.Param {
		return &defaults[slices.IndexFunc(defaults, func(d policy.Param) bool { return d.Name == p.Name })]
	}
	if b.every > 0 {
		a.every = v.Duration(byName(&parPeriod))
	}
	a.least = int(v.Number(byName(&parMin))) * a.unit.Slots
	a.most = max(a.least, int(v.Number(byName(&parMax)))*a.unit.Slots)
	a.stepMax = int(v.Number(&parStepMax))
	a.idleOnly = v.Choice(&parVictims) == victimsIdle
	a.unread = v.Choice(byName(&parUnreadable))
	a.atEnd = env.Catalog.Billing.Windows() && v.Choice(&parRelease) == releaseAtEnd
	a.lead = max(v.Duration(&parReleaseLead), env.Tick)
	if !b.mixes {
		for _, t := range a.types[1:] {
			a.instead = append(a.instead, policy.Substitute{Type: t, Num: a.unit.Slots, Den: env.Catalog.Types[t].Slots})
		}
	}
	return nil
}

// begin clears the decision.
func (a *actuator) begin(o *policy.Observation) {
	a.decision = policy.Decision{}
	a.launches, a.drains, a.undrains, a.because = a.launches[:0], a.drains[:0], a.undrains[:0], a.because[:0]
	if o.FastTicks && a.every > 0 && a.every < o.Tick {
		a.decision.NextTick = max(a.every, policy.MinTick)
	}
}

// act moves the fleet, as far as it could be read, from what is there to what is
// desired, in slots.
func (a *actuator) act(o *policy.Observation, fleet []policy.Instance, have, desired int) {
	if missing := desired - have; missing > 0 {
		a.launch(o, a.takeBack(fleet, missing))
	} else {
		a.keepPaid(fleet, o.Now)
		a.release(fleet, o.Now, -missing)
	}
	a.dropGone(fleet, o.Now)
	a.decision.Launches, a.decision.Drains, a.decision.Undrains = a.launches, a.drains, a.undrains
	a.decision.Because = a.because
}

// takeBack undrains what covers the missing slots and returns those that stay
// missing.
func (a *actuator) takeBack(fleet []policy.Instance, missing int) int {
	for i := range fleet {
		in := &fleet[i]
		if missing > 0 && in.Phase == policy.Draining && in.InterruptAt.IsZero() {
			a.undrains = append(a.undrains, in.ID)
			missing -= in.Slots
		}
	}
	return missing
}

// launch buys so many slots, rounded up to instances.
func (a *actuator) launch(o *policy.Observation, slots int) {
	if slots <= 0 {
		return
	}
	if a.mixes {
		a.buyMix(o, slots)
		return
	}
	n := min((slots+a.unit.Slots-1)/a.unit.Slots, a.stepMax)
	a.launches = append(a.launches, policy.Launch{Type: a.types[0], Count: n, Else: a.instead})
}

// keepPaid takes back what was still busy when its hour ended: the next one is
// paid for.
func (a *actuator) keepPaid(fleet []policy.Instance, now time.Time) {
	if !a.atEnd {
		return
	}
	for i := range fleet {
		in := &fleet[i]
		if in.Phase != policy.Draining || in.Busy == 0 || !in.InterruptAt.IsZero() {
			continue
		}
		if left := in.PaidUntil.Sub(now); left <= 0 || left > a.env.Catalog.Billing.Quantum/2 {
			a.undrains = append(a.undrains, in.ID)
		}
	}
}

// release drains up to so many slots of instances that may leave now.
func (a *actuator) release(fleet []policy.Instance, now time.Time, slots int) {
	if slots <= 0 {
		return
	}
	a.candidates = a.candidates[:0]
	for i := range fleet {
		in := &fleet[i]
		if in.Phase == policy.Draining || in.Phase == policy.Lost || gone(in, now) || in.Slots > slots ||
			!in.InterruptAt.IsZero() || !a.due(in, now) {
			continue
		}
		c := candidate{id: in.ID, slots: in.Slots, left: in.PaidUntil.Sub(now), launch: in.LaunchedAt}
		switch {
		case in.Phase != policy.Ready:
			c.rank = 2
		case in.Busy > 0:
			c.rank = 1
		}
		if c.rank > 0 && a.idleOnly {
			continue
		}
		a.candidates = append(a.candidates, c)
	}
	slices.SortFunc(a.candidates, a.sooner)
	for _, c := range a.candidates {
		if c.slots <= slots {
			a.drains = append(a.drains, c.id)
			slots -= c.slots
		}
	}
	if a.atEnd && slots >= a.unit.Slots {
		a.because = append(a.because, ruleKeep.Because(float64(slots)))
	}
}

// sooner orders candidates by who leaves first.
func (a *actuator) sooner(x, y candidate) int {
	byAge := y.launch.Compare(x.launch)
	if a.oldest {
		byAge = -byAge
	}
	if a.atEnd {
		byAge = cmp.Compare(x.left, y.left)
	}
	return cmp.Or(cmp.Compare(x.rank, y.rank), byAge, cmp.Compare(y.id, x.id))
}

// due reports whether an instance may leave now: anywhere in its life, or near
// the end of its paid hour if its jobs will be done by then.
func (a *actuator) due(in *policy.Instance, now time.Time) bool {
	if !a.atEnd {
		return true
	}
	left := in.PaidUntil.Sub(now)
	return left <= a.lead+min(in.IdleIn, a.lead) && in.IdleIn <= left
}

// dropGone drains what never registered or fell silent long ago, at once or near
// the end of its paid hour, for it may come back: its place is taken by now.
func (a *actuator) dropGone(fleet []policy.Instance, now time.Time) {
	for i := range fleet {
		in := &fleet[i]
		if gone(in, now) && (!a.atEnd || in.PaidUntil.Sub(now) <= a.lead) {
			a.drains = append(a.drains, in.ID)
		}
	}
}
