package sim

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/traces"
)

// A run of more than two months has its latencies by day, whether it is said
// beforehand how long it is or the trace's end decides; a shorter one by hour.
func TestLatencyByDayInLongRuns(t *testing.T) {
	const day = 24 * time.Hour
	run := func(length, duration time.Duration) *Result {
		cfg := twoClasses("long")
		cfg.Duration = duration
		p, err := policy.NewScripted(cfg.Env(), []policy.Step{{At: 0, Launch: 1, Type: "m1.small"}})
		if err != nil {
			t.Fatal(err)
		}
		poisson := traces.Poisson{Seed: 5, Duration: length, Classes: []traces.PoissonClass{
			{Type: "a", PerSecond: 0.003, Service: traces.ServiceTime{Mean: 9 * time.Second}},
			{Type: "b", Priority: 1, PerSecond: 0.00002, Service: traces.ServiceTime{Mean: 50 * time.Second}},
		}}
		src, err := poisson.Source()
		if err != nil {
			t.Fatal(err)
		}
		r, err := Run(context.Background(), cfg, p, src, Options{Timeline: true})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	said, found := run(69*day, 70*day), run(69*day, 0)
	if said.LatencyEach != day || found.LatencyEach != day {
		t.Fatalf("each row is %v, and %v without a duration, want a day", said.LatencyEach, found.LatencyEach)
	}
	if !slices.Equal(said.Latency, found.Latency) {
		t.Errorf("without a duration the rows are %v\nwith one %v", found.Latency, said.Latency)
	}
	if n := len(said.Latency); n < 100 || n > 140 {
		t.Errorf("%d rows of two classes on 70 days", n)
	}
	short := run(61*day, 0)
	if short.LatencyEach != time.Hour || len(short.Latency) < 61*20 {
		t.Errorf("61 days have %d rows of %v each, want hours", len(short.Latency), short.LatencyEach)
	}
}
