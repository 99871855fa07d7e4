package baseline

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// The research policies are written for one number, the load. Here it is the
// slots that should run jobs now: one for each running job, and what the
// backlog asks for.
const (
	demandWork = "work"
	demandJobs = "jobs"
)

var (
	parDemand = policy.Param{
		Name: "demand", Kind: policy.Choice, Choices: []string{demandWork, demandJobs},
		Doc: "What the backlog asks for: the slots that do its work within workoff, or a slot for every job, as the papers do.",
	}
	parWorkoff = policy.Param{
		Name: "workoff", Kind: policy.Duration, Min: 0, Max: float64(2 * time.Hour),
		Doc: "The time in which the backlog is to be worked off, at least one tick; 0: each class's own target.",
	}
)

// demand measures the load.
type demand struct {
	jobs    bool
	workoff time.Duration
	classes []policy.Class
}

func newDemand(env *policy.Env, v policy.Values) demand {
	return demand{v.Choice(&parDemand) == demandJobs, v.Duration(&parWorkoff), env.Classes}
}

// slots returns the load in slots of the type that is bought. No kind of job
// asks for more slots than it has jobs.
func (d *demand) slots(s *signals) float64 {
	y := s.running
	for i := range s.kinds {
		y += d.backlog(&s.kinds[i], s)
	}
	return y
}

// backlog returns the slots that a kind's pending jobs ask for.
func (d *demand) backlog(k *policy.KindView, s *signals) float64 {
	jobs := float64(k.Pending.Jobs)
	if d.jobs {
		return jobs
	}
	within := d.workoff
	if within == 0 && k.Class >= 0 && k.Class < len(d.classes) {
		within = d.classes[k.Class].Target
	}
	seconds := max(within, s.tick, time.Second).Seconds()
	return min(jobs, float64(k.Pending.Work)/float64(seconds*s.speed))
}

// switchParam declares a parameter that is on or off, and on by default.
func switchParam(name, doc string) policy.Param {
	return policy.Param{Name: name, Kind: policy.Choice, Choices: []string{"on", "off"}, Doc: doc}
}

func isOn(v policy.Values, p *policy.Param) bool { return v.Choice(p) == "on" }

// ticks returns how many ticks have gone since the rule ran last, 1 the first
// time.
func (s *signals) ticks() float64 {
	if s.sinceRun <= 0 || s.sinceRun == forever || s.tick <= 0 {
		return 1
	}
	return s.sinceRun.Seconds() / s.tick.Seconds()
}

// orBoot returns d, or the learned boot lag where d is 0.
func (s *signals) orBoot(d time.Duration) time.Duration {
	if d == 0 {
		return s.bootP50
	}
	return d
}
