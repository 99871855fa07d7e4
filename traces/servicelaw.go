package traces

import (
	"fmt"
	"math"
	"time"
)

// Law is a family of distributions of service times.
type Law uint8

const (
	Exponential   Law = iota // SCV 1
	Deterministic            // always the mean
	LognormalLaw             // of any SCV
)

// ServiceTime is a distribution of service times on a reference core.
type ServiceTime struct {
	Law  Law
	Mean time.Duration // 1 µs to 1 year
	SCV  float64       // squared coefficient of variation of LognormalLaw; 0 to 1000
}

func (s ServiceTime) validate(key string) error {
	const year = 365 * 24 * time.Hour
	switch {
	case s.Law > LognormalLaw:
		return fmt.Errorf("%s.law = %d: must be exponential, deterministic or lognormal", key, s.Law)
	case s.Mean < time.Microsecond || s.Mean > year:
		return fmt.Errorf("%s.mean = %v: must be from 1µs to %v", key, s.Mean, year)
	case s.Law == LognormalLaw && !(s.SCV >= 0 && s.SCV <= 1000):
		return fmt.Errorf("%s.scv = %v: must be from 0 to 1000", key, s.SCV)
	}
	return nil
}

// drawer returns a function that draws a service time in ns.
func (s ServiceTime) drawer() func(*stream) int64 {
	mean := float64(s.Mean)
	switch s.Law {
	case Deterministic:
		return func(*stream) int64 { return int64(s.Mean) }
	case LognormalLaw:
		sigma := math.Sqrt(log(1 + s.SCV))
		q := newQuantiles(lognormal(mean/math.Sqrt(1+s.SCV), sigma, TimeMax))
		return func(d *stream) int64 { return roundPositive(q.at(d.Next())) }
	default:
		return func(d *stream) int64 { return roundPositive(float64(d.Exponential() * mean)) }
	}
}
