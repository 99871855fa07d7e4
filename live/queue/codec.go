package queue

import (
	"bytes"
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/skynet-ec2/skynet/policy/dispatch"
	"github.com/skynet-ec2/skynet/policy/packed"
)

// The packed forms, for stores that keep a job or a hand-out as one value:
// variable-length integers and strings with their lengths, in the order of the
// fields. The first byte is the version.
const (
	jobVersion    = 1
	leasesVersion = 2 // 1: of one worker
)

// AppendJob appends the packed form of a job to b.
func AppendJob(b []byte, j *Job) []byte {
	p := packed.Writer{B: append(b, jobVersion)}
	p.Ints(j.ID, int64(j.Priority), j.RunAt, int64(j.Estimate), int64(j.MaxRun), int64(j.AttemptsMax),
		int64(j.State), int64(j.Token), int64(j.Attempts), int64(j.Failures), int64(j.Losses), j.Due,
		bit(j.Cancelling)|bit(j.Cold)<<1, int64(j.EndedBy), j.Created, j.Promise, j.BytesIn)
	p.Strings(j.Type, j.Tenant, j.IdempotencyKey, j.ConcurrencyKey, j.Group, j.Error)
	p.Ints(int64(len(j.Args)))
	return append(p.B, j.Args...)
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// ReadJob reads a packed job into j, which keeps nothing of b: its Args are a
// copy that into makes. Names that j has already are used again.
func ReadJob(b []byte, j *Job, into *Blocks) error {
	p := newReader(b, jobVersion)
	jobType, tenant, concurrencyKey, group, message := j.Type, j.Tenant, j.ConcurrencyKey, j.Group, j.Error
	*j = Job{Stored: dispatch.Stored{ID: p.Int()}}
	j.Priority = uint8(p.UpTo(math.MaxUint8))
	j.RunAt, j.Estimate, j.MaxRun, j.AttemptsMax = p.Int(), time.Duration(p.Int()), time.Duration(p.Int()), int(p.Int())
	j.State, j.Token = dispatch.State(p.UpTo(math.MaxUint8)), dispatch.Token(p.Int())
	j.Attempts, j.Failures, j.Losses, j.Due = int(p.Int()), int(p.Int()), int(p.Int()), p.Int()
	flags := p.UpTo(3)
	j.Cancelling, j.Cold = flags&1 == 1, flags&2 == 2
	j.EndedBy = dispatch.Cause(p.UpTo(math.MaxUint8))
	j.Created, j.Promise, j.BytesIn = p.Int(), p.Int(), p.Int()
	j.Type, j.Tenant, j.IdempotencyKey = p.StringLike(jobType), p.StringLike(tenant), p.String()
	j.ConcurrencyKey, j.Group, j.Error = p.StringLike(concurrencyKey), p.StringLike(group), p.StringLike(message)
	j.Args = into.Copy(p.Bytes())
	if err := p.End(); err != nil {
		return fmt.Errorf("packed job: %w", err)
	}
	return nil
}

// Blocks copies the arguments of many jobs into few blocks of memory, which
// cost less to make and less to look after. A block stays as long as any of
// them: this is for a queue that is loaded, where they never hold more than
// lived then. The zero Blocks is ready; nil copies each alone.
type Blocks struct{ free []byte }

const (
	blockBytes = 16 << 10
	blockPart  = blockBytes / 8 // what is longer stands alone
)

// Copy returns a copy of b; nil if it is empty.
func (s *Blocks) Copy(b []byte) []byte {
	switch {
	case len(b) == 0:
		return nil
	case s == nil || len(b) > blockPart:
		return append([]byte(nil), b...)
	case len(b) > cap(s.free)-len(s.free):
		s.free = make([]byte, 0, blockBytes)
	}
	n := len(s.free)
	s.free = append(s.free, b...)
	return s.free[n:len(s.free):len(s.free)]
}

// AppendLeases appends the packed form of a hand-out's leases to b. The workers
// stand apart from it, in a column that people can read: their names with spaces
// between them, as often as they come after another one.
func AppendLeases(b []byte, leases []Lease) (packedLeases []byte, workers string) {
	p := packed.Writer{B: append(b, leasesVersion)}
	p.Ints(int64(len(leases)))
	var last Lease // ids, tokens and instants stand close to each other
	var names []byte
	for i, l := range leases {
		other := i == 0 || l.Worker != last.Worker
		if other {
			names = append(append(names, l.Worker...), ' ')
		}
		p.Ints(bit(other), l.Job-last.Job, int64(l.Token)-int64(last.Token), l.Started-last.Started)
		last = l
	}
	return p.B, string(bytes.TrimSuffix(names, []byte(" ")))
}

// ReadLeases reads packed leases.
func ReadLeases(b []byte, workers string) ([]Lease, error) {
	p := newReader(b, leasesVersion)
	n := p.Count()
	leases := make([]Lease, 0, n)
	last := Lease{}
	for i := range n {
		switch other := p.UpTo(1) == 1; {
		case other:
			last.Worker, workers, _ = strings.Cut(workers, " ")
		case i == 0:
			p.Fail("the first lease has no worker")
		}
		last.Job, last.Token, last.Started = last.Job+p.Int(), dispatch.Token(int64(last.Token)+p.Int()), last.Started+p.Int()
		leases = append(leases, last)
	}
	if workers != "" {
		p.Fail("leases of fewer workers than are named")
	}
	if err := p.End(); err != nil {
		return nil, fmt.Errorf("packed leases: %w", err)
	}
	return leases, nil
}

func newReader(b []byte, version byte) packed.Reader {
	if len(b) > 0 && b[0] == version {
		return packed.NewReader(b[1:])
	}
	r := packed.NewReader(nil)
	if len(b) == 0 {
		r.Fail("empty")
	} else {
		r.Fail("of version %d: this program reads version %d", b[0], version)
	}
	return r
}
