package skynet

import (
	"math"
	"time"
)

// shape is the seasonal profile: the load of the urgent lines by quarter-hour of
// the day and of the week, on the users' clock. The zero shape knows nothing.
type shape struct {
	Day  [quartersPerDay]bin  `json:"day"`
	Week [quartersPerWeek]bin `json:"week"`
	// Quarter is the quarter-hour that is being measured, counted from the epoch on
	// the users' clock; Sum and Count are of its samples so far, loads in slots.
	Quarter int64   `json:"quarter"`
	Sum     float64 `json:"sum"`
	Count   int64   `json:"n"`
}

// bin is the mean load of a quarter-hour over its last visits. A visit is one such
// quarter-hour that has passed.
type bin struct {
	Load   float64 `json:"l"` // slots
	Visits int64   `json:"v"` // since the start
}

const (
	quarter         = 15 * time.Minute
	quartersPerDay  = 96
	quartersPerWeek = 7 * quartersPerDay

	// visitsRemembered is about how many visits a bin remembers: of the week's bins
	// over a month, which is long enough to average weeks and short enough to follow
	// a season.
	visitsRemembered = 5
)

// The profile's ratio is trusted within these bounds: a bin that was visited a few
// times may be off by any factor.
const (
	profileRatioLeast = 0.25
	profileRatioMost  = 4
)

// quarterOf returns the quarter-hour that holds t, counted from the epoch.
func quarterOf(t time.Time) int64 {
	const length = int64(quarter / time.Second)
	q := t.Unix() / length
	if t.Unix()%length < 0 {
		q--
	}
	return q
}

// modulo returns i modulo n, from 0 to n-1 also where i is negative, before the
// epoch.
func modulo(i, n int64) int64 {
	i %= n
	if i < 0 {
		i += n
	}
	return i
}

// adjacentBins returns the bins of quarter-hours i and i+1 in a cycle of bins.
func adjacentBins(bins []bin, i int64) (a, b *bin) {
	at := modulo(i, int64(len(bins)))
	next := at + 1
	if next == int64(len(bins)) {
		next = 0
	}
	return &bins[at], &bins[next]
}

// learn takes the mean load of one visit, in slots.
func (b *bin) learn(load float64) {
	b.Load = smooth(b.Load, load, 1, visitsRemembered, b.Visits)
	b.Visits++
}

// learn adds the load of a sample, in slots, whose middle was at t on the users'
// clock. When a quarter-hour is over, its mean goes into its bins.
func (s *shape) learn(t time.Time, load float64) {
	q := quarterOf(t)
	if q != s.Quarter {
		if s.Count > 0 {
			mean := s.Sum / float64(s.Count)
			s.Day[modulo(s.Quarter, quartersPerDay)].learn(mean)
			s.Week[modulo(s.Quarter, quartersPerWeek)].learn(mean)
		}
		s.Quarter, s.Sum, s.Count = q, 0, 0
	}
	s.Sum += load
	s.Count++
}

// at returns the usual load at t, in seconds since the epoch on the users' clock,
// in slots. It is interpolated between the middles of quarter-hours: the mean of
// the week's and the day's bins where the week's were visited, the day's alone
// where only those were, and unknown before that.
func (s *shape) at(t float64) (load float64, known bool) {
	x := t/quarter.Seconds() - 0.5
	q := int64(math.Floor(x))
	part := x - float64(q)
	a, b := adjacentBins(s.Day[:], q)
	day, ok := interpolate(a, b, part)
	if !ok {
		return 0, false
	}
	a, b = adjacentBins(s.Week[:], q)
	if week, ok := interpolate(a, b, part); ok {
		return float64(0.5*day) + float64(0.5*week), true
	}
	return day, true
}

// interpolate returns the load at the given part of the way from a to b. It is
// known where both were visited.
func interpolate(a, b *bin, part float64) (load float64, known bool) {
	return a.Load + float64(part*(b.Load-a.Load)), a.Visits > 0 && b.Visits > 0
}

// profileRatio returns how many times as high as now the usual load will be in
// ahead seconds, within bounds; 1 where the profile does not know.
func (p *Policy) profileRatio(ahead float64) float64 {
	if !p.profileNow.known {
		return 1
	}
	then, ok := p.st.Shape.at(p.clock + ahead)
	if !ok {
		return 1
	}
	// ifs, because min and max cost several times as much for the sake of -0 and NaN
	switch r := then / p.profileNow.load; {
	case r < profileRatioLeast:
		return profileRatioLeast
	case r > profileRatioMost:
		return profileRatioMost
	default:
		return r
	}
}

// profileLoad is a usual load, in slots, if the profile knows it.
type profileLoad struct {
	load  float64
	known bool
}

// profileAroundNow returns the usual load in the middle of the time that the level
// remembers, half a time constant ago: the level is a mean of that time, so ratios
// to it must be taken from there.
func (p *Policy) profileAroundNow() profileLoad {
	if !p.set.profile {
		return profileLoad{}
	}
	load, ok := p.st.Shape.at(p.clock - float64(p.set.tau/2))
	return profileLoad{load, ok && load > 0}
}
