package observe

import (
	"slices"
	"time"
)

// profile is the work that arrives by hour of the week on the users' clock, in
// reference cores, over the last weeks.
type profile struct {
	offset  time.Duration
	hours   [168][profileWeeks]float64
	weeks   [168]int // how many entries are filled
	current int64    // hour since the epoch, shifted; 0: none yet
	work    float64  // in the current hour
}

const profileWeeks = 8

// add books the work that arrived since the last tick, up to now: at the full
// hour that is still the hour before's.
func (p *profile) add(now time.Time, work float64) {
	hour := now.Add(p.offset-time.Nanosecond).Unix() / 3600
	if p.current == 0 {
		p.current = hour
	}
	if hour != p.current {
		// the hour before the first whole one is incomplete: it is kept all the
		// same, a low guess is better than none
		h := int(hourOfWeek(p.current))
		n := p.weeks[h]
		p.hours[h][n%profileWeeks] = p.work / 3600
		p.weeks[h]++
		p.current = hour
		p.work = 0
	}
	p.work += work
}

// hourOfWeek of an hour counted from the Unix epoch, a Thursday: 0 is Monday
// midnight.
func hourOfWeek(hour int64) int64 { return (hour + 3*24) % 168 }

// at returns mean and upper decile of the hour of the week that holds t.
func (p *profile) at(t time.Time) (mean, p90 float64, seen bool) {
	h := int(hourOfWeek(t.Add(p.offset).Unix() / 3600))
	n := min(p.weeks[h], profileWeeks)
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
