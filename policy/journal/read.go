package journal

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// LineMax is how long a line may be, in bytes: ten thousand instances and a
// thousand kinds of jobs fit three times.
const LineMax = 16 << 20

// Source is one file of a journal.
type Source struct {
	Name string // for messages
	// Open returns the file's text, decompressed. A text that ends too early
	// because its compressed file does returns io.ErrUnexpectedEOF.
	Open func() (io.ReadCloser, error)
}

// Error is a journal that cannot be understood.
type Error struct {
	File string
	Line int // 0: the file as a whole
	Err  error
}

func (e *Error) Error() string {
	if e.Line == 0 {
		return fmt.Sprintf("%s: %v", e.File, e.Err)
	}
	return fmt.Sprintf("%s:%d: %v", e.File, e.Line, e.Err)
}

func (e *Error) Unwrap() error { return e.Err }

// BadInput marks the error as the user's.
func (e *Error) BadInput() bool { return true }

// ErrTorn is the cause of the error about a journal whose last line is not
// whole.
var ErrTorn = errors.New("the journal was cut off in this line: its writer died, or is still writing")

// Torn says where a file ends without the end of its last line.
type Torn struct {
	File string
	Line int
	// Kept: the line was whole but for its end or its outcome, and was read.
	Kept bool
}

// Reader reads a journal of one or several files, in the order of time. Where
// one begins, its header does. It never panics, and holds one line at a time.
type Reader struct {
	// Tear accepts that the last line of a file is not whole, and notes it in
	// Torn, and that a file, or what follows a header, begins with any decision:
	// one that a crash cut off is made again.
	Tear bool
	Torn []Torn
	// Skip, if set, is asked before the rest of a decision's line is read: where
	// it returns true, the line is passed over, which costs a tenth.
	Skip func(id int64, at time.Time) bool

	sources []Source
	at      int // the source that is open, or the next
	file    io.ReadCloser
	in      *bufio.Reader
	number  int // of the line
	line    []byte
	ended   bool // the line ends without a line feed

	header *Header
	next   int64     // the number that the next decision must have; -1: any
	last   time.Time // of the last decision
	anew   bool      // the header of a live journal came, and nothing after it
	state  State
	record Record
	codec  codec
}

// NewReader returns a Reader of the sources in their order. The caller closes
// it.
func NewReader(sources ...Source) *Reader { return &Reader{sources: sources, next: -1} }

// Header returns the header that holds for what Next returned last, nil before
// the first.
func (r *Reader) Header() *Header { return r.header }

// Position returns the file and line that Next returned last.
func (r *Reader) Position() (file string, line int) {
	if len(r.sources) == 0 {
		return "", 0
	}
	return r.sources[min(r.at, len(r.sources)-1)].Name, r.number
}

// Next returns the next line: a *Header, a *State or a *Record, valid until the
// next call. At the end of the last file it returns io.EOF. Its other errors are
// of type *Error, or those of Source.Open and of reading.
func (r *Reader) Next() (any, error) {
	for {
		if r.file == nil {
			if r.at == len(r.sources) {
				return nil, io.EOF
			}
			f, err := r.sources[r.at].Open()
			if err != nil {
				return nil, err
			}
			r.file, r.number, r.header = f, 0, nil
			if r.in == nil {
				r.in = bufio.NewReaderSize(f, 64<<10)
			} else {
				r.in.Reset(f)
			}
		}
		err := r.readLine()
		switch {
		case err == io.EOF:
			if r.header == nil {
				return nil, r.wrong(errors.New("there is no header: it is empty, or no journal"))
			}
			if err := r.closeFile(); err != nil {
				return nil, err
			}
			r.at++
			continue
		case err != nil:
			return nil, err
		}
		line, err := r.parse()
		if r.ended && (err != nil || line == nil) {
			if !r.Tear || r.header == nil {
				return nil, r.wrong(ErrTorn)
			}
			continue
		}
		if err != nil {
			return nil, r.wrong(err)
		}
		if line != nil {
			if r.ended {
				r.Torn[len(r.Torn)-1].Kept = true
			}
			return line, nil
		}
	}
}

// Close closes the file that is open.
func (r *Reader) Close() error { return r.closeFile() }

func (r *Reader) closeFile() error {
	if r.file == nil {
		return nil
	}
	err := r.file.Close()
	r.file = nil
	return err
}

// Again returns a Reader that begins where this one did, with the same settings
// but for Skip.
func (r *Reader) Again() *Reader {
	again := NewReader(r.sources...)
	again.Tear = r.Tear
	return again
}

func (r *Reader) wrong(err error) error {
	return &Error{File: r.sources[r.at].Name, Line: r.number, Err: err}
}

// readLine reads the next line into r.line, without its line feed. A last line
// without one is ended.
func (r *Reader) readLine() error {
	r.line, r.ended = r.line[:0], false
	for {
		part, err := r.in.ReadSlice('\n')
		if len(r.line)+len(part) > LineMax {
			r.number++
			return r.wrong(fmt.Errorf("the line is longer than %d MiB: this is no journal", LineMax>>20))
		}
		r.line = append(r.line, part...)
		switch {
		case err == nil:
			r.number++
			r.line = r.line[:len(r.line)-1]
			return nil
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && len(r.line) == 0:
			return io.EOF
		case errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF):
			r.number++
			r.ended = true
			if !r.Tear {
				return r.wrong(ErrTorn)
			}
			r.in.Reset(strings.NewReader("")) // nothing comes after it
			r.Torn = append(r.Torn, Torn{File: r.sources[r.at].Name, Line: r.number})
			return nil
		}
		r.number++
		return r.wrong(fmt.Errorf("read: %w", err))
	}
}

// parse returns what the line is: nil for one that is skipped, or torn off too
// early to be anything.
func (r *Reader) parse() (any, error) {
	begins := func(key string) bool { return bytes.HasPrefix(r.line, []byte(key)) }
	switch {
	case begins(`{"version":`):
		return r.parseHeader()
	case r.header == nil:
		return nil, errors.New("a journal begins with a header, {\"version\":1, …}: this is none")
	case begins(`{"before":`):
		return r.parseState()
	case begins(`{"id":`):
		return r.parseRecord()
	case r.ended:
		return nil, nil
	}
	return nil, fmt.Errorf("begins with %.24q: a line is a header, a state or a decision", r.line)
}

func (r *Reader) parseHeader() (any, error) {
	var format struct {
		Version int `json:"version"`
	}
	if err := json.Unmarshal(r.line, &format); err == nil && format.Version != Format {
		h := Header{Format: format.Version}
		return nil, h.validate() // another format may have other fields
	}
	var h Header
	if err := strictly(r.line, &h); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	if err := h.validate(); err != nil {
		return nil, fmt.Errorf("header: %w", err)
	}
	r.header, r.anew = &h, h.World == Live
	if r.Tear {
		r.next = -1
	}
	return &h, nil
}

func (r *Reader) parseState() (any, error) {
	r.state = State{}
	if err := strictly(r.line, &r.state); err != nil {
		return nil, fmt.Errorf("state: %w", err)
	}
	return &r.state, r.follows(r.state.Before, r.state.At, false)
}

// follows checks the number of a decision: one after the other, from any on. A
// controller that could not save what it decided, or died before, has its
// successor begin again with earlier numbers.
func (r *Reader) follows(id int64, at time.Time, decided bool) error {
	again := r.anew && id < r.next && at.After(r.last)
	switch {
	case id < 0:
		return fmt.Errorf("decision #%d: must not be negative", id)
	case r.next >= 0 && id != r.next && !again:
		return fmt.Errorf("decision #%d: must be #%d, the one after the last: lines, or a file, are missing or out of order", id, r.next)
	}
	r.next, r.anew = id, false
	if decided {
		r.next++
		r.last = at
	}
	return nil
}

func (r *Reader) parseRecord() (any, error) {
	rec := &r.record
	if r.Skip != nil {
		if id, at, ok := r.stamp(); ok && r.Skip(id, at) {
			return nil, r.follows(id, at, true)
		}
	}
	text := string(r.line)
	if !r.parseOwn(rec, text) {
		if r.ended {
			text += "}" // perhaps only its outcome is missing
			if !r.parseOwn(rec, text) {
				return nil, nil
			}
		} else if err := r.parseAny(rec, text); err != nil {
			return nil, err
		}
	}
	if !rec.At.Equal(rec.Observation.Now) {
		return nil, fmt.Errorf("decision #%d: at %v, but its observation is of %v", rec.ID, rec.At, rec.Observation.Now)
	}
	return rec, r.follows(rec.ID, rec.At, true)
}

// stamp reads no more of a decision's line than its number and time.
func (r *Reader) stamp() (id int64, at time.Time, ok bool) {
	const most = 96 // both fit
	c := &r.codec
	c.readFrom(string(r.line[:min(len(r.line), most)]))
	c.lit("{")
	c.first = true
	integer(c, `"id":`, &id)
	c.instant(`"at":`, &at)
	return id, at, !c.bad
}

// parseOwn reads a line as this package writes it, and reports whether it is
// one.
func (r *Reader) parseOwn(rec *Record, text string) bool {
	c := &r.codec
	c.readFrom(text)
	c.object(func() {
		integer(c, `"id":`, &rec.ID)
		c.instant(`"at":`, &rec.At)
		c.key(`"observation":`)
		c.observation(&rec.Observation)
		c.key(`"decision":`)
		rec.Decision = c.span()
		rec.Guard = nil
		if c.maybe(`"guard":`, true) {
			rec.Guard = &policy.Guard{}
			if strictly([]byte(c.span()), rec.Guard) != nil {
				c.bad = true
			}
		}
		rec.Removed = Removed{}
		if c.maybe(`"removed":`, true) {
			c.object(func() {
				integerIf(c, `"launches":`, &rec.Removed.Launches)
				integerIf(c, `"drains":`, &rec.Removed.Drains)
			})
		}
		c.text(`"state_hash":`, &rec.StateHash)
		rec.Outcome = nil
		if c.maybe(`"outcome":`, true) {
			var out Outcome
			if strictly([]byte(c.span()), &out) != nil {
				c.bad = true
			}
			rec.Outcome = &out
		}
	})
	return !c.bad && c.in == ""
}

// parseAny reads any JSON that says the same.
func (r *Reader) parseAny(rec *Record, text string) error {
	var j recordJSON
	if err := strictly([]byte(text), &j); err != nil {
		return fmt.Errorf("decision: %w", err)
	}
	if j.ID == nil || j.Decision == nil || j.StateHash == "" {
		return errors.New("decision: id, decision or state_hash is missing")
	}
	*rec = Record{
		ID: *j.ID, At: j.At, Observation: j.Observation, Decision: string(j.Decision),
		Guard: j.Guard, Removed: j.Removed, StateHash: j.StateHash, Outcome: j.Outcome,
	}
	return nil
}

// span reads an object, whatever is in it, and returns its text.
func (c *codec) span() string {
	depth, quoted := 0, false
	for i := 0; i < len(c.in); i++ {
		switch b := c.in[i]; {
		case quoted && b == '\\':
			i++
		case b == '"':
			quoted = !quoted
		case quoted:
		case b == '{':
			depth++
		case depth == 0: // no object
			c.bad = true
			return ""
		case b == '}':
			if depth--; depth == 0 {
				text := c.in[:i+1]
				c.in = c.in[i+1:]
				return text
			}
		}
	}
	c.bad = true
	return ""
}

// strictly decodes one JSON value without unknown fields and nothing after it.
func strictly(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return errors.New("the line ends within its JSON")
		}
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the JSON")
	}
	return nil
}
