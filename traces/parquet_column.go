package traces

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"slices"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
)

const (
	nullInt  = math.MinInt64  // stands for a null among integers
	nullText = math.MaxUint32 // stands for a null among texts
)

// pqColumn reads one column of a Parquet file, page by page, across row
// groups. The file is not trusted: no length in it is believed before it has
// been compared with what is there.
type pqColumn struct {
	name     string
	typ      int64
	optional bool
	unsigned bool                         // integers of 32 bits go up to 2^32-1
	text     func([]byte) (uint32, error) // numbers a text; nil for integers

	file   io.ReaderAt
	chunk  pqChunk
	at     int64 // file offset of the next page
	end    int64 // of the chunk's last byte
	unread int64 // values of the chunk in pages not yet read

	raw, plain []byte
	unzip      *zstd.Decoder

	// the page under way
	left    int  // values, with nulls, not yet read
	levels  runs // definition levels
	nulls   bool // levels matters
	coding  int64
	body    []byte  // plain values
	numbers []int64 // delta-encoded values, the rest of decoded
	decoded []int64
	indices runs // into the dictionary

	intDict  []int64
	textDict []uint32
	hasDict  bool

	defined []uint32
	index   []uint32
}

// begin makes chunk, which holds rows rows, the one to read.
func (c *pqColumn) begin(chunk pqChunk, rows, size int64) error {
	start := chunk.data
	if chunk.dict > 0 && chunk.dict < start {
		start = chunk.dict
	}
	switch {
	case chunk.elsewhere:
		return errors.New("is encrypted or kept in another file")
	case chunk.typ != c.typ:
		return errors.New("changes its type from row group to row group")
	case chunk.values != rows:
		return fmt.Errorf("has %d values for %d rows", chunk.values, rows)
	case start < 4 || chunk.size < 0 || chunk.size > size || start > size-chunk.size:
		return errors.New("lies outside the file")
	}
	c.chunk, c.at, c.end, c.unread = chunk, start, start+chunk.size, rows
	c.left, c.hasDict = 0, false
	return nil
}

// available returns how many values can be read at once; it reads the next
// page if need be.
func (c *pqColumn) available() (int, error) {
	for c.left == 0 {
		if err := c.page(); err != nil {
			return 0, err
		}
	}
	return c.left, nil
}

// page reads the next page of the chunk.
func (c *pqColumn) page() error {
	const guess = 256
	if c.at >= c.end {
		return errors.New("ends early: pages are missing")
	}
	var h pqPage
	var headLen int
	for n := int64(guess); ; n *= 8 { // headers are short, unless they hold statistics
		n = min(n, c.end-c.at, pageHeaderMax)
		if err := c.read(n); err != nil {
			return err
		}
		t := thriftReader{b: c.raw}
		h = t.page()
		if t.err == nil {
			headLen = t.p
			break
		}
		if n == c.end-c.at || n == pageHeaderMax {
			return errors.New("has a damaged page header")
		}
	}
	switch {
	case h.stored < 0 || h.stored > c.end-c.at-int64(headLen):
		return errors.New("has a page that lies outside it")
	case h.size < 0 || h.size > pageMax || h.stored > pageMax:
		return fmt.Errorf("has a page of %d bytes; at most %d are read", max(h.size, h.stored), pageMax)
	case h.values < 0 || h.values > pageValuesMax:
		return fmt.Errorf("has a page of %d values; at most %d are read", h.values, pageValuesMax)
	}
	c.at += int64(headLen)
	if err := c.read(h.stored); err != nil {
		return err
	}
	c.at += h.stored
	if h.checked && crc32.ChecksumIEEE(c.raw) != h.crc {
		return errors.New("has a page whose checksum is wrong: the file is damaged")
	}
	switch h.typ {
	case pqDictionaryPage:
		return c.dictionary(&h)
	case pqDataPage, pqDataPageV2:
		if h.values > c.unread {
			return errors.New("has more values than the row group has rows")
		}
		c.unread -= h.values
		return c.data(&h)
	}
	return nil // an index page, or one of a kind that is not known
}

// read fills raw with the n bytes at c.at.
func (c *pqColumn) read(n int64) error {
	c.raw = slices.Grow(c.raw[:0], int(n))[:n]
	if _, err := c.file.ReadAt(c.raw, c.at); err != nil {
		if err == io.EOF {
			return io.ErrUnexpectedEOF
		}
		return err
	}
	return nil
}

// decompress returns the bytes that src stands for, exactly size of them.
func (c *pqColumn) decompress(src []byte, size int64) ([]byte, error) {
	var err error
	switch c.chunk.codec {
	case pqUncompressed:
		return src, nil
	case pqSnappy:
		n, e := snappy.DecodedLen(src)
		if e != nil || int64(n) != size {
			return nil, errors.New("has damaged snappy data")
		}
		c.plain = slices.Grow(c.plain[:0], n)
		c.plain, err = snappy.Decode(c.plain[:n], src)
	case pqGzip:
		z, e := gzip.NewReader(bytes.NewReader(src))
		if e != nil {
			return nil, fmt.Errorf("has damaged gzip data: %w", e)
		}
		var out bytes.Buffer
		_, err = io.Copy(&out, io.LimitReader(z, size+1))
		c.plain = out.Bytes()
	case pqZstd:
		if c.unzip == nil {
			c.unzip, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(pageMax))
			if err != nil {
				return nil, err
			}
		}
		c.plain, err = c.unzip.DecodeAll(src, c.plain[:0])
	default:
		codec := fmt.Sprintf("codec %d", c.chunk.codec)
		if name := pqOtherCodecs[c.chunk.codec]; name != "" {
			codec = name
		}
		return nil, fmt.Errorf("is compressed with %s; snappy, gzip and zstd are read", codec)
	}
	if err != nil {
		return nil, fmt.Errorf("has damaged compressed data: %w", err)
	}
	if int64(len(c.plain)) != size {
		return nil, fmt.Errorf("has a page of %d bytes that claims %d", len(c.plain), size)
	}
	return c.plain, nil
}

// dictionary reads a dictionary page.
func (c *pqColumn) dictionary(h *pqPage) error {
	b, err := c.decompress(c.raw, h.size)
	if err != nil {
		return err
	}
	if h.values > dictionaryMax {
		return fmt.Errorf("has a dictionary of %d entries; at most %d are read", h.values, dictionaryMax)
	}
	c.intDict, c.textDict = c.intDict[:0], c.textDict[:0]
	c.hasDict = true
	for range h.values {
		if c.text == nil {
			var v int64
			if v, b, err = c.plainInt(b); err != nil {
				return err
			}
			c.intDict = append(c.intDict, v)
			continue
		}
		var id uint32
		if id, b, err = c.plainText(b); err != nil {
			return err
		}
		c.textDict = append(c.textDict, id)
	}
	return nil
}

// plainInt reads one plainly encoded integer.
func (c *pqColumn) plainInt(b []byte) (int64, []byte, error) {
	switch {
	case c.typ == pqInt64 && len(b) >= 8:
		return int64(binary.LittleEndian.Uint64(b)), b[8:], nil
	case c.typ == pqInt32 && len(b) >= 4:
		return int64(int32(binary.LittleEndian.Uint32(b))), b[4:], nil
	}
	return 0, nil, errors.New("has a page that ends early")
}

// plainText reads one plainly encoded text.
func (c *pqColumn) plainText(b []byte) (uint32, []byte, error) {
	if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
		return 0, nil, errors.New("has a page that ends early")
	}
	n := 4 + int(binary.LittleEndian.Uint32(b))
	id, err := c.text(b[4:n])
	return id, b[n:], err
}

// data reads a data page and prepares its values.
func (c *pqColumn) data(h *pqPage) error {
	b := c.raw
	var err error
	if h.typ == pqDataPageV2 {
		if h.repeatBytes < 0 || h.levelBytes < 0 || h.repeatBytes > int64(len(b)) || h.levelBytes > int64(len(b))-h.repeatBytes {
			return errors.New("has damaged levels")
		}
		levels := b[h.repeatBytes : h.repeatBytes+h.levelBytes]
		head := h.repeatBytes + h.levelBytes
		b = b[head:]
		if !h.uncompressed {
			if b, err = c.decompress(b, h.size-head); err != nil {
				return err
			}
		}
		c.levels = runs{b: levels, width: 1}
		c.nulls = c.optional && len(levels) > 0
	} else {
		if b, err = c.decompress(b, h.size); err != nil {
			return err
		}
		if c.nulls = c.optional; c.nulls {
			if h.levels != pqRLE {
				return fmt.Errorf("has definition levels in encoding %d; run lengths are read", h.levels)
			}
			if len(b) < 4 || uint64(binary.LittleEndian.Uint32(b)) > uint64(len(b)-4) {
				return errors.New("has damaged levels")
			}
			n := 4 + int(binary.LittleEndian.Uint32(b))
			c.levels = runs{b: b[4:n], width: 1}
			b = b[n:]
		}
	}
	c.left = int(h.values)
	if c.nulls && c.left > 0 {
		// one run of ones: no nulls
		if err := c.levels.begin(); err != nil {
			return err
		}
		c.nulls = c.levels.packed || c.levels.value != 1 || c.levels.left < c.left
	}
	return c.values(h, b)
}

// values prepares the values of a data page, which b holds.
func (c *pqColumn) values(h *pqPage, b []byte) error {
	c.coding = h.encoding
	switch h.encoding {
	case pqPlain:
		c.body = b
		return nil
	case pqPlainDictionary, pqRLEDictionary:
		if !c.hasDict {
			return errors.New("lacks its dictionary")
		}
		c.coding = pqRLEDictionary
		if len(b) == 0 {
			b = []byte{0} // a page of nulls alone
		}
		if b[0] > 32 {
			return errRuns
		}
		c.indices = runs{b: b[1:], width: uint(b[0])}
		return nil
	case pqDeltaPacked, pqDeltaLength: // the latter: lengths as deltas, then all the text
		if (c.text != nil) != (h.encoding == pqDeltaLength) {
			break
		}
		present := c.left
		if c.nulls {
			levels := c.levels
			present = 0
			for n := 0; n < c.left; {
				part := c.grow(&c.defined, min(c.left-n, batchLen))
				if err := levels.next(part); err != nil {
					return err
				}
				for _, d := range part {
					present += int(d & 1)
				}
				n += len(part)
			}
		}
		if present > deltaMax {
			return fmt.Errorf("has a delta-encoded page of %d values; at most %d are read", present, deltaMax)
		}
		var err error
		c.decoded, c.body, err = decodeDelta(c.decoded[:0], b, present)
		c.numbers = c.decoded
		return err
	}
	return fmt.Errorf("is in encoding %d; plain, dictionary and (for integers) delta encodings are read", h.encoding)
}

func (c *pqColumn) grow(s *[]uint32, n int) []uint32 {
	*s = slices.Grow((*s)[:0], n)[:n]
	return *s
}
