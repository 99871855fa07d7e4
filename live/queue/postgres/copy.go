package postgres

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// PostgreSQL's binary format of COPY: a header, then for each row the number of
// its columns and for each column its length, -1 for NULL, and its value.
const copyHeader = "PGCOPY\n\xff\r\n\x00\x00\x00\x00\x00\x00\x00\x00\x00"

// rowWriter makes rows in that format. Numbers that are 0 and texts that are
// empty are written as NULL by the methods with orNull in their names.
type rowWriter struct{ b []byte }

func newRowWriter(b []byte) rowWriter { return rowWriter{append(b, copyHeader...)} }

func (w *rowWriter) row(columns int) { w.b = binary.BigEndian.AppendUint16(w.b, uint16(columns)) }

func (w *rowWriter) length(n int) { w.b = binary.BigEndian.AppendUint32(w.b, uint32(n)) }

func (w *rowWriter) null() { w.b = binary.BigEndian.AppendUint32(w.b, math.MaxUint32) }

func (w *rowWriter) bigint(v int64) {
	w.length(8)
	w.b = binary.BigEndian.AppendUint64(w.b, uint64(v))
}

func (w *rowWriter) bigintOrNull(vs ...int64) {
	for _, v := range vs {
		if v == 0 {
			w.null()
		} else {
			w.bigint(v)
		}
	}
}

func (w *rowWriter) integer(v int) {
	w.length(4)
	w.b = binary.BigEndian.AppendUint32(w.b, uint32(v))
}

func (w *rowWriter) integerOrNull(vs ...int) {
	for _, v := range vs {
		if v == 0 {
			w.null()
		} else {
			w.integer(v)
		}
	}
}

func (w *rowWriter) smallint(v int) {
	w.length(2)
	w.b = binary.BigEndian.AppendUint16(w.b, uint16(v))
}

func (w *rowWriter) smallintOrNull(v int) {
	if v == 0 {
		w.null()
	} else {
		w.smallint(v)
	}
}

func (w *rowWriter) text(s string) {
	w.length(len(s))
	w.b = append(w.b, s...)
}

func (w *rowWriter) textOrNull(all ...string) {
	for _, s := range all {
		if s == "" {
			w.null()
		} else {
			w.text(s)
		}
	}
}

func (w *rowWriter) bytesOrNull(b []byte) {
	if len(b) == 0 {
		w.null()
		return
	}
	w.length(len(b))
	w.b = append(w.b, b...)
}

// end returns the rows with the mark of their end.
func (w *rowWriter) end() []byte { return binary.BigEndian.AppendUint16(w.b, math.MaxUint16) }

// rowReader takes what COPY sends, in pieces of any size, and calls each for
// every whole row.
type rowReader struct {
	rest   []byte
	begun  bool
	ended  bool
	each   func(*row) error
	failed error // by each
}

var errCut = errors.New("the row goes on")

// Write takes a piece.
func (r *rowReader) Write(p []byte) (int, error) {
	b := p
	if len(r.rest) > 0 {
		b = append(r.rest, p...)
	}
	if !r.begun {
		if len(b) < len(copyHeader) {
			r.rest = append([]byte(nil), b...)
			return len(p), nil
		}
		if string(b[:11]) != copyHeader[:11] {
			return 0, errors.New("not the binary format of COPY")
		}
		b, r.begun = b[len(copyHeader):], true
	}
	for len(b) >= 2 && !r.ended {
		if int16(binary.BigEndian.Uint16(b)) == -1 {
			r.ended = true
			break
		}
		next, err := wholeRow(b)
		if err == errCut {
			break
		}
		columns := row{b: b[2:next]}
		if r.failed = r.each(&columns); r.failed == nil {
			r.failed = columns.err
		}
		if r.failed != nil {
			return 0, r.failed
		}
		b = b[next:]
	}
	r.rest = append(r.rest[:0], b...)
	return len(p), nil
}

// wholeRow returns where the row at the start of b ends.
func wholeRow(b []byte) (int, error) {
	at := 2
	for range binary.BigEndian.Uint16(b) {
		if len(b) < at+4 {
			return 0, errCut
		}
		n := int(int32(binary.BigEndian.Uint32(b[at:])))
		at += 4 + max(0, n)
		if len(b) < at {
			return 0, errCut
		}
	}
	return at, nil
}

// row is the columns of a row that have not been read. After the first error
// it gives zeros.
type row struct {
	b   []byte
	err error
}

// value returns the next column; nil for NULL.
func (r *row) value(size int) []byte {
	if r.err != nil || len(r.b) < 4 {
		r.err = errors.Join(r.err, errors.New("too few columns"))
		return nil
	}
	n := int(int32(binary.BigEndian.Uint32(r.b)))
	if n < 0 {
		r.b = r.b[4:]
		return nil
	}
	v := r.b[4 : 4+n]
	r.b = r.b[4+n:]
	if size >= 0 && n != size {
		r.err = fmt.Errorf("a column of %d bytes: must be %d", n, size)
		return nil
	}
	return v
}

func (r *row) bigint() int64 {
	if v := r.value(8); v != nil {
		return int64(binary.BigEndian.Uint64(v))
	}
	return 0
}

func (r *row) integer() int {
	if v := r.value(4); v != nil {
		return int(int32(binary.BigEndian.Uint32(v)))
	}
	return 0
}

func (r *row) smallint() int {
	if v := r.value(2); v != nil {
		return int(int16(binary.BigEndian.Uint16(v)))
	}
	return 0
}

func (r *row) text() string { return string(r.value(-1)) }

// textLike returns like itself where the text is the same: of texts that return
// again and again only the first is kept.
func (r *row) textLike(like string) string {
	v := r.value(-1)
	if string(v) == like {
		return like
	}
	return string(v)
}

func (r *row) bytes() []byte {
	if v := r.value(-1); len(v) > 0 {
		return append([]byte(nil), v...)
	}
	return nil
}

func (r *row) boolean() bool {
	v := r.value(1)
	return v != nil && v[0] == 1
}
