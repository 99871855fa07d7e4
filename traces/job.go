package traces

import (
	"fmt"
	"math/bits"
	"slices"
)

// Limits of a trace. They keep sums of times inside an int64 and memory in
// proportion to the file.
const (
	TimeMax  = 1<<62 - 1 // longest time of any column, in ns: about 146 years
	KindsMax = 1 << 16   // kinds in one trace
	NameMax  = 255       // bytes in the name of a type or tenant

	SpeedMin, SpeedMax = 0.001, 1000 // of the core that service times were measured on

	tenantsMax = 1 << 20 // tenants in one trace
	batchLen   = 4096    // jobs in a full batch
)

// Kind is what a controller can tell jobs apart by before it runs them.
type Kind struct {
	Type     string
	Priority uint8 // 0 is served first
	Size     uint8 // SizeBucket of the job's input; 0: unknown
}

// SizeBucket returns the bucket of an input of n bytes: 0 when n is unknown
// (not positive), else 1 + floor(log4(n / 64 KiB)) kept within 1 and 15. A
// bucket is four times the one before: 1 ends at 256 KiB, 4 at 16 MiB (a
// photo), 8 at 4 GiB (a video); 15 is open above.
func SizeBucket(n int64) uint8 {
	if n <= 0 {
		return 0
	}
	units := uint64(n) >> 16
	if units == 0 {
		return 1
	}
	return uint8(min(1+(bits.Len64(units)-1)/2, 15))
}

// Batch holds consecutive jobs column by column. Slices have equal length;
// optional columns are nil when the source has none, in every batch or in no
// batch. The zero Batch is empty and ready to be filled.
//
// A batch is read-only: its slices belong to the source that filled it and
// stay valid until the next call of Next.
type Batch struct {
	First   int64    // position in its source of the first job, counted from 0
	Arrival []int64  // ns since the trace's start, non-decreasing, 0 to TimeMax
	Service []int64  // ns on a core of the trace's reference speed, 1 to TimeMax
	Kind    []uint16 // index into Kinds
	Kinds   []Kind   // every kind met so far; grows, entries never change

	Estimate []int64  // optional: what the source expected Service to be, ns; 0 = not known
	Deadline []int64  // optional: ns after the job's own arrival; 0 = none
	BytesIn  []int64  // optional: size of the input; 0 = not known
	BytesOut []int64  // optional: size of the output; 0 = not known
	Tenant   []uint32 // optional: index into Tenants
	Tenants  []string // every tenant met so far; grows, entries never change
}

// Len returns the number of jobs in b.
func (b *Batch) Len() int { return len(b.Arrival) }

// slice returns the jobs i to j of b as a batch that shares its memory.
func (b *Batch) slice(i, j int) Batch {
	s := *b
	s.First += int64(i)
	s.Arrival, s.Service, s.Kind = b.Arrival[i:j], b.Service[i:j], b.Kind[i:j]
	for _, c := range s.optional() {
		if *c != nil {
			*c = (*c)[i:j]
		}
	}
	if s.Tenant != nil {
		s.Tenant = s.Tenant[i:j]
	}
	return s
}

// optional returns the optional columns of b that hold integers of 64 bits.
func (b *Batch) optional() [4]*[]int64 {
	return [4]*[]int64{&b.Estimate, &b.Deadline, &b.BytesIn, &b.BytesOut}
}

// Clone returns a copy of b that stays valid when its source goes on.
func (b *Batch) Clone() Batch {
	c := *b
	c.Arrival, c.Service, c.Kind = slices.Clone(b.Arrival), slices.Clone(b.Service), slices.Clone(b.Kind)
	for _, column := range c.optional() {
		*column = slices.Clone(*column)
	}
	c.Tenant = slices.Clone(b.Tenant)
	return c
}

// extend adds n jobs to b, which has no optional column, and returns where
// their columns are to be written.
func (b *Batch) extend(n int) (arrival, service []int64, kind []uint16) {
	at := b.Len()
	b.Arrival = slices.Grow(b.Arrival, n)[:at+n]
	b.Service = slices.Grow(b.Service, n)[:at+n]
	b.Kind = slices.Grow(b.Kind, n)[:at+n]
	return b.Arrival[at:], b.Service[at:], b.Kind[at:]
}

// reset empties b and keeps its memory and its dictionaries.
func (b *Batch) reset() {
	b.Arrival, b.Service, b.Kind = b.Arrival[:0], b.Service[:0], b.Kind[:0]
	for _, c := range b.optional() {
		*c = (*c)[:0]
	}
	b.Tenant = b.Tenant[:0]
}

// kindSet numbers kinds in the order it meets them.
type kindSet struct {
	kinds []Kind
	types map[string]uint32
	names []string
	// pages holds, for a type and a size (type*16 + size), the kind of every
	// priority plus one.
	pages []*[256]uint32
}

// typeID returns the number of the type called name.
func (s *kindSet) typeID(name []byte) (uint32, error) {
	if id, ok := s.types[string(name)]; ok {
		return id, nil
	}
	if len(s.names) == KindsMax {
		return 0, fmt.Errorf("more than %d job types", KindsMax)
	}
	if s.types == nil {
		s.types = make(map[string]uint32)
	}
	id := uint32(len(s.names))
	str := string(name)
	s.types[str] = id
	s.names = append(s.names, str)
	s.pages = append(s.pages, make([]*[256]uint32, 16)...)
	return id, nil
}

// kind returns the number of the kind of a type, priority and size.
func (s *kindSet) kind(typeID uint32, priority, size uint8) (uint16, error) {
	page := s.pages[typeID*16+uint32(size&15)]
	if page != nil {
		if k := page[priority]; k != 0 {
			return uint16(k - 1), nil
		}
	}
	return s.add(typeID, priority, size)
}

func (s *kindSet) add(typeID uint32, priority, size uint8) (uint16, error) {
	if len(s.kinds) == KindsMax {
		return 0, fmt.Errorf("more than %d kinds of job (type, priority and size)", KindsMax)
	}
	at := typeID*16 + uint32(size&15)
	if s.pages[at] == nil {
		s.pages[at] = new([256]uint32)
	}
	s.kinds = append(s.kinds, Kind{Type: s.names[typeID], Priority: priority, Size: size})
	s.pages[at][priority] = uint32(len(s.kinds))
	return uint16(len(s.kinds) - 1), nil
}

// named returns the number of the kind of a type given by its name.
func (s *kindSet) named(name string, priority, size uint8) (uint16, error) {
	id, err := s.typeID([]byte(name))
	if err != nil {
		return 0, err
	}
	return s.kind(id, priority, size)
}

// tenantSet numbers tenants in the order it meets them.
type tenantSet struct {
	ids   map[string]uint32
	names []string
}

func (s *tenantSet) id(name []byte) (uint32, error) {
	if id, ok := s.ids[string(name)]; ok {
		return id, nil
	}
	if len(s.names) == tenantsMax {
		return 0, fmt.Errorf("more than %d tenants", tenantsMax)
	}
	if s.ids == nil {
		s.ids = make(map[string]uint32)
	}
	id := uint32(len(s.names))
	str := string(name)
	s.ids[str] = id
	s.names = append(s.names, str)
	return id, nil
}
