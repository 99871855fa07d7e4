package baseline

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Rivals told a second time, as plainly as what is known of their originals: whole
// minutes, instances of 4 slots that boot for two minutes, no limits of the
// actuator but min and max. Both must keep the same fleet at every minute.

const (
	retoldSlots = 4
	retoldBoot  = 2 // minutes
	retoldNever = 1 << 30
)

// A scene is what a retelling sees in a minute.
type scene struct {
	minute           int
	pending, running int
	fleet            []policy.Instance
	idleSince        map[policy.InstanceID]int
	desired          int // what was there at the end of the minute before
	sinceUp          int // minutes since desired rose, and fell
	sinceDown        int
	least, most      int
	now              time.Time
	waiting          []int // at each minute
	asked            int   // instances in the last decision
}

func (sc *scene) count(is func(in *policy.Instance) bool) int {
	n := 0
	for i := range sc.fleet {
		if is(&sc.fleet[i]) {
			n++
		}
	}
	return n
}

func (sc *scene) ready() int {
	return sc.count(func(in *policy.Instance) bool { return in.Phase == policy.Ready })
}
func (sc *scene) booting() int { return len(sc.fleet) - sc.ready() }
func (sc *scene) busy() int    { return min(sc.running, retoldSlots*sc.ready()) }
func (sc *scene) free() int    { return retoldSlots*sc.ready() - sc.busy() }
func (sc *scene) jobs() int    { return sc.pending + sc.running }

// warm returns the instances that were launched at least so many minutes ago and
// are ready, and their busy slots.
func (sc *scene) warm(minutes int) (n, busy int) {
	for i := range sc.fleet {
		if in := &sc.fleet[i]; in.Phase == policy.Ready && sc.now.Sub(in.LaunchedAt) >= time.Duration(minutes)*time.Minute {
			n++
			busy += in.Busy
		}
	}
	return n, busy
}

// idle returns the instances of an age that have been without a job for so many
// minutes.
func (sc *scene) idle(minutes, age int) int {
	return sc.count(func(in *policy.Instance) bool {
		since, is := sc.idleSince[in.ID]
		return is && sc.minute-since >= minutes && sc.now.Sub(in.LaunchedAt) >= time.Duration(age)*time.Minute
	})
}

// parabolaAtEnd returns the value at the last of the samples, one a minute, of the
// parabola that is nearest to them, or of the line or level where they are fewer
// than three or two. Cramer's rule, in minutes before the last.
func parabolaAtEnd(y []float64) float64 {
	n := len(y)
	switch n {
	case 1:
		return y[0]
	case 2:
		return y[1]
	}
	var s [5]float64
	var m [3]float64
	for i, v := range y {
		t := float64(i-n+1) / float64(n)
		for k, x := 0, 1.0; k < 5; k, x = k+1, x*t {
			s[k] += x
			if k < 3 {
				m[k] += x * v
			}
		}
	}
	det := func(a, b, c [3]float64) float64 {
		return a[0]*(b[1]*c[2]-b[2]*c[1]) - b[0]*(a[1]*c[2]-a[2]*c[1]) + c[0]*(a[1]*b[2]-a[2]*b[1])
	}
	one, two, three := [3]float64(s[0:3]), [3]float64(s[1:4]), [3]float64(s[2:5])
	return det(m, two, three) / det(one, two, three)
}

func over(a, b int) int { return int(math.Ceil(float64(a) / float64(b))) }

func ceilOf(x float64) int { return int(math.Ceil(x - 1e-9)) }

// streak counts for how many minutes on end something is so.
type streak int

func (s *streak) is(so bool, minutes int) bool {
	if !so {
		*s = 0
		return false
	}
	*s++
	return int(*s) >= minutes
}

type retelling struct {
	name  string
	spec  *policy.Spec
	raw   map[string]any
	every int // minutes
	make  func() func(sc *scene) int
	days  int // that it takes to learn; 0: some hours will do
}

func retellings() []retelling {
	// AWS: 3 minutes high or 15 minutes low, and nothing in while anything warms up
	tracking := func(metric func(sc *scene, warm, busy int) (m, target float64)) func() func(sc *scene) int {
		return func() func(sc *scene) int {
			var high, low streak
			return func(sc *scene) int {
				warm, busy := sc.warm(5)
				if warm == 0 {
					high, low = 0, 0
					return sc.desired
				}
				m, target := metric(sc, warm, busy)
				out, in := high.is(m > target, 3), low.is(m < 0.9*target, 15)
				want := ceilOf(float64(warm) * m / target)
				if out && want > sc.desired || in && warm == len(sc.fleet) && want < sc.desired {
					return want
				}
				return sc.desired
			}
		}
	}
	ofLoad := func(_ *scene, warm, busy int) (m, target float64) {
		return float64(busy) / float64(retoldSlots*warm), 0.7
	}
	keda := func(jobs func(scale, running, pending, most int) int) func() func(sc *scene) int {
		return func() func(sc *scene) int {
			return func(sc *scene) int {
				most := 50 * retoldSlots
				pending := retoldSlots * sc.booting()
				create := jobs(min(sc.pending, most), sc.busy()+pending, pending, most)
				switch {
				case create > sc.free(): // the rest runs on what is free
					return sc.desired + over(create-sc.free(), retoldSlots)
				case create > 0:
					return sc.desired
				}
				return sc.desired - sc.idle(10, 0)
			}
		}
	}
	react := func(target func(need, have int) int) func() func(sc *scene) int {
		return func() func(sc *scene) int {
			return func(sc *scene) int { return target(over(sc.jobs(), retoldSlots), sc.desired) }
		}
	}
	jobs := map[string]any{"demand": "jobs"} // a slot for every job
	simple := func(f func(sc *scene) int) func() func(sc *scene) int {
		return func() func(sc *scene) int { return f }
	}
	idle := map[string]any{"victims": "idle"}
	with := func(raw map[string]any, more ...any) map[string]any {
		all := map[string]any{}
		for k, v := range raw {
			all[k] = v
		}
		for i := 0; i < len(more); i += 2 {
			all[more[i].(string)] = more[i+1]
		}
		return all
	}
	return []retelling{
		{"backlog per instance", &ASGTargetTracking, nil, 1, tracking(func(sc *scene, warm, _ int) (float64, float64) {
			return float64(sc.pending) / float64(warm), 4 * 30. / 10
		}), 0},
		{"load", &ASGTargetTracking, with(nil, "metric", "load"), 1, tracking(ofLoad), 0},
		{"the hours of earlier days", &ASGPredictive, nil, 1, func() func(sc *scene) int {
			track := tracking(ofLoad)()
			sums, counts := make([]float64, 24*10), make([]float64, 24*10)
			first := -1
			return func(sc *scene) int {
				hour := (sc.minute + 1) / 60 // the scenes begin a minute after midnight
				if first < 0 {
					first = hour
				}
				sums[hour] += float64(sc.running)
				counts[hour]++
				forecast := func(of int) float64 { // of whole hours, 24 at the least
					sum, days := 0.0, 0.0
					for h := of - 24; h >= first && hour-first >= 24; h -= 24 {
						sum += sums[h] / counts[h]
						days++
					}
					if days == 0 {
						return 0
					}
					return sum / days
				}
				floor := int(math.Ceil(max(forecast(hour), forecast((sc.minute+1+5)/60)) / (0.7 * retoldSlots)))
				return max(track(sc), floor)
			}
		}, 3},
		{"steps", &ASGStep, nil, 1, func() func(sc *scene) int {
			var high, low streak
			share := func(n int, percent float64) int { return max(1, int(float64(n)*percent/100+1e-9)) }
			return func(sc *scene) int {
				warm, busy := sc.warm(5)
				if warm == 0 {
					high, low = 0, 0
					return sc.desired
				}
				load, want := float64(busy)/float64(retoldSlots*warm), warm
				switch {
				case load >= 0.8:
					want += share(warm, 30)
				case load >= 0.6:
					want += share(warm, 10)
				case load <= 0.3:
					want -= share(warm, 30)
				case load <= 0.4:
					want -= share(warm, 10)
				}
				out, in := high.is(load >= 0.6, 3), low.is(load <= 0.4, 15)
				if out && want > sc.desired || in && warm == len(sc.fleet) && want < sc.desired {
					return want
				}
				return sc.desired
			}
		}, 0},
		{"one adjustment and a cooldown", &ASGSimple, nil, 1, func() func(sc *scene) int {
			var high, low streak
			active, endedAt := false, -retoldNever
			return func(sc *scene) int {
				if sc.ready() == 0 {
					high, low = 0, 0
					return sc.desired
				}
				load := float64(sc.busy()) / float64(retoldSlots*sc.ready())
				out, in := high.is(load >= 0.7, 3), low.is(load <= 0.4, 15)
				if active && sc.booting() == 0 {
					active, endedAt = false, sc.minute
				}
				want := sc.desired
				switch {
				case active || sc.minute-endedAt < 5:
				case out:
					want += 2
				case in:
					want--
				}
				want = min(max(want, sc.least), sc.most)
				active = active || want != sc.desired
				return want
			}
		}, 0},
		{"AverageValue", &HPA, nil, 1, func() func(sc *scene) int {
			var wishes []int // of every minute; before the first, what was there
			return func(sc *scene) int {
				q := float64(sc.jobs())
				if len(wishes) == 0 {
					wishes = append(wishes, sc.desired)
				}
				if sc.desired == 0 {
					return 0
				}
				want := over(sc.jobs(), retoldSlots)
				if math.Abs(1-q/float64(retoldSlots*sc.desired)) <= 0.1 {
					want = sc.desired
				}
				want = max(want, 1)
				wishes = append(wishes, want)
				if want >= sc.desired {
					allowed := sc.desired
					for range min(4, 1+3*sc.minute) { // of 15 s; one at the start
						allowed = max(2*allowed, allowed+4)
					}
					return min(want, allowed)
				}
				high := want
				for _, w := range wishes[max(0, len(wishes)-6):] { // those of 5 minutes
					high = max(high, w)
				}
				return min(high, sc.desired)
			}
		}, 0},
		{"default", &KedaScaledJob, with(idle, "queue", "waiting"), 1, keda(func(scale, running, _, _ int) int { return scale - running }), 0},
		{"accurate", &KedaScaledJob, with(idle, "queue", "waiting", "strategy", "accurate"), 1, keda(func(scale, running, pending, most int) int {
			if scale+running-pending > most {
				return most - running
			}
			return scale - pending
		}), 0},
		{"eager", &KedaScaledJob, with(idle, "queue", "waiting", "strategy", "eager"), 1, keda(func(scale, running, pending, most int) int {
			return min(most-running-pending, scale)
		}), 0},
		{"unneeded nodes", &ClusterAutoscaler, idle, 1, simple(func(sc *scene) int {
			free := sc.free() + retoldSlots*sc.booting()
			if sc.pending > free {
				return sc.desired + over(sc.pending-free, retoldSlots)
			}
			if sc.sinceUp < 10 {
				return sc.desired
			}
			return sc.desired - min(sc.idle(10, 0), (free-sc.pending)/retoldSlots, 60)
		}), 0},
		{"pods on nodes", &Karpenter, with(nil, "consolidate_after", "3m"), 1, func() func(sc *scene) int {
			var shorts []int
			return func(sc *scene) int {
				short := sc.pending - sc.free() - retoldSlots*sc.booting()
				shorts = append(shorts, short)
				if short > 0 {
					return sc.desired + over(short, retoldSlots)
				}
				for _, x := range shorts[max(0, len(shorts)-4):] {
					short = max(short, x)
				}
				return sc.desired - min(-min(short, 0)/retoldSlots, over(sc.ready(), 10))
			}
		}, 0},
		{"cooldown", &Buildkite, with(nil, "scale_in", "cooldown", "scale_in_cooldown", "20m", "scale_in_factor", 0.5, "scale_out_factor", 0.6), 1, simple(func(sc *scene) int {
			change := over(sc.jobs(), retoldSlots) - sc.desired
			switch {
			case change > 0:
				return sc.desired + int(math.Ceil(float64(change)*0.6))
			case change < 0 && min(sc.sinceUp, sc.sinceDown) >= 20:
				return sc.desired + int(math.Floor(float64(change)*0.5))
			}
			return sc.desired
		}), 0},
		{"idle agents end", &Buildkite, with(idle, "instance_buffer", 2), 1, simple(func(sc *scene) int {
			want := over(sc.jobs(), retoldSlots)
			want += min(want, 2)
			if want >= sc.desired {
				return want
			}
			return sc.desired - min(sc.idle(10, 0), sc.desired-want)
		}), 0},
		{"thresholds", &Escalator, with(nil, "min", 2), 1, func() func(sc *scene) int {
			addedAt := -retoldNever
			return func(sc *scene) int {
				nodes := sc.ready()
				if nodes < 2 || sc.minute-addedAt < 2 {
					return sc.desired
				}
				use := float64(sc.jobs()) / float64(retoldSlots*nodes) * 100
				switch {
				case use < 10:
					return sc.desired - 5
				case use < 40:
					return sc.desired - 2
				case use > 70:
					if sc.desired < sc.most {
						addedAt = sc.minute
					}
					return sc.desired + int(math.Ceil(float64(nodes)*((use-70)/70)))
				}
				return sc.desired
			}
		}, 0},
		{"planner", &Drone, with(idle, "buffer", 3, "min", 2), 5, simple(func(sc *scene) int {
			free := max(retoldSlots*sc.desired-sc.running-3, 0)
			excess := over(sc.pending-free, retoldSlots)
			if excess >= 0 {
				return sc.desired + excess
			}
			mark := min(-excess, max(0, sc.desired-2))
			if sc.ready()-mark < 2 {
				return sc.desired
			}
			return sc.desired - min(mark, sc.idle(0, 55))
		}), 0},
		{"forgets what boots", &Woodpecker, idle, 1, simple(func(sc *scene) int {
			n := over(sc.jobs(), retoldSlots) - over(sc.free()+sc.running, retoldSlots)
			if n < 0 {
				n = -min(-n, sc.idle(10, 0))
			}
			return sc.desired + n
		}), 0},
		{"counts what boots", &Woodpecker, with(idle, "in_flight", "counted"), 1, simple(func(sc *scene) int {
			n := over(sc.jobs(), retoldSlots) - over(sc.free()+retoldSlots*sc.booting()+sc.running, retoldSlots)
			if n < 0 {
				n = -min(-n, sc.idle(10, 0))
			}
			return sc.desired + n
		}), 0},
		{"scale set", &ARC, with(nil, "min_runners", 6), 1, simple(func(sc *scene) int { return over(6+sc.jobs(), retoldSlots) }), 0},
		{"percentage busy", &ARC, with(nil, "mode", "percentage-busy", "min_runners", 4), 1, func() func(sc *scene) int {
			runners, upAt := 0, -retoldNever
			return func(sc *scene) int {
				busy, before := float64(min(sc.busy(), runners)), runners
				switch {
				case runners == 0:
				case busy/float64(runners) >= 0.8:
					runners = int(math.Ceil(float64(runners) * 1.3))
				case busy/float64(runners) < 0.3 && sc.minute-upAt >= 10:
					runners = int(float64(runners) * 0.7)
				}
				if runners = min(max(runners, 4), sc.most*retoldSlots); runners > before {
					upAt = sc.minute
				}
				return over(runners, retoldSlots)
			}
		}, 0},
		{"idle target", &GitLab, with(idle, "idle_count", 3, "scale_factor", 0.25, "scale_factor_limit", 8), 1, simple(func(sc *scene) int {
			slots := float64(sc.jobs()) + max(3, min(float64(sc.running)/4, 8))
			want := ceilOf(slots / retoldSlots)
			if want >= sc.desired {
				return want
			}
			return sc.desired - min(sc.idle(20, 0), sc.desired-want)
		}), 0},
		{"periods and grace", &Jitsi, nil, 1, func() func(sc *scene) int {
			var high, low streak
			return func(sc *scene) int {
				if len(sc.fleet) == 0 {
					high, low = 0, 0
					return sc.desired
				}
				up, down := high.is(sc.free() < 4, 2), low.is(sc.free() > 16, 4)
				switch {
				case min(sc.sinceUp, sc.sinceDown) < 8:
				case up:
					return sc.desired + 1
				case down:
					return sc.desired - 1
				}
				return sc.desired
			}
		}, 0},
		{"target value", &NomadTargetValue, nil, 1, simple(func(sc *scene) int {
			if sc.ready() == 0 || min(sc.sinceUp, sc.sinceDown) < 5 {
				return sc.desired
			}
			factor := float64(sc.busy()) / float64(retoldSlots*sc.ready()) / 0.7
			if math.Abs(1-factor) <= 0.01 {
				return sc.desired
			}
			return int(math.Ceil(float64(sc.desired) * factor))
		}), 0},
		{"raw queue", &NomadTargetValue, with(nil, "metric", "queue", "min", 0), 1, simple(func(sc *scene) int {
			factor := float64(sc.pending) / retoldSlots
			switch {
			case min(sc.sinceUp, sc.sinceDown) < 5:
				return sc.desired
			case sc.desired == 0:
				return int(math.Ceil(factor))
			case math.Abs(1-factor) <= 0.01:
				return sc.desired
			}
			return int(math.Ceil(float64(sc.desired) * factor))
		}), 0},
		{"breach and cooldown", &CFRule, with(nil, "adjustment", "percent"), 1, func() func(sc *scene) int {
			var samples []float64
			until := 0
			return func(sc *scene) int {
				if sc.ready() == 0 {
					samples = nil
					return sc.desired
				}
				samples = append(samples, float64(sc.busy())/float64(retoldSlots*sc.ready()))
				all := func(is func(x float64) bool) bool {
					if len(samples) < 4 || sc.minute < until { // one older than the window, three in it
						return false
					}
					for _, x := range samples[len(samples)-3:] {
						if !is(x) {
							return false
						}
					}
					return true
				}
				by := func(percent float64) int {
					n := int(float64(sc.desired)*(1+percent/100) + 0.5)
					if n == sc.desired && percent > 0 {
						n++
					} else if n == sc.desired {
						n--
					}
					return n
				}
				want := sc.desired
				if all(func(x float64) bool { return x > 0.7 }) {
					want = by(30)
				} else if all(func(x float64) bool { return x < 0.4 }) {
					want = by(-10)
				}
				if want = min(max(want, sc.least), sc.most); want != sc.desired {
					until = sc.minute + 5
				}
				return want
			}
		}, 0},
		{"setpoint", &Clusterman, with(nil, "weight_step", 12), 5, simple(func(sc *scene) int {
			target := retoldSlots * sc.desired
			switch {
			case sc.jobs() == 0:
				return over(max(0, target-12), retoldSlots)
			case target == 0:
				return 1
			case sc.ready() == 0:
				return sc.desired
			}
			want := int(math.Ceil(float64(sc.jobs()) / 0.7))
			if math.Abs(float64(want-target)) < 0.1*float64(target) {
				return sc.desired
			}
			return over(min(max(want, target-12), target+12), retoldSlots)
		}), 0},
		{"formula", &AzureBatch, nil, 15, simple(func(sc *scene) int {
			tasks := float64(sc.pending)
			if window := sc.waiting[max(0, len(sc.waiting)-15):]; len(window) >= 11 { // 70 %
				sum := 0
				for _, x := range window {
					sum += x
				}
				tasks = max(tasks, float64(sum)/float64(len(window)))
			}
			if tasks > 0 {
				return int(math.Ceil(tasks / retoldSlots))
			}
			return sc.desired / 2
		}), 0},
		{"paper", &React, with(nil, "demand", "jobs"), 1, react(func(need, have int) int {
			if d := need + 2 - have; d > 2 || d < -2 {
				return need + 2
			}
			return have
		}), 0},
		{"opendc", &React, with(nil, "demand", "jobs", "variant", "opendc"), 1, react(func(need, have int) int {
			switch {
			case need-have >= 0:
				return have + (need - have) + 2
			case need-have < -2:
				return have - (have - need + 2)
			}
			return have
		}), 0},
		{"ali-eldin", &React, with(nil, "demand", "jobs", "variant", "ali-eldin"), 1, react(func(need, have int) int {
			switch {
			case need > have:
				return have + int(1.2*float64(need-have))
			case 1.1*float64(need) < float64(have):
				return min(have, int(math.Ceil(1.2*float64(need))))
			}
			return have
		}), 0},
		// the load's instances by the hour of the day in which a launch helps
		{"histogram", &Hist24, jobs, 1, func() func(sc *scene) int {
			var hours [24][]int
			var errors, last []int
			return func(sc *scene) int {
				need := over(sc.jobs(), retoldSlots)
				here := &hours[(sc.minute+1)/60%24]
				*here = append(*here, need)
				errors = append(errors, sc.desired-need)
				last = append(last, sc.desired-need)
				want := int(math.Ceil(1.05 * float64(need)))
				if then := hours[(sc.minute+1+retoldBoot)/60%24]; len(then) > 0 {
					sorted := slices.Sorted(slices.Values(then[max(0, len(then)-730):]))
					want = sorted[ceilOf(0.9*float64(len(sorted)))-1]
					if len(errors) >= 5 {
						sum := 0
						for _, e := range errors[len(errors)-5:] {
							sum += e
						}
						want -= int(math.Round(float64(sum) / 5))
					}
				}
				short := 0
				last = last[max(0, len(last)-10):]
				for _, e := range last {
					if e < 0 {
						short++
					}
				}
				if short > 5 {
					want, last = max(want, int(math.Ceil(1.05*float64(need)))), nil
				}
				return want
			}
		}, 4},
		{"parabola", &Reg, jobs, 1, func() func(sc *scene) int {
			var needs []float64
			return func(sc *scene) int {
				need := over(sc.jobs(), retoldSlots)
				needs = append(needs, float64(need))
				if need > sc.desired {
					return int(math.Ceil(1.05 * float64(need)))
				}
				want := ceilOf(1.2 * float64(ceilOf(parabolaAtEnd(needs[max(0, len(needs)-60):]))))
				if need == sc.desired || want > sc.desired || want <= 0 {
					return sc.desired
				}
				return want
			}
		}, 0},
		{"adds up a rate", &Adapt, jobs, 1, func() func(sc *scene) int {
			alive, part := 0.0, 0.0
			return func(sc *scene) int {
				need, have := over(sc.jobs(), retoldSlots), sc.desired
				alive += float64(have)
				rate := float64(need - have)
				if overall := alive / float64(sc.minute+1); overall > 0 {
					rate = float64(have) * float64(need-have) / overall
				}
				if rate < 0 {
					rate /= 4
				}
				part += rate
				step := int(part)
				part -= float64(step)
				if need > have {
					return max(have+step, int(math.Ceil(1.1*float64(need))))
				}
				return max(have+step, need)
			}
		}, 0},
		// 18 jobs of 10 s for each slot in 3 minutes, 17 behind one that runs
		{"list", &Plan, nil, 1, simple(func(sc *scene) int {
			return over(sc.running+over(max(0, sc.pending-17*sc.running), 18), retoldSlots)
		}), 0},
		{"last week", &SeasonalNaive, jobs, 1, func() func(sc *scene) int {
			highest := map[int]int{} // by 5 minutes
			return func(sc *scene) int {
				cell := (sc.minute + 1) / 5
				highest[cell] = max(highest[cell], sc.jobs())
				most := sc.jobs()
				for c := cell - 7*24*12; cell >= 7*24*12 && c <= cell-7*24*12+6; c++ { // once a week is over
					most = max(most, highest[c])
				}
				return int(math.Ceil(float64(most) / 0.75 / retoldSlots))
			}
		}, 8},
		{"a pool beside the group", &ASGWarmPool, with(nil, "pool_min", 2, "prepared", 8), 1, func() func(sc *scene) int {
			group := 1
			var high, low streak
			return func(sc *scene) int {
				warm, busy := sc.warm(5)
				warm = min(warm, group) // the rest is the pool
				if warm == 0 {
					high, low = 0, 0
					return group + max(2, 8-group)
				}
				load := float64(busy) / float64(retoldSlots*warm)
				want := ceilOf(float64(warm) * load / 0.7)
				out, in := high.is(load > 0.7, 3), low.is(load < 0.9*0.7, 15)
				if out && want > group || in && warm == group && want < group {
					group = min(max(want, 1), sc.most)
				}
				return group + max(2, 8-group)
			}
		}, 0},
		{"percentile", &Autopilot, jobs, 1, func() func(sc *scene) int {
			var loads, wanted []int
			return func(sc *scene) int {
				loads = append(loads, sc.jobs())
				weights, total := map[int]float64{}, 0.0 // by bucket
				for i, load := range loads {
					k := 0
					for edge := 0.0; edge < float64(load); k++ {
						edge = max(1, 1.05*edge)
					}
					w := math.Exp2(-float64(len(loads)-1-i) / (12 * 60))
					weights[k] += w
					total += w
				}
				sum, typical := 0.0, 0.0
				for k := 0; ; k++ {
					if sum += weights[k]; weights[k] > 0 && sum >= 0.95*total {
						break
					}
					typical = max(1, 1.05*typical)
				}
				wanted = append(wanted, int(math.Ceil(max(1.1*typical, float64(sc.jobs()))/retoldSlots)))
				return slices.Max(wanted[max(0, len(wanted)-61):])
			}
		}, 0},
		{"break-even", &DelayedOff, with(nil, "demand", "jobs", "t_wait", "7m", "packing", 2.0), 1, func() func(sc *scene) int {
			var needs []int
			return func(sc *scene) int {
				needs = append(needs, over(sc.jobs(), 2*retoldSlots))
				most := 0
				for _, n := range needs[max(0, len(needs)-8):] {
					most = max(most, n)
				}
				return most
			}
		}, 0},
	}
}

// A world steps one rival through minutes: its instances boot for some, what is
// drained is gone at once.
type world struct {
	scene
	bench *bench
	boot  int // minutes
	// refused: EC2 sells nothing. blindQueue and blindFleet: they cannot be read.
	refused, blindQueue, blindFleet bool
}

func newWorld(t testing.TB, spec *policy.Spec, raw map[string]any) *world {
	t.Helper()
	w := &world{
		scene: scene{minute: -1, idleSince: map[policy.InstanceID]int{}, sinceUp: retoldNever, sinceDown: retoldNever},
		bench: newBench(t, spec, raw), boot: retoldBoot,
	}
	for i := range spec.Params {
		switch p := &spec.Params[i]; p.Name {
		case "min":
			w.least = int(w.bench.values.Number(p))
		case "max":
			w.most = int(w.bench.values.Number(p))
		}
	}
	return w
}

// begin lets a minute pass, at the end of which so many jobs wait and run.
func (w *world) begin(pending, running int) {
	o := &w.bench.o
	w.minute++
	w.pending, w.running = pending, running
	w.waiting = append(w.waiting, pending)
	o.Now = o.Now.Add(time.Minute)
	w.now = o.Now
	o.Queue.Reading = policy.Reading{At: o.Now, Complete: !w.blindQueue}
	o.Fleet.Reading = policy.Reading{At: o.Now, Complete: !w.blindFleet}
	if !w.blindQueue {
		k := &o.Queue.Kinds[0]
		k.Pending = policy.Flow{Jobs: int64(pending), Work: policy.CoreSeconds(10 * pending)}
		k.InFlight = policy.Flow{Jobs: int64(running), Work: policy.CoreSeconds(10 * running)}
	}
	left := running
	for i := range o.Fleet.Instances {
		in := &o.Fleet.Instances[i]
		if in.Phase == policy.Booting && o.Now.Sub(in.LaunchedAt) >= time.Duration(w.boot)*time.Minute {
			in.Phase = policy.Ready
		}
		if in.Phase != policy.Ready {
			continue
		}
		in.LastSeen = o.Now
		in.Busy = min(left, in.Slots)
		left -= in.Busy
		if _, is := w.idleSince[in.ID]; in.Busy > 0 {
			delete(w.idleSince, in.ID)
		} else if !is {
			w.idleSince[in.ID] = w.minute
		}
	}
	w.fleet = o.Fleet.Instances
	w.desired = len(w.fleet)
}

// end lets the rival decide and does what it decides. It returns the fleet.
func (w *world) end() int {
	b := w.bench
	d := b.policy.Step(&b.o)
	for _, id := range d.Drains {
		b.o.Fleet.Instances = slices.DeleteFunc(b.o.Fleet.Instances, func(in policy.Instance) bool { return in.ID == id })
	}
	w.asked = 0
	for _, l := range d.Launches {
		w.asked += l.Count
		if w.refused {
			b.o.EC2.Refusals = append(b.o.EC2.Refusals, policy.Refusal{Type: l.Type, At: b.o.Now, Asked: l.Count, Refused: l.Count, Why: "capacity"})
			continue
		}
		for range l.Count {
			b.o.Fleet.Instances = append(b.o.Fleet.Instances, policy.Instance{
				ID: b.next, Type: l.Type, Phase: policy.Booting, Slots: retoldSlots,
				LaunchedAt: b.o.Now, LastSeen: b.o.Now, PaidUntil: b.o.Now.Add(time.Minute),
			})
			b.next++
		}
	}
	w.sinceUp, w.sinceDown = min(w.sinceUp+1, retoldNever), min(w.sinceDown+1, retoldNever)
	after := len(b.o.Fleet.Instances)
	switch {
	case after > w.desired:
		w.sinceUp = 1
	case after < w.desired:
		w.sinceDown = 1
	}
	return after
}

// minutes lets some pass, in each of which so many jobs wait and run, and returns
// the fleet at the end.
func (w *world) minutes(n, pending, running int) (fleet int) {
	for range n {
		w.begin(pending, running)
		fleet = w.end()
	}
	return fleet
}

func TestRetold(t *testing.T) {
	for _, r := range retellings() {
		t.Run(r.spec.Name+" "+r.name, func(t *testing.T) {
			seeds := uint64(30)
			if r.days > 0 {
				seeds = 3
			}
			for seed := range seeds {
				r.compare(t, rand.New(rand.NewPCG(seed, 1)))
			}
		})
	}
}

// compare runs a rival and its retelling through the same random hours.
func (r *retelling) compare(t *testing.T, random *rand.Rand) {
	t.Helper()
	raw := map[string]any{"max": 50}
	for k, v := range r.raw {
		raw[k] = v
	}
	w, tell := newWorld(t, r.spec, raw), r.make()
	pending, running := 0, 0
	minutes := 400
	if r.days > 0 {
		minutes = 1440 * r.days
	}
	for minute := range minutes {
		if random.IntN(9) == 0 { // the load stays for some minutes
			pending, running = 0, 0
			if random.IntN(4) > 0 {
				pending = random.IntN(1 + random.IntN(100))
			}
			if random.IntN(5) > 0 {
				running = random.IntN(1 + random.IntN(120))
			}
		}
		w.begin(pending, running)
		want, ready, booting := w.desired, w.ready(), w.booting()
		if minute%r.every == 0 {
			want = tell(&w.scene)
		}
		want = min(max(want, w.least), w.most)
		if got := w.end(); got != want {
			t.Fatalf("minute %d: %d wait, %d run, %d ready, %d boot: %d instances, retold %d", minute, pending, running, ready, booting, got, want)
		}
	}
}
