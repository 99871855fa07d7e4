package traces

import "slices"

// timedJob is a job whose place in the stream is not settled yet.
type timedJob struct {
	at      int64 // arrival, ns
	service int64
	kind    uint16
	from    uint32 // where the rest of the job is kept; free for the user
}

// timeSorter sorts jobs by arrival and keeps the order of equals. It deals
// them into equal intervals of time, about one per job, and sorts each: for
// arrivals spread over the interval that is a single pass.
type timeSorter struct {
	counts []uint32
	sorted []timedJob
}

// sort returns jobs in order of arrival; all arrivals lie in [from, to). The
// result is valid until the next call; jobs keeps its order.
func (s *timeSorter) sort(jobs []timedJob, from, to int64) []timedJob {
	s.sorted = slices.Grow(s.sorted[:0], len(jobs))[:len(jobs)]
	shift := uint(0)
	for uint64(to-from)>>shift > uint64(2*len(jobs)+16) {
		shift++
	}
	intervals := int(uint64(to-from)>>shift) + 1
	s.counts = slices.Grow(s.counts[:0], intervals+1)[:intervals+1]
	clear(s.counts)
	counts := s.counts
	for i := range jobs {
		counts[uint64(jobs[i].at-from)>>shift+1]++
	}
	crowded := false
	sum := uint32(0)
	for i, n := range counts {
		crowded = crowded || n > 24
		sum += n
		counts[i] = sum
	}
	for i := range jobs {
		slot := &counts[uint64(jobs[i].at-from)>>shift]
		s.sorted[*slot] = jobs[i]
		*slot++
	}
	if crowded {
		// counts[i] is now where interval i ends
		begin := uint32(0)
		for _, end := range counts {
			if end-begin > 24 {
				sortStable(s.sorted[begin:end])
			}
			begin = end
		}
	}
	insertion(s.sorted)
	return s.sorted
}

func sortStable(jobs []timedJob) {
	slices.SortStableFunc(jobs, func(a, b timedJob) int {
		switch {
		case a.at < b.at:
			return -1
		case a.at > b.at:
			return 1
		}
		return 0
	})
}

// insertion sorts jobs that are nearly in order.
func insertion(jobs []timedJob) {
	for i := 1; i < len(jobs); i++ {
		if jobs[i].at >= jobs[i-1].at {
			continue
		}
		job := jobs[i]
		j := i
		for ; j > 0 && jobs[j-1].at > job.at; j-- {
			jobs[j] = jobs[j-1]
		}
		jobs[j] = job
	}
}
