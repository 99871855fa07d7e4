package traces

import (
	"bytes"
	"fmt"
	"io"
	"strings"

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
	columns []uint8 // what each field of a row holds
	known   facts

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
func newCSVReader(in *input, opt Options, lenient bool) (*csvReader, error) {
	r := &csvReader{in: in, lenient: lenient, comma: ',', buf: make([]byte, textBuffer)}
	r.known.meta = Meta{Name: stem(in.path), Jobs: -1}
	if err := r.header(opt); err != nil {
		return nil, err
	}
	if bytes.IndexByte(r.columns, colType) < 0 {
		if _, err := r.known.kinds.typeID([]byte(typeDefault)); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// header reads the first line and decides what each column holds.
func (r *csvReader) header(opt Options) error {
	if bytes.HasPrefix(r.in.head, []byte("\xef\xbb\xbf")) {
		if _, err := io.CopyN(io.Discard, r.in.r, 3); err != nil {
			return r.in.readError(err, 1)
		}
	}
	if err := r.fill(); err == io.EOF {
		return &InputError{File: r.in.path, Reason: "is empty: a header such as " + strings.Join(columnNames[:colsRequired], ",") + " is expected"}
	} else if err != nil {
		return err
	}
	first := r.buf[r.pos : r.pos+bytes.IndexByte(r.buf[r.pos:r.hold], '\n')]
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
	if err := r.split(); err != nil {
		return err
	}
	var problems []string
	seen := map[string]bool{}
	for _, f := range r.fields {
		name := string(f)
		col, known := columnNamed(name)
		switch {
		case seen[name] && known:
			problems = append(problems, fmt.Sprintf("column %q stands twice", name))
		case !known && !opt.IgnoreColumns:
			problems = append(problems, fmt.Sprintf("unknown column %s%s", shown(name), spell.DidYouMean(name, columnNames[:])))
		}
		seen[name] = true
		r.columns = append(r.columns, col)
		if col >= colEstimate && col <= colBytesOut {
			r.known.has.optional[col-colEstimate] = true
		}
		r.known.has.tenant = r.known.has.tenant || col == colTenant
	}
	required := columnNames[:colsRequired]
	if r.lenient {
		required = columnNames[:colService+1]
	}
	var lacking []string
	for _, name := range required {
		if !seen[name] {
			lacking = append(lacking, name)
		}
	}
	if len(lacking) > 0 {
		problems = append(problems, "no column "+strings.Join(lacking, ", "))
	}
	if len(problems) == 0 {
		return nil
	}
	fix := "the header must name " + strings.Join(columnNames[:colsRequired], ", ") + ", and may name " + strings.Join(columnNames[colsRequired:], ", ")
	if len(lacking) == 0 {
		fix += "; --ignore-columns skips others"
	}
	return &InputError{File: r.in.path, Line: 1, Reason: strings.Join(problems, "; "), Fix: fix}
}

func columnNamed(name string) (col uint8, known bool) {
	for i, n := range columnNames {
		if n == name {
			return uint8(i), true
		}
	}
	return colIgnored, false
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

func csvRows(in *input, opt Options) (rowReader, error) { return newCSVReader(in, opt, true) }

func (r *csvReader) facts() *facts { return &r.known }

func (r *csvReader) position() int64 { return r.line }

func openCSV(in *input, opt Options) (Source, error) {
	r, err := newCSVReader(in, opt, false)
	if err != nil {
		return nil, err
	}
	return &rowSource{r: r, in: in, arrival: columnNames[colArrival]}, nil
}
