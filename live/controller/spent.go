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
	before := s.Paid
	s.Paid = make([]paid, 0, len(instances))
	for i := range instances {
		in := &instances[i]
		if in.Phase == policy.Requested { // EC2 has not confirmed it
			continue
		}
		from := in.LaunchedAt
		if k, known := slices.BinarySearchFunc(before, in.ID, func(p paid, id policy.InstanceID) int { return int(p.Instance - id) }); known {
			from = before[k].Until
		}
		if long := in.PaidUntil.Sub(from); long > 0 {
			cost := policy.MicroUSD(policy.MulDiv(int64(long), int64(c.Types[in.Type].PerHour), int64(time.Hour)))
			s.Hour += cost
			s.Day += cost
			s.Month += cost
			s.Total += cost
			from = in.PaidUntil
		}
		s.Paid = append(s.Paid, paid{in.ID, from})
	}
}
