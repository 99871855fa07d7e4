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
	histN           float64
	p95At           float64 // histN when p95 was computed
	view            policy.ServiceView
	hist            [workBuckets]float32
}

const (
	// serviceMemory is the number of jobs after which the mean forgets: it
	// halves its weights, so that a change of code or cameras is learned.
	serviceMemory = 50_000
	// priorWeight is how many jobs the guess from other types counts for.
	priorWeight = 5
)

// learn adds what completed since the last tick.
func (s *service) learn(n int64, sum, squares float64, k *Kind) {
	if n <= 0 {
		return
	}
	s.samples += n
	s.n += float64(n)
	s.sum += sum
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
		s.histN /= 2
		for b := range s.hist {
			s.hist[b] /= 2
		}
		s.p95At = 0
	}
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
	s.view.SCV = max(variance, 0) / float64(own*own)
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

// Residual returns the estimated work left of a job that has done elapsed of a
// type whose mean is mean, all in the same unit. A job that has outlived its
// mean is expected to go on: work times are skewed (POLICY: 0.3 of the mean
// plus 0.2 of what was done).
func Residual(mean, elapsed float64) float64 {
	return max(mean-elapsed, float64(0.3*mean)+float64(0.2*elapsed))
}

// windows are the spans of Flow and Completed windows.
var windows = [4]time.Duration{time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour}
