package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// tickFigures measures observation and Step together: what a run costs more
// when it has more ticks.
func tickFigures(set settings) ([]figure, error) {
	var figures []figure
	small, err := weekTicks(set)
	if err != nil {
		return nil, err
	}
	figures = append(figures, small...)
	large, err := largeTicks(set)
	return append(figures, large...), err
}

// weekTicks compares a photo site's week at 60-second and 10-second ticks, on
// at most 20 instances.
func weekTicks(set settings) ([]figure, error) {
	site := siteWeek()
	week, err := packed(site)
	if err != nil {
		return nil, err
	}
	const instances = 20
	var figures []figure
	for _, c := range contenders {
		var ticks [2]int64
		run := func(i int, tick time.Duration) func() error {
			return func() error {
				cfg := siteWorld(instances)
				cfg.Tick = tick
				res, err := play(cfg, instances, c.make, week.Source())
				if err == nil {
					ticks[i] = res.Figures.Ticks
				}
				return err
			}
		}
		took, err := inTurn(set.rounds, run(0, time.Minute), run(1, 10*time.Second))
		if err != nil {
			return nil, err
		}
		each := float64(took[1]-took[0]) / float64(ticks[1]-ticks[0]) / 1e3
		figures = append(figures, figure{
			fmt.Sprintf("at most %d instances, a photo site's week, %s", instances, c.name),
			fmt.Sprintf("%.1f µs/tick", each), "15 µs", "",
		})
	}
	return figures, nil
}

// held is a policy that steps another and does nothing of what it says, once it
// has launched its fleet.
type held struct {
	policy.Policy
	instances int
	inner     time.Duration // CPU time in the other's steps
	steps     int
	err       error
}

func (h *held) Step(o *policy.Observation) policy.Decision {
	if h.instances > 0 {
		d := policy.Decision{Launches: []policy.Launch{{Count: h.instances}}}
		h.instances = 0
		return d
	}
	d, err := spentIn(func() { h.Policy.Step(o) })
	h.inner += d
	h.err = errors.Join(h.err, err)
	h.steps++
	return policy.Decision{}
}

// largeTicks measures ticks of 10 000 instances at work, with a million jobs
// pending.
func largeTicks(set settings) ([]figure, error) {
	const instances, pending = 10_000, 1_000_000
	n := instances*8 + pending
	jobs := &load{arrival: make([]int64, n), service: make([]int64, n), priority: make([]uint8, n)}
	for i := range n {
		jobs.arrival[i] = int64(i) * int64(30*time.Minute) / int64(n)
		jobs.service[i] = int64(1000 * time.Hour) // nothing ends: nothing happens but ticks
		jobs.priority[i] = uint8(i % 4)
	}
	packed, err := traces.Load(jobs.source())
	if err != nil {
		return nil, err
	}
	c := contenders[len(contenders)-1]
	const from, to = 40 * time.Minute, 100 * time.Minute
	var step time.Duration
	run := func(duration time.Duration) func() error {
		return func() error {
			cfg := queueWorld(instances)
			cfg.Duration = duration
			cfg.Boot = map[string]sim.BootModel{"": {Model: "fixed"}}
			h := &held{instances: instances}
			res, err := play(cfg, instances, func(env policy.Env, n int) (policy.Policy, error) {
				var err error
				h.Policy, err = c.make(env, n)
				return h, err
			}, packed.Source())
			if err != nil {
				return err
			}
			if f := &res.Figures; f.Instances.Max != instances || f.Jobs.Pending != int64(n) {
				return fmt.Errorf("%d instances, %d jobs not done; want %d, %d", f.Instances.Max, f.Jobs.Pending, instances, n)
			}
			step = h.inner / time.Duration(h.steps)
			return h.err
		}
	}
	took, err := inTurn(set.rounds, run(from), run(to))
	if err != nil {
		return nil, err
	}
	each := float64(took[1]-took[0]) / float64((to-from)/time.Minute) / 1e6
	return []figure{
		{"10 000 instances, 10⁶ pending jobs, " + c.name, fmt.Sprintf("%.2f ms/tick", each), "10 ms", "2 ms"},
		{"of it Step, " + c.name, fmt.Sprintf("%.3f ms", step.Seconds()*1e3), "", ""},
	}, nil
}
