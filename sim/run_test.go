package sim

import (
	"context"
	"testing"
)

// A world that would run backwards or divide by nothing is refused.
func TestConfigRefused(t *testing.T) {
	for name, spoil := range map[string]func(*Config){
		"judge_from":   func(c *Config) { c.JudgeFrom = -1 },
		"fault before": func(c *Config) { c.Faults = []Fault{{Kind: Crash, From: -1}} },
		"no samples":   func(c *Config) { c.Boot["a"] = BootModel{Model: "empirical"} },
		"no median":    func(c *Config) { c.Boot["a"] = BootModel{Model: "lognormal", P99: s} },
		"negative lag": func(c *Config) { c.Boot["a"] = BootModel{Model: "fixed", Value: -s} },
	} {
		cfg := tiny()
		spoil(cfg)
		if _, err := Run(context.Background(), cfg, plan{}.policy(cfg), newJobs(nil), Options{}); err == nil {
			t.Errorf("%s: not refused", name)
		}
	}
}
