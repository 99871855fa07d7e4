package skynet

import "github.com/skynet-ec2/skynet/policy/detmath"

// off remembers at which forecasts the urgent jobs arrived: a histogram in
// logarithmic bins, 15 to a factor of e. Hours so silent that only a small part
// of the miss budget ever arrived in them are not forecast at all.
type off struct {
	Bins  [offBins]float64 `json:"bins"`
	Total float64          `json:"total"`
}

const (
	offBins          = 300
	offBinsPerE      = 15.0
	offFirstForecast = 1e-4 // slots: the first bin's forecast
	quietLoadMost    = 0.5  // slots: what is more than that is not silence
)

func offBin(forecast float64) int {
	if forecast <= offFirstForecast {
		return 0
	}
	return min(1+int(offBinsPerE*detmath.Log(forecast/offFirstForecast)), offBins-1)
}

// learn counts jobs that arrived when so few slots were expected: the lowest
// forecast since a launch could still have been ready for them, because at that
// one they would have been left to wait.
func (f *off) learn(forecast, jobs float64) {
	f.Bins[offBin(forecast)] += jobs
	f.Total += jobs
}

// offLearned is how long, in seconds, all hours are forecast: a day has a night.
const quietAfter = day

// share returns the part of all jobs that arrived at forecasts up to the given
// one; 1 before any.
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
