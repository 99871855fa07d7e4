package traces

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy/spell"
)

// Width says what an import makes of a job that held several cores at once.
type Width uint8

const (
	WidthOne      Width = iota // one job: the run time on one core, as if one task stood for all
	WidthExpand                // as many jobs as cores, all at once
	WidthMultiply              // one job with the work of all: run time times cores
)

// ParseWidth returns the Width called name: one, expand or multiply.
func ParseWidth(name string) (Width, error) {
	names := []string{"one", "expand", "multiply"}
	if i := slices.Index(names, name); i >= 0 {
		return Width(i), nil
	}
	return 0, fmt.Errorf("width = %q: must be one of %s%s", name, strings.Join(names, ", "), spell.DidYouMean(name, names))
}

// ImportOptions say how Import reads a file. The zero ImportOptions suit most
// files.
type ImportOptions struct {
	Options

	// Columns says which column of a CSV file holds which of a trace's, in the
	// trace's words: arrival_s, service_s, type, priority, estimate_s,
	// deadline_s, bytes_in, bytes_out, tenant, or start_s and finish_s in the
	// place of service_s. finish_s and service_s in the place of arrival_s say
	// that jobs did not wait: each arrived when it began. "" takes none. Columns that are not mentioned go by
	// their own names; with any mentioned, the file's others are skipped.
	Columns  map[string]string
	TimeUnit time.Duration          // of numbers in columns of time: s, ms, µs or ns; 0: a second
	Dedup    bool                   // keep one of several jobs that agree in everything
	Zone     *time.Location         // of wall-clock times, and of the midnight that becomes time 0; nil: UTC
	Width    Width                  // of parallel jobs
	JobsMax  int64                  // more than these are an error; 0: 150 million, at 18 bytes a job and more
	Progress func(rows int64) error // called now and then with the rows read so far; its error ends the import
}

// Dropped counts the rows that an import left out for one reason.
type Dropped struct {
	Reason Reason
	Rows   int64
	First  int64  // line, or row, of the first, from 1; 0: not told, of duplicates
	Column string // where it was wrong, as the file calls it; "": as a whole
	Value  string // what stood there
	Detail string // what is allowed there
}

// String returns d as a summary tells it.
func (d Dropped) String() string {
	text := fmt.Sprintf("%s %d", d.Reason, d.Rows)
	if d.First > 0 {
		text += fmt.Sprintf(", first at line %d", d.First)
	}
	if d.Column != "" {
		text += fmt.Sprintf(": %s = %s", d.Column, shown(d.Value))
	}
	return text
}

// Summary is what an import did: Kept jobs are the rows Read and what these were
// Expanded by, less those Dropped.
type Summary struct {
	File       string
	Read       int64     // rows in the file, header and comments aside
	Kept       int64     // jobs
	Dropped    []Dropped // in the order of Reason's list
	OutOfOrder int64     // rows that arrived before one ahead of them; sorted
	Duplicates int64     // jobs that agree in everything with another of the same instant
	Deduped    bool      // duplicates were dropped
	Expanded   int64     // jobs that parallel rows became beyond the first
}

// String returns the summary in one line.
func (s *Summary) String() string {
	var b strings.Builder
	dropped := int64(0)
	var why []string
	for _, d := range s.Dropped {
		dropped += d.Rows
		why = append(why, d.String())
	}
	fmt.Fprintf(&b, "%s: read %d, kept %d, dropped %d", s.File, s.Read, s.Kept, dropped)
	if len(why) > 0 {
		fmt.Fprintf(&b, " (%s)", strings.Join(why, "; "))
	}
	fmt.Fprintf(&b, ", out of order %d, duplicates %d", s.OutOfOrder, s.Duplicates)
	if s.Duplicates > 0 && !s.Deduped {
		b.WriteString(" (kept)")
	}
	if s.Expanded > 0 {
		fmt.Fprintf(&b, ", parallel jobs expanded by %d", s.Expanded)
	}
	return b.String()
}

// errTooMany is the cause of an import that would not fit in memory.
var errTooMany = errors.New("too many jobs")

// Import returns the jobs of a file in any format that Open reads, read
// leniently: rows that no simulation should see are dropped and counted,
// arrivals are sorted (those of one instant keep their order), numbers are
// rounded to the nanosecond, and missing types and priorities become "job"
// and 0. Arrivals that count from 1970, or in CSV are dates, are counted from
// the midnight before the first, on the clock of opt.Zone. The whole trace is
// held in memory. A file whose rows are all bad is an error.
func Import(path string, opt ImportOptions) (Source, *Summary, error) {
	in, err := openInput(path, opt.Options)
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	return importFrom(in, opt)
}

// ImportFrom imports what r gives, as Import does a file called name. An error of
// r's is wrapped.
func ImportFrom(name string, r io.Reader, opt ImportOptions) (Source, *Summary, error) {
	in, err := newInput(name, r)
	if err != nil {
		return nil, nil, err
	}
	defer in.Close()
	return importFrom(in, opt)
}

func importFrom(in *input, opt ImportOptions) (Source, *Summary, error) {
	if len(opt.Columns) > 0 && opt.Format == "" && sniffed(in) == nil {
		opt.Format = "csv" // what a database wrote needs no name that tells
	}
	f, err := detect(in, opt.Options)
	if err != nil {
		return nil, nil, err
	}
	if len(opt.Columns) > 0 && f.name != "csv" {
		return nil, nil, &InputError{File: in.path, Reason: "is read as " + f.name + ", whose columns have one meaning: a mapping of columns is for CSV", Fix: "if it is CSV, say --format csv"}
	}
	r, err := f.rows(in, opt)
	if err != nil {
		return nil, nil, err
	}
	if opt.JobsMax == 0 {
		opt.JobsMax = 150_000_000
	}
	im := importer{in: in, opt: opt, r: r, known: r.facts(), sum: Summary{File: in.path, Deduped: opt.Dedup}}
	if err := im.readAll(); err != nil {
		return nil, &im.sum, err
	}
	if im.sum.Kept == 0 {
		e := &InputError{File: in.path, Reason: "holds no usable job"}
		if im.sum.Read > 0 {
			e.Reason += " (" + strings.TrimPrefix(im.sum.String(), in.path+": ") + ")"
			most := slices.MaxFunc(im.sum.Dropped, func(a, b Dropped) int { return cmp.Compare(a.Rows, b.Rows) })
			e.Fix = strings.TrimSpace(most.Column + " " + most.Detail)
		}
		return nil, &im.sum, e
	}
	im.rebase()
	im.sort()
	im.duplicates()
	m := im.known.meta
	m.Jobs = int64(im.jobs.Len())
	m.Span = time.Duration(im.jobs.Arrival[im.jobs.Len()-1])
	return &held{jobs: im.jobs, meta: m}, &im.sum, nil
}

type importer struct {
	in    *input
	opt   ImportOptions
	r     rowReader
	known *facts
	sum   Summary
	jobs  Batch
	parts []uint64 // of which part of a parallel row each job is, and of how many; nil unless rows are expanded
}

// readAll reads every row and keeps the good ones.
func (im *importer) readAll() error {
	counts := map[Reason]*Dropped{}
	latest := int64(-1 << 63)
	var in row
	for {
		err := im.r.read(&in)
		if err == io.EOF {
			break
		}
		if im.sum.Read++; im.opt.Progress != nil && im.sum.Read%(1<<16) == 0 {
			if err := im.opt.Progress(im.sum.Read); err != nil {
				return err
			}
		}
		if err == nil {
			err = im.add(&in)
		}
		if bad, ok := err.(*rowError); ok {
			d := counts[bad.why]
			if d == nil {
				d = &Dropped{Reason: bad.why, First: im.r.position(), Column: bad.column, Value: bad.value, Detail: bad.detail}
				counts[bad.why] = d
			}
			d.Rows++
			continue
		}
		if err != nil {
			return err
		}
		if in.arrival < latest {
			im.sum.OutOfOrder++
		}
		latest = max(latest, in.arrival)
	}
	for _, why := range reasons {
		if d := counts[why]; d != nil {
			im.sum.Dropped = append(im.sum.Dropped, *d)
		}
	}
	im.jobs.Kinds, im.jobs.Tenants = im.known.kinds.kinds, im.known.tenants.names
	im.sum.Kept = int64(im.jobs.Len())
	return nil
}

// add keeps a row as one job or several.
func (im *importer) add(in *row) error {
	copies := 1
	if in.width > 1 {
		switch im.opt.Width {
		case WidthExpand:
			copies = int(in.width)
		case WidthMultiply:
			if in.service > TimeMax/int64(in.width) {
				return &rowError{why: OutOfRange, column: "run", value: formatSeconds(in.service), detail: "must be less for so many processors"}
			}
			in.service *= int64(in.width)
			in.estimate = min(in.estimate, TimeMax/int64(in.width)) * int64(in.width)
		}
	}
	if int64(im.jobs.Len())+int64(copies) > im.opt.JobsMax {
		return &InputError{
			File: im.in.path, Line: im.r.position(), Err: errTooMany,
			Reason: fmt.Sprintf("makes more than %d jobs, the most an import holds", im.opt.JobsMax),
		}
	}
	for part := range copies {
		if err := in.append(&im.jobs, &im.known.kinds, &im.known.has); err != nil {
			return err
		}
		if im.opt.Width == WidthExpand {
			im.parts = append(im.parts, uint64(copies)<<32|uint64(part))
		}
	}
	im.sum.Expanded += int64(copies - 1)
	return nil
}

// rebase makes the midnight before the first job time 0 of a file that counts
// from 1970.
func (im *importer) rebase() {
	if !im.known.absolute {
		return
	}
	zone := im.opt.Zone
	if zone == nil {
		zone = time.UTC
	}
	base := midnight(slices.Min(im.jobs.Arrival), zone)
	for i := range im.jobs.Arrival {
		im.jobs.Arrival[i] -= base
	}
	im.known.meta.Start = time.Unix(0, base).UTC()
}

// sort sorts the jobs by arrival; equals keep their order.
func (im *importer) sort() {
	b := &im.jobs
	if slices.IsSorted(b.Arrival) {
		return
	}
	order := make([]timedJob, b.Len())
	for i, at := range b.Arrival {
		order[i] = timedJob{at: at, service: b.Service[i], kind: b.Kind[i], from: uint32(i)}
	}
	sortStable(order)
	for i, j := range order {
		b.Arrival[i], b.Service[i], b.Kind[i] = j.at, j.service, j.kind
	}
	for _, col := range b.optional() {
		if len(*col) > 0 {
			sorted := make([]int64, len(order))
			for i, j := range order {
				sorted[i] = (*col)[j.from]
			}
			*col = sorted
		}
	}
	if len(b.Tenant) > 0 {
		sorted := make([]uint32, len(order))
		for i, j := range order {
			sorted[i] = b.Tenant[j.from]
		}
		b.Tenant = sorted
	}
	if im.parts != nil {
		sorted := make([]uint64, len(order))
		for i, j := range order {
			sorted[i] = im.parts[j.from]
		}
		im.parts = sorted
	}
}

// jobKey is everything a job is, its arrival aside.
type jobKey struct {
	service int64
	rest    [4]int64
	part    uint64
	tenant  uint32
	kind    uint16
}

// duplicates counts jobs that agree with an earlier one of the same instant,
// and removes them if asked to. Jobs that one parallel row became are no
// duplicates of each other.
func (im *importer) duplicates() {
	b := &im.jobs
	optional := b.optional()
	key := func(i int) (k jobKey) {
		k.service, k.kind = b.Service[i], b.Kind[i]
		for c, col := range optional {
			if len(*col) > 0 {
				k.rest[c] = (*col)[i]
			}
		}
		if len(b.Tenant) > 0 {
			k.tenant = b.Tenant[i]
		}
		if im.parts != nil {
			k.part = im.parts[i]
		}
		return k
	}
	seen := map[jobKey]bool{}
	kept := 0
	for i, n := 0, b.Len(); i < n; {
		end := i + 1
		for end < n && b.Arrival[end] == b.Arrival[i] {
			end++
		}
		clear(seen)
		for ; i < end; i++ {
			if end-i > 1 || len(seen) > 0 {
				k := key(i)
				if seen[k] {
					im.sum.Duplicates++
					if im.opt.Dedup {
						continue
					}
				}
				seen[k] = true
			}
			if kept < i {
				b.move(kept, i)
				if im.parts != nil {
					im.parts[kept] = im.parts[i]
				}
			}
			kept++
		}
	}
	im.jobs = b.slice(0, kept)
	if gone := im.sum.Kept - int64(kept); gone > 0 {
		im.sum.Dropped = append(im.sum.Dropped, Dropped{Reason: Duplicate, Rows: gone})
	}
	im.sum.Kept = int64(kept)
}

// move makes job i a copy of job j.
func (b *Batch) move(i, j int) {
	b.Arrival[i], b.Service[i], b.Kind[i] = b.Arrival[j], b.Service[j], b.Kind[j]
	for _, col := range b.optional() {
		if len(*col) > 0 {
			(*col)[i] = (*col)[j]
		}
	}
	if len(b.Tenant) > 0 {
		b.Tenant[i] = b.Tenant[j]
	}
}

// held is a Source over jobs in memory.
type held struct {
	jobs Batch
	meta Meta
	at   int
}

func (h *held) Next(b *Batch) error {
	if h.at == h.jobs.Len() {
		return io.EOF
	}
	n := min(h.jobs.Len()-h.at, batchLen)
	*b = h.jobs.slice(h.at, h.at+n)
	h.at += n
	return nil
}

func (h *held) Meta() Meta   { return h.meta }
func (h *held) Close() error { return nil }
