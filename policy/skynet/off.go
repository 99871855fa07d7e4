package skynet

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
	"github.com/skynet-ec2/skynet/policy/detmath"
)

var ruleOff = policy.NewRule("off.night", "%.2f slots expected: %.2f %% of the jobs ever arrived at so few, at most %.2f %% may be late; arrivals are not planned for", false)

const (
	// quietAfter is for how long after the start, in seconds, arrivals are planned
	// for at every hour: before a day is over no night has been seen.
	quietAfter = day
	// quietLoadMost is the largest load, in slots, that counts as quiet.
	quietLoadMost = 0.5
)

// off is a histogram of the urgent jobs that ever arrived, by the load that was
// forecast when they did. It tells which share of all jobs would be late if
// nothing stood ready at such forecasts.
//
// Its bins are logarithmic, offBinsPerE to a factor of e: the first holds
// forecasts up to offFirstForecast, the last all that is beyond the rest.
type off struct {
	Bins  [offBins]float64 `json:"bins"`  // jobs
	Total float64          `json:"total"` // jobs of all bins
}

const (
	offBins          = 300
	offBinsPerE      = 15.0
	offFirstForecast = 1e-4 // slots
)

// offBin returns the bin of a forecast, in slots.
func offBin(forecast float64) int {
	if forecast <= offFirstForecast {
		return 0
	}
	return min(1+int(offBinsPerE*detmath.Log(forecast/offFirstForecast)), offBins-1)
}

// learn counts jobs that arrived. The forecast, in slots, is the lowest one since
// a launch could still have been ready for them: if arrivals had not been planned
// for at that one, these jobs would have found nothing.
func (f *off) learn(forecast, jobs float64) {
	f.Bins[offBin(forecast)] += jobs
	f.Total += jobs
}

// shareUpTo returns the share of all jobs that arrived at forecasts up to the
// given one; 1 before any job.
func (f *off) shareUpTo(forecast float64) float64 {
	if f.Total == 0 {
		return 1
	}
	sum := 0.0
	for _, jobs := range f.Bins[:offBin(forecast)+1] {
		sum += jobs
	}
	return sum / f.Total
}

// quietHour reports whether arrivals need no capacity that stands ready: so few
// jobs ever arrived at forecasts like this one that, were they all late, they would
// cost only off_share of the late jobs that the strictest urgent line allows.
func (p *Policy) quietHour(now time.Time) bool {
	if !p.set.promises || p.set.offShare == 0 || now.Sub(p.st.FirstAt).Seconds() < quietAfter {
		return false
	}
	allowed := 1.0
	for i := range p.lines {
		if p.lines[i].urgent {
			allowed = min(allowed, p.lines[i].allowedLate)
		}
	}
	if p.forecast.mean > quietLoadMost {
		return false
	}
	share := p.st.Off.shareUpTo(p.forecast.mean)
	if share >= float64(p.set.offShare*allowed) {
		return false
	}
	p.explain(ruleOff.Because(p.forecast.mean, 100*share, float64(100*p.set.offShare*allowed)))
	return true
}
