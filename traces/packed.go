package traces

import (
	"io"
	"time"
)

// Packed is a trace in memory, at about 10 to 13 bytes a job. It is immutable
// and safe for concurrent use: any number of Sources may read it at once.
//
// Jobs stand in blocks of up to 4096. A block keeps each column at the
// narrowest of 0, 4, 5, 6 and 8 bytes a job that holds its largest value
// (arrivals as gaps from the job before), and kinds in one byte or two.
type Packed struct {
	meta    Meta
	blocks  []block
	kinds   []Kind
	tenants []string
	has     [4]bool // which of Batch.optional are present
}

type block struct {
	first  int64
	before int64 // arrival of the job before the block
	gaps   column
	serv   column
	kind8  []uint8
	kind16 []uint16
	extra  *[4]column // Batch.optional
	tenant []uint32
	n      int
}

// Load reads src to its end and keeps its jobs in memory. It does not close
// src. It fails if src does, or if arrivals go back in time.
func Load(src Source) (*Packed, error) {
	p := &Packed{meta: src.Meta()}
	var in, block Batch
	jobs, last := int64(0), int64(0)
	for {
		err := src.Next(&in)
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		p.kinds, p.tenants = in.Kinds, in.Tenants
		for at := 0; at < in.Len(); {
			n := min(batchLen-block.Len(), in.Len()-at)
			part := in.slice(at, at+n)
			block.append(&part)
			at += n
			if block.Len() == batchLen {
				if last, err = p.add(&block, jobs, last); err != nil {
					return nil, err
				}
				jobs += int64(block.Len())
				block.reset()
			}
		}
	}
	if block.Len() > 0 {
		var err error
		if last, err = p.add(&block, jobs, last); err != nil {
			return nil, err
		}
		jobs += int64(block.Len())
	}
	start := p.meta
	p.meta = src.Meta()
	if p.meta.Start.IsZero() {
		p.meta.Start = start.Start
	}
	p.meta.Jobs = jobs
	p.meta.Span = time.Duration(last)
	return p, nil
}

// append adds the jobs of part to b. Kinds and tenants are those of part.
func (b *Batch) append(part *Batch) {
	b.Arrival = append(b.Arrival, part.Arrival...)
	b.Service = append(b.Service, part.Service...)
	b.Kind = append(b.Kind, part.Kind...)
	dst, src := b.optional(), part.optional()
	for i := range dst {
		*dst[i] = append(*dst[i], *src[i]...)
	}
	b.Tenant = append(b.Tenant, part.Tenant...)
}

// add packs b as the next block and returns its last arrival.
func (p *Packed) add(b *Batch, first, before int64) (last int64, err error) {
	n := b.Len()
	k := block{first: first, before: before, n: n}
	gaps := make([]int64, n)
	last = before
	for i, at := range b.Arrival {
		if at < last {
			return 0, &InputError{
				File: p.meta.Name, Line: first + int64(i) + 1, Column: "arrival_s",
				Value: formatSeconds(at), Reason: "arrives before the job ahead of it (" + formatSeconds(last) + ")",
			}
		}
		gaps[i] = at - last
		last = at
	}
	k.gaps = pack(gaps)
	k.serv = pack(b.Service)
	narrow := true
	for _, v := range b.Kind {
		narrow = narrow && v < 256
	}
	if narrow {
		k.kind8 = make([]uint8, n)
		for i, v := range b.Kind {
			k.kind8[i] = uint8(v)
		}
	} else {
		k.kind16 = append(make([]uint16, 0, n), b.Kind...)
	}
	for i, c := range b.optional() {
		if len(*c) == n {
			if k.extra == nil {
				k.extra = new([4]column)
			}
			k.extra[i] = pack(*c)
			p.has[i] = true
		}
	}
	if len(b.Tenant) == n {
		k.tenant = append(make([]uint32, 0, n), b.Tenant...)
	}
	p.blocks = append(p.blocks, k)
	return last, nil
}

// Meta returns what is known of the trace: all of it.
func (p *Packed) Meta() Meta { return p.meta }

// Len returns the number of jobs.
func (p *Packed) Len() int64 { return p.meta.Jobs }

// Kinds returns every kind in the trace; Batch.Kind indexes it.
func (p *Packed) Kinds() []Kind { return p.kinds }

// Bytes returns the memory the jobs take.
func (p *Packed) Bytes() int64 {
	const header = 240 // a block and its slices, on 64 bits
	total := int64(len(p.blocks)) * header
	for i := range p.blocks {
		k := &p.blocks[i]
		total += k.gaps.bytes() + k.serv.bytes() + int64(len(k.kind8)+2*len(k.kind16)+4*len(k.tenant))
		if k.extra != nil {
			for j := range k.extra {
				total += k.extra[j].bytes()
			}
		}
	}
	return total
}

// Source returns an independent cursor at the trace's first job. It allocates
// once, here; Next does not.
func (p *Packed) Source() Source {
	c := &cursor{p: p}
	for i, has := range p.has {
		if has {
			c.extra[i] = make([]int64, batchLen)
		}
	}
	return c
}

type cursor struct {
	p       *Packed
	next    int
	arrival [batchLen]int64
	service [batchLen]int64
	kind    [batchLen]uint16
	extra   [4][]int64
}

func (c *cursor) Next(b *Batch) error {
	if c.next == len(c.p.blocks) {
		return io.EOF
	}
	k := &c.p.blocks[c.next]
	c.next++
	n := k.n
	b.First = k.first
	b.Arrival, b.Service, b.Kind = c.arrival[:n], c.service[:n], c.kind[:n]
	k.gaps.decode(b.Arrival)
	at := k.before
	for i, gap := range b.Arrival {
		at += gap
		b.Arrival[i] = at
	}
	k.serv.decode(b.Service)
	if k.kind8 != nil {
		kind := b.Kind[:len(k.kind8)]
		for i, v := range k.kind8 {
			kind[i] = uint16(v)
		}
	} else {
		copy(b.Kind, k.kind16)
	}
	for i, col := range b.optional() {
		*col = nil
		if k.extra != nil && c.extra[i] != nil {
			*col = c.extra[i][:n]
			k.extra[i].decode(*col)
		}
	}
	b.Tenant = k.tenant
	b.Kinds, b.Tenants = c.p.kinds, c.p.tenants
	return nil
}

func (c *cursor) Meta() Meta   { return c.p.meta }
func (c *cursor) Close() error { return nil }

// column holds non-negative integers at the narrowest width that fits all:
// their low 32 bits, and 0, 8, 16 or 32 more. The zero column is all zeros.
type column struct {
	lo   []uint32
	hi8  []uint8
	hi16 []uint16
	hi32 []uint32
}

// pack returns values, none of them negative, as a column.
func pack(values []int64) column {
	var all uint64
	for _, v := range values {
		all |= uint64(v)
	}
	var c column
	if all == 0 {
		return c
	}
	c.lo = make([]uint32, len(values))
	for i, v := range values {
		c.lo[i] = uint32(v)
	}
	switch high := all >> 32; {
	case high == 0:
	case high < 1<<8:
		c.hi8 = make([]uint8, len(values))
		for i, v := range values {
			c.hi8[i] = uint8(v >> 32)
		}
	case high < 1<<16:
		c.hi16 = make([]uint16, len(values))
		for i, v := range values {
			c.hi16[i] = uint16(v >> 32)
		}
	default:
		c.hi32 = make([]uint32, len(values))
		for i, v := range values {
			c.hi32[i] = uint32(v >> 32)
		}
	}
	return c
}

// decode writes the column to dst, which is as long as it.
func (c *column) decode(dst []int64) {
	if c.lo == nil {
		clear(dst)
		return
	}
	lo := c.lo[:len(dst)]
	switch {
	case c.hi8 != nil:
		hi := c.hi8[:len(dst)]
		for i := range dst {
			dst[i] = int64(uint64(lo[i]) | uint64(hi[i])<<32)
		}
	case c.hi16 != nil:
		hi := c.hi16[:len(dst)]
		for i := range dst {
			dst[i] = int64(uint64(lo[i]) | uint64(hi[i])<<32)
		}
	case c.hi32 != nil:
		hi := c.hi32[:len(dst)]
		for i := range dst {
			dst[i] = int64(uint64(lo[i]) | uint64(hi[i])<<32)
		}
	default:
		for i := range dst {
			dst[i] = int64(lo[i])
		}
	}
}

func (c *column) bytes() int64 {
	return int64(4*len(c.lo) + len(c.hi8) + 2*len(c.hi16) + 4*len(c.hi32))
}
