package main

import (
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
)

// The loops and the engine answer the same question: compared on one trace,
// their waits agree to the nanosecond.
func TestLoopsAgreeWithEngine(t *testing.T) {
	const jobs, instances = 20_000, 2
	for _, oneLine := range []bool{true, false} {
		l := queueLoad(jobs, 8*instances)
		if oneLine {
			clear(l.priority)
		}
		var waits waitSum
		cfg := queueWorld(instances)
		cfg.Boot[""] = sim.BootModel{Model: "fixed"}
		p, err := policy.NewStatic(cfg.Env(), instances, "x")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := sim.Run(t.Context(), cfg, p, l.source(), sim.Options{Jobs: &waits}); err != nil {
			t.Fatal(err)
		}
		if got := bareEvents(l, 8*instances); got != int64(waits) || got == 0 {
			t.Errorf("one line %v: the event loop sums waits to %v, the engine to %v", oneLine, time.Duration(got), time.Duration(waits))
		}
		if fifo := bareFIFO(l, 8*instances); oneLine && fifo != int64(waits) {
			t.Errorf("the FIFO loop sums waits to %v, the engine to %v", time.Duration(fifo), time.Duration(waits))
		}
	}
}

// waitSum sums the waits of a job log.
type waitSum time.Duration

func (w *waitSum) Job(row *sim.JobRow) error {
	*w += waitSum(row.Start - row.Arrival)
	return nil
}
