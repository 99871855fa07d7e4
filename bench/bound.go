package main

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim/bound"
	"github.com/skynet-ec2/skynet/traces"
)

// boundFigures bounds the photo week, stretched to 30 days and to a year, on
// all cores. Its wall time wants a quiet machine; CPU time stands beside it.
func boundFigures(set settings) ([]figure, error) {
	var figures []figure
	for _, x := range []struct {
		name string
		days int
		must string
	}{{"30 days", 30, "20 s"}, {"a year", 365, "2 min"}} {
		if set.days > 0 && set.days != x.days {
			continue
		}
		r, wall, used, err := boundOf(time.Duration(x.days) * 24 * time.Hour)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", x.name, err)
		}
		figures = append(figures,
			figure{fmt.Sprintf("%s, %d cores: time", x.name, runtime.GOMAXPROCS(0)), fmt.Sprintf("%.1f s", wall.Seconds()), x.must, ""},
			figure{x.name + ": CPU time", fmt.Sprintf("%.1f s", used.Seconds()), "", ""},
			figure{x.name + ": bound ÷ floor", fmt.Sprintf("%.3f", r.LowerUSD/r.FloorUSD), "", ""},
			figure{x.name + ": plan ÷ floor", fmt.Sprintf("%.3f, kept %t", r.PlanUSD/r.FloorUSD, r.Kept), "", ""})
	}
	return figures, nil
}

// boundOf bounds the photo week, made so long.
func boundOf(length time.Duration) (r *bound.Result, wall, used time.Duration, err error) {
	s, err := scenarios.Load("scenarios/photo-week.toml")
	if err != nil {
		return nil, 0, 0, err
	}
	s.Duration = length
	began := time.Now()
	used, err = spent(func() error {
		w, err := s.World()
		if err != nil {
			return err
		}
		if err := w.Keep(context.Background(), s.Seed); err != nil {
			return err
		}
		open := func() (traces.Source, error) { return w.Source(s.Seed) }
		r, err = bound.Compute(context.Background(), w.Config(s.Seed), open, bound.Options{Parallel: runtime.GOMAXPROCS(0)})
		return err
	})
	return r, time.Since(began), used, err
}
