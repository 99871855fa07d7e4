package observe

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// service is what completions have taught about the work of one job type (in
// one size bucket): a running mean with a long memory, second moment and
// histogram.
type service struct {
	jobType string
	size    uint8

	n, sum, squares float64
	samples         int64
	// jobs that completed lately and their work, forgotten by a factor of e in
	// recentMemory
	recentN, recentSum float64
	// started jobs, and those of them that carried an estimate with its sum in
	// core-seconds; as long a memory as n and sum
	started, estimated, estimate float64
	histN                        float64
	p95At                        float64 // histN when p95 was computed
	view                         policy.ServiceView
	hist                         [workBuckets]float32
}

const (
	// serviceMemory is the number of jobs after which the mean forgets: it
	// halves its weights, so that a change of code or cameras is learned.
	serviceMemory = 50_000
	// priorWeight is how many jobs the guess from other types counts for.
	priorWeight = 5
	// recentMemory is for how many seconds a job counts as recent.
	recentMemory = 600.0
	// recentTrust is how many jobs, times 1 + their SCV, speak for the long mean
	// against the recent one.
	recentTrust = 30
)

const (
	// estimatesShare is the part of the started jobs of a type that must have
	// carried an estimate for their mean to be that of all.
	estimatesShare = 0.95
	// estimatesTrust is how many jobs, times 1 + their SCV, speak for the estimates.
	estimatesTrust = 100
	// estimatesMost is how many times too large or too small it may be.
	estimatesMost = 100
)

// start adds what left the line since the last tick: n jobs that were started, and e
// with an estimate, those that were dropped too. A kind that is gone takes with it
// what was never added.
func (s *service) start(n int64, e estimates) {
	s.started = max(s.started+float64(n), 0)
	s.estimated = max(s.estimated+float64(e.jobs), 0)
	s.estimate = max(s.estimate+float64(float64(e.work)*1e-9), 0)
}

// calibration returns by how much estimates of this type must be multiplied to be
// right on average, 1 where nothing is known: people ask for too much, and programs
// become faster. With a the mean work of the n jobs that completed, E/e the mean
// estimate of the e jobs that were started with one, m = min(n, e), and
// t = 100 (1 + SCV) jobs in favour of the estimates,
//
//	(m a/(E/e) + t) / (m + t)
func (s *service) calibration() float64 {
	if s.n <= 0 || s.sum <= 0 || s.estimated < 1 || s.estimate <= 0 || s.estimated < float64(estimatesShare*s.started) {
		return 1
	}
	m := min(s.n, s.estimated)
	own := s.sum / s.n / (s.estimate / s.estimated)
	trust := float64(estimatesTrust * (1 + s.view.SCV))
	return min(max((float64(m*own)+trust)/(m+trust), 1/float64(estimatesMost)), estimatesMost)
}

// learn adds what completed since the last tick.
func (s *service) learn(n int64, sum, squares float64, k *Kind) {
	if n <= 0 {
		return
	}
	s.samples += n
	s.n += float64(n)
	s.sum += sum
	s.recentN += float64(n)
	s.recentSum += sum
	s.squares += squares
	// the histogram is long: it is fetched when it has grown by a fiftieth
	if k.unlearned += n; float64(k.unlearned) >= float64(0.02*s.histN) {
		for b := range k.WorkHist {
			if c := k.WorkHist[b]; c != 0 {
				s.hist[b] += float32(c)
				k.WorkHist[b] = 0
			}
		}
		s.histN += float64(k.unlearned)
		k.unlearned = 0
	}
	if s.n > serviceMemory {
		s.n /= 2
		s.sum /= 2
		s.squares /= 2
		s.started /= 2
		s.estimated /= 2
		s.estimate /= 2
		s.histN /= 2
		for b := range s.hist {
			s.hist[b] /= 2
		}
		s.p95At = 0
	}
}

// forget lets the part keep of what is recent remain so.
func (s *service) forget(keep float64) {
	s.recentN *= keep
	s.recentSum *= keep
}

// recent returns the mean of the recent jobs, in core-seconds, drawn to the long
// mean: with r of them that took R, and t = 30 (1 + SCV) jobs in favour of the long
// mean m,
//
//	(R + t m) / (r + t)
//
// the more the work of a type scatters, the more of it must have changed before that
// is believed.
func (s *service) recent() float64 {
	trust := float64(recentTrust * (1 + s.view.SCV))
	return (s.recentSum + float64(trust*float64(s.view.Mean))) / (s.recentN + trust)
}

// update computes the view, given the mean over all types as a prior.
func (s *service) update(prior float64) {
	s.view.Samples = s.samples
	if s.n == 0 {
		s.view.Mean = policy.CoreSeconds(prior)
		s.view.P95 = policy.CoreSeconds(3 * prior)
		s.view.SCV = 1
		return
	}
	own := s.sum / s.n
	// a type seen only a few times is believed within 0.7 to 1.3 of its own mean
	guess := min(max(prior, float64(0.7*own)), float64(1.3*own))
	mean := (s.sum + float64(priorWeight*guess)) / (s.n + priorWeight)
	s.view.Mean = policy.CoreSeconds(mean)
	variance := s.squares/s.n - float64(own*own)
	s.view.SCV = 0
	if own > 0 { // work of less than half a nanosecond is none
		s.view.SCV = max(variance, 0) / float64(own*own)
	}
	if s.histN > float64(1.02*s.p95At) {
		s.p95At = s.histN
		s.view.P95 = s.quantile(0.95)
	}
}

func (s *service) quantile(p float64) policy.CoreSeconds {
	rank := p * s.histN
	sum := 0.0
	for b := range s.hist {
		sum += float64(s.hist[b])
		if sum >= rank {
			return workUpper(b)
		}
	}
	return workUpper(workBuckets - 1)
}

// residual returns the estimated work left of a job that has done elapsed of a
// type whose mean is mean, all in the same unit. A job that has outlived its
// mean is expected to go on: work times are skewed (POLICY: 0.3 of the mean
// plus 0.2 of what was done).
func residual(mean, elapsed float64) float64 {
	return max(mean-elapsed, float64(0.3*mean)+float64(0.2*elapsed))
}

// windows are the spans of Flow and Completed windows.
var windows = [4]time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}
