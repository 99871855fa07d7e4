package sim

import (
	"math/big"
	"testing"

	"github.com/skynet-ec2/skynet/traces"
)

// A service time is work ÷ speed, rounded up to a nanosecond, for speeds of any
// number of places that anybody writes.
func TestRatioIsExact(t *testing.T) {
	for _, x := range []struct {
		from, to         float64
		fromText, toText string
	}{
		{1, 2.5, "1", "2.5"},
		{2.5, 1, "2.5", "1"},
		{1, 0.3333333333, "1", "0.3333333333"},
		{0.35, 1.2345678, "0.35", "1.2345678"},
		{1000, 0.001, "1000", "0.001"},
		{999.999999999, 0.123456789012, "999.999999999", "0.123456789012"},
		{5, 1, "5", "1"}, // between 2^63 and 2^64
		{1e-12, 1000, "0.000000000001", "1000"},
	} {
		from, _ := new(big.Rat).SetString(x.fromText)
		to, _ := new(big.Rat).SetString(x.toText)
		r := newRatio(x.from, x.to)
		for _, ns := range []int64{1, 2, 3, 999, 3_600_000_000_000, 86_400_123_456_789, 1 << 52, 1 << 60, 1 << 61} {
			exact := new(big.Rat).Quo(new(big.Rat).Mul(new(big.Rat).SetInt64(ns), from), to)
			up := new(big.Int).Add(exact.Num(), new(big.Int).Sub(exact.Denom(), big.NewInt(1)))
			up.Quo(up, exact.Denom())
			want := int64(longest)
			if up.Cmp(big.NewInt(longest)) < 0 {
				want = up.Int64()
			}
			if got := r.of(ns); got != want {
				t.Errorf("%d ns × %s ÷ %s: %d, want %d", ns, x.fromText, x.toText, got, want)
			}
		}
	}
	if got := newRatio(2.5, 2.5).of(traces.TimeMax); got != traces.TimeMax {
		t.Errorf("the longest time of a trace is %d on the core it was recorded on, want %d", got, traces.TimeMax)
	}
}
