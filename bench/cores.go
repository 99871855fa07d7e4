package main

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/skynet-ec2/skynet/traces"
)

// coreFigures measures replications of one trace on two cores against one, by
// the clock on the wall.
func coreFigures(set settings) ([]figure, error) {
	const slots, replications = 200, 4
	packed, err := traces.Load(queueLoad(set.jobs, slots).source())
	if err != nil {
		return nil, err
	}
	c := contenders[len(contenders)-1]
	replicate := func(cores int) (time.Duration, error) {
		seeds := make(chan uint64, replications)
		for seed := range uint64(replications) {
			seeds <- seed
		}
		close(seeds)
		failures := make([]error, cores)
		var group sync.WaitGroup
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
		return time.Since(begin), errors.Join(failures...)
	}
	var one, two []time.Duration
	for range set.rounds {
		a, err := replicate(1)
		if err != nil {
			return nil, err
		}
		b, err := replicate(2)
		if err != nil {
			return nil, err
		}
		one, two = append(one, a), append(two, b)
	}
	return []figure{{
		fmt.Sprintf("%d replications of M/M/%d, %s", replications, slots, c.name),
		times(median(one), median(two)), "1.8 ×", "1.9 ×",
	}}, nil
}
