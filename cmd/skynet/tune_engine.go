package main

import "github.com/skynet-ec2/skynet/sim/tune"

// newRunner returns the engine that --engine names.
func (t *tuner) newRunner() (tune.Runner, error) {
	return &tune.Local{Evaluate: t.bench.evaluate, Parallel: t.parallel}, nil
}
