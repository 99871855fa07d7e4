package sim

import "slices"

// event is something rare. At one instant events happen in the order of their
// kinds and then of their posting.
type event struct {
	at   int64
	seq  int64
	kind eventKind
	inst int64 // ordinal, or an index as the kind says
}

type eventKind uint8

const (
	faultEnds eventKind = iota
	faultBegins
	pricesMove
	judgingBegins
	dayBegins // a clock day
	leaseEnds // inst: index of the parked job
	crashes
	noticed // a spot instance learns that it will be taken back
	takenBack
	becomesReady

	firstOfInstance = crashes // from here on inst is an instance's ordinal
)

// eventHeap is a binary heap of events by (at, kind, seq). Set first to never
// before the first push.
type eventHeap struct {
	items []event
	seq   int64
	first int64 // when the first event happens, never when there is none
	kept  int   // items that the last keep left
}

func (h *eventHeap) less(a, b *event) bool {
	if a.at != b.at {
		return a.at < b.at
	}
	if a.kind != b.kind {
		return a.kind < b.kind
	}
	return a.seq < b.seq
}

func (h *eventHeap) push(at int64, kind eventKind, inst int64) {
	h.seq++
	h.items = append(h.items, event{at, h.seq, kind, inst})
	i := len(h.items) - 1
	for i > 0 {
		parent := (i - 1) / 2
		if !h.less(&h.items[i], &h.items[parent]) {
			break
		}
		h.items[i], h.items[parent] = h.items[parent], h.items[i]
		i = parent
	}
	h.first = h.items[0].at
}

func (h *eventHeap) pop() event {
	first := h.items[0]
	last := len(h.items) - 1
	h.items[0] = h.items[last]
	h.items = h.items[:last]
	i := 0
	for {
		child := 2*i + 1
		if child >= last {
			break
		}
		if child+1 < last && h.less(&h.items[child+1], &h.items[child]) {
			child++
		}
		if !h.less(&h.items[child], &h.items[i]) {
			break
		}
		h.items[i], h.items[child] = h.items[child], h.items[i]
		i = child
	}
	h.first = never
	if last > 0 {
		h.first = h.items[0].at
	}
	return first
}

// crowded reports whether the heap has grown enough since the last keep for
// another to be worth its while.
func (h *eventHeap) crowded() bool { return len(h.items) >= 1024+2*h.kept }

// keep throws out every event that wanted does not report true for.
func (h *eventHeap) keep(wanted func(*event) bool) {
	h.items = slices.DeleteFunc(h.items, func(ev event) bool { return !wanted(&ev) })
	// a sorted slice is a heap
	slices.SortFunc(h.items, func(a, b event) int {
		if h.less(&a, &b) {
			return -1
		}
		return 1
	})
	h.kept = len(h.items)
	h.first = never
	if h.kept > 0 {
		h.first = h.items[0].at
	}
}
