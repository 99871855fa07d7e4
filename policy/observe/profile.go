package observe

import (
	"slices"
	"time"
)

// profile is the work that arrives by hour of the week on the users' clock, in reference
// cores, over the last weeks. People look at it; policies keep profiles of their own.
type profile struct {
	offset       time.Duration // of the users' clock from UTC
	hours        [hoursPerWeek][profileWeeks]float64
	visits       [hoursPerWeek]int // hours that have passed, of which the last profileWeeks are kept
	currentHour  int64             // since the epoch on the users' clock; 0: none yet
	workThisHour float64           // core-seconds
}

const (
	hoursPerWeek = 7 * 24
	profileWeeks = 8
)

// add counts the work, in core-seconds, that arrived since the last tick, up to now. At the
// full hour it still belongs to the hour before.
func (p *profile) add(now time.Time, work float64) {
	hour := now.Add(p.offset-time.Nanosecond).Unix() / 3600
	if p.currentHour == 0 {
		p.currentHour = hour
	}
	if hour != p.currentHour {
		// The first hour is incomplete. It is kept all the same: a low guess is better
		// than none.
		h := int(hourOfWeek(p.currentHour))
		n := p.visits[h]
		p.hours[h][n%profileWeeks] = p.workThisHour / 3600
		p.visits[h]++
		p.currentHour = hour
		p.workThisHour = 0
	}
	p.workThisHour += work
}

// hourOfWeek returns the hour of the week, 0 at midnight before Monday, of an hour counted
// from the epoch, which was a Thursday.
func hourOfWeek(hour int64) int64 { return (hour + 3*24) % hoursPerWeek }

// at returns the mean and the upper decile, in reference cores, of the hour of the week that
// holds t; seen is false where no such hour has passed.
func (p *profile) at(t time.Time) (mean, p90 float64, seen bool) {
	h := int(hourOfWeek(t.Add(p.offset).Unix() / 3600))
	n := min(p.visits[h], profileWeeks)
	if n == 0 {
		return 0, 0, false
	}
	var sorted [profileWeeks]float64
	copy(sorted[:], p.hours[h][:n])
	slices.Sort(sorted[:n])
	sum := 0.0
	for _, x := range sorted[:n] {
		sum += x
	}
	return sum / float64(n), sorted[min(int(0.9*float64(n)), n-1)], true
}
