package dispatch

import "math/bits"

// mix is the finaliser of the SplitMix64 generator (Steele, Lea and Flood,
// 2014): a bijection that leaves no visible trace of its argument's order.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// upper maps a uniform h to a number from 0 to n-1.
func upper(h, n uint64) uint64 {
	hi, _ := bits.Mul64(h, n)
	return hi
}
