package main

import "math"

// The bare loops do what a person would write by hand for one question: how
// long do jobs wait at a fixed fleet? No instances, no bills, no policy, no
// figures but the sum of waits. They are what the engine is measured against.

// load is a trace as plain columns.
type load struct {
	arrival, service []int64
	priority         []uint8
}

// winners is a winner tree over slots: tree[1] is the smallest of the keys
// time<<shift | slot.
type winners struct {
	tree  []uint64
	shift uint
}

func newWinners(slots int) *winners {
	w := &winners{}
	for 1<<w.shift < slots {
		w.shift++
	}
	leaves := 1 << w.shift
	w.tree = make([]uint64, 2*leaves)
	for i := range w.tree {
		w.tree[i] = math.MaxUint64
	}
	return w
}

// set gives a slot its key and plays its games up to the root.
func (w *winners) set(slot int, key uint64) {
	i := len(w.tree)/2 + slot
	w.tree[i] = key
	for i > 1 {
		key = min(key, w.tree[i^1])
		i >>= 1
		w.tree[i] = key
	}
}

// bareFIFO serves the jobs in order of arrival and returns the sum of their
// waits: each takes the slot that is free first.
func bareFIFO(jobs *load, slots int) (waits int64) {
	w := newWinners(slots)
	for s := range slots {
		w.set(s, uint64(s))
	}
	mask := uint64(1)<<w.shift - 1
	for i, at := range jobs.arrival {
		first := w.tree[1]
		start := max(at, int64(first>>w.shift))
		waits += start - at
		w.set(int(first&mask), uint64(start+jobs.service[i])<<w.shift|first&mask)
	}
	return waits
}

// bareEvents serves the jobs by priority and then arrival, event by event, and
// returns the sum of their waits.
func bareEvents(jobs *load, slots int) (waits int64) {
	w := newWinners(slots)
	mask := uint64(1)<<w.shift - 1
	idle := make([]int32, slots)
	for s := range idle {
		idle[s] = int32(s)
	}
	var lines [4]line
	waiting := 0
	next := 0
	for {
		arrival := uint64(math.MaxUint64)
		if next < len(jobs.arrival) {
			arrival = uint64(jobs.arrival[next])
		}
		first := w.tree[1]
		if first == math.MaxUint64 && arrival == math.MaxUint64 {
			return waits
		}
		switch done := first >> w.shift; {
		case first != math.MaxUint64 && done <= arrival: // a completion
			slot := int(first & mask)
			if waiting == 0 {
				w.set(slot, math.MaxUint64)
				idle = append(idle, int32(slot))
				continue
			}
			p := 0
			for lines[p].head == lines[p].tail {
				p++
			}
			job := lines[p].pop()
			waiting--
			waits += int64(done) - jobs.arrival[job]
			w.set(slot, (done+uint64(jobs.service[job]))<<w.shift|uint64(slot))
		case len(idle) > 0:
			slot := idle[len(idle)-1]
			idle = idle[:len(idle)-1]
			w.set(int(slot), (arrival+uint64(jobs.service[next]))<<w.shift|uint64(slot))
			next++
		default:
			lines[jobs.priority[next]].push(int32(next))
			waiting++
			next++
		}
	}
}

// line is a ring of waiting jobs.
type line struct {
	ring       []int32
	head, tail int
}

func (l *line) push(job int32) {
	if l.tail-l.head == len(l.ring) {
		ring := make([]int32, max(64, 2*len(l.ring)))
		n := 0
		for ; l.head < l.tail; l.head++ {
			ring[n] = l.ring[l.head&(len(l.ring)-1)]
			n++
		}
		l.ring, l.head, l.tail = ring, 0, n
	}
	l.ring[l.tail&(len(l.ring)-1)] = job
	l.tail++
}

func (l *line) pop() int32 {
	job := l.ring[l.head&(len(l.ring)-1)]
	l.head++
	return job
}
