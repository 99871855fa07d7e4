package baseline

import (
	"fmt"
	"time"

	"github.com/skynet-ec2/skynet/policy/detmath"
)

// cellOf returns which of the time line's cells of the given width holds t, on
// the users' clock. Modulo the cells of a day or a week it is the time of day
// or of the week.
func cellOf(t time.Time, offset, width time.Duration) int64 {
	ns := t.UnixNano() + int64(offset)
	cell := ns / int64(width)
	if ns < 0 && ns%int64(width) != 0 {
		cell--
	}
	return cell
}

// modulo returns the non-negative rest of a/n.
func modulo(a int64, n int) int {
	r := a % int64(n)
	if r < 0 {
		r += int64(n)
	}
	return int(r)
}

// profileCell is the width of a profile's cells.
const profileCell = 10 * time.Minute

const (
	profileDay  = int(24 * time.Hour / profileCell)
	profileWeek = 7 * profileDay
	// profileMemory is the weight of a cell's newest value once it is known
	// well: three such weeks ago count for half.
	profileMemory = 0.2
)

// A profile learns the mean of a value by the time of day and of the week.
type profile struct {
	Day  []profileMean `json:"day,omitempty"`
	Week []profileMean `json:"week,omitempty"`
	// Cell is the cell being filled, its Sum of value × seconds and Seconds.
	Cell    int64   `json:"cell"`
	Sum     float64 `json:"sum"`
	Seconds float64 `json:"seconds"`
}

type profileMean struct {
	Mean float64 `json:"mean"`
	Seen int     `json:"seen"` // 0: never
}

func (m *profileMean) add(x float64) {
	m.Seen++
	m.Mean += float64((x - m.Mean) * max(profileMemory, 1/float64(m.Seen)))
}

// add notes that the value was x over the given seconds before t.
func (p *profile) add(t time.Time, offset time.Duration, x, seconds float64) {
	if p.Week == nil {
		p.Day, p.Week = make([]profileMean, profileDay), make([]profileMean, profileWeek)
	}
	// the time just before t: at a cell's first instant its value is not over
	if cell := cellOf(t.Add(-1), offset, profileCell); cell != p.Cell {
		p.close()
		p.Cell = cell
	}
	p.Sum += float64(x * seconds)
	p.Seconds += seconds
}

// close moves the cell being filled into the means.
func (p *profile) close() {
	if p.Seconds > 0 {
		x := p.Sum / p.Seconds
		p.Day[modulo(p.Cell, profileDay)].add(x)
		p.Week[modulo(p.Cell, profileWeek)].add(x)
	}
	p.Sum, p.Seconds = 0, 0
}

// at returns the mean expected at t, from the same time of the week or, before
// that was seen, of the day. It reports false when neither was.
func (p *profile) at(t time.Time, offset time.Duration) (float64, bool) {
	if p.Week == nil {
		return 0, false
	}
	cell := cellOf(t, offset, profileCell)
	if m := &p.Week[modulo(cell, profileWeek)]; m.Seen > 0 {
		return m.Mean, true
	}
	m := &p.Day[modulo(cell, profileDay)]
	return m.Mean, m.Seen > 0
}

// peak returns the highest mean expected from t to t+over.
func (p *profile) peak(t time.Time, offset, over time.Duration) (float64, bool) {
	best, known := p.at(t, offset)
	for step := profileCell; step < over+profileCell; step += profileCell {
		x, ok := p.at(t.Add(min(step, over)), offset)
		if ok && (!known || x > best) {
			best, known = x, true
		}
	}
	return best, known
}

const (
	// levelWindow is the time constant of a level.
	levelWindow = 30 * time.Minute
	// levelPrior is the value × seconds at which what was seen weighs as much as
	// what the profile says: ten slots for a minute.
	levelPrior = 600.0
)

// A level compares what was seen of late with what the profile said of it, in
// value × seconds.
type level struct {
	Seen float64 `json:"seen"`
	Said float64 `json:"said"`
}

// note adds a value that stood for so many seconds and, where it is known, what
// the profile says of that time; all is forgotten with a time constant.
func (l *level) note(seen, said float64, known bool, seconds, window float64) {
	keep := detmath.Exp(-seconds / window)
	l.Seen, l.Said = float64(l.Seen*keep), float64(l.Said*keep)
	if known {
		l.Seen += float64(seen * seconds)
		l.Said += float64(said * seconds)
	}
}

// factor returns what to multiply the profile by: the ratio of the two, shrunk
// towards 1 by the prior, which is the mean of a Gamma-Poisson model.
func (l *level) factor() float64 { return (levelPrior + l.Seen) / (levelPrior + l.Said) }

func (p *profile) check() error {
	if (p.Day != nil || p.Week != nil) && (len(p.Day) != profileDay || len(p.Week) != profileWeek) {
		return fmt.Errorf("profile of %d and %d cells: must be %d and %d", len(p.Day), len(p.Week), profileDay, profileWeek)
	}
	return nil
}

// seasonal is a profile with the level of late.
type seasonal struct {
	Profile profile `json:"profile"`
	Level   level   `json:"level"`
}

// learn notes that the value stood at x since the last tick. At the first tick
// nothing is known of the time before it.
func (p *seasonal) learn(s *signals, offset time.Duration, x float64) {
	if s.sinceRun == forever || s.sinceRun <= 0 {
		return
	}
	elapsed := s.sinceRun.Seconds()
	here, known := p.Profile.at(s.now.Add(-s.sinceRun/2), offset)
	p.Level.note(x, here, known, elapsed, levelWindow.Seconds())
	p.Profile.add(s.now, offset, x, elapsed)
}

// forecast returns the value expected at t, and whether anything is known of it.
func (p *seasonal) forecast(t time.Time, offset time.Duration) (float64, bool) {
	x, known := p.Profile.at(t, offset)
	return float64(x * p.Level.factor()), known
}

func (p *seasonal) check() error { return p.Profile.check() }
