package skynet

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

var ruleFast = policy.NewRule("tick.fast", "%.0f jobs of urgent classes wait: the next look is in %.0f s", false)

// nextTick returns in how long to look again: in fast_tick while jobs of an urgent line
// wait, where the world honours that; 0, the usual tick, otherwise.
func (p *Policy) nextTick(o *policy.Observation) time.Duration {
	if !o.FastTicks || p.set.fastTick >= o.Tick {
		return 0
	}
	waiting := int64(0)
	for i := range p.lines {
		if p.lines[i].urgent {
			waiting += p.lines[i].waitingJobs
		}
	}
	if waiting == 0 {
		return 0
	}
	p.explain(ruleFast.Because(float64(waiting), p.set.fastTick.Seconds()))
	return p.set.fastTick
}
