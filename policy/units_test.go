package policy_test

import (
	"math"
	"math/big"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/skynet-ec2/skynet/policy"
)

// TestMulDiv compares MulDiv with math/big: a×b/c rounded to the nearest, halves
// up, saturating at 2^63−1.
func TestMulDiv(t *testing.T) {
	edges := []int64{0, 1, 2, 3, 59, 60, 999_999, int64(time.Hour), math.MaxInt64/2 + 1, math.MaxInt64 - 1, math.MaxInt64}
	whole := func(t *rapid.T, name string, low int64) int64 {
		if rapid.Bool().Draw(t, name+" edge") {
			return max(low, rapid.SampledFrom(edges).Draw(t, name))
		}
		return rapid.Int64Range(low, math.MaxInt64).Draw(t, name)
	}
	rapid.Check(t, func(t *rapid.T) {
		a, b, c := whole(t, "a", 0), whole(t, "b", 0), whole(t, "c", 1)
		want := new(big.Int).Mul(big.NewInt(a), big.NewInt(b))
		want.Add(want, big.NewInt(c/2)).Div(want, big.NewInt(c))
		if most := big.NewInt(math.MaxInt64); want.Cmp(most) > 0 {
			want = most
		}
		if got := policy.MulDiv(a, b, c); got != want.Int64() {
			t.Fatalf("MulDiv(%d, %d, %d) = %d, want %v", a, b, c, got, want)
		}
	})
}

// TestFromDollars: what is not an amount of money is refused.
func TestFromDollars(t *testing.T) {
	for d, want := range map[float64]policy.MicroUSD{0: 0, 0.1: 100_000, 0.0000005: 1, 1450: 1450 * policy.USD, 0.07976: 79_760} {
		if got, err := policy.FromDollars(d); err != nil || got != want {
			t.Errorf("FromDollars(%v) = %d, %v; want %d", d, got, err, want)
		}
	}
	for _, d := range []float64{-0.01, math.NaN(), math.Inf(1), math.Inf(-1), 1e13} {
		if got, err := policy.FromDollars(d); err == nil {
			t.Errorf("FromDollars(%v) = %d, want an error", d, got)
		}
	}
	if got := (12_340_000 * policy.MicroUSD(1)).String(); got != "$ 12.34" {
		t.Errorf("got %q", got)
	}
}

// TestWorkTakesTime: a job of w core-seconds holds a slot of speed v for w/v
// seconds, and nothing overflows.
func TestWorkTakesTime(t *testing.T) {
	if got := policy.CoreSeconds(5).On(2.5); got != 2*time.Second {
		t.Errorf("5 core-seconds at speed 2.5 take %v", got)
	}
	if got := policy.CoreSeconds(1e300).On(1); got != math.MaxInt64 {
		t.Errorf("endless work takes %v", got)
	}
	if got := policy.Seconds(-1e300); got != math.MinInt64 {
		t.Errorf("got %v", got)
	}
}
