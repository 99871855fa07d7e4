package dispatch

import (
	"math/bits"
	"slices"
)

// Job is what a line keeps of a waiting job: 40 bytes, no pointers, so that a
// line of millions is nothing to the garbage collector. The zero Job is a job
// of no work that arrived at 0.
type Job struct {
	ID       int64  // trace ordinal or queue id: the order among equal arrivals
	Arrival  int64  // ns since an instant of the caller's choosing
	Work     int64  // ns of service on the reference the caller uses
	Estimate int64  // ns of service somebody expects, 0 where nobody does
	Kind     uint16 // the caller's number for the job type
	Attempt  uint16 // how often it was started before
}

// before reports whether j stands in front of k in a line of one priority.
func (j Job) before(k Job) bool {
	return j.Arrival < k.Arrival || j.Arrival == k.Arrival && j.ID < k.ID
}

// Line holds waiting jobs and hands them out by (priority, Arrival, ID),
// priority 0 first. The zero Line is empty and ready. It must not be copied
// after first use, nor used by two goroutines at once.
//
// Properties:
//   - Pop returns the least of what stands in the line, whatever the order in
//     which Push and Return put it there
//   - a job leaves as often as it came in
//   - once a line has been as deep as it gets, nothing allocates
//
// Push and Pop together cost about 18 ns at any depth from 0 to a million
// (BenchmarkLine, a shared 2.6 GHz core), where the barest ring one can write by
// hand for this Job costs about 15, and an array per field about 19.
type Line struct {
	files  [256]file[Job] // by priority
	filled [4]uint64      // bit p: files[p] is not empty
	n      int            // jobs that wait
}

// Push adds a job, O(1) if it is the youngest of its priority, as jobs that
// arrive in order are. One that is older goes to its place as by Return.
func (l *Line) Push(priority uint8, j Job) {
	f := &l.files[priority]
	if last := f.last(); last != nil && (j.Arrival < last.Arrival || j.Arrival == last.Arrival && j.ID < last.ID) {
		f.late.push(j)
	} else {
		place := f.next()
		place.ID, place.Arrival, place.Work, place.Estimate = j.ID, j.Arrival, j.Work, j.Estimate
		place.Kind, place.Attempt = j.Kind, j.Attempt
	}
	l.filled[priority>>6] |= 1 << (priority & 63)
	l.n++
}

// Append makes room behind every job of a priority and returns it, to be filled
// at once with a job that does not come before any of them, as a new arrival
// does not. It is Push without the copies.
func (l *Line) Append(priority uint8) *Job {
	l.filled[priority>>6] |= 1 << (priority & 63)
	l.n++
	return l.files[priority].next()
}

// Return gives a job that had been popped its place again, by (Arrival, ID).
// It costs O(log r) where r jobs of that priority have returned and wait.
func (l *Line) Return(priority uint8, j Job) { l.Push(priority, j) }

// Pop removes and returns the first job and its priority; ok is false when the
// line is empty.
func (l *Line) Pop() (j Job, priority uint8, ok bool) {
	p, ok := l.firstPriority()
	if !ok {
		return Job{}, 0, false
	}
	f := &l.files[p]
	first := f.first()
	j.ID, j.Arrival, j.Work, j.Estimate = first.ID, first.Arrival, first.Work, first.Estimate
	j.Kind, j.Attempt = first.Kind, first.Attempt
	l.Drop(p)
	return j, p, true
}

// First returns the job that Pop would, where it stands, and its priority; nil
// when the line is empty. The pointer is valid until the line changes.
func (l *Line) First() (*Job, uint8) {
	p, ok := l.firstPriority()
	if !ok {
		return nil, 0
	}
	return l.files[p].first(), p
}

// Drop removes the first job of a priority of which one waits.
func (l *Line) Drop(priority uint8) {
	f := &l.files[priority]
	f.drop()
	l.n--
	if f.head == f.tail && len(f.late) == 0 {
		l.filled[priority>>6] &^= 1 << (priority & 63)
	}
}

// Peek returns what Pop would, and leaves it in the line.
func (l *Line) Peek() (j Job, priority uint8, ok bool) {
	p, ok := l.firstPriority()
	if !ok {
		return Job{}, 0, false
	}
	return *l.files[p].first(), p, true
}

// firstPriority returns the first priority of which a job waits.
func (l *Line) firstPriority() (uint8, bool) {
	if b := l.filled[0]; b != 0 { // nearly always
		return uint8(bits.TrailingZeros64(b)), true
	}
	for w := range l.filled {
		if b := l.filled[w]; b != 0 {
			return uint8(w<<6 | bits.TrailingZeros64(b)), true
		}
	}
	return 0, false
}

// Len returns how many jobs wait.
func (l *Line) Len() int { return l.n }

// Each calls yield for every job in the order in which Pop would hand them
// out, until yield returns false. The pointer is valid during the call only;
// what it points to may be changed except for ID and Arrival. The line must
// not be changed meanwhile.
func (l *Line) Each(yield func(priority uint8, j *Job) bool) {
	for p := range l.files {
		f := &l.files[p]
		if f.len() > 0 && !f.each(func(j *Job) bool { return yield(uint8(p), j) }) {
			return
		}
	}
}

// Remove takes a waiting job out of the line and returns it; ok is false when
// no such job waits. It finds the job in O(log n), or O(r) among r returned
// ones, and closes the gap in O(n).
func (l *Line) Remove(priority uint8, arrival, id int64) (j Job, ok bool) {
	f := &l.files[priority]
	want := Job{ID: id, Arrival: arrival}
	lo, hi := uint(0), f.tail-f.head
	for lo < hi {
		if mid := (lo + hi) / 2; f.at(mid).before(want) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	switch {
	case lo < f.tail-f.head && f.at(lo).ID == id && f.at(lo).Arrival == arrival:
		j = *f.at(lo)
		for i := lo; i > 0; i-- {
			*f.at(i) = *f.at(i - 1)
		}
		f.head++
	default:
		i := slices.IndexFunc(f.late, func(b Job) bool { return b.ID == id && b.Arrival == arrival })
		if i < 0 {
			return Job{}, false
		}
		j = f.late[i]
		f.late.remove(i)
	}
	l.n--
	if f.len() == 0 {
		l.filled[priority>>6] &^= 1 << (priority & 63)
	}
	return j, true
}
