package source

import (
	"maps"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/policy"
)

// line is the jobs that wait, by when they arrived if they are served in that
// order. The zero line is empty.
type line struct {
	batches []batch // ascending
	total   int64
}

// batch is the jobs that arrived within one step of policy.AgeStep.
type batch struct{ step, jobs int64 }

// batchesMax bounds a line's memory; beyond it the oldest jobs count as of one time.
const batchesMax = 1024

func stepOf(at time.Time) int64 { return at.UnixNano() / int64(policy.AgeStep) }

// arrive adds n jobs that arrived after last and by now, evenly.
func (l *line) arrive(last, now time.Time, n int64) {
	from, to := stepOf(last), stepOf(now)
	from = max(min(from+1, to), to-batchesMax/2)
	steps := to - from + 1
	for s := from; s <= to; s++ {
		jobs := n / steps
		if to-s < n%steps {
			jobs++
		}
		l.add(s, jobs)
	}
}

// add adds jobs that arrived in a step.
func (l *line) add(step, jobs int64) {
	if jobs <= 0 {
		return
	}
	l.total += jobs
	i, there := slices.BinarySearchFunc(l.batches, step, func(b batch, s int64) int { return int(b.step - s) })
	if there {
		l.batches[i].jobs += jobs
	} else {
		l.batches = slices.Insert(l.batches, i, batch{step, jobs})
	}
	for len(l.batches) > batchesMax {
		l.batches[0].jobs += l.batches[1].jobs
		l.batches = slices.Delete(l.batches, 1, 2)
	}
}

// waited is how long jobs had waited that have left the line.
type waited struct {
	wait time.Duration
	jobs int64
}

// fill makes the line as long as it is known to be: the first in it have left, or
// some came back that had left before the last reading. It returns how long those
// that left had waited. The age of the oldest job corrects the line, if it is
// known.
func (l *line) fill(last, now time.Time, length int64, oldestS Figure) []waited {
	var left []waited
	for l.total > length {
		first := &l.batches[0]
		n := min(first.jobs, l.total-length)
		left = append(left, waited{now.Sub(time.Unix(0, first.step*int64(policy.AgeStep))), n})
		first.jobs -= n
		l.total -= n
		if first.jobs == 0 {
			l.batches = slices.Delete(l.batches, 0, 1)
		}
	}
	eldest := stepOf(last)
	if oldestS.Known {
		eldest = stepOf(now.Add(-time.Duration(oldestS.Value * float64(time.Second))))
	} else if len(l.batches) > 0 {
		eldest = min(eldest, l.batches[0].step)
	}
	l.add(eldest, length-l.total)
	if oldestS.Known && l.total > 0 {
		l.correct(eldest)
	}
	return left
}

// correct makes the first job in the line of a step.
func (l *line) correct(eldest int64) {
	younger := slices.IndexFunc(l.batches, func(b batch) bool { return b.step > eldest })
	older := int64(0)
	if younger < 0 {
		younger = len(l.batches)
	}
	for _, b := range l.batches[:younger] {
		older += b.jobs
	}
	l.batches = slices.Delete(l.batches, 0, younger)
	if older == 0 { // one job is that old; of those behind it nothing is known
		older = 1
		if l.batches[0].jobs--; l.batches[0].jobs == 0 {
			l.batches = slices.Delete(l.batches, 0, 1)
		}
	}
	l.batches = slices.Insert(l.batches, 0, batch{eldest, older})
}

// arrivals returns the line as a queue shows it.
func (l *line) arrivals() []api.Count {
	var all []api.Count
	for _, b := range l.batches {
		all = append(all, api.Count{Of: b.step, Jobs: b.jobs})
	}
	return all
}

// counts returns a histogram, ascending.
func counts(of map[int64]int64) []api.Count {
	var all []api.Count
	for _, key := range slices.Sorted(maps.Keys(of)) {
		all = append(all, api.Count{Of: key, Jobs: of[key]})
	}
	return all
}
