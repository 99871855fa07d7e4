package dispatch

// ordered is what a heap or a file can sort: a strict order of values.
type ordered[T any] interface {
	before(T) bool
}

// heap is a binary heap: element 0 comes first. The zero heap is empty and ready.
// Push and pop cost O(log n) and allocate only to grow.
type heap[T ordered[T]] []T

// push adds x.
func (h *heap[T]) push(x T) {
	s := append(*h, x)
	i := len(s) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !x.before(s[parent]) {
			break
		}
		s[i] = s[parent]
		i = parent
	}
	s[i] = x
	*h = s
}

// pop removes and returns the first of a heap that is not empty.
func (h *heap[T]) pop() T {
	s := *h
	first := s[0]
	last := len(s) - 1
	s[0] = s[last]
	var zero T
	s[last] = zero
	s = s[:last]
	s.siftDown(0)
	if cap(s) >= fileShrink && len(s) < cap(s)/8 {
		s = append(make(heap[T], 0, cap(s)/2), s...)
	}
	*h = s
	return first
}

// remove takes out the i-th element, wherever it stands.
func (h *heap[T]) remove(i int) {
	s := *h
	last := len(s) - 1
	s[i] = s[last]
	var zero T
	s[last] = zero
	s = s[:last]
	if i < last {
		s.siftDown(i)
		s.siftUp(i)
	}
	*h = s
}

// siftUp moves the i-th element towards the front, to its place.
func (h heap[T]) siftUp(i int) {
	x := h[i]
	for i > 0 {
		parent := (i - 1) / 2
		if !x.before(h[parent]) {
			break
		}
		h[i] = h[parent]
		i = parent
	}
	h[i] = x
}

// siftDown moves the i-th element towards the end, to its place.
func (h heap[T]) siftDown(i int) {
	if i >= len(h) {
		return
	}
	x := h[i]
	for {
		child := 2*i + 1
		if child >= len(h) {
			break
		}
		if child+1 < len(h) && h[child+1].before(h[child]) {
			child++
		}
		if !h[child].before(x) {
			break
		}
		h[i] = h[child]
		i = child
	}
	h[i] = x
}

// filter drops every element for which wanted is false and restores the order.
func (h *heap[T]) filter(wanted func(T) bool) {
	s := (*h)[:0]
	for _, x := range *h {
		if wanted(x) {
			s = append(s, x)
		}
	}
	clear((*h)[len(s):])
	for i := len(s)/2 - 1; i >= 0; i-- {
		s.siftDown(i)
	}
	*h = s
}
