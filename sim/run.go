package sim

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/traces"
)

// Run simulates the policy on the trace in the world cfg and returns what
// happened. The policy must have been made with cfg.Env(). Run reads src to its
// end or to the end of cfg.Duration and does not close it. Errors are those of
// src, of the job sink, ctx's, or a configuration that makes no sense.
//
// Figures.WallS and JobsPerS are left zero: this package has no clock.
func Run(ctx context.Context, cfg *Config, p policy.Policy, src traces.Source, opt Options) (*Result, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	e, err := newEngine(cfg, p, src, opt)
	if err != nil {
		return nil, err
	}
	if err := e.run(ctx); err != nil {
		return nil, err
	}
	return e.result(), nil
}

func (e *engine) result() *Result {
	s := e.stats
	r := &Result{Config: e.cfg, Figures: e.figures()}
	if e.opt.Timeline {
		r.Ticks, r.Decisions, r.Launched, r.Ended = s.ticks, s.decisions, s.launchedRows, s.endedRows
		r.Latency, r.LatencyEach = s.latency.rows(s), time.Duration(s.latency.width)
		r.Days = s.dayRows()
		for i := range s.classes {
			r.Sojourn = append(r.Sojourn, s.classes[i].sojourn.cdf())
			r.Wait = append(r.Wait, s.classes[i].wait.cdf())
		}
	}
	return r
}

// ConfigError is a world that cannot be simulated.
type ConfigError struct{ Problem string }

func (e *ConfigError) Error() string { return e.Problem }

// BadInput marks the error as the user's.
func (e *ConfigError) BadInput() bool { return true }

// validate refuses what would make the run meaningless or endless. Scenario
// files are checked far more closely by their loader.
func (cfg *Config) validate() error {
	problem := ""
	switch {
	case cfg.Tick < policy.MinTick:
		problem = fmt.Sprintf("tick = %v: must be at least %v", cfg.Tick, policy.MinTick)
	case cfg.Duration < 0:
		problem = fmt.Sprintf("duration = %v: must not be negative", cfg.Duration)
	case len(cfg.Classes) == 0:
		problem = "no class: every job must belong to one"
	case len(cfg.Catalog.Types) == 0:
		problem = "no instance type"
	case cfg.Catalog.Billing.Quantum <= 0:
		problem = "no billing rule"
	case cfg.Lease < 0 || cfg.Beat < 0:
		problem = "lease and beat must not be negative"
	case cfg.JudgeFrom < 0:
		problem = fmt.Sprintf("judge_from = %v: must not be negative", cfg.JudgeFrom)
	case cfg.ReferenceSpeed < 0:
		problem = fmt.Sprintf("reference_speed = %v: must be positive", cfg.ReferenceSpeed)
	default:
		if err := cfg.Catalog.Validate(); err != nil {
			problem = err.Error()
		}
	}
	for i := range cfg.Standing {
		if s := &cfg.Standing[i]; s.Type < 0 || s.Type >= len(cfg.Catalog.Types) || s.Count < 0 || s.Age < 0 || s.ReadyIn < 0 {
			problem = fmt.Sprintf("standing %d: needs a type of the catalog; count, age and ready_in must not be negative", i+1)
		}
	}
	for i := range cfg.Faults {
		if f := &cfg.Faults[i]; f.From < 0 {
			problem = fmt.Sprintf("fault %d: from = %v: must not be negative", i+1, f.From)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Boot)) {
		if m := cfg.Boot[name]; !m.valid() {
			problem = fmt.Sprintf("boot %q: %s needs what it draws from: a value or samples not negative, a positive median up to its p99", name, m.Model)
		}
	}
	if problem != "" {
		return &ConfigError{problem}
	}
	return nil
}

// valid reports whether a lag can be drawn.
func (m *BootModel) valid() bool {
	switch m.Model {
	case "lognormal":
		return m.Median > 0 && m.P99 >= m.Median
	case "empirical":
		return len(m.Samples) > 0 && slices.Min(m.Samples) >= 0
	}
	return m.Value >= 0
}
