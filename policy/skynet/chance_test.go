package skynet

import (
	"math"
	"testing"
	"time"

	"github.com/skynet-ec2/skynet/policy"
)

// TestSlotsFor holds slotsFor against Erlang's formula written out as the sums
// it is, whose probability is met by the answer and not by one slot less.
func TestSlotsFor(t *testing.T) {
	late := func(n int, all, often float64) float64 {
		waits := 1.0
		if n < 1 {
			return 1
		}
		if float64(n) > all {
			term, sum := 1.0, 1.0 // allᵏ/k!
			for k := 1; k < n; k++ {
				term *= all / float64(k)
				sum += term
			}
			last := term * all / float64(n) * float64(n) / (float64(n) - all)
			waits = last / (sum + last)
		}
		return waits * math.Exp(-float64(n)*often)
	}
	for _, all := range []float64{0.01, 0.5, 3, 17.5, 60, 150} {
		for _, often := range []float64{0, 0.1, 2, 20, 1000} {
			for _, allowed := range []float64{0.001, 0.05, 0.5} {
				n := int(slotsFor(all, often, allowed))
				if p := late(n, all, often); p > allowed*(1+1e-9) {
					t.Errorf("slotsFor(%v, %v, %v) = %d: late %v", all, often, allowed, n, p)
				}
				if p := late(n-1, all, often); p <= allowed*(1-1e-9) {
					t.Errorf("slotsFor(%v, %v, %v) = %d: %d are late only %v", all, often, allowed, n, n-1, p)
				}
			}
		}
	}
	if n := slotsFor(1e6, 1e-9, 0.01); n < 1e6 {
		t.Errorf("a million slots asked for: %v", n)
	}
}

// TestBootWithin holds the quantiles of a lognormal boot against its median and
// p99.
func TestBootWithin(t *testing.T) {
	b := policy.BootView{P50: 28 * time.Second, P99: 62 * time.Second}
	for _, c := range []struct{ share, want float64 }{{0.99, 62}, {0.5, 28}, {0.1, 28}} {
		if got := bootWithin(&b, 33, c.share); math.Abs(got-c.want) > 0.01 {
			t.Errorf("within %v of boots: %v s, want %v", c.share, got, c.want)
		}
	}
	if got := bootWithin(&policy.BootView{}, 33, 0.9); got != 33 {
		t.Errorf("unknown boots: %v s, want the lag", got)
	}
}
