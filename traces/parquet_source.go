package traces

import (
	"fmt"
	"strconv"
)

// parquetSource is a parquetReader as a strict Source.
type parquetSource struct {
	r    *parquetReader
	last int64
	out  Batch
	kind []uint16
	err  error
}

func openParquet(in *input, opt Options) (Source, error) {
	r, err := newParquetReader(in, opt, false)
	if err != nil {
		return nil, err
	}
	return &parquetSource{r: r, kind: make([]uint16, batchLen)}, nil
}

func (s *parquetSource) Next(b *Batch) error {
	if s.err == nil {
		s.err = s.next()
	}
	if s.err != nil {
		return s.err
	}
	*b = s.out
	return nil
}

func (s *parquetSource) next() error {
	r := s.r
	if err := r.fill(); err != nil {
		return err
	}
	n := r.n
	arrival, service, priority := r.ints[colArrival][:n], r.ints[colService][:n], r.ints[colPriority][:n]
	// one sign bit says whether any value is out of bounds
	var wrong int64
	last := s.last
	for i, at := range arrival {
		wrong |= (at - last) | (TimeMax - at) | (service[i] - 1) | (TimeMax - service[i]) | priority[i] | (255 - priority[i])
		last = at
	}
	optional := s.out.optional()
	for j, present := range r.known.has.optional {
		if present {
			values := r.ints[colEstimate+j][:n]
			for i, v := range values {
				if v == nullInt {
					values[i] = 0
					v = 0
				}
				wrong |= v | (TimeMax - v)
			}
			*optional[j] = values
		}
	}
	if r.known.has.tenant {
		s.out.Tenant = r.texts[colTenant][:n]
	}
	if wrong < 0 || !s.kinds(r.texts[colType][:n], priority) {
		return s.find()
	}
	if r.known.has.tenant {
		for i, t := range s.out.Tenant {
			if t == nullText {
				id, err := r.known.tenants.id(nil)
				if err != nil {
					return r.bad("tenant", err)
				}
				s.out.Tenant[i] = id
			}
		}
	}
	s.last = last
	s.out.First = r.rows - int64(n)
	s.out.Arrival, s.out.Service, s.out.Kind = arrival, service, s.kind[:n]
	s.out.Kinds, s.out.Tenants = r.known.kinds.kinds, r.known.tenants.names
	return nil
}

// kinds numbers the kinds of the rows that fill read. It reports whether it
// could.
func (s *parquetSource) kinds(types []uint32, priority []int64) bool {
	set := &s.r.known.kinds
	sizes := s.r.known.has.optional[2]
	kind := s.kind[:len(types)]
	pages := set.pages
	priority = priority[:len(types)]
	for i, t := range types {
		size := uint32(0)
		if sizes {
			size = uint32(SizeBucket(s.out.BytesIn[i]))
		}
		if t == nullText {
			return false
		}
		if page := pages[t*16+size&15]; page != nil {
			if k := page[uint8(priority[i])]; k != 0 {
				kind[i] = uint16(k - 1)
				continue
			}
		}
		k, err := set.kind(t, uint8(priority[i]), uint8(size))
		if err != nil {
			return false
		}
		kind[i] = k
	}
	return true
}

// find returns the first thing wrong with the rows that fill read.
func (s *parquetSource) find() error {
	var job row
	last := s.last
	for i := range s.r.n {
		err := s.r.row(i, &job)
		if err == nil && s.r.ints[colPriority][i] == nullInt {
			err = &rowError{column: "priority", detail: "is missing"}
		}
		if err == nil && job.arrival < last {
			err = &rowError{
				column: "arrival_ns", value: strconv.FormatInt(job.arrival, 10),
				detail: fmt.Sprintf("arrives before the job in the row ahead (%d)", last),
			}
		}
		if err == nil {
			if _, e := s.r.known.kinds.kind(job.typeID, job.priority, SizeBucket(job.bytesIn)); e != nil {
				return s.r.bad("type", e)
			}
		}
		if err != nil {
			return err.at(s.r.in.path, s.r.rows-int64(s.r.n)+int64(i)+1)
		}
		last = job.arrival
	}
	return s.r.bad("", errThrift)
}

func (s *parquetSource) Meta() Meta   { return s.r.known.meta }
func (s *parquetSource) Close() error { return s.r.close() }

func (r *parquetReader) close() error {
	for _, c := range r.columns {
		if c != nil && c.unzip != nil {
			c.unzip.Close()
		}
	}
	return r.in.Close()
}

// parquetRowReader is a parquetReader for an import.
type parquetRowReader struct {
	*parquetReader
	next int
}

func parquetRows(in *input, opt ImportOptions) (rowReader, error) {
	r, err := newParquetReader(in, opt.Options, true)
	if err != nil {
		return nil, err
	}
	return &parquetRowReader{parquetReader: r}, nil
}

func (r *parquetRowReader) read(out *row) error {
	for r.next == r.n {
		if err := r.fill(); err != nil {
			return err
		}
		r.next = 0
	}
	r.next++
	err := r.row(r.next-1, out)
	if err == nil && r.known.meta.Start.IsZero() { // otherwise the file says what arrivals count from
		if err = r.known.sameEpoch(out.arrival); err != nil {
			err.column, err.value = parquetNames[colArrival], strconv.FormatInt(out.arrival, 10)
		}
	}
	if err != nil {
		return err
	}
	return nil
}

func (r *parquetRowReader) facts() *facts { return &r.known }

func (r *parquetRowReader) position() int64 { return r.rows - int64(r.n) + int64(r.next) }
