package postgres

import (
	"errors"
	"fmt"
	"testing"
)

// FuzzCopy feeds the reader bytes in pieces. It must neither panic nor find
// other rows in other pieces.
func FuzzCopy(f *testing.F) {
	w := newRowWriter(nil)
	for i := range 3 {
		w.row(3)
		w.bigint(int64(i))
		w.textOrNull("text", "")
	}
	f.Add(w.end(), uint8(1))
	f.Add(w.end()[:40], uint8(7))
	f.Add([]byte(copyHeader+"\x00\x01\x7f\xff\xff\xff"), uint8(3))
	f.Add([]byte("PGCOPY?"), uint8(2))
	f.Fuzz(func(t *testing.T, b []byte, piece uint8) {
		read := func(size int) (rows string, failed bool) {
			r := &rowReader{each: func(columns *row) error {
				rows += fmt.Sprintln(columns.bigint(), columns.text(), columns.text())
				if len(rows) > 1<<16 {
					return errors.New("enough")
				}
				return nil
			}}
			for len(b) > 0 {
				n := min(size, len(b))
				if _, err := r.Write(b[:n]); err != nil {
					return rows, true
				}
				b = b[n:]
			}
			return rows, false
		}
		whole := b
		all, failed := read(len(b))
		b = whole
		parts, failedToo := read(int(piece) + 1)
		if all != parts || failed != failedToo {
			t.Fatalf("in one piece %q, %v; in pieces %q, %v", all, failed, parts, failedToo)
		}
	})
}
