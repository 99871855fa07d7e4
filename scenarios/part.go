package scenarios

import (
	"io"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/sim"
	"github.com/skynet-ec2/skynet/traces"
)

// Part returns the world of a part of its trace: runs begin with an empty
// fleet at from, are judged from judge on and end at to; to 0 is where they end
// anyway. Times are since the trace's start. Faults and windows stay where they
// were on the calendar; those before the part are gone. The part shares the trace
// in memory with w.
func (w *World) Part(from, judge, to time.Duration) *World {
	part := *w
	part.from, part.to = from, to
	c := &part.config
	c.Start = c.Start.Add(from)
	c.JudgeFrom = judge - from
	switch {
	case to > 0:
		c.Duration = to - from
	case c.Duration > 0:
		c.Duration -= from
	}
	c.Faults = nil
	for _, f := range w.config.Faults {
		if f.To > 0 && f.To <= from || f.To == 0 && f.From < from && f.Kind == sim.Crash && f.Rate == 0 {
			continue
		}
		f.From = max(f.From-from, 0)
		if f.To > 0 {
			f.To -= from
		}
		c.Faults = append(c.Faults, f)
	}
	c.Windows = slices.Clone(w.config.Windows)
	for i := range c.Windows {
		if x := &c.Windows[i]; !x.Weekly {
			x.From -= from
			x.To -= from
		}
	}
	return &part
}

// part returns what the world's part of the trace has of src.
func (w *World) part(src traces.Source) traces.Source {
	if w.from == 0 && w.to == 0 {
		return src
	}
	return traces.Cut(src, w.from, w.to)
}

// Span returns for how long the scenario's jobs arrive: its duration or, where
// that is not given, until the last arrival of its trace. The error is that of
// reading the trace.
func (w *World) Span() (time.Duration, error) {
	if d := w.scenario.Duration; d > 0 {
		return d, nil
	}
	src, err := w.Source(w.scenario.Seed)
	if err != nil {
		return 0, err
	}
	defer src.Close()
	var b traces.Batch
	var last time.Duration
	for {
		err := src.Next(&b)
		if err == io.EOF {
			return last, nil
		}
		if err != nil {
			return 0, err
		}
		last = time.Duration(b.Arrival[b.Len()-1])
	}
}
