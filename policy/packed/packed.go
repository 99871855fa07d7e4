// Package packed writes integers and strings one after the other in few bytes,
// and reads them back from bytes that may be anything: variable-length integers,
// and strings after their lengths.
package packed

import (
	"encoding/binary"
	"fmt"
)

// Writer appends to B. The zero Writer is empty and ready.
type Writer struct{ B []byte }

// Ints appends integers.
func (w *Writer) Ints(vs ...int64) {
	for _, v := range vs {
		w.B = binary.AppendVarint(w.B, v)
	}
}

// Strings appends strings.
func (w *Writer) Strings(all ...string) {
	for _, s := range all {
		w.B = binary.AppendVarint(w.B, int64(len(s)))
		w.B = append(w.B, s...)
	}
}

// Reader reads what a Writer wrote. After the first error it gives zeros; Err
// tells it. It never allocates more than its bytes hold.
type Reader struct {
	b   []byte
	err error
}

// NewReader returns a reader of b.
func NewReader(b []byte) Reader { return Reader{b: b} }

// Fail makes the reader fail, unless it has already.
func (r *Reader) Fail(format string, args ...any) {
	if r.err == nil {
		r.err = fmt.Errorf(format, args...)
	}
	r.b = nil
}

// Err returns the first error.
func (r *Reader) Err() error { return r.err }

// End returns the first error; bytes that are left are one.
func (r *Reader) End() error {
	if r.err == nil && len(r.b) > 0 {
		r.Fail("%d bytes too many", len(r.b))
	}
	return r.err
}

// Int reads an integer.
func (r *Reader) Int() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.Fail("it ends in the middle")
		return 0
	}
	r.b = r.b[n:]
	return v
}

// UpTo reads an integer from 0 to most.
func (r *Reader) UpTo(most int64) int64 {
	v := r.Int()
	if v < 0 || v > most {
		r.Fail("%d where 0 to %d may stand", v, most)
		return 0
	}
	return v
}

// Count reads how many things follow, each of a byte at least.
func (r *Reader) Count() int64 { return r.UpTo(int64(len(r.b))) }

// Bytes reads a string where it stands.
func (r *Reader) Bytes() []byte {
	n := r.UpTo(int64(len(r.b)))
	if n > int64(len(r.b)) { // what is left is less by the length itself
		r.Fail("it ends in the middle")
		return nil
	}
	s := r.b[:n]
	r.b = r.b[n:]
	return s
}

// String reads a string.
func (r *Reader) String() string { return string(r.Bytes()) }

// StringLike reads a string, and returns like itself where it is the same: of
// strings that return again and again only the first is kept.
func (r *Reader) StringLike(like string) string {
	b := r.Bytes()
	if string(b) == like {
		return like
	}
	return string(b)
}
