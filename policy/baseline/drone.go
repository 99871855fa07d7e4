package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Drone is the policy "drone": the Drone CI autoscaler, as its planner stands in
// drone/autoscaler at b22b870.
//
//	free = max(capacity − running − buffer, 0)
//	diff = ceil((pending − free) ÷ slots)
//
// More than zero are launched. Of less, as many idle servers older than min_age
// leave, the newest first, so that min stay of all; and none at all if fewer than
// min would stay of those that run, for then others are still on their way. Its
// period is 5 minutes. A queue that cannot be read skips the cycle.
//
// Kept: capacity counts a server in every state, those that never came up
// included, so launches that fail starve the queue instead of multiplying, here
// until the actuator gives them up; and free is cut off at zero before the buffer
// can ask for more, so a buffer alone never launches. buffer_counts = "always"
// repairs the second.
//
// Deviations: its concurrency of 2 calls at a time is not modelled; min 2 and
// max 4 are the sample configuration's, not limits of the method, so min is 0
// and max the actuator's.
var Drone = newSpec(build{
	name:   "drone",
	doc:    "launches for pending jobs that find no free slot, counts whatever was ever launched, and releases idle instances older than 55 minutes (Drone autoscaler)",
	params: []policy.Param{parRoom, droneBuffer, droneMinAge, droneBufferCounts},
	every:  5 * time.Minute,
}, func(_ *policy.Env, v policy.Values) (rule[struct{}], error) {
	buffer, minAge := v.Number(&droneBuffer), v.Duration(&droneMinAge)
	repaired := v.Choice(&droneBufferCounts) == "always"
	perSlot := v.Number(&parRoom)
	capacity := func(s *signals) float64 { return float64(float64(s.slots) * perSlot) }
	return func(s *signals, _ *struct{}) verdict {
		servers := s.desired + s.draining + s.gone
		diff := droneDiff(s.pending, float64(float64(servers)*capacity(s)), s.running, capacity(s), buffer, repaired)
		if diff >= 0 {
			return s.by(diff, ruleDrone.Because(s.pending, s.running, float64(servers), float64(diff)))
		}
		leave := min(droneLeave(servers, s.ready, -diff, s.least), s.idleOlder(0, minAge))
		return s.by(-leave, ruleDrone.Because(s.pending, s.running, float64(servers), float64(-leave)))
	}, nil
})

var (
	droneBuffer = policy.Param{
		Name: "buffer", Kind: policy.Integer, Min: 0, Max: 200,
		Doc: "Slots it keeps free (DRONE_CAPACITY_BUFFER).",
	}
	droneMinAge = policy.Param{
		Name: "min_age", Kind: policy.Duration, Min: 0, Max: float64(3 * time.Hour), Default: float64(55 * time.Minute),
		Doc: "The age from which an idle instance may be released (DRONE_POOL_MIN_AGE).",
	}
	droneBufferCounts = policy.Param{
		Name: "buffer_counts", Kind: policy.Choice, Choices: []string{"while-free", "always"},
		Doc: "Whether the buffer counts only while slots are free, as in the original, or always.",
	}

	ruleDrone = policy.NewRule("drone.plan", "%.0f jobs wait and %.0f run, %.0f servers of any state: %+.0f", false)
)

// droneDiff returns how many servers, each for so many jobs, to add or to take
// away.
func droneDiff(pending, capacity, running, perServer, buffer float64, repaired bool) int {
	free := capacity - running - buffer
	if !repaired {
		free = max(free, 0)
	}
	return ceil((pending - free) / perServer)
}

// droneLeave returns how many of so many servers may leave when excess are too
// many.
func droneLeave(servers, running, excess, least int) int {
	n := min(excess, max(0, servers-least))
	if running-n < least {
		return 0
	}
	return n
}
