package traces

import (
	"math"
	"math/bits"
)

// histogram counts times in ns with a resolution of 1/1024.
type histogram struct {
	counts      []int64
	n           int64
	least, most int64
}

const histogramBits = 10

func newHistogram() *histogram {
	return &histogram{counts: make([]int64, (64-histogramBits)<<histogramBits), least: math.MaxInt64}
}

func (h *histogram) add(v int64) {
	h.counts[histogramSlot(uint64(v))]++
	h.n++
	h.least, h.most = min(h.least, v), max(h.most, v)
}

// histogramSlot returns the slot of v: v itself below 2^11, then 1024 slots
// for each doubling.
func histogramSlot(v uint64) int {
	shift := max(bits.Len64(v)-histogramBits-1, 0)
	return shift<<histogramBits + int(v>>shift)
}

// quantile returns the value at a nearest rank, in seconds, never below the least
// value or above the greatest.
func (h *histogram) quantile(p float64) float64 {
	rank := int64(math.Ceil(float64(p * float64(h.n))))
	seen := int64(0)
	for slot, n := range h.counts {
		if seen += n; seen >= rank && n > 0 {
			shift := max(slot>>histogramBits-1, 0)
			lo := uint64(slot-shift<<histogramBits) << shift
			v := float64(lo) + float64(float64(uint64(1)<<shift-1)/2)
			return min(max(v, float64(h.least)), float64(h.most)) / 1e9
		}
	}
	return math.NaN()
}
