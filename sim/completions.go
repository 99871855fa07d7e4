package sim

import "math"

// completions is a winner tree over slots: which running job is done first.
// Each leaf holds the slot's due time relative to base, shifted left, with the
// slot's number in the low bits, so that one comparison orders by time and then
// by slot. A leaf beyond the range of the key waits under the key far and gets
// its true one when the base moves on.
//
// A slot has at most one completion pending, so the tree needs no removal, and a
// walk up compares with siblings whose addresses are known early. Four to a node
// halve the length of the walk, and the four lie in half a cache line.
type completions struct {
	tree  [][4]uint64 // node i is tree[i/4][i%4], the least of nodes 4i to 4i+3; leaves from len(tree)*2 on
	root  uint64      // the least of nodes 1 to 3
	base  int64
	shift uint
	far   uint64  // keys from here on are out of range
	later []int64 // by slot, when it is due if its key is out of range; never when idle
}

const (
	never = math.MaxInt64
	idle  = math.MaxUint64 // key of a slot that runs nothing
)

// leaves returns the number of the first leaf, which is also how many there
// are: a power of two.
func (c *completions) leaves() int { return 2 * len(c.tree) }

// grow makes room for n slots.
func (c *completions) grow(n int) {
	leaves := max(c.leaves(), 64)
	for leaves < n {
		leaves *= 2
	}
	if leaves == c.leaves() {
		return
	}
	c.decode()
	for len(c.later) < leaves {
		c.later = append(c.later, never)
	}
	c.tree = make([][4]uint64, leaves/2)
	c.shift = uint(log2(leaves))
	c.far = (1<<(64-c.shift) - 2) << c.shift
	c.encode(never)
}

func log2(n int) int {
	k := 0
	for 1<<k < n {
		k++
	}
	return k
}

// key returns the key of a slot whose job is due at the given time, which is
// not before base.
func (c *completions) key(slot int32, due int64) uint64 {
	if t := uint64(due - c.base); t < c.far>>(c.shift&63) {
		return t<<(c.shift&63) | uint64(slot)
	}
	return c.beyond(slot, due)
}

// beyond returns the key of a slot that is idle or due out of range.
//
//go:noinline
func (c *completions) beyond(slot int32, due int64) uint64 {
	c.later[slot] = due
	if due == never {
		return idle
	}
	return c.far | uint64(slot)
}

// leaf returns the key of a slot.
func (c *completions) leaf(slot int32) uint64 {
	i := uint(len(c.tree)*2) + uint(slot)
	return c.tree[i>>2][i&3]
}

// runs reports whether a slot has a completion pending.
func (c *completions) runs(slot int32) bool { return c.leaf(slot) != idle }

// due returns when a slot's job is done, never when it is idle.
func (c *completions) due(slot int32) int64 {
	switch key := c.leaf(slot); {
	case key == idle:
		return never
	case key < c.far:
		return c.base + int64(key>>c.shift)
	}
	return c.later[slot]
}

// rebase moves the base to the earliest due time, or to first if that is
// earlier: a job that starts may be due before a base that was moved on.
func (c *completions) rebase(first int64) {
	c.decode()
	c.encode(first)
}

// decode notes when every slot is due.
func (c *completions) decode() {
	for s := range c.later {
		c.later[s] = c.due(int32(s))
	}
}

// encode builds the tree from what decode noted, on the base that is the
// earliest of that and first.
func (c *completions) encode(first int64) {
	c.base = first
	for _, d := range c.later {
		c.base = min(c.base, d)
	}
	if c.base == never {
		c.base = 0
	}
	leaves := c.leaves()
	for i := range c.tree {
		c.tree[i] = [4]uint64{idle, idle, idle, idle}
	}
	for s := range leaves {
		i := leaves + s
		c.tree[i>>2][i&3] = c.key(int32(s), c.later[s])
	}
	// a level has a quarter of the nodes of the one below, and begins at their
	// number
	for first := leaves >> 2; first > 0; first >>= 2 {
		for i := first; i < 2*first; i++ {
			n := &c.tree[i]
			c.tree[i>>2][i&3] = min(n[0], n[1], n[2], n[3])
		}
	}
	c.root = min(c.tree[0][1], c.tree[0][2], c.tree[0][3])
}

// set makes the job of an idle slot due at the given time.
func (c *completions) set(slot int32, due int64) {
	if due < c.base {
		c.rebase(due)
	}
	key := c.key(slot, due)
	tree := c.tree
	// the slot was idle: nothing above holds its key, so a node changes only
	// if the new key is less
	for i := uint(len(tree)*2) + uint(slot); i > 0; i >>= 2 {
		n := &tree[i>>2]
		if n[i&3] <= key {
			return
		}
		n[i&3] = key
	}
	c.root = min(c.root, key)
}

// clear makes the slot idle. Its job is usually the first of all, so the whole
// path changes and there is no early way out to look for.
func (c *completions) clear(slot int32) {
	c.replay(slot, idle)
}

// again makes a slot due that was due already, later than before.
func (c *completions) again(slot int32, due int64) {
	c.replay(slot, c.key(slot, due))
}

// replay gives a leaf another key and finds the least again on its path.
func (c *completions) replay(slot int32, key uint64) {
	tree := c.tree
	i := uint(len(tree)*2) + uint(slot)
	for i > 3 {
		n := &tree[i>>2]
		n[i&3] = key
		key = min(min(n[(i+1)&3], n[(i+2)&3], n[(i+3)&3]), key) // the siblings first: they are known early
		i >>= 2
	}
	// 2 and 3 are at the top, or 1 alone beside 0, which stays idle
	n := &tree[0]
	n[i&3] = key
	c.root = min(n[(i^1)&3], key)
}

// min returns the earliest due time, never when nothing runs.
func (c *completions) min() int64 {
	if key := c.root; key < c.far {
		return c.base + int64(key>>(c.shift&63))
	}
	return c.minFar()
}

// minFar returns the earliest due time when it is out of range, or never.
//
//go:noinline
func (c *completions) minFar() int64 {
	if c.root == idle {
		return never
	}
	c.rebase(never)
	return c.base + int64(c.root>>c.shift)
}

// first returns the slot that is due first; min must not be never.
func (c *completions) first() int32 { return int32(c.root & (1<<(c.shift&63) - 1)) }
