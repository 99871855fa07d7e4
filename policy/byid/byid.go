// Package byid keeps things by the ids of jobs, which are given one after the
// other: neighbors stand beside each other, so that nothing is hashed, the next
// thing asked for is often at hand, and all can be walked in order.
package byid

import (
	"cmp"
	"iter"
	"math"
	"slices"
)

// Table finds values by positive ids. The zero V is none. An id whose
// neighbors are there costs half a byte and the value; one that stays behind
// alone a leaf of 16 values, and one that nobody is near to a block of 2 kB. The
// zero Table is empty and ready.
type Table[V comparable] struct {
	blocks []*block[V] // by their ids
	n      int
	spare  *block[V] // emptied last: a table that is nearly empty does not make one for each value
}

const (
	leafIDs     = 16
	blockLeaves = 256
	blockIDs    = leafIDs * blockLeaves
)

type leaf[V comparable] [leafIDs]V

// block is the values whose ids, divided by blockIDs, give number.
type block[V comparable] struct {
	number int64
	n      int
	leaves [blockLeaves]*leaf[V]
}

// Len returns how many values there are.
func (t *Table[V]) Len() int { return t.n }

// search returns where the block of a number is, or would be.
func (t *Table[V]) search(number int64) (int, bool) {
	if n := len(t.blocks); n > 0 {
		switch last := t.blocks[n-1].number; { // most are asked for soon after they came
		case number == last:
			return n - 1, true
		case number > last:
			return n, false
		}
	}
	return slices.BinarySearchFunc(t.blocks, number, func(b *block[V], number int64) int { return cmp.Compare(b.number, number) })
}

// At returns the value of an id; the zero V if there is none.
func (t *Table[V]) At(id int64) (v V) {
	i, ok := t.search(id / blockIDs)
	if !ok || id < 1 { // somebody may ask for anything
		return v
	}
	if l := t.blocks[i].leaves[id%blockIDs/leafIDs]; l != nil {
		return l[id%leafIDs]
	}
	return v
}

// Put keeps v, which is not the zero V, under an id of at least 1, in place of
// what was there.
func (t *Table[V]) Put(id int64, v V) {
	i, ok := t.search(id / blockIDs)
	if !ok {
		b := t.spare
		if t.spare = nil; b == nil {
			b = &block[V]{}
		}
		b.number = id / blockIDs
		t.blocks = slices.Insert(t.blocks, i, b)
	}
	b := t.blocks[i]
	l := b.leaves[id%blockIDs/leafIDs]
	if l == nil {
		l = &leaf[V]{}
		b.leaves[id%blockIDs/leafIDs] = l
	}
	var none V
	if l[id%leafIDs] == none {
		b.n++
		t.n++
	}
	l[id%leafIDs] = v
}

// Remove takes the value of an id out, if there is one.
func (t *Table[V]) Remove(id int64) {
	var none V
	if t.At(id) == none {
		return
	}
	i, _ := t.search(id / blockIDs)
	b := t.blocks[i]
	l := b.leaves[id%blockIDs/leafIDs]
	l[id%leafIDs] = none
	b.n--
	t.n--
	switch {
	case b.n == 0:
		t.blocks = slices.Delete(t.blocks, i, i+1)
		t.spare = b // with its last leaf, which is empty
	case *l == leaf[V]{}:
		b.leaves[id%blockIDs/leafIDs] = nil
	}
}

// From yields the values of ids of at least id, by id. The table must not be
// changed meanwhile.
func (t *Table[V]) From(id int64) iter.Seq2[int64, V] {
	return func(yield func(int64, V) bool) {
		var none V
		id := max(id, 1)
		for i, _ := t.search(id / blockIDs); i < len(t.blocks); i++ {
			b := t.blocks[i]
			id = max(id, b.number*blockIDs)
			for k := id % blockIDs / leafIDs; k < blockLeaves; k++ {
				l := b.leaves[k]
				if l == nil {
					continue
				}
				first := b.number*blockIDs + k*leafIDs
				for at := max(id, first) - first; at < leafIDs; at++ {
					if v := l[at]; v != none && !yield(first+at, v) {
						return
					}
				}
			}
			id = 0 // of the next block all
		}
	}
}

// Step calls each for up to n values of ids greater than after, by id, until it
// returns false. It returns the last id it looked at, and whether more may
// follow. The table must not be changed meanwhile.
func (t *Table[V]) Step(after int64, n int, each func(id int64, v V) bool) (last int64, more bool) {
	looked := 0
	for id, v := range t.From(min(after, math.MaxInt64-1) + 1) {
		if looked == n {
			return after, true
		}
		looked++
		after = id
		if !each(id, v) {
			return after, false
		}
	}
	return after, false
}
