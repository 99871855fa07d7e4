package traces

import (
	"io"
	"math"
	"slices"
	"sort"
	"time"
)

// Scale returns src with every service time, and every estimate of one,
// multiplied by serviceScale (more than 0) and rounded to the nanosecond, at
// least 1 and at most TimeMax. It takes ownership of src: closing the result
// closes src.
func Scale(src Source, serviceScale float64) Source {
	if serviceScale == 1 {
		return src
	}
	return &scaled{Source: src, by: serviceScale}
}

type scaled struct {
	Source
	by                float64
	service, estimate []int64
}

func (s *scaled) Next(b *Batch) error {
	if err := s.Source.Next(b); err != nil {
		return err
	}
	s.service = slices.Grow(s.service[:0], b.Len())[:b.Len()]
	for i, v := range b.Service {
		s.service[i] = roundPositive(float64(v) * s.by)
	}
	b.Service = s.service
	if b.Estimate != nil {
		s.estimate = slices.Grow(s.estimate[:0], b.Len())[:b.Len()]
		for i, v := range b.Estimate {
			s.estimate[i] = 0
			if v > 0 {
				s.estimate[i] = roundPositive(float64(v) * s.by)
			}
		}
		b.Estimate = s.estimate
	}
	return nil
}

// Cut returns the jobs of src that arrive in [from, to), counted and timed
// from there: arrival from becomes 0. A to of 0 stands for the end of src. It
// takes ownership of src: closing the result closes src.
func Cut(src Source, from, to time.Duration) Source {
	if to == 0 {
		to = math.MaxInt64
	}
	return &cut{src: src, from: int64(from), to: int64(to)}
}

type cut struct {
	src      Source
	from, to int64
	arrival  []int64
	jobs     int64
	last     int64
	done     bool
}

func (c *cut) Next(b *Batch) error {
	for !c.done {
		if err := c.src.Next(b); err != nil {
			c.done = err == io.EOF
			return err
		}
		n := b.Len()
		lo := sort.Search(n, func(i int) bool { return b.Arrival[i] >= c.from })
		hi := lo + sort.Search(n-lo, func(i int) bool { return b.Arrival[lo+i] >= c.to })
		c.done = hi < n
		if lo == hi {
			continue
		}
		*b = b.slice(lo, hi)
		c.arrival = slices.Grow(c.arrival[:0], b.Len())[:b.Len()]
		for i, at := range b.Arrival {
			c.arrival[i] = at - c.from
		}
		b.Arrival = c.arrival
		b.First = c.jobs
		c.jobs += int64(b.Len())
		c.last = b.Arrival[b.Len()-1]
		return nil
	}
	return io.EOF
}

func (c *cut) Meta() Meta {
	m := c.src.Meta()
	if !m.Start.IsZero() {
		m.Start = m.Start.Add(time.Duration(c.from))
	}
	m.Jobs, m.Span = -1, 0
	if c.done {
		m.Jobs, m.Span = c.jobs, time.Duration(c.last)
	}
	return m
}

func (c *cut) Close() error { return c.src.Close() }
