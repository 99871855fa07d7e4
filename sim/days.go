package sim

import (
	"math/bits"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// DayRow is one clock day of the judged time: what a comparison resamples. The
// days of a run sum to its judged figures; the first and the last may be short.
type DayRow struct {
	Start   time.Duration // the day's midnight on the users' clock, since the trace's start; may be negative
	LengthS float64       // of it that was judged, seconds
	// CostUSD of windows, or seconds, that began on it, as seen at ticks: what began
	// since the last tick before a midnight, or before JudgeFrom, counts after it.
	CostUSD float64
	// WorkCoreS arrived on it, in reference core-seconds.
	WorkCoreS float64
	// Slot-seconds.
	Ready, Busy float64
	Classes     []DayClass // as Config.Classes
}

// DayClass are a class's jobs that arrived on a day: done or already late at
// the end, those in time among them, and how long the done ones took.
type DayClass struct {
	Judged, InTime int64
	Times          Times
}

// Times counts durations of the measure that a class is judged on in buckets
// of a sixteenth of an octave: quantiles within 4 %. The zero Times is empty.
type Times struct {
	First  int      `json:"first"` // index of the first bucket
	Counts []uint32 `json:"counts"`
}

// daySums are the judged sums of a clock day.
type daySums struct {
	ready, busy float64 // of the whole day, judged or not: slack per day
	judgedReady float64
	judgedBusy  float64
	judged      int64 // ns
	spent       policy.MicroUSD
	work        float64
}

// bookDay adds what was spent and what work arrived since the last booking to the
// day, once judging has begun. Work is counted to the instant; spending is as the
// ledger of the last tick had it.
func (s *stats) bookDay(day *daySums, m stepMark) {
	ready, busy := seconds(m.rawReady-s.dayMark.rawReady), seconds(m.rawBusy-s.dayMark.rawBusy)
	day.ready += ready
	day.busy += busy
	if s.judgeAt == nil {
		return
	}
	day.judgedReady += ready - s.unjudged.ready
	day.judgedBusy += busy - s.unjudged.busy
	day.judged += m.at - max(s.dayMark.at, s.judgeFrom)
	s.unjudged = stepMark{}
	day.spent += s.spent - s.daySpent
	day.work += s.judgedWork - s.dayWork
	s.daySpent, s.dayWork = s.spent, s.judgedWork
}

// dayRows returns the judged days. Costs sum to the judged cost: a bill that
// was settled only at the end, or waived, is spread over the days as they were
// spent on.
func (s *stats) dayRows() []DayRow {
	const dayNs = 24 * hourNs
	if s.judgeAt == nil {
		return nil
	}
	first := int(s.clock(s.judgeFrom) / dayNs)
	var spent policy.MicroUSD
	for i := first; i < len(s.days); i++ {
		spent += s.days[i].spent
	}
	scale := 1.0
	if spent > 0 {
		scale = s.judgedCost.Dollars() / spent.Dollars()
	}
	var rows []DayRow
	for i := first; i < len(s.days); i++ {
		d := &s.days[i]
		row := DayRow{
			Start:   time.Duration(int64(i)*dayNs - s.clockZero),
			LengthS: seconds(d.judged), CostUSD: d.spent.Dollars() * scale, WorkCoreS: d.work * 1e-9 * s.reference(),
			Ready: d.judgedReady, Busy: d.judgedBusy,
		}
		for k := range s.classes {
			row.Classes = append(row.Classes, s.dayClass(k, i))
		}
		rows = append(rows, row)
	}
	return rows
}

// dayClass returns the jobs of a class on a day. An hour that judging begins in
// counts for attainment with its judged jobs, and not for times.
func (s *stats) dayClass(class, day int) DayClass {
	var c DayClass
	hours := s.classes[class].hours
	for h := day * 24; h < min((day+1)*24, len(hours)); h++ {
		c.Judged += hours[h].judged
		c.InTime += hours[h].inTime
	}
	width := s.latency.width
	blocks := s.latency.blocks[class]
	from := max(int64(day)*24*hourNs, s.clock(s.judgeFrom))
	var sum smallHist
	for p := (from + width - 1) / width; p*width < int64(day+1)*24*hourNs && p < int64(len(blocks)); p++ {
		if h := blocks[p]; h != nil {
			sum.n += h.n
			for b, k := range h.count {
				sum.count[b] += k
			}
		}
	}
	c.Times = sum.times()
	return c
}

func (h *smallHist) times() Times {
	last := smallBuckets
	for last > 0 && h.count[last-1] == 0 {
		last--
	}
	first := 0
	for first < last && h.count[first] == 0 {
		first++
	}
	if first == last {
		return Times{}
	}
	return Times{First: first, Counts: append([]uint32(nil), h.count[first:last]...)}
}

// TimesEdge returns where bucket i of Times begins, in seconds.
func TimesEdge(i int) float64 {
	if i <= 0 {
		return 0
	}
	octave, sub := i/16+smallLow, int64(i%16)
	return float64((16+sub)<<(octave-4)) * 1e-9
}

// TimesBuckets is how many buckets there are.
const TimesBuckets = smallBuckets

// bucketOf returns the bucket that a time falls in.
func bucketOf(ns int64) int {
	if ns < 1<<smallLow {
		return 0
	}
	octave := bits.Len64(uint64(ns)) - 1
	return min((octave-smallLow)*16+int(ns>>(octave-4)&15), smallBuckets-1)
}
