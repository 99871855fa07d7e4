package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// ASGTargetTracking is the policy "asg-target-tracking": EC2 Auto Scaling's
// target tracking on the backlog per instance, as AWS advises for SQS, or on the
// instances' load.
//
//	m    = jobs waiting ÷ warm instances in service
//	T    = slots × latency ÷ processing time of a job
//	want = ceil(warm × m ÷ T)
//	out: m > T for out_periods minutes; nothing that is warming is asked for again
//	in:  m < 0.9 T for in_periods minutes, and nothing is warming
//
// AWS does not publish the controller. What is documented is here: rounding,
// warmup, that missing data does nothing and begins the alarms anew, that desired
// capacity persists. An instance that warms up is part of the size that a rise is
// compared with, and not of the size that it is reckoned from: AWS's support says
// so, and otherwise a rise would be taken for its own cause. The periods of the
// alarms (3 and 15) and the 0.9 are from secondary sources. AWS
// calls scaling in gradual without saying how; here it goes to what the formula
// wants, once the alarm is on.
//
// Kept: without an instance in service there is no metric, so a group at zero
// never starts (from_zero = "starts" repairs it); the backlog does not count what
// runs, so a fleet that is busy and has no backlog is scaled in to min (metric =
// "backlog+running" repairs it); the processing time is a constant that somebody
// measured once (processing = "measured" repairs it).
var ASGTargetTracking = newSpec(build{
	name:   "asg-target-tracking",
	doc:    "keeps the backlog, or the load, of an instance at a target (EC2 Auto Scaling, target tracking)",
	params: trackingParams,
	every:  time.Minute,
	min:    1,
	keeps:  true,
}, func(_ *policy.Env, v policy.Values) (rule[asgAlarm], error) {
	t := newTracking(v, v.Choice(&trackingMetric))
	return func(s *signals, m *asgAlarm) verdict { return t.decide(s, m) }, nil
})

var (
	trackingMetric = policy.Param{
		Name: "metric", Kind: policy.Choice, Choices: []string{"backlog", "backlog+running", "load"},
		Doc: "What is kept at its target: jobs waiting for each instance, jobs waiting and running, or the share of busy slots.",
	}
	trackingLatency = policy.Param{
		Name: "latency", Kind: policy.Duration, Min: float64(time.Second), Max: float64(time.Hour), Default: float64(30 * time.Second), Log: true,
		Doc: "The latency that is acceptable: with the processing time it makes the target of the backlog.",
	}
	trackingProcessing = policy.Param{
		Name: "processing", Kind: policy.Choice, Choices: []string{"constant", "measured"},
		Doc: "Whether the processing time of a job is processing_time, or the mean of what was measured.",
	}
	trackingProcessingTime = policy.Param{
		Name: "processing_time", Kind: policy.Duration, Min: float64(time.Millisecond), Max: float64(24 * time.Hour), Default: float64(10 * time.Second), Log: true, Fixed: true,
		Doc: "What a job takes on a slot, with processing = constant.",
	}
	trackingTargetLoad = policy.Param{
		Name: "target_load", Kind: policy.Number, Unit: "fraction", Min: 0.1, Max: 1, Default: 0.7,
		Doc: "The share of slots it wants busy, with metric = load.",
	}
	trackingParams = []policy.Param{
		trackingMetric, trackingLatency, trackingProcessing, trackingProcessingTime, trackingTargetLoad,
		asgWarmup, asgOutPeriods, asgInPeriods, asgFromZero,
	}

	ruleTracking = policy.NewRule("asg-target-tracking.plan", "the metric is %.2f, its target %.2f: %.0f instances wanted, %.0f desired", false)
)

// tracking is a target tracking policy.
type tracking struct {
	metric     string
	latency    time.Duration
	measured   bool
	processing time.Duration
	load       float64
	warmup     time.Duration
	periods    asgPeriods
	starts     bool
}

func newTracking(v policy.Values, metric string) tracking {
	return tracking{
		metric: metric, latency: v.Duration(&trackingLatency),
		measured: v.Choice(&trackingProcessing) == "measured", processing: v.Duration(&trackingProcessingTime),
		load: v.Number(&trackingTargetLoad), warmup: v.Duration(&asgWarmup),
		periods: asgPeriods{int(v.Number(&asgOutPeriods)), int(v.Number(&asgInPeriods))},
		starts:  v.Choice(&asgFromZero) == fromZeroStarts,
	}
}

// decide returns what target tracking wants.
func (t *tracking) decide(s *signals, alarm *asgAlarm) verdict {
	g := asgSurvey(s, t.warmup)
	return t.decideFor(s, &g, s.desired, alarm)
}

// decideFor returns what target tracking wants of a group that desired so many
// instances.
func (t *tracking) decideFor(s *signals, g *asgGroup, desired int, alarm *asgAlarm) verdict {
	if g.warm == 0 {
		*alarm = asgAlarm{}
		return asgStart(s, t.starts)
	}
	m, target := t.measure(s, g)
	out, in := alarm.update(s, m > target, m < 0.9*target, t.periods)
	want := asgWant(g.warm, m, target)
	reason := ruleTracking.Because(m, target, float64(want), float64(desired))
	switch {
	case out && want > desired, in && !g.warming && want < desired:
		return s.to(want, reason)
	}
	return hold(reason)
}

// measure returns the metric and its target.
func (t *tracking) measure(s *signals, g *asgGroup) (m, target float64) {
	if t.metric == "load" {
		return float64(g.busy) / float64(g.warmSlots), t.load
	}
	m = s.pending
	if t.metric == "backlog+running" {
		m += s.running
	}
	processing := t.processing.Seconds()
	if t.measured && s.serviceS > 0 {
		processing = s.serviceS
	}
	return m / float64(g.warm), float64(float64(s.slots) * t.latency.Seconds() / processing)
}

// asgWant returns the size at which the metric of so many instances would be at
// its target.
func asgWant(instances int, m, target float64) int {
	const exact = 1e-9 // a metric was divided by the instances: its last bit is no instance
	return ceil(float64(instances)*m/target - exact)
}
