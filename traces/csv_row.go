package traces

import (
	"bytes"
	"fmt"
	"io"
	"unicode/utf8"
)

// read reads the next row into out. A *rowError concerns that row alone:
// reading may go on. Other errors end the file, io.EOF when it is whole.
func (r *csvReader) read(out *row) error {
	if err := r.fill(); err != nil {
		return err
	}
	if r.plain {
		n, ok := r.fast(r.buf[r.pos:r.hold], out)
		if ok && (!r.lenient || r.known.sameEpoch(out.arrival) == nil) { // slow says what stood there
			r.pos += n
			r.line++
			return nil
		}
	}
	return r.slow(out)
}

// fast reads a row in the plain form that SkyNet itself writes and returns
// its length. ok is false when the row needs slow.
func (r *csvReader) fast(data []byte, out *row) (n int, ok bool) {
	*out = row{}
	p := 0
	last := len(r.columns) - 1
	for i, col := range r.columns {
		switch col {
		case colArrival:
			out.arrival, p, ok = scanSeconds(data, p)
			if !ok {
				return 0, false
			}
		case colService:
			out.service, p, ok = scanSeconds(data, p)
			if !ok || out.service == 0 {
				return 0, false
			}
		case colPriority:
			v, start := uint32(0), p
			for {
				c := uint32(data[p]) - '0'
				if c > 9 {
					break
				}
				v = v*10 + c
				p++
			}
			if v > 255 || p-start > 3 || p == start {
				return 0, false
			}
			out.priority = uint8(v)
		case colType:
			start := p
			for c := data[p]; c != ',' && c > '"'; c = data[p] {
				p++
			}
			name := data[start:p]
			if len(name) == 0 {
				return 0, false
			}
			slot := &r.types[(uint(name[0])*5^uint(name[len(name)-1])*3^uint(len(name)))%64]
			if slot.name != string(name) {
				return 0, false
			}
			out.typeID = slot.id
		case colEstimate, colDeadline:
			v := int64(0)
			if c := data[p]; c != ',' && c > '\r' { // an empty field is no value
				if v, p, ok = scanSeconds(data, p); !ok {
					return 0, false
				}
			}
			if col == colEstimate {
				out.estimate = v
			} else {
				out.deadline = v
			}
		case colBytesIn, colBytesOut:
			v, start := int64(0), p
			for {
				c := int64(data[p]) - '0'
				if uint64(c) > 9 {
					break
				}
				v = v*10 + c
				p++
			}
			if p-start > 18 {
				return 0, false
			}
			if col == colBytesIn {
				out.bytesIn = v
			} else {
				out.bytesOut = v
			}
		case colTenant:
			start := p
			for c := data[p]; c != ',' && c > '"'; c = data[p] {
				p++
			}
			if out.tenant, ok = r.known.tenants.ids[string(data[start:p])]; !ok {
				return 0, false
			}
		default:
			return 0, false
		}
		if i < last {
			if data[p] != ',' {
				return 0, false
			}
			p++
		}
	}
	if data[p] == '\r' {
		p++
	}
	if p >= len(data) || data[p] != '\n' {
		return 0, false
	}
	return p + 1, true
}

// slow reads a row by the whole of the rules.
func (r *csvReader) slow(out *row) error {
	for {
		if err := r.split(); err != nil {
			return err
		}
		if len(r.fields) != 1 || len(r.fields[0]) != 0 {
			break // not a blank line
		}
		if err := r.fill(); err != nil {
			return err
		}
	}
	*out = row{}
	if len(r.fields) != len(r.columns) {
		return &rowError{why: FieldCount, detail: fmt.Sprintf("has %d fields, the header names %d", len(r.fields), len(r.columns))}
	}
	var began int64
	start := 0 // the field of began
	for _, t := range r.takes {
		field := t.field
		took := out.service
		err := r.field(out, t.col, r.fields[field])
		switch {
		case err != nil:
		case t.col == colArrival && r.lenient:
			err = r.known.sameEpoch(out.arrival)
		case t.col == colStart:
			began, start = out.service, field
		case t.col == colFinish && r.ended:
			out.arrival, out.service = out.service-took, took
			if out.arrival < 0 {
				err = &rowError{why: OutOfRange, detail: "must not be less than the service time"}
			} else {
				err = r.known.sameEpoch(out.arrival)
			}
		case t.col == colFinish && began < unixFrom && out.service >= unixFrom:
			// a start of 0 is how some systems write that there was none
			field = start
			err = &rowError{why: OutOfRange, detail: "is no date; the finish is one"}
		case t.col == colFinish:
			if out.service -= began; out.service <= 0 {
				err = &rowError{why: ServiceNot, detail: "must come after the start"}
			}
		}
		if err != nil {
			err.column, err.value = r.names[field], string(r.fields[field])
			return err
		}
	}
	return nil
}

// field reads one field of a row.
func (r *csvReader) field(out *row, col uint8, f []byte) (err *rowError) {
	absent := len(f) == 0 || r.lenient && missing(f)
	switch col {
	case colArrival:
		if absent {
			return &rowError{why: NoArrival, detail: "is missing"}
		}
		out.arrival, err = r.instant(f)
	case colService:
		if absent {
			return &rowError{why: NoService, detail: "is missing"}
		}
		if out.service, err = r.signedTime(f); err == nil && out.service <= 0 {
			return &rowError{why: ServiceNot, detail: "must be more than 0 (and at least a nanosecond)"}
		}
	case colStart, colFinish:
		if absent {
			return &rowError{why: NoService, detail: "is missing: the job did not run"}
		}
		out.service, err = r.instant(f)
	case colType:
		if absent {
			if !r.lenient {
				return &rowError{why: BadType, detail: "is empty"}
			}
			f = []byte(typeDefault)
		}
		return r.setType(out, f)
	case colPriority:
		if absent && r.lenient {
			return nil
		}
		var v int64
		v, err = parseWhole(f, 255)
		out.priority = uint8(v)
	case colEstimate:
		if !absent {
			out.estimate, err = r.time(f)
		}
	case colDeadline:
		if !absent {
			out.deadline, err = r.time(f)
		}
	case colBytesIn:
		if !absent {
			out.bytesIn, err = parseWhole(f, TimeMax)
		}
	case colBytesOut:
		if !absent {
			out.bytesOut, err = parseWhole(f, TimeMax)
		}
	case colTenant:
		if absent {
			f = nil
		}
		if err = checkName(f); err != nil {
			return err
		}
		id, e := r.known.tenants.id(f)
		if e != nil {
			return &rowError{why: BadType, detail: e.Error()}
		}
		out.tenant = id
	}
	return err
}

// signedTime reads a length of time.
func (r *csvReader) signedTime(f []byte) (int64, *rowError) {
	if !r.lenient {
		return parseSeconds(f, false)
	}
	return r.clock.span(f)
}

// instant reads when something was; an import takes dates too.
func (r *csvReader) instant(f []byte) (int64, *rowError) {
	if !r.lenient {
		return r.time(f)
	}
	if dated(f) {
		return r.clock.date(f)
	}
	v, err := r.time(f)
	if err != nil && err.why == BadNumber {
		err = &rowError{why: BadTime, detail: instantAllowed}
	}
	return v, err
}

// time reads a time that is not negative.
func (r *csvReader) time(f []byte) (int64, *rowError) {
	v, err := r.signedTime(f)
	if err == nil && v < 0 {
		return 0, &rowError{why: OutOfRange, detail: "must not be negative"}
	}
	return v, err
}

// setType makes name the type of out and remembers it for the fast path.
func (r *csvReader) setType(out *row, name []byte) *rowError {
	if err := checkName(name); err != nil {
		return err
	}
	id, err := r.known.kinds.typeID(name)
	if err != nil {
		return &rowError{why: BadType, detail: err.Error()}
	}
	out.typeID = id
	if len(name) > 0 && bytes.IndexByte(name, ' ') < 0 {
		r.types[(uint(name[0])*5^uint(name[len(name)-1])*3^uint(len(name)))%64] = typeSlot{r.known.kinds.names[id], id}
	}
	return nil
}

// checkName returns what is wrong with the name of a type or tenant.
func checkName(name []byte) *rowError {
	switch {
	case len(name) > NameMax:
		return &rowError{why: BadType, detail: fmt.Sprintf("is longer than %d bytes", NameMax)}
	case !utf8.Valid(name):
		return &rowError{why: BadType, detail: "is not UTF-8"}
	case bytes.IndexByte(name, 0) >= 0:
		return &rowError{why: BadType, detail: "contains a zero byte"}
	}
	return nil
}

// split cuts the row at pos into fields, blanks around them and quotes
// removed, and moves on behind it. A quoted field may hold commas, quotes
// (doubled) and line ends. A *rowError concerns that row alone, and the next
// begins on the next line.
func (r *csvReader) split() error {
	r.line++
	r.fields, r.scratch = r.fields[:0], r.scratch[:0]
	lines := int64(0)
	for p := r.pos; ; {
		data := r.buf[:r.hold]
		for data[p] == ' ' || data[p] == '\t' && r.comma != '\t' {
			p++
		}
		if data[p] != '"' {
			start := p
			for data[p] != r.comma && data[p] != '\n' {
				p++
			}
			r.fields = append(r.fields, bytes.TrimRight(data[start:p], " \t\r"))
		} else {
			field, end, whole := r.quoted(p + 1)
			if !whole {
				// the field goes on in a line not read yet; the fields so far would
				// move with the buffer
				return r.splitAgain()
			}
			r.fields = append(r.fields, field)
			lines += int64(bytes.Count(field, []byte("\n")))
			for p = end; data[p] == ' ' || data[p] == '\r' || data[p] == '\t' && r.comma != '\t'; {
				p++
			}
			if data[p] != r.comma && data[p] != '\n' {
				r.pos = p + bytes.IndexByte(data[p:], '\n') + 1
				r.line += lines
				return &rowError{why: BadQuotes, detail: "text follows a closing quote: a quote inside a quoted field is doubled"}
			}
		}
		if data[p] == '\n' {
			r.pos = p + 1
			r.line += lines
			return nil
		}
		p++
	}
}

// quoted returns the text of the quoted field that begins at p, behind its quote,
// and where it ends. whole is false if its closing quote has not been read yet.
func (r *csvReader) quoted(p int) (field []byte, end int, whole bool) {
	start := len(r.scratch)
	for ; p < r.hold; p++ {
		c := r.buf[p]
		if c == '"' {
			if p+1 == r.hold || r.buf[p+1] != '"' {
				return r.scratch[start:len(r.scratch):len(r.scratch)], p + 1, true
			}
			p++ // a doubled quote is one
		}
		r.scratch = append(r.scratch, c)
	}
	return nil, p, false
}

// splitAgain reads on and splits the row once more from its start.
func (r *csvReader) splitAgain() error {
	if r.hold-r.pos > lineMax {
		return &InputError{File: r.in.path, Line: r.line, Reason: "a quoted field never ends"}
	}
	if err := r.more(); err == io.EOF {
		return &InputError{File: r.in.path, Line: r.line, Reason: "a quoted field never ends"}
	} else if err != nil {
		return err
	}
	r.line--
	return r.split()
}
