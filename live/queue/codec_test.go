package queue

import (
	"bytes"
	"reflect"
	"slices"
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
	f.Add([]byte{1, 0xff, 0xff, 0xff, 0xff, 0x7f}, "w")
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

// Leases that stood in a row of one worker alone, as version 1 has them, are
// still known when a store's program is renewed while jobs run.
func TestLeasesOfVersion1(t *testing.T) {
	p := packed.Writer{B: []byte{1}}
	p.Ints(2, 7, 1<<32|1, 100, 2, 1, 5)
	got, err := ReadLeases(p.B, "w1")
	if want := []Lease{{"w1", 7, 1<<32 | 1, 100}, {"w1", 9, 1<<32 | 2, 105}}; err != nil || !slices.Equal(got, want) {
		t.Fatalf("%+v, %v; want %+v", got, err, want)
	}
	if _, err := ReadLeases([]byte{3, 0}, ""); err == nil {
		t.Fatal("a version of the future is read")
	}
	if _, err := ReadLeases(p.B, "w1 w2"); err == nil {
		t.Fatal("a worker without a lease is no error")
	}
}
