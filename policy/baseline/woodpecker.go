package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Woodpecker is the policy "woodpecker": the Woodpecker CI autoscaler at
// 9176b31, hour-aware (PR #645).
//
//	available = ceil((free slots + running) ÷ slots)
//	required  = ceil((pending + running) ÷ slots)
//	more or fewer by required − available
//
// Free slots are those of agents that report. In the original an agent that
// boots has none, so the same jobs launch it again at every pass until max is
// reached (#674); in_flight = "counted" repairs it. Agents leave when they have
// been idle for idle_timeout, and with hours paid whole only in the last minutes
// of theirs: the actuator's release, which this rival's hourly-round-up is the
// model of, down to keeping an agent that drained into a new hour.
//
// Deviations: min 1 and max 10 are the defaults of a home server; here 0 and
// 100. The reaper of inactive agents is the actuator's.
var Woodpecker = newSpec(build{
	name:   "woodpecker",
	doc:    "agents for waiting and running jobs less those that report, released at the end of a paid hour (Woodpecker autoscaler)",
	params: []policy.Param{parRoom, woodpeckerIdle, woodpeckerInFlight},
	every:  time.Minute,
	max:    100,
}, func(_ *policy.Env, v policy.Values) (rule[struct{}], error) {
	perSlot := v.Number(&parRoom)
	idle, counted := v.Duration(&woodpeckerIdle), v.Choice(&woodpeckerInFlight) == "counted"
	return func(s *signals, _ *struct{}) verdict {
		free := s.room(perSlot)
		if counted {
			free += float64(perSlot * float64(s.bootingSlots))
		}
		n := woodpeckerDiff(s.pending, s.running, free, float64(perSlot*float64(s.slots)))
		reason := ruleWoodpecker.Because(s.pending, s.running, free, float64(n))
		if n < 0 {
			n = -min(-n, s.idleFor(idle))
		}
		return s.by(n, reason)
	}, nil
})

var (
	woodpeckerIdle = policy.Param{
		Name: "idle_timeout", Kind: policy.Duration, Min: 0, Max: float64(2 * time.Hour), Default: float64(10 * time.Minute),
		Doc: "How long an agent is idle before it may leave.",
	}
	woodpeckerInFlight = policy.Param{
		Name: "in_flight", Kind: policy.Choice, Choices: []string{"forgotten", "counted"},
		Doc: "Whether agents that boot are forgotten, as in the original, or counted as free slots.",
	}

	ruleWoodpecker = policy.NewRule("woodpecker.plan", "%.0f jobs wait, %.0f run, room for %.0f more: %+.0f agents", false)
)

// woodpeckerDiff returns how many agents to add, or to take away.
func woodpeckerDiff(pending, running, free, perAgent float64) int {
	return ceil((pending+running)/perAgent) - ceil((free+running)/perAgent)
}
