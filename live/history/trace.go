package history

import (
	"bufio"
	"encoding/binary"
	"io"
	"os"
	"time"

	"github.com/skynet-ec2/skynet/traces"
)

// A run yields records in order, then io.EOF.
type run interface {
	next() (record, error)
	close() error
}

type memoryRun struct{ left []record }

func (m *memoryRun) next() (record, error) {
	if len(m.left) == 0 {
		return record{}, io.EOF
	}
	r := m.left[0]
	m.left = m.left[1:]
	return r, nil
}

func (m *memoryRun) close() error { return nil }

type fileRun struct {
	file *os.File
	r    *bufio.Reader
	b    [recordBytes]byte
}

func (f *fileRun) next() (r record, err error) {
	if _, err = io.ReadFull(f.r, f.b[:]); err != nil {
		return r, err
	}
	_, err = binary.Decode(f.b[:], binary.LittleEndian, &r)
	return r, err
}

func (f *fileRun) close() error { return f.file.Close() }

// trace merges runs. Its heads stand in order; with a run for each half million
// jobs there are few of them.
type trace struct {
	sorter *Sorter
	start  int64 // Unix ns of instant 0
	heads  []head
	read   int64
	last   int64
}

// head is the next record of a run.
type head struct {
	record
	rest run
}

// push reads the next record of a run and files it among the heads.
func (t *trace) push(r run) error {
	next, err := r.next()
	if err == io.EOF {
		return nil
	}
	if err != nil {
		return err
	}
	at := len(t.heads)
	for at > 0 && byArrival(next, t.heads[at-1].record) > 0 {
		at-- // the first to go stands last
	}
	t.heads = append(t.heads, head{})
	copy(t.heads[at+1:], t.heads[at:])
	t.heads[at] = head{next, r}
	return nil
}

// batchJobs is how many jobs a batch holds.
const batchJobs = 4096

// Next is of traces.Source.
func (t *trace) Next(b *traces.Batch) error {
	if len(t.heads) == 0 {
		return io.EOF
	}
	has := t.sorter.has
	*b = traces.Batch{
		First: t.read, Kinds: t.sorter.names.kinds,
		Arrival: b.Arrival[:0], Service: b.Service[:0], Kind: b.Kind[:0],
		Estimate: b.Estimate[:0], Deadline: b.Deadline[:0], BytesIn: b.BytesIn[:0], BytesOut: b.BytesOut[:0], Tenant: b.Tenant[:0],
	}
	if has.tenant {
		b.Tenants = t.sorter.names.tenants
	}
	for len(t.heads) > 0 && len(b.Arrival) < batchJobs {
		first := t.heads[len(t.heads)-1]
		t.heads = t.heads[:len(t.heads)-1]
		t.last = first.Arrival - t.start
		b.Arrival = append(b.Arrival, t.last)
		b.Service = append(b.Service, first.Service)
		b.Kind = append(b.Kind, uint16(first.Kind))
		b.Estimate = optional(b.Estimate, first.Estimate, has.estimate)
		b.Deadline = optional(b.Deadline, first.Due, has.due)
		b.BytesIn = optional(b.BytesIn, first.BytesIn, has.bytesIn)
		b.BytesOut = optional(b.BytesOut, first.BytesOut, has.bytesOut)
		b.Tenant = optional(b.Tenant, first.Tenant, has.tenant)
		if err := t.push(first.rest); err != nil {
			return err
		}
	}
	t.read += int64(len(b.Arrival))
	return nil
}

// optional appends v to a column that the trace has, and returns nil for one it
// has not.
func optional[T any](column []T, v T, has bool) []T {
	if !has {
		return nil
	}
	return append(column, v)
}

// Meta is of traces.Source.
func (t *trace) Meta() traces.Meta {
	return traces.Meta{
		Name: "history of a queue", Start: time.Unix(0, t.start).UTC(), Jobs: t.sorter.jobs, Span: time.Duration(t.last),
		ReferenceSpeed: 1, Origin: "skynet queue",
	}
}

// Close is of traces.Source; the files are the Sorter's.
func (t *trace) Close() error { return nil }
