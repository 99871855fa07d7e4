package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// GitLab is the policy "gitlab": GitLab Runner's fleeting and taskscaler, from
// documentation and issues only; its source was not read.
//
//	idle    = min(scale_factor × in use, scale_factor_limit), idle_count at least
//	desired = ceil((in use + pending + idle) ÷ slots)
//
// An instance leaves when it has been idle for idle_time and more are there than
// desired. scale_factor = 0.25 ÷ 0.75 asks for a quarter of the capacity idle,
// SkyNet's slack of 2008 in another fraction. Growth is limited by
// max_growth in a period, as in docker+machine's MaxGrowthRate.
//
// Uncertain: its documentation says both that the factor comes on top of
// idle_count and that idle_count is then the least; its Terraform module says the
// latter, which is the default here, idle = "sum" the former. docker+machine took
// the smaller of the two. In preemptive mode, off here unless pending = "waits", a
// runner asks for jobs only when it has room, so what waits does not count: the
// fleet grows by its idle target alone (#4863), kept as an option.
var GitLab = newSpec(build{
	name: "gitlab",
	doc:  "capacity for jobs in use and waiting and for a share of them idle (GitLab Runner's taskscaler)",
	params: []policy.Param{
		parRoom, gitlabIdleCount, gitlabFactor, gitlabLimit, gitlabIdle, gitlabIdleTime, gitlabGrowth, gitlabPending,
	},
	every: time.Minute,
}, func(_ *policy.Env, v policy.Values) (rule[struct{}], error) {
	count, factor, limit := v.Number(&gitlabIdleCount), v.Number(&gitlabFactor), v.Number(&gitlabLimit)
	perSlot, sum := v.Number(&parRoom), v.Choice(&gitlabIdle) == "sum"
	idle, growth, waits := v.Duration(&gitlabIdleTime), int(v.Number(&gitlabGrowth)), v.Choice(&gitlabPending) == "waits"
	return func(s *signals, _ *struct{}) verdict {
		pending := s.pending
		if waits {
			pending = 0
		}
		want := gitlabDesired(s.running, pending, count, min(float64(factor*s.running), limit), sum, float64(perSlot*float64(s.slots)))
		reason := ruleGitLab.Because(s.running, pending, float64(want), float64(s.desired))
		if want >= s.desired {
			return s.by(min(want-s.desired, growth), reason)
		}
		return s.by(-min(s.desired-want, s.idleFor(idle)), reason)
	}, nil
})

var (
	gitlabIdleCount = policy.Param{
		Name: "idle_count", Kind: policy.Integer, Min: 0, Max: 200, Default: 1,
		Doc: "Slots kept idle whatever runs.",
	}
	gitlabFactor = policy.Param{
		Name: "scale_factor", Kind: policy.Number, Unit: "fraction", Min: 0, Max: 3, Default: 1.0 / 3,
		Doc: "Slots kept idle for each one in use.",
	}
	gitlabLimit = policy.Param{
		Name: "scale_factor_limit", Kind: policy.Integer, Min: 1, Max: 100_000, Default: 100_000, Log: true, Fixed: true,
		Doc: "The most slots kept idle for those in use.",
	}
	gitlabIdle = policy.Param{
		Name: "idle", Kind: policy.Choice, Choices: []string{"larger", "sum"}, Fixed: true,
		Doc: "How idle_count and scale_factor make the slots kept idle: the larger of the two, or their sum.",
	}
	gitlabIdleTime = policy.Param{
		Name: "idle_time", Kind: policy.Duration, Min: 0, Max: float64(2 * time.Hour), Default: float64(20 * time.Minute),
		Doc: "How long an instance is idle before it may leave.",
	}
	gitlabGrowth = policy.Param{
		Name: "max_growth", Kind: policy.Integer, Min: 1, Max: 100_000, Default: 100_000, Log: true, Fixed: true,
		Doc: "The most instances added in one period.",
	}
	gitlabPending = policy.Param{
		Name: "pending", Kind: policy.Choice, Choices: []string{"counts", "waits"}, Fixed: true,
		Doc: "Whether waiting jobs ask for capacity, or wait until there is some.",
	}

	ruleGitLab = policy.NewRule("gitlab.plan", "%.0f in use and %.0f pending need %.0f instances with the idle ones, %.0f desired", false)
)

// gitlabDesired returns the instances for what is in use, pending and idle: a
// count of slots and a share of those in use.
func gitlabDesired(inUse, pending, count, share float64, sum bool, perInstance float64) int {
	idle := max(count, share)
	if sum {
		idle = count + share
	}
	return ceil((inUse + pending + idle) / perInstance)
}
