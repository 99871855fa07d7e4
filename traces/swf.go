package traces

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"strconv"
	"time"
)

// The Standard Workload Format, version 2.2 (Chapin and others, 1999; Parallel
// Workloads Archive): lines of 18 numbers, comments behind a semicolon, -1
// for what is not known.
//
//	type      the queue: by its name where the file tells it, else by number
//	service   the run time
//	estimate  the time its user asked for
//	tenant    the user
//
// Lines of status 2, 3 and 4 are parts of a job whose whole has a line of its
// own; they are left out. Some archives append columns: MetaCentrum's 20th is
// the queue's name. Where submit times are Unix times and no UnixStartTime
// says so, time 0 becomes the midnight (UTC) before the first job.

// Places of the fields on a line.
const (
	swfSubmit    = 1
	swfRun       = 3
	swfProcs     = 4
	swfAsked     = 7 // processors
	swfEstimate  = 8
	swfStatus    = 10
	swfUser      = 11
	swfQueue     = 14
	swfFields    = 18
	swfNodes     = 18 // MetaCentrum: {node list}
	swfQueueName = 19 // MetaCentrum

	// A job on more processors than any machine has is a mistake.
	swfWidthMax = 1 << 20

	// No log is longer; what counts from 1970 is more. Some run over three years
	// (HPC2N), and so go beyond unixFrom.
	swfSpanMax = 10 * 365 * 24 * int64(time.Hour)
)

// swfDialect is how a format of logs that is laid out as SWF differs from it.
type swfDialect struct {
	name    string
	comment byte
	fields  int    // on a line, at least
	queue   string // stands before the number of a queue that has no name
}

var swfItself = swfDialect{name: "SWF", comment: ';', fields: swfFields, queue: "queue-"}

type swfReader struct {
	swfDialect
	in     *input
	r      *bufio.Reader
	known  facts
	line   int64
	queues map[string][]byte // names by number
	parts  [][]byte          // of a line
	long   []byte
}

func sniffSWF(head []byte) bool {
	head = bytes.TrimLeft(head, "\xef\xbb\xbf \t\r\n")
	if len(head) > 0 && head[0] == ';' {
		return true
	}
	line, _, _ := bytes.Cut(head, []byte("\n"))
	f := bytes.Fields(line)
	if len(f) < swfFields {
		return false
	}
	for _, v := range f[:swfFields] {
		if _, err := parseDecimal(v, 9, true); err != nil {
			return false
		}
	}
	return true
}

func newSWFReader(in *input, dialect swfDialect) *swfReader {
	r := &swfReader{swfDialect: dialect, in: in, r: bufio.NewReaderSize(in.r, textBuffer), queues: map[string][]byte{}}
	r.known.meta = Meta{Name: stem(in.path), Jobs: -1}
	r.known.has = columnSet{optional: [4]bool{true}, tenant: true}
	return r
}

func openSWF(in *input, _ Options) (Source, error) {
	return &rowSource{r: newSWFReader(in, swfItself), in: in, arrival: "submit"}, nil
}

func swfRows(in *input, _ ImportOptions) (rowReader, error) { return newSWFReader(in, swfItself), nil }

func (r *swfReader) facts() *facts   { return &r.known }
func (r *swfReader) position() int64 { return r.line }

func (r *swfReader) read(out *row) error {
	for {
		line, err := r.next()
		if err != nil {
			return err
		}
		if r.line == 1 {
			line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
		}
		line = bytes.TrimSpace(line)
		if len(line) == 0 {
			continue
		}
		if line[0] == r.comment {
			r.remark(line[1:])
			continue
		}
		if err := r.job(line, out); err != nil {
			return err
		}
		return nil
	}
}

// next returns the next line.
func (r *swfReader) next() ([]byte, error) {
	line, err := r.r.ReadSlice('\n')
	r.line++
	if err == bufio.ErrBufferFull {
		r.long = append(r.long[:0], line...)
		for err == bufio.ErrBufferFull {
			if len(r.long) > lineMax {
				return nil, &InputError{
					File: r.in.path, Line: r.line, Reason: fmt.Sprintf("a line is longer than %d bytes: this is not a trace in %s", lineMax, r.name),
				}
			}
			line, err = r.r.ReadSlice('\n')
			r.long = append(r.long, line...)
		}
		line = r.long
	}
	if err == io.EOF && len(line) > 0 {
		return line, nil
	}
	if err != nil && err != io.EOF {
		return nil, r.in.readError(err, r.line)
	}
	return line, err
}

// remark takes from a comment what it says of the trace.
func (r *swfReader) remark(line []byte) {
	key, value, ok := bytes.Cut(line, []byte(":"))
	if !ok {
		return
	}
	value = bytes.TrimSpace(value)
	switch string(bytes.TrimSpace(key)) {
	case "UnixStartTime":
		if v, err := parseDecimal(value, 0, true); err == nil && v > 0 && v < secondsMax {
			r.known.meta.Start = time.Unix(v, 0).UTC()
		}
	case "Queue":
		number, name := value, []byte(nil)
		if i := bytes.IndexAny(value, " \t"); i >= 0 {
			number, name = value[:i], bytes.TrimSpace(value[i:])
		}
		if len(name) > 0 && len(r.queues) < KindsMax && checkName(name) == nil {
			r.queues[string(number)] = bytes.Clone(name)
		}
	}
}

// job reads a line of numbers.
func (r *swfReader) job(line []byte, out *row) error {
	f := r.parts[:0]
	for rest := line; len(rest) > 0; {
		n := bytes.IndexAny(rest, " \t")
		if n < 0 {
			n = len(rest)
		}
		f = append(f, rest[:n])
		rest = bytes.TrimLeft(rest[n:], " \t")
	}
	r.parts = f
	*out = row{}
	if len(f) < r.fields {
		return &rowError{why: FieldCount, detail: fmt.Sprintf("has %d fields; %s has %d", len(f), r.name, r.fields)}
	}
	switch string(f[swfStatus]) {
	case "2", "3", "4":
		return &rowError{
			why: PartialRecord, column: "status", value: string(f[swfStatus]),
			detail: "is part of a job whose whole has a line of its own",
		}
	}
	var err *rowError
	number := func(i int, column string, why Reason) (v int64) {
		if err != nil {
			return 0
		}
		if missing(f[i]) {
			if why != "" {
				err = &rowError{why: why, column: column, value: string(f[i]), detail: "is missing"}
			}
			return 0
		}
		if v, err = parseSeconds(f[i], true); err != nil {
			err.column, err.value = column, string(f[i])
		}
		return v
	}
	out.arrival = number(swfSubmit, "submit", NoArrival)
	out.service = number(swfRun, "run", NoService)
	out.estimate = max(number(swfEstimate, "requested time", ""), 0)
	procs := number(swfProcs, "processors", "")
	if procs <= 0 {
		procs = number(swfAsked, "requested processors", "")
	}
	switch {
	case err != nil:
		return err
	case out.arrival < 0:
		return &rowError{why: OutOfRange, column: "submit", value: string(f[swfSubmit]), detail: "must not be negative"}
	case out.service <= 0:
		return &rowError{why: ServiceNot, column: "run", value: string(f[swfRun]), detail: "must be more than 0"}
	case procs > swfWidthMax*1e9:
		return &rowError{why: OutOfRange, column: "processors", value: string(f[swfProcs]), detail: "must be at most " + strconv.Itoa(swfWidthMax)}
	}
	out.width = uint32(max(procs/1e9, 1))
	if err := r.sameEpoch(out.arrival); err != nil {
		err.column, err.value = "submit", string(f[swfSubmit])
		return err
	}
	return r.names(f, out)
}

// sameEpoch keeps submit times of one kind: Unix times, or times from the log's
// start. The first line decides.
func (r *swfReader) sameEpoch(submit int64) *rowError {
	if !r.known.settled {
		r.known.settled = true
		start := r.known.meta.Start
		r.known.absolute = submit >= unixFrom && (start.IsZero() || submit >= start.UnixNano())
	}
	switch {
	case r.known.absolute && submit < unixFrom:
		return &rowError{why: OutOfRange, detail: "is no Unix time; the first job's is one"}
	case !r.known.absolute && submit >= swfSpanMax:
		return &rowError{why: OutOfRange, detail: "is a Unix time; the first job's counts from the log's start"}
	}
	return nil
}

// names sets the type and the tenant of a job.
func (r *swfReader) names(f [][]byte, out *row) error {
	name := []byte(typeDefault)
	switch number := f[swfQueue]; {
	case len(f) > swfQueueName && len(f[swfNodes]) > 0 && f[swfNodes][0] == '{':
		name = f[swfQueueName]
	case missing(number):
	case r.queues[string(number)] != nil:
		name = r.queues[string(number)]
	default:
		name = append([]byte(r.queue), number...)
	}
	user := f[swfUser]
	if missing(user) {
		user = nil
	}
	for _, text := range [][]byte{name, user} {
		if err := checkName(text); err != nil {
			return err
		}
	}
	var err error
	if out.typeID, err = r.known.kinds.typeID(name); err != nil {
		return &rowError{why: BadType, column: "queue", value: string(name), detail: err.Error()}
	}
	if out.tenant, err = r.known.tenants.id(user); err != nil {
		return &rowError{why: BadType, column: "user", value: string(user), detail: err.Error()}
	}
	return nil
}
