package queue

import (
	"reflect"
	"testing"

	"github.com/skynet-ec2/skynet/policy/dispatch"
)

// FuzzPacked reads bytes that may be a packed job or packed leases. What can be
// read says the same when it is packed and read again.
func FuzzPacked(f *testing.F) {
	j := Job{Stored: dispatch.Stored{Spec: dispatch.Spec{Type: "photo", Priority: 255, RunAt: 1 << 60}, ID: 1, State: dispatch.Delayed, Due: 5, Cancelling: true}, Args: []byte("{}"), Error: "e", Cold: true}
	f.Add(AppendJob(nil, &j))
	f.Add(AppendLeases(nil, []Lease{{1, 2, 3}, {4, 1 << 52, -5}}))
	f.Add([]byte{packedVersion, 0xff, 0xff, 0xff, 0xff, 0x7f})
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		var job, again Job
		if ReadJob(b, &job) == nil {
			if err := ReadJob(AppendJob(nil, &job), &again); err != nil || !reflect.DeepEqual(job, again) {
				t.Fatalf("%+v, %+v, %v", job, again, err)
			}
		}
		if leases, err := ReadLeases(b); err == nil {
			if again, err := ReadLeases(AppendLeases(nil, leases)); err != nil || !reflect.DeepEqual(leases, again) {
				t.Fatalf("%v, %v, %v", leases, again, err)
			}
		}
	})
}
