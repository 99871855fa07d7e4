package baseline

import (
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// MPC and MPCOracle are the policies "mpc" and "mpc-oracle": model predictive
// control. At each tick they plan the slots of a time to come, do what must be done
// now, and plan anew at the next. mpc forecasts what will arrive; mpc-oracle is told
// the truth. The two differ in nothing else, so what lies between them is the
// error of the forecast, and what lies between mpc-oracle and the bound is not.
//
// Sources: N. Roy, A. Dubey, A. Gokhale, "Efficient autoscaling in the cloud using
// predictive models for workload forecasting", IEEE CLOUD 2011 (a look ahead over
// some steps at the cost of instances, of late answers and of change), after
// limited lookahead control (D. Kusic, N. Kandasamy et al., Cluster Computing 12(1),
// 2009). Not checked against the papers' texts.
//
// The model is fluid. Up to lead only what is there can work: it is given out as
// the queue does, by priority and then by target. From lead on the work of each
// class is spread as evenly as its promise allows, which is the taut string between
// what must have begun and what can have: it has the lowest peak and the fewest
// rises. A job holds its slot to its end. Then:
//
//	launch: what the plan needs from lead to a tick later
//	keep:   what it needs until keep from now; more is released
//
// keep is the time for which an idle instance is cheaper than a new one, by default
// the boot lag, and so is lead. What is late whatever is launched is done within
// workoff; a job of a kind that never completed is taken for one of that length.
//
// mpc expects the mean by ten minutes of the week (of the day before a week has
// passed), scaled by how the arrivals of late compare with it, and before that what
// arrives now; classes share it as in the last hour. mpc-oracle is told what every
// job to come will take. It cannot exist: no controller runs it, and without a
// simulator that tells it, it holds.
//
// Deviations: the papers search over steps and sizes by a tree; here the relaxed
// problem is solved at once. Each class is spread by itself, so their sum may have
// more rises than it must. The end of paid hours is the actuator's.
//
// Known: with the mean of the future and nothing on top of it, half of all steps
// are short, and jobs that may not wait are late (headroom above 1 repairs it); the
// truth needs a tenth, for jobs that meet within a step and boots that take longer
// than the median. As at every horizon that moves on, the end of workoff moves with
// it: where it is longer than a tick, each tick does a part of what is left.
var (
	MPC = newSpec(build{
		name:   "mpc",
		doc:    "plans the slots of the time to come by a seasonal forecast and does the plan's first step (model predictive control, Roy et al. 2011)",
		params: mpcParams(&mpcHeadroom),
	}, newMPC)

	MPCOracle = newClairvoyant(build{
		name:   "mpc-oracle",
		doc:    "the same, told what will arrive: no fleet can have it (model predictive control with an oracle's forecast)",
		params: mpcParams(&mpcOracleHeadroom),
	}, newMPCOracle)
)

const (
	// mpcStepsMost bounds a plan.
	mpcStepsMost = 720
	// mpcTargetMost is how much of a target the horizon covers when it is not
	// given: of jobs that may wait for longer, what is due is seen in time.
	mpcTargetMost = time.Hour
)

var (
	mpcHorizon = policy.Param{
		Name: "horizon", Kind: policy.Duration, Min: 0, Max: float64(2 * time.Hour),
		Doc: "How far ahead it plans; 0: as far as the longest target, an hour at most, after lead, keep and a tick.",
	}
	mpcLead = policy.Param{
		Name: "lead", Kind: policy.Duration, Min: 0, Max: float64(30 * time.Minute),
		Doc: "How long after its launch it expects an instance to help; 0: the learned boot lag.",
	}
	mpcKeep = policy.Param{
		Name: "keep", Kind: policy.Duration, Min: 0, Max: float64(4 * time.Hour),
		Doc: "How long before it is needed again an instance is kept, and not replaced by a new one; 0: the learned boot lag.",
	}
	mpcWorkoff = policy.Param{
		Name: "workoff", Kind: policy.Duration, Min: float64(10 * time.Second), Max: float64(time.Hour), Default: float64(time.Minute), Log: true,
		Doc: "The time in which work is to begin that is late whatever is launched.",
	}
	mpcStep = policy.Param{
		Name: "step", Kind: policy.Duration, Min: float64(time.Second), Max: float64(5 * time.Minute), Default: float64(10 * time.Second), Log: true, Fixed: true,
		Doc: "The length of a step of the plan; where the horizon has more than 720, a 720th of it.",
	}

	ruleMPC      = policy.NewRule("mpc.plan", "the plan needs %.1f slots by lead and %.1f to be kept, over %.0f s: wants %.0f instances, %.0f desired", false)
	ruleMPCBlind = policy.NewRule("mpc.blind", "nobody tells what will arrive, as only a simulation can: it holds", false)
)

var mpcHeadroom, mpcOracleHeadroom = mpcHeadroomOf(1.3), mpcHeadroomOf(1.1)

func mpcHeadroomOf(value float64) policy.Param {
	return policy.Param{
		Name: "headroom", Kind: policy.Number, Unit: "multiple", Min: 1, Max: 4, Default: value,
		Doc: "The multiple of the plan's slots that is provided.",
	}
}

func mpcParams(headroom *policy.Param) []policy.Param {
	return []policy.Param{mpcHorizon, mpcLead, mpcKeep, mpcWorkoff, *headroom, mpcStep}
}

// mpc is a controller with its parameters.
type mpc struct {
	plan                         mpcPlan
	classes                      []policy.Class
	horizon, lead, keep, workoff time.Duration
	step                         time.Duration
	headroom                     float64
}

func makeMPC(env *policy.Env, v policy.Values, headroom *policy.Param) *mpc {
	return &mpc{
		classes: env.Classes,
		horizon: v.Duration(&mpcHorizon), lead: v.Duration(&mpcLead), keep: v.Duration(&mpcKeep),
		workoff: v.Duration(&mpcWorkoff), step: v.Duration(&mpcStep), headroom: v.Number(headroom),
	}
}

// span returns how far ahead it plans, with the given boot lag, and in which steps.
func (c *mpc) span(lag, tick time.Duration) (horizon, step time.Duration) {
	or := func(d time.Duration) time.Duration {
		if d == 0 {
			return lag
		}
		return d
	}
	if horizon = c.horizon; horizon == 0 {
		longest := time.Duration(0)
		for i := range c.classes {
			longest = max(longest, min(c.classes[i].Target, mpcTargetMost))
		}
		horizon = max(or(c.lead)+longest, or(c.keep)) + tick
	}
	return horizon, max(c.step, (horizon+mpcStepsMost-1)/mpcStepsMost)
}

// steps returns how many steps a time takes, begun ones included.
func steps(d, step time.Duration) int { return int(min((d+step-1)/step, mpcStepsMost)) }

// decide returns what the plan wants when arrivals puts in what is to come, by
// class in slot-seconds and jobs.
func (c *mpc) decide(s *signals, horizon, step time.Duration, arrivals func(p *mpcPlan)) verdict {
	p := &c.plan
	p.step = step.Seconds()
	p.reset(c.classes, max(1, steps(horizon, step)))
	arrivals(p)
	p.observe(s, c.workoff.Seconds())
	lead, tick := steps(s.orBoot(c.lead), step), max(1, steps(s.tick, step))
	p.solve(lead, max(1, steps(c.workoff, step)))
	launch := p.most(lead, lead+tick)
	keep := p.most(0, max(lead, steps(s.orBoot(c.keep), step))+tick)
	const exact = 1e-6 // slots that sums of fractions are off by
	units := func(slots float64) int { return s.units(float64(slots*c.headroom) - exact) }
	want := max(units(launch), min(s.desired, units(keep)))
	return s.to(want, ruleMPC.Because(launch, keep, horizon.Seconds(), float64(want), float64(s.desired)))
}

// mpcState is what mpc has learned of the arrivals.
type mpcState struct{ offered }

func newMPC(env *policy.Env, v policy.Values) (rule[mpcState], error) {
	c, offset := makeMPC(env, v, &mpcHeadroom), env.UTCOffset
	share := make([]policy.Flow, len(env.Classes))
	return func(s *signals, m *mpcState) verdict {
		arrived := 0.0
		for i := range s.kinds {
			arrived += float64(s.kinds[i].LastTick.Work) / s.speed
		}
		m.learn(s, offset, arrived, 0, 0)
		horizon, step := c.span(s.bootP50, s.tick)
		return c.decide(s, horizon, step, func(p *mpcPlan) {
			shared(share, s)
			for k := range p.slots {
				expected, known := m.seasonal.forecast(s.now.Add(time.Duration(k)*step), offset)
				if !known {
					expected = 0
					if m.Seen > 0 {
						expected = m.Recent / m.Seen
					}
				}
				p.comesLike(k, float64(expected*p.step), share)
			}
		})
	}, nil
}

// shared fills in what arrived of each class over the last hour, in slot-seconds.
func shared(into []policy.Flow, s *signals) {
	clear(into)
	for i := range s.kinds {
		if k := &s.kinds[i]; k.Class >= 0 && k.Class < len(into) {
			into[k.Class].Jobs += k.Arrived[3].Jobs
			into[k.Class].Work += k.Arrived[3].Work / policy.CoreSeconds(s.speed)
		}
	}
}

// mpcOracleState is the boot lag that mpc-oracle was shown last: how far it asks
// to be told goes by it.
type mpcOracleState struct {
	Lag time.Duration `json:"lag"`
}

func newMPCOracle(env *policy.Env, v policy.Values) (rule[mpcOracleState], foresight[mpcOracleState]) {
	c, tick, guess := makeMPC(env, v, &mpcOracleHeadroom), env.Tick, env.BootGuess
	asked := func(m *mpcOracleState) (horizon, step time.Duration) {
		if m.Lag == 0 {
			return c.span(guess, tick)
		}
		return c.span(m.Lag, tick)
	}
	return func(s *signals, m *mpcOracleState) verdict {
		if len(s.ahead) == 0 || s.ahead[0].Until <= 0 {
			return hold(ruleMPCBlind.Because())
		}
		horizon, _ := asked(m)
		m.Lag = s.bootP50
		return c.decide(s, horizon, s.ahead[0].Until, func(p *mpcPlan) {
			for k := range s.ahead {
				for i, f := range s.ahead[k].Arrivals {
					p.comes(i, k, float64(f.Work)/s.speed, float64(f.Jobs))
				}
			}
		})
	}, asked
}

func (m *mpcOracleState) check() error {
	if m.Lag < 0 {
		return fmt.Errorf("lag = %v: must not be negative", m.Lag)
	}
	return nil
}
