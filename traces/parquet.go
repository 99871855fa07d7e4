package traces

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy/spell"
)

// Parquet is read here page by page and column by column, with nothing
// between the file and the batch. A general library would be slower, and
// would believe a damaged file's word on how much memory it needs.

// Names of a trace's columns in Parquet, in the order of columnNames.
var parquetNames = [colsKnown]string{
	"arrival_ns", "service_ns", "type", "priority", "estimate_ns", "deadline_ns", "bytes_in", "bytes_out", "tenant",
}

// Keys of the metadata that SkyNet writes into a Parquet file.
const (
	keyName   = "skynet.name"
	keyStart  = "skynet.start" // RFC 3339
	keySpeed  = "skynet.reference_speed"
	keyOrigin = "skynet.origin"
	keySpan   = "skynet.span_ns"
)

func sniffParquet(head []byte) bool { return bytes.HasPrefix(head, parquetMagic) }

// parquetReader reads the columns of a trace, a batch at a time, without
// judging their values.
type parquetReader struct {
	in      *input
	lenient bool // an import: a missing type has a default
	known   facts
	file    *pqFile
	columns [colsKnown]*pqColumn // nil where the file has none

	group int   // next row group
	left  int64 // rows of this one not read
	rows  int64 // rows read

	ints  [colsKnown][]int64
	room  [colsKnown][]int64
	texts [colsKnown][]uint32
	n     int // rows in ints and texts
}

func newParquetReader(in *input, opt Options, lenient bool) (*parquetReader, error) {
	r := &parquetReader{in: in, lenient: lenient}
	r.known.meta = Meta{Name: stem(in.path)}
	switch {
	case in.zip != "":
		return nil, &InputError{File: in.path, Reason: "is Parquet inside " + in.zip, Fix: "decompress it first: Parquet is compressed inside"}
	case in.at == nil:
		return nil, &InputError{File: in.path, Reason: "is not a regular file; Parquet is read from its end"}
	}
	var err error
	if r.file, err = readFooter(in.at, in.size); err != nil {
		return nil, r.bad("", err)
	}
	if err := r.schema(opt); err != nil {
		return nil, err
	}
	rows := int64(0)
	for _, g := range r.file.groups {
		if g.rows < 0 || rows+g.rows < rows {
			return nil, r.bad("", errThrift)
		}
		rows += g.rows
	}
	r.known.meta.Jobs = rows
	for _, pair := range r.file.pairs {
		if err := r.takeIn(pair[0], pair[1]); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// takeIn takes what a pair of the file's metadata says of the trace, if it makes
// sense. A speed that makes none is an error: without it the work would be another.
func (r *parquetReader) takeIn(key, value string) error {
	m := &r.known.meta
	switch key {
	case keyName:
		m.Name = value
	case keyStart:
		if t, err := time.Parse(time.RFC3339Nano, value); err == nil {
			m.Start = t.UTC()
		}
	case keySpeed:
		v, err := strconv.ParseFloat(value, 64)
		if err != nil || !(v >= SpeedMin && v <= SpeedMax) {
			return &InputError{
				File: r.in.path, Column: key, Value: value, Err: err,
				Reason: fmt.Sprintf("must be from %v to %v, in the file's metadata", SpeedMin, SpeedMax),
			}
		}
		m.ReferenceSpeed = v
	case keyOrigin:
		m.Origin = value
	case keySpan:
		if v, err := strconv.ParseInt(value, 10, 64); err == nil && v >= 0 {
			m.Span = time.Duration(v)
		}
	}
	return nil
}

// schema finds the trace's columns among those of the file.
func (r *parquetReader) schema(opt Options) error {
	var problems, lacking []string
	unknown := false
	nodes := r.file.schema
	for i := 1; i < len(nodes); {
		e := nodes[i]
		next := i + 1
		for nested := e.children; nested > 0 && next < len(nodes); nested-- {
			nested += max(nodes[next].children, 0)
			next++
		}
		i = next
		switch col := slices.Index(parquetNames[:], e.name); {
		case col < 0 && opt.IgnoreColumns:
		case col < 0:
			unknown = true
			problems = append(problems, fmt.Sprintf("unknown column %s%s", shown(e.name), spell.DidYouMean(e.name, parquetNames[:])))
		case r.columns[col] != nil:
			problems = append(problems, fmt.Sprintf("column %q stands twice", e.name))
		default:
			wanted, fits := r.column(col, &e)
			if !fits {
				problems = append(problems, fmt.Sprintf("column %q must hold %s", e.name, wanted))
			}
		}
	}
	required := colsRequired
	if r.lenient {
		required = colService + 1
	}
	for col, c := range r.columns {
		if c == nil && col < required {
			lacking = append(lacking, parquetNames[col])
		}
		if c != nil && col >= colEstimate && col <= colBytesOut {
			r.known.has.optional[col-colEstimate] = true
		}
	}
	r.known.has.tenant = r.columns[colTenant] != nil
	if r.lenient {
		if _, err := r.known.kinds.typeID([]byte(typeDefault)); err != nil {
			return err
		}
	}
	if len(lacking) > 0 {
		problems = append(problems, "no column "+strings.Join(lacking, ", "))
	}
	if len(problems) == 0 {
		return nil
	}
	fix := ""
	switch {
	case len(lacking) == 0 && unknown:
		fix = "--ignore-columns skips columns that are not a trace's"
	case len(problems) == 1 && len(lacking) > 0 && r.columns[colArrival] != nil && r.columns[colService] != nil:
		fix = runImport(r.in.path) // which has defaults for the others
	}
	return &InputError{File: r.in.path, Reason: strings.Join(problems, "; "), Fix: fix}
}

// column makes an element of the file's schema one of the trace's columns. It
// returns what the column must hold, and whether the element can hold that.
func (r *parquetReader) column(col int, e *pqElement) (wanted string, fits bool) {
	c := &pqColumn{name: e.name, typ: e.typ, file: r.in.at, optional: e.repetition == pqOptional}
	r.columns[col] = c
	wanted, fits = "integers of 32 or 64 bits", e.typ == pqInt32 || e.typ == pqInt64
	c.unsigned = e.logical.unsigned && e.typ == pqInt32
	timed := col == colArrival || col == colService || col == colEstimate || col == colDeadline
	switch {
	case !fits:
	case timed && e.logical != (pqLogical{}) && e.logical.unit != "ns" && !e.logical.unsigned:
		wanted, fits = "nanoseconds, not decimal numbers", false
		if e.logical.unit != "" {
			wanted = "nanoseconds: its unit is the " + e.logical.unit
		}
	case !timed && (e.logical.unit != "" || e.logical.scale != 0):
		wanted, fits = "whole numbers", false
	}
	switch col {
	case colType:
		wanted, fits = "text", e.typ == pqByteArray
		c.text = checked(r.known.kinds.typeID)
	case colTenant:
		wanted, fits = "text", e.typ == pqByteArray
		c.text = checked(r.known.tenants.id)
	}
	return wanted, fits && e.repetition <= pqOptional && e.children <= 0
}

// checked returns number behind a check of the text.
func checked(number func([]byte) (uint32, error)) func([]byte) (uint32, error) {
	return func(b []byte) (uint32, error) {
		if err := checkName(b); err != nil {
			return 0, fmt.Errorf("%s: %w", shown(string(b)), err)
		}
		return number(b)
	}
}

// bad returns err as an error of the file.
func (r *parquetReader) bad(column string, err error) *InputError {
	return &InputError{File: r.in.path, Column: column, Reason: err.Error(), Err: err}
}

// fill reads the next rows of every column, up to a batch. A panic below, in
// a decompressor say, is an error of the file.
func (r *parquetReader) fill() (err error) {
	column := ""
	defer func() {
		if p := recover(); p != nil {
			err = r.bad(column, fmt.Errorf("is damaged (%v)", p))
		}
	}()
	for r.left == 0 {
		if r.group == len(r.file.groups) {
			return io.EOF
		}
		g := &r.file.groups[r.group]
		r.group++
		for _, c := range r.columns {
			if c == nil {
				continue
			}
			if err := c.begin(g.chunk(c.name), g.rows, r.in.size); err != nil {
				return r.bad(c.name, err)
			}
		}
		r.left = g.rows
	}
	n := int(min(r.left, batchLen))
	for _, c := range r.columns {
		if c == nil {
			continue
		}
		column = c.name
		ready, err := c.available()
		if err != nil {
			return r.bad(c.name, err)
		}
		n = min(n, ready)
	}
	for i, c := range r.columns {
		if c == nil {
			continue
		}
		column = c.name
		if c.text != nil {
			if r.texts[i] == nil {
				r.texts[i] = make([]uint32, batchLen)
			}
			err = c.texts(r.texts[i][:n])
		} else {
			if r.room[i] == nil {
				r.room[i] = make([]int64, batchLen)
			}
			r.ints[i], err = c.ints(r.room[i], n)
			if c.unsigned {
				for j, v := range r.ints[i] {
					if v != nullInt {
						r.ints[i][j] = int64(uint32(v))
					}
				}
			}
		}
		if err != nil {
			return r.bad(c.name, err)
		}
	}
	r.n = n
	r.left -= int64(n)
	r.rows += int64(n)
	return nil
}

// chunk returns the column called name, the zero chunk if there is none.
func (g *pqGroup) chunk(name string) pqChunk {
	for i := range g.chunks {
		if g.chunks[i].path == name {
			return g.chunks[i]
		}
	}
	return pqChunk{typ: -1}
}

// row reads row i of what fill read. It says what is wrong with it.
func (r *parquetReader) row(i int, out *row) *rowError {
	*out = row{}
	number := func(col int, lo, hi int64, why Reason, allowed string) (int64, *rowError) {
		v := r.ints[col][i]
		switch {
		case v == nullInt && col == colArrival:
			return 0, &rowError{why: NoArrival, column: parquetNames[col], detail: "is missing"}
		case v == nullInt && col == colService:
			return 0, &rowError{why: NoService, column: parquetNames[col], detail: "is missing"}
		case v == nullInt:
			return 0, nil
		case v < lo || v > hi:
			return 0, &rowError{why: why, column: parquetNames[col], value: strconv.FormatInt(v, 10), detail: allowed}
		}
		return v, nil
	}
	var err *rowError
	if out.arrival, err = number(colArrival, 0, TimeMax, OutOfRange, "must be from 0 to 2^62-1"); err != nil {
		return err
	}
	if out.service, err = number(colService, 1, TimeMax, ServiceNot, "must be from 1 to 2^62-1"); err != nil {
		if r.ints[colService][i] > TimeMax {
			err.why = OutOfRange
		}
		return err
	}
	if r.columns[colPriority] != nil {
		v, err := number(colPriority, 0, 255, OutOfRange, "must be from 0 to 255")
		if err != nil {
			return err
		}
		out.priority = uint8(v)
	}
	for j, dst := range []*int64{&out.estimate, &out.deadline, &out.bytesIn, &out.bytesOut} {
		if r.known.has.optional[j] {
			if *dst, err = number(colEstimate+j, 0, TimeMax, OutOfRange, "must be from 0 to 2^62-1"); err != nil {
				return err
			}
		}
	}
	if r.columns[colType] != nil {
		out.typeID = r.texts[colType][i]
		if out.typeID == nullText && r.lenient {
			out.typeID = 0 // typeDefault
		}
		if out.typeID == nullText {
			return &rowError{why: BadType, column: "type", detail: "is missing"}
		}
	}
	if r.known.has.tenant {
		if out.tenant = r.texts[colTenant][i]; out.tenant == nullText {
			id, err := r.known.tenants.id(nil)
			if err != nil {
				return &rowError{why: BadType, column: "tenant", detail: err.Error()}
			}
			out.tenant = id
		}
	}
	return nil
}
