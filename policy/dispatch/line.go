package dispatch

import "math/bits"

// Job is what a line keeps of a waiting job.
type Job struct {
	ID       int64
	Arrival  int64
	Work     int64
	Estimate int64
	Kind     uint16
	Attempt  uint16
}

type ring struct {
	buf        []Job
	head, tail int
	back       []Job
}

// Line holds waiting jobs.
type Line struct {
	rings [256]ring
	bits  [4]uint64
	n     int
}

func (l *Line) Push(p uint8, j Job) {
	r := &l.rings[p]
	if r.tail-r.head == len(r.buf) {
		nb := make([]Job, max(64, 2*len(r.buf)))
		for i := r.head; i < r.tail; i++ {
			nb[i-r.head] = r.buf[i&(len(r.buf)-1)]
		}
		r.tail -= r.head
		r.head = 0
		r.buf = nb
	}
	r.buf[r.tail&(len(r.buf)-1)] = j
	r.tail++
	l.n++
	l.bits[p>>6] |= 1 << (p & 63)
}

func (l *Line) Return(p uint8, j Job) {
	r := &l.rings[p]
	i := len(r.back)
	r.back = append(r.back, j)
	for i > 0 && (r.back[i-1].Arrival > j.Arrival || r.back[i-1].Arrival == j.Arrival && r.back[i-1].ID > j.ID) {
		r.back[i] = r.back[i-1]
		i--
	}
	r.back[i] = j
	l.n++
	l.bits[p>>6] |= 1 << (p & 63)
}

func (l *Line) Pop() (Job, uint8, bool) {
	for w, b := range l.bits {
		if b == 0 {
			continue
		}
		p := uint8(w<<6 | bits.TrailingZeros64(b))
		r := &l.rings[p]
		l.n--
		var j Job
		if len(r.back) > 0 && (r.head == r.tail || r.back[0].Arrival < r.buf[r.head&(len(r.buf)-1)].Arrival || r.back[0].Arrival == r.buf[r.head&(len(r.buf)-1)].Arrival && r.back[0].ID < r.buf[r.head&(len(r.buf)-1)].ID) {
			j = r.back[0]
			r.back = r.back[1:]
		} else {
			j = r.buf[r.head&(len(r.buf)-1)]
			r.head++
		}
		if r.head == r.tail && len(r.back) == 0 {
			l.bits[w] &^= 1 << (p & 63)
		}
		return j, p, true
	}
	return Job{}, 0, false
}

func (l *Line) Len() int { return l.n }

func (l *Line) Each(f func(p uint8, j *Job) bool) {
	for p := range l.rings {
		r := &l.rings[p]
		for i := range r.back {
			if !f(uint8(p), &r.back[i]) {
				return
			}
		}
		for i := r.head; i < r.tail; i++ {
			if !f(uint8(p), &r.buf[i&(len(r.buf)-1)]) {
				return
			}
		}
	}
}
