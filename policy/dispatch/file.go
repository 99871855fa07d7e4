package dispatch

import "slices"

const (
	fileFirst  = 8    // items that a file makes room for at first
	fileShrink = 1024 // items of room that a file keeps for good
)

// file is items in single file: first come, first served, except that one that had
// left may return to its place. It is the one ordering rule that Line and Queue share.
//
// Items that come in order stand in a ring whose size is a power of two. It doubles
// when full and halves when seven eighths of it are empty, so a file that was a
// million deep gives its memory back as it drains, and one that swings by less than a
// factor of four neither grows nor shrinks. Items that return, or come late, stand in a
// heap beside it; the two are merged at the front. The zero file is empty and ready.
type file[T ordered[T]] struct {
	ring        []T
	head, tail  uint    // they only grow; position i stands at ring[i & (len-1)]
	shrinkBelow uint    // with fewer items in it the ring is halved
	late        heap[T] // items that come before the last of the ring
}

// len returns how many items there are.
func (f *file[T]) len() int { return int(f.tail-f.head) + len(f.late) }

// next makes room at the end of the ring and returns it for the caller to
// fill. The caller copies the fields itself: copies of whole items cost ten
// times as much, because wide loads have to wait for narrow stores.
func (f *file[T]) next() *T {
	if f.tail-f.head == uint(len(f.ring)) {
		f.resize(max(fileFirst, 2*len(f.ring)))
	}
	i := f.tail & uint(len(f.ring)-1)
	f.tail++
	return &f.ring[i]
}

// insert puts x at its place, in O(1) if that is the end.
func (f *file[T]) insert(x T) {
	if last := f.last(); last != nil && x.before(*last) {
		f.late.push(x)
		return
	}
	*f.next() = x
}

// last returns the item at the end of the ring, nil where the ring is empty. An item that
// comes before it belongs in late.
func (f *file[T]) last() *T {
	if f.head == f.tail {
		return nil
	}
	return &f.ring[(f.tail-1)&uint(len(f.ring)-1)]
}

// first returns the first item of a file that is not empty.
func (f *file[T]) first() *T {
	if len(f.late) > 0 && f.lateFirst() {
		return &f.late[0]
	}
	return &f.ring[f.head&uint(len(f.ring)-1)]
}

// drop removes the first item of a file that is not empty.
func (f *file[T]) drop() {
	if len(f.late) > 0 && f.lateFirst() {
		f.late.pop()
		return
	}
	f.head++
	if f.tail-f.head < f.shrinkBelow {
		f.resize(len(f.ring) / 2)
	}
}

// lateFirst reports whether the first late item, of which there is one, comes before the
// first of the ring.
func (f *file[T]) lateFirst() bool {
	return f.head == f.tail || f.late[0].before(f.ring[f.head&uint(len(f.ring)-1)])
}

// resize gives the ring another size. It stands apart to keep the paths that
// every job takes small.
//
//go:noinline
func (f *file[T]) resize(room int) {
	ring := make([]T, room)
	n := f.tail - f.head
	if n > 0 {
		from := f.head & uint(len(f.ring)-1)
		k := copy(ring[:n], f.ring[from:])
		copy(ring[k:n], f.ring)
	}
	f.ring, f.head, f.tail, f.shrinkBelow = ring, 0, n, 0
	if room > fileShrink {
		f.shrinkBelow = uint(room) / 8
	}
}

// at returns the i-th item of the ring, counted from its front.
func (f *file[T]) at(i uint) *T { return &f.ring[(f.head+i)&uint(len(f.ring)-1)] }

// filter drops every item for which wanted is false.
func (f *file[T]) filter(wanted func(T) bool) {
	kept := f.head
	for i := f.head; i != f.tail; i++ {
		if x := f.ring[i&uint(len(f.ring)-1)]; wanted(x) {
			f.ring[kept&uint(len(f.ring)-1)] = x
			kept++
		}
	}
	f.tail = kept
	f.late.filter(wanted)
	for f.tail-f.head < f.shrinkBelow {
		f.resize(len(f.ring) / 2)
	}
}

// each calls yield for every item from front to end, until yield returns
// false; then it returns false itself.
func (f *file[T]) each(yield func(*T) bool) bool {
	// A sorted slice is a heap, so sorting the late items changes nothing that drop could
	// see.
	slices.SortFunc(f.late, func(a, b T) int {
		switch {
		case a.before(b):
			return -1
		case b.before(a):
			return 1
		}
		return 0
	})
	late := f.late
	for i := f.head; i != f.tail; i++ {
		x := &f.ring[i&uint(len(f.ring)-1)]
		for len(late) > 0 && late[0].before(*x) {
			if !yield(&late[0]) {
				return false
			}
			late = late[1:]
		}
		if !yield(x) {
			return false
		}
	}
	for i := range late {
		if !yield(&late[i]) {
			return false
		}
	}
	return true
}

// items yields every item from front to end.
func (f *file[T]) items(yield func(T) bool) {
	f.each(func(x *T) bool { return yield(*x) })
}
