package traces

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy/spell"
)

// The columns of a trace in CSV.
const (
	colArrival = iota
	colService
	colType
	colPriority
	colEstimate
	colDeadline
	colBytesIn
	colBytesOut
	colTenant
	colIgnored

	colsRequired = colPriority + 1
	colsKnown    = colIgnored
)

var columnNames = [colsKnown]string{
	"arrival_s", "service_s", "type", "priority", "estimate_s", "deadline_s", "bytes_in", "bytes_out", "tenant",
}

const (
	lineMax    = 1 << 20   // bytes in one line of text
	textBuffer = 256 << 10 // bytes read at a time

	typeDefault = "job" // of imported jobs that have none
)

// csvReader reads a trace in CSV row by row. Its fast path takes rows as
// SkyNet writes them; anything else (quotes, blanks, signs, exponents) goes
// through slow, which also finds the words for what is wrong.
type csvReader struct {
	in      *input
	lenient bool // an import: missing values have defaults, odd numbers are rounded
	comma   byte
	names   []string // the header
	columns []uint8  // what each field of a row holds
	takes   []take   // the fields that are read, and what for
	known   facts
	clock   clock // of an import
	ended   bool  // a job's arrival is its end less its service
	plain   bool  // rows may be as SkyNet writes them: fast is worth a try

	buf  []byte // buf[pos:end] is unread
	pos  int
	end  int
	hold int // buf[pos:hold] is whole lines
	eof  bool
	line int64 // line of the row read last

	fields  [][]byte
	scratch []byte
	types   [64]typeSlot
}

// typeSlot remembers the number of a type by name.
type typeSlot struct {
	name string
	id   uint32
}

// newCSVReader reads the header of in.
func newCSVReader(in *input, opt ImportOptions, lenient bool) (*csvReader, error) {
	r := &csvReader{in: in, lenient: lenient, comma: ',', buf: make([]byte, textBuffer)}
	r.clock = clock{zone: opt.Zone, unit: opt.TimeUnit}
	r.known.meta = Meta{Name: stem(in.path), Jobs: -1}
	if err := r.header(opt); err != nil {
		return nil, err
	}
	if !r.taken(colType) {
		if _, err := r.known.kinds.typeID([]byte(typeDefault)); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// header reads the first line and decides what each column holds.
func (r *csvReader) header(opt ImportOptions) error {
	if err := r.skipMark(); err != nil {
		return err
	}
	if err := r.fill(); err == io.EOF {
		return &InputError{File: r.in.path, Reason: "is empty: a header such as " + strings.Join(columnNames[:colsRequired], ",") + " is expected"}
	} else if err != nil {
		return err
	}
	if err := r.findComma(); err != nil {
		return err
	}
	if err := r.split(); err != nil {
		if bad, ok := err.(*rowError); ok {
			err = &InputError{File: r.in.path, Line: 1, Reason: bad.detail, Err: bad}
		}
		return err
	}
	for _, f := range r.fields {
		r.names = append(r.names, string(f))
	}
	problems, lacking := r.columnsOf(opt)
	if len(problems) == 0 {
		return nil
	}
	return &InputError{File: r.in.path, Line: 1, Reason: strings.Join(problems, "; "), Fix: r.headerFix(opt, lacking)}
}

// skipMark passes over a byte order mark, and refuses that of UTF-16.
func (r *csvReader) skipMark() error {
	if bytes.HasPrefix(r.in.head, []byte("\xff\xfe")) || bytes.HasPrefix(r.in.head, []byte("\xfe\xff")) {
		return &InputError{File: r.in.path, Reason: "is UTF-16: a trace is UTF-8", Fix: "convert it: iconv -f UTF-16 -t UTF-8"}
	}
	if bytes.HasPrefix(r.in.head, []byte("\xef\xbb\xbf")) {
		if _, err := io.CopyN(io.Discard, r.in.r, 3); err != nil {
			return r.in.readError(err, 1)
		}
	}
	return nil
}

// findComma sets what separates columns by the first line, which it looks at
// only. It refuses what is no text, and what only an import takes.
func (r *csvReader) findComma() error {
	first := r.buf[r.pos : r.pos+bytes.IndexByte(r.buf[r.pos:r.hold], '\n')]
	switch i := bytes.IndexByte(first, '\r'); {
	case bytes.IndexByte(first, 0) >= 0:
		return &InputError{File: r.in.path, Line: 1, Reason: "the header contains zero bytes: this is not a trace in CSV"}
	case i >= 0 && i < len(first)-1 && bytes.IndexByte(first, '"') < 0:
		return &InputError{File: r.in.path, Line: 1, Reason: "lines end with a carriage return alone; a line feed is expected"}
	}
	if bytes.IndexByte(first, ',') < 0 {
		for _, other := range []byte("\t;") {
			if bytes.IndexByte(first, other) < 0 {
				continue
			}
			if !r.lenient {
				return &InputError{
					File: r.in.path, Line: 1, Reason: fmt.Sprintf("columns are separated by %q; commas are expected", other),
					Fix: runImport(r.in.path),
				}
			}
			r.comma = other
		}
	}
	return nil
}

// headerFix returns what to do about a header that has problems.
func (r *csvReader) headerFix(opt ImportOptions, lacking bool) string {
	names := "the header must name " + strings.Join(columnNames[:colsRequired], ", ") + ", and may name " + strings.Join(columnNames[colsRequired:], ", ")
	switch {
	case len(opt.Columns) > 0:
		return "the header names " + strings.Join(r.names, ", ")
	case r.lenient && lacking:
		return "the header names " + strings.Join(r.names, ", ") + "; --map arrival_s=NAME,… says which of them holds what: " + strings.Join(importNames, ", ")
	case lacking:
		return names + "; skynet trace import --map takes files that call them otherwise"
	}
	return names + "; --ignore-columns skips others"
}

// unknownMax is how many unknown columns a message names.
const unknownMax = 8

// columnsOf decides what each column of the file holds. It returns what is
// wrong with the header, and whether a column is lacking.
func (r *csvReader) columnsOf(opt ImportOptions) (problems []string, lacking bool) {
	if r.lenient {
		problems = r.mapColumns(r.names, opt)
		r.ended = derivesArrival(opt.Columns)
	}
	unknown, strange := 0, []string(nil)
	for i, name := range r.names {
		col, known := numberOf(name)
		known = known && col < colIgnored
		taken := slices.ContainsFunc(r.takes, func(t take) bool { return t.field == i })
		switch {
		case known && slices.Contains(r.names[:i], name):
			problems = append(problems, fmt.Sprintf("column %q stands twice", name))
		case known && !r.lenient:
			r.takes = append(r.takes, take{i, col})
			taken = true
		case !taken && !opt.IgnoreColumns && len(opt.Columns) == 0:
			if unknown++; unknown <= unknownMax {
				strange = append(strange, fmt.Sprintf("unknown column %s%s", shown(name), spell.DidYouMean(name, columnNames[:])))
			}
		}
		if !taken || !known {
			col = colIgnored
		}
		r.columns = append(r.columns, col)
	}
	if unknown > unknownMax {
		strange = append(strange, fmt.Sprintf("and %d more", unknown-unknownMax))
	}
	for _, t := range r.takes {
		if t.col >= colEstimate && t.col <= colBytesOut {
			r.known.has.optional[t.col-colEstimate] = true
		}
		r.known.has.tenant = r.known.has.tenant || t.col == colTenant
	}
	lack := slices.DeleteFunc(r.lacking(), func(name string) bool { return opt.Columns[name] != "" }) // that has been said
	if r.lenient && len(lack) > 0 {
		// other names than a trace's need a mapping, and with one none is unknown
		strange = slices.DeleteFunc(strange, func(s string) bool { return !strings.Contains(s, "did you mean") })
	}
	problems = append(problems, strange...)
	if len(lack) > 0 {
		problems = append(problems, "no column "+strings.Join(lack, ", "))
	}
	// fast reads fields in the order of a header that means what it says
	r.plain = r.comma == ',' && len(opt.Columns) == 0 && !r.taken(colStart) && !r.taken(colFinish) && (opt.TimeUnit == 0 || opt.TimeUnit == time.Second)
	return problems, len(lack) > 0
}

// lacking returns the columns that must be there and are not.
func (r *csvReader) lacking() []string {
	required := []uint8{colArrival, colService, colType, colPriority}
	if r.lenient {
		required = []uint8{colArrival, colService}
		switch {
		case r.ended:
			required = []uint8{colService, colFinish}
		case r.taken(colStart) || r.taken(colFinish):
			required = []uint8{colArrival, colStart, colFinish}
		}
	}
	var names []string
	for _, col := range required {
		if !r.taken(col) {
			names = append(names, nameOf(col))
		}
	}
	return names
}

// fill makes buf[pos:hold] hold at least one whole line. At the end of the
// file it closes the last line if need be, and returns io.EOF when nothing is
// left.
func (r *csvReader) fill() error {
	if r.pos < r.hold {
		return nil
	}
	return r.more()
}

// more reads on until at least one more line is whole.
func (r *csvReader) more() error {
	if r.pos > 0 {
		r.end = copy(r.buf, r.buf[r.pos:r.end])
		r.hold -= r.pos
		r.pos = 0
	}
	was := r.hold
	for r.hold == was {
		if r.eof {
			if r.end == r.hold {
				return io.EOF
			}
			r.buf[r.end] = '\n'
			r.end++
			r.hold = r.end
			return nil
		}
		if r.end+1 >= len(r.buf) {
			if len(r.buf) >= 2*lineMax {
				return &InputError{
					File: r.in.path, Line: r.line + 1,
					Reason: fmt.Sprintf("a line is longer than %d bytes: this is not a trace in CSV", lineMax),
				}
			}
			r.buf = append(r.buf, make([]byte, len(r.buf))...)
		}
		n, err := r.in.r.Read(r.buf[r.end : len(r.buf)-1])
		r.end += n
		if i := bytes.LastIndexByte(r.buf[r.end-n:r.end], '\n'); i >= 0 {
			r.hold = r.end - n + i + 1
		}
		if err == io.EOF {
			r.eof = true
		} else if err != nil {
			return r.in.readError(err, r.line+1)
		}
	}
	return nil
}

func csvRows(in *input, opt ImportOptions) (rowReader, error) { return newCSVReader(in, opt, true) }

func (r *csvReader) facts() *facts { return &r.known }

func (r *csvReader) position() int64 { return r.line }

func openCSV(in *input, opt Options) (Source, error) {
	r, err := newCSVReader(in, ImportOptions{Options: opt}, false)
	if err != nil {
		return nil, err
	}
	return &rowSource{r: r, in: in, arrival: columnNames[colArrival]}, nil
}
