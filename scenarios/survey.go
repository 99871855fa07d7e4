package scenarios

import (
	"io"
	"math/bits"
	"sort"
	"time"

	"github.com/skynet-ec2/skynet/traces"
)

// survey is what ExampleFor learns of a trace.
type survey struct {
	types []*typeSurvey // the most frequent first, equals by name
	jobs  int64
	span  time.Duration // from the trace's start to the last arrival
	hours []float64     // service that arrives in each hour since the start, s
}

// typeSurvey is what it learns of a job type.
type typeSurvey struct {
	name       string
	jobs       int64
	seconds    float64   // of service
	priorities [256]bool // that its jobs have
	max        time.Duration
	// steps counts jobs by service time, in ns, eight steps to a doubling.
	steps [64 * 8]int64
}

// surveyTrace reads src to its end.
func surveyTrace(src traces.Source) (*survey, error) {
	s := &survey{}
	byName := map[string]*typeSurvey{}
	var byKind []*typeSurvey
	var b traces.Batch
	for {
		err := src.Next(&b)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		for i := len(byKind); i < len(b.Kinds); i++ {
			name := b.Kinds[i].Type
			if byName[name] == nil {
				byName[name] = &typeSurvey{name: name}
			}
			byKind = append(byKind, byName[name])
		}
		for i, k := range b.Kind {
			byKind[k].add(b.Service[i], b.Kinds[k].Priority)
			hour := int(b.Arrival[i] / int64(time.Hour))
			for len(s.hours) <= hour {
				s.hours = append(s.hours, 0)
			}
			s.hours[hour] += float64(b.Service[i]) / 1e9
			s.span = time.Duration(b.Arrival[i])
		}
	}
	for _, name := range sortedKeys(byName) {
		if t := byName[name]; t.jobs > 0 {
			s.types = append(s.types, t)
			s.jobs += t.jobs
		}
	}
	sort.SliceStable(s.types, func(i, j int) bool { return s.types[i].jobs > s.types[j].jobs })
	return s, nil
}

// peak returns the busiest hour, as cores that its work keeps busy, and when
// it begins.
func (s *survey) peak() (cores float64, at time.Duration) {
	for i, seconds := range s.hours {
		if seconds/3600 > cores {
			cores, at = seconds/3600, time.Duration(i)*time.Hour
		}
	}
	return cores, at
}

func (t *typeSurvey) add(service int64, priority uint8) {
	t.jobs++
	t.seconds += float64(service) / 1e9
	t.priorities[priority] = true
	t.max = max(t.max, time.Duration(service))
	octave := bits.Len64(uint64(service)) - 1
	t.steps[octave<<3|int(uint64(service)<<(63-octave)>>60&7)]++
}

// quantile returns a service time that the fraction p of jobs does not exceed,
// at most an eighth too high.
func (t *typeSurvey) quantile(p float64) time.Duration {
	seen := int64(0)
	for i, n := range t.steps {
		if seen += n; n > 0 && float64(seen) >= p*float64(t.jobs) {
			above := uint64(9+i&7) << 59 >> (62 - i>>3) // where the next step begins
			return min(time.Duration(above), t.max)
		}
	}
	return t.max
}

// target returns a target that leaves room for a wait, as people would write
// it: four times the 95th percentile of service, and no less than suits its
// most urgent jobs.
func (t *typeSurvey) target() time.Duration {
	least := 30 * time.Minute
	switch {
	case t.priorities[0]:
		least = 30 * time.Second
	case t.priorities[1]:
		least = 2 * time.Minute
	}
	least = max(least, 4*min(t.quantile(0.95), 8760*time.Hour))
	for _, d := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 20 * time.Minute, 30 * time.Minute, time.Hour, 4 * time.Hour} {
		if d >= least {
			return d
		}
	}
	return min(least.Truncate(time.Hour)+time.Hour, 8760*time.Hour)
}
