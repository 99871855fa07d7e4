package sim

import "time"

// latencyLog keeps a class's latencies by clock hour of arrival, by day for
// runs of more than two months: a run that says how long it is from the start,
// another from the first arrival after that on.
type latencyLog struct {
	width  int64
	blocks [][]*smallHist // by class, by period
}

// smallHist counts times in 16 buckets per octave from 2^20 ns on: quantiles
// for plots, within 4 %.
type smallHist struct {
	n, late int64
	count   [smallBuckets]uint32
}

const (
	smallLow     = 20
	smallBuckets = 16 * 32
)

const (
	// hourlyMost is how long a run has latencies by the hour: a longer one would be
	// a picture of noise, and memory would grow with its length.
	hourlyMost = 62 * dayHours * time.Hour
	dayHours   = 24
)

func (l *latencyLog) start(cfg *Config) {
	l.width = hourNs
	if cfg.Duration > hourlyMost {
		l.width = dayHours * hourNs
	}
	l.blocks = make([][]*smallHist, len(cfg.Classes))
}

func (l *latencyLog) add(s *stats, class int32, arrival, wait, sojourn int64) {
	if l.width == hourNs && arrival >= int64(hourlyMost) {
		l.byDay()
	}
	p := int(s.clock(arrival) / l.width)
	blocks := l.blocks[class]
	for len(blocks) <= p {
		blocks = append(blocks, nil)
	}
	l.blocks[class] = blocks
	if blocks[p] == nil {
		blocks[p] = &smallHist{}
	}
	c := &s.classes[class]
	took := sojourn
	if c.onWait {
		took = wait
	}
	blocks[p].add(took, took > c.target)
}

// byDay makes days of the hours.
func (l *latencyLog) byDay() {
	l.width = dayHours * hourNs
	for class, hours := range l.blocks {
		var days []*smallHist
		for p, h := range hours {
			if p%dayHours == 0 {
				days = append(days, nil)
			}
			switch day := days[len(days)-1]; {
			case h == nil:
			case day == nil:
				days[len(days)-1] = h
			default:
				day.merge(h)
			}
		}
		l.blocks[class] = days
	}
}

// merge adds what other counted.
func (h *smallHist) merge(other *smallHist) {
	h.n += other.n
	h.late += other.late
	for b, c := range other.count {
		h.count[b] += c
	}
}

func (h *smallHist) add(ns int64, late bool) {
	h.n++
	if late {
		h.late++
	}
	h.count[bucketOf(ns)]++
}

func (h *smallHist) quantile(permille int64) time.Duration {
	rank := (h.n*permille + 999) / 1000
	seen := int64(0)
	for b, c := range h.count {
		seen += int64(c)
		if seen >= rank {
			if b == 0 {
				return 0
			}
			octave, sub := b/16+smallLow, int64(b%16)
			return time.Duration((16+sub)<<(octave-4) + 1<<(octave-5))
		}
	}
	return 0
}

// rows returns the log by class and period.
func (l *latencyLog) rows(s *stats) []LatencyRow {
	var rows []LatencyRow
	zero := s.clockZero
	for class, blocks := range l.blocks {
		for p, h := range blocks {
			if h == nil {
				continue
			}
			rows = append(rows, LatencyRow{
				Hour: time.Duration(int64(p)*l.width - zero), Class: class, Jobs: h.n, Late: h.late,
				P50: h.quantile(500), P95: h.quantile(950), P99: h.quantile(990),
			})
		}
	}
	return rows
}
