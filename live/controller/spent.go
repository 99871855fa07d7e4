package controller

import (
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// Spent is what the fleet has cost: every window, or second, that has begun. The
// zero Spent has cost nothing.
type Spent struct {
	Hour  policy.MicroUSD `json:"hour"` // in the clock hour, day and month of At
	Day   policy.MicroUSD `json:"day"`
	Month policy.MicroUSD `json:"month"`
	Total policy.MicroUSD `json:"total"`
	At    time.Time       `json:"at"` // on the users' clock
	// Paid is up to when instances are paid, by number.
	Paid []paid `json:"paid,omitempty"`
}

type paid struct {
	Instance policy.InstanceID `json:"instance"`
	Until    time.Time         `json:"until"`
}

// book adds what instances have begun to cost since it was last called. local is
// the time on the users' clock: hours, days and months are theirs.
func (s *Spent) book(local time.Time, instances []policy.Instance, c *policy.Catalog) {
	s.turn(local)
	before := s.Paid
	s.Paid = make([]paid, 0, len(instances))
	for i := range instances {
		if in := &instances[i]; in.Phase != policy.Requested { // EC2 has confirmed it
			s.Paid = append(s.Paid, s.pay(before, in, c))
		}
	}
}

// close adds what instances that end now, between two calls of book, have begun to
// cost since the last.
func (s *Spent) close(local time.Time, ended []policy.Instance, c *policy.Catalog) {
	s.turn(local)
	for i := range ended {
		at, known := s.find(s.Paid, ended[i].ID)
		p := s.pay(s.Paid, &ended[i], c)
		if known {
			s.Paid[at] = p
		} else {
			s.Paid = slices.Insert(s.Paid, at, p)
		}
	}
}

// turn begins another hour, day or month.
func (s *Spent) turn(local time.Time) {
	y, m, d := local.Date()
	ly, lm, ld := s.At.Date()
	switch {
	case y != ly || m != lm:
		s.Hour, s.Day, s.Month = 0, 0, 0
	case d != ld:
		s.Hour, s.Day = 0, 0
	case local.Hour() != s.At.Hour():
		s.Hour = 0
	}
	s.At = local
}

// find returns the place of an instance in a list of what is paid.
func (s *Spent) find(list []paid, id policy.InstanceID) (at int, known bool) {
	return slices.BinarySearchFunc(list, id, func(p paid, id policy.InstanceID) int { return int(p.Instance - id) })
}

// pay adds what an instance costs beyond what was paid before, and returns up to
// when it is paid.
func (s *Spent) pay(before []paid, in *policy.Instance, c *policy.Catalog) paid {
	from := in.LaunchedAt
	if at, known := s.find(before, in.ID); known {
		from = before[at].Until
	}
	if long := in.PaidUntil.Sub(from); long > 0 {
		cost := policy.MicroUSD(policy.MulDiv(int64(long), int64(c.Types[in.Type].PerHour), int64(time.Hour)))
		s.Hour += cost
		s.Day += cost
		s.Month += cost
		s.Total += cost
		from = in.PaidUntil
	}
	return paid{in.ID, from}
}
