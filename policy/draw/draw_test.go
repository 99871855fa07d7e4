package draw

import (
	"math"
	"testing"
)

// The first numbers of SplitMix64 as its authors' own code gives them from 0
// and from 1234567.
func TestStreamIsSplitMix64(t *testing.T) {
	for seed, want := range map[Stream][]uint64{
		0:       {0xe220a8397b1dcdaf, 0x6e789e6aa1b965f4, 0x06c45d188009454f},
		1234567: {6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431, 16408922859458223821},
	} {
		s := seed
		for i, w := range want {
			if at := seed.At(int64(i) + 1); at != w {
				t.Errorf("from %d: At(%d) is %#x, want %#x", seed, i+1, at, w)
			}
			if got := s.Next(); got != w {
				t.Errorf("from %d: number %d is %#x, want %#x", seed, i+1, got, w)
			}
		}
	}
}

// A number hangs on seed, purpose and place, on each of them.
func TestStreamsDiffer(t *testing.T) {
	seen := map[Stream]string{}
	add := func(s Stream, name string) {
		t.Helper()
		if other, twice := seen[s]; twice {
			t.Errorf("two streams are one, of %q and of %q", name, other)
		}
		seen[s] = name
	}
	for seed := range uint64(100) {
		for _, purpose := range []string{"a", "b", "ab", "ba", "boot"} {
			s := New(seed, purpose)
			add(s, purpose)
			for n := range int64(20) {
				add(s.Of(n), purpose)
			}
		}
	}
}

func TestUnitStaysWithin(t *testing.T) {
	for _, bits := range []uint64{0, 1, 1<<12 - 1, 1 << 63, math.MaxUint64 - 1, math.MaxUint64} {
		if u := Unit(bits); !(u > 0 && u < 1) {
			t.Errorf("Unit(%#x) = %v", bits, u)
		}
	}
}

// Means and variances of 200 000 draws lie within five standard errors.
func TestMoments(t *testing.T) {
	const n = 200_000
	for _, law := range []struct {
		name           string
		draw           func(s *Stream) float64
		mean, variance float64
		kurtosis       float64 // the fourth central moment over the variance squared
	}{
		{"unit", (*Stream).Unit, 1. / 2, 1. / 12, 1.8},
		{"below 6", func(s *Stream) float64 { return float64(s.Below(6)) }, 2.5, 35. / 12, 1.74},
		{"normal", (*Stream).Normal, 0, 1, 3},
		{"exponential", (*Stream).Exponential, 1, 1, 9},
	} {
		s := New(1, law.name)
		var sum, squares float64
		for range n {
			x := law.draw(&s)
			sum += x
			squares += (x - law.mean) * (x - law.mean)
		}
		if off := math.Abs(sum/n - law.mean); off > 5*math.Sqrt(law.variance/n) {
			t.Errorf("%s: the mean is off by %g", law.name, off)
		}
		if off := math.Abs(squares/n - law.variance); off > 5*law.variance*math.Sqrt((law.kurtosis-1)/n) {
			t.Errorf("%s: the variance is off by %g", law.name, off)
		}
	}
}
