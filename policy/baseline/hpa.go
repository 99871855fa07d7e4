package baseline

import (
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// HPA is the policy "hpa": the Horizontal Pod Autoscaler of Kubernetes on a
// queue's length (external metric, AverageValue) or on load (resource metric),
// after replica_calculator.go and its documentation. With from_zero = "keda" it
// is a KEDA ScaledObject.
//
//	queue: want = ceil(q ÷ target), q being jobs waiting and running, unless q is
//	       within 10 % of target × replicas
//	load:  want = ceil(replicas × load ÷ target), unless the ratio is within
//	       10 % of 1. Replicas not ready count as idle when that says up, lost
//	       ones as idle then and as full when it says down, and a change of
//	       direction they cause is dropped
//	up:    at most twice the size, or 4 more, in each 15 s; no window
//	down:  to the highest recommendation of the last 5 minutes
//
// Metrics that cannot be read keep it from scaling down (fixed since 1.21;
// unreadable = "zero" is what an outage that reports 0 does: the whole fleet is
// scaled in). A group at zero replicas is switched off and stays there; KEDA
// wakes it for any job and, with min = 0, puts it to sleep cooldown after the last.
//
// Deviations: a replica is an instance, and the target of the queue is given for
// a slot of it. The pods' own scheduling and the nodes below them are not
// modelled, nor the replicas that KEDA falls back to when its scaler fails. The
// sync period of 15 s is lived through in one tick of 60 s as four
// periods of the rate limit.
var HPA = newSpec(build{
	name:   "hpa",
	doc:    "replicas in proportion to the queue or the load, with 10 % tolerance and the highest wish of 5 minutes on the way down (Kubernetes HPA; KEDA ScaledObject from zero)",
	params: []policy.Param{hpaMetric, hpaTargetJobs, hpaTargetLoad, hpaTolerance, hpaDownWindow, hpaFromZero, hpaCooldown},
	every:  hpaSync,
	min:    1,
}, func(_ *policy.Env, v policy.Values) (rule[hpaMemory], error) {
	queue := v.Choice(&hpaMetric) == "queue"
	jobs, load := v.Number(&hpaTargetJobs), v.Number(&hpaTargetLoad)
	tolerance, window := v.Number(&hpaTolerance), v.Duration(&hpaDownWindow)
	keda, cooldown := v.Choice(&hpaFromZero) == "keda", v.Duration(&hpaCooldown)
	return func(s *signals, m *hpaMemory) verdict {
		q := s.pending + s.running
		if q > 0 {
			m.ActiveAt = s.now
		}
		if keda {
			switch {
			case s.desired == 0 && q > 0:
				return s.to(max(s.least, 1), ruleHPAZero.Because(q))
			case q == 0 && s.least == 0 && s.now.Sub(m.ActiveAt) > cooldown:
				return s.to(0, ruleHPAZero.Because(q))
			}
		}
		if s.desired == 0 {
			return hold(ruleHPAZero.Because(q))
		}
		want := 0
		if queue {
			want = hpaQueue(q, float64(jobs*float64(s.slots)), s.desired, tolerance)
		} else {
			want = hpaLoad(s.load()/load, 1/load, s.ready, s.booting, s.lost-s.gone, s.desired, tolerance)
		}
		want = max(want, 1)
		got := min(m.stable(s.now, want, s.desired, window), hpaRate(s.desired, s.periods(hpaSync)))
		return s.to(got, ruleHPA.Because(q, s.load(), float64(want), float64(got), float64(s.desired)))
	}, nil
})

const hpaSync = 15 * time.Second

var (
	hpaMetric = policy.Param{
		Name: "metric", Kind: policy.Choice, Choices: []string{"queue", "load"},
		Doc: "What it scales on: jobs waiting and running, or the share of busy slots.",
	}
	hpaTargetJobs = policy.Param{
		Name: "target_jobs", Kind: policy.Number, Unit: "jobs per slot", Min: 0.1, Max: 20, Default: 1, Log: true,
		Doc: "Jobs waiting and running for each slot, with metric = queue.",
	}
	hpaTargetLoad = policy.Param{
		Name: "target_load", Kind: policy.Number, Unit: "fraction", Min: 0.1, Max: 1, Default: 0.7,
		Doc: "The share of slots it wants busy, with metric = load.",
	}
	hpaTolerance = policy.Param{
		Name: "tolerance", Kind: policy.Number, Unit: "fraction", Min: 0, Max: 0.5, Default: 0.1,
		Doc: "The deviation from the target that it ignores.",
	}
	hpaDownWindow = policy.Param{
		Name: "down_window", Kind: policy.Duration, Min: 0, Max: float64(time.Hour), Default: float64(5 * time.Minute),
		Doc: "The time whose highest wish it scales down to (stabilizationWindowSeconds).",
	}
	hpaFromZero = policy.Param{
		Name: "from_zero", Kind: policy.Choice, Choices: []string{"never", "keda"}, Fixed: true,
		Doc: "Whether it stays off at zero instances, or is woken and put to sleep by KEDA.",
	}
	hpaCooldown = policy.Param{
		Name: "cooldown", Kind: policy.Duration, Min: 0, Max: float64(2 * time.Hour), Default: float64(5 * time.Minute), Fixed: true,
		Doc: "The time without a job after which KEDA puts it to sleep (cooldownPeriod).",
	}

	ruleHPA     = policy.NewRule("hpa.plan", "%.0f jobs, load %.2f: %.0f replicas wanted, %.0f allowed now, %.0f desired", false)
	ruleHPAZero = policy.NewRule("hpa.zero", "%.0f jobs: at zero replicas it is off, but for KEDA", false)
)

// hpaQueue returns the replicas for q jobs with a target for each.
func hpaQueue(q, target float64, current int, tolerance float64) int {
	if current > 0 && math.Abs(1-q/(target*float64(current))) <= tolerance {
		return current
	}
	return ceil(q / target)
}

// hpaLoad returns the replicas for ready ones at ratio times their target, while
// unready ones start and missing ones report nothing. Where the ready ones ask
// for more both count as idle, and where they ask for fewer the missing ones as
// fully used, which is full times the target.
func hpaLoad(ratio, full float64, ready, unready, missing, current int, tolerance float64) int {
	if ready == 0 {
		return current
	}
	up := ratio > 1
	used, all := float64(ratio*float64(ready)), float64(ready+missing)
	switch {
	case up:
		all += float64(unready)
	default:
		used += float64(full * float64(missing))
	}
	again := used / all
	if missing == 0 && (!up || unready == 0) {
		again = ratio // all are known; to divide again moves a last bit, which at the tolerance is the whole change
	}
	switch want := ceil(used); {
	case math.Abs(1-again) <= tolerance || (again > 1) != up:
		return current
	case up && (unready > 0 || missing > 0):
		return max(current, want)
	case missing > 0:
		return min(current, want)
	default:
		return want
	}
}

// hpaRate returns the size that so many periods of its rate limit allow.
func hpaRate(current, periods int) int {
	for range min(periods, 20) {
		current = min(max(2*current, current+4), beyond)
	}
	return current
}

// hpaMemory is the recommendations of the down window, and when there was last
// a job.
type hpaMemory struct {
	Wishes   trailing  `json:"wishes"`
	ActiveAt time.Time `json:"active_at"`
}

// stable notes a wish and returns what it comes to: the wish itself on the way
// up, the highest of the window on the way down, never more than current.
func (m *hpaMemory) stable(now time.Time, want, current int, window time.Duration) int {
	if len(m.Wishes.Peaks) == 0 {
		m.Wishes.highest(now, window, current) // as after a restart
	}
	high := m.Wishes.highest(now, window, want)
	if want >= current {
		return want
	}
	return min(high, current)
}
