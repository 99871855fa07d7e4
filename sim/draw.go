package sim

// stream is a source of random numbers for one purpose: the n-th number of a
// stream depends on the seed, the purpose and n alone, never on what else was
// drawn. n is a launch ordinal, a job's position in the trace, an hour.
type stream uint64

// newStream returns the stream of a purpose, such as "boot-lag".
func newStream(seed uint64, purpose string) stream {
	h := mix(seed ^ 0x736b796e65740001)
	for i := range len(purpose) {
		h = mix(h ^ uint64(purpose[i]))
	}
	return stream(h)
}

// uniform returns the n-th number of the stream, in (0, 1).
func (s stream) uniform(n int64) float64 {
	return (float64(mix(uint64(s)+uint64(n)*0x9e3779b97f4a7c15)>>11) + 0.5) / (1 << 53)
}

// mix is a bijection of 64 bits that looks random: the finaliser of splitmix64
// (Steele, Lea, Flood 2014).
func mix(x uint64) uint64 {
	x ^= x >> 30
	x *= 0xbf58476d1ce4e5b9
	x ^= x >> 27
	x *= 0x94d049bb133111eb
	return x ^ x>>31
}
