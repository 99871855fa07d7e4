package queue

// recentRecords are the jobs that ended last, so that those who ask at once
// need not ask the store, and get an answer before it has them.
type recentRecords struct {
	by   map[int64]*Record
	ring []int64
	next int
}

// recentMax is how many jobs are remembered: at 10 000 a second those of more
// than a second, at about 400 bytes each.
const recentMax = 1 << 14

func newRecentRecords() recentRecords {
	return recentRecords{by: make(map[int64]*Record), ring: make([]int64, recentMax)}
}

func (r *recentRecords) add(record Record) {
	delete(r.by, r.ring[r.next])
	r.ring[r.next] = record.ID
	r.next = (r.next + 1) % recentMax
	r.by[record.ID] = &record
}
