package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/tune"
	"github.com/skynet-ec2/skynet/traces"
)

// search tries the defaults of a policy and so many other parameter sets on the
// very part that is judged, and prints the cheapest that kept every promise
// there: what no honest tuning could beat, because it knows the answer. The sets
// are uniform in boxes of width 1, ½ and ¼ around the defaults.
func (w *workload) search(packed *traces.Packed, spec *policy.Spec, hourly, medium bool, sets int) error {
	space, err := tune.NewSpace(spec, nil, nil)
	if err != nil {
		return err
	}
	center := space.Point(space.Defaults())
	random := rand.New(rand.NewPCG(1, 0x73656172))
	values := make([]policy.Values, sets+1)
	for i := range sets {
		point := make([]float64, len(center))
		for j := range point {
			width := []float64{1, 0.5, 0.25}[i%3]
			point[j] = center[j] + (random.Float64()-0.5)*width
			if width == 1 {
				point[j] = random.Float64()
			}
		}
		values[i+1] = space.At(point)
	}
	values[0] = nil
	figures := make([]*sim.Figures, len(values))
	err = sim.Each(context.Background(), runtime.GOMAXPROCS(0), len(values), func(ctx context.Context, i int) error {
		cfg := w.world(hourly, medium, 1)
		p, err := spec.New(cfg.Env(), values[i])
		if err != nil {
			return nil // a set that makes no sense together
		}
		result, err := sim.Run(ctx, cfg, p, packed.Source(), sim.Options{})
		if err == nil {
			figures[i] = &result.Figures
		}
		return err
	})
	if err != nil {
		return err
	}
	best, kept := -1, 0
	for i, f := range figures {
		if f == nil || !keeps(f) {
			continue
		}
		kept++
		if best < 0 || *f.Floor.Over < *figures[best].Floor.Over {
			best = i
		}
	}
	billing := billingName(hourly)
	if best < 0 {
		fmt.Printf("%-20s %-5s %-10s none of %d sets keeps the promises\n", spec.Name, w.name, billing, len(values))
		return nil
	}
	fmt.Printf("%-20s %-5s %-10s %6.3f  best of %d that keep the promises among %d: %v\n",
		spec.Name, w.name, billing, *figures[best].Floor.Over, kept, len(values), space.RawOf(values[best]))
	return nil
}

// keeps reports whether the promises were kept, where there was a job to keep
// them to.
func keeps(f *sim.Figures) bool {
	for _, c := range f.Classes {
		if c.Attained != nil && *c.Attained < c.Attain {
			return false
		}
	}
	return true
}

func billingName(hourly bool) string {
	if hourly {
		return "hourly"
	}
	return "per-second"
}
