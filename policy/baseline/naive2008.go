package baseline

import (
	"encoding/json"
	"fmt"
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Naive2008 is the policy "naive-2008": the controller of the accident of 2008,
// in which a partial outage made the queue look enormous and about 250
// extra-large instances were launched in one call.
//
// SmugMug's article tells the aims (photos done 5 to 30 s after upload, about
// 25 % of the capacity idle) and the accident, not the formulas. Assumed here:
//
//   - it wants the work that runs now, plus the backlog done within workoff,
//     plus the slack on top of both:
//     (busy + backlog ÷ workoff) ÷ (1 − slack) reference cores
//   - it compares that with the instances that are ready. What is booting does
//     not count, so while instances boot it asks for them again every tick
//   - it believes every reading, however old, and takes what it cannot read for
//     zero
//   - nothing limits it but call_max, the largest single call it makes
//   - it buys one type, and drains idle instances near the end of a paid hour
//     while it has more than it wants
var Naive2008 = policy.Spec{
	Name:   "naive-2008",
	Doc:    "launches for the backlog with 25 % slack and forgets what is booting, as in the accident of 2008",
	Params: []policy.Param{naiveSlack, naiveWorkoff, naiveCallMax, naiveType},
	New:    newNaive,
}

var (
	naiveSlack = policy.Param{
		Name: "slack", Kind: policy.Number, Unit: "fraction", Min: 0, Max: 0.9, Default: 0.25,
		Doc: "The idle fraction of the capacity it wants.",
	}
	naiveWorkoff = policy.Param{
		Name: "workoff", Kind: policy.Duration,
		Min: float64(time.Second), Max: float64(24 * time.Hour), Default: float64(30 * time.Second), Log: true,
		Doc: "The time in which it wants the backlog done.",
	}
	naiveCallMax = policy.Param{
		Name: "call_max", Kind: policy.Integer, Min: 1, Max: 100_000, Default: 250, Fixed: true,
		Doc: "The most instances it launches in one call.",
	}
	naiveType = policy.Param{
		Name: "type", Kind: policy.TypeList, Fixed: true,
		Doc: "The instance type it buys; omitted: the catalog's cheapest per unit of work.",
	}

	ruleNaiveShort = policy.NewRule("naive.short", "want %.1f cores, have %.1f ready: launch %.0f", false)
	ruleNaiveMore  = policy.NewRule("naive.more", "want %.1f cores, have %.1f ready: drain %.0f at the end of their hour", false)
)

// naive keeps no state: all it believes stands in the last observation.
type naive struct {
	slack   float64
	workoff time.Duration
	callMax int
	typ     int
	env     policy.Env

	launches [1]policy.Launch
	drains   []policy.InstanceID
	because  [1]policy.Reason
}

func newNaive(env policy.Env, v policy.Values) (policy.Policy, error) {
	if len(env.Catalog.Types) == 0 {
		return nil, &policy.ParamError{Policy: "naive-2008", Name: "type", Value: "", Allowed: "given: the catalog has no types"}
	}
	n := &naive{
		slack: v.Number(&naiveSlack), workoff: v.Duration(&naiveWorkoff),
		callMax: int(v.Number(&naiveCallMax)), typ: env.Catalog.ByUnitPrice()[0], env: env,
	}
	if names := v.Strings(&naiveType); len(names) > 0 {
		if n.typ = env.Catalog.Index(names[0]); n.typ < 0 || len(names) > 1 {
			return nil, &policy.ParamError{Policy: "naive-2008", Name: "type", Value: names, Allowed: "one type of catalog " + env.Catalog.Name}
		}
	}
	return n, nil
}

// Step returns launches for what is short, or drains of what is too much.
func (n *naive) Step(o *policy.Observation) policy.Decision {
	want, ready := n.want(o), n.ready(o)
	one := n.env.Catalog.Types[n.typ].Capacity()
	if short := want - ready; short > 0 {
		count := min(int(math.Ceil(min(short/one, 1e9))), n.callMax)
		n.launches[0] = policy.Launch{Type: n.typ, Count: count}
		n.because[0] = ruleNaiveShort.Because(want, ready, float64(count))
		return policy.Decision{Launches: n.launches[:], Because: n.because[:]}
	}
	n.drains = n.drains[:0]
	left := ready
	for i := range o.Fleet.Instances {
		in := &o.Fleet.Instances[i]
		capacity := n.capacity(in.Type, in.Slots)
		if in.Phase != policy.Ready || in.Busy > 0 || left-capacity < want {
			continue
		}
		if n.env.Catalog.Billing.Windows() && in.PaidUntil.Sub(o.Now) > 2*n.env.Tick {
			continue
		}
		n.drains = append(n.drains, in.ID)
		left -= capacity
	}
	if len(n.drains) == 0 {
		return policy.Decision{}
	}
	n.because[0] = ruleNaiveMore.Because(want, ready, float64(len(n.drains)))
	return policy.Decision{Drains: n.drains, Because: n.because[:]}
}

// want returns the capacity wanted, in reference cores.
func (n *naive) want(o *policy.Observation) float64 {
	backlog := 0.0
	for i := range o.Queue.Kinds {
		backlog += float64(o.Queue.Kinds[i].Pending.Work)
	}
	busy := 0.0
	for i := range o.Fleet.Instances {
		busy += n.capacity(o.Fleet.Instances[i].Type, o.Fleet.Instances[i].Busy)
	}
	return (busy + backlog/n.workoff.Seconds()) / (1 - n.slack)
}

// ready returns the capacity that takes jobs now, in reference cores. Booting
// instances are the ones it forgets.
func (n *naive) ready(o *policy.Observation) float64 {
	sum := 0.0
	for i := range o.Fleet.Instances {
		if in := &o.Fleet.Instances[i]; in.Phase == policy.Ready {
			sum += n.capacity(in.Type, in.Slots)
		}
	}
	return sum
}

// capacity returns what so many slots of a type do, in reference cores.
func (n *naive) capacity(typ, slots int) float64 {
	if typ < 0 || typ >= len(n.env.Catalog.Types) {
		return 0
	}
	return float64(float64(slots) * n.env.Catalog.Types[typ].Speed)
}

// MarshalJSON returns the state, which is empty.
func (n *naive) MarshalJSON() ([]byte, error) { return []byte("{}"), nil }

// UnmarshalJSON accepts the empty state.
func (n *naive) UnmarshalJSON(data []byte) error {
	var empty struct{}
	if err := json.Unmarshal(data, &empty); err != nil {
		return fmt.Errorf("naive-2008: state: %w", err)
	}
	return nil
}
