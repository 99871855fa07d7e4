package main

import (
	"fmt"

	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// engineFigures measures the engine in the same rounds as the bare loops.
func engineFigures(set settings) ([]figure, error) {
	var figures []figure
	for _, slots := range []int{200, 500, 2000} {
		must, want := "10 M/s", "20 M/s"
		if slots == 2000 {
			must, want = "6 M/s", "12 M/s"
		}
		n := max(set.jobs, 3000*slots) // an hour at least, so that the cold start does not decide
		jobs := queueLoad(n, slots)
		packed, err := traces.Load(jobs.source())
		if err != nil {
			return nil, err
		}
		sink := int64(0)
		runs := []func() error{
			func() error { sink += bareFIFO(jobs, slots); return nil },
			func() error { sink += bareEvents(jobs, slots); return nil },
		}
		last := make([]*sim.Result, len(contenders))
		for i, c := range contenders {
			runs = append(runs, func() (err error) {
				last[i], err = play(queueWorld(slots/8), slots/8, c.make, packed.Source())
				return err
			})
		}
		took, err := inTurn(set.rounds, runs...)
		if err != nil {
			return nil, err
		}
		name := func(what string) string { return fmt.Sprintf("%d slots: %s", slots, what) }
		figures = append(figures,
			figure{name("bare loop, FIFO"), perJob(took[0], int64(n)), "", ""},
			figure{name("bare loop, events, 4 priorities"), perJob(took[1], int64(n)), "", ""})
		for i, c := range contenders {
			f := &last[i].Figures
			if f.Jobs.Completed != int64(n) {
				return nil, fmt.Errorf("%s left %d of %d jobs undone", c.name, int64(n)-f.Jobs.Completed, n)
			}
			label := fmt.Sprintf("engine, %s (slack %.0f %%)", c.name, 100**f.Slack.Mean)
			figures = append(figures, figure{name(label), perJob(took[2+i], int64(n)), must, want})
			goal := ""
			if slots == 200 && c.name == "skynet" {
				goal = "3 ×"
			}
			figures = append(figures, figure{name("engine, " + c.name + " ÷ bare events"), times(took[2+i], took[1]), goal, ""})
		}
		if slots == 200 {
			f, err := allocations(set, slots)
			if err != nil {
				return nil, err
			}
			figures = append(figures, f)
		}
	}
	return figures, nil
}

// allocations counts what a run of twice the jobs allocates more.
func allocations(set settings, slots int) (figure, error) {
	count := func(n int) (uint64, error) {
		packed, err := traces.Load(queueLoad(n, slots).source())
		if err != nil {
			return 0, err
		}
		src := packed.Source()
		return mallocs(func() error {
			_, err := play(queueWorld(slots/8), slots/8, contenders[0].make, src)
			return err
		})
	}
	one, err := count(set.jobs)
	if err != nil {
		return figure{}, err
	}
	two, err := count(2 * set.jobs)
	if err != nil {
		return figure{}, err
	}
	more := float64(int64(two-one)) / float64(set.jobs)
	return figure{fmt.Sprintf("%d slots: allocations per further job", slots), fmt.Sprintf("%.5f", more), "0", "0"}, nil
}
