package main

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/traces"
)

// coreFigures measures replications of one trace on two cores against one: by
// the clock on the wall, which wants a quiet machine, and by what a replication
// costs in CPU time beside another, which tells what they get in each other's
// way.
func coreFigures(set settings) ([]figure, error) {
	const slots, replications = 200, 4
	packed, err := traces.Load(queueLoad(set.jobs, slots).source())
	if err != nil {
		return nil, err
	}
	c := contenders[len(contenders)-1]
	replicate := func(cores int) (wall, used time.Duration, err error) {
		seeds := make(chan uint64, replications)
		for seed := range uint64(replications) {
			seeds <- seed
		}
		close(seeds)
		failures := make([]error, cores)
		var group sync.WaitGroup
		before, err := cpu()
		if err != nil {
			return 0, 0, err
		}
		begin := time.Now()
		for k := range cores {
			group.Go(func() {
				for seed := range seeds {
					cfg := queueWorld(slots / 8)
					cfg.Seed = seed
					if _, err := play(cfg, slots/8, c.make, packed.Source()); err != nil {
						failures[k] = err
					}
				}
			})
		}
		group.Wait()
		wall = time.Since(begin)
		after, err := cpu()
		return wall, after - before, errors.Join(append(failures, err)...)
	}
	var one, two, oneUsed, twoUsed []time.Duration
	for range set.rounds {
		wall, used, err := replicate(1)
		if err != nil {
			return nil, err
		}
		wall2, used2, err := replicate(2)
		if err != nil {
			return nil, err
		}
		one, two = append(one, wall), append(two, wall2)
		oneUsed, twoUsed = append(oneUsed, used), append(twoUsed, used2)
	}
	what := fmt.Sprintf("%d replications of M/M/%d, %s", replications, slots, c.name)
	return []figure{
		{what + ": wall time", times(median(one), median(two)), "1.8 ×", "1.9 ×"},
		{what + ": by CPU time", times(2*median(oneUsed), median(twoUsed)), "", ""},
	}, nil
}
