package queue

import (
	"cmp"
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/skynet-ec2/skynet/live/api"
)

// serviceKey is a job type on an instance type.
type serviceKey struct{ jobType, instanceType string }

// service is how long jobs of one type took on one instance type lately: those
// of this half hour and of the one before.
type service struct {
	serviceKey
	began     int64 // of this half hour
	now, then durations
}

const serviceHalf = int64(30 * time.Minute)

// durations are times jobs took, in units of 0.1 ms, to 1 %.
type durations struct {
	histogram    *hdrhistogram.Histogram
	n            int64
	sum, squares float64 // in seconds
}

const durationUnit = int64(100 * time.Microsecond)

func newDurations() durations {
	return durations{histogram: hdrhistogram.New(1, int64(30*24*time.Hour)/durationUnit, 2)}
}

func (e *Engine) serviceOf(jobType, instanceType string) *service {
	k := serviceKey{jobType, instanceType}
	s := e.services[k]
	if s == nil {
		s = &service{serviceKey: k, now: newDurations(), then: newDurations()}
		e.services[k] = s
	}
	return s
}

func (s *service) add(at, took int64) {
	s.turn(at)
	d := &s.now
	// an error says that it took longer than the histogram reaches
	if d.histogram.RecordValue(max(1, took/durationUnit)) != nil {
		return
	}
	seconds := float64(took) / 1e9
	d.n++
	d.sum += seconds
	d.squares += seconds * seconds
}

// turn begins another half hour if it is time.
func (s *service) turn(at int64) {
	began := at - at%serviceHalf
	if began == s.began {
		return
	}
	s.now, s.then = s.then, s.now
	if began != s.began+serviceHalf {
		s.then.reset()
	}
	s.now.reset()
	s.began = began
}

func (d *durations) reset() {
	d.histogram.Reset()
	d.n, d.sum, d.squares = 0, 0, 0
}

// describe returns the sketch; ok is false if no job was completed lately.
func (s *service) describe(at int64) (a api.Service, ok bool) {
	s.turn(at)
	n := s.now.n + s.then.n
	if n == 0 {
		return api.Service{}, false
	}
	both := newDurations()
	both.histogram.Merge(s.now.histogram)
	both.histogram.Merge(s.then.histogram)
	quantile := func(p float64) float64 { return float64(both.histogram.ValueAtQuantile(p)*durationUnit) / 1e9 }
	mean := (s.now.sum + s.then.sum) / float64(n)
	scv := 0.0
	if mean > 0 {
		scv = math.Max(0, (s.now.squares+s.then.squares)/float64(n)/(mean*mean)-1)
	}
	return api.Service{
		Type: s.jobType, InstanceType: s.instanceType, Jobs: n, MeanS: mean,
		P50S: quantile(50), P95S: quantile(95), P99S: quantile(99), SCV: scv,
	}, true
}

// sketches returns the sketches of all types, and the mean by job type.
func (e *Engine) sketches(at int64) (all []api.Service, means map[string]float64) {
	all, means = []api.Service{}, map[string]float64{}
	sums := map[string][2]float64{}
	for _, s := range e.services {
		if a, ok := s.describe(at); ok {
			all = append(all, a)
			sum := sums[a.Type]
			sums[a.Type] = [2]float64{sum[0] + s.now.sum + s.then.sum, sum[1] + float64(a.Jobs)}
		}
	}
	for name, sum := range sums {
		means[name] = sum[0] / sum[1]
	}
	slices.SortFunc(all, func(a, b api.Service) int {
		return cmp.Or(cmp.Compare(a.Type, b.Type), cmp.Compare(a.InstanceType, b.InstanceType))
	})
	return all, means
}
