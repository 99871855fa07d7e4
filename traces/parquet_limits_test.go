package traces

import (
	"bytes"
	"encoding/binary"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// boast is a Parquet file, of one plain integer column arrival_ns and others
// alike, whose page header claims more than there is.
type boast struct {
	rows, values, size int64
	codec              int64
	encoding           int64
	page               []byte // as stored
}

func (b boast) file() []byte {
	out := []byte(parquetMagic)
	var groups thriftWriter
	names := []string{"arrival_ns", "service_ns", "type", "priority"}
	groups.open()
	groups.list(1, len(names), thriftStruct)
	for _, name := range names {
		typ := int64(pqInt64)
		if name == "type" {
			typ = pqByteArray
		}
		start := int64(len(out))
		var h thriftWriter
		h.open()
		h.i32(1, pqDataPage)
		h.i32(2, b.size)
		h.i32(3, int64(len(b.page)))
		h.field(5, thriftStruct)
		h.open()
		h.i32(1, b.values)
		h.i32(2, b.encoding)
		h.i32(3, pqRLE)
		h.close()
		h.close()
		out = append(append(out, h.b...), b.page...)
		groups.open()
		groups.field(3, thriftStruct)
		groups.open()
		groups.i32(1, typ)
		groups.list(3, 1, thriftBinary)
		groups.text(name)
		groups.i32(4, b.codec)
		groups.i64(5, b.rows)
		groups.i64(7, int64(len(out))-start)
		groups.i64(9, start)
		groups.close()
		groups.close()
	}
	groups.i64(3, b.rows)
	groups.close()
	var t thriftWriter
	t.open()
	t.list(2, len(names)+1, thriftStruct)
	t.open()
	t.string(4, "trace")
	t.i32(5, int64(len(names)))
	t.close()
	for _, name := range names {
		t.open()
		if name == "type" {
			t.i32(1, pqByteArray)
		} else {
			t.i32(1, pqInt64)
		}
		t.string(4, name)
		t.close()
	}
	t.i64(3, b.rows)
	t.list(4, 1, thriftStruct)
	t.b = append(t.b, groups.b...)
	t.close()
	out = append(out, t.b...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(t.b)))
	return append(out, parquetMagic...)
}

func TestParquetThatClaimsTooMuchIsRefusedCheaply(t *testing.T) {
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	bomb := z.EncodeAll(make([]byte, 256<<20), nil)
	delta := binary.AppendUvarint(nil, 128)
	delta = binary.AppendUvarint(delta, 4)
	delta = binary.AppendUvarint(delta, 1<<24)
	delta = binary.AppendVarint(delta, 0)
	for name, c := range map[string]struct {
		b    boast
		want string
	}{
		"page of 2 GiB":             {boast{rows: 1 << 40, values: 1 << 20, size: 1<<31 - 1}, "a page of 2147483647 bytes; at most"},
		"page of 2^31 values":       {boast{rows: 1 << 40, values: 1<<31 - 1, size: 8, page: make([]byte, 8)}, "a page of 2147483647 values; at most"},
		"more values than bytes":    {boast{rows: 1 << 40, values: 1 << 20, size: 8, page: make([]byte, 8)}, "ends early"},
		"more values than rows":     {boast{rows: 5, values: 6, size: 48, page: make([]byte, 48)}, "more values than the row group has rows"},
		"fewer values than rows":    {boast{rows: 5}, "pages are missing"},
		"zstd bomb":                 {boast{rows: 1, values: 1, size: 8, codec: pqZstd, page: bomb}, "damaged compressed data"},
		"zstd of another size":      {boast{rows: 1, values: 1, size: 9, codec: pqZstd, page: z.EncodeAll(make([]byte, 8), nil)}, "a page of 8 bytes that claims 9"},
		"delta of 2^24 values":      {boast{rows: 1 << 40, values: 1 << 24, size: int64(len(delta)), encoding: pqDeltaPacked, page: delta}, "a delta-encoded page of 16777216 values"},
		"delta without its values":  {boast{rows: 1 << 40, values: 100, size: int64(len(delta)), encoding: pqDeltaPacked, page: delta}, "damaged delta"},
		"dictionary that is absent": {boast{rows: 1, values: 1, size: 2, encoding: pqRLEDictionary, page: []byte{1, 2}}, "lacks its dictionary"},
		"unknown encoding":          {boast{rows: 1, values: 1, size: 8, encoding: 9, page: make([]byte, 8)}, "is in encoding 9; plain"},
		"unknown codec":             {boast{rows: 1, values: 1, size: 8, codec: 4, page: make([]byte, 8)}, "Brotli; snappy, gzip and zstd"},
		"negative rows":             {boast{rows: -5, values: 1, size: 8, page: make([]byte, 8)}, "damaged metadata"},
	} {
		t.Run(name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			in, err := parquetInput(c.b.file())
			if err != nil {
				t.Fatal(err)
			}
			src, err := openAs(in, Options{})
			if err == nil {
				_, err = readJobs(t, src)
			}
			runtime.ReadMemStats(&after)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 2*pageMax {
				t.Errorf("used %d MiB to refuse a file of %d bytes", used>>20, len(c.b.file()))
			}
		})
	}
}

func TestParquetMetadataThatClaimsTooMuchIsRefused(t *testing.T) {
	for name, meta := range map[string][]byte{
		"a list of 2^40 columns": {0x29, 0xfc, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20},
		"a text of 2^40 bytes":   {0x68, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20},
		"structs without end":    bytes.Repeat([]byte{0x1c}, 1000),
		"lists without end":      bytes.Repeat([]byte{0x19}, 1000),
		"nothing":                {},
		"a million columns":      append([]byte{0x29, 0xfc, 0x80, 0x80, 0x80, 0x01}, make([]byte, 1<<21)...),
	} {
		b := append(bytes.Clone(parquetMagic), meta...)
		b = binary.LittleEndian.AppendUint32(b, uint32(len(meta)))
		b = append(b, parquetMagic...)
		in, err := parquetInput(b)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := openAs(in, Options{Format: "parquet"}); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}
