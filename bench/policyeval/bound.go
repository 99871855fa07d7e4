package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/skynet-ec2/skynet/sim/bound"
	"github.com/skynet-ec2/skynet/traces"
)

// bound prints the yardstick of one workload under one billing rule, seed 1.
func (w *workload) bound(packed *traces.Packed, hourly, medium bool, effort int) error {
	cfg := w.world(hourly, medium, 1)
	began := time.Now()
	open := func() (traces.Source, error) { return packed.Source(), nil }
	r, err := bound.Compute(context.Background(), cfg, open, bound.Options{Effort: effort, Parallel: runtime.GOMAXPROCS(0)})
	if err != nil {
		return fmt.Errorf("%s: %w", w.name, err)
	}
	attained := [3]float64{100, 100, 100}
	for k, name := range []string{"p0", "p1", "p2"} {
		if a := r.Replay.Classes[name].Attained; a != nil {
			attained[k] = 100 * *a
		}
	}
	billing, state := "per-second", "kept"
	if hourly {
		billing = "hourly"
	}
	if !r.Kept {
		state = "not kept"
	}
	fmt.Printf("%-5s %-10s bound %.3f  plan %.3f  %.3f  %.2f/%.2f/%.2f  %s  (%.1fs)\n", w.name, billing,
		r.LowerUSD/r.FloorUSD, r.PlanUSD/r.FloorUSD, r.PlanUSD/r.LowerUSD, attained[0], attained[1], attained[2], state, time.Since(began).Seconds())
	for _, b := range r.Bounds {
		fmt.Printf("      %-24s %.3f\n", b.Name, b.USD/r.FloorUSD)
	}
	return nil
}
