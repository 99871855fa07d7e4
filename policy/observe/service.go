package observe

import (
	"github.com/skynet-ec2/skynet/policy"
)

// service is what completions have taught about the work of one job type in one size:
// mean, second moment and a histogram, with a long memory; and the recent mean.
type service struct {
	jobType string
	size    uint8

	// Jobs that completed, their work in core-seconds and its square; all halved at
	// serviceMemoryJobs.
	jobs, work, workSquared float64
	samples                 int64 // jobs that ever completed
	// Jobs that completed lately and their work, forgotten with the time constant
	// recentMemory.
	recentJobs, recentWork float64
	// Jobs that were started, those of them that carried an estimate, and the sum of the
	// estimates in core-seconds; with the memory of jobs.
	started, estimated, estimate float64
	view                         policy.ServiceView
	// The histogram of the work of jobs. It holds histJobs, and p95Jobs of them when
	// the p95 in view was worked out.
	histJobs float64
	p95Jobs  float64
	hist     [workBuckets]float32
}

const (
	// serviceMemoryJobs is the number of jobs at which all weights are halved, so that
	// a change of code or of cameras is learned.
	serviceMemoryJobs = 50_000
	// priorJobs is how many jobs the guess from other types counts for. It is taken
	// between priorLow and priorHigh times the type's own mean.
	priorJobs           = 5
	priorLow, priorHigh = 0.7, 1.3
	// priorP95 is the p95 of a type that is not known, in means.
	priorP95 = 3

	// recentMemory is the time constant of what is recent, in seconds.
	recentMemory = 600.0
	// recentTrustJobs is how many jobs, times 1 + their SCV, speak for the long mean
	// against the recent one.
	recentTrustJobs = 30

	// histGrown is by which part the histogram must have grown to be fetched, and its
	// p95 worked out anew: it is long.
	histGrown = 0.02
)

const (
	// estimatedShareLeast is the part of the started jobs of a type that must have
	// carried an estimate for their mean to be that of all.
	estimatedShareLeast = 0.95
	// estimateTrustJobs is how many jobs, times 1 + their SCV, speak for the estimates.
	estimateTrustJobs = 100
	// calibrationMost is how many times too large or too small estimates may be.
	calibrationMost = 100
)

// addStarted adds what left the line since the last tick: n jobs that were started,
// and e with an estimate, dropped ones included. A kind that is gone takes with it what
// was never added, so that a difference may be negative.
func (s *service) addStarted(n int64, e estimates) {
	s.started = max(s.started+float64(n), 0)
	s.estimated = max(s.estimated+float64(e.jobs), 0)
	s.estimate = max(s.estimate+float64(float64(e.work)*1e-9), 0)
}

// calibration returns the factor that makes estimates of this type right on average,
// because people ask for too much, and programs become faster; 1 where nothing is
// known. With a the mean work of the n jobs that completed, E/e the mean estimate of the
// e jobs that were started with one, m = min(n, e), and t = 100·(1 + SCV) jobs that
// speak for the estimates as they are, it is
//
//	(m·a/(E/e) + t) / (m + t)
func (s *service) calibration() float64 {
	if s.jobs <= 0 || s.work <= 0 || s.estimated < 1 || s.estimate <= 0 || s.estimated < float64(estimatedShareLeast*s.started) {
		return 1
	}
	m := min(s.jobs, s.estimated)
	own := s.work / s.jobs / (s.estimate / s.estimated)
	trust := float64(estimateTrustJobs * (1 + s.view.SCV))
	return min(max((float64(m*own)+trust)/(m+trust), 1/float64(calibrationMost)), calibrationMost)
}

// learn adds n jobs of a kind that completed since the last tick, with the sum of their
// work in core-seconds and that of its squares.
func (s *service) learn(n int64, sum, squares float64, k *Kind) {
	if n <= 0 {
		return
	}
	s.samples += n
	s.jobs += float64(n)
	s.work += sum
	s.recentJobs += float64(n)
	s.recentWork += sum
	s.workSquared += squares
	if k.unlearned += n; float64(k.unlearned) >= float64(histGrown*s.histJobs) {
		for b := range k.WorkHist {
			if c := k.WorkHist[b]; c != 0 {
				s.hist[b] += float32(c)
				k.WorkHist[b] = 0
			}
		}
		s.histJobs += float64(k.unlearned)
		k.unlearned = 0
	}
	if s.jobs > serviceMemoryJobs {
		s.halve()
	}
}

// halve halves all weights, and has the p95 worked out anew.
func (s *service) halve() {
	s.jobs /= 2
	s.work /= 2
	s.workSquared /= 2
	s.started /= 2
	s.estimated /= 2
	s.estimate /= 2
	s.histJobs /= 2
	for b := range s.hist {
		s.hist[b] /= 2
	}
	s.p95Jobs = 0
}

// forget lets only the part kept of what was recent remain so.
func (s *service) forget(kept float64) {
	s.recentJobs *= kept
	s.recentWork *= kept
}

// recentMean returns the mean work of the recent jobs, in core-seconds, drawn to the
// long mean m. With r recent jobs that took R, and t = 30·(1 + SCV) jobs that speak for
// the long mean, it is
//
//	(R + t·m) / (r + t)
//
// The more the work of a type scatters, the more recent jobs it takes to believe that
// it has changed.
func (s *service) recentMean() float64 {
	trust := float64(recentTrustJobs * (1 + s.view.SCV))
	return (s.recentWork + float64(trust*float64(s.view.Mean))) / (s.recentJobs + trust)
}

// update works out the view. The prior is the mean work of a job of any type, in
// core-seconds.
func (s *service) update(prior float64) {
	s.view.Samples = s.samples
	if s.jobs == 0 {
		s.view.Mean = policy.CoreSeconds(prior)
		s.view.P95 = policy.CoreSeconds(priorP95 * prior)
		s.view.SCV = 1
		return
	}
	own := s.work / s.jobs
	guess := min(max(prior, float64(priorLow*own)), float64(priorHigh*own))
	mean := (s.work + float64(priorJobs*guess)) / (s.jobs + priorJobs)
	s.view.Mean = policy.CoreSeconds(mean)
	variance := s.workSquared/s.jobs - float64(own*own)
	s.view.SCV = 0
	if own > 0 { // jobs may take no work at all
		s.view.SCV = max(variance, 0) / float64(own*own)
	}
	if s.histJobs > float64((1+histGrown)*s.p95Jobs) {
		s.p95Jobs = s.histJobs
		s.view.P95 = s.quantile(0.95)
	}
}

// quantile returns the work that the share p of the jobs does not exceed, rounded up to
// the edge of a bucket.
func (s *service) quantile(p float64) policy.CoreSeconds {
	rank := p * s.histJobs
	sum := 0.0
	for b := range s.hist {
		sum += float64(s.hist[b])
		if sum >= rank {
			return workUpper(b)
		}
	}
	return workUpper(workBuckets - 1)
}

// residual returns the work that is expected to be left of a job that has done elapsed,
// where jobs of its type take mean on average; all in the same unit. A job that outlives
// the mean is expected to go on, because work is skewed: its remainder is at least 0.3
// of the mean plus 0.2 of what was done.
func residual(mean, elapsed float64) float64 {
	return max(mean-elapsed, float64(0.3*mean)+float64(0.2*elapsed))
}
