package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// ASGSimple is the policy "asg-simple": EC2 Auto Scaling's simple scaling: one
// adjustment for an alarm, then none until it is over and a cooldown has passed.
//
//	up:   the metric was at least up_from for out_periods minutes
//	down: it was at most down_from for in_periods minutes
//	lock: from an adjustment until nothing launches or ends any more, and for
//	      cooldown after that; what is up and what is down wait for each other
//
// The metric is the load of the instances in service or the jobs waiting for each
// of them. An adjustment is a number of instances (ChangeInCapacity) or a share of
// the group (PercentChangeInCapacity, rounded as in step scaling). An alarm that is
// still on when the lock ends adjusts again.
//
// Documented: the default cooldown of 300 s, that it begins when the last instance
// has launched or ended, that without data nothing is done. The adjustment of two
// instances is that of the documentation's example; thresholds and periods are a
// user's choice, here those of the other Auto Scaling policies.
//
// Kept: a flash crowd is followed by one adjustment for each boot and cooldown,
// however long the queue (cooldown = "0s" leaves the boot alone; adjustment =
// "percent" grows with the group); while EC2 refuses, nothing launches, so the
// lock ends and the desired size climbs to max; without an instance in service
// there is no metric, so a group at zero never starts (from_zero = "starts" repairs
// it). AWS itself advises against simple scaling.
//
// Deviations: the end of a termination is not waited for: what was released counts
// as gone at once.
var ASGSimple = newSpec(build{
	name: "asg-simple",
	doc:  "adds or takes a fixed number of instances, or a share, and then waits until they run and for a cooldown (EC2 Auto Scaling, simple scaling)",
	params: []policy.Param{
		simpleMetric, simpleUpFrom, simpleDownFrom, simpleBacklogUp, simpleBacklogDown,
		simpleAdjustment, simpleUpAdd, simpleDownTake, simpleUpShare, simpleDownShare,
		simpleCooldown, asgOutPeriods, asgInPeriods, asgFromZero,
	},
	every: time.Minute,
	min:   1,
	keeps: true,
}, newASGSimple)

const (
	metricLoad    = "load"
	metricBacklog = "backlog"

	adjustNumber  = "number"
	adjustPercent = "percent"
)

var (
	simpleMetric = policy.Param{
		Name: "metric", Kind: policy.Choice, Choices: []string{metricLoad, metricBacklog},
		Doc: "What its alarms watch: the share of busy slots, or the jobs waiting for each instance in service.",
	}
	simpleUpFrom   = stepParam("up_from", 0.7, "The load from which it adds, with metric = load.")
	simpleDownFrom = stepParam("down_from", 0.4, "The load down to which it takes, with metric = load.")

	simpleBacklogUp = policy.Param{
		Name: "backlog_up", Kind: policy.Number, Unit: "jobs", Min: 0.1, Max: 10_000, Default: 8, Log: true,
		Doc: "The jobs waiting for each instance from which it adds, with metric = backlog.",
	}
	simpleBacklogDown = policy.Param{
		Name: "backlog_down", Kind: policy.Number, Unit: "jobs", Min: 0, Max: 10_000,
		Doc: "The jobs waiting for each instance down to which it takes, with metric = backlog.",
	}
	simpleAdjustment = policy.Param{
		Name: "adjustment", Kind: policy.Choice, Choices: []string{adjustNumber, adjustPercent},
		Doc: "Whether it adds and takes a number of instances or a share of the group (AdjustmentType).",
	}
	simpleUpAdd = policy.Param{
		Name: "up_add", Kind: policy.Integer, Min: 1, Max: 500, Default: 2, Log: true,
		Doc: "The instances it adds, with adjustment = number.",
	}
	simpleDownTake = policy.Param{
		Name: "down_take", Kind: policy.Integer, Min: 1, Max: 500, Default: 1, Log: true,
		Doc: "The instances it takes, with adjustment = number.",
	}
	simpleUpShare   = stepParam("up_share", 0.3, "The share of the group it adds, with adjustment = percent.")
	simpleDownShare = stepParam("down_share", 0.1, "The share of the group it takes, with adjustment = percent.")
	simpleCooldown  = policy.Param{
		Name: "cooldown", Kind: policy.Duration, Min: 0, Max: float64(2 * time.Hour), Default: float64(5 * time.Minute),
		Doc: "How long after an adjustment is over it makes none (Cooldown).",
	}

	ruleSimple     = policy.NewRule("asg-simple.plan", "the metric is %.2f in %.0f instances: %.0f wanted, %.0f desired", false)
	ruleSimpleLock = policy.NewRule("asg-simple.lock", "the metric is %.2f: locked until what it asked for is there and %.0f s more", false)
)

// simpleMemory is the alarms and the lock.
type simpleMemory struct {
	Alarm asgAlarm `json:"alarm"`
	// Active from an adjustment until it is over; EndedAt is when it was.
	Active  bool      `json:"active"`
	EndedAt time.Time `json:"ended_at"`
}

// locked notes whether anything is under way and reports whether no adjustment
// may be made.
func (m *simpleMemory) locked(now time.Time, underway bool, cooldown time.Duration) bool {
	if m.Active && !underway {
		m.Active, m.EndedAt = false, now
	}
	return m.Active || !m.EndedAt.IsZero() && now.Sub(m.EndedAt) < cooldown
}

func newASGSimple(_ *policy.Env, v policy.Values) (rule[simpleMemory], error) {
	backlog := v.Choice(&simpleMetric) == metricBacklog
	up, down := v.Number(&simpleUpFrom), v.Number(&simpleDownFrom)
	if backlog {
		up, down = v.Number(&simpleBacklogUp), v.Number(&simpleBacklogDown)
	}
	percent := v.Choice(&simpleAdjustment) == adjustPercent
	add, take := int(v.Number(&simpleUpAdd)), int(v.Number(&simpleDownTake))
	upShare, downShare := v.Number(&simpleUpShare), v.Number(&simpleDownShare)
	cooldown := v.Duration(&simpleCooldown)
	periods := asgPeriods{int(v.Number(&asgOutPeriods)), int(v.Number(&asgInPeriods))}
	starts := v.Choice(&asgFromZero) == fromZeroStarts
	shares := adjustments{least: 1}
	return func(s *signals, m *simpleMemory) verdict {
		if s.ready == 0 {
			m.Alarm = asgAlarm{}
			return asgStart(s, starts)
		}
		metric := s.metric(backlog)
		out, in := m.Alarm.update(s, metric >= up, metric <= down, periods)
		if m.locked(s.now, s.booting > 0, cooldown) {
			return hold(ruleSimpleLock.Because(metric, cooldown.Seconds()))
		}
		want := s.desired
		switch {
		case out && percent:
			want += shares.change(s.desired, upShare)
		case out:
			want += add
		case in && percent:
			want -= shares.change(s.desired, downShare)
		case in:
			want -= take
		}
		want = min(max(want, s.least), s.most)
		reason := ruleSimple.Because(metric, float64(s.ready), float64(want), float64(s.desired))
		if want == s.desired {
			return hold(reason)
		}
		m.Active = true
		return s.to(want, reason)
	}, nil
}
