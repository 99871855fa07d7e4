package dispatch

import "github.com/skynet-ec2/skynet/policy/byid"

// Token is the fencing token of a lease: the epoch of the leader that gave it
// in the upper 32 bits, a count of the job's leases in the lower. The tokens
// of one job only grow, across leaders too. The zero Token was never given.
type Token uint64

// Epoch returns the number of the leader that gave the token.
func (t Token) Epoch() uint32 { return uint32(t >> 32) }

// next returns the first token after t that a leader of the given epoch may
// give.
func (t Token) next(epoch uint32) Token {
	return max(t+1, Token(epoch)<<32|1)
}

// State says where a job is in its life.
type State uint8

// The states of a job. The first four are live; Dead and Quarantined wait for
// a human's Retry or Cancel; Done and Cancelled are remembered for a while so
// that a repeated completion can be answered, then forgotten.
const (
	Unknown     State = iota // not in the queue
	Waiting                  // in line
	Delayed                  // its time has not come: enqueued for later, or backing off
	Leased                   // a worker has it
	Dead                     // failed as often as it may
	Quarantined              // its leases were lost too often: it may kill workers
	Done
	Cancelled
	states // how many there are
)

var stateNames = [states]string{"unknown", "waiting", "delayed", "leased", "dead", "quarantined", "done", "cancelled"}

// String returns the state in lower case.
func (s State) String() string {
	if s < states {
		return stateNames[s]
	}
	return "invalid"
}

// ending says how the latest lease of a job ended.
type ending uint8

const (
	open ending = iota // it did not, or there was none
	completed
	failed
	released
	lost // expired, or past the job's deadline
	endings
)

// record is what the queue keeps of a job: 80 bytes, no pointers.
type record struct {
	id       int64
	arrival  int64 // when it could first run: its place in the line
	token    Token // of its last lease
	estimate int64 // ns of work somebody expects
	maxRun   int64 // ns one lease may take, 0 unlimited
	when     int64 // ns: Delayed, when it is due; Done and Cancelled, since when
	tenant   int32
	key      int32  // concurrency key, 0 none
	lease    int32  // while Leased
	stamp    uint32 // counts the transitions of whatever job uses this slot: places and timers with another are old
	kind     uint16
	attempt  uint16 // leases so far, released ones not counted
	failures uint16
	attempts uint16 // as many failures make it Dead
	priority uint8
	state    State
	losses   uint8
	flags    uint8
}

const (
	flagCancel  uint8 = 1 << iota // a human asked to cancel it while it ran
	flagKeyed                     // it has an idempotency key
	flagParked                    // Waiting, but beside the line until its concurrency key has room
	endingShift = 4
)

func (r *record) endedBy() ending     { return ending(r.flags >> endingShift) }
func (r *record) setEndedBy(e ending) { r.flags = r.flags&(1<<endingShift-1) | uint8(e)<<endingShift }
func (r *record) has(flag uint8) bool { return r.flags&flag != 0 }

// pageSize is how many records stand in a page.
const pageSize = 1024

// records is a slab of records in pages that never move: a pointer to one is
// good until the job is forgotten, and growth copies nothing.
type records struct {
	pages []*[pageSize]record
	free  []int32
	used  int32             // slots that were ever in use
	index byid.Table[int32] // slot+1 by id
}

func (s *records) at(slot int32) *record { return &s.pages[slot/pageSize][slot%pageSize] }

// find returns the record of a job and its slot, nil where there is none.
func (s *records) find(id int64) (*record, int32) {
	slot := s.index.At(id) - 1
	if slot < 0 {
		return nil, 0
	}
	return s.at(slot), slot
}

// add makes the record of a job and returns it with its slot.
func (s *records) add(id int64) (*record, int32) {
	var slot int32
	if n := len(s.free); n > 0 {
		slot = s.free[n-1]
		s.free = s.free[:n-1]
	} else {
		if int(s.used) == len(s.pages)*pageSize {
			s.pages = append(s.pages, new([pageSize]record))
		}
		slot = s.used
		s.used++
	}
	r := s.at(slot)
	*r = record{id: id, stamp: r.stamp + 1}
	s.index.Put(id, slot+1)
	return r, slot
}

// remove forgets the job in a slot.
func (s *records) remove(slot int32) {
	r := s.at(slot)
	s.index.Remove(r.id)
	*r = record{stamp: r.stamp + 1}
	if s.used > 4*pageSize && len(s.free) == int(s.used)-1 {
		// The last one went: start afresh and let the pages go. Places and
		// timers of forgotten jobs are told by their ids, which never return.
		s.pages, s.free, s.used = nil, nil, 0
		s.index = byid.Table[int32]{}
		return
	}
	s.free = append(s.free, slot)
}
