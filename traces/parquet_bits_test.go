package traces

import (
	"math"
	"slices"
	"testing"

	"github.com/parquet-go/parquet-go/encoding/delta"
	"github.com/parquet-go/parquet-go/encoding/rle"
	"pgregory.net/rapid"
)

func TestRunsReadWhatAppendRunsWrote(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		width := uint(rapid.IntRange(0, 20).Draw(t, "width"))
		var values []uint32
		for range rapid.IntRange(0, 12).Draw(t, "pieces") {
			n := rapid.IntRange(1, 200).Draw(t, "n")
			if rapid.Bool().Draw(t, "run") {
				v := uint32(rapid.IntRange(0, 1<<width-1).Draw(t, "v"))
				values = append(values, slices.Repeat([]uint32{v}, n)...)
			} else {
				values = append(values, rapid.SliceOfN(rapid.Uint32Range(0, 1<<width-1), n, n).Draw(t, "values")...)
			}
		}
		b := appendRuns(nil, values, width)
		got := make([]uint32, len(values))
		r := runs{b: b, width: width}
		for at := 0; at < len(got); { // in pieces of any length
			n := min(rapid.IntRange(1, 100).Draw(t, "read"), len(got)-at)
			if err := r.next(got[at : at+n]); err != nil {
				t.Fatal(err)
			}
			at += n
		}
		if !slices.Equal(got, values) {
			t.Fatalf("width %d: read %v, want %v", width, got, values)
		}
		if width > 0 && len(values) > 0 { // a library reads the same
			theirs, err := (&rle.Encoding{BitWidth: int(width)}).DecodeInt32(make([]int32, 0, len(values)), b)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range values {
				if theirs[i] != int32(v) {
					t.Fatalf("value %d: the library reads %d, want %d", i, theirs[i], v)
				}
			}
		}
	})
}

func TestDeltasReadWhatAppendDeltaWrote(t *testing.T) {
	integer := rapid.OneOf(
		rapid.Int64Range(0, 3), rapid.Int64Range(0, 1<<34), rapid.Int64Range(0, TimeMax), rapid.Int64(),
		rapid.SampledFrom([]int64{math.MinInt64, math.MaxInt64, 0, -1}),
	)
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(integer, 0, 400).Draw(t, "values")
		b := appendDelta(nil, values)
		got, rest, err := decodeDelta(nil, append(b, 1, 2, 3), len(values))
		if err != nil || !slices.Equal(got, values) || len(rest) != 3 {
			t.Fatalf("read %v and %d bytes behind (%v), want %v and 3", got, len(rest), err, values)
		}
		if len(values) == 0 {
			return
		}
		// a library reads and writes the same
		var library delta.BinaryPackedEncoding
		theirs, err := library.DecodeInt64(nil, b)
		if err != nil || !slices.Equal(theirs, values) {
			t.Fatalf("the library reads %v (%v), want %v", theirs, err, values)
		}
		b, err = library.EncodeInt64(nil, values)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, err = decodeDelta(nil, b, len(values)); err != nil || !slices.Equal(got, values) {
			t.Fatalf("the library's bytes read as %v (%v), want %v", got, err, values)
		}
	})
}
