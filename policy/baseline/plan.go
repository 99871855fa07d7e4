package baseline

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Plan is the policy "plan": list the backlog on virtual slots over the time
// until the next decision can help, and provide the slots that were used.
//
// Source: A. Ilyushkin et al., "An experimental performance evaluation of
// autoscaling policies for complex workflows", ICPE 2017, as the opendc
// prototype has it; not checked against the paper's text.
//
// Running jobs hold their slots for the mean of what is left of them. Pending
// jobs follow by priority, then by their class's target; each goes to the first
// slot whose time is not full, which a job's end may overrun, and to a new one
// after those. The horizon is by default a tick and the boot lag.
//
// Deviations: the policy is made for workflows, and lists tasks whose
// predecessors are done. Jobs here have none, so the backlog is listed. The
// prototype knows service times; here they are the learned means, and a job of
// a kind that never completed fills a slot. It gives a task to an empty slot as
// long as its capacity has one, so that it asks for one for each task that is
// ready; here as few are asked for as begin all within the horizon, which is what
// its description says.
var Plan = newSpec(build{
	name:   "plan",
	doc:    "list-schedules the backlog over a tick and the boot lag and provides the slots used (Ilyushkin et al. 2017)",
	params: []policy.Param{planHorizon, planHeadroom},
}, newPlan)

var (
	planHorizon = policy.Param{
		Name: "horizon", Kind: policy.Duration, Min: 0, Max: float64(2 * time.Hour),
		Doc: "The time over which the backlog is listed; 0: a tick and the learned boot lag.",
	}
	planHeadroom = policy.Param{
		Name: "headroom", Kind: policy.Number, Unit: "multiple", Min: 1, Max: 3, Default: 1,
		Doc: "The multiple of the slots used that is provided; the source has none.",
	}

	rulePlan = policy.NewRule("plan.target", "%.0f jobs run and %.0f wait: %.0f slots within %.0f s: wants %.0f instances", false)
)

// batch is jobs of one kind, which take so many seconds each.
type batch struct {
	jobs     int64
	seconds  float64
	priority int
	target   time.Duration
}

// room is slots with so much of the horizon left.
type room struct {
	slots   int64
	seconds float64
}

func newPlan(env *policy.Env, v policy.Values) (rule[struct{}], error) {
	horizon, headroom := v.Duration(&planHorizon), v.Number(&planHeadroom)
	classes := env.Classes
	var running, pending []batch
	var rooms []room
	return func(s *signals, _ *struct{}) verdict {
		over := horizon
		if over == 0 {
			over = s.tick + s.bootP50
		}
		running, pending = running[:0], pending[:0]
		for i := range s.kinds {
			k := &s.kinds[i]
			b := batch{priority: k.Priority, target: forever}
			if k.Class >= 0 && k.Class < len(classes) {
				b.target = classes[k.Class].Target
			}
			if b.jobs, b.seconds = k.InFlight.Jobs, meanSeconds(k.InFlight, s.speed, over); b.jobs > 0 {
				running = append(running, b)
			}
			if b.jobs, b.seconds = k.Pending.Jobs, meanSeconds(k.Pending, s.speed, over); b.jobs > 0 {
				pending = append(pending, b)
			}
		}
		slices.SortStableFunc(pending, func(a, b batch) int {
			return cmp.Or(cmp.Compare(a.priority, b.priority), cmp.Compare(a.target, b.target))
		})
		var used int64
		used, rooms = slotsUsed(running, pending, over.Seconds(), rooms[:0])
		want := s.units(float64(headroom * float64(used)))
		return s.to(want, rulePlan.Because(s.running, s.pending, float64(used), over.Seconds(), float64(want)))
	}, nil
}

// meanSeconds returns what a job of f takes on the type that is bought; over,
// where nothing is known of it.
func meanSeconds(f policy.Flow, speed float64, over time.Duration) float64 {
	if f.Jobs <= 0 || f.Work <= 0 {
		return over.Seconds()
	}
	return float64(f.Work) / float64(f.Jobs) / speed
}

// slotsUsed returns how many slots the running jobs hold and the pending ones
// fill, in their order, each on the first slot that is not yet full at the
// horizon. It counts jobs by the batch: its time does not grow with their
// number. The rooms left are returned for their space.
func slotsUsed(running, pending []batch, horizon float64, rooms []room) (used int64, _ []room) {
	for _, b := range running {
		used += b.jobs
		rooms = append(rooms, room{b.jobs, horizon - b.seconds})
	}
	for _, b := range pending {
		left := b.jobs
		for i := 0; i < len(rooms) && left > 0; i++ {
			r := &rooms[i]
			each := jobsInto(r.seconds, b.seconds)
			if each == 0 || r.slots == 0 {
				continue
			}
			full := min(left/each, r.slots)
			r.slots -= full // no room is left on them
			left -= full * each
			if r.slots > 0 && left > 0 {
				r.slots--
				rooms = slices.Insert(rooms, i, room{1, r.seconds - float64(float64(left)*b.seconds)})
				left = 0
			}
		}
		if left == 0 {
			continue
		}
		each := max(1, jobsInto(horizon, b.seconds))
		used += (left + each - 1) / each
		if last := left % each; last > 0 {
			rooms = append(rooms, room{1, horizon - float64(float64(last)*b.seconds)})
		}
	}
	return used, rooms
}

// jobsInto returns how many jobs a slot with so much room takes: the last may
// end beyond it.
func jobsInto(room, seconds float64) int64 {
	if room <= 0 {
		return 0
	}
	return int64(min(math.Ceil(room/seconds), 1e12))
}
