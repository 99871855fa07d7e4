package skynet

import (
	"math"
	"time"
)

// shape is the load of the urgent lines by quarter-hour of the day and of the
// week on the users' clock.
type shape struct {
	Day  [96]bin  `json:"day"`
	Week [672]bin `json:"week"`
	// Quarter is the one being measured, counted from the epoch on the users'
	// clock, with the sum and number of its samples so far.
	Quarter int64   `json:"quarter"`
	Sum     float64 `json:"sum"`
	Count   int64   `json:"n"`
}

// bin is a mean load in slots over the last visits.
type bin struct {
	Load   float64 `json:"l"`
	Visits int64   `json:"v"`
}

const quarter = 15 * time.Minute

// quarterOf returns the quarter-hour that holds t, counted from the epoch.
func quarterOf(t time.Time) int64 {
	const length = int64(quarter / time.Second)
	q := t.Unix() / length
	if t.Unix()%length < 0 {
		q--
	}
	return q
}

// wrap returns i modulo n, from 0 to n-1 before the epoch too.
func modulo(i, n int64) int64 {
	i %= n
	if i < 0 {
		i += n
	}
	return i
}

// pair returns the bins that i and i+1 wrap to.
func adjacentBins(bins []bin, i int64) (a, b *bin) {
	at := modulo(i, int64(len(bins)))
	next := at + 1
	if next == int64(len(bins)) {
		next = 0
	}
	return &bins[at], &bins[next]
}

// visitMemory is about how many visits a bin remembers.
const visitsRemembered = 5

func (b *bin) learn(load float64) {
	b.Load = smooth(b.Load, load, 1, visitsRemembered, b.Visits)
	b.Visits++
}

// learn adds the load of a sample that ended at t, on the users' clock.
func (s *shape) learn(t time.Time, load float64) {
	q := quarterOf(t)
	if q != s.Quarter {
		if s.Count > 0 {
			mean := s.Sum / float64(s.Count)
			s.Day[modulo(s.Quarter, 96)].learn(mean)
			s.Week[modulo(s.Quarter, 672)].learn(mean)
		}
		s.Quarter, s.Sum, s.Count = q, 0, 0
	}
	s.Sum += load
	s.Count++
}

// at returns the load usual at t on the users' clock, in slots, interpolated
// between the centres of quarter-hours: the mean of week and day where the
// week's bins were visited, the day's alone before, and false before that.
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

func interpolate(a, b *bin, part float64) (float64, bool) {
	return a.Load + float64(part*(b.Load-a.Load)), a.Visits > 0 && b.Visits > 0
}

// ratio returns how much higher the usual load is in ahead seconds than it was
// in the middle of what the level remembers, within a quarter and four; 1 when
// the profile does not know.
func (p *Policy) profileRatio(ahead float64) float64 {
	if !p.profileNow.known {
		return 1
	}
	then, ok := p.st.Shape.at(p.clock + ahead)
	if !ok {
		return 1
	}
	// not min and max, which cost several times as much for the sake of -0 and NaN
	switch r := then / p.profileNow.load; {
	case r < 0.25:
		return 0.25
	case r > 4:
		return 4
	default:
		return r
	}
}

// usualLoad is the profile's load in the middle of what the level remembers.
type profileLoad struct {
	load  float64
	known bool
}

func (p *Policy) profileAroundNow() profileLoad {
	if !p.set.profile {
		return profileLoad{}
	}
	load, ok := p.st.Shape.at(p.clock - float64(p.set.tau/2))
	return profileLoad{load, ok && load > 0}
}
