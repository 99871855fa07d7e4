package skynet

import (
	"errors"
	"fmt"
)

// What a saved state may hold at most. No fleet comes near it, and sums and counters of
// larger numbers would overflow.
const (
	amountMost  = 1e18    // of sums, loads and times
	samplesMost = 1 << 53 // of counters: whole numbers are exact up to here as float64
)

// ranges collects what in a state is out of its bounds.
type ranges struct{ problems []error }

// number takes a value that must be from low to high; NaN is not.
func (r *ranges) number(name string, x, low, high float64) {
	if !(x >= low && x <= high) {
		r.problems = append(r.problems, fmt.Errorf("skynet: state: %s = %v: must be from %v to %v", name, x, low, high))
	}
}

// amounts takes sums, loads and times, none of which may be negative.
func (r *ranges) amounts(name string, all ...float64) {
	for _, x := range all {
		r.number(name, x, 0, amountMost)
	}
}

// samples takes a counter.
func (r *ranges) samples(name string, n int64) {
	if n < 0 || n > samplesMost {
		r.problems = append(r.problems, fmt.Errorf("skynet: state: %s = %d: must be from 0 to %d", name, n, int64(samplesMost)))
	}
}

// check returns an error when no policy of so many classes can have come to this state.
func (st *state) check(classes int) error {
	if n := len(st.Steer.Classes); n != classes {
		return fmt.Errorf("skynet: state: %d classes: must be %d", n, classes)
	}
	if n := len(st.Lines); n > linesMax {
		return fmt.Errorf("skynet: state: %d lines: must be at most %d", n, linesMax)
	}
	var r ranges
	r.samples("kept", int64(st.Kept))
	r.samples("samples", st.Samples)
	r.amounts("sampled_s", st.SampledS)
	for i := range st.Lines {
		if i > 0 && st.Lines[i].Priority <= st.Lines[i-1].Priority {
			r.problems = append(r.problems, fmt.Errorf("skynet: state: line %d has priority %d: must be more than %d, of the line before", i, st.Lines[i].Priority, st.Lines[i-1].Priority))
		}
		st.Lines[i].check(&r, i)
	}
	st.Shape.check(&r, "shape")
	r.amounts("off", st.Off.Total)
	r.amounts("off.bins", st.Off.Bins[:]...)
	for i := range st.Steer.Classes {
		st.Steer.Classes[i].check(&r, i)
	}
	r.samples("fan.samples", st.Fan.Samples)
	r.amounts("fan.work", st.Fan.Work)
	r.samples("slack.n", st.Slack.N)
	r.amounts("slack.load", st.Slack.Load)
	r.amounts("slack.ready", st.Slack.Ready[:]...)
	r.amounts("slack.busy", st.Slack.Busy[:]...)
	st.Slack.Usual.check(&r, "slack.usual")
	return errors.Join(r.problems...)
}

// check takes what the line at index i remembers.
func (l *level) check(r *ranges, i int) {
	name := fmt.Sprintf("lines[%d]", i)
	r.amounts(name, l.Head, l.Tail, l.TailHold, l.SinceHead, l.SinceTail, l.SinceTailHold, l.SinceJobs)
	s := &l.Spread
	r.samples(name+".spread.samples", s.Samples)
	r.samples(name+".spread.phi.n", s.Phi.N)
	r.amounts(name+".spread.phi", s.Phi.Value, s.Phi.LastLoad)
	r.amounts(name+".spread.phi.forecasts", s.Phi.Forecasts[:]...)
	q := &s.Quantile
	r.amounts(name+".spread.quantile", q.Mean2, q.Mean10, q.Mean60, q.Spread)
	r.amounts(name+".spread.quantile.weights", q.Weights[:]...)
	r.amounts(name+".spread.quantile.squares", q.Squares[:]...)
	r.amounts(name+".spread.quantile.loads", q.Loads[:]...)
	for j := range q.Features {
		r.amounts(name+".spread.quantile.features", q.Features[j][:]...)
	}
}

// check takes the profile of the given name.
func (s *shape) check(r *ranges, name string) {
	r.samples(name+".n", s.Count)
	r.amounts(name+".sum", s.Sum)
	for _, bins := range [][]bin{s.Day[:], s.Week[:]} {
		for i := range bins {
			r.amounts(name+".l", bins[i].Load)
			r.samples(name+".v", bins[i].Visits)
		}
	}
}

// check takes the books of the class at index i.
func (c *classBooks) check(r *ranges, i int) {
	name := fmt.Sprintf("steer.classes[%d]", i)
	r.amounts(name, c.Started, c.Late, c.PerDay, c.SeenS, c.IdleS, c.BaseS, c.BarS, c.BaseLate)
	r.amounts(name+".hours", c.Hours.Started, c.Hours.Late, c.Hours.Worst)
	r.number(name+".debt", c.Debt, 0, debtMost)
	r.number(name+".z", c.Z, zLow, zHigh)
	r.number(name+".hour_z", c.HourZ, zLow, zHigh)
	r.number(name+".lax", c.LogTolerance, 0, logToleranceMost)
	r.number(name+".spare", c.Spare, -amountMost, amountMost)
	r.number(name+".base_z", c.BaseZ, zLow, zHigh)
}
