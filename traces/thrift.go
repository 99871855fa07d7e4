package traces

import "errors"

// Parquet describes itself in Thrift's compact protocol. thriftReader and
// thriftWriter know the part of it that Parquet uses. A reader never reads
// past its bytes and allocates nothing on the word of a length.

// Types of a field in the compact protocol.
const (
	thriftTrue   = 1
	thriftFalse  = 2
	thriftByte   = 3
	thriftI16    = 4
	thriftI32    = 5
	thriftI64    = 6
	thriftDouble = 7
	thriftBinary = 8
	thriftList   = 9
	thriftSet    = 10
	thriftMap    = 11
	thriftStruct = 12
)

var errThrift = errors.New("damaged metadata")

type thriftReader struct {
	b       []byte
	p       int
	structN int // structs read in lists, at most structsMax
	err     error
}

const structsMax = 1 << 20

func (r *thriftReader) fail() { r.err, r.p = errThrift, len(r.b) }

func (r *thriftReader) byte() byte {
	if r.p >= len(r.b) {
		r.fail()
		return 0
	}
	r.p++
	return r.b[r.p-1]
}

func (r *thriftReader) uvarint() uint64 {
	var v uint64
	for shift := uint(0); shift < 64; shift += 7 {
		c := r.byte()
		v |= uint64(c&0x7f) << shift
		if c < 0x80 {
			return v
		}
	}
	r.fail()
	return 0
}

func (r *thriftReader) int() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *thriftReader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)-r.p) {
		r.fail()
		return nil
	}
	r.p += int(n)
	return r.b[r.p-int(n) : r.p]
}

// fields calls f with the id and type of every field of a struct. f must
// consume the field's value or skip it.
func (r *thriftReader) fields(f func(id int, typ byte)) {
	id := int64(0)
	for r.err == nil {
		head := r.byte()
		if head == 0 {
			return
		}
		if delta := head >> 4; delta != 0 {
			id += int64(delta)
		} else {
			id = r.int()
		}
		if r.err == nil {
			f(int(id), head&15)
		}
	}
}

// list returns the length and element type of a list that follows. Every
// element takes at least one byte, so the length is bounded by what is left.
func (r *thriftReader) list() (n int, typ byte) {
	head := r.byte()
	size := uint64(head >> 4)
	if size == 15 {
		size = r.uvarint()
	}
	if size > uint64(len(r.b)-r.p) {
		r.fail()
		return 0, 0
	}
	return int(size), head & 15
}

// structs calls f for every struct of the list that follows.
func (r *thriftReader) structs(typ byte, f func()) {
	if typ != thriftList {
		r.fail()
		return
	}
	n, elem := r.list()
	if elem != thriftStruct {
		r.fail()
	}
	if r.structN += n; r.structN > structsMax {
		r.fail()
	}
	for i := 0; i < n && r.err == nil; i++ {
		f()
	}
}

// skip passes over a value of a type.
func (r *thriftReader) skip(typ byte) { r.skipDeep(typ, 32) }

func (r *thriftReader) skipDeep(typ byte, depth int) {
	if depth == 0 {
		r.fail()
		return
	}
	switch typ {
	case thriftTrue, thriftFalse:
	case thriftByte:
		r.byte()
	case thriftI16, thriftI32, thriftI64:
		r.uvarint()
	case thriftDouble:
		if len(r.b)-r.p < 8 {
			r.fail()
			return
		}
		r.p += 8
	case thriftBinary:
		r.bytes()
	case thriftList, thriftSet:
		n, elem := r.list()
		for i := 0; i < n && r.err == nil; i++ {
			if elem == thriftTrue || elem == thriftFalse {
				r.byte()
			} else {
				r.skipDeep(elem, depth-1)
			}
		}
	case thriftMap:
		n := r.uvarint()
		if n == 0 {
			return
		}
		types := r.byte()
		if n > uint64(len(r.b)-r.p) {
			r.fail()
			return
		}
		for i := uint64(0); i < n && r.err == nil; i++ {
			r.skipDeep(types>>4, depth-1)
			r.skipDeep(types&15, depth-1)
		}
	case thriftStruct:
		r.fields(func(_ int, typ byte) { r.skipDeep(typ, depth-1) })
	default:
		r.fail()
	}
}

// thriftWriter appends values in the compact protocol.
type thriftWriter struct {
	b    []byte
	last []int // id of the field written last, for each open struct
}

func (w *thriftWriter) uvarint(v uint64) {
	for v >= 0x80 {
		w.b = append(w.b, byte(v)|0x80)
		v >>= 7
	}
	w.b = append(w.b, byte(v))
}

func (w *thriftWriter) int(v int64) { w.uvarint(uint64(v)<<1 ^ uint64(v>>63)) }

func (w *thriftWriter) text(s string) {
	w.uvarint(uint64(len(s)))
	w.b = append(w.b, s...)
}

// open begins a struct; close ends it.
func (w *thriftWriter) open() { w.last = append(w.last, 0) }

func (w *thriftWriter) close() {
	w.b = append(w.b, 0)
	w.last = w.last[:len(w.last)-1]
}

func (w *thriftWriter) field(id int, typ byte) {
	last := &w.last[len(w.last)-1]
	if delta := id - *last; delta > 0 && delta < 16 {
		w.b = append(w.b, byte(delta)<<4|typ)
	} else {
		w.b = append(w.b, typ)
		w.int(int64(id))
	}
	*last = id
}

func (w *thriftWriter) i32(id int, v int64) { w.field(id, thriftI32); w.int(v) }
func (w *thriftWriter) i64(id int, v int64) { w.field(id, thriftI64); w.int(v) }

func (w *thriftWriter) string(id int, s string) { w.field(id, thriftBinary); w.text(s) }

func (w *thriftWriter) bool(id int, v bool) {
	if v {
		w.field(id, thriftTrue)
	} else {
		w.field(id, thriftFalse)
	}
}

// list begins a list of n elements, which follow.
func (w *thriftWriter) list(id, n int, elem byte) {
	w.field(id, thriftList)
	if n < 15 {
		w.b = append(w.b, byte(n)<<4|elem)
		return
	}
	w.b = append(w.b, 15<<4|elem)
	w.uvarint(uint64(n))
}
