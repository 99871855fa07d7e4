package sim

import (
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// instance is one instance of the simulated fleet, alive or waiting for its
// record to be reused.
type instance struct {
	// What every job touches comes first, in one cache line.
	id    int64 // launch ordinal, -1 when the record is free
	base  int32 // first slot
	n     int32 // slots
	busy  int32 // slots that run or hold a job
	typ   int32
	ratio ratio // service time from recorded work
	phase policy.Phase
	// silent workers run but cannot report; dead ones have crashed.
	silent, dead bool
	market       policy.Market
	zone         int32
	interrupt    int64 // when it will be taken back, never without notice

	launch    int64
	readyAt   int64 // never before it is ready
	confirmed int64 // from when EC2's list shows it
	seen      int64 // last report of its worker, -1 before the first
	crashed   int64 // when its worker crashed, never if it has not

	// What the last observation, or the last beat before a crash, showed.
	shownBusy   int32
	shownIdleIn time.Duration

	bill account
}
