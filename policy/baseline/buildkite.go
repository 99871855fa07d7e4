package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Buildkite is the policy "buildkite": buildkite-agent-scaler at 49c4145, as the
// Elastic CI stack runs it.
//
//	desired = ceil((scheduled + running) ÷ agents an instance)
//	        + min(ceil(jobs ÷ agents an instance), buffer), if there is any job
//	up:   current + ceil(delta × out_factor), out_cooldown after the last up
//	down: either agents end by themselves after idle_period without a job (the
//	      stack's way, scale_in = "idle"), or current + floor(delta × in_factor)
//	      in_cooldown after the last change of either kind (the scaler's own,
//	      "cooldown", with SCALE_ONLY_AFTER_ALL_EVENT)
//
// An absolute target: what boots is in the current size, so nothing is asked
// for twice. boost = "on" adds the availability boost of elastic mode: while
// fewer than half of the agents report although the group has its size, one
// instance more at each poll. With boots slower than the poll that is a ratchet
// up to max, and the reason why an earlier form of it was taken back (#46).
//
// Unreadable metrics are believed as last read; only elastic mode holds, when
// they are older than 2 minutes (unreadable = "hold").
//
// Deviations: jobs behind a wait step are not modelled, for a trace has none,
// so includeWaiting counts nothing; the check for dangling instances is left to
// the actuator, which replaces what never registers after 15 minutes.
var Buildkite = newSpec(build{
	name: "buildkite",
	doc:  "one agent for every waiting and running job, instances end after 10 idle minutes (Buildkite agent scaler)",
	params: []policy.Param{
		parRoom, buildkiteBuffer, buildkiteOutFactor, buildkiteOutCooldown, buildkiteScaleIn,
		buildkiteIdle, buildkiteInCooldown, buildkiteInFactor, buildkiteBoost,
	},
	every:      10 * time.Second,
	unreadable: unreadLast,
	oldest:     true,
}, func(_ *policy.Env, v policy.Values) (rule[struct{}], error) {
	buffer, perSlot := int(v.Number(&buildkiteBuffer)), v.Number(&parRoom)
	out, in := v.Number(&buildkiteOutFactor), v.Number(&buildkiteInFactor)
	outCooldown, inCooldown := v.Duration(&buildkiteOutCooldown), v.Duration(&buildkiteInCooldown)
	idle, byIdle := v.Duration(&buildkiteIdle), v.Choice(&buildkiteScaleIn) == "idle"
	boost := v.Choice(&buildkiteBoost) == "on"
	return func(s *signals, _ *struct{}) verdict {
		want := buildkiteDesired(buildkiteMetrics{
			scheduled: s.pending, running: s.running, perInstance: float64(perSlot * float64(s.slots)), buffer: buffer, boost: boost,
			online: float64(perSlot * float64(s.readySlots)), desired: s.desired, actual: s.ready + s.booting,
		})
		delta := float64(want - s.desired)
		reason := ruleBuildkite.Because(s.pending, s.running, float64(want), float64(s.desired))
		switch {
		case delta > 0 && s.sinceUp >= outCooldown:
			return s.by(ceil(delta*out), reason)
		case delta < 0 && byIdle:
			return s.by(-min(s.idleFor(idle), int(-delta)), reason)
		case delta < 0 && min(s.sinceUp, s.sinceDown) >= inCooldown:
			return s.by(-ceil(-delta*in), reason) // the floor of a negative change
		}
		return hold(reason)
	}, nil
})

var (
	buildkiteBuffer = policy.Param{
		Name: "instance_buffer", Kind: policy.Integer, Min: 0, Max: 50,
		Doc: "Instances more than its jobs need, while there are any (INSTANCE_BUFFER).",
	}
	buildkiteOutFactor = policy.Param{
		Name: "scale_out_factor", Kind: policy.Number, Unit: "multiple", Min: 0.1, Max: 3, Default: 1,
		Doc: "The share of what is missing that one poll adds (SCALE_OUT_FACTOR).",
	}
	buildkiteOutCooldown = policy.Param{
		Name: "scale_out_cooldown", Kind: policy.Duration, Min: 0, Max: float64(30 * time.Minute),
		Doc: "The pause after a rise before the next; the stack sets 5m.",
	}
	buildkiteScaleIn = policy.Param{
		Name: "scale_in", Kind: policy.Choice, Choices: []string{"idle", "cooldown"}, Fixed: true,
		Doc: "Who lowers the size: agents that end when idle, or the scaler after a cooldown.",
	}
	buildkiteIdle = policy.Param{
		Name: "scale_in_idle_period", Kind: policy.Duration, Min: 0, Max: float64(2 * time.Hour), Default: float64(10 * time.Minute),
		Doc: "How long an instance is idle before it ends, with scale_in = idle.",
	}
	buildkiteInCooldown = policy.Param{
		Name: "scale_in_cooldown", Kind: policy.Duration, Min: 0, Max: float64(2 * time.Hour), Default: float64(time.Hour), Fixed: true,
		Doc: "The pause after a change before the size is lowered, with scale_in = cooldown.",
	}
	buildkiteInFactor = policy.Param{
		Name: "scale_in_factor", Kind: policy.Number, Unit: "multiple", Min: 0.1, Max: 1, Default: 1, Fixed: true,
		Doc: "The share of what is too much that one poll takes away, with scale_in = cooldown.",
	}
	buildkiteBoost = policy.Param{
		Name: "boost", Kind: policy.Choice, Choices: []string{"off", "on"}, Fixed: true,
		Doc: "Whether missing agents raise the size by one at each poll, as in elastic mode.",
	}

	ruleBuildkite = policy.NewRule("buildkite.plan", "%.0f jobs scheduled and %.0f running need %.0f instances, %.0f desired", false)
)

// buildkiteMetrics are what the scaler reads.
type buildkiteMetrics struct {
	scheduled, running, waiting float64
	includeWaiting              bool
	perInstance                 float64 // agents
	buffer                      int
	boost                       bool
	online                      float64 // agents
	desired, actual             int     // instances of the group
}

// buildkiteDesired returns how many instances its jobs need.
func buildkiteDesired(m buildkiteMetrics) int {
	jobs := m.scheduled + m.running
	agents := jobs
	if m.includeWaiting && m.waiting > m.running {
		agents = m.scheduled + m.waiting
	}
	desired := ceil(agents / m.perInstance)
	if m.boost && agents > 0 && m.actual > 0 && m.actual == m.desired && m.online/(m.perInstance*float64(m.actual)) < 0.5 {
		desired = max(desired, m.desired+1)
	}
	if jobs > 0 {
		desired += min(ceil(jobs/m.perInstance), m.buffer)
	}
	return desired
}
