package queue

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// The packed forms, for stores that keep a job or a hand-out as one value:
// variable-length integers and strings with their lengths, in the order of the
// fields. The first byte is the version.
const packedVersion = 1

// AppendJob appends the packed form of a job to b.
func AppendJob(b []byte, j *Job) []byte {
	p := packer{append(b, packedVersion)}
	p.ints(j.ID, int64(j.Priority), j.RunAt, int64(j.Estimate), int64(j.MaxRun), int64(j.AttemptsMax),
		int64(j.State), int64(j.Token), int64(j.Attempts), int64(j.Failures), int64(j.Losses), j.Due,
		bit(j.Cancelling)|bit(j.Cold)<<1, int64(j.EndedBy), j.Created, j.Promise, j.BytesIn)
	p.texts(j.Type, j.Tenant, j.IdempotencyKey, j.ConcurrencyKey, j.Group, j.Error)
	p.b = binary.AppendUvarint(p.b, uint64(len(j.Args)))
	return append(p.b, j.Args...)
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// ReadJob reads a packed job into j, which keeps nothing of b.
func ReadJob(b []byte, j *Job) error {
	p := newUnpacker(b)
	*j = Job{Stored: dispatch.Stored{ID: p.int()}}
	j.Priority = uint8(p.upTo(math.MaxUint8))
	j.RunAt, j.Estimate, j.MaxRun, j.AttemptsMax = p.int(), time.Duration(p.int()), time.Duration(p.int()), int(p.int())
	j.State, j.Token = dispatch.State(p.upTo(math.MaxUint8)), dispatch.Token(p.int())
	j.Attempts, j.Failures, j.Losses, j.Due = int(p.int()), int(p.int()), int(p.int()), p.int()
	flags := p.upTo(3)
	j.Cancelling, j.Cold = flags&1 == 1, flags&2 == 2
	j.EndedBy = dispatch.Cause(p.upTo(math.MaxUint8))
	j.Created, j.Promise, j.BytesIn = p.int(), p.int(), p.int()
	j.Type, j.Tenant, j.IdempotencyKey, j.ConcurrencyKey, j.Group, j.Error = p.text(), p.text(), p.text(), p.text(), p.text(), p.text()
	if args := p.bytes(); len(args) > 0 {
		j.Args = append([]byte(nil), args...)
	}
	if err := p.end(); err != nil {
		return fmt.Errorf("packed job: %w", err)
	}
	return nil
}

// AppendLeases appends the packed form of a hand-out's leases to b.
func AppendLeases(b []byte, leases []Lease) []byte {
	p := packer{append(b, packedVersion)}
	p.ints(int64(len(leases)))
	var last Lease // ids, tokens and instants stand close to each other
	for _, l := range leases {
		p.ints(l.Job-last.Job, int64(l.Token)-int64(last.Token), l.Started-last.Started)
		last = l
	}
	return p.b
}

// ReadLeases reads packed leases.
func ReadLeases(b []byte) ([]Lease, error) {
	p := newUnpacker(b)
	n := p.upTo(int64(len(b)))
	leases := make([]Lease, 0, n)
	var last Lease
	for range n {
		last = Lease{last.Job + p.int(), dispatch.Token(int64(last.Token) + p.int()), last.Started + p.int()}
		leases = append(leases, last)
	}
	if err := p.end(); err != nil {
		return nil, fmt.Errorf("packed leases: %w", err)
	}
	return leases, nil
}

type packer struct{ b []byte }

func (p *packer) ints(vs ...int64) {
	for _, v := range vs {
		p.b = binary.AppendVarint(p.b, v)
	}
}

func (p *packer) texts(all ...string) {
	for _, s := range all {
		p.b = binary.AppendUvarint(p.b, uint64(len(s)))
		p.b = append(p.b, s...)
	}
}

// unpacker reads what packer wrote. After the first error it gives zeros.
type unpacker struct {
	b   []byte
	err error
}

func newUnpacker(b []byte) unpacker {
	if len(b) == 0 || b[0] != packedVersion {
		return unpacker{err: errors.New("of an unknown version")}
	}
	return unpacker{b: b[1:]}
}

func (p *unpacker) fail(format string, args ...any) {
	if p.err == nil {
		p.err = fmt.Errorf(format, args...)
	}
	p.b = nil
}

func (p *unpacker) int() int64 {
	v, n := binary.Varint(p.b)
	if n <= 0 {
		p.fail("it ends in the middle")
		return 0
	}
	p.b = p.b[n:]
	return v
}

func (p *unpacker) upTo(most int64) int64 {
	v := p.int()
	if v < 0 || v > most {
		p.fail("%d where 0 to %d may stand", v, most)
		return 0
	}
	return v
}

func (p *unpacker) bytes() []byte {
	n, used := binary.Uvarint(p.b)
	if used <= 0 || n > uint64(len(p.b)-used) {
		p.fail("it ends in the middle")
		return nil
	}
	s := p.b[used : used+int(n)]
	p.b = p.b[used+int(n):]
	return s
}

func (p *unpacker) text() string { return string(p.bytes()) }

func (p *unpacker) end() error {
	if p.err == nil && len(p.b) > 0 {
		p.err = fmt.Errorf("%d bytes too many", len(p.b))
	}
	return p.err
}
