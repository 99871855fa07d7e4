package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Escalator is the policy "escalator": Atlassian's Escalator at 043bb1b, for
// node groups of batch jobs on an EC2 Auto Scaling group.
//
//	use = requests ÷ capacity of untainted nodes, pending jobs included, in %
//	below taint_lower: taint fast_removal nodes; below taint_upper: slow_removal
//	above scale_up:    add ceil(nodes × (use − scale_up) ÷ scale_up)
//	from no node:      ceil(requests ÷ a node ÷ scale_up)
//	locked for cooldown after nodes were added, not when taints were taken back
//
// A taint is a drain that can be taken back: more nodes are untainted before any
// is bought, and the oldest are tainted first. That is the actuator's way for
// every rival here.
//
// Kept: capacity is that of registered nodes, so when boots outlast cooldown the
// same use adds nodes again, and the group's size, which persists while EC2
// refuses, climbs to max (PR #294: 600 nodes for about 100). booting = "counted"
// repairs it, by counting what was asked for as capacity.
//
// With fewer nodes than min, tainted ones included, it reports an error and does
// nothing: the group's own minimum, the actuator here, brings them. Where the
// tainted ones make up the number it takes as many back, before the lock is
// looked at.
//
// The percentages, removal rates, cooldown and grace are those of the documented
// example; most have no default. (The documentation says too that the lock waits for
// the nodes to be ready; the code does not.) Deviations: memory and maximal node age are not modelled; a fleet in which too
// many nodes are unhealthy is the guard's business.
var Escalator = newSpec(build{
	name: "escalator",
	doc:  "keeps the use of its nodes between thresholds, taints nodes and takes taints back (Atlassian Escalator)",
	params: []policy.Param{
		escalatorUp, escalatorUpper, escalatorLower, escalatorSlow, escalatorFast, escalatorCooldown, escalatorBooting,
	},
	every:  time.Minute,
	min:    1,
	max:    100,
	keeps:  true,
	oldest: true,
}, func(_ *policy.Env, v policy.Values) (rule[escalatorMemory], error) {
	r := escalatorRates{
		up: v.Number(&escalatorUp), upper: v.Number(&escalatorUpper), lower: v.Number(&escalatorLower),
		slow: int(v.Number(&escalatorSlow)), fast: int(v.Number(&escalatorFast)),
	}
	cooldown, counted := v.Duration(&escalatorCooldown), v.Choice(&escalatorBooting) == "counted"
	return func(s *signals, m *escalatorMemory) verdict {
		nodes, slots := s.ready, s.readySlots
		if counted {
			nodes, slots = s.desired, s.desiredSlots
		}
		requests := s.pending + s.running
		if nodes == 0 && requests == 0 {
			return verdict{}
		}
		tainted := s.draining + s.released
		add := func(n int, because policy.Reason) verdict {
			if n > tainted && s.desired < s.most { // at its limit it reports an error
				m.AddedAt = s.now
			}
			return s.by(n, because)
		}
		switch {
		case nodes+tainted < s.least:
			return hold(ruleEscalatorMin.Because(float64(nodes), float64(s.least)))
		case nodes < s.least:
			return add(s.least-nodes, ruleEscalatorMin.Because(float64(nodes), float64(s.least)))
		}
		if left := cooldown - since(m.AddedAt, s.now); left > 0 {
			return hold(ruleEscalatorLock.Because(left.Seconds()))
		}
		use := 0.0
		if slots > 0 {
			use = requests / float64(slots) * 100
		}
		n := r.change(nodes, use)
		if nodes == 0 {
			n = max(1, ceil(requests/float64(s.slots)/r.up*100))
		}
		return add(max(n, -nodes), ruleEscalator.Because(use, float64(nodes), float64(n)))
	}, nil
})

var (
	escalatorUp = policy.Param{
		Name: "scale_up", Kind: policy.Number, Unit: "percent", Min: 10, Max: 200, Default: 70,
		Doc: "The use above which nodes are added, and which it comes back to (scale_up_threshold_percent).",
	}
	escalatorUpper = policy.Param{
		Name: "taint_upper", Kind: policy.Number, Unit: "percent", Min: 0, Max: 100, Default: 40,
		Doc: "The use below which nodes are tainted slowly (taint_upper_capacity_threshold_percent).",
	}
	escalatorLower = policy.Param{
		Name: "taint_lower", Kind: policy.Number, Unit: "percent", Min: 0, Max: 100, Default: 10,
		Doc: "The use below which nodes are tainted fast (taint_lower_capacity_threshold_percent).",
	}
	escalatorSlow = policy.Param{
		Name: "slow_removal", Kind: policy.Integer, Min: 1, Max: 50, Default: 2,
		Doc: "Nodes tainted at a scan of low use (slow_node_removal_rate).",
	}
	escalatorFast = policy.Param{
		Name: "fast_removal", Kind: policy.Integer, Min: 1, Max: 100, Default: 5,
		Doc: "Nodes tainted at a scan of very low use (fast_node_removal_rate).",
	}
	escalatorCooldown = policy.Param{
		Name: "cooldown", Kind: policy.Duration, Min: 0, Max: float64(30 * time.Minute), Default: float64(2 * time.Minute),
		Doc: "How long nothing is done after nodes were added (scale_up_cool_down_period).",
	}
	escalatorBooting = policy.Param{
		Name: "booting", Kind: policy.Choice, Choices: []string{"forgotten", "counted"},
		Doc: "Whether nodes that were asked for and do not run yet are forgotten, as in the original, or counted as capacity.",
	}

	ruleEscalator     = policy.NewRule("escalator.plan", "%.0f %% of %.0f nodes are asked for: %+.0f", false)
	ruleEscalatorMin  = policy.NewRule("escalator.min", "%.0f untainted nodes, fewer than min %.0f", false)
	ruleEscalatorLock = policy.NewRule("escalator.lock", "locked for another %.0f s after nodes were added", false)
)

// escalatorMemory is when nodes were last added, beyond those whose taint was taken
// back.
type escalatorMemory struct {
	AddedAt time.Time `json:"added_at"`
}

// escalatorRates are its thresholds, in percent, and its removal rates.
type escalatorRates struct {
	up, upper, lower float64
	slow, fast       int
}

// change returns how many nodes a use in percent adds to so many, or takes.
func (r *escalatorRates) change(nodes int, use float64) int {
	switch {
	case use < r.lower:
		return -r.fast
	case use < r.upper:
		return -r.slow
	case use > r.up:
		return ceil(float64(nodes) * ((use - r.up) / r.up)) // in the original's order: its last bit is a node
	}
	return 0
}
