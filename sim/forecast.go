package sim

import (
	"math"
	"slices"
	"time"
)

// forecaster is a policy that can say what it expects: the work in reference
// cores in the tick when an instance launched now could help, its mean and its
// 90th percentile, and how far ahead that is.
type forecaster interface {
	Forecast() (mean, high float64, ahead time.Duration)
}

// forecasts judge what a policy forecast by what came. The load forecast is that
// of the first tick to end when an instance launched then could help, or later;
// where ticks are faster than usual, of those that together make up a tick.
type forecasts struct {
	some    bool // the policy forecasts
	open    []openForecast
	recent  []span   // that make up the last tick
	last    hourLoad // for the simplest forecast
	n, held int64    // judged, and those whose load was within
	pinball float64  // of the policy
	simple  float64  // of the simplest forecast
}

// openForecast is a forecast whose tick has not come.
type openForecast struct {
	row          int // of the timeline
	madeAt, due  int64
	high, simple float64
}

// span is the work that arrived over some seconds.
type span struct{ work, seconds float64 }

// forecastQuantile is what the upper end of a forecast is a quantile for.
const forecastQuantile = 0.9

// made notes what the policy forecasts at now, for the timeline's next row.
func (f *forecasts) made(row int, now int64, ahead time.Duration, high float64) {
	f.some = true
	if math.IsNaN(high) || f.last.n == 0 {
		return // the policy does not know, or nothing has arrived to compare with
	}
	f.open = append(f.open, openForecast{row, now, now + int64(ahead), high, f.last.quantile()})
}

// arrived takes the work of the tick that ends at now and settles the forecasts
// for it.
func (f *forecasts) arrived(s *stats, now int64, work, took float64) {
	load := f.load(span{work, took}, s.cfg.Tick.Seconds())
	f.last.add(load)
	left := f.open[:0]
	for _, o := range f.open {
		if o.due > now {
			left = append(left, o)
			continue
		}
		if s.timeline {
			s.ticks[o.row].ForecastActual = load
		}
		if o.madeAt >= s.judgeFrom {
			f.judge(o, load)
		}
	}
	f.open = left
}

func (f *forecasts) judge(o openForecast, load float64) {
	f.n++
	if load <= o.high {
		f.held++
	}
	f.pinball += pinball(o.high, load)
	f.simple += pinball(o.simple, load)
}

// pinball returns the loss of a forecast quantile: what it lacks counts nine
// times what it is too high.
func pinball(high, load float64) float64 {
	if load > high {
		return forecastQuantile * (load - high)
	}
	return (1 - forecastQuantile) * (high - load)
}

// load returns the work per second over the latest spans that make up a tick.
func (f *forecasts) load(x span, tick float64) float64 {
	f.recent = append(f.recent, x)
	var all span
	at := len(f.recent)
	for at > 0 && all.seconds < 0.99*tick {
		at--
		all.work += f.recent[at].work
		all.seconds += f.recent[at].seconds
	}
	f.recent = slices.Delete(f.recent, 0, at)
	return all.work / all.seconds
}

// figures returns how good the forecasts were, nil for a policy that makes none.
func (f *forecasts) figures() *ForecastFigures {
	if !f.some {
		return nil
	}
	out := &ForecastFigures{Ticks: f.n}
	if f.n > 0 {
		out.P90Coverage = number(float64(f.held) / float64(f.n))
	}
	if f.simple > 0 {
		out.Skill = number(1 - f.pinball/f.simple)
	}
	return out
}

// hourLoad holds the loads of the last 60 ticks, an hour at the usual tick, by
// time and by size.
type hourLoad struct {
	n      int64
	ring   [60]float64
	sorted []float64
}

func (h *hourLoad) add(load float64) {
	oldest := &h.ring[h.n%int64(len(h.ring))]
	if h.n >= int64(len(h.ring)) {
		at, _ := slices.BinarySearch(h.sorted, *oldest)
		h.sorted = slices.Delete(h.sorted, at, at+1)
	}
	*oldest = load
	at, _ := slices.BinarySearch(h.sorted, load)
	h.sorted = slices.Insert(h.sorted, at, load)
	h.n++
}

// quantile returns the 90th percentile of the loads, by nearest rank.
func (h *hourLoad) quantile() float64 {
	n := len(h.sorted)
	return h.sorted[(9*n+9)/10-1]
}
