// Package history makes a trace of what a queue did: jobs that ended, in any
// order, become a traces.Source in the order of their arrival. It sorts outside
// memory, so a year of jobs takes no more of it than a day.
package history

import (
	"bufio"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"github.com/skynet-ec2/skynet/live/api"
	"github.com/skynet-ec2/skynet/traces"
)

// Options say which jobs become a trace, and how. The zero Options take all that
// were done.
type Options struct {
	From, To  time.Time          // jobs that arrived in [From, To); zero: no bound
	Speeds    map[string]float64 // of a core of an instance type, against the reference core; a type that is not named has 1
	TempDir   string             // where sorted runs wait; "": the system's
	MemoryMax int                // jobs held in memory; default 500 000, at 72 bytes each
}

// A Sorter takes jobs as they come and gives them back as a trace. Close it when
// the trace has been read.
type Sorter struct {
	opt     Options
	names   names
	pending []record
	runs    []run
	jobs    int64
	first   int64 // earliest arrival, Unix ns
	has     columns
	Skipped Skipped
}

// Skipped counts the jobs that a trace cannot hold.
type Skipped struct {
	NotDone int64 // cancelled, dead or quarantined
	Outside int64 // arrived before From, or not before To
}

// columns are the optional ones that some job has a value for.
type columns struct{ estimate, due, bytesIn, bytesOut, tenant bool }

// record is a job as it waits to be sorted.
type record struct {
	Arrival  int64 // Unix ns
	ID       int64
	Service  int64 // ns
	Estimate int64 // ns
	Due      int64 // ns
	BytesIn  int64
	BytesOut int64
	Kind     uint32
	Tenant   uint32
}

const recordBytes = 7*8 + 2*4

// byArrival orders jobs as a trace does; those of one instant as they were
// submitted.
func byArrival(a, b record) int {
	return cmp.Or(cmp.Compare(a.Arrival, b.Arrival), cmp.Compare(a.ID, b.ID))
}

// New returns an empty Sorter.
func New(opt Options) *Sorter {
	if opt.MemoryMax == 0 {
		opt.MemoryMax = 500_000
	}
	return &Sorter{opt: opt, names: newNames()}
}

// Add takes a job.
func (s *Sorter) Add(f api.Finished) error {
	if f.State != api.StateDone {
		s.Skipped.NotDone++
		return nil
	}
	if f.ArrivedAt.Before(s.opt.From) || !s.opt.To.IsZero() && !f.ArrivedAt.Before(s.opt.To) {
		s.Skipped.Outside++
		return nil
	}
	kind, err := s.names.kind(traces.Kind{Type: f.Type, Priority: uint8(f.Priority), Size: traces.SizeBucket(f.BytesIn)})
	if err != nil {
		return err
	}
	r := record{
		Arrival: f.ArrivedAt.UnixNano(), ID: f.ID, Service: s.service(f),
		Estimate: nanoseconds(f.EstimateS), Due: min(f.DueMS, traces.TimeMax/int64(time.Millisecond)) * int64(time.Millisecond),
		BytesIn: f.BytesIn, BytesOut: f.BytesOut, Kind: kind, Tenant: s.names.tenant(f.Tenant),
	}
	s.has.estimate = s.has.estimate || r.Estimate > 0
	s.has.due = s.has.due || r.Due > 0
	s.has.bytesIn = s.has.bytesIn || r.BytesIn > 0
	s.has.bytesOut = s.has.bytesOut || r.BytesOut > 0
	s.has.tenant = s.has.tenant || f.Tenant != ""
	if s.jobs == 0 || r.Arrival < s.first {
		s.first = r.Arrival
	}
	s.jobs++
	s.pending = append(s.pending, r)
	if len(s.pending) < s.opt.MemoryMax {
		return nil
	}
	return s.spill()
}

// service returns how long a job would keep a slot of reference cores, in ns.
func (s *Sorter) service(f api.Finished) int64 {
	held := time.Duration(0)
	if !f.StartedAt.IsZero() {
		held = f.FinishedAt.Sub(f.StartedAt)
	}
	seconds := api.SlotTime(time.Duration(nanoseconds(f.RunS)), held).Seconds()
	if speed, ok := s.opt.Speeds[f.InstanceType]; ok {
		seconds *= speed
	}
	return max(nanoseconds(seconds), 1)
}

// nanoseconds returns s in ns, within what a trace can hold.
func nanoseconds(s float64) int64 {
	if !(s > 0) {
		return 0
	}
	if s >= traces.TimeMax/1e9 {
		return traces.TimeMax
	}
	return int64(s * 1e9)
}

// spill sorts what is in memory and puts it aside, in a file without a name.
func (s *Sorter) spill() error {
	f, err := os.CreateTemp(s.opt.TempDir, "skynet-history-*")
	if err != nil {
		return fmt.Errorf("sort the history: %w", err)
	}
	os.Remove(f.Name()) // it lives until it is closed
	slices.SortFunc(s.pending, byArrival)
	w := bufio.NewWriterSize(f, 1<<16)
	b := make([]byte, 0, recordBytes)
	for _, r := range s.pending {
		if b, err = binary.Append(b[:0], binary.LittleEndian, r); err == nil {
			_, err = w.Write(b)
		}
		if err != nil {
			break
		}
	}
	if err = errors.Join(err, w.Flush()); err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return fmt.Errorf("sort the history: %w", err)
	}
	s.runs = append(s.runs, &fileRun{file: f, r: bufio.NewReaderSize(f, 1<<16)})
	s.pending = s.pending[:0]
	return nil
}

// Trace returns the jobs as a trace. Its instant 0 is From, or the first arrival
// where From is zero. No job may be added after.
func (s *Sorter) Trace() (traces.Source, error) {
	slices.SortFunc(s.pending, byArrival)
	runs := append(slices.Clone(s.runs), &memoryRun{s.pending})
	start := s.opt.From
	if start.IsZero() {
		start = time.Unix(0, s.first)
	}
	t := &trace{sorter: s, start: start.UnixNano()}
	for _, r := range runs {
		if err := t.push(r); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// Jobs returns how many jobs the trace has.
func (s *Sorter) Jobs() int64 { return s.jobs }

// Close removes what waits on disk.
func (s *Sorter) Close() error {
	var errs []error
	for _, r := range s.runs {
		errs = append(errs, r.close())
	}
	return errors.Join(errs...)
}

// names numbers kinds and tenants.
type names struct {
	kinds    []traces.Kind
	kindOf   map[traces.Kind]uint32
	tenants  []string
	tenantOf map[string]uint32
}

func newNames() names {
	return names{kindOf: map[traces.Kind]uint32{}, tenantOf: map[string]uint32{}}
}

func (n *names) kind(k traces.Kind) (uint32, error) {
	i, ok := n.kindOf[k]
	if !ok {
		if len(n.kinds) == traces.KindsMax {
			return 0, fmt.Errorf("the history has more than %d kinds of job (type, priority, size), the most a trace can hold", traces.KindsMax)
		}
		i = uint32(len(n.kinds))
		n.kinds, n.kindOf[k] = append(n.kinds, k), i
	}
	return i, nil
}

func (n *names) tenant(name string) uint32 {
	i, ok := n.tenantOf[name]
	if !ok {
		i = uint32(len(n.tenants))
		n.tenants, n.tenantOf[name] = append(n.tenants, name), i
	}
	return i
}
