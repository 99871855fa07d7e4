package grid

import (
	"context"
	"testing"

	"github.com/skynet-ec2/skynet/scenarios"
)

// Scenarios of one trace are told to be of one, whatever else they say; other
// seeds draw other jobs, and another generator makes others.
func TestTraceOf(t *testing.T) {
	load := func(file string, set ...scenarios.Setting) *scenarios.Scenario {
		s, err := scenarios.LoadWith(context.Background(), file, scenarios.Replace{Set: set})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	week, click := "../photo-week.toml", "../gallery-10000.toml"
	list := []*scenarios.Scenario{
		load(week), load("../photo-week-2026.toml"), load(week, scenarios.Setting{Key: "cloud.billing", Value: "per-second"}),
		load(click), load(week, scenarios.Setting{Key: "generate.scale", Value: "2.0"}), load(week, scenarios.Setting{Key: "seed", Value: "7"}),
	}
	g := &Grid{Scenarios: list, Runs: 2}
	if errs := g.Check(); len(errs) > 0 {
		t.Fatal(errs)
	}
	for i, same := range []bool{true, true, true, false, false, false} {
		if got := g.TraceOf(list[i]) == g.TraceOf(list[0]); got != same {
			t.Errorf("scenario %d: of the same trace as the first: %v, want %v (%q)", i, got, same, g.TraceOf(list[i]))
		}
	}
}
