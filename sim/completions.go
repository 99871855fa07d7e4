package sim

import "math"

// completions is a winner tree over slots: which running job is done first.
// Each leaf holds the slot's due time relative to base, shifted left, with the
// slot's number in the low bits, so that one comparison orders by time and then
// by slot. A leaf beyond the range of the key waits under the key far and gets
// its true one when the base moves on.
//
// Measured against alternatives (see docs/benchmarks.md): a slot has at most
// one completion pending, so the tree needs no removal, and a walk up compares
// with siblings whose addresses are known early.
type completions struct {
	tree  []uint64 // tree[1] is the root, leaves from len/2 on
	due   []int64  // by slot, ns; never when idle
	base  int64
	shift uint
	far   uint64 // keys from here on are out of range
}

const (
	never = math.MaxInt64
	idle  = math.MaxUint64 // key of a slot that runs nothing
)

// grow makes room for n slots.
func (c *completions) grow(n int) {
	leaves := max(len(c.tree)/2, 64)
	for leaves < n {
		leaves *= 2
	}
	for len(c.due) < leaves {
		c.due = append(c.due, never)
	}
	if leaves != len(c.tree)/2 {
		c.tree = make([]uint64, 2*leaves)
		c.shift = uint(log2(leaves))
		c.far = (1<<(64-c.shift) - 2) << c.shift
		c.rebase()
	}
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
	if due == never {
		return idle
	}
	t := uint64(due - c.base)
	if t >= c.far>>c.shift {
		return c.far | uint64(slot)
	}
	return t<<c.shift | uint64(slot)
}

// rebase moves the base to the earliest due time and rebuilds the tree. A job
// that is set later may be due before that base: it moves it back.
func (c *completions) rebase() {
	c.base = never
	for _, d := range c.due {
		c.base = min(c.base, d)
	}
	if c.base == never {
		c.base = 0
	}
	leaves := len(c.tree) / 2
	for s := range leaves {
		c.tree[leaves+s] = c.key(int32(s), c.due[s])
	}
	for i := leaves - 1; i > 0; i-- {
		c.tree[i] = min(c.tree[2*i], c.tree[2*i+1])
	}
}

// set makes the slot's job due at the given time.
func (c *completions) set(slot int32, due int64) {
	c.due[slot] = due
	if due < c.base {
		c.rebase()
		return
	}
	key := c.key(slot, due)
	tree := c.tree
	i := uint(len(tree)/2) + uint(slot)
	tree[i] = key
	for i > 1 {
		key = min(key, tree[i^1])
		i >>= 1
		if tree[i] == key {
			return // nothing above changes
		}
		tree[i] = key
	}
}

// clear makes the slot idle. Its job is usually the first of all, so the whole
// path changes and there is no early way out to look for.
func (c *completions) clear(slot int32) {
	c.due[slot] = never
	tree := c.tree
	i := uint(len(tree)/2) + uint(slot)
	key := uint64(idle)
	tree[i] = key
	for i > 1 {
		key = min(key, tree[i^1])
		i >>= 1
		tree[i] = key
	}
}

// min returns the earliest due time, never when nothing runs.
func (c *completions) min() int64 {
	key := c.tree[1]
	if key < c.far {
		return c.base + int64(key>>c.shift)
	}
	if key == idle {
		return never
	}
	c.rebase()
	return c.base + int64(c.tree[1]>>c.shift)
}

// first returns the slot that is due first; min must not be never.
func (c *completions) first() int32 { return int32(c.tree[1] & (1<<c.shift - 1)) }
