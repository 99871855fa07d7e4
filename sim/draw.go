package sim

import "github.com/skynet-ec2/skynet/policy/draw"

// newStream returns the stream of a purpose, such as "boot-lag". Its n-th
// number is that of a launch ordinal, a job's position in the trace, an hour:
// it depends on the seed, the purpose and n alone. Its key is not draw.New's:
// what was measured under a seed was measured in the weather of this one.
func newStream(seed uint64, purpose string) draw.Stream {
	h := draw.Mix(seed ^ 0x736b796e65740001)
	for i := range len(purpose) {
		h = draw.Mix(h ^ uint64(purpose[i]))
	}
	return draw.Stream(h)
}
