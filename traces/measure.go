package traces

import (
	"cmp"
	"fmt"
	"io"
	"math"
	"slices"
	"time"
)

// Stats describes a trace in numbers. Counts are of jobs; an index of
// dispersion (IDC) is the variance of the counts in windows of one length
// over their mean, 1 for a Poisson process; an SCV is a squared coefficient
// of variation, variance over mean squared. Figures that cannot be known, for
// want of jobs or of time, are nil.
type Stats struct {
	Name      string        `json:"name"`
	Start     *time.Time    `json:"start,omitempty"`
	UTCOffset time.Duration `json:"-"`
	Jobs      int64         `json:"jobs"`
	SpanS     float64       `json:"span_s"` // from the first arrival to the last
	PerMinute float64       `json:"jobs_per_minute"`
	Kinds     []KindStats   `json:"kinds"` // most jobs first

	IDCMinute     *float64 `json:"idc_1m"`
	IDCTenMinutes *float64 `json:"idc_10m"`
	IDCHour       *float64 `json:"idc_1h"`
	GapSCV        *float64 `json:"gap_scv"`
	MinuteMax     int64    `json:"max_in_1m"`

	// Profile is the rate in each local hour of the week, Monday 0 h first,
	// relative to the mean; nil entries were never seen. Hours are counted from the
	// first arrival, and each is of the hour of the week in which it begins.
	Profile [168]*float64 `json:"hour_of_week"`
	// CycleR2 is the share of the hourly counts' variance that the hour of the
	// week explains; nil below two weeks.
	CycleR2 *float64 `json:"hour_of_week_r2"`
	// DayPeak and DayTrough are the rates in the busiest and the quietest hour
	// of the day, relative to the mean.
	DayPeak   *float64 `json:"hour_of_day_peak"`
	DayTrough *float64 `json:"hour_of_day_trough"`

	Service     *ServiceStats `json:"service_s"`
	OfferedLoad *float64      `json:"offered_load"` // mean cores of reference speed that the work keeps busy
	Bursts      BurstStats    `json:"bursts"`
}

// KindStats counts the jobs of a type and priority.
type KindStats struct {
	Type     string  `json:"type"`
	Priority uint8   `json:"priority"`
	Jobs     int64   `json:"jobs"`
	MeanS    float64 `json:"service_mean_s"`
}

// ServiceStats describes service times, in seconds on the trace's reference
// core. Quantiles are nearest-rank, within 0.1 %.
type ServiceStats struct {
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	Max  float64 `json:"max"`
	SCV  float64 `json:"scv"`
}

// Measure reads src to its end and returns its statistics. The hours of its
// profile are those of a clock that is offset ahead of UTC; a trace of
// unknown start is taken to begin on a Monday at 0 h. It does not close src.
func Measure(src Source, offset time.Duration) (*Stats, error) {
	m := measurer{offset: offset, service: newHistogram(), places: map[typePriority]int{}}
	var b Batch
	for {
		err := src.Next(&b)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		m.add(&b)
	}
	return m.stats(src.Meta()), nil
}

type measurer struct {
	offset  time.Duration
	jobs    int64
	first   int64
	last    int64
	minutes []minute // that saw a job, in order

	gaps, gapSquares       float64 // s, s²
	services, serviceSumSq float64
	service                *histogram

	group  []int // of each kind of the trace: where its type and priority stand
	places map[typePriority]int
	kinds  []KindStats // by type and priority, over all sizes; means are sums yet
	bursts
}

// minute is one in which jobs arrived, counted from the first arrival.
type minute struct{ at, jobs int64 }

type typePriority struct {
	jobType  string
	priority uint8
}

func (m *measurer) add(b *Batch) {
	for _, k := range b.Kinds[len(m.group):] {
		at, known := m.places[typePriority{k.Type, k.Priority}]
		if !known {
			at = len(m.kinds)
			m.places[typePriority{k.Type, k.Priority}] = at
			m.kinds = append(m.kinds, KindStats{Type: k.Type, Priority: k.Priority})
			m.open = append(m.open, run{last: math.MinInt64 / 2})
		}
		m.group = append(m.group, at)
	}
	for i, at := range b.Arrival {
		if m.jobs > 0 {
			gap := float64(at-m.last) / 1e9
			m.gaps += gap
			m.gapSquares += float64(gap * gap)
		} else {
			m.first = at
		}
		m.jobs++
		m.last = at
		now := (at - m.first) / int64(time.Minute)
		if n := len(m.minutes); n == 0 || m.minutes[n-1].at != now {
			m.minutes = append(m.minutes, minute{at: now})
		}
		m.minutes[len(m.minutes)-1].jobs++
		service := b.Service[i]
		s := float64(service) / 1e9
		m.services += s
		m.serviceSumSq += float64(s * s)
		m.service.add(service)
		k := m.group[b.Kind[i]]
		m.kinds[k].Jobs++
		m.kinds[k].MeanS += s
		m.bursts.add(k, at)
	}
}

func (m *measurer) stats(meta Meta) *Stats {
	s := &Stats{Name: meta.Name, UTCOffset: m.offset, Jobs: m.jobs, SpanS: float64(m.last-m.first) / 1e9}
	if !meta.Start.IsZero() {
		start := meta.Start.UTC()
		s.Start = &start
	}
	if m.jobs == 0 {
		return s
	}
	if s.SpanS > 0 {
		s.PerMinute = float64(m.jobs) / (s.SpanS / 60)
		s.OfferedLoad = some(m.services / s.SpanS)
	}
	s.IDCMinute = dispersion(m.minutes, 1)
	s.IDCTenMinutes = dispersion(m.minutes, 10)
	s.IDCHour = dispersion(m.minutes, 60)
	for _, v := range m.minutes {
		s.MinuteMax = max(s.MinuteMax, v.jobs)
	}
	if n := float64(m.jobs - 1); n > 0 && m.gaps > 0 {
		mean := m.gaps / n
		s.GapSCV = some(m.gapSquares/n/(mean*mean) - 1)
	}
	n := float64(m.jobs)
	mean := m.services / n
	s.Service = &ServiceStats{
		Mean: mean, P50: m.service.quantile(.5), P95: m.service.quantile(.95), P99: m.service.quantile(.99),
		Max: float64(m.service.most) / 1e9, SCV: max(m.serviceSumSq/n/(mean*mean)-1, 0),
	}
	m.profile(s, meta.Start)
	m.countKinds(s)
	s.Bursts = m.bursts.stats(m.jobs)
	return s
}

func some(v float64) *float64 { return &v }

// countKinds tells the kinds, the most frequent first.
func (m *measurer) countKinds(s *Stats) {
	for _, k := range m.kinds {
		if k.Jobs > 0 {
			k.MeanS /= float64(k.Jobs)
			s.Kinds = append(s.Kinds, k)
		}
	}
	slices.SortStableFunc(s.Kinds, func(a, b KindStats) int { return cmp.Compare(b.Jobs, a.Jobs) })
}

// dispersion returns the index of dispersion of the counts in windows of some
// minutes; nil below two windows. A last window that is not whole counts.
func dispersion(minutes []minute, window int64) *float64 {
	n := float64(minutes[len(minutes)-1].at/window + 1)
	if n < 2 {
		return nil
	}
	sum, squares := 0.0, 0.0
	for len(minutes) > 0 {
		var jobs int64
		jobs, minutes = jobsUntil(minutes, (minutes[0].at/window+1)*window)
		c := float64(jobs)
		sum += c
		squares += float64(c * c)
	}
	mean := sum / n
	return some((squares/n - float64(mean*mean)) / mean)
}

// jobsUntil returns the jobs of the minutes before one, and the minutes left.
func jobsUntil(minutes []minute, end int64) (jobs int64, rest []minute) {
	i := 0
	for ; i < len(minutes) && minutes[i].at < end; i++ {
		jobs += minutes[i].jobs
	}
	return jobs, minutes[i:]
}

// profile computes what depends on the hour of the week.
func (m *measurer) profile(s *Stats, start time.Time) {
	if start.IsZero() {
		start = time.Date(2008, 6, 2, 0, 0, 0, 0, time.UTC).Add(-m.offset)
	}
	var jobs, hours [168]float64
	var all []float64 // jobs of every whole hour, and which hour of the week it is
	var which []int
	left := m.minutes
	end := left[len(left)-1].at + 1
	for i := int64(0); i < end; i += 60 {
		var n int64
		n, left = jobsUntil(left, i+60)
		c, length := float64(n), min(60, end-i)
		since, _ := weekday(start, m.offset, m.first+i*int64(time.Minute))
		h := int(since / time.Hour)
		jobs[h] += c
		hours[h] += float64(length) / 60
		if length == 60 {
			all = append(all, c)
			which = append(which, h)
		}
	}
	mean := float64(m.jobs) / (float64(end) / 60)
	var dayJobs, dayHours [24]float64
	for h := range jobs {
		if hours[h] > 0 {
			s.Profile[h] = some(jobs[h] / hours[h] / mean)
		}
		dayJobs[h%24] += jobs[h]
		dayHours[h%24] += hours[h]
	}
	if len(all) >= 24 {
		peak, trough := 0.0, math.Inf(1)
		for h := range dayJobs {
			v := dayJobs[h] / dayHours[h] / mean
			peak, trough = max(peak, v), min(trough, v)
		}
		s.DayPeak, s.DayTrough = &peak, &trough
	}
	if len(all) >= 2*168 {
		s.CycleR2 = cycle(all, which)
	}
}

// cycle returns the share of the variance of counts that the hour of the week
// explains.
func cycle(counts []float64, hour []int) *float64 {
	var sum, n [168]float64
	total := 0.0
	for i, c := range counts {
		sum[hour[i]] += c
		n[hour[i]]++
		total += c
	}
	mean := total / float64(len(counts))
	rest, all := 0.0, 0.0
	for i, c := range counts {
		d := c - sum[hour[i]]/n[hour[i]]
		rest += float64(d * d)
		d = c - mean
		all += float64(d * d)
	}
	if all == 0 {
		return nil
	}
	return some(1 - rest/all)
}

// String returns the statistics in a few lines.
func (s *Stats) String() string {
	var b []byte
	line := func(label, format string, args ...any) {
		b = fmt.Appendf(b, "%-10s", label)
		b = fmt.Appendf(b, format, args...)
		b = append(b, '\n')
	}
	span := time.Duration(s.SpanS * 1e9).Round(time.Second)
	line("trace", "%s: %d jobs in %v (%.4g a minute)", s.Name, s.Jobs, span, s.PerMinute)
	if s.Start != nil {
		line("start", "%s", s.Start.Format(time.RFC3339))
	}
	if s.Jobs == 0 {
		return string(b)
	}
	line("arrivals", "IDC %s (1 min), %s (10 min), %s (1 h)   gap SCV %s   max in 1 min %d",
		figure(s.IDCMinute), figure(s.IDCTenMinutes), figure(s.IDCHour), figure(s.GapSCV), s.MinuteMax)
	line("cycle", "hour of week explains %s of the hourly variance   hour of day: peak %s, trough %s of the mean",
		figure(s.CycleR2), figure(s.DayPeak), figure(s.DayTrough))
	v := s.Service
	line("service", "mean %.4g s   p50 %.4g   p95 %.4g   p99 %.4g   max %.4g   SCV %.3g", v.Mean, v.P50, v.P95, v.P99, v.Max, v.SCV)
	line("load", "%s busy cores of the reference speed", figure(s.OfferedLoad))
	line("bursts", "%d of %d jobs or more, %.1f %% of all jobs   largest %d   Hill exponent %s",
		s.Bursts.N, burstMin, 100*s.Bursts.Share, s.Bursts.Largest, figure(s.Bursts.Hill))
	for _, k := range s.Kinds {
		line("", "%9d  %5.1f %%  %s priority %d   mean %.4g s", k.Jobs, 100*float64(k.Jobs)/float64(s.Jobs), k.Type, k.Priority, k.MeanS)
	}
	return string(b)
}

func figure(v *float64) string {
	if v == nil {
		return "n/a"
	}
	return fmt.Sprintf("%.3g", *v)
}
