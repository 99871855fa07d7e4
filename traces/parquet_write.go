package traces

import (
	"encoding/binary"
	"hash/crc32"
	"io"
	"math/bits"
	"sort"
	"strconv"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Shape of the Parquet files that this package writes.
const (
	groupRows = 1 << 19 // rows of a row group
	pageRows  = 1 << 15 // rows of a page
)

// parquetWriter writes a trace as Parquet: integers as deltas, types,
// priorities and tenants by dictionary, everything in zstd, with the least
// and the greatest value of each column, sorted by arrival.
type parquetWriter struct {
	w      io.Writer
	offset int64
	zip    *zstd.Encoder

	rows   Batch // of the row group to come
	total  int64
	groups []groupInfo
	header thriftWriter
	plain  []byte
	stored []byte
}

// groupInfo is what the footer says of a row group.
type groupInfo struct {
	rows   int64
	chunks []chunkInfo
}

type chunkInfo struct {
	col         int
	rows        int64
	start, data int64 // file offsets of the first page and the first data page
	plain       int64 // bytes before compression
	size        int64
	encoding    int64
	min, max    []byte
}

func writeParquet(w io.Writer, src Source, opt WriteOptions) (Meta, error) {
	zip, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderCRC(false)) // every page has its own
	if err != nil {
		return Meta{}, err
	}
	p := &parquetWriter{w: w, zip: zip}
	if err := p.write(parquetMagic); err != nil {
		return Meta{}, err
	}
	meta, err := each(src, opt, func(b *Batch) error {
		p.rows.Kinds, p.rows.Tenants = b.Kinds, b.Tenants
		p.rows.append(b)
		if p.rows.Len() >= groupRows {
			return p.flush()
		}
		return nil
	})
	if err == nil && p.rows.Len() > 0 {
		err = p.flush()
	}
	if err == nil {
		err = p.footer(meta, opt.Tool)
	}
	return meta, err
}

func (p *parquetWriter) write(b []byte) error {
	n, err := p.w.Write(b)
	p.offset += int64(n)
	return err
}

// flush writes the rows gathered so far as a row group.
func (p *parquetWriter) flush() error {
	b := &p.rows
	g := groupInfo{rows: int64(b.Len())}
	integers := func(col int, values []int64) error {
		c, err := p.integers(col, values)
		g.chunks = append(g.chunks, c)
		return err
	}
	if err := integers(colArrival, b.Arrival); err != nil {
		return err
	}
	if err := integers(colService, b.Service); err != nil {
		return err
	}
	types := newDictionary()
	priorities := newDictionary()
	typeOf, priorityOf := make([]uint32, len(b.Kinds)), make([]uint32, len(b.Kinds))
	used := make([]bool, len(b.Kinds))
	for _, k := range b.Kind {
		used[k] = true
	}
	for i, k := range b.Kinds {
		if used[i] {
			typeOf[i] = types.text(k.Type)
			priorityOf[i] = priorities.int32(int32(k.Priority))
		}
	}
	index := make([]uint32, b.Len())
	dictionary := func(col int, d *dictionary) error {
		c, err := p.indexed(col, d, index)
		g.chunks = append(g.chunks, c)
		return err
	}
	for i, k := range b.Kind {
		index[i] = typeOf[k]
	}
	if err := dictionary(colType, types); err != nil {
		return err
	}
	for i, k := range b.Kind {
		index[i] = priorityOf[k]
	}
	if err := dictionary(colPriority, priorities); err != nil {
		return err
	}
	for i, values := range b.optional() {
		if *values != nil {
			if err := integers(colEstimate+i, *values); err != nil {
				return err
			}
		}
	}
	if b.Tenant != nil {
		tenants := newDictionary()
		number := make([]uint32, len(b.Tenants))
		for i := range number {
			number[i] = nullText
		}
		for i, t := range b.Tenant {
			if number[t] == nullText {
				number[t] = tenants.text(b.Tenants[t])
			}
			index[i] = number[t]
		}
		if err := dictionary(colTenant, tenants); err != nil {
			return err
		}
	}
	p.groups = append(p.groups, g)
	p.total += g.rows
	b.reset()
	return nil
}

// integers writes a column of integers as a chunk of delta-encoded pages.
func (p *parquetWriter) integers(col int, values []int64) (chunkInfo, error) {
	c := chunkInfo{col: col, rows: int64(len(values)), start: p.offset, data: p.offset, encoding: pqDeltaPacked}
	if len(values) > 0 {
		lo, hi := values[0], values[0]
		for _, v := range values {
			lo, hi = min(lo, v), max(hi, v)
		}
		c.min = binary.LittleEndian.AppendUint64(nil, uint64(lo))
		c.max = binary.LittleEndian.AppendUint64(nil, uint64(hi))
	}
	for len(values) > 0 {
		n := min(len(values), pageRows)
		p.plain = appendDelta(p.plain[:0], values[:n])
		if err := p.page(&c, pqDataPage, n, pqDeltaPacked); err != nil {
			return c, err
		}
		values = values[n:]
	}
	return c, nil
}

// indexed writes a column by its dictionary: the dictionary, then pages of
// places in it.
func (p *parquetWriter) indexed(col int, d *dictionary, index []uint32) (chunkInfo, error) {
	c := chunkInfo{col: col, rows: int64(len(index)), start: p.offset, encoding: pqRLEDictionary, min: d.min, max: d.max}
	p.plain = append(p.plain[:0], d.plain...)
	if err := p.page(&c, pqDictionaryPage, d.n, pqPlain); err != nil {
		return c, err
	}
	c.data = p.offset
	width := uint(bits.Len(uint(max(d.n-1, 0))))
	for len(index) > 0 {
		n := min(len(index), pageRows)
		p.plain = appendRuns(append(p.plain[:0], byte(width)), index[:n], width)
		if err := p.page(&c, pqDataPage, n, pqRLEDictionary); err != nil {
			return c, err
		}
		index = index[n:]
	}
	return c, nil
}

// page writes plain as a page of n values.
func (p *parquetWriter) page(c *chunkInfo, typ, n, encoding int) error {
	p.stored = p.zip.EncodeAll(p.plain, p.stored[:0])
	h := &p.header
	h.b = h.b[:0]
	h.open()
	h.i32(1, int64(typ))
	h.i32(2, int64(len(p.plain)))
	h.i32(3, int64(len(p.stored)))
	h.i32(4, int64(int32(crc32.ChecksumIEEE(p.stored))))
	if typ == pqDictionaryPage {
		h.field(7, thriftStruct)
		h.open()
		h.i32(1, int64(n))
		h.i32(2, int64(encoding))
		h.close()
	} else {
		h.field(5, thriftStruct)
		h.open()
		h.i32(1, int64(n))
		h.i32(2, int64(encoding))
		h.i32(3, pqRLE)
		h.i32(4, pqRLE)
		h.close()
	}
	h.close()
	c.plain += int64(len(h.b) + len(p.plain))
	c.size += int64(len(h.b) + len(p.stored))
	if err := p.write(h.b); err != nil {
		return err
	}
	return p.write(p.stored)
}

// footer writes the file's metadata.
func (p *parquetWriter) footer(meta Meta, tool string) error {
	chunks := []chunkInfo{{col: colArrival}, {col: colService}, {col: colType}, {col: colPriority}}
	if len(p.groups) > 0 {
		chunks = p.groups[0].chunks
	}
	t := &thriftWriter{}
	t.open()
	t.i32(1, 2) // version
	t.list(2, len(chunks)+1, thriftStruct)
	t.open()
	t.string(4, "trace")
	t.i32(5, int64(len(chunks)))
	t.close()
	for _, c := range chunks {
		t.open()
		t.i32(1, int64(physicalType(c.col)))
		t.i32(3, pqRequired)
		t.string(4, parquetNames[c.col])
		if physicalType(c.col) == pqByteArray {
			t.i32(6, pqUTF8)
			t.field(10, thriftStruct) // logical type: string
			t.open()
			t.field(1, thriftStruct)
			t.open()
			t.close()
			t.close()
		}
		t.close()
	}
	t.i64(3, p.total)
	t.list(4, len(p.groups), thriftStruct)
	for _, g := range p.groups {
		p.group(t, g)
	}
	pairs := metaPairs(meta)
	t.list(5, len(pairs), thriftStruct)
	for _, kv := range pairs {
		t.open()
		t.string(1, kv[0])
		t.string(2, kv[1])
		t.close()
	}
	if tool == "" {
		tool = "skynet"
	}
	t.string(6, tool)
	t.list(7, len(chunks), thriftStruct) // how minima and maxima compare
	for range chunks {
		t.open()
		t.field(1, thriftStruct)
		t.open()
		t.close()
		t.close()
	}
	t.close()
	b := binary.LittleEndian.AppendUint32(t.b, uint32(len(t.b)))
	return p.write(append(b, parquetMagic...))
}

func (p *parquetWriter) group(t *thriftWriter, g groupInfo) {
	t.open()
	t.list(1, len(g.chunks), thriftStruct)
	plain, size := int64(0), int64(0)
	for _, c := range g.chunks {
		plain += c.plain
		size += c.size
		t.open()
		t.i64(2, 0)
		t.field(3, thriftStruct)
		t.open()
		t.i32(1, int64(physicalType(c.col)))
		t.list(2, 2, thriftI32)
		t.int(c.encoding)
		t.int(pqRLE)
		t.list(3, 1, thriftBinary)
		t.text(parquetNames[c.col])
		t.i32(4, pqZstd)
		t.i64(5, c.rows)
		t.i64(6, c.plain)
		t.i64(7, c.size)
		t.i64(9, c.data)
		if c.encoding == pqRLEDictionary {
			t.i64(11, c.start)
		}
		if c.min != nil {
			t.field(12, thriftStruct)
			t.open()
			t.i64(3, 0) // nulls
			t.string(5, string(c.max))
			t.string(6, string(c.min))
			t.close()
		}
		t.close()
		t.close()
	}
	t.i64(2, plain)
	t.i64(3, g.rows)
	t.list(4, 1, thriftStruct) // sorted by the first column
	t.open()
	t.i32(1, 0)
	t.bool(2, false)
	t.bool(3, false)
	t.close()
	t.i64(5, g.chunks[0].start)
	t.i64(6, size)
	t.close()
}

func physicalType(col int) int {
	switch col {
	case colType, colTenant:
		return pqByteArray
	case colPriority:
		return pqInt32
	}
	return pqInt64
}

// metaPairs returns what is known of meta as key-value metadata.
func metaPairs(meta Meta) (pairs [][2]string) {
	add := func(key, value string) { pairs = append(pairs, [2]string{key, value}) }
	if meta.Name != "" {
		add(keyName, meta.Name)
	}
	if meta.Origin != "" {
		add(keyOrigin, meta.Origin)
	}
	if meta.ReferenceSpeed > 0 {
		add(keySpeed, strconv.FormatFloat(meta.ReferenceSpeed, 'g', -1, 64))
	}
	add(keySpan, strconv.FormatInt(int64(meta.Span), 10))
	if !meta.Start.IsZero() {
		add(keyStart, meta.Start.UTC().Format(time.RFC3339Nano))
	}
	sort.Slice(pairs, func(i, j int) bool { return pairs[i][0] < pairs[j][0] })
	return pairs
}
