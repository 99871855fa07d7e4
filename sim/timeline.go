package sim

import "github.com/skynet-ec2/skynet/policy"

// decided completes the tick's row and keeps decisions that changed something.
func (s *stats) decided(e *engine, d *policy.Decision, row TickRow) {
	row.ForecastMean, row.ForecastHigh, row.ForecastActual = nan, nan, nan
	if p, ok := e.policy.(forecaster); ok {
		mean, high, ahead := p.Forecast()
		row.ForecastMean, row.ForecastHigh = mean, high
		s.forecasts.made(len(s.ticks), e.now, ahead, high)
	}
	if !s.timeline {
		return
	}
	for _, r := range e.alive {
		in := e.insts[r]
		speed := e.cfg.Catalog.Types[in.typ].Speed
		switch in.phase {
		case policy.Ready:
			row.Ready += int(in.n)
			row.Supply += float64(float64(in.n) * speed)
		case policy.Draining:
			row.Draining += int(in.n)
			row.Supply += float64(float64(in.busy) * speed)
		}
	}
	row.Busy, row.Booting = int(e.sums.busy), int(e.sums.boot)
	row.Pending = int64(e.line.Len())
	row.Demand = row.Busy + e.line.Len()
	row.Instances = len(e.alive)
	row.Cost = s.spent
	s.ticks = append(s.ticks, row)
	if !d.IsZero() || row.Clamped > 0 {
		s.decisions = append(s.decisions, DecisionRow{At: row.At, Decision: cloneDecision(d)})
	}
}

func cloneDecision(d *policy.Decision) policy.Decision {
	c := *d
	c.Launches = append([]policy.Launch(nil), d.Launches...)
	for i := range c.Launches {
		c.Launches[i].Else = append([]policy.Substitute(nil), c.Launches[i].Else...)
	}
	c.Drains = append([]policy.InstanceID(nil), d.Drains...)
	c.Undrains = append([]policy.InstanceID(nil), d.Undrains...)
	c.Because = append([]policy.Reason(nil), d.Because...)
	return c
}
