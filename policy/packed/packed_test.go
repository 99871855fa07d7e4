package packed

import (
	"math"
	"testing"
)

func TestReaderReadsWhatWasWritten(t *testing.T) {
	var w Writer
	w.Ints(0, -1, math.MaxInt64, math.MinInt64)
	w.Strings("", "tänant")
	w.Ints(7)
	read := func(b []byte) error {
		r := NewReader(b)
		for _, want := range []int64{0, -1, math.MaxInt64, math.MinInt64} {
			if got := r.Int(); r.Err() == nil && got != want {
				t.Fatalf("read %d, want %d", got, want)
			}
		}
		for _, want := range []string{"", "tänant"} {
			if got := r.String(); r.Err() == nil && got != want {
				t.Fatalf("read %q, want %q", got, want)
			}
		}
		if got := r.UpTo(7); r.Err() == nil && got != 7 {
			t.Fatalf("read %d, want 7", got)
		}
		return r.End()
	}
	if err := read(w.B); err != nil {
		t.Fatal(err)
	}
	for n := range w.B {
		if read(w.B[:n]) == nil {
			t.Fatalf("%d of %d bytes are read without an error", n, len(w.B))
		}
	}
	if read(append(w.B, 0)) == nil {
		t.Fatal("a byte too many is no error")
	}
	r := NewReader(w.B[2:])
	if r.UpTo(5); r.Err() == nil { // it is the greatest integer
		t.Fatal("a number beyond its bound is no error")
	}
}
