package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// KedaScaledJob is the policy "keda-scaledjob": KEDA's ScaledJob, after
// scale_jobs.go, with its three strategies.
//
//	scale   = min(ceil(q ÷ target), replicas at most)
//	default:  scale − running
//	accurate: replicas at most − running if scale + running − pending exceeds
//	          them, else scale − pending
//	eager:    min(replicas at most − running − pending, scale)
//
// A Kubernetes Job is a slot here. Running ones are those not finished: slots
// that are busy and slots that boot, which are also the pending ones. New Jobs
// go to free slots first, as the scheduler places them; instances are launched
// for the rest. Nothing is scaled in: a Job ends by itself, and an instance
// leaves when it has been idle for idle_time.
//
// Kept: with queue = "waiting" (a scaler that does not count messages in flight)
// default starves what waits while as much runs (#1222), which accurate is for;
// eager asks for what is pending again at every poll (#1227, #5114); a list of
// Jobs that cannot be read is taken for none at all, so that everything is
// created a second time (unreadable = "hold" repairs it).
//
// Deviations: the strategy custom, default with a part of what runs taken off, is
// not modelled, nor are the fewest Jobs (minReplicaCount): min keeps instances.
var KedaScaledJob = newSpec(build{
	name:       "keda-scaledjob",
	doc:        "creates a Kubernetes Job for each job of the queue, by the strategy default, accurate or eager (KEDA ScaledJob)",
	params:     []policy.Param{kedaStrategy, kedaQueue, kedaTarget, kedaIdle},
	every:      30 * time.Second,
	max:        100,
	unreadable: unreadZero,
}, func(_ *policy.Env, v policy.Values) (rule[struct{}], error) {
	strategy, target := v.Choice(&kedaStrategy), v.Number(&kedaTarget)
	all, idle := v.Choice(&kedaQueue) == "waiting+running", v.Duration(&kedaIdle)
	return func(s *signals, _ *struct{}) verdict {
		q := s.pending
		if all {
			q += s.running
		}
		running := min(s.busySlots, s.readySlots) + s.bootingSlots
		n := kedaJobs(strategy, ceil(q/target), running, s.bootingSlots, s.most*s.slots)
		reason := ruleKeda.Because(q, float64(running), float64(s.bootingSlots), float64(n))
		if more := n - s.freeSlots(); more > 0 {
			return s.by(s.units(float64(more)), reason)
		}
		if n > 0 {
			return hold(reason) // they run on what is free
		}
		return s.by(-s.idleFor(idle), reason)
	}, nil
})

var (
	kedaStrategy = policy.Param{
		Name: "strategy", Kind: policy.Choice, Choices: []string{"default", "accurate", "eager"},
		Doc: "How what runs and what is pending is taken off the queue (scalingStrategy).",
	}
	kedaQueue = policy.Param{
		Name: "queue", Kind: policy.Choice, Choices: []string{"waiting+running", "waiting"},
		Doc: "Whether the queue's length counts what is in flight, as SQS's scaler does unless told otherwise.",
	}
	kedaTarget = policy.Param{
		Name: "target", Kind: policy.Number, Unit: "jobs per Job", Min: 0.25, Max: 20, Default: 1, Log: true,
		Doc: "How many jobs of the queue a Job is created for (queueLength; SQS's default is 5).",
	}
	kedaIdle = policy.Param{
		Name: "idle_time", Kind: policy.Duration, Min: 0, Max: float64(2 * time.Hour), Default: float64(10 * time.Minute),
		Doc: "How long an instance is without a Job before it leaves.",
	}

	ruleKeda = policy.NewRule("keda-scaledjob.plan", "%.0f in the queue, %.0f Jobs run, %.0f of them pending: create %.0f", false)
)

// kedaJobs returns how many Jobs to create; none if it is not positive.
func kedaJobs(strategy string, wanted, running, pending, most int) int {
	scale := min(wanted, most)
	n := scale - running
	switch strategy {
	case "accurate":
		n = scale - pending
		if scale+running-pending > most {
			n = most - running
		}
	case "eager":
		n = min(most-running-pending, scale)
	}
	return n
}
