package traces

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// foreignColumn returns a column as another program might lay it out: annotated or
// not, nullable or not, in any encoding that is read. Integers are of 64 bits or,
// where few suffice, perhaps of 32.
func foreignColumn(r *rand.Rand, text, few bool) parquet.Node {
	n := parquet.String()
	if !text {
		switch few = few && r.IntN(3) == 0; r.IntN(3) {
		case 0:
			n = parquet.Leaf(parquet.Int64Type)
			if few {
				n = parquet.Leaf(parquet.Int32Type)
			}
		case 1:
			n = parquet.Int(map[bool]int{false: 64, true: 32}[few])
		default:
			n = parquet.Uint(map[bool]int{false: 64, true: 32}[few])
		}
	}
	switch r.IntN(3) {
	case 0:
		n = parquet.Encoded(n, &parquet.RLEDictionary)
	case 1:
		if text {
			n = parquet.Encoded(n, &parquet.DeltaLengthByteArray)
		} else {
			n = parquet.Encoded(n, &parquet.DeltaBinaryPacked)
		}
	}
	if r.IntN(2) == 0 {
		n = parquet.Optional(n)
	}
	return n
}

// However another program lays out a trace, in pages and row groups of any size and
// with nulls anywhere, what is read is what it wrote; so is what an import takes, and
// what is written of it again.
func TestParquetOfAnySchema(t *testing.T) {
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 1))
		columns := parquet.Group{
			"arrival_ns": foreignColumn(r, false, true), "service_ns": foreignColumn(r, false, true),
			"type": foreignColumn(r, true, false), "priority": foreignColumn(r, false, true),
		}
		for _, name := range parquetNames[colsRequired:colTenant] {
			if r.IntN(2) == 0 {
				columns[name] = foreignColumn(r, false, false)
			}
		}
		if r.IntN(2) == 0 {
			columns["tenant"] = foreignColumn(r, true, false)
		}
		n := []int{1, 10, 500, 5000}[r.IntN(4)]
		groups := []int64{1, 7, 1000, 1 << 20}
		if n > 500 {
			groups = groups[2:]
		}
		path := filepath.Join(t.TempDir(), "x.parquet")
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		w := parquet.NewGenericWriter[map[string]any](
			f, parquet.NewSchema("trace", columns), parquet.DataPageVersion(1+r.IntN(2)), parquet.DataPageStatistics(r.IntN(2) == 0),
			[]parquet.WriterOption{
				parquet.Compression(&parquet.Uncompressed), parquet.Compression(&parquet.Snappy), parquet.Compression(&parquet.Gzip), parquet.Compression(&parquet.Zstd),
			}[r.IntN(4)],
			parquet.PageBufferSize([]int{100, 1000, 10_000, 1 << 20}[r.IntN(4)]),
			parquet.MaxRowsPerRowGroup(groups[r.IntN(len(groups))]),
		)
		want, rows := foreignRows(r, columns, n)
		if _, err := w.Write(rows); err != nil {
			t.Fatal(seed, err)
		}
		if err := w.Close(); err != nil {
			t.Fatal(seed, err)
		}
		f.Close()

		src, err := Open(path, Options{})
		if err != nil {
			t.Fatal(seed, err)
		}
		sameJobs(t, want, jobsOf(t, src))
		imported, _, err := Import(path, ImportOptions{})
		if err != nil {
			t.Fatal(seed, err)
		}
		again := filepath.Join(t.TempDir(), "again.parquet")
		if _, err := Write(again, imported, WriteOptions{}); err != nil {
			t.Fatal(seed, err)
		}
		if src, err = Open(again, Options{}); err != nil {
			t.Fatal(seed, err)
		}
		sameJobs(t, want, jobsOf(t, src))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// foreignRows returns n jobs, and the rows of a foreign file that holds them. The
// library takes zeros for nulls, so there are none in columns that must be there.
func foreignRows(r *rand.Rand, columns parquet.Group, n int) (jobs []job, rows []map[string]any) {
	set := func(row map[string]any, name string, v int64) {
		if row[name] = v; columns[name].Type().Kind() == parquet.Int32 {
			row[name] = int32(v)
		}
	}
	at, nulls := int64(0), 0
	for range n {
		at += 1 + r.Int64N(100_000)
		j := job{Arrival: at, Service: 1 + r.Int64N(1<<31-1), Kind: Kind{Type: fmt.Sprint("t", r.IntN(30)), Priority: uint8(1 + r.IntN(255))}}
		row := map[string]any{"type": j.Kind.Type}
		set(row, "arrival_ns", j.Arrival)
		set(row, "service_ns", j.Service)
		set(row, "priority", int64(j.Kind.Priority))
		if nulls--; nulls < 0 && r.IntN(20) == 0 {
			nulls = r.IntN(300)
		}
		absent := func(name string) bool {
			return columns[name] == nil || columns[name].Optional() && (nulls > 0 || r.IntN(4) == 0)
		}
		for i, to := range []*int64{&j.Estimate, &j.Deadline, &j.BytesIn, &j.BytesOut} {
			if name := parquetNames[colEstimate+i]; !absent(name) {
				*to = r.Int64N(1 << r.IntN(62))
				set(row, name, *to)
			}
		}
		if !absent("tenant") {
			j.Tenant = fmt.Sprint("u", r.IntN(5))
			row["tenant"] = j.Tenant
		}
		j.Kind.Size = SizeBucket(j.BytesIn)
		jobs, rows = append(jobs, j), append(rows, row)
	}
	return jobs, rows
}
