package sim

import (
	"fmt"
	"math/bits"

	"github.com/skynet-ec2/skynet/policy/draw"
)

// digest is a running hash of every event of a run: two runs with one digest
// did the same things at the same times. It guards against accidents, not
// against an adversary.
type digest struct{ a, b uint64 }

func (d *digest) add(what, at, x, y int64) {
	v := uint64(at)*0x9e3779b97f4a7c15 ^ uint64(x)*0xc2b2ae3d27d4eb4f ^ uint64(y)*0x165667b19e3779f9 ^ uint64(what)<<56
	d.a = (d.a ^ v) * 0xff51afd7ed558ccd
	d.b = bits.RotateLeft64(d.b, 29) + d.a ^ v>>7
}

func (d *digest) String() string {
	return fmt.Sprintf("%016x%016x", draw.Mix(d.a), draw.Mix(d.b^d.a))
}

// ran adds a job's run: which job, on which slot, from when to when. One entry
// stands for its start and its finish; a run that did not finish has one too.
func (d *digest) ran(sl *slot, in *instance, s int32, until int64) {
	v := uint64(sl.start)*0x9e3779b97f4a7c15 ^ uint64(until)*0xc2b2ae3d27d4eb4f ^
		uint64(sl.job.ID)*0x165667b19e3779f9 ^ uint64(in.id<<16|int64(s-in.base))
	d.a = (d.a ^ v) * 0xff51afd7ed558ccd
	d.b = bits.RotateLeft64(d.b, 29) + d.a ^ v>>7
}

// what a digest's entry is about
const (
	digestReturn = iota + 1
	digestLost
	digestLaunch
	digestReady
	digestDrain
	digestUndrain
	digestEnd
	digestCrash
	digestTick
	digestRefuse
)
