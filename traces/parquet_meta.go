package traces

import (
	"encoding/binary"
	"fmt"
	"io"
)

// The numbers of the Parquet format that this package uses
// (github.com/apache/parquet-format, parquet.thrift).
const (
	pqBoolean   = 0
	pqInt32     = 1
	pqInt64     = 2
	pqByteArray = 6

	pqRequired = 0
	pqOptional = 1

	pqPlain           = 0
	pqPlainDictionary = 2
	pqRLE             = 3
	pqDeltaPacked     = 5
	pqDeltaLength     = 6
	pqRLEDictionary   = 8

	pqUncompressed = 0
	pqSnappy       = 1
	pqGzip         = 2
	pqZstd         = 6

	pqDataPage       = 0
	pqIndexPage      = 1
	pqDictionaryPage = 2
	pqDataPageV2     = 3

	pqUTF8 = 0 // converted type
)

// pqOtherCodecs names the compressions that are not read.
var pqOtherCodecs = map[int64]string{3: "LZO", 4: "Brotli", 5: "LZ4", 7: "LZ4"}

// Bounds on what a Parquet file may ask its reader to hold at once.
const (
	footerMax     = 64 << 20 // bytes of metadata
	pageMax       = 64 << 20 // bytes of one page, decompressed
	pageHeaderMax = 1 << 20
	pageValuesMax = 1 << 24 // values in one page
	deltaMax      = 1 << 22 // values in one delta-encoded page
	dictionaryMax = 1 << 20 // entries of a dictionary
)

var parquetMagic = []byte("PAR1")

// pqFile is what a Parquet file says of itself.
type pqFile struct {
	rows   int64
	schema []pqElement
	groups []pqGroup
	pairs  [][2]string // key-value metadata
	maker  string
}

// pqElement is a node of the schema: the root, a group or a column.
type pqElement struct {
	name       string
	typ        int64 // -1 for a group
	repetition int64
	children   int64
	logical    pqLogical
}

// pqLogical is what the numbers of a column stand for, where that is not the
// numbers themselves.
type pqLogical struct {
	unit     string // of a date or time: "day", "ms", "µs" or "ns"; "": it is neither
	scale    int64  // decimals of a decimal number
	unsigned bool
}

// pqGroup is a row group: a slice of the rows, column by column.
type pqGroup struct {
	rows   int64
	chunks []pqChunk
}

// pqChunk is one column of a row group.
type pqChunk struct {
	path      string // names from the root down, joined by dots
	typ       int64
	codec     int64
	values    int64
	data      int64 // file offset of the first data page
	dict      int64 // file offset of the dictionary page, 0 if there is none
	size      int64 // bytes of all pages, compressed, with headers
	elsewhere bool  // in another file, or encrypted
}

// readFooter reads the metadata at the end of a Parquet file.
func readFooter(r io.ReaderAt, size int64) (*pqFile, error) {
	var tail [8]byte
	if size < 12 {
		return nil, fmt.Errorf("is too short for a Parquet file (%d bytes)", size)
	}
	if _, err := r.ReadAt(tail[:], size-8); err != nil {
		return nil, err
	}
	if string(tail[4:]) != string(parquetMagic) {
		return nil, fmt.Errorf("does not end as a Parquet file does: it is truncated, or something else")
	}
	n := int64(binary.LittleEndian.Uint32(tail[:]))
	if n > size-12 || n > footerMax {
		return nil, fmt.Errorf("claims %d bytes of metadata; at most %d are possible", n, min(size-12, footerMax))
	}
	b := make([]byte, n)
	if _, err := r.ReadAt(b, size-8-n); err != nil {
		return nil, err
	}
	t := thriftReader{b: b}
	f := t.file()
	if t.err != nil {
		return nil, t.err
	}
	return f, nil
}

func (r *thriftReader) file() *pqFile {
	f := &pqFile{}
	r.fields(func(id int, typ byte) {
		switch id {
		case 2:
			r.structs(typ, func() { f.schema = append(f.schema, r.element()) })
		case 3:
			f.rows = r.int()
		case 4:
			r.structs(typ, func() { f.groups = append(f.groups, r.group()) })
		case 5:
			r.structs(typ, func() { f.pairs = append(f.pairs, r.pair()) })
		case 6:
			f.maker = string(r.bytes())
		default:
			r.skip(typ)
		}
	})
	return f
}

func (r *thriftReader) element() pqElement {
	e := pqElement{typ: -1}
	annotated := false // by the newer way, which wins
	r.fields(func(id int, typ byte) {
		switch id {
		case 1:
			e.typ = r.int()
		case 3:
			e.repetition = r.int()
		case 4:
			e.name = string(r.bytes())
		case 5:
			e.children = r.int()
		case 6:
			if converted := r.int(); !annotated {
				e.logical.convert(converted)
			}
		case 7:
			if scale := r.int(); !annotated {
				e.logical.scale = scale
			}
		case 10:
			annotated, e.logical = true, r.logical()
		default:
			r.skip(typ)
		}
	})
	return e
}

// convert sets l by the older of Parquet's two ways to annotate a column.
func (l *pqLogical) convert(converted int64) {
	switch converted {
	case 6:
		l.unit = "day"
	case 7, 9: // a time of day, a timestamp
		l.unit = "ms"
	case 8, 10:
		l.unit = "µs"
	case 11, 12, 13, 14: // 8 to 64 bits
		l.unsigned = true
	}
}

// logical reads the newer annotation.
func (r *thriftReader) logical() (l pqLogical) {
	r.fields(func(id int, typ byte) {
		if typ != thriftStruct {
			r.skip(typ)
			return
		}
		switch id {
		case 5: // a decimal number
			r.fields(func(id int, typ byte) {
				if id == 1 && typ == thriftI32 {
					l.scale = r.int()
				} else {
					r.skip(typ)
				}
			})
		case 6:
			l.unit = "day"
			r.skip(typ)
		case 7, 8: // a time of day, a timestamp
			r.fields(func(id int, typ byte) {
				if id != 2 || typ != thriftStruct {
					r.skip(typ)
					return
				}
				r.fields(func(id int, typ byte) {
					l.unit = map[int]string{1: "ms", 2: "µs", 3: "ns"}[id]
					r.skip(typ)
				})
			})
		case 10: // an integer
			r.fields(func(id int, typ byte) {
				l.unsigned = l.unsigned || id == 2 && typ == thriftFalse
				r.skip(typ)
			})
		default:
			r.skip(typ)
		}
	})
	return l
}

func (r *thriftReader) group() pqGroup {
	var g pqGroup
	r.fields(func(id int, typ byte) {
		switch id {
		case 1:
			r.structs(typ, func() { g.chunks = append(g.chunks, r.chunk()) })
		case 3:
			g.rows = r.int()
		default:
			r.skip(typ)
		}
	})
	return g
}

func (r *thriftReader) chunk() pqChunk {
	var c pqChunk
	r.fields(func(id int, typ byte) {
		switch id {
		case 1:
			c.elsewhere = len(r.bytes()) > 0 || c.elsewhere
		case 3:
			r.fields(func(id int, typ byte) { r.chunkField(&c, id, typ) })
		case 8:
			c.elsewhere = true
			r.skip(typ)
		default:
			r.skip(typ)
		}
	})
	return c
}

func (r *thriftReader) chunkField(c *pqChunk, id int, typ byte) {
	switch id {
	case 1:
		c.typ = r.int()
	case 3:
		n, elem := r.list()
		for i := 0; i < n && r.err == nil; i++ {
			if elem != thriftBinary {
				r.fail()
				return
			}
			if i > 0 {
				c.path += "."
			}
			c.path += string(r.bytes())
			if len(c.path) > 1<<16 {
				r.fail()
			}
		}
	case 4:
		c.codec = r.int()
	case 5:
		c.values = r.int()
	case 7:
		c.size = r.int()
	case 9:
		c.data = r.int()
	case 11:
		c.dict = r.int()
	default:
		r.skip(typ)
	}
}

func (r *thriftReader) pair() (kv [2]string) {
	r.fields(func(id int, typ byte) {
		if id == 1 || id == 2 {
			kv[id-1] = string(r.bytes())
		} else {
			r.skip(typ)
		}
	})
	return kv
}

// pqPage is the header of a page.
type pqPage struct {
	typ          int64
	size         int64 // decompressed
	stored       int64 // as it stands in the file
	crc          uint32
	checked      bool  // crc holds the checksum of what is stored
	values       int64 // with nulls
	encoding     int64
	levels       int64 // encoding of the definition levels (version 1)
	levelBytes   int64 // version 2
	repeatBytes  int64 // version 2
	uncompressed bool  // version 2: although the column has a codec
}

func (r *thriftReader) page() pqPage {
	var p pqPage
	r.fields(func(id int, typ byte) {
		switch id {
		case 1:
			p.typ = r.int()
		case 2:
			p.size = r.int()
		case 3:
			p.stored = r.int()
		case 4:
			p.crc, p.checked = uint32(r.int()), true
		case 5, 7: // data page, dictionary page
			r.fields(func(id int, typ byte) {
				switch id {
				case 1:
					p.values = r.int()
				case 2:
					p.encoding = r.int()
				case 3:
					if typ == thriftTrue || typ == thriftFalse { // a dictionary's "is sorted"
						return
					}
					p.levels = r.int()
				default:
					r.skip(typ)
				}
			})
		case 8: // data page, version 2
			r.fields(func(id int, typ byte) {
				switch id {
				case 1:
					p.values = r.int()
				case 4:
					p.encoding = r.int()
				case 5:
					p.levelBytes = r.int()
				case 6:
					p.repeatBytes = r.int()
				case 7:
					p.uncompressed = typ == thriftFalse
				default:
					r.skip(typ)
				}
			})
		default:
			r.skip(typ)
		}
	})
	return p
}
