package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// What the policies of an EC2 Auto Scaling group share: a metric of the
// instances in service, alarms that need it beyond a threshold for some
// minutes, and a warmup during which an instance is part of the group's size
// but not of its metric.

const (
	fromZeroNever  = "never"
	fromZeroStarts = "starts"
)

var (
	asgWarmup = policy.Param{
		Name: "warmup", Kind: policy.Duration, Min: 0, Max: float64(30 * time.Minute), Default: float64(5 * time.Minute),
		Doc: "How long after its launch an instance warms up: it counts in the size, not in the metric, and nothing is scaled in (DefaultInstanceWarmup).",
	}
	asgOutPeriods = policy.Param{
		Name: "out_periods", Kind: policy.Integer, Min: 1, Max: 15, Default: 3,
		Doc: "How many minutes on end the metric must be high.",
	}
	asgInPeriods = policy.Param{
		Name: "in_periods", Kind: policy.Integer, Min: 1, Max: 60, Default: 15,
		Doc: "How many minutes on end the metric must be low.",
	}
	asgFromZero = policy.Param{
		Name: "from_zero", Kind: policy.Choice, Choices: []string{fromZeroNever, fromZeroStarts}, Fixed: true,
		Doc: "With no instance in service there is no metric: whether it never starts, as in the original, or one instance is launched for waiting jobs.",
	}

	ruleASGZero = policy.NewRule("asg.zero", "no instance is in service, so there is no metric; %.0f jobs wait", false)
)

// asgAlarm is since when the metric has been high and low, datapoint after
// datapoint.
type asgAlarm struct {
	HighAt time.Time `json:"high_at"`
	LowAt  time.Time `json:"low_at"`
}

// asgPeriods are the minutes that make an alarm.
type asgPeriods struct{ out, in int }

// update notes what the metric is and returns which alarm is on. A datapoint
// that is missing leaves an alarm without sufficient data, so what was seen
// before a gap does not count.
func (a *asgAlarm) update(s *signals, high, low bool, p asgPeriods) (out, in bool) {
	if s.missed {
		*a = asgAlarm{}
	}
	on := func(at *time.Time, is bool, periods int) bool {
		if !is {
			*at = time.Time{}
			return false
		}
		if at.IsZero() {
			*at = s.now
		}
		return s.now.Sub(*at) >= time.Duration(periods-1)*time.Minute
	}
	return on(&a.HighAt, high, p.out), on(&a.LowAt, low, p.in)
}

// asgGroup is the group by warmth: units in service and warm, their slots, and
// whether anything warms up.
type asgGroup struct {
	warm      int
	warmSlots int
	busy      int // slots of warm units
	warming   bool
}

// asgSurvey counts a group. What was released is taken off the warm units; of
// their busy slots, all count.
func asgSurvey(s *signals, warmup time.Duration) asgGroup {
	var g asgGroup
	for i := range s.instances {
		in := &s.instances[i]
		switch {
		case in.Phase == policy.Draining || in.Phase == policy.Lost || gone(in, s.now):
		case in.Phase == policy.Ready && s.now.Sub(in.LaunchedAt) >= warmup:
			g.warmSlots += in.Slots
			g.busy += in.Busy
		default:
			g.warming = true
		}
	}
	g.warmSlots = max(0, g.warmSlots-s.released*s.slots)
	g.warm = s.units(float64(g.warmSlots))
	return g
}

// asgStart is the verdict without an instance in service, where there is no metric:
// none, or one instance for waiting jobs where the mistake is repaired.
func asgStart(s *signals, repaired bool) verdict {
	reason := ruleASGZero.Because(s.pending)
	if repaired && s.ready == 0 && s.desired == 0 && s.pending > 0 {
		return s.to(1, reason)
	}
	return hold(reason)
}

// metric returns the load of the instances in service, or the jobs waiting for each
// of them; there must be one.
func (s *signals) metric(backlog bool) float64 {
	if backlog {
		return s.pending / float64(s.ready)
	}
	return s.load()
}
