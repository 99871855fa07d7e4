package sim

import (
	"math/bits"
	"time"
)

// histogram counts times in buckets of 1/1024 of their octave, so a quantile is
// within 0.1 % of a recorded value; mean, maximum and count are exact. The zero
// histogram is empty. Memory grows with the octaves met: 4 KiB each.
type histogram struct {
	zero    int64
	octaves [64]*[histSub]uint32
	n       int64
	sumHi   uint64
	sumLo   uint64
	max     int64
}

const histSub = 1024

func (h *histogram) add(ns int64) {
	h.n++
	if ns <= 0 {
		h.zero++
		return
	}
	low := h.sumLo + uint64(ns)
	if low < h.sumLo {
		h.sumHi++
	}
	h.sumLo = low
	if ns > h.max {
		h.max = ns
	}
	zeros := bits.LeadingZeros64(uint64(ns))
	counts := h.octaves[(63-zeros)&63]
	if counts == nil {
		counts = h.open(63 - zeros)
	}
	// the ten bits after the leading one
	counts[uint64(ns)<<(zeros&63)>>53&(histSub-1)]++
}

// open makes the buckets of an octave that is met for the first time.
func (h *histogram) open(octave int) *[histSub]uint32 {
	counts := new([histSub]uint32)
	h.octaves[octave] = counts
	return counts
}

// quantile returns the nearest-rank quantile, given in thousandths from 1 to
// 1000, to within 0.1 %. Integers keep the rank exact.
func (h *histogram) quantile(permille int64) time.Duration {
	if h.n == 0 {
		return 0
	}
	rank := (h.n*permille + 999) / 1000
	seen := h.zero
	if seen >= rank {
		return 0
	}
	for octave, counts := range h.octaves {
		if counts == nil {
			continue
		}
		for sub, c := range counts {
			seen += int64(c)
			if seen >= rank && c > 0 {
				return time.Duration(min(bucketMiddle(octave, sub), h.max))
			}
		}
	}
	return time.Duration(h.max)
}

func bucketMiddle(octave, sub int) int64 {
	if octave < 10 {
		return int64(1)<<uint(octave) + int64(sub)>>uint(10-octave)
	}
	width := int64(1) << uint(octave-10)
	return int64(1)<<uint(octave) + int64(sub)*width + width/2
}

func (h *histogram) mean() float64 {
	if h.n == 0 {
		return 0
	}
	return (float64(float64(h.sumHi)*(1<<64)) + float64(h.sumLo)) / float64(h.n) * 1e-9
}

// cdf returns the distribution as points, one per bucket that holds jobs.
func (h *histogram) cdf() CDF {
	c := CDF{N: h.n}
	if h.n == 0 {
		return c
	}
	seen := h.zero
	if seen > 0 {
		c.Value = append(c.Value, 0)
		c.Share = append(c.Share, float64(seen)/float64(h.n))
	}
	for octave, counts := range h.octaves {
		if counts == nil {
			continue
		}
		for sub, k := range counts {
			if k == 0 {
				continue
			}
			seen += int64(k)
			c.Value = append(c.Value, time.Duration(bucketMiddle(octave, sub)))
			c.Share = append(c.Share, float64(seen)/float64(h.n))
		}
	}
	return c
}
