package sim

import "slices"

// idleList holds the idle slots of ready instances in the order dispatch takes
// them: idle longest first, ties by instance and then slot. Slots become idle
// in the order of time, so the list is a ring that is filled at one end and
// emptied at the other; a slot taken out of the middle leaves a hole.
type idleList struct {
	ring       []int32 // slots, or hole; length a power of two
	head, tail uint32
	n          int   // slots listed, holes left out
	last       int64 // no listed slot is idle since later

	node []idleNode // by slot: one cache line holds what an add touches
}

type idleNode struct {
	since int64  // when the slot became idle; kept while it is not listed
	owner int64  // ordinal of its instance
	place uint32 // position in the ring, when listed
}

const hole = -1

// grow makes room for n slots.
func (l *idleList) grow(n int) {
	for len(l.node) < n {
		l.node = append(l.node, idleNode{})
	}
	if len(l.ring) < 2*n {
		l.rebuild(2 * n)
	}
}

// rebuild closes the holes in a ring of at least size.
func (l *idleList) rebuild(size int) {
	length := max(len(l.ring), 64)
	for length < size {
		length *= 2
	}
	ring := make([]int32, length)
	n := uint32(0)
	for i := l.head; i != l.tail; i++ {
		if s := l.ring[i&uint32(len(l.ring)-1)]; s != hole {
			ring[n] = s
			l.node[s].place = n
			n++
		}
	}
	l.ring, l.head, l.tail = ring, 0, n
}

// before reports whether slot a is taken before slot b.
func (l *idleList) before(a, b int32) bool {
	if l.node[a].since != l.node[b].since {
		return l.node[a].since < l.node[b].since
	}
	if l.node[a].owner != l.node[b].owner {
		return l.node[a].owner < l.node[b].owner
	}
	return a < b
}

// add lists the slot of an instance as idle since the given time.
func (l *idleList) add(slot int32, owner, since int64) {
	mask := uint32(len(l.ring) - 1)
	if since > l.last && l.tail-l.head <= mask { // behind all others, as nearly always
		l.last = since
		l.node[slot] = idleNode{since, owner, l.tail}
		l.ring[l.tail&mask] = slot
		l.tail++
		l.n++
		return
	}
	l.insert(slot, owner, since)
}

// insert lists a slot that may precede others.
func (l *idleList) insert(slot int32, owner, since int64) {
	l.last = max(l.last, since)
	l.node[slot].since, l.node[slot].owner = since, owner
	mask := uint32(len(l.ring) - 1)
	for l.tail != l.head && l.ring[(l.tail-1)&mask] == hole {
		l.tail-- // a hole at the end is no place to keep
	}
	if l.tail-l.head > mask {
		l.rebuild(0)
		mask = uint32(len(l.ring) - 1)
	}
	at := l.tail
	l.tail++
	l.n++
	// a slot idle since the same instant as others goes before those it
	// precedes; holes between them are passed over
	for at != l.head {
		last := l.ring[(at-1)&mask]
		if last != hole {
			if l.node[last].since < since || !l.before(slot, last) {
				break
			}
			l.node[last].place = at
		}
		l.ring[at&mask] = last
		at--
	}
	l.ring[at&mask] = slot
	l.node[slot].place = at
}

// addAll lists slots that were idle before, each since the time and for the
// instance noted of it. It sorts slots, and costs one walk from the end of the
// list to the first of them, however many they are.
func (l *idleList) addAll(slots []int32) {
	if len(slots) == 0 {
		return
	}
	slices.SortFunc(slots, func(a, b int32) int {
		if l.before(a, b) {
			return -1
		}
		return 1
	})
	l.last = max(l.last, l.node[slots[len(slots)-1]].since)
	if int(l.tail-l.head)+len(slots) > len(l.ring) {
		l.rebuild(0)
	}
	mask := uint32(len(l.ring) - 1)
	from := l.tail // listed before here: not looked at yet
	l.tail += uint32(len(slots))
	to := l.tail // settled from here on
	for left := len(slots); left > 0; {
		slot := slots[left-1]
		if from != l.head {
			last := l.ring[(from-1)&mask]
			if last == hole {
				from--
				continue
			}
			if l.before(slot, last) {
				from--
				slot = last
			} else {
				left--
			}
		} else {
			left--
		}
		to--
		l.ring[to&mask] = slot
		l.node[slot].place = to
	}
	for to != from { // as many as were passed over
		to--
		l.ring[to&mask] = hole
	}
	l.n += len(slots)
}

// take removes and returns the first slot; the list must not be empty.
func (l *idleList) take() int32 {
	mask := uint32(len(l.ring) - 1)
	for {
		slot := l.ring[l.head&mask]
		l.head++
		if slot != hole {
			l.n--
			return slot
		}
	}
}

// remove unlists a listed slot.
func (l *idleList) remove(slot int32) {
	l.ring[l.node[slot].place&uint32(len(l.ring)-1)] = hole
	l.n--
}
