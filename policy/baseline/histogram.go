package baseline

import (
	"math"
	"slices"
)

// A histogram counts the whole values it was given lately.
type histogram struct {
	// Recent values in the order they came, a ring once full; Next is where the
	// next one goes.
	Recent []int `json:"recent,omitempty"`
	Next   int   `json:"next,omitempty"`

	counts []int // how often each value is in Recent
}

// needMost is the highest value a histogram tells from higher ones.
const needMost = 100_000

// add notes x and forgets the oldest value beyond the given memory.
func (h *histogram) add(x, memory int) {
	h.recount()
	x = min(x, needMost)
	if len(h.Recent) < memory {
		h.Recent = append(h.Recent, x)
	} else {
		h.counts[h.Recent[h.Next]]--
		h.Recent[h.Next] = x
		h.Next = (h.Next + 1) % memory
	}
	h.count(x)
}

func (h *histogram) count(x int) {
	for len(h.counts) <= x {
		h.counts = append(h.counts, 0)
	}
	h.counts[x]++
}

// recount makes the counts anew after Recent was read from a state.
func (h *histogram) recount() {
	if h.counts != nil {
		return
	}
	for _, x := range h.Recent {
		h.count(x)
	}
}

// quantile returns the least value that at least a fraction q of the values do
// not exceed; 0 without values.
func (h *histogram) quantile(q float64) int {
	h.recount()
	rank := int(math.Ceil(float64(q*float64(len(h.Recent))) - 1e-9))
	for x, n := range h.counts {
		if rank -= n; rank <= 0 && n > 0 {
			return x
		}
	}
	return 0
}

// lastOf returns the last n values of s in its own space.
func lastOf[T any](s []T, n int) []T {
	if extra := len(s) - n; extra > 0 {
		return slices.Delete(s, 0, extra)
	}
	return s
}
