package traces

import (
	"bytes"
	"context"
	"io"
	"path/filepath"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy/spell"
)

// Options say how Open and Import read a file. The zero Options suit a file
// that SkyNet wrote.
type Options struct {
	Format        string // name of the format; "" looks at the file's name and first bytes
	IgnoreColumns bool   // skip columns that a trace does not have
	// Context ends the opening and reading of a pipe, which waits for whoever writes
	// to it; nil: nothing does. A regular file is never waited for.
	Context context.Context
}

// A format is one kind of file that Open reads. Each stands in a file of its
// own; a new one adds a line to formats.
type format struct {
	name       string
	extensions []string
	// sniff reports whether a file that begins with head (decompressed) is of
	// this format.
	sniff func(head []byte) bool
	// open returns a strict Source over in and takes ownership of it, unless
	// it fails.
	open func(in *input, opt Options) (Source, error)
	// rows returns a lenient reader over in, for Import.
	rows func(in *input, opt ImportOptions) (rowReader, error)
}

// formats lists every format; the first whose sniff agrees reads a file of
// unknown extension.
var formats = []format{
	{name: "parquet", extensions: []string{".parquet"}, sniff: sniffParquet, open: openParquet, rows: parquetRows},
	{name: "gwf", extensions: []string{".gwf"}, sniff: sniffGWF, open: openGWF, rows: gwfRows},
	{name: "swf", extensions: []string{".swf"}, sniff: sniffSWF, open: openSWF, rows: swfRows},
	{name: "csv", extensions: []string{".csv", ".tsv"}, sniff: sniffCSV, open: openCSV, rows: csvRows},
}

func sniffCSV(head []byte) bool {
	line, _, _ := bytes.Cut(head, []byte("\n"))
	return bytes.Contains(line, []byte("arrival_s"))
}

// Open returns the trace in a file, to be read strictly: a job that no
// simulation should see (NaN, a negative time, no service, out of order) is
// an *InputError that names file, line, column and value. The format follows
// from opt, or from the file's extension (.csv, .tsv, .swf and .gwf, also with
// .gz or .zst, and .parquet), or from its first bytes.
func Open(path string, opt Options) (Source, error) {
	in, err := openInput(path, opt)
	if err != nil {
		return nil, err
	}
	src, err := openAs(in, opt)
	if err != nil {
		in.Close()
		return nil, err
	}
	return src, nil
}

func openAs(in *input, opt Options) (Source, error) {
	f, err := detect(in, opt)
	if err != nil {
		return nil, err
	}
	return f.open(in, opt)
}

// detect returns the format of in.
func detect(in *input, opt Options) (*format, error) {
	var names []string
	for i := range formats {
		if formats[i].name == opt.Format {
			return &formats[i], nil
		}
		names = append(names, formats[i].name)
	}
	if opt.Format != "" {
		return nil, &InputError{
			File: in.path, Reason: "unknown format " + shown(opt.Format) + spell.DidYouMean(opt.Format, names),
			Fix: "known formats: " + strings.Join(names, ", "),
		}
	}
	if f := sniffed(in); f != nil {
		if other := begins(in.head); other != nil && other != f && !f.sniff(in.head) {
			return nil, &InputError{
				File: in.path, Reason: "is called as if it were " + f.name + ", and begins as " + other.name + " does",
				Fix: "rename it, or say --format " + other.name + " (in a scenario: trace.format)",
			}
		}
		return f, nil
	}
	if in.pipe && len(in.head) == 0 {
		return nil, &InputError{
			File: in.path, Reason: "is a pipe, and what was in it has been read: a simulation reads its trace more than once", Fix: "write it to a file first",
		}
	}
	return nil, &InputError{
		File: in.path, Reason: "neither its name nor its first bytes tell its format",
		Fix: "say which with --format of skynet trace, or trace.format of a scenario: " + strings.Join(names, ", "),
	}
}

// sniffed returns the format that the name or the first bytes of in tell, or
// nil.
func sniffed(in *input) *format {
	base := strings.ToLower(filepath.Base(in.path))
	base = strings.TrimSuffix(strings.TrimSuffix(base, ".gz"), ".zst")
	for i := range formats {
		for _, ext := range formats[i].extensions {
			if strings.HasSuffix(base, ext) {
				return &formats[i]
			}
		}
	}
	return begins(in.head)
}

// begins returns the format that the first bytes of a file tell, or nil.
func begins(head []byte) *format {
	for i := range formats {
		if formats[i].sniff(head) {
			return &formats[i]
		}
	}
	return nil
}

// rowReader reads a foreign file for an import, row by row.
type rowReader interface {
	// read reads the next row into out. A *rowError concerns that row alone:
	// reading may go on. Other errors end the file, io.EOF when it is whole.
	read(out *row) error
	// facts returns what the file says besides its rows. Its dictionaries grow
	// as rows are read; the rest is final once the first row was read.
	facts() *facts
	// position returns the line, or row, read last, from 1.
	position() int64
}

// facts is what a file says besides its rows.
type facts struct {
	kinds    kindSet   // what typeID and the kinds made of it mean
	tenants  tenantSet // what tenant means
	has      columnSet
	meta     Meta
	absolute bool // arrivals count from 1970, UTC
	settled  bool // whether they do is known: a row has told
}

// sameEpoch keeps the arrivals of an import of one kind: counted from the
// trace's start, or from 1970. The first row decides.
func (f *facts) sameEpoch(arrival int64) *rowError {
	absolute := arrival >= unixFrom
	if !f.settled {
		f.settled, f.absolute = true, absolute
	}
	if absolute == f.absolute {
		return nil
	}
	if absolute {
		return &rowError{why: OutOfRange, detail: "is a date; the first row counts from the trace's start"}
	}
	return &rowError{why: OutOfRange, detail: "is no date; the first row has one"}
}

// rowSource is a rowReader as a strict Source: the first row that is wrong,
// or arrives before the one ahead, ends it.
type rowSource struct {
	r       rowReader
	in      *input
	arrival string // what the format calls the column of arrivals
	base    int64  // ns from 1970 to time 0, if the file counts from 1970
	last    int64
	begun   bool
	job     row
	out     Batch
	err     error
}

func (s *rowSource) Next(b *Batch) error {
	if s.err != nil {
		return s.err
	}
	first := s.out.First + int64(s.out.Len())
	s.out.reset()
	s.out.First = first
	f := s.r.facts()
	in := &s.job
	for s.out.Len() < batchLen && s.err == nil {
		err := s.r.read(in)
		if err == nil && !s.begun {
			s.begun = true
			if f.absolute {
				s.base = midnight(in.arrival, time.UTC)
				f.meta.Start = time.Unix(0, s.base).UTC()
			}
		}
		in.arrival -= s.base
		if err == nil && in.arrival < s.last {
			err = &rowError{
				column: s.arrival, value: formatSeconds(in.arrival + s.base),
				detail: "arrives before the job ahead of it (" + formatSeconds(s.last+s.base) + ")",
			}
		}
		if err == nil {
			s.last = in.arrival
			err = in.append(&s.out, &f.kinds, &f.has)
		}
		if bad, ok := err.(*rowError); ok {
			err = bad.at(s.in.path, s.r.position())
		}
		s.err = err
	}
	if s.err != nil && (s.err != io.EOF || s.out.Len() == 0) {
		return s.err
	}
	s.out.Kinds, s.out.Tenants = f.kinds.kinds, f.tenants.names
	*b = s.out
	return nil
}

func (s *rowSource) Meta() Meta {
	m := s.r.facts().meta
	if m.Jobs = -1; s.err == io.EOF && s.out.Len() == 0 {
		m.Jobs, m.Span = s.out.First, time.Duration(s.last)
	}
	return m
}

func (s *rowSource) Close() error { return s.in.Close() }

// midnight returns the start of the day, on the clock of a place, in which
// an instant lies; both count in ns from 1970, UTC.
func midnight(at int64, place *time.Location) int64 {
	t := time.Unix(0, at).In(place)
	start := time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, place).UnixNano()
	if start > at {
		// clocks are set back over midnight, and this is the second one of that day
		_, ahead := t.Zone()
		const day = int64(24 * time.Hour)
		start = at - (at+int64(ahead)*int64(time.Second))%day
	}
	return start
}
