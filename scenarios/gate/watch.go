package gate

import (
	"math"

	"github.com/skynet-ec2/skynet/scenarios"
	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/sim/trial"
)

// watch is a figure that is compared with the baseline.
type watch struct {
	metric, class string
	tolerance     trial.Tolerance
}

// Tolerances that a new baseline has, until somebody changes its file. Of what a
// class attains they are a share of its miss budget: a tenth of it over the
// run, a quarter in the worst hour, which is one of many and varies more.
const (
	costRelative   = 0.02
	timeRelative   = 0.10
	timeAbsolute   = 0.1 // s: nobody notices
	budgetOfRun    = 0.10
	budgetOfHour   = 0.25
	attainAbsolute = 0.0005
)

// watched returns the figures of a scenario that are compared: its cost, and of
// each class the p95 of what it is judged on, what it attained and, where that
// is promised, its worst hour.
func watched(s *scenarios.Scenario) []watch {
	list := []watch{{"cost_usd", "", trial.Tolerance{Relative: costRelative}}}
	for i := range s.Classes {
		c := &s.Classes[i]
		path := "classes." + c.Name + "."
		budget := func(promised, share float64) trial.Tolerance {
			if promised == 0 {
				promised = 0.9 // nothing is promised, and yet it is not to slide
			}
			return trial.Tolerance{Absolute: math.Max(math.Round(share*(1-promised)*1e9)/1e9, attainAbsolute)}
		}
		measure := "sojourn_s"
		if c.On == "wait" {
			measure = "wait_s"
		}
		list = append(list,
			watch{path + measure + ".p95", c.Name, trial.Tolerance{Relative: timeRelative, Absolute: timeAbsolute}},
			watch{path + "attained", c.Name, budget(c.Attain, budgetOfRun)})
		if c.WorstHour > 0 {
			list = append(list, watch{path + "worst_hour", c.Name, budget(c.WorstHour, budgetOfHour)})
		}
	}
	return list
}

// seriesOf returns the watched figures of a scenario's runs.
func seriesOf(s *scenarios.Scenario, runs []*sim.Figures) []trial.Series {
	var list []trial.Series
	for _, w := range watched(s) {
		series := trial.Series{Metric: w.metric, Class: w.class, Tolerance: w.tolerance}
		for _, f := range runs {
			var value *float64
			if x, ok := scenarios.Value(f, w.metric); ok {
				value = &x
			}
			series.Values = append(series.Values, value)
		}
		series.Mean = trial.MeanOf(series.Values)
		list = append(list, series)
	}
	return list
}
