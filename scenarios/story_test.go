package scenarios

import (
	"context"
	"testing"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// play runs a scenario file once, with its history.
func play(t *testing.T, path string, with Replace, change func(*sim.Config)) (*Scenario, *sim.Result) {
	t.Helper()
	s, err := LoadWith(t.Context(), path, with)
	if err != nil {
		t.Fatal(err)
	}
	_, r := playScenario(t, s, change)
	return s, r
}

// playScenario runs a scenario once, with its history, and returns its policy
// as the run left it.
func playScenario(t *testing.T, s *Scenario, change func(*sim.Config)) (policy.Policy, *sim.Result) {
	t.Helper()
	w, src := opened(t, s)
	p, err := w.Policy()
	if err != nil {
		t.Fatal(err)
	}
	c := w.Config(s.Seed)
	if change != nil {
		change(c)
	}
	r, err := sim.Run(context.Background(), c, p, src, sim.Options{Timeline: true})
	if err != nil {
		t.Fatal(err)
	}
	return p, r
}

// opened returns a scenario's world and its trace, which ends with the test.
func opened(t *testing.T, s *Scenario) (*World, traces.Source) {
	t.Helper()
	w, err := s.World()
	if err != nil {
		t.Fatal(err)
	}
	src, err := w.Source(s.Seed)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return w, src
}

// largest returns the most instances launched by one decision.
func largest(r *sim.Result) int {
	most := 0
	for i := range r.Ticks {
		most = max(most, r.Ticks[i].Launches)
	}
	return most
}

// TestOutage2008 tells the accident: without a guard the controller of the day
// launches its 250 in one call; with the scenario's guard neither it nor SkyNet
// launches more than ten at once, nor runs more than forty.
func TestOutage2008(t *testing.T) {
	const file = "outage-2008.toml"
	naive := Replace{Policy: "policies/naive-2008.toml"}

	_, open := play(t, file, naive, func(c *sim.Config) { c.Guard = nil })
	if n := largest(open); n != 250 {
		t.Errorf("without a guard naive-2008 launches at most %d at once, want its 250", n)
	}
	for name, with := range map[string]Replace{"naive-2008": naive, "skynet": {}} {
		s, r := play(t, file, with, nil)
		if n := largest(r); n > s.guard.LaunchMax {
			t.Errorf("%s launches %d at once, the guard allows %d", name, n, s.guard.LaunchMax)
		}
		if n := r.Figures.Instances.Max; n > s.guard.FleetMax {
			t.Errorf("%s runs %d instances, the guard allows %d", name, n, s.guard.FleetMax)
		}
		if name == "naive-2008" && r.Figures.Guard.Clamped == 0 {
			t.Error("the guard has not clamped naive-2008")
		}
	}
}
