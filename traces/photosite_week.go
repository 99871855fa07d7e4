package traces

import (
	"math"
	"time"
)

// Week is the load of each hour of a week relative to its mean, Monday 0 h
// first.
type Week [168]float64

// At returns the profile at a moment of the week, on straight lines between
// the centres of hours. sinceMonday must lie within a week.
func (w *Week) At(sinceMonday time.Duration) float64 {
	const half = int64(30 * time.Minute)
	const hour = int64(time.Hour)
	at := int64(sinceMonday) - half
	if at < 0 {
		at += 168 * hour
	}
	i := at / hour
	frac := float64(at%hour) / float64(hour)
	lo, hi := w[i%168], w[(i+1)%168]
	return lo + float64(frac*(hi-lo))
}

// photoHours is the share of a day's uploads in each local hour, times 24:
// Wiki Loves Monuments, September 2013, in Central European time.
var photoHours = [24]float64{
	.96, .66, .42, .34, .33, .36, .38, .49, .65, .78, .89, 1.01,
	1.03, 1.09, 1.13, 1.15, 1.23, 1.34, 1.39, 1.50, 1.74, 1.88, 1.78, 1.48,
}

// photoZones is where the users live: hours ahead of the site's clock and
// their share.
var photoZones = []struct {
	ahead int
	share float64
}{{0, .27}, {1, .05}, {2, .21}, {3, .47}}

// photoDays is the level of each day, Monday first. Sunday lies between the
// 1.16 of Wiki Loves Monuments and Facebook's weekend of +40 % (2011).
var photoDays = [7]float64{1.02, .93, .90, .89, .88, 1.02, 1.36}

// photoWeek returns the profile of a site in California whose users live all
// over the United States: highest on Sunday at 18 h, lowest at night.
func photoWeek() *Week {
	var day [24]float64
	for h := range day {
		for _, z := range photoZones {
			day[h] += float64(z.share * photoHours[(h+z.ahead)%24])
		}
	}
	var w Week
	sum := 0.0
	for d, level := range photoDays {
		shape := day
		if d == 6 { // Sunday evening: people are home with the weekend's photos
			before, after := 0.0, 0.0
			for h := range shape {
				before += shape[h]
				x := (float64(h) - 18) / 2.5
				shape[h] = float64(shape[h] * (1 + float64(.25*exp(-float64(x*x)))))
				after += shape[h]
			}
			for h := range shape {
				shape[h] *= before / after
			}
		}
		for h := range shape {
			w[d*24+h] = float64(level * shape[h])
			sum += w[d*24+h]
		}
	}
	for i := range w {
		w[i] *= 168 / sum
	}
	return &w
}

// weekday returns how long after the last local Monday, 0 h, the instant
// start + at is on a clock that is offset ahead of UTC, and the number of the
// local day since 1970.
func weekday(start time.Time, offset time.Duration, at int64) (sinceMonday time.Duration, day int64) {
	const (
		dayNS  = int64(24 * time.Hour)
		weekNS = 7 * dayNS
	)
	// 1 January 1970 was a Thursday
	seconds := start.Unix() + int64(offset/time.Second)
	rest := int64(start.Nanosecond()) + int64(offset%time.Second) + at%dayNS
	days := floorDiv(seconds, 86400) + at/dayNS
	rest += (seconds - floorDiv(seconds, 86400)*86400) * 1e9
	days += floorDiv(rest, dayNS)
	rest -= floorDiv(rest, dayNS) * dayNS
	return time.Duration((floorMod(days+3, 7)*dayNS + rest) % weekNS), days
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func floorMod(a, b int64) int64 { return a - floorDiv(a, b)*b }

// lognormalSigma returns the sigma of a lognormal distribution with the given
// coefficient of variation.
func lognormalSigma(cv float64) float64 { return math.Sqrt(log(1 + float64(cv*cv))) }
