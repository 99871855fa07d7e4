package queue

import (
	"bytes"
	"reflect"
	"testing"

	"github.com/skynet-ec2/skynet/policy/dispatch"
	"github.com/skynet-ec2/skynet/policy/packed"
)

// FuzzPacked reads bytes that may be a packed job or packed leases. What can be
// read says the same when it is packed and read again.
func FuzzPacked(f *testing.F) {
	j := Job{Stored: dispatch.Stored{Spec: dispatch.Spec{Type: "photo", Priority: 255, RunAt: 1 << 60}, ID: 1, State: dispatch.Delayed, Due: 5, Cancelling: true}, Args: []byte("{}"), Error: "e", Cold: true}
	f.Add(AppendJob(nil, &j), "")
	leases, workers := AppendLeases(nil, []Lease{{"w1", 1, 2, 3}, {"w2", 4, 1 << 52, -5}, {"w2", 5, 6, 7}})
	f.Add(leases, workers)
	f.Add([]byte{leasesVersion, 0xff, 0xff, 0xff, 0xff, 0x7f}, "w")
	f.Add([]byte{}, "")
	f.Fuzz(func(t *testing.T, b []byte, workers string) {
		var job Job
		var args Blocks
		again := Job{Stored: dispatch.Stored{Spec: dispatch.Spec{Type: "photo", Tenant: "t"}}, Error: "of the one before"}
		if ReadJob(b, &job, nil) == nil {
			if err := ReadJob(AppendJob(nil, &job), &again, &args); err != nil || !reflect.DeepEqual(job, again) {
				t.Fatalf("%+v, %+v, %v", job, again, err)
			}
		}
		if leases, err := ReadLeases(b, workers); err == nil {
			if again, err := ReadLeases(AppendLeases(nil, leases)); err != nil || !reflect.DeepEqual(leases, again) {
				t.Fatalf("%v, %v, %v", leases, again, err)
			}
		}
	})
}

// Leases that an earlier program packed, of one worker each, are never taken for
// others, whatever they hold: what is wrong with them is told.
func TestLeasesOfAnEarlierVersion(t *testing.T) {
	p := packed.Writer{B: []byte{1}}
	p.Ints(4)
	for range 4 {
		p.Ints(1, 1, 1) // job, token and start, each by one more than before
	}
	if leases, err := ReadLeases(p.B, "w1"); err == nil || err.Error() != "packed leases: of version 1: this program reads version 2" {
		t.Errorf("%v, %v", leases, err)
	}
}

// Copies stand beside each other, and none is changed when another one grows.
func TestBlocks(t *testing.T) {
	var s Blocks
	var all [][]byte
	for i := range 3000 {
		c := s.Copy(bytes.Repeat([]byte{byte(i)}, i))
		if len(c) != i || cap(c) != i && i <= blockPart || (c == nil) != (i == 0) {
			t.Fatalf("a copy of %d bytes has %d of %d", i, len(c), cap(c))
		}
		all = append(all, c)
		_ = append(c, 0xff)
	}
	for i, c := range all {
		if !bytes.Equal(c, bytes.Repeat([]byte{byte(i)}, i)) {
			t.Fatalf("copy %d is another one", i)
		}
	}
}
