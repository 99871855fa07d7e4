package main

import (
	"fmt"

	"github.com/skynet-ec2/skynet/sim/bound"
	"github.com/skynet-ec2/skynet/traces"
)

// lower returns the certified lower bound on the judged cost of the scenario, in
// dollars: what no policy that keeps the promises of its classes could pay less
// than.
func (s *simulation) lower() (float64, error) {
	progress := s.app.newProgress("bound", 0)
	defer progress.End()
	open := func() (traces.Source, error) {
		src, err := s.world.Source(s.seed)
		if err != nil {
			return nil, err
		}
		return stoppable{src, s.app.ctx}, nil
	}
	r, err := bound.Compute(s.app.ctx, s.world.Config(s.seed), open, bound.Options{LowerOnly: true, Parallel: s.parallel})
	if err != nil {
		return 0, fmt.Errorf("--bound: %w", aboutScenario(s.scenario.Path, err))
	}
	return r.LowerUSD, nil
}
