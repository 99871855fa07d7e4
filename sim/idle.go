package sim

// idleList holds the idle slots of ready instances in the order dispatch takes
// them: idle longest first, ties by instance and then slot. It is a list
// through arrays indexed by slot, with a sentinel at index 0 (slot s is node
// s+1): taking the first, adding a slot that just became idle and removing any
// slot cost a few loads and stores.
type idleList struct {
	next, prev []int32
	since      []int64 // when the slot became idle; kept while it is not listed
	owner      []int64 // ordinal of its instance
	n          int
}

// grow makes room for n slots.
func (l *idleList) grow(n int) {
	if len(l.next) == 0 {
		l.next, l.prev = append(l.next, 0), append(l.prev, 0)
		l.since, l.owner = append(l.since, -1), append(l.owner, -1)
	}
	for len(l.next) <= n {
		l.next, l.prev = append(l.next, 0), append(l.prev, 0)
		l.since, l.owner = append(l.since, 0), append(l.owner, 0)
	}
}

// before reports whether node a is taken before node b.
func (l *idleList) before(a, b int32) bool {
	if l.since[a] != l.since[b] {
		return l.since[a] < l.since[b]
	}
	if l.owner[a] != l.owner[b] {
		return l.owner[a] < l.owner[b]
	}
	return a < b
}

// add lists the slot of an instance as idle since the given time.
func (l *idleList) add(slot int32, owner, since int64) {
	node := slot + 1
	l.since[node], l.owner[node] = since, owner
	at := l.prev[0]
	for at != 0 && l.before(node, at) {
		at = l.prev[at]
	}
	after := l.next[at]
	l.next[at], l.prev[node] = node, at
	l.next[node], l.prev[after] = after, node
	l.n++
}

// take removes and returns the first slot; the list must not be empty.
func (l *idleList) take() int32 {
	node := l.next[0]
	after := l.next[node]
	l.next[0], l.prev[after] = after, 0
	l.n--
	return node - 1
}

// remove unlists a listed slot.
func (l *idleList) remove(slot int32) {
	node := slot + 1
	l.next[l.prev[node]] = l.next[node]
	l.prev[l.next[node]] = l.prev[node]
	l.n--
}
